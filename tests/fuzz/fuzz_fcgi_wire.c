/* fuzz_fcgi_wire.c - FastCGI records and name-value pairs.
 *
 * The first byte of the input chooses where the rest is cut into pieces for
 * the decoder.  Cut or whole, the decoder says the same of it, and what it
 * says adds up; encoded again, it is decoded to the same.  The rest and the
 * content of its records are also walked over as pairs.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/fastcgi/wire.h"
#include "tests/fuzz/cut.h"
#include "tests/fuzz/fuzz.h"

#define MAX_BYTES (1 << 24)

/* A decoder, and what it has said. */
struct listener {
	struct fcgi_decoder decoder;
	struct buf notes;    /* all of it, but for the padding */
	struct buf contents; /* of all records */
	size_t n_taken;      /* bytes of the record since its header */
	size_t record_at;    /* where its content begins in contents */
	size_t whole_len;    /* of notes, as far as records are complete */
	struct buf *again;   /* complete records, encoded again, or NULL */
	bool in_record, is_bad;
};

static void
listener_init(struct listener *listener, struct buf *again)
{
	*listener = (struct listener){ .again = again };
	buf_init(&listener->notes, MAX_BYTES);
	buf_init(&listener->contents, MAX_BYTES);
}

static void
listener_fini(struct listener *listener)
{
	assert(!listener->notes.overflowed && !listener->contents.overflowed);
	buf_fini(&listener->notes);
	buf_fini(&listener->contents);
}

static struct span
content_of_record(const struct listener *listener)
{
	struct span content = buf_span(&listener->contents);

	content.at += listener->record_at;
	content.len -= listener->record_at;
	return content;
}

static void
on_record(struct listener *listener)
{
	const struct fcgi_header *header = &listener->decoder.header;

	assert(!listener->in_record);
	listener->in_record = true;
	listener->n_taken = 0;
	listener->record_at = listener->contents.len;
	buf_add_text(&listener->notes, "{");
	buf_add_int(&listener->notes, header->type);
	buf_add_text(&listener->notes, " ");
	buf_add_int(&listener->notes, header->id);
	buf_add_text(&listener->notes, " ");
	buf_add_int(&listener->notes, header->content_len);
	buf_add_text(&listener->notes, "|");
}

static void
on_record_end(struct listener *listener)
{
	const struct fcgi_header *header = &listener->decoder.header;
	struct span content = content_of_record(listener);

	assert(listener->in_record);
	assert(content.len == header->content_len);
	assert(listener->n_taken ==
	    (size_t)header->content_len + header->padding_len);
	listener->in_record = false;
	buf_add_text(&listener->notes, "}");
	listener->whole_len = listener->notes.len;
	if (listener->again)
		fcgi_add_record(listener->again, (enum fcgi_type)header->type,
		    header->id, content);
}

/* One call of the decoder.  Returns whether it is to be called again. */
static bool
hear(struct listener *listener, struct span *bytes)
{
	const struct span before = *bytes;
	struct span content = { NULL, 0 };
	enum fcgi_event event = fcgi_decode(
	    &listener->decoder, bytes, &content);
	size_t n = before.len - bytes->len;

	assert(n <= before.len && bytes->at == before.at + n);
	assert(!listener->is_bad || event == FCGI_BAD_VERSION);
	assert((content.len > 0) == (event == FCGI_CONTENT));
	listener->n_taken += n;
	switch (event) {
	case FCGI_MORE:
		assert(bytes->len == 0);
		return false;
	case FCGI_RECORD:
		assert(n > 0 && n <= FCGI_HEADER_SIZE);
		on_record(listener);
		return true;
	case FCGI_CONTENT:
		assert(listener->in_record);
		assert(content.at == before.at && content.len == n);
		buf_add_span(&listener->notes, content);
		buf_add_span(&listener->contents, content);
		return true;
	case FCGI_RECORD_END:
		on_record_end(listener);
		return true;
	case FCGI_BAD_VERSION:
		assert(n == 0 && !listener->in_record);
		if (!listener->is_bad)
			buf_add_text(&listener->notes, "!");
		listener->is_bad = true;
		return false;
	}
	abort();
}

/* In a block of just their size, so that a look beyond them is seen. */
static void
hear_piece(struct listener *listener, struct span piece)
{
	char *block = malloc(piece.len ? piece.len : 1);
	struct span bytes = { block, piece.len };

	assert(block);
	if (piece.len)
		memcpy(block, piece.at, piece.len);
	while (hear(listener, &bytes))
		;
	free(block);
}

