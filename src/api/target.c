/* target.c - see target.h. */
#include "api/target.h"

#include "base/text.h"

/* Take one byte, decoded, off the front of raw, which is not empty.  '\0': a
 * bad escape, %00, or a NUL (never in HTTP, but possible in FastCGI).  Decoded
 * bytes become a string, so none of these may pass. */
static char
take_byte(struct span *raw)
{
	size_t n = 1;
	char c = raw->at[0];

	if (c == '%') {
		int high = raw->len > 1 ? text_hex_value(raw->at[1]) : -1;
		int low = raw->len > 2 ? text_hex_value(raw->at[2]) : -1;

		if (high < 0 || low < 0)
			return '\0';
		c = (char)(high << 4 | low);
		n = 3;
	}
	raw->at += n;
	raw->len -= n;
	return c;
}

/* Take everything up to the first byte in stops off the front of raw. */
static struct span
take_until(struct span *raw, const char *stops)
{
	struct span taken = { raw->at, 0 };

	while (taken.len < raw->len &&
	    (raw->at[taken.len] == '\0' || !strchr(stops, raw->at[taken.len])))
		taken.len++;
	if (taken.len == 0)
		return taken;
	raw->at += taken.len;
	raw->len -= taken.len;
	return taken;
}

/* Take "http://authority" off the front of the absolute form. */
static bool
take_authority(struct span *raw)
{
	struct span scheme = take_until(raw, ":/?");

	if (!text_equals_nocase(scheme, "http") &&
	    !text_equals_nocase(scheme, "https"))
		return false;
	if (raw->len < 3 || memcmp(raw->at, "://", 3) != 0)
		return false;
	raw->at += 3;
	raw->len -= 3;
	return take_until(raw, "/?#").len > 0;
}

/* Whether it contains bytes that a URI must not have.  Bytes above 0x7f are not
 * allowed either, but people type them, and they do no harm. */
static bool
has_foreign_byte(struct span path)
{
	for (size_t i = 0; i < path.len; i++) {
		unsigned char byte = (unsigned char)path.at[i];

		if (byte <= 0x20 || byte == 0x7f || byte == '#')
			return true;
	}
	return false;
}

/* Decode path and take base_path off its front. */
static enum err
decode_path(struct span path, const char *base_path, char *out)
{
	size_t base_len = strlen(base_path), n = 0, len = 0;
	bool is_inside = true;
	char last = '\0';

	/* Read to the end in any case: a bad escape anywhere is reported first.
	 */
	while (path.len) {
		char c = take_byte(&path);

		if (c == '\0')
			return ERR_BAD_REQUEST;
		if (c == '/' && last == '/')
			continue;
		last = c;
		if (n < base_len)
			is_inside = is_inside && c == base_path[n];
		else if (len < TARGET_MAX_PATH)
			out[len++] = c;
		else
			is_inside = false;
		n++;
	}
	if (!is_inside || n < base_len)
		return ERR_NOT_FOUND;
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return out[0] == '/' ? ERR_NONE : ERR_NOT_FOUND;
}

enum err
target_parse(struct span raw, const char *base_path, struct target *out)
{
	struct target target = { .path = "*" };
	struct span path;
	enum err err;

	if (span_equals(raw, "*")) {
		*out = target;
		return ERR_NONE;
	}
	if (raw.len == 0 || (raw.at[0] != '/' && !take_authority(&raw)))
		return ERR_BAD_REQUEST;
	path = take_until(&raw, "?");
	if (has_foreign_byte(path))
		return ERR_BAD_REQUEST;
	if (path.len == 0) /* "http://host", perhaps with a query */
		path = span_of("/");
	err = decode_path(path, base_path, target.path);
	if (err)
		return err;
	if (raw.len)
		target.query = (struct span){ raw.at + 1, raw.len - 1 };
	*out = target;
	return ERR_NONE;
}

/* Decode text into out, which holds size bytes, cut off if necessary. */
static enum err
decode_form(struct span text, char *out, size_t size, bool *out_is_cut)
{
	size_t len = 0;
	bool is_cut = false;

	while (text.len) {
		bool is_plus = text.at[0] == '+';
		char c = take_byte(&text);

		if (c == '\0')
			return ERR_BAD_REQUEST;
		if (len + 1 == size)
			is_cut = true;
		else
			out[len++] = is_plus ? ' ' : c;
	}
	out[len] = '\0';
	*out_is_cut = is_cut;
	return ERR_NONE;
}

enum err
target_next_member(
    struct span *query, struct target_member *out, bool *out_more)
{
	struct target_member member;
	struct span rest = *query, value, name;
	bool is_name_cut;
	enum err err;

	while (rest.len && rest.at[0] == '&') {
		rest.at++;
		rest.len--;
	}
	if (rest.len == 0) {
		*query = rest;
		*out_more = false;
		return ERR_NONE;
	}
	value = take_until(&rest, "&");
	name = take_until(&value, "=");
	if (value.len) { /* the '=' */
		value.at++;
		value.len--;
	}
	err = decode_form(name, member.name, sizeof(member.name), &is_name_cut);
	if (err)
		return err;
	err = decode_form(
	    value, member.value, sizeof(member.value), &member.is_cut);
	if (err)
		return err;
	*query = rest;
	*out = member;
	*out_more = true;
	return ERR_NONE;
}
