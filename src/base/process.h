/* process.h - the resources that the process uses.
 *
 * Floor: base.  Main thread; functions that only read, any.
 */
#ifndef PEERPOST_BASE_PROCESS_H
#define PEERPOST_BASE_PROCESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct process_numbers {
	uint64_t cpu_us;
	uint64_t open_fds, max_fds;
	uint64_t virtual_bytes, resident_bytes;
	double start_s; /* Unix time */
};

/* Read from proc(5); values that cannot be read are 0. */
void process_read(struct process_numbers *out);

#define PROCESS_MAX_LOOPS 16

/* There may be up to PROCESS_MAX_LOOPS loops: PROCESS_LOOP, which is the main
 * thread, PROCESS_LOOP + 1, and so on. */
enum process_thread {
	PROCESS_ENGINE,
	PROCESS_LOOP,
	N_PROCESS_THREADS = PROCESS_LOOP + PROCESS_MAX_LOOPS,
};

#define PROCESS_THREAD_NAME_SIZE 16 /* the limit of Linux */

/* "engine", "loop", "loop-2" and so on. */
void process_thread_name(unsigned which, char out[PROCESS_THREAD_NAME_SIZE]);

/* Register the calling thread, before anything else refers to it.  It gets its
 * name (top -H), except for the main thread, which has the name of the process.
 */
void process_note_thread(unsigned which, pthread_t thread);
/* Whether it has been registered. */
bool process_has_thread(unsigned which);
/* Its processor time in microseconds; 0 if there is no such thread. */
uint64_t process_thread_cpu_us(unsigned which);

#endif
