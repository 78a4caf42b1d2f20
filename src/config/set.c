/* set.c - see set.h. */
#include "config/set.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/origin.h"

#define MIN_DATABASE ((uint64_t)1 << 20)
#define MAX_DATABASE ((uint64_t)1 << 40)
#define MAX_BASE_PATH 128

static bool
set_file(struct options *options, const char **out, const char *text)
{
	if (!text[0])
		return options_refuse(options, "the name of the file is empty");
	*out = text;
	return true;
}

static bool
add_address(struct options *options, const char *addresses[OPTIONS_MAX_LISTEN],
    size_t *n, const char *text)
{
	struct listen_address address;

	if (*n == OPTIONS_MAX_LISTEN)
		return options_refuse(options, "there are more than %d of them",
		    OPTIONS_MAX_LISTEN);
	if (!listen_address_parse(text, &address, options->why))
		return false;
	addresses[(*n)++] = text;
	return true;
}

bool
options_set_fastcgi(struct options *options, const char *text)
{
	return add_address(
	    options, options->fastcgi, &options->n_fastcgi, text);
}

bool
options_set_admin(struct options *options, const char *text)
{
	return add_address(options, options->admin, &options->n_admin, text);
}

bool
options_set_metrics(struct options *options, const char *text)
{
	return add_address(
	    options, options->metrics, &options->n_metrics, text);
}

bool
options_set_fastcgi_mode(struct options *options, const char *text)
{
	return listen_access_set_mode(
	    &options->fastcgi_access, text, options->why);
}

bool
options_set_fastcgi_group(struct options *options, const char *text)
{
	return listen_access_set_group(
	    &options->fastcgi_access, text, options->why);
}

bool
options_set_admin_mode(struct options *options, const char *text)
{
	return listen_access_set_mode(
	    &options->admin_access, text, options->why);
}

bool
options_set_admin_group(struct options *options, const char *text)
{
	return listen_access_set_group(
	    &options->admin_access, text, options->why);
}

bool
options_set_trusted_proxy(struct options *options, const char *text)
{
	if (trusted_proxies_add(&options->trusted, text))
		return true;
	if (options->trusted.n_blocks == TRUSTED_MAX)
		return options_refuse(
		    options, "there are more than %d of them", TRUSTED_MAX);
	return options_refuse(options,
	    "'%.100s' is not an address: use an address, a block such as "
	    "10.0.0.0/8 or 2001:db8::/32, unix or none; host names are not "
	    "looked up",
	    text);
}

bool
options_set_database(struct options *options, const char *text)
{
	return set_file(options, &options->database, text);
}

/* "auto", or a number of bytes, perhaps with K, M or G; 0: no bound. */
bool
options_set_max_database(struct options *options, const char *text)
{
	static const char units[] = "KMG";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	uint64_t factor = 1, n;

	options->is_max_database_auto = strcmp(text, "auto") == 0;
	if (options->is_max_database_auto)
		return true;
	if (unit) {
		factor = (uint64_t)1024 << 10 * (unit - units);
		len--;
	}
	if (text_to_uint(
		(struct span){ text, len }, MAX_DATABASE / factor, &n) &&
	    (n == 0 || n * factor >= MIN_DATABASE)) {
		options->settings.max_database = n * factor;
		return true;
	}
	return options_refuse(options,
	    "'%.100s' is not auto, 0, or a size from 1M to 1024G", text);
}

bool
options_set_durability(struct options *options, const char *text)
{
	if (strcmp(text, "power") == 0)
		options->durability = DURABILITY_POWER;
	else if (strcmp(text, "process") == 0)
		options->durability = DURABILITY_PROCESS;
	else
		return false;
	return true;
}

/* "/signal"; a slash at the end is ignored, "/" means no base path. */
bool
options_set_base_path(struct options *options, const char *text)
{
	size_t len = strlen(text);
	char *path;

	if (len > MAX_BASE_PATH)
		return options_refuse(options,
		    "a base path must have at most %d bytes, not %zu",
		    MAX_BASE_PATH, len);
	if (strpbrk(text, "?#%\"<> \t"))
		return options_refuse(options,
		    "'%.100s' is not a path: it has a blank or one of ?#%%\"<>",
		    text);
	if (len && text[0] != '/')
		return options_refuse(options,
		    "'%.100s' does not begin with a slash: use a path such as "
		    "/signal",
		    text);
	if (strstr(text, "//"))
		return options_refuse(
		    options, "'%.100s' has two slashes in a row", text);
	path = options_keep_text(options, text);
	if (len && path[len - 1] == '/')
		path[len - 1] = '\0';
	options->base_path = path;
	return true;
}

bool
options_set_origin(struct options *options, const char *text)
{
	char origin[ORIGIN_SIZE];

	static_assert(sizeof(options->why) >= ORIGIN_WHY_SIZE, "it fits");
	if (options->n_origins == OPTIONS_MAX_ORIGINS)
		return options_refuse(options, "there are more than %d of them",
		    OPTIONS_MAX_ORIGINS);
	if (!origin_normalise(text, origin, options->why))
		return false;
	options->origins[options->n_origins++] = options_keep_text(
	    options, origin);
	return true;
}

bool
options_set_config(struct options *options, const char *text)
{
	return set_file(options, &options->config_file, text);
}

bool
options_set_log_level(struct options *options, const char *text)
{
	return log_level_parse(span_of(text), &options->log_level);
}

bool
options_set_log_format(struct options *options, const char *text)
{
	static const char *const names[] = { "text", "logfmt", "json" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(text, names[i]) == 0) {
			options->log_format = (enum log_format)i;
			return true;
		}
	}
	return false;
}

bool
options_set_user(struct options *options, const char *text)
{
	return identity_set_user(&options->identity, text) ||
	    options_refuse(options,
		"there is no user '%.100s': use the name or number of a user",
		text);
}

bool
options_set_own_group(struct options *options, const char *text)
{
	return identity_set_group(&options->identity, text) ||
	    options_refuse(options,
		"there is no group '%.100s': use the name or number of a "
		"group",
		text);
}

bool
options_set_pid_file(struct options *options, const char *text)
{
	return set_file(options, &options->pid_file, text);
}
