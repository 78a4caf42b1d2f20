/* metrics.c - see metrics.h.
 *
 * Labels have few values, all of them our own and never a client's.  A series
 * of a counter begins with its first event, but counters without a label are
 * always there.
 */
#include "config.h"

#include "api/admin/metrics.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "api/reply.h"
#include "api/route.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/process.h"
#include "core/world.h"

#define MAX_LABELS 128 /* {route="/create-room",status="200"} */

/* The most frequent first. */
static const unsigned statuses[] = { 200, 204, 429, 409, 404, 400, 401, 403,
	405, 410, 413, 415, 422, 431, 500, 501, 503, 304, 308 };
#define N_STATUSES (sizeof(statuses) / sizeof(statuses[0]))
_Static_assert(
    N_STATUSES <= METRIC_MAX_STATUSES, "counters of METRIC_REQUESTS");
_Static_assert(N_ERRS <= 64, "counters of METRIC_REQUEST_ERRORS");
_Static_assert(N_POLL_ENDS <= 16, "counters of METRIC_POLLS");

static const char *database;

void
metrics_init(const char *file)
{
	database = mem_copy_text(file);
}

static unsigned
request_cell(const struct route *route, unsigned status)
{
	size_t row = route_number(route), i = 0;

	assert(row < METRIC_MAX_ROUTES);
	while (i < N_STATUSES && statuses[i] != status)
		i++;
	assert(i < N_STATUSES);
	return METRIC_REQUESTS + (unsigned)(row * METRIC_MAX_STATUSES + i);
}

void
metrics_count_request(
    const struct request *request, int64_t began_us, int64_t now_us)
{
	const struct reply *reply = &request->reply;

	metric_add(request_cell(request->route, reply->status), 1);
	metric_add(METRIC_REQUEST_BYTES, request->body.len);
	metric_add(METRIC_REPLY_BYTES, reply_n_sent(request));
	if (reply->err)
		metric_add(METRIC_REQUEST_ERRORS + (unsigned)reply->err, 1);
	if (request->poll_end)
		metric_add(METRIC_POLLS + (unsigned)request->poll_end, 1);
	else
		metric_observe(METRIC_ROW_REQUEST_SECONDS, now_us - began_us);
	if (request->woken_us && request->poll_end == POLL_MAIL)
		metric_observe(
		    METRIC_ROW_DELIVERY_SECONDS, now_us - request->woken_us);
}

/* ---- labels ---- */

static const char *
reason_word(size_t reason)
{
	switch ((enum end_reason)reason) {
	case END_STOPPED_POLLING:
		return "stopped-polling";
	case END_LEFT_IN_LOBBY:
		return "left-in-lobby";
	case END_MAILBOX_OVERFLOW:
		return "mailbox-overflow";
	case END_UNREGISTERED:
		return "unregistered";
	case END_KICKED:
		return "kicked";
	case END_UNUSED:
		return "unused";
	}
	return NULL;
}

/* The value of the label of series i; NULL: there is no such series. */
static const char *
label_value(unsigned row, size_t i)
{
	static const char *const limits[] = { "connections", "requests",
		"unsent", "commands", "registers", "polls", "relays" };

	switch (row) {
	case METRIC_ROW_POLLS:
		return i < N_POLL_ENDS ? poll_end_word((enum poll_end)i) : NULL;
	case METRIC_ROW_CONNECTIONS:
	case METRIC_ROW_CONNECTIONS_ACCEPTED:
		return i < N_FRONT_KINDS ? front_kind_word((enum front_kind)i) :
					   NULL;
	case METRIC_ROW_RATE_LIMITED:
		return limits[i];
	case METRIC_ROW_SESSIONS_ENDED:
		return reason_word(i);
	default:
		return NULL;
	}
}

/* ---- the text ---- */

