/* head.c - see head.h.
 *
 * The end is searched byte by byte, with a state that survives between two
 * reads, so each byte of a head that trickles in is scanned once.  The search
 * refuses control characters too: http_head_parse() gets only lines of visible
 * characters, blanks and tabs.
 */
#include "net/http/head.h"

#include <string.h>

#include "base/text.h"

enum err
http_head_scan(struct http_head_scan *scan, struct span bytes, size_t *out_used,
    bool *out_is_whole)
{
	*out_is_whole = false;
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.at[i];

		*out_used = i;
		if (scan->has_cr != (c == '\n'))
			return ERR_BAD_REQUEST;
		if (c == '\n') {
			scan->has_cr = false;
			if (scan->line_len == 0 && scan->n_lines > 0) {
				*out_used = i + 1;
				*out_is_whole = true;
				return ERR_NONE;
			}
			scan->n_lines += scan->line_len > 0;
			scan->line_len = 0;
		} else if (c == '\r') {
			scan->has_cr = true;
		} else if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return ERR_BAD_REQUEST;
		} else {
			scan->line_len++;
		}
	}
	*out_used = bytes.len;
	return ERR_NONE;
}

/* Take a line off *rest, without its CR LF.  false: there is none. */
static bool
next_line(struct span *rest, struct span *out)
{
	const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
	size_t len;

	if (!end)
		return false;
	len = (size_t)(end - rest->at) + 1;
	*out = (struct span){ rest->at, len - 2 };
	*rest = (struct span){ rest->at + len, rest->len - len };
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Take a word off *rest, up to a single space or the end. */
static struct span
next_word(struct span *rest)
{
	const char *end = rest->len ? memchr(rest->at, ' ', rest->len) : NULL;
	struct span word = *rest;

	*rest = (struct span){ NULL, 0 };
	if (end) {
		*rest = (struct span){ end + 1,
			word.len - (size_t)(end - word.at) - 1 };
		word.len = (size_t)(end - word.at);
	}
	return word;
}

/* request-line, RFC 9112, section 3.  A later minor version is treated as the
 * latest that we support (RFC 9110, section 2.5). */
static MUST_CHECK enum err
parse_request_line(struct span line, struct http_head *out)
{
	struct span rest = line;
	struct span method = next_word(&rest), target = next_word(&rest);

	if (!text_is_token(method) || target.len == 0 ||
	    memchr(target.at, '\t', target.len) || rest.len != 8 ||
	    memcmp(rest.at, "HTTP/1.", 7) != 0 || rest.at[7] < '0' ||
	    rest.at[7] > '9')
		return ERR_BAD_REQUEST;
	out->method = method;
	out->target = target;
	out->is_1_1 = rest.at[7] != '0';
	return ERR_NONE;
}

/* field-line, RFC 9112, section 5: nothing between the name and the colon. */
static bool
parse_field(struct span line, struct span *out_name, struct span *out_value)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct span name, value;

	if (!colon)
		return false;
	name = (struct span){ line.at, (size_t)(colon - line.at) };
	if (!text_is_token(name))
		return false;
	value = (struct span){ colon + 1, line.len - name.len - 1 };
	while (value.len && is_blank(value.at[0]))
		value = (struct span){ value.at + 1, value.len - 1 };
	while (value.len && is_blank(value.at[value.len - 1]))
		value.len--;
	*out_name = name;
	*out_value = value;
	return true;
}

bool
http_head_next_field(
    struct span *rest, struct span *out_name, struct span *out_value)
{
	struct span line;

	while (next_line(rest, &line))
		if (parse_field(line, out_name, out_value))
			return true;
	return false;
}

/* The facts in the field lines about the message and its connection. */
struct framing {
	unsigned n_lengths, n_codings, n_hosts;
	bool is_closing, is_keeping;
};

/* Digits only (RFC 9110, section 8.6).  Beyond any number of ours it is
 * UINT64_MAX: larger than any limit. */
static MUST_CHECK enum err
parse_length(struct span value, struct http_head *out)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] < '0' || value.at[i] > '9')
			return ERR_BAD_REQUEST;
	if (value.len == 0)
		return ERR_BAD_REQUEST;
	if (!text_to_uint(value, UINT64_MAX, &out->length))
		out->length = UINT64_MAX;
	out->has_length = true;
	return ERR_NONE;
}

/* Connection is a list of options (RFC 9110, section 7.6.1). */
static void
read_connection(struct span value, struct framing *framing)
{
	while (value.len) {
		const char *comma = memchr(value.at, ',', value.len);
		size_t len = comma ? (size_t)(comma - value.at) : value.len;
		struct span option = text_trim((struct span){ value.at, len });

		framing->is_closing |= text_equals_nocase(option, "close");
		framing->is_keeping |= text_equals_nocase(option, "keep-alive");
		len += comma != NULL;
		value = (struct span){ value.at + len, value.len - len };
	}
}

/* uri-host [ ":" port ] (RFC 9110, section 7.2), or empty.  The name itself is
 * not used here, but two readers must not see different ones. */
static bool
is_host(struct span value)
{
	static const char others[] = "!$&'()*+-.;=_~%:[]";

	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') || strchr(others, c)))
			return false;
	}
	return true;
}

static MUST_CHECK enum err
read_field(struct span name, struct span value, struct http_head *out,
    struct framing *framing)
{
	if (text_equals_nocase(name, "Content-Length")) {
		framing->n_lengths++;
		return parse_length(value, out);
	}
	if (text_equals_nocase(name, "Transfer-Encoding")) {
		framing->n_codings++;
		out->is_chunked = text_equals_nocase(value, "chunked");
		return out->is_chunked ? ERR_NONE : ERR_BAD_REQUEST;
	}
	if (text_equals_nocase(name, "Host")) {
		framing->n_hosts++;
		return is_host(value) ? ERR_NONE : ERR_BAD_REQUEST;
	}
	if (text_equals_nocase(name, "Connection"))
		read_connection(value, framing);
	else if (text_equals_nocase(name, "Expect"))
		out->expects_continue |= text_equals_nocase(
		    value, "100-continue");
	return ERR_NONE;
}

/* RFC 9112, sections 3.2, 6.1 and 6.3. */
static bool
is_ambiguous(const struct http_head *head, const struct framing *framing)
{
	return framing->n_lengths + framing->n_codings > 1 ||
	    framing->n_hosts > 1 || (framing->n_hosts == 0 && head->is_1_1) ||
	    (framing->n_codings && !head->is_1_1);
}

enum err
http_head_parse(struct span block, struct http_head *out)
{
	struct framing framing = { 0 };
	struct span line = { "", 0 }, name, value;
	enum err err, first_err;

	*out = (struct http_head){ 0 };
	while (next_line(&block, &line) && line.len == 0)
		;
	first_err = parse_request_line(line, out);
	out->fields = block;
	while (next_line(&block, &line) && line.len > 0) {
		err = parse_field(line, &name, &value) ?
		    read_field(name, value, out, &framing) :
		    ERR_BAD_REQUEST;
		if (!first_err)
			first_err = err;
	}
	out->is_kept = !framing.is_closing &&
	    (out->is_1_1 || framing.is_keeping);
	out->expects_continue &= out->is_1_1;
	if (!first_err && is_ambiguous(out, &framing))
		return ERR_BAD_REQUEST;
	return first_err;
}
