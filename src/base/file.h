/* file.h - the operator's small files: configuration, secrets, certificates.
 *
 * Floor: base.  Any thread.
 *
 * A name may lead to an endless device, or to a pipe without a writer, which
 * would block a start or a reload for ever.  So only regular files are read,
 * and only up to a limit.
 */
#ifndef PEERPOST_BASE_FILE_H
#define PEERPOST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define FILE_WHY_SIZE 128

/* The contents of a file. */
struct file_text {
	char *data; /* len bytes, then a NUL */
	size_t len;
	bool is_exposed; /* everybody can read the file */
};

/* Read the regular file of at most max bytes.  A leading byte order mark, which
 * some editors write, is left out.  Never waits.  The caller frees *out with
 * file_forget().
 * false: it cannot be read, is not a regular file, or is larger; out_why has a
 * few words about it, to follow "cannot read 'PATH': ". */
bool file_read(const char *path, size_t max, struct file_text *out,
    char out_why[FILE_WHY_SIZE]);

/* Overwrite the contents, which may be secret, and free them.  A zeroed struct
 * is fine. */
void file_forget(struct file_text *text);

#endif
