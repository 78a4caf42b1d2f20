/* file.c - see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define FIRST_SIZE ((size_t)4096)

/* errno in words; returns false, for the caller to return. */
static bool
fail(char out_why[FILE_WHY_SIZE])
{
	snprintf(out_why, FILE_WHY_SIZE, "%s", strerror(errno));
	return false;
}

/* Make room for more; realloc() might leave a copy of a secret behind. */
static void
grow(struct file_text *text, size_t size)
{
	char *larger = mem_new(size + 1);

	if (text->data) {
		memcpy(larger, text->data, text->len);
		explicit_bzero(text->data, text->len);
	}
	free(text->data);
	text->data = larger;
}

/* Read to the end, or one byte more than max. */
static bool
read_all(int fd, size_t max, struct file_text *out, char out_why[FILE_WHY_SIZE])
{
	size_t size = FIRST_SIZE;
	ssize_t n;

	grow(out, size);
	while ((n = read(fd, out->data + out->len, size - out->len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(out_why);
		out->len += (size_t)n;
		if (out->len > max) {
			snprintf(out_why, FILE_WHY_SIZE,
			    "it is larger than %zu bytes", max);
			return false;
		}
		if (out->len == size)
			grow(out, size *= 2);
	}
	out->data[out->len] = '\0';
	return true;
}

static void
drop_mark(struct file_text *text)
{
	struct span rest = text_skip_mark(
	    (struct span){ text->data, text->len });
	size_t n_dropped = text->len - rest.len;

	if (n_dropped == 0)
		return;
	memmove(text->data, rest.at, rest.len + 1);
	explicit_bzero(text->data + rest.len + 1, n_dropped);
	text->len = rest.len;
}

static bool
read_regular(
    int fd, size_t max, struct file_text *out, char out_why[FILE_WHY_SIZE])
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(out_why);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return fail(out_why);
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(out_why, FILE_WHY_SIZE, "it is %s, not a regular file",
		    S_ISFIFO(st.st_mode) ? "a pipe" : "a device");
		return false;
	}
	out->is_exposed = (st.st_mode & S_IROTH) != 0;
	return read_all(fd, max, out, out_why);
}

bool
file_read(const char *path, size_t max, struct file_text *out,
    char out_why[FILE_WHY_SIZE])
{
	/* Neither wait for a pipe's writer nor acquire a controlling terminal.
	 */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool is_read;

	*out = (struct file_text){ NULL, 0, false };
	if (fd < 0)
		return fail(out_why);
	is_read = read_regular(fd, max, out, out_why);
	close(fd);
	if (is_read)
		drop_mark(out);
	else
		file_forget(out);
	return is_read;
}

void
file_forget(struct file_text *text)
{
	if (text->data)
		explicit_bzero(text->data, text->len);
	free(text->data);
	*text = (struct file_text){ NULL, 0, false };
}
