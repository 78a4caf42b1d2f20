/* main.c - signals, and the rounds of the loop.
 *
 * SIGTERM and SIGINT stop the daemon in order, as server_stop.c says; exit 0.
 * SIGHUP lets it read its configuration again, as server_reload.c says; but one
 * that comes from the kernel means that the terminal is gone, and stops it
 * (except under nohup(1)).
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/process.h"
#include "server.h"
#include "server_reload.h"

#define TICK_MS 1000
#define PAUSE_MS 2000 /* a tick later than this: the process stood still */

/* On the engine thread. */
static void
on_completed(void *cls)
{
	const struct server *server = cls;
	uint64_t one = 1;

	/* It fails only when the counter is full: the loop is awake then. */
	if (write(server->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void
on_wake(struct loop_source *source, uint32_t events)
{
	struct server *server = CONTAINER_OF(source, struct server, wake);
	uint64_t n;

	(void)events;
	if (read(server->wake_fd, &n, sizeof(n)) < 0)
		return;
	front_complete(engine_take_completed(server->front.engine));
}

/* As we were started to; a blocked signal comes all the same. */
static bool
ignores_hang_up(void)
{
	struct sigaction action;

	return sigaction(SIGHUP, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN;
}

static void
on_signal(struct loop_source *source, uint32_t events)
{
	struct server *server = CONTAINER_OF(source, struct server, signals);
	struct signalfd_siginfo info;

	(void)events;
	if (read(server->signal_fd, &info, sizeof(info)) < 0)
		return;
	if (info.ssi_signo == SIGHUP && info.ssi_code != SI_KERNEL)
		server_reload(server);
	else if (info.ssi_signo != SIGHUP || !ignores_hang_up())
		server->is_stopping = true;
}

void
server_pause_listeners(struct server *server, bool is_paused)
{
	for (size_t i = 0; i < server->n_public; i++)
		listener_pause(server->listeners[i], is_paused);
}

/* Connections wait in the kernel while there is no room for them.  At the end
 * of a round: before, one that looks idle may have a request not read yet. */
static void
admit(struct server *server)
{
	bool has_room = front_has_room(&server->front);

	if (!has_room && !http_make_room(server->http))
		fastcgi_make_room(server->fastcgi);
	server_pause_listeners(server, !has_room);
}

/* After a pause of the whole process, connections look overdue whose bytes
 * are there and have just not been read: they get until the next tick. */
static void
tick(struct server *server)
{
	int64_t now_ms = clock_now_ms(), running_ms = clock_running_ms();
	bool has_paused = running_ms - server->ran_ms > TICK_MS + PAUSE_MS;

	server->ran_ms = running_ms;
	if (now_ms - server->ticked_ms < clock_max_sleep_ms(TICK_MS))
		return;
	server->ticked_ms = now_ms;
	if (!has_paused) {
		http_expire(server->admin_http);
		http_expire(server->http);
		fastcgi_expire(server->fastcgi);
	}
	http_save_memory(server->http);
	if (!server->is_stopping)
		server_say_status(server);
}

void
server_run_round(struct server *server, int64_t max_ms)
{
	if (server->has_more || max_ms < 0)
		max_ms = 0;
	max_ms = watchdog_max_wait_ms(&server->watchdog, max_ms);
	loop_wait(server->front.loop,
	    clock_max_sleep_ms(max_ms < TICK_MS ? (int)max_ms : TICK_MS));
	tick(server);
	server->has_more = http_run(server->http);
	server->has_more |= fastcgi_run(server->fastcgi);
	server->has_more |= server_run_admin(server);
	if (server->front.engine) {
		watchdog_run(&server->watchdog, server->front.engine);
		engine_flush(server->front.engine);
	}
	admit(server);
}

int
main(int argc, char **argv)
{
	static struct server server;
	int status = options_parse(
	    &server.options, argc, argv, options_complain_on_stderr);

	if (status >= 0)
		return status;
	server.argc = argc;
	server.argv = argv;
	log_init(server.options.log_format);
	clock_init();
	notify_init();
	process_note_thread(PROCESS_LOOP, pthread_self());
	server.wake.on_ready = on_wake;
	server.signals.on_ready = on_signal;
	status = EXIT_FAILURE;
	if (server_start(&server, on_completed)) {
		while (!server.is_stopping)
			server_run_round(&server, TICK_MS);
		server_stop(&server);
		status = EXIT_SUCCESS;
	}
	server_close_descriptors(&server);
	options_free(&server.options);
	return status;
}
