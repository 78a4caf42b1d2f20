/* fuzz_http_head.c - the heads of HTTP requests.
 *
 * The first byte of the input chooses where the rest is cut into pieces for
 * the search for the end.  Cut or whole, the same is found.  A head that is
 * accepted, written again from what was read of it, is accepted and means the
 * same; and of no head, not even half of one, a span leads out of its bytes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/http/head.h"
#include "tests/fuzz/cut.h"
#include "tests/fuzz/fuzz.h"

#define MAX_BYTES (1 << 22)

/* What the search for the end has found. */
struct finding {
	enum err err;
	size_t used;
	bool is_whole;
};

/* Search in a block of just the size of the piece. */
static void
search_piece(
    struct http_head_scan *scan, struct span piece, struct finding *finding)
{
	char *block = malloc(piece.len ? piece.len : 1);
	size_t used = 0;

	assert(block);
	if (piece.len)
		memcpy(block, piece.at, piece.len);
	finding->err = http_head_scan(
	    scan, (struct span){ block, piece.len }, &used, &finding->is_whole);
	free(block);
	assert(used <= piece.len);
	assert(finding->err || finding->is_whole || used == piece.len);
	finding->used += used;
}

static struct finding
search_cut(struct span bytes, uint8_t how)
{
	struct http_head_scan scan = { 0 };
	struct finding finding = { 0 };
	struct cut cut = cut_of(how);

	while (bytes.len && !finding.err && !finding.is_whole) {
		search_piece(&scan, cut_take(&cut, &bytes), &finding);
	}
	return finding;
}

static struct finding
search(struct span bytes)
{
	struct http_head_scan scan = { 0 };
	struct finding finding = { 0 };

	search_piece(&scan, bytes, &finding);
	return finding;
}

static void
check_same(const struct finding *a, const struct finding *b)
{
	assert(a->err == b->err);
	assert(a->is_whole == b->is_whole);
	assert(a->used == b->used);
}

static void
check_inside(struct span part, struct span whole)
{
	if (!part.at) {
		assert(part.len == 0);
		return;
	}
	assert(part.at >= whole.at && part.at <= whole.at + whole.len);
	assert(part.len <= (size_t)(whole.at + whole.len - part.at));
}

static void
check_no_controls(struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.at[i];

		assert((c >= 0x20 || c == '\t') && c != 0x7f);
	}
}

/* All that it points at is in the block.  Returns how many fields it has. */
static size_t
check_spans(const struct http_head *head, struct span block)
{
	struct span rest = head->fields, name, value;
	size_t n = 0;

	check_inside(head->method, block);
	check_inside(head->target, block);
	check_inside(head->fields, block);
	for (; http_head_next_field(&rest, &name, &value); n++) {
		check_inside(name, block);
		check_inside(value, block);
		assert(text_is_token(name));
		assert(value.at == name.at + name.len + 1 ||
		    value.at > name.at + name.len);
		check_no_controls(value);
	}
	check_inside(rest, block);
	return n;
}

/* Write a head from what was read of it. */
static void
write_head(const struct http_head *head, struct buf *out)
{
	struct span rest = head->fields, name, value;

	buf_add_span(out, head->method);
	buf_add_text(out, " ");
	buf_add_span(out, head->target);
	buf_add_text(out, head->is_1_1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
	while (http_head_next_field(&rest, &name, &value)) {
		buf_add_span(out, name);
		buf_add_text(out, ": ");
		buf_add_span(out, value);
		buf_add_text(out, "\r\n");
	}
	buf_add_text(out, "\r\n");
	assert(!out->overflowed);
}

static void
check_equal(struct span a, struct span b)
{
	assert(a.len == b.len);
	assert(a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void
check_again(const struct http_head *head, size_t n_fields)
{
	struct http_head again;
	struct finding finding;
	struct buf out;
	enum err err;

	buf_init(&out, MAX_BYTES);
	write_head(head, &out);
	finding = search(buf_span(&out));
	assert(!finding.err && finding.is_whole && finding.used == out.len);
	err = http_head_parse(buf_span(&out), &again);
	assert(!err);
	assert(check_spans(&again, buf_span(&out)) == n_fields);
	check_equal(again.method, head->method);
	check_equal(again.target, head->target);
	assert(again.is_1_1 == head->is_1_1);
	assert(again.is_kept == head->is_kept);
	assert(again.is_chunked == head->is_chunked);
	assert(again.has_length == head->has_length);
	assert(again.length == head->length);
	assert(again.expects_continue == head->expects_continue);
	buf_fini(&out);
}

static void
check_accepted(const struct http_head *head)
{
	assert(text_is_token(head->method));
	assert(head->target.len > 0);
	assert(!memchr(head->target.at, ' ', head->target.len));
	check_no_controls(head->target);
	assert(!head->has_length || !head->is_chunked);
	assert(head->has_length || head->length == 0);
	assert(head->is_1_1 || !head->is_chunked);
}

/* Read it, in a block of just its size. */
static void
check_head(struct span bytes, bool is_whole)
{
	char *block = malloc(bytes.len ? bytes.len : 1);
	struct span copy = { block, bytes.len };
	struct http_head head;
	size_t n_fields;
	enum err err;

	assert(block);
	if (bytes.len)
		memcpy(block, bytes.at, bytes.len);
	err = http_head_parse(copy, &head);
	assert(!err || err == ERR_BAD_REQUEST);
	n_fields = check_spans(&head, copy);
	if (!err)
		check_accepted(&head);
	if (!err && is_whole)
		check_again(&head, n_fields);
	free(block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data + 1, size - 1 };
	struct finding whole, cut;

	if (size == 0)
		return 0;
	whole = search(bytes);
	cut = search_cut(bytes, 0);
	check_same(&whole, &cut);
	cut = search_cut(bytes, data[0]);
	check_same(&whole, &cut);
	/* As far as there is nothing wrong in it. */
	check_head((struct span){ bytes.at, whole.used }, whole.is_whole);
	return 0;
}
