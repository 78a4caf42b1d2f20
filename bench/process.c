/* process.c - see process.h. */
#include "bench/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_MS 10000 /* then it is killed */

bool
process_start(
    struct processes *processes, const char *const *argv, const char *log)
{
	pid_t pid = processes->n < PROCESS_MAX ? fork() : -1;
	int fd;

	if (pid < 0)
		return false;
	if (pid > 0) {
		processes->pids[processes->n++] = pid;
		return true;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		close(fd);
	}
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void
process_stop(struct processes *processes, int signo)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	while (processes->n > 0) {
		pid_t pid = processes->pids[--processes->n];

		kill(pid, signo);
		for (int i = 0; waitpid(pid, NULL, WNOHANG) == 0; i++) {
			if (i == STOP_MS)
				kill(pid, SIGKILL);
			nanosleep(&pause, NULL);
		}
	}
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool
is_listening(uint16_t port)
{
	struct sockaddr_in addr = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_open = fd >= 0 &&
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;

	if (fd >= 0)
		close(fd);
	return is_open;
}

bool
process_wait_for_port(
    const struct processes *processes, uint16_t port, int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	siginfo_t info = { 0 };

	for (; timeout_ms > 0; timeout_ms--) {
		if (is_listening(port))
			return true;
		for (unsigned i = 0; i < processes->n; i++)
			if (waitid(P_PID, (id_t)processes->pids[i], &info,
				WEXITED | WNOHANG | WNOWAIT) < 0 ||
			    info.si_pid != 0)
				return false;
		nanosleep(&pause, NULL);
	}
	return false;
}

uint16_t
process_free_port(void)
{
	struct sockaddr_in addr = loopback(0);
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		abort();
	close(fd);
	return ntohs(addr.sin_port);
}

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t
cpu_ns(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? clock_ns(clock) : 0;
}

/* Linux's own count of pages; VmRSS is that in KiB. */
static int64_t
resident_kib(pid_t pid)
{
	char path[64], line[128];
	long long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %lld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

/* Add up what of says, of the processes and of their children. */
static int64_t
sum(const struct processes *processes, int64_t (*of)(pid_t pid))
{
	int64_t total = 0;

	for (unsigned i = 0; i < processes->n; i++) {
		char path[64];
		FILE *file;
		int child;

		total += of(processes->pids[i]);
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
		    (int)processes->pids[i], (int)processes->pids[i]);
		file = fopen(path, "r");
		while (file && fscanf(file, "%d", &child) == 1)
			total += of(child);
		if (file)
			fclose(file);
	}
	return total;
}

int64_t
process_cpu_ns(const struct processes *processes)
{
	return sum(processes, cpu_ns);
}

int64_t
process_resident_kib(const struct processes *processes)
{
	return sum(processes, resident_kib);
}

int64_t
own_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The first line of /proc/stat, see proc(5): user nice system idle iowait irq
 * softirq steal, in ticks. */
int64_t
machine_busy_ns(void)
{
	unsigned long long t[8] = { 0 };
	FILE *file = fopen("/proc/stat", "r");
	int n = file ?
	    fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0],
		&t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) :
	    0;

	if (file)
		fclose(file);
	if (n < 8)
		return 0;
	return (int64_t)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) *
	    (1000000000 / sysconf(_SC_CLK_TCK));
}
