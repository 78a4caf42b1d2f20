/* http_guard.c - requests that two readers could read in two ways.
 *
 * libmicrohttpd lets through what RFC 9112 forbids: two lengths, a length and
 * a coding, blanks before the colon.  Behind a proxy that reads them the
 * other way, that is request smuggling (RFC 9112, section 11.2).
 */
#include "net/http_internal.h"

#include <string.h>

#include "base/text.h"

struct header_counts {
	unsigned content_length, transfer_encoding, host;
	bool is_bad;
};

/* token, RFC 9110, section 5.6.2 */
static bool
is_token(const char *text, size_t len)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') ||
			(c != '\0' && strchr(others, c))))
			return false;
	}
	return len > 0;
}

static enum MHD_Result
on_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size,
    const char *value, size_t value_size)
{
	struct header_counts *counts = cls;
	struct span name = { key, key_size };

	(void)kind;
	if (!is_token(key, key_size) ||
	    front_has_control((struct span){ value, value ? value_size : 0 }))
		counts->is_bad = true;
	if (text_equals_nocase(name, "Content-Length")) {
		counts->content_length++;
	} else if (text_equals_nocase(name, "Transfer-Encoding")) {
		counts->transfer_encoding++;
		if (!value ||
		    !text_equals_nocase(
			(struct span){ value, value_size }, "chunked"))
			counts->is_bad = true;
	} else if (text_equals_nocase(name, "Host")) {
		counts->host++;
	}
	return MHD_YES;
}

enum err
guard_check(struct MHD_Connection *mhd, const char *version)
{
	struct header_counts counts = { 0 };
	const union MHD_ConnectionInfo *info;
	bool is_1_1 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;

	info = MHD_get_connection_info(
	    mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (info && info->header_size > FRONT_MAX_HEADER)
		return ERR_HEADERS_TOO_LARGE;
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header, &counts);
	if (counts.is_bad || counts.content_length > 1 ||
	    counts.transfer_encoding > 1 || counts.host > 1 ||
	    (counts.content_length && counts.transfer_encoding) ||
	    (counts.transfer_encoding && !is_1_1) ||
	    (counts.host == 0 && is_1_1))
		return ERR_BAD_REQUEST;
	return ERR_NONE;
}
