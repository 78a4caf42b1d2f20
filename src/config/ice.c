/* ice.c - see ice.h. */
#include "config/ice.h"

#include <string.h>

#include "api/ice.h"
#include "api/request.h"
#include "base/file.h"

#define MAX_SECRET 255 /* coturn takes no more */
#define MAX_SECRET_FILE ((size_t)64 << 10)

static bool
check_url(struct options *options, struct span url, enum ice_url_kind *out_kind)
{
	const char *fault = ice_url_find_fault(url, out_kind);

	return fault ? options_refuse(options, "%s", fault) : true;
}

static bool
is_printable(const char *text)
{
	const char *at;

	for (at = text; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			return false;
	return at > text;
}

/* Cut text off at its first comma.  Returns the part after it, or NULL. */
static char *
cut_at_comma(char *text)
{
	char *comma = strchr(text, ',');

	if (!comma)
		return NULL;
	*comma = '\0';
	return comma + 1;
}

/* The fault of these for a server of this kind, or NULL. */
static const char *
find_credential_fault(
    enum ice_url_kind kind, const char *username, const char *credential)
{
	if (kind == ICE_URL_STUN)
		return username ? "a STUN server takes no username" : NULL;
	if (!credential) /* RTCPeerConnection throws without */
		return "a TURN server needs a username and a credential: "
		       "URL,USERNAME,CREDENTIAL (or --turn-uri and a secret)";
	if (!is_printable(username) || !is_printable(credential))
		return "username and credential must be printable ASCII, "
		       "and not empty";
	return NULL;
}

bool
options_set_ice_server(struct options *options, const char *text)
{
	struct ice_settings *ice = &options->settings.ice;
	struct span url = { text, strcspn(text, ",") };
	char *copy, *username, *credential = NULL;
	enum ice_url_kind kind;
	const char *fault;

	if (!check_url(options, url, &kind))
		return false;
	if (ice->n_servers == ICE_MAX_SERVERS)
		return options_refuse(
		    options, "more than %d of them", ICE_MAX_SERVERS);
	copy = options_keep_text(options, text);
	username = cut_at_comma(copy);
	if (username)
		credential = cut_at_comma(username);
	fault = find_credential_fault(kind, username, credential);
	if (fault)
		return options_refuse(options, "%s", fault);
	ice->servers[ice->n_servers++] = (struct ice_server){ copy, username,
		credential };
	return true;
}

bool
options_set_turn_uri(struct options *options, const char *text)
{
	struct ice_settings *ice = &options->settings.ice;
	enum ice_url_kind kind;

	if (!check_url(options, span_of(text), &kind))
		return false;
	if (kind != ICE_URL_TURN)
		return options_refuse(options,
		    "not a turn: or turns: URL; use --ice-server for STUN "
		    "servers");
	if (ice->n_turn_uris == ICE_MAX_TURN_URIS)
		return options_refuse(
		    options, "more than %d of them", ICE_MAX_TURN_URIS);
	ice->turn_uris[ice->n_turn_uris++] = text;
	return true;
}

/* The fault of this secret, or NULL.  Control characters, and blanks at either
 * end, are mistakes of copying: the TURN server would have another secret. */
static const char *
find_secret_fault(const char *secret)
{
	size_t len = strlen(secret);

	if (len == 0)
		return "a secret must not be empty";
	if (len > MAX_SECRET)
		return "a secret must have at most 255 bytes";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)secret[i] < 0x20 || secret[i] == 0x7f)
			return "a secret must not have control characters";
	if (secret[0] == ' ' || secret[len - 1] == ' ')
		return "a secret must not begin or end with a blank";
	return NULL;
}

bool
options_set_turn_secret(struct options *options, const char *text)
{
	const char *fault = find_secret_fault(text);
	struct ice_settings *ice = &options->settings.ice;

	if (fault)
		return options_refuse(options, "%s", fault);
	if (!ice->turn_secret)
		ice->turn_secret = text;
	return true;
}

/* Keep the secret of a line, if it has one.  A NUL would end the text that we
 * keep, so a line must have none.  NULL, or the fault. */
static const char *
set_secret(struct options *options, const char *line, size_t len)
{
	struct ice_settings *ice = &options->settings.ice;
	const char *fault;

	if (len == 0)
		return NULL;
	fault = strlen(line) < len ? "a secret must not have control "
				     "characters" :
				     find_secret_fault(line);
	if (!fault && !ice->turn_secret)
		ice->turn_secret = options_keep_text(options, line);
	return fault;
}

/* Keep the secrets of the lines of text, which is cut into lines. */
static bool
set_secrets(struct options *options, struct file_text *text, const char *path)
{
	char *line = text->data, *end = text->data + text->len;
	bool has_secret = false;

	for (size_t n_lines = 1; line < end; n_lines++) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((newline ? newline : end) - line);
		const char *fault;

		/* Some editors end lines with CR LF. */
		if (newline && len > 0 && newline[-1] == '\r')
			len--;
		line[len] = '\0';
		fault = set_secret(options, line, len);
		if (fault)
			return options_refuse(options, "line %zu of '%s': %s",
			    n_lines, path, fault);
		has_secret |= len > 0;
		line = newline ? newline + 1 : end;
	}
	if (!has_secret)
		return options_refuse(options, "'%s' has no secret", path);
	return true;
}

bool
options_set_turn_secret_file(struct options *options, const char *path)
{
	struct file_text text;
	char why[FILE_WHY_SIZE];
	bool is_good;

	if (!file_read(path, MAX_SECRET_FILE, &text, why))
		return options_refuse(
		    options, "cannot read '%s': %s", path, why);
	if (text.is_exposed)
		options->exposed_file = path;
	is_good = set_secrets(options, &text, path);
	file_forget(&text);
	return is_good;
}

/* Whether the Link headers of the longest reply fit. */
static bool
has_short_links(const struct ice_settings *ice)
{
	struct buf body, links;
	bool is_short;

	buf_init(&body, SIZE_MAX);
	buf_init(&links, REPLY_MAX_LINKS);
	ice_text_add(ice, UINT32_MAX, UINT32_MAX, &body, &links);
	is_short = links.len > 0 || ice->n_servers + ice->n_turn_uris == 0;
	buf_fini(&links);
	buf_fini(&body);
	return is_short;
}

bool
options_check_ice(struct options *options)
{
	const struct ice_settings *ice = &options->settings.ice;

	if (ice->n_turn_uris && !ice->turn_secret)
		return options_refuse(options,
		    "--turn-uri needs a --turn-secret-file or --turn-secret");
	if (ice->turn_secret && !ice->n_turn_uris)
		return options_refuse(
		    options, "a TURN secret needs a --turn-uri");
	if (!has_short_links(ice))
		return options_refuse(options,
		    "there are too many ICE servers, or their names are too "
		    "long: their Link headers need more than %d bytes",
		    REPLY_MAX_LINKS);
	return true;
}