static void
add_sample(struct buf *out, const char *name, const char *suffix,
    const char *labels, const char *value)
{
	buf_add_text(out, name);
	buf_add_text(out, suffix);
	buf_add_text(out, labels);
	buf_add_text(out, " ");
	buf_add_text(out, value);
	buf_add_text(out, "\n");
}

static void
add_number(struct buf *out, const char *name, const char *suffix,
    const char *labels, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	add_sample(out, name, suffix, labels, text);
}

static void
add_seconds(struct buf *out, const char *name, const char *suffix,
    const char *labels, uint64_t us)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu.%06u",
	    (unsigned long long)(us / 1000000), (unsigned)(us % 1000000));
	add_sample(out, name, suffix, labels, text);
}

static void
add_labelled(struct buf *out, const struct metric *metric, const char *label,
    uint64_t value)
{
	char labels[MAX_LABELS];

	snprintf(labels, sizeof(labels), "{%s=\"%s\"}", metric->label, label);
	add_number(out, metric->name, "", labels, value);
}

static void
add_requests(struct buf *out, const struct metric *metric)
{
	char labels[MAX_LABELS];

	for (size_t row = 0; row < METRIC_MAX_ROUTES; row++) {
		for (size_t i = 0; i < N_STATUSES; i++) {
			uint64_t n = metric_get(METRIC_REQUESTS +
			    (unsigned)(row * METRIC_MAX_STATUSES + i));

			if (!n)
				continue;
			snprintf(labels, sizeof(labels),
			    "{route=\"%s\",status=\"%u\"}", route_numbered(row),
			    statuses[i]);
			add_number(out, metric->name, "", labels, n);
		}
	}
}

/* Some errors share a word. */
static void
add_errors(struct buf *out, const struct metric *metric)
{
	for (size_t i = 1; i < N_ERRS; i++) {
		const char *word = err_word((enum err)i);
		uint64_t n = 0;
		size_t first = N_ERRS;

		for (size_t j = 1; j < N_ERRS; j++) {
			if (strcmp(err_word((enum err)j), word) != 0)
				continue;
			n += metric_get(METRIC_REQUEST_ERRORS + (unsigned)j);
			if (first == N_ERRS)
				first = j;
		}
		if (first == i && n)
			add_labelled(out, metric, word, n);
	}
}

static void
add_series(struct buf *out, unsigned row)
{
	const struct metric *metric = &metrics[row];

	for (size_t i = 0; i < metric->n; i++) {
		const char *label = label_value(row, i);
		uint64_t value = metric_get(metric->counter + (unsigned)i);

		if (label && label[0])
			add_labelled(out, metric, label, value);
	}
}

static bool
is_histogram(const struct metric *metric)
{
	return metric->kind != METRIC_COUNTER && metric->kind != METRIC_GAUGE;
}

/* Each bucket in the text includes those below it.  Every counter is read once,
 * so that they stay consistent while counting goes on. */
static void
add_histogram(struct buf *out, const struct metric *metric)
{
	const uint32_t *bounds = metric_bounds(metric->kind);
	bool is_time = metric->kind != METRIC_SIZES;
	char labels[MAX_LABELS];
	uint64_t n = 0, sum;

	for (size_t i = 0; i < metric->n; i++) {
		n += metric_get(metric->counter + (unsigned)i);
		snprintf(labels, sizeof(labels), "{le=\"%g\"}",
		    is_time ? bounds[i] / 1e6 : bounds[i]);
		add_number(out, metric->name, "_bucket", labels, n);
	}
	n += metric_get(metric->counter + (unsigned)metric->n);
	add_number(out, metric->name, "_bucket", "{le=\"+Inf\"}", n);
	sum = metric_get(metric->counter + (unsigned)metric->n + 1);
	if (is_time)
		add_seconds(out, metric->name, "_sum", "", sum);
	else
		add_number(out, metric->name, "_sum", "", sum);
	add_number(out, metric->name, "_count", "", n);
}

