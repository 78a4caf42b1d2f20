/* load.c - see load.h. */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bench/payload.h"

#define WARM_UP_NS 200000000
#define PATIENCE_NS 3000000000 /* for the last ones to arrive */
#define MAX_SAMPLES 1000000u
#define NOISY_SHARE 0.1 /* of a core, taken by others */
#define MAX_REQUEST ((size_t)1 << 16)

struct sender {
	struct load *load;
	struct client client;
	uint32_t index, number; /* of what is under way */
	uint32_t seen, due;     /* marks */
	bool is_busy, has_reply;
	int64_t begun_ns;
	uint32_t from; /* a peer's index */
};

struct load {
	struct crowd *crowd;
	const struct load_spec *spec;
	struct sender *senders;
	uint32_t random;
	bool is_ending;
	int64_t counting_ns; /* since when; 0: not yet */
	int64_t next_ns;     /* per_s: when the next is due */
	uint64_t n_units, n_strays;
	double *samples;
	size_t n_samples;
	bool has_failed;
};

/* xorshift32: the same choices in every run. */
static uint32_t
random_below(struct load *load, uint32_t n)
{
	load->random ^= load->random << 13;
	load->random ^= load->random >> 17;
	load->random ^= load->random << 5;
	return load->random % n;
}

static uint32_t
other_member(struct load *load, uint32_t peer)
{
	uint32_t size = load->crowd->room_size, seat = peer % size;

	return peer - seat + (seat + 1 + random_below(load, size - 1)) % size;
}

static void
write_request(struct sender *sender, struct buf *out)
{
	struct load *load = sender->load;
	struct crowd *crowd = load->crowd;
	const struct contender *contender = crowd->server.contender;
	struct payload_text text;
	struct payload payload;
	const struct peer *from, *to;
	uint32_t id;

	if (load->spec->is_random) {
		to = &crowd->peers[random_below(load, crowd->n)];
		from = &crowd->peers[other_member(load, to->index)];
	} else {
		from = &crowd->peers[sender->from];
		to = &crowd->peers[other_member(load, from->index)];
	}
	id = to->seat == 0 ? 1 : to->id;
	sender->due = 1;
	if (load->spec->kind == LOAD_CANDIDATES) {
		payload_candidates(&payload, &text, id, sender->index,
		    sender->number, PAYLOAD_MAX_BATCH);
		sender->due = PAYLOAD_MAX_BATCH;
	} else {
		payload_offer(
		    &payload, &text, id, sender->index, sender->number);
	}
	if (load->spec->kind == LOAD_MESSAGE) {
		sender->due = crowd->room_size;
		contender->write_message(from, crowd->room_size, &payload, out);
	} else {
		contender->write_relay(from, to, &payload, out);
	}
}

static void
begin(struct sender *sender, int64_t due_ns)
{
	struct buf request;

	sender->number = ++sender->load->crowd->numbers[sender->index];
	sender->seen = 0;
	sender->is_busy = true;
	sender->has_reply = false;
	buf_init(&request, MAX_REQUEST);
	write_request(sender, &request);
	sender->begun_ns = due_ns ? due_ns : now_ns();
	client_send(&sender->client, buf_span(&request));
	buf_fini(&request);
}

static void
end_if_done(struct sender *sender)
{
	struct load *load = sender->load;

	if (!sender->has_reply || sender->seen < sender->due)
		return;
	sender->is_busy = false;
	if (!load->is_ending && load->spec->per_s == 0)
		begin(sender, 0);
}

static void
on_mark(void *cls, uint32_t index, uint32_t number)
{
	struct load *load = cls;
	struct sender *sender = &load->senders[index];

	if (index >= load->spec->n_senders || !sender->is_busy ||
	    number != sender->number || sender->seen == sender->due) {
		load->n_strays++;
		return;
	}
	sender->seen++;
	if (load->counting_ns && !load->is_ending)
		load->n_units++;
	if (sender->seen < sender->due)
		return;
	if (load->counting_ns && load->n_samples < MAX_SAMPLES)
		load->samples[load->n_samples++] = (double)(now_ns() -
						       sender->begun_ns) /
		    1000;
	end_if_done(sender);
}

static void
on_reply(struct client *client, const struct response *response)
{
	struct sender *sender = client->cls;
	struct load *load = sender->load;

	if (!response || response->status / 100 != 2) {
		if (!load->has_failed && response)
			fprintf(stderr, "%.*s\n%.*s\n", (int)response->head.len,
			    response->head.at, (int)response->body.len,
			    response->body.at);
		load->has_failed = true;
		return;
	}
	sender->has_reply = true;
	end_if_done(sender);
}

static void
open_senders(struct load *load)
{
	uint32_t n_rooms = load->crowd->n / load->crowd->room_size;

	for (unsigned i = 0; i < load->spec->n_senders; i++) {
		struct sender *sender = &load->senders[i];

		sender->load = load;
		sender->index = i;
		sender->from = i % n_rooms * load->crowd->room_size +
		    i / n_rooms % load->crowd->room_size;
		if (!client_open(&sender->client, load->crowd->loop,
			load->crowd->server.port, on_reply, sender))
			load->has_failed = true;
	}
}

