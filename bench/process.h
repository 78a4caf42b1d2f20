/* process.h - the servers that are measured, from outside.
 *
 * A contender may be several processes (nginx and its worker, Redis beside
 * it): their times and memory are added up.
 */
#ifndef PEERPOST_BENCH_PROCESS_H
#define PEERPOST_BENCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_MAX 4

struct processes {
	pid_t pids[PROCESS_MAX]; /* those that were started */
	unsigned n;
};

/* Start a program, with what it prints appended to the file log.  It ends
 * when this process does.  argv ends with NULL.  false: cannot (errno). */
bool process_start(
    struct processes *processes, const char *const *argv, const char *log);
/* End them by signo, newest first, and wait for it; who takes longer than
 * 10 s is killed. */
void process_stop(struct processes *processes, int signo);

/* Wait until something listens on port.  false: a process has ended, or
 * nothing did for timeout_ms. */
bool process_wait_for_port(
    const struct processes *processes, uint16_t port, int timeout_ms);
/* A free port of 127.0.0.1; nobody else takes it by chance soon. */
uint16_t process_free_port(void);

/* Processor time that they and their children have taken, in nanoseconds. */
int64_t process_cpu_ns(const struct processes *processes);
/* Resident memory of them and their children, in KiB. */
int64_t process_resident_kib(const struct processes *processes);

/* Processor time of this process, in nanoseconds. */
int64_t own_cpu_ns(void);
/* Processor time of the whole machine that was not idle, stolen time
 * included, in nanoseconds. */
int64_t machine_busy_ns(void);

#endif
