/* scenario_join.c - (f) rooms that form completely.
 *
 * Each of a room's members registers and creates or joins the room, on
 * connections of its own, and makes a pair with every other: whoever has the
 * greater peer id offers, the other answers, and each sends its candidates in
 * one request.  A room is formed when everybody has got all of that.  Then
 * its connections are closed, and the next room begins in its place.
 */
#include "bench/client.h"
#include "bench/payload.h"
#include "bench/scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ROOM_SIZE 8u
#define N_CANDIDATES 10u
#define N_AT_ONCE 16u
#define MAX_SAMPLES 100000u
#define MAX_REQUEST ((size_t)1 << 20)
/* From each other member: an offer or an answer, and candidates. */
#define N_MARKS ((ROOM_SIZE - 1) * (1 + N_CANDIDATES))

struct member {
	struct forming *forming;
	struct peer peer; /* id: the peer id in the room */
	struct client poll, commands;
	struct buf queue; /* requests not yet sent, one after the other */
	size_t sizes[4 * ROOM_SIZE], n_queued;
	uint32_t n_marks;
	bool is_in; /* registered, and in the room */
};

struct forming {
	struct storm *storm;
	struct member members[ROOM_SIZE];
	int64_t begun_ns;
	uint32_t n_complete;
};

struct storm {
	struct server *server;
	struct client_loop *loop;
	struct forming formings[N_AT_ONCE];
	bool is_counting, has_failed;
	uint64_t n_rooms;
	double *samples;
	size_t n_samples;
};

/* ---- commands, one at a time for each member ---- */

static void
send_next(struct member *member)
{
	size_t size;

	if (member->commands.is_busy || member->n_queued == 0)
		return;
	size = member->sizes[0];
	client_send(
	    &member->commands, (struct span){ member->queue.data, size });
	member->n_queued--;
	memmove(member->sizes, member->sizes + 1,
	    member->n_queued * sizeof(member->sizes[0]));
	member->queue.len -= size;
	memmove(
	    member->queue.data, member->queue.data + size, member->queue.len);
}

static void
queue_command(struct member *member, const char *target, struct span body)
{
	char fields[96] = "";
	size_t before = member->queue.len;

	if (member->peer.token[0])
		snprintf(fields, sizeof(fields), "Authorization: Bearer %s\r\n",
		    member->peer.token);
	write_post(&member->queue, target, fields, body);
	member->sizes[member->n_queued++] = member->queue.len - before;
	send_next(member);
}

/* An offer or an answer, and what belongs to it. */
static void
queue_half(struct member *member, const char *target, uint32_t to)
{
	struct payload_text text;
	struct payload payload;
	struct buf body;

	payload_offer(&payload, &text, to, 0, 0);
	queue_command(member, target, payload.items[0]);
	payload_candidates(&payload, &text, to, 0, 0, N_CANDIDATES);
	buf_init(&body, MAX_REQUEST);
	for (size_t i = 0; i < payload.n; i++) {
		buf_add_text(&body, i ? "," : "[");
		buf_add_text(&body, "{\"command\":\"###!CC\",\"data\":");
		buf_add_span(&body, payload.items[i]);
		buf_add_text(&body, "}");
	}
	buf_add_text(&body, "]");
	queue_command(member, "/command", buf_span(&body));
	buf_fini(&body);
}

/* ---- one room after the other ---- */

static void on_event_answer(
    struct client *client, const struct response *response);
static void on_command_reply(
    struct client *client, const struct response *response);

static void
close_member(struct member *member)
{
	client_close(&member->poll);
	client_close(&member->commands);
	buf_fini(&member->queue);
}

static void
open_member(struct forming *forming, uint32_t seat)
{
	struct storm *storm = forming->storm;
	struct member *member = &forming->members[seat];
	const char *uuid = forming->members[0].peer.uuid;
	char text[192];

	*member = (struct member){ .forming = forming, .peer.seat = seat };
	buf_init(&member->queue, MAX_REQUEST);
	if (!client_open(&member->poll, storm->loop, storm->server->port,
		on_event_answer, member) ||
	    !client_open(&member->commands, storm->loop, storm->server->port,
		on_command_reply, member)) {
		storm->has_failed = true;
		return;
	}
	if (seat == 0)
		snprintf(text, sizeof(text),
		    "[{\"command\":\"###!RP\",\"data\":\"player\"},"
		    "{\"command\":\"###!CR\",\"data\":null}]");
	else
		snprintf(text, sizeof(text),
		    "[{\"command\":\"###!RP\",\"data\":\"player\"},"
		    "{\"command\":\"###!JR\",\"data\":\"%s\"}]",
		    uuid);
	queue_command(member, "/command", span_of(text));
}

static void
begin(struct forming *forming)
{
	forming->n_complete = 0;
	forming->begun_ns = now_ns();
	open_member(forming, 0);
}

static void
on_complete(struct forming *forming)
{
	struct storm *storm = forming->storm;

	if (++forming->n_complete < ROOM_SIZE)
		return;
	if (storm->is_counting) {
		storm->n_rooms++;
		if (storm->n_samples < MAX_SAMPLES)
			storm->samples
			    [storm->n_samples++] = (double)(now_ns() -
						       forming->begun_ns) /
			    1000;
	}
}

static void
poll_again(struct member *member)
{
	struct buf request;

	buf_init(&request, MAX_REQUEST);
	contender_power.write_poll(&member->peer, &request);
	client_send(&member->poll, buf_span(&request));
	buf_fini(&request);
}

