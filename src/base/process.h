/* process.h - what the process itself costs.
 *
 * Floor: base.  Main thread; what only reads, any.
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

/* Find out by proc(5); what cannot be found out is 0. */
void process_read(struct process_numbers *out);

#define PROCESS_MAX_LOOPS 16

/* Of the loops, there may be PROCESS_MAX_LOOPS: PROCESS_LOOP, which is the main
 * thread, PROCESS_LOOP + 1, and so on. */
enum process_thread {
	PROCESS_ENGINE,
	PROCESS_LOOP,
	N_PROCESS_THREADS = PROCESS_LOOP + PROCESS_MAX_LOOPS,
};

#define PROCESS_THREAD_NAME_SIZE 16 /* as much as Linux keeps */

/* "engine", "loop", "loop-2" and so on. */
void process_thread_name(unsigned which, char out[PROCESS_THREAD_NAME_SIZE]);

/* That is the thread: before anybody asks for it.  It gets its name (top -H),
 * but for the main thread, whose name is that of the process. */
void process_note_thread(unsigned which, pthread_t thread);
/* Whether it has been noted. */
bool process_has_thread(unsigned which);
/* Its processor time in microseconds; 0 if it is not there. */
uint64_t process_thread_cpu_us(unsigned which);

#endif