static uint64_t
file_size(const char *suffix)
{
	char name[PATH_MAX];
	struct stat st;
	int len = snprintf(
	    name, sizeof(name), "%s%s", database ? database : "", suffix);

	return (size_t)len < sizeof(name) && stat(name, &st) == 0 ?
	    (uint64_t)st.st_size :
	    0;
}

static void
add_thread_times(struct buf *out, const char *name)
{
	char thread[PROCESS_THREAD_NAME_SIZE], labels[MAX_LABELS];

	for (unsigned i = 0; i < N_PROCESS_THREADS; i++) {
		if (!process_has_thread(i))
			continue;
		process_thread_name(i, thread);
		snprintf(labels, sizeof(labels), "{thread=\"%s\"}", thread);
		add_seconds(out, name, "", labels, process_thread_cpu_us(i));
	}
}

/* A row of METRIC_READ_TABLE. */
static void
add_read(struct buf *out, unsigned row, const struct process_numbers *process)
{
	const char *name = metrics[row].name;

	switch (row) {
	case METRIC_ROW_WAL_BYTES:
		add_number(out, name, "", "", file_size("-wal"));
		break;
	case METRIC_ROW_DATABASE_BYTES:
		add_number(out, name, "", "", file_size(""));
		break;
	case METRIC_ROW_THREAD_CPU_SECONDS:
		add_thread_times(out, name);
		break;
	case METRIC_ROW_BUILD_INFO:
		add_number(
		    out, name, "", "{version=\"" PACKAGE_VERSION "\"}", 1);
		break;
	case METRIC_ROW_PROCESS_CPU_SECONDS:
		add_seconds(out, name, "", "", process->cpu_us);
		break;
	case METRIC_ROW_PROCESS_OPEN_FDS:
		add_number(out, name, "", "", process->open_fds);
		break;
	case METRIC_ROW_PROCESS_MAX_FDS:
		add_number(out, name, "", "", process->max_fds);
		break;
	case METRIC_ROW_PROCESS_VIRTUAL_BYTES:
		add_number(out, name, "", "", process->virtual_bytes);
		break;
	case METRIC_ROW_PROCESS_RESIDENT_BYTES:
		add_number(out, name, "", "", process->resident_bytes);
		break;
	case METRIC_ROW_PROCESS_START_SECONDS:
		add_seconds(
		    out, name, "", "", (uint64_t)(process->start_s * 1000000));
		break;
	default:
		break;
	}
}

static void
add_head(struct buf *out, const struct metric *metric)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_TIMES] = "histogram",
		[METRIC_HOLDS] = "histogram",
		[METRIC_SIZES] = "histogram",
	};

	buf_add_text(out, "# HELP ");
	buf_add_text(out, metric->name);
	buf_add_text(out, " ");
	buf_add_text(out, metric->help);
	buf_add_text(out, "\n# TYPE ");
	buf_add_text(out, metric->name);
	buf_add_text(out, " ");
	buf_add_text(out, types[metric->kind]);
	buf_add_text(out, "\n");
}

static void
add_metric(struct buf *out, unsigned row, const struct process_numbers *process)
{
	const struct metric *metric = &metrics[row];

	add_head(out, metric);
	if (metric->n == 0)
		add_read(out, row, process);
	else if (row == METRIC_ROW_REQUESTS)
		add_requests(out, metric);
	else if (row == METRIC_ROW_REQUEST_ERRORS)
		add_errors(out, metric);
	else if (is_histogram(metric))
		add_histogram(out, metric);
	else if (metric->label[0])
		add_series(out, row);
	else
		add_number(
		    out, metric->name, "", "", metric_get(metric->counter));
}

void
metrics_answer(struct request *request)
{
	struct process_numbers process;

	request_reset_reply(request);
	request->reply.status = 200;
	request->reply.type = REPLY_TEXT;
	request->reply.media = "text/plain; version=0.0.4; charset=utf-8";
	process_read(&process);
	for (unsigned row = 0; row < N_METRIC_ROWS; row++)
		add_metric(&request->reply.body, row, &process);
}