static void
hear_cut(struct listener *listener, struct span bytes, uint8_t how)
{
	struct cut cut = cut_of(how);

	while (bytes.len) {
		hear_piece(listener, cut_take(&cut, &bytes));
	}
}

static void
check_cut(const struct listener *whole, struct span bytes, uint8_t how)
{
	struct listener cut;

	listener_init(&cut, NULL);
	hear_cut(&cut, bytes, how);
	assert(cut.notes.len == whole->notes.len);
	assert(memcmp(buf_span(&cut.notes).at, buf_span(&whole->notes).at,
		   cut.notes.len) == 0);
	listener_fini(&cut);
}

static void
check_again(const struct listener *whole, const struct buf *encoded)
{
	struct listener again;

	listener_init(&again, NULL);
	hear_piece(&again, buf_span(encoded));
	assert(!encoded->overflowed && encoded->len % 8 == 0);
	assert(!again.is_bad && !again.in_record);
	assert(again.notes.len == whole->whole_len);
	assert(memcmp(buf_span(&again.notes).at, buf_span(&whole->notes).at,
		   again.notes.len) == 0);
	listener_fini(&again);
}

/* Bytes sent as a stream arrive as they were. */
static void
check_stream(struct span bytes)
{
	struct listener listener;
	struct buf out;

	buf_init(&out, MAX_BYTES);
	fcgi_add_stream(&out, FCGI_STDOUT, 1, bytes);
	listener_init(&listener, NULL);
	hear_piece(&listener, buf_span(&out));
	assert(!listener.is_bad && !listener.in_record);
	assert(listener.contents.len == bytes.len);
	assert(bytes.len == 0 ||
	    memcmp(listener.contents.data, bytes.at, bytes.len) == 0);
	listener_fini(&listener);
	buf_fini(&out);
}

static void
check_pair_again(const struct fcgi_pair *pair, size_t max_len)
{
	struct buf out;
	struct span pairs;
	struct fcgi_pair again;
	bool more = false;
	enum err err;

	buf_init(&out, MAX_BYTES);
	fcgi_add_pair(&out, pair->name, pair->value);
	assert(!out.overflowed && out.len <= max_len);
	pairs = buf_span(&out);
	err = fcgi_next_pair(&pairs, &again, &more);
	assert(!err && more && pairs.len == 0);
	assert(again.name.len == pair->name.len);
	assert(again.value.len == pair->value.len);
	assert(memcmp(again.name.at, pair->name.at, pair->name.len) == 0);
	assert(memcmp(again.value.at, pair->value.at, pair->value.len) == 0);
	buf_fini(&out);
}

static void
check_pairs(struct span bytes)
{
	char *block = malloc(bytes.len ? bytes.len : 1);
	struct span pairs = { block, bytes.len };
	struct fcgi_pair pair;
	bool more = true;

	assert(block);
	if (bytes.len)
		memcpy(block, bytes.at, bytes.len);
	for (;;) {
		const struct span before = pairs;

		if (fcgi_next_pair(&pairs, &pair, &more)) {
			assert(pairs.at == before.at);
			assert(pairs.len == before.len && pairs.len > 0);
			break;
		}
		assert(pairs.at + pairs.len == block + bytes.len);
		if (!more)
			break;
		/* Lengths, name, value, and the next pair. */
		assert(pair.name.at >= before.at + 2);
		assert(pair.name.at <= before.at + 8);
		assert(pair.value.at == pair.name.at + pair.name.len);
		assert(pairs.at == pair.value.at + pair.value.len);
		check_pair_again(&pair, before.len - pairs.len);
	}
	assert(more || pairs.len == 0);
	free(block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data + 1, size - 1 };
	struct listener whole;
	struct buf encoded;

	if (size == 0)
		return 0;
	buf_init(&encoded, MAX_BYTES);
	listener_init(&whole, &encoded);
	hear_piece(&whole, bytes);
	check_cut(&whole, bytes, 0);
	check_cut(&whole, bytes, data[0]);
	check_again(&whole, &encoded);
	check_pairs(buf_span(&whole.contents));
	check_pairs(bytes);
	check_stream(bytes);
	listener_fini(&whole);
	buf_fini(&encoded);
	return 0;
}
