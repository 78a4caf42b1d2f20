/* cgi.c - see cgi.h. */
#include "net/fastcgi/cgi.h"

#include <stddef.h>

#include "net/fastcgi/wire.h"
#include "net/front.h"

#define AT(field) offsetof(struct cgi, field)

static const struct cgi_name {
	const char *name;
	size_t offset;
} names[] = {
	{ "REQUEST_METHOD", AT(request_method) },
	{ "REQUEST_URI", AT(request_uri) },
	{ "SCRIPT_NAME", AT(script_name) },
	{ "PATH_INFO", AT(path_info) },
	{ "QUERY_STRING", AT(query_string) },
	{ "CONTENT_LENGTH", AT(content_length) },
	{ "CONTENT_TYPE", AT(content_type) },
	{ "REMOTE_ADDR", AT(remote_addr) },
	{ "HTTP_AUTHORIZATION", AT(authorization) },
	{ "HTTP_IDEMPOTENCY_KEY", AT(idempotency_key) },
	{ "HTTP_LAST_EVENT_ID", AT(last_event_id) },
	{ "HTTP_IF_NONE_MATCH", AT(if_none_match) },
	{ "HTTP_CONTENT_ENCODING", AT(content_encoding) },
	{ "HTTP_ORIGIN", AT(origin) },
	{ "HTTP_HOST", AT(host) },
	{ "HTTPS", AT(https) },
	{ "HTTP_X_FORWARDED_PROTO", AT(forwarded_proto) },
	{ "HTTP_ACCESS_CONTROL_REQUEST_HEADERS", AT(asked_headers) },
};

static struct span *
field_of(struct cgi *cgi, struct span name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_equals(name, names[i].name))
			return (void *)((char *)cgi + names[i].offset);
	return NULL;
}

static bool
is_header_field(struct span name)
{
	return name.len > 5 && memcmp(name.at, "HTTP_", 5) == 0;
}

static bool
is_same(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static MUST_CHECK enum err
set_field(struct cgi *cgi, struct span name, struct span value)
{
	struct span *field = field_of(cgi, name);

	cgi->is_forwarded |= span_equals(name, "HTTP_X_FORWARDED_FOR") ||
	    span_equals(name, "HTTP_FORWARDED");
	if (is_header_field(name)) {
		if (front_has_control(value))
			return ERR_BAD_REQUEST;
	} else if (value.len == 0) {
		return ERR_NONE;
	}
	if (!field)
		return ERR_NONE;
	/* A reader of the other one would see another body. */
	if (field == &cgi->content_length && field->at &&
	    !is_same(*field, value))
		return ERR_BAD_REQUEST;
	*field = value;
	return ERR_NONE;
}

enum err
cgi_parse(struct span params, struct cgi *out)
{
	struct cgi cgi = { 0 };
	struct fcgi_pair pair;
	bool more;
	enum err err;

	for (;;) {
		err = fcgi_next_pair(&params, &pair, &more);
		if (err)
			return err;
		if (!more)
			break;
		err = set_field(&cgi, pair.name, pair.value);
		if (err)
			return err;
	}
	*out = cgi;
	return ERR_NONE;
}

struct span
cgi_origin(struct span params)
{
	struct span origin = { NULL, 0 };
	struct fcgi_pair pair;
	bool more = true;

	while (fcgi_next_pair(&params, &pair, &more) == ERR_NONE && more)
		if (span_equals(pair.name, "HTTP_ORIGIN"))
			origin = pair.value;
	return origin;
}

bool
cgi_add_list(struct span params, const char *name, struct buf *out)
{
	struct fcgi_pair pair;
	bool more = true, has_one = false;

	while (fcgi_next_pair(&params, &pair, &more) == ERR_NONE && more) {
		if (!span_equals(pair.name, name))
			continue;
		if (has_one)
			buf_add_text(out, ", ");
		buf_add_span(out, pair.value);
		has_one = true;
	}
	return has_one;
}

static void
add_escaped(struct buf *out, struct span path)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < path.len; i++) {
		unsigned char byte = (unsigned char)path.at[i];
		char escaped[] = { '%', digits[byte >> 4], digits[byte & 15] };

		/* Bytes that a path must escape (RFC 3986, section 3.3). */
		if (byte <= 0x20 || byte == 0x7f || strchr("%?#", byte))
			buf_add(out, escaped, sizeof(escaped));
		else
			buf_add(out, path.at + i, 1);
	}
}

struct span
cgi_target(const struct cgi *cgi, bool keeps_mount, struct buf *scratch)
{
	bool is_mounted = !keeps_mount && cgi->script_name.at &&
	    cgi->path_info.at;
	size_t start = scratch->len;

	if (cgi->request_uri.at && !is_mounted)
		return cgi->request_uri;
	if (!is_mounted)
		add_escaped(scratch, cgi->script_name);
	add_escaped(scratch, cgi->path_info);
	if (cgi->query_string.at) {
		buf_add_text(scratch, "?");
		buf_add_span(scratch, cgi->query_string);
	}
	if (scratch->overflowed || scratch->len == start)
		return (struct span){ NULL, 0 };
	return (struct span){ scratch->data + start, scratch->len - start };
}
