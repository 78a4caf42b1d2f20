/* main.c - peerpost-bench: the same work for several servers, in one run.
 *
 *	peerpost-bench --peerpostd FILE --bare FILE --folder DIR [--json FILE]
 *		[--only SCENARIO,...] [--against CONTENDER,...]
 *		[--rounds N] [--seconds S]
 *
 * See docs/performance.md.  It talks to nobody but this machine, and ends by
 * itself.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/scenarios.h"

/* Descriptors that are not for polls: of the senders, of the server. One
 * connection in 16 is not for polls either, and each 8 need one more. */
#define RESERVED_FDS 300

static uint32_t
raise_descriptor_limit(void)
{
	struct rlimit limit = { 0, 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > 1000000)
		return 1000000;
	if (limit.rlim_cur < RESERVED_FDS * 2)
		return RESERVED_FDS;
	return (uint32_t)(limit.rlim_cur - RESERVED_FDS) / 18 * 15;
}

static const char *
processor(void)
{
	static char line[256];
	FILE *file = fopen("/proc/cpuinfo", "r");
	char *name = NULL;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "model name", 10) == 0 &&
		    (name = strchr(line, ':')) != NULL)
			break;
	if (file)
		fclose(file);
	if (!name)
		return "unknown";
	name[strcspn(name, "\n")] = '\0';
	return name + 2;
}

static void
print_header(const struct bench *bench, FILE *out)
{
	struct utsname name;
	char date[32];
	time_t now = time(NULL);

	uname(&name);
	strftime(date, sizeof(date), "%Y-%m-%d", localtime(&now));
	fprintf(out,
	    "%s, %ld cores (%s), Linux %s; generator and servers on the "
	    "same cores\n",
	    date, sysconf(_SC_NPROCESSORS_ONLN), processor(), name.release);
	for (size_t i = 0; contenders[i]; i++) {
		const char *why = contenders[i]->missing(contenders[i]);

		if (why)
			fprintf(out, "left out: %s: %s\n", contenders[i]->name,
			    why);
	}
	fprintf(out, "%u rounds of %.1f s\n\n", bench->rounds, bench->seconds);
	fflush(out);
}

static bool
parse(int argc, char **argv, struct bench *bench, const char **out_json)
{
	static const struct option longs[] = { { "peerpostd", 1, NULL, 'p' },
		{ "bare", 1, NULL, 'b' }, { "folder", 1, NULL, 'f' },
		{ "json", 1, NULL, 'j' }, { "only", 1, NULL, 'o' },
		{ "against", 1, NULL, 'a' }, { "rounds", 1, NULL, 'r' },
		{ "seconds", 1, NULL, 's' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p':
			peerpostd_path = optarg;
			break;
		case 'b':
			bare_path = optarg;
			break;
		case 'f':
			bench->folder = optarg;
			break;
		case 'j':
			*out_json = optarg;
			break;
		case 'o':
			bench->only = optarg;
			break;
		case 'a':
			bench->against = optarg;
			break;
		case 'r':
			bench->rounds = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			bench->seconds = strtod(optarg, NULL);
			break;
		default:
			return false;
		}
	}
	return optind == argc && peerpostd_path && bare_path && bench->folder &&
	    bench->rounds > 0 && bench->rounds <= 15 && bench->seconds > 0 &&
	    bench->seconds <= 60;
}

int
main(int argc, char **argv)
{
	struct bench bench = { .rounds = 3, .seconds = 1.0 };
	const char *json_path = NULL;
	FILE *json = NULL;
	unsigned n_missed;

	if (!parse(argc, argv, &bench, &json_path)) {
		fprintf(stderr,
		    "usage: %s --peerpostd FILE --bare FILE "
		    "--folder DIR [--json FILE]\n"
		    "\t[--only SCENARIO,...] "
		    "[--against CONTENDER,...] [--rounds N] "
		    "[--seconds S]\n",
		    argv[0]);
		return 2;
	}
	if (json_path && (json = fopen(json_path, "w")) == NULL) {
		fprintf(stderr, "%s: %s\n", json_path, strerror(errno));
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	bench.max_parked = raise_descriptor_limit();
	bench.results = results_create(json);
	print_header(&bench, stdout);
	scenario_relay(&bench);
	scenario_parked(&bench);
	scenario_join(&bench);
	scenario_start(&bench);
	results_print(bench.results, stdout);
	n_missed = targets_print(&bench, stdout);
	results_free(bench.results);
	if (json)
		fclose(json);
	return n_missed > 0;
}
