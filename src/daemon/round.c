/* round.c - signals, and the rounds of the loop.
 *
 * SIGTERM and SIGINT stop the daemon in order, as stop.c says; exit 0.
 * SIGHUP makes it read its configuration again, as reload.c says; but if it
 * comes from the kernel, the terminal is gone, and the daemon stops (except
 * under nohup(1)).
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log_flood.h"
#include "daemon/server.h"

/* SIGHUP was ignored at our start; a blocked signal arrives all the same. */
static bool
ignores_hang_up(void)
{
	struct sigaction action;

	return sigaction(SIGHUP, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN;
}

void
server_on_signal(struct loop_source *source, uint32_t events)
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

/* The others run themselves, unless they are paused. */
static void
run_workers(struct server *server, int64_t max_ms)
{
	size_t n = server->is_alone ? server->n_workers : 1;

	for (size_t i = 1; i < n; i++)
		if (server->workers[i].has_more)
			max_ms = 0;
	worker_run_round(&server->workers[0], server->has_more ? 0 : max_ms);
	for (size_t i = 1; i < n; i++)
		worker_run_round(&server->workers[i], 0);
}

/* The time at which the loop furthest behind began its last round. */
static int64_t
ran_ms(const struct server *server)
{
	int64_t ms = server->workers[0].ran_ms;

	for (size_t i = 1; i < server->n_workers; i++)
		if (server->workers[i].ran_ms < ms)
			ms = server->workers[i].ran_ms;
	return ms;
}

static void
run_watchdog(struct server *server)
{
	if (watchdog_run(
		&server->watchdog, server->workers[0].front.cq, ran_ms(server)))
		for (size_t i = 1; i < server->n_workers; i++)
			worker_wake(&server->workers[i]);
}

void
server_run_round(struct server *server, int64_t max_ms)
{
	struct worker *first = &server->workers[0];

	run_workers(server, watchdog_max_wait_ms(&server->watchdog, max_ms));
	if (first->has_ticked && !first->was_stopped)
		for (size_t i = 0; i < N_SIDES; i++)
			http_expire(server->sides[i].http);
	if (first->has_ticked && !server->is_stopping)
		server_say_status(server);
	if (first->has_ticked) {
		log_flood_tick();
		/* Descriptors other than those of connections may have been
		 * freed. */
		server->players.is_starved = false;
	}
	server->has_more = server_run_sides(server);
	if (first->front.cq) {
		run_watchdog(server);
		engine_flush(first->front.cq);
	}
	server_admit(server);
}