/* Answer what an event asks for.  at: behind the event's code. */
static void
answer_event(struct member *member, const char *code, const char *at)
{
	static const char data[] = "\",\"data\":", object[] = "{\"id\":";
	uint32_t from;

	at += sizeof(data) - 1;
	if (memcmp(code, "RPC", 3) == 0) {
		from = (uint32_t)strtoul(at, NULL, 10);
		if (from < member->peer.id)
			queue_half(member, "/offer", from);
	} else if (memcmp(code, "OOO", 3) == 0) {
		from = (uint32_t)strtoul(at + sizeof(object) - 1, NULL, 10);
		queue_half(member, "/answer", from);
	}
}

static void
on_event_answer(struct client *client, const struct response *response)
{
	static const char before[] = "\"command\":\"###!";
	struct member *member = client->cls;
	struct span body;
	const char *at;
	uint32_t sender, number, n_marks = 0;

	if (!response || response->status != 200) {
		member->forming->storm->has_failed = true;
		return;
	}
	contender_power.read_answer(&member->peer, response);
	body = response->body;
	poll_again(member);
	while ((at = memmem(body.at, body.len, before, sizeof(before) - 1))) {
		at += sizeof(before) - 1;
		body.len -= (size_t)(at - body.at);
		body.at = at;
		answer_event(member, at, at + 3);
	}
	body = response->body;
	while (payload_next_mark(&body, &sender, &number))
		n_marks++;
	member->n_marks += n_marks;
	if (n_marks && member->n_marks == N_MARKS)
		on_complete(member->forming);
}

/* The first reply says who one is; the others say nothing new. */
static void
on_command_reply(struct client *client, const struct response *response)
{
	struct member *member = client->cls;
	struct forming *forming = member->forming;

	if (!response || response->status / 100 != 2 ||
	    (!member->is_in && !peerpost_read_reply(&member->peer, response))) {
		forming->storm->has_failed = true;
		return;
	}
	if (!member->is_in) {
		member->is_in = true;
		if (member->peer.seat == 0) {
			member->peer.id = 1;
			for (uint32_t i = 1; i < ROOM_SIZE; i++)
				open_member(forming, i);
		}
		poll_again(member);
	}
	send_next(member);
}

/* Rooms that are complete make place for the next: here, not in a callback,
 * whose connections they are. */
static void
replace_complete(struct storm *storm)
{
	for (uint32_t i = 0; i < N_AT_ONCE; i++) {
		struct forming *forming = &storm->formings[i];

		if (forming->n_complete < ROOM_SIZE)
			continue;
		for (uint32_t k = 0; k < ROOM_SIZE; k++)
			close_member(&forming->members[k]);
		begin(forming);
	}
}

static void
run_until(struct storm *storm, int64_t until_ns)
{
	while (now_ns() < until_ns && !storm->has_failed) {
		client_loop_run(storm->loop, 10);
		replace_complete(storm);
	}
}

static void
run(struct bench *bench, struct storm *storm, unsigned round)
{
	struct server *server = storm->server;
	struct result result = result_of(
	    "join-storm", server->contender->name, round);
	int64_t from_ns, server_ns, bench_ns;
	double n, wall;

	run_until(storm, now_ns() + 200000000);
	storm->n_rooms = storm->n_samples = 0;
	storm->is_counting = true;
	from_ns = now_ns();
	server_ns = process_cpu_ns(&server->processes);
	bench_ns = own_cpu_ns();
	run_until(storm, from_ns + (int64_t)(bench->seconds * 1e9));
	storm->is_counting = false;
	wall = (double)(now_ns() - from_ns);
	n = storm->n_rooms ? (double)storm->n_rooms : 1;
	server_ns = process_cpu_ns(&server->processes) - server_ns;
	result.values[METRIC_RATE] = (double)storm->n_rooms / wall * 1e9;
	result.values[METRIC_CPU_US] = (double)server_ns / n / 1000;
	result.values[METRIC_BENCH_US] = (double)(own_cpu_ns() - bench_ns) / n /
	    1000;
	result.values[METRIC_CORE_PERCENT] = (double)server_ns / wall * 100;
	result.values[METRIC_P50_US] = quantile(
	    storm->samples, storm->n_samples, 0.5);
	result.values[METRIC_P99_US] = quantile(
	    storm->samples, storm->n_samples, 0.99);
	result.values[METRIC_LOST] = storm->has_failed;
	if (storm->has_failed)
		server_complain(server, "fails under a join storm");
	results_add(bench->results, &result);
}

static void
run_storm(struct bench *bench, const struct contender *contender)
{
	struct storm *storm = mem_new(sizeof(*storm));
	struct server server;

	if (!server_start(&server, contender, bench->folder)) {
		free(storm);
		return;
	}
	storm->server = &server;
	storm->loop = client_loop_create();
	storm->samples = mem_resize(NULL, MAX_SAMPLES, sizeof(double));
	for (uint32_t i = 0; i < N_AT_ONCE; i++) {
		storm->formings[i].storm = storm;
		begin(&storm->formings[i]);
	}
	for (unsigned r = 0; r < bench->rounds && !storm->has_failed; r++)
		run(bench, storm, r);
	for (uint32_t i = 0; i < N_AT_ONCE; i++)
		for (uint32_t k = 0; k < ROOM_SIZE; k++)
			close_member(&storm->formings[i].members[k]);
	server_stop(&server);
	client_loop_free(storm->loop);
	free(storm->samples);
	free(storm);
}

void
scenario_join(struct bench *bench)
{
	for (size_t i = 0; contenders[i] && bench_wants(bench, "join-storm");
	     i++)
		if (bench_has(bench, contenders[i], CAN_ROOMS))
			run_storm(bench, contenders[i]);
}
