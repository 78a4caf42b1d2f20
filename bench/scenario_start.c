/* scenario_start.c - (g) starting with much in the database.
 *
 * 100,000 players in rooms of 10, who have not polled yet: what each of them
 * has been told about the others makes a million queued events.
 */
#include "bench/client.h"
#include "bench/scenarios.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define N_PLAYERS 100000u
#define ROOM_SIZE 10u
#define N_VISITORS 64u
#define MAX_REQUEST ((size_t)1 << 16)

/* Requests, one after the other, on each of some connections. */
struct visit {
	struct peer *peers; /* NULL: for /healthz, once */
	uint32_t next, n_done;
	bool has_failed;
};

static void
ask_next(struct visit *visit, struct client *client)
{
	struct buf request;

	if (visit->peers && visit->next == N_PLAYERS)
		return;
	buf_init(&request, MAX_REQUEST);
	if (visit->peers)
		contender_power.write_poll(
		    &visit->peers[visit->next++], &request);
	else
		buf_add_text(&request,
		    "GET /healthz HTTP/1.1\r\n"
		    "Host: 127.0.0.1\r\n\r\n");
	client_send(client, buf_span(&request));
	buf_fini(&request);
}

static void
on_answer(struct client *client, const struct response *response)
{
	struct visit *visit = client->cls;

	if (!response || response->status != 200) {
		visit->has_failed = true;
		return;
	}
	visit->n_done++;
	if (visit->peers)
		ask_next(visit, client);
}

/* Ask for all that is to be asked; false: the server failed. */
static bool
run_visit(struct server *server, struct peer *peers)
{
	struct visit visit = { .peers = peers };
	uint32_t n = peers ? N_PLAYERS : 1, n_clients = peers ? N_VISITORS : 1;
	struct client *clients = mem_new(N_VISITORS * sizeof(*clients));
	struct client_loop *loop = client_loop_create();

	for (uint32_t i = 0; i < n_clients && !visit.has_failed; i++) {
		if (client_open(
			&clients[i], loop, server->port, on_answer, &visit))
			ask_next(&visit, &clients[i]);
		else
			visit.has_failed = true;
	}
	while (visit.n_done < n && !visit.has_failed)
		if (client_loop_run(loop, 10000) == 0)
			visit.has_failed = true;
	for (uint32_t i = 0; i < n_clients; i++)
		client_close(&clients[i]);
	client_loop_free(loop);
	free(clients);
	return !visit.has_failed;
}

static double
resident_mib(const struct server *server)
{
	return (double)process_resident_kib(&server->processes) / 1024;
}

/* Start it on what it has, and look. */
static void
measure(struct bench *bench, struct server *server, struct peer *peers,
    unsigned round)
{
	struct result started = result_of(
	    "start-up", server->contender->name, round);
	struct result seen = result_of(
	    "all-seen", server->contender->name, round);
	int64_t begun_ns = now_ns();

	if (!server_restart(server) || !run_visit(server, NULL)) {
		server_complain(server, "does not start again");
		started.values[METRIC_LOST] = 1;
	} else {
		started.values[METRIC_READY_S] = (double)(now_ns() - begun_ns) /
		    1e9;
		started.values[METRIC_RESIDENT_MIB] = resident_mib(server);
		started.values[METRIC_LOST] = 0;
	}
	results_add(bench->results, &started);
	/* Everybody fetches what there is. */
	begun_ns = now_ns();
	seen.values[METRIC_LOST] = !run_visit(server, peers);
	seen.values[METRIC_RATE] = N_PLAYERS /
	    ((double)(now_ns() - begun_ns) / 1e9);
	seen.values[METRIC_RESIDENT_MIB] = resident_mib(server);
	results_add(bench->results, &seen);
	server_stop(server);
}

void
scenario_start(struct bench *bench)
{
	struct peer *peers;
	struct server server;

	if ((!bench_wants(bench, "start-up") &&
		!bench_wants(bench, "all-seen")) ||
	    !bench_has(bench, &contender_power, CAN_RESTART) ||
	    !server_start(&server, &contender_power, bench->folder))
		return;
	peers = mem_new(N_PLAYERS * sizeof(*peers));
	for (uint32_t i = 0; i < N_PLAYERS; i++) {
		peers[i].index = i;
		peers[i].room = i / ROOM_SIZE;
		peers[i].seat = i % ROOM_SIZE;
	}
	if (contender_power.set_up(&server, peers, N_PLAYERS, ROOM_SIZE)) {
		server_stop(&server);
		measure(bench, &server, peers, 0);
	} else {
		server_stop(&server);
	}
	free(peers);
}
