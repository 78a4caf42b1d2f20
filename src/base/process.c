/* process.c - see process.h. */
#include "base/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	bool is_known;
	clockid_t clock;
} threads[N_PROCESS_THREADS];

static uint64_t
read_clock_us(clockid_t clock)
{
	struct timespec ts = { 0, 0 };

	if (clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void
process_thread_name(unsigned which, char out[PROCESS_THREAD_NAME_SIZE])
{
	if (which <= PROCESS_LOOP)
		snprintf(out, PROCESS_THREAD_NAME_SIZE, "%s",
		    which == PROCESS_ENGINE ? "engine" : "loop");
	else
		snprintf(out, PROCESS_THREAD_NAME_SIZE, "loop-%u",
		    which - PROCESS_LOOP + 1);
}

void
process_note_thread(unsigned which, pthread_t thread)
{
	char name[PROCESS_THREAD_NAME_SIZE];

	threads[which].is_known = pthread_getcpuclockid(
				      thread, &threads[which].clock) == 0;
	process_thread_name(which, name);
	if (which != PROCESS_LOOP)
		pthread_setname_np(thread, name);
}

bool
process_has_thread(unsigned which)
{
	return threads[which].is_known;
}

uint64_t
process_thread_cpu_us(unsigned which)
{
	return threads[which].is_known ? read_clock_us(threads[which].clock) :
					 0;
}

/* Since Linux 6.2 the size of the directory is their number; on older kernels
 * they must be counted. */
static uint64_t
count_fds(void)
{
	struct stat st;
	uint64_t n = 0;
	DIR *dir;

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return (uint64_t)st.st_size;
	dir = opendir("/proc/self/fd");
	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n > 3 ? n - 3 : 0; /* ".", ".." and dir's own */
}

static uint64_t
max_fds(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ?
	    (uint64_t)limit.rlim_cur :
	    0;
}

/* Unix time of the boot, which starttime in /proc/self/stat counts from. */
static double
boot_s(void)
{
	struct timespec now, up;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return (double)(now.tv_sec - up.tv_sec) +
	    (double)(now.tv_nsec - up.tv_nsec) / 1e9;
}

/* Fields 22 to 24 of proc_pid_stat(5).  The second, the name, may contain
 * blanks and parentheses: the fields after it begin after the last parenthesis.
 */
static void
read_stat(struct process_numbers *out)
{
	unsigned long long start, size;
	long long pages;
	char text[1024];
	const char *at;
	FILE *file = fopen("/proc/self/stat", "re");
	size_t len;

	if (!file)
		return;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	at = strrchr(text, ')');
	if (!at ||
	    sscanf(at + 1,
		" %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		"%*s %*s %*s %*s %llu %llu %lld",
		&start, &size, &pages) != 3)
		return;
	out->start_s = boot_s() + (double)start / (double)sysconf(_SC_CLK_TCK);
	out->virtual_bytes = size;
	out->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
process_read(struct process_numbers *out)
{
	*out = (struct process_numbers){ 0 };
	out->cpu_us = read_clock_us(CLOCK_PROCESS_CPUTIME_ID);
	out->open_fds = count_fds();
	out->max_fds = max_fds();
	read_stat(out);
}
