/* fuzz_http_chunks.c - chunked bodies.
 *
 * The first byte of the input chooses where the rest is cut into pieces.  Cut
 * or whole, the same data is found in it, the same error, and the same end;
 * and the data, sent as one chunk, arrives.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/http/chunks.h"
#include "tests/fuzz/cut.h"
#include "tests/fuzz/fuzz.h"

#define MAX_BYTES (1 << 22)

/* What has been found in a body. */
struct finding {
	struct http_chunks chunks;
	struct buf data;
	size_t used; /* bytes of the body */
	enum err err;
};

static void
check_state(const struct finding *finding)
{
	const struct http_chunks *chunks = &finding->chunks;

	assert(chunks->n_line <= HTTP_CHUNKS_MAX_LINE + 1);
	assert(chunks->n_trailer <= HTTP_CHUNKS_MAX_TRAILER + 1);
	assert(chunks->n_digits <= HTTP_CHUNKS_MAX_LINE);
	assert(chunks->state != CHUNKS_DATA || chunks->left > 0);
	assert(chunks->state < CHUNKS_TRAILER || chunks->left == 0);
	assert(!finding->err || finding->err == ERR_BAD_REQUEST ||
	    finding->err == ERR_TOO_LARGE ||
	    finding->err == ERR_HEADERS_TOO_LARGE);
}

static bool
is_done(const struct finding *finding)
{
	return finding->err || finding->chunks.state == CHUNKS_WHOLE;
}

/* In a block of just their size, so that a look beyond them is seen. */
static void
search_piece(struct finding *finding, struct span piece)
{
	char *block = malloc(piece.len ? piece.len : 1);
	struct span rest = { block, piece.len }, data;

	assert(block);
	if (piece.len)
		memcpy(block, piece.at, piece.len);
	while (rest.len && !is_done(finding)) {
		const struct span before = rest;

		finding->err = http_chunks_next(&finding->chunks, &rest, &data);
		assert(rest.at + rest.len == block + piece.len);
		assert(finding->err || rest.len < before.len);
		if (data.len) {
			assert(!finding->err && data.at >= before.at);
			assert(data.at + data.len == rest.at);
			buf_add_span(&finding->data, data);
		}
		finding->used += before.len - rest.len;
		check_state(finding);
	}
	free(block);
}

static void
search_cut(struct finding *finding, struct span bytes, uint8_t how)
{
	struct cut cut = cut_of(how);

	while (bytes.len) {
		search_piece(finding, cut_take(&cut, &bytes));
	}
}

static void
begin(struct finding *finding)
{
	*finding = (struct finding){ .used = 0 };
	buf_init(&finding->data, MAX_BYTES);
}

static void
end(struct finding *finding)
{
	assert(!finding->data.overflowed);
	buf_fini(&finding->data);
}

static void
check_data(const struct finding *finding, struct span data)
{
	assert(finding->data.len == data.len);
	assert(data.len == 0 ||
	    memcmp(finding->data.data, data.at, data.len) == 0);
}

static void
check_cut(const struct finding *whole, struct span bytes, uint8_t how)
{
	struct finding cut;

	begin(&cut);
	search_cut(&cut, bytes, how);
	assert(cut.err == whole->err && cut.used == whole->used);
	assert(cut.chunks.state == whole->chunks.state);
	check_data(&cut, buf_span(&whole->data));
	end(&cut);
}

/* Data that is sent as one chunk arrives, and what is behind it is left. */
static void
check_one_chunk(struct span data)
{
	struct finding finding;
	struct buf out;
	char size[32];

	if (data.len == 0)
		return;
	(void)snprintf(size, sizeof(size), "%zx\r\n", data.len);
	buf_init(&out, MAX_BYTES);
	buf_add_text(&out, size);
	buf_add_span(&out, data);
	buf_add_text(&out, "\r\n0\r\n\r\nX");
	begin(&finding);
	search_piece(&finding, buf_span(&out));
	assert(!finding.err && finding.chunks.state == CHUNKS_WHOLE);
	assert(finding.used == out.len - 1);
	check_data(&finding, data);
	end(&finding);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data + 1, size - 1 };
	struct finding whole;

	if (size == 0)
		return 0;
	begin(&whole);
	search_piece(&whole, bytes);
	check_cut(&whole, bytes, 0);
	check_cut(&whole, bytes, data[0]);
	check_one_chunk(buf_span(&whole.data));
	check_one_chunk(bytes);
	end(&whole);
	return 0;
}
