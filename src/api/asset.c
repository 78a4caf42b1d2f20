/* asset.c - see asset.h. */
#include "api/asset.h"

#include <string.h>

#include "api/request.h"

/* Take one entity tag off the front of a list, without a "W/": the comparison
 * is weak.  false: there is none, or it is malformed. */
static bool
take_tag(struct span *list, struct span *out)
{
	const char *end;

	while (list->len && strchr(", \t", list->at[0])) {
		list->at++;
		list->len--;
	}
	if (list->len >= 2 && memcmp(list->at, "W/", 2) == 0) {
		list->at += 2;
		list->len -= 2;
	}
	if (list->len < 2 || list->at[0] != '"')
		return false;
	end = memchr(list->at + 1, '"', list->len - 1);
	if (!end)
		return false;
	out->at = list->at;
	out->len = (size_t)(end + 1 - list->at);
	list->at += out->len;
	list->len -= out->len;
	return true;
}

static bool
is_known(struct span if_none_match, const char *etag)
{
	struct span tag;

	if (span_equals(if_none_match, "*"))
		return true;
	while (take_tag(&if_none_match, &tag))
		if (span_equals(tag, etag))
			return true;
	return false;
}

void
asset_answer(struct request *request, const struct asset *asset)
{
	request_reset_reply(request);
	request->reply.type = REPLY_ASSET;
	request->reply.asset = asset;
	request->reply.status = is_known(request->if_none_match, asset->etag) ?
	    304 :
	    200;
}

void
asset_redirect(struct request *request, const char *location)
{
	request_reset_reply(request);
	request->reply.type = REPLY_EMPTY;
	request->reply.status = 308; /* RFC 9110, section 15.4.9 */
	request->reply.location = location;
}