/* With per_s: send what is due, as far as there are senders. */
static void
send_due(struct load *load)
{
	int64_t step_ns = 1000000000 / load->spec->per_s;

	for (unsigned i = 0; i < load->spec->n_senders; i++) {
		struct sender *sender = &load->senders[i];

		if (now_ns() < load->next_ns)
			return;
		if (sender->is_busy)
			continue;
		begin(sender, load->next_ns);
		load->next_ns += step_ns;
	}
}

static void
run_until(struct load *load, int64_t until_ns)
{
	int64_t now;

	while ((now = now_ns()) < until_ns && !load->has_failed) {
		int64_t wake_ns = until_ns;

		if (load->spec->per_s && !load->is_ending) {
			send_due(load);
			if (load->next_ns < wake_ns)
				wake_ns = load->next_ns;
		}
		client_loop_run(load->crowd->loop,
		    wake_ns > now ? (int)((wake_ns - now + 999999) / 1000000) :
				    0);
		load->has_failed |= load->crowd->has_failed;
	}
}

static bool
is_anything_under_way(const struct load *load)
{
	for (unsigned i = 0; i < load->spec->n_senders; i++)
		if (load->senders[i].is_busy)
			return true;
	return false;
}

/* Wait for what is still under way; returns what never came. */
static uint64_t
finish(struct load *load)
{
	int64_t until_ns = now_ns() + PATIENCE_NS;
	uint64_t n_lost = 0;

	load->is_ending = true;
	while (is_anything_under_way(load) && now_ns() < until_ns &&
	    !load->has_failed)
		run_until(load, now_ns() + 1000000);
	for (unsigned i = 0; i < load->spec->n_senders; i++)
		if (load->senders[i].is_busy)
			n_lost += load->senders[i].due - load->senders[i].seen;
	return n_lost;
}

struct spent {
	int64_t wall_ns, server_ns, bench_ns, machine_ns;
};

static struct spent
look(const struct load *load)
{
	return (struct spent){ now_ns(),
		process_cpu_ns(&load->crowd->server.processes), own_cpu_ns(),
		machine_busy_ns() };
}

static void
write_costs(const struct load *load, const struct spent *from,
    const struct spent *to, struct result *result)
{
	double wall = (double)(to->wall_ns - from->wall_ns);
	double server = (double)(to->server_ns - from->server_ns);
	double bench = (double)(to->bench_ns - from->bench_ns);
	double others = (double)(to->machine_ns - from->machine_ns) - server -
	    bench;
	double n = load->n_units ? (double)load->n_units : 1;

	result->values[METRIC_RATE] = (double)load->n_units / wall * 1e9;
	result->values[METRIC_CPU_US] = server / n / 1000;
	result->values[METRIC_BENCH_US] = bench / n / 1000;
	result->values[METRIC_CORE_PERCENT] = server / wall * 100;
	result->is_noisy = others > NOISY_SHARE * wall;
}

static void
write_latencies(struct load *load, struct result *result)
{
	size_t n = load->n_samples;

	result->values[METRIC_P50_US] = quantile(load->samples, n, 0.5);
	result->values[METRIC_P99_US] = quantile(load->samples, n, 0.99);
	result->values[METRIC_MAX_US] = n ? load->samples[n - 1] : 0;
}

void
load_run(
    struct crowd *crowd, const struct load_spec *spec, struct result *result)
{
	struct load load = {
		.crowd = crowd, .spec = spec, .random = 2463534242
	};
	struct spent from, to;
	uint64_t n_lost;

	load.senders = mem_new(CROWD_MAX_SENDERS * sizeof(*load.senders));
	load.samples = mem_resize(NULL, MAX_SAMPLES, sizeof(*load.samples));
	crowd->on_mark = on_mark;
	crowd->cls = &load;
	open_senders(&load);
	load.next_ns = now_ns();
	for (unsigned i = 0; i < spec->n_senders && !spec->per_s; i++)
		begin(&load.senders[i], 0);
	run_until(&load, now_ns() + WARM_UP_NS);
	load.counting_ns = now_ns();
	from = look(&load);
	run_until(&load, load.counting_ns + spec->for_ns);
	to = look(&load);
	n_lost = finish(&load);
	write_costs(&load, &from, &to, result);
	write_latencies(&load, result);
	result->values[METRIC_LOST] = (double)(n_lost + load.n_strays);
	if (load.has_failed) {
		server_complain(&crowd->server, "fails under load");
		result->values[METRIC_LOST] += 1;
	}
	crowd->on_mark = NULL;
	for (unsigned i = 0; i < spec->n_senders; i++)
		client_close(&load.senders[i].client);
	free(load.samples);
	free(load.senders);
}
