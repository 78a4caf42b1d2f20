/* reload.c - see server.h.
 *
 * First everything that may fail is done on copies; then everything is
 * replaced.  The loops' part is replaced at once, while their threads wait.
 * The engine's part goes to it as a task, and comes back once it is in effect:
 * until then the engine may use texts of the old options, which are freed
 * after that.
 */
#include "daemon/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/notify.h"
#include "config/table.h"
#include "config/value.h"

/* On its way to the engine and back. */
struct reload {
	struct settings_change change;
	struct options old;
};

/* The first error of the last reload. */
static char problem[512];

const char *
server_reload_problem(void)
{
	return problem;
}

static void
complain(const char *text)
{
	if (!problem[0])
		snprintf(problem, sizeof(problem), "%s", text);
	log_error("not reloaded, nothing has changed: %s", text);
}

/* The next value of spec from *i on, or NULL. */
static const char *
next_value(
    const struct options *options, const struct option_spec *spec, size_t *i)
{
	while (*i < options->n_values) {
		const struct option_value *value = &options->values[(*i)++];

		if (value->spec == spec)
			return value->text;
	}
	return NULL;
}

static bool
has_same_values(const struct options *a, const struct options *b,
    const struct option_spec *spec)
{
	size_t i = 0, j = 0;
	const char *one, *other;

	do {
		one = next_value(a, spec, &i);
		other = next_value(b, spec, &j);
	} while (one && other && strcmp(one, other) == 0);
	return !one && !other;
}

/* Warn of changed options that take effect only at the start.  Returns whether
 * there are any. */
static bool
warn_of_fixed(const struct options *now, const struct options *fresh)
{
	bool has_any = false;

	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!(spec->traits & OPTION_FIXED) ||
		    has_same_values(now, fresh, spec))
			continue;
		log_warning("--%s has changed: this takes effect at the "
			    "next start",
		    spec->name);
		has_any = true;
	}
	return has_any;
}

static bool
copy_values(struct options *options, const struct options *from, unsigned fixed)
{
	for (size_t i = 0; i < from->n_values; i++) {
		const struct option_value *value = &from->values[i];

		if ((value->spec->traits & OPTION_FIXED) == fixed &&
		    !options_set(
			options, value->spec, value->text, value->line))
			return false;
	}
	return true;
}

/* Give fresh the present fixed values, by setting all values once more. */
static bool
keep_fixed(struct options *fresh, const struct options *now)
{
	struct options mixed = { 0 };

	if (!copy_values(&mixed, fresh, 0) ||
	    !copy_values(&mixed, now, OPTION_FIXED) ||
	    !options_finish(&mixed)) {
		complain(mixed.why);
		options_free(&mixed);
		return false;
	}
	mixed.is_config_exposed = fresh->is_config_exposed;
	options_free(fresh);
	*fresh = mixed;
	return true;
}

static void
on_given_back(struct settings_change *change)
{
	struct reload *reload = CONTAINER_OF(change, struct reload, change);

	options_free(&reload->old);
	free(reload);
}

/* The files may have changed though their names have not. */
static bool
read_certificate(const struct server *server, const struct options *fresh,
    struct certificate **out)
{
	char why[CERTIFICATE_WHY_SIZE];

	*out = NULL;
	if (!server->has_https && !fresh->tls_cert)
		return true;
	if (!fresh->tls_cert) {
		complain("the https sockets need a --tls-cert");
		return false;
	}
	*out = certificate_read(fresh->tls_cert, fresh->tls_key, why);
	if (!*out)
		complain(why);
	return *out != NULL;
}

/* Apply fresh and certificate, which are moved.  Cannot fail. */
static void
adopt(struct server *server, const struct options *fresh,
    struct certificate *certificate)
{
	struct reload *reload = mem_new(sizeof(*reload));

	certificate_release(server->certificate);
	server->certificate = certificate;
	/* Their settings point into the options, too. */
	workers_pause(server->workers, server->n_workers);
	reload->old = server->options;
	server->options = *fresh;
	server_apply_options(server);
	workers_resume(server->workers, server->n_workers);
	reload->change.settings = server->options.settings;
	reload->change.give_back = on_given_back;
	engine_change_settings(&server->workers[0].cq, &reload->change);
	/* Before the reload is reported: later requests use the new settings.
	 */
	engine_flush(&server->workers[0].cq);
}

static bool
reload(struct server *server)
{
	struct options fresh = { 0 };
	struct certificate *certificate;

	/* Anything else that is read again, and may fail, must be read here,
	 * before anything has changed. */
	if (options_parse(&fresh, server->argc, server->argv, complain) >= 0 ||
	    (warn_of_fixed(&server->options, &fresh) &&
		!keep_fixed(&fresh, &server->options)) ||
	    !read_certificate(server, &fresh, &certificate)) {
		options_free(&fresh);
		return false;
	}
	adopt(server, &fresh, certificate);
	log_info("the configuration has been reloaded");
	return true;
}

bool
server_reload(struct server *server)
{
	bool is_reloaded;

	problem[0] = '\0';
	if (server->is_stopping || !server->engine) {
		snprintf(problem, sizeof(problem), "the server is stopping");
		return false;
	}
	notify_reloading("reading the configuration");
	is_reloaded = reload(server);
	server_say_ready(server,
	    is_reloaded ? "serving, reloaded" :
			  "serving, not reloaded (see the log)");
	return is_reloaded;
}
