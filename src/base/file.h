/* file.h - small files of the operator's: configuration, secrets, certificates.
 *
 * Floor: base.  Any thread.
 *
 * A name may lead anywhere: to a device without an end, or a pipe without a
 * writer, which would hold up a start or a reload for ever.  So only regular
 * files are read, and only so much of them.
 */
#ifndef PEERPOST_BASE_FILE_H
#define PEERPOST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define FILE_WHY_SIZE 128

/* What was in a file. */
struct file_text {
	char *data; /* len bytes, and a NUL behind them */
	size_t len;
	bool is_exposed; /* everybody can read the file */
};

/* Read the regular file of at most max bytes.  A byte order mark in front of
 * it, which some editors write, is left out.  Never waits.  The caller ends
 * *out with file_forget().
 * false: it cannot be read, is something else, or is larger; out_why has a few
 * words about it, to stand behind "cannot read 'PATH': ". */
bool file_read(const char *path, size_t max, struct file_text *out,
    char out_why[FILE_WHY_SIZE]);

/* Overwrite what was read, which may be secret, and free it.  A zeroed struct
 * is fine. */
void file_forget(struct file_text *text);

#endif
