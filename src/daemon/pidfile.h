/* pidfile.h - a file with the number of the process.
 *
 * Floor: daemon.  Main thread.
 *
 * It is locked for as long as the daemon runs: a file that a killed daemon has
 * left is used again, that of a running one is not touched.  It is empty until
 * the daemon is ready, and then written at once.
 */
#ifndef PEERPOST_DAEMON_PIDFILE_H
#define PEERPOST_DAEMON_PIDFILE_H

#include <stdbool.h>
#include <stddef.h>

struct pid_file {
	char *path; /* owned; NULL: there is none */
	int fd;
};

/* Create the file, or take over one that was left behind, and empty it.  Call
 * before dropping privileges.
 * false: out_why says why, in one sentence without a full stop. */
bool pid_file_open(
    struct pid_file *file, const char *path, char *out_why, size_t why_size);
/* false: it cannot be written (errno). */
bool pid_file_write(const struct pid_file *file);
/* Remove it or, without permission for that, empty it.  If there is none,
 * nothing happens. */
void pid_file_remove(struct pid_file *file);

#endif
