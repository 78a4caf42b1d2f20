/* chunks.c - see chunks.h.
 *
 * A state for each place in the grammar, and one byte at a time, except within
 * data.
 */
#include "net/http/chunks.h"

#include "base/text.h"

static bool
is_name(char c)
{
	return text_is_token((struct span){ &c, 1 });
}

static bool
is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Go on to state if the byte is the expected one. */
static MUST_CHECK enum err
expect(struct http_chunks *chunks, bool is_right, enum http_chunks_state state)
{
	chunks->state = state;
	return is_right ? ERR_NONE : ERR_BAD_REQUEST;
}

static MUST_CHECK enum err
feed_digit(struct http_chunks *chunks, char c)
{
	int digit = text_hex_value(c);

	if (digit < 0)
		return chunks->n_digits == 0 ? ERR_BAD_REQUEST :
		    c == ';' ? expect(chunks, true, CHUNKS_EXTENSION) :
			       expect(chunks, c == '\r', CHUNKS_SIZE_LF);
	if (chunks->left > UINT64_MAX >> 4)
		return ERR_TOO_LARGE;
	chunks->left = chunks->left << 4 | (unsigned)digit;
	chunks->n_digits++;
	return ERR_NONE;
}

static void
begin_size(struct http_chunks *chunks)
{
	chunks->n_digits = 0;
	chunks->n_line = 0;
}

/* A byte of the framing: anything except data. */
static MUST_CHECK enum err
feed_byte(struct http_chunks *chunks, char c)
{
	switch (chunks->state) {
	case CHUNKS_SIZE:
		return feed_digit(chunks, c);
	case CHUNKS_EXTENSION:
		return c == '\r' ?
		    expect(chunks, true, CHUNKS_SIZE_LF) :
		    expect(chunks, !is_control(c), CHUNKS_EXTENSION);
	case CHUNKS_SIZE_LF:
		return expect(chunks, c == '\n',
		    chunks->left ? CHUNKS_DATA : CHUNKS_TRAILER);
	case CHUNKS_DATA_CR:
		return expect(chunks, c == '\r', CHUNKS_DATA_LF);
	case CHUNKS_DATA_LF:
		begin_size(chunks);
		return expect(chunks, c == '\n', CHUNKS_SIZE);
	case CHUNKS_TRAILER:
		return c == '\r' ?
		    expect(chunks, true, CHUNKS_LAST_LF) :
		    expect(chunks, is_name(c), CHUNKS_TRAILER_NAME);
	case CHUNKS_TRAILER_NAME:
		return c == ':' ?
		    expect(chunks, true, CHUNKS_TRAILER_VALUE) :
		    expect(chunks, is_name(c), CHUNKS_TRAILER_NAME);
	case CHUNKS_TRAILER_VALUE:
		return c == '\r' ?
		    expect(chunks, true, CHUNKS_TRAILER_LF) :
		    expect(chunks, !is_control(c), CHUNKS_TRAILER_VALUE);
	case CHUNKS_TRAILER_LF:
		return expect(chunks, c == '\n', CHUNKS_TRAILER);
	case CHUNKS_LAST_LF:
		return expect(chunks, c == '\n', CHUNKS_WHOLE);
	case CHUNKS_DATA:
	case CHUNKS_WHOLE:
		break; /* not framing: never asked */
	}
	return ERR_BAD_REQUEST;
}

/* The line with a size, and the trailer section, are bounded. */
static MUST_CHECK enum err
count_byte(struct http_chunks *chunks)
{
	if (chunks->state <= CHUNKS_SIZE_LF)
		return ++chunks->n_line > HTTP_CHUNKS_MAX_LINE ?
		    ERR_BAD_REQUEST :
		    ERR_NONE;
	if (chunks->state >= CHUNKS_TRAILER)
		return ++chunks->n_trailer > HTTP_CHUNKS_MAX_TRAILER ?
		    ERR_HEADERS_TOO_LARGE :
		    ERR_NONE;
	return ERR_NONE;
}

static struct span
take(struct span *rest, size_t len)
{
	struct span taken = { rest->at, len };

	*rest = (struct span){ rest->at + len, rest->len - len };
	return taken;
}

enum err
http_chunks_next(
    struct http_chunks *chunks, struct span *rest, struct span *out_piece)
{
	enum err err = ERR_NONE;

	*out_piece = (struct span){ rest->at, 0 };
	while (!err && rest->len && chunks->state != CHUNKS_WHOLE) {
		if (chunks->state != CHUNKS_DATA) {
			err = count_byte(chunks);
			if (!err)
				err = feed_byte(chunks, *take(rest, 1).at);
			continue;
		}
		*out_piece = take(rest,
		    chunks->left < rest->len ? (size_t)chunks->left :
					       rest->len);
		chunks->left -= out_piece->len;
		if (chunks->left == 0)
			chunks->state = CHUNKS_DATA_CR;
		return ERR_NONE;
	}
	return err;
}
