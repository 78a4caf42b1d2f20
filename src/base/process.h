/* process.h - what the process itself costs.
 *
 * Floor: base.  Loop thread only.
 */
#ifndef PEERPOST_BASE_PROCESS_H
#define PEERPOST_BASE_PROCESS_H

#include <pthread.h>
#include <stdint.h>

struct process_numbers {
	uint64_t cpu_us;
	uint64_t open_fds, max_fds;
	uint64_t virtual_bytes, resident_bytes;
	double start_s; /* Unix time */
};

/* Find out by proc(5); what cannot be found out is 0. */
void process_read(struct process_numbers *out);

enum process_thread { PROCESS_LOOP, PROCESS_ENGINE, N_PROCESS_THREADS };

/* That is the thread. */
void process_note_thread(enum process_thread which, pthread_t thread);
/* Its processor time in microseconds; 0 if it is not there. */
uint64_t process_thread_cpu_us(enum process_thread which);

#endif
