/* pidfile.h - a file with the number of the process.
 *
 * Floor: daemon.  Main thread.
 *
 * It is locked for as long as the daemon runs: what a killed one has left is
 * used again, what a running one has is not touched.  It is empty until the
 * daemon is ready, and then written at once.
 */
#ifndef PEERPOST_DAEMON_PIDFILE_H
#define PEERPOST_DAEMON_PIDFILE_H

#include <stdbool.h>
#include <stddef.h>

struct pid_file {
	char *path; /* owned; NULL: there is none */
	int fd;
};

/* Make the file, or take over what is left, and empty it.  Before the rights
 * for that are given up.
 * false: why is in out_why, one sentence without a full stop. */
bool pid_file_open(
    struct pid_file *file, const char *path, char *out_why, size_t why_size);
/* false: it cannot be written (errno). */
bool pid_file_write(const struct pid_file *file);
/* Remove it; without the right to, empty it.  None: nothing happens. */
void pid_file_remove(struct pid_file *file);

#endif
