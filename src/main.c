/* main.c - one process, from its command line to its end. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_flood.h"
#include "base/mem.h"
#include "base/notify.h"
#include "base/process.h"
#include "daemon/server.h"

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
	mem_init();
	log_init(server.options.log_format);
	clock_init();
	notify_init();
	process_note_thread(PROCESS_LOOP, pthread_self());
	status = EXIT_FAILURE;
	if (server_start(&server)) {
		while (!server.is_stopping)
			server_run_round(&server, WORKER_TICK_MS);
		server_stop(&server);
		status = EXIT_SUCCESS;
	}
	log_flood_end();
	server_close_descriptors(&server);
	options_free(&server.options);
	return status;
}
