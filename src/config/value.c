/* value.c - see value.h.
 *
 * Defaults are texts, parsed like any other value.
 */
#include "config/value.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/ice.h"
#include "config/tls.h"

static bool
refuse(
    struct options *options, const struct option_spec *spec, const char *text)
{
	if (options->why[0])
		return false;
	if (spec->type == TYPE_TEXT)
		snprintf(options->why, sizeof(options->why),
		    "'%.100s' is not %s", text, spec->value);
	else if (spec->type == TYPE_SWITCH)
		snprintf(options->why, sizeof(options->why),
		    "'%.100s' is not yes or no", text);
	else
		snprintf(options->why, sizeof(options->why),
		    "'%.100s' is not a whole number from %llu to %llu", text,
		    (unsigned long long)spec->min,
		    (unsigned long long)spec->max);
	return false;
}

static bool
set_number(
    struct options *options, const struct option_spec *spec, const char *text)
{
	void *field = (char *)options + spec->offset;
	uint64_t value;
	int64_t ms;
	uint32_t rate;

	if (!text_to_uint(span_of(text), spec->max, &value) ||
	    value < spec->min)
		return false;
	ms = (int64_t)value * 1000;
	rate = (uint32_t)value;
	if (spec->type == TYPE_SECONDS)
		memcpy(field, &ms, sizeof(ms));
	else if (spec->type == TYPE_RATE)
		memcpy(field, &rate, sizeof(rate));
	else
		memcpy(field, &value, sizeof(value));
	return true;
}

static bool
set_switch(
    struct options *options, const struct option_spec *spec, const char *text)
{
	bool is_on = strcmp(text, "yes") == 0;

	if (!is_on && strcmp(text, "no") != 0)
		return false;
	*(bool *)((char *)options + spec->offset) = is_on;
	return true;
}

static void
note(struct options *options, const struct option_spec *spec, const char *text,
    unsigned line)
{
	struct option_value *value = NULL;

	if (!(spec->traits & OPTION_REPEATABLE))
		for (size_t i = 0; i < options->n_values; i++)
			if (options->values[i].spec == spec)
				value = &options->values[i];
	if (!value) {
		options->values = mem_resize(options->values,
		    options->n_values + 1, sizeof(*options->values));
		value = &options->values[options->n_values++];
	}
	*value = (struct option_value){ spec, text, line };
}

bool
options_set(struct options *options, const struct option_spec *spec,
    const char *text, unsigned line)
{
	const char *kept = options_keep_text(options, text);
	bool is_good;

	options->why[0] = '\0';
	if (spec->type == TYPE_TEXT)
		is_good = spec->set(options, kept);
	else if (spec->type == TYPE_SWITCH)
		is_good = set_switch(options, spec, kept);
	else
		is_good = set_number(options, spec, kept);
	if (!is_good)
		return refuse(options, spec, text);
	note(options, spec, kept, line);
	return true;
}

const struct option_value *
options_find_value(
    const struct options *options, const struct option_spec *spec)
{
	for (size_t i = options->n_values; i > 0; i--)
		if (options->values[i - 1].spec == spec)
			return &options->values[i - 1];
	return NULL;
}

/* Set the words of text, one after the other. */
static bool
set_words(
    struct options *options, const struct option_spec *spec, const char *text)
{
	char *words = options_keep_text(options, text), *word;

	while ((word = strsep(&words, " ")) != NULL)
		if (!options_set(options, spec, word, 0))
			return false;
	return true;
}

/* A group named for the operator's socket is to have access. */
static const char *
initial_text(const struct options *options, const struct option_spec *spec)
{
	if (strcmp(spec->name, "admin-mode") == 0 &&
	    options->admin_access.has_group)
		return "0660";
	return spec->initial_text;
}

static bool
set_default(struct options *options, const struct option_spec *spec)
{
	char number[TEXT_INT_SIZE + 1] = "";

	switch (spec->type) {
	case TYPE_FLAG:
		return true;
	case TYPE_SWITCH:
		return options_set(
		    options, spec, spec->initial ? "yes" : "no", 0);
	case TYPE_TEXT:
		return !spec->initial_text ||
		    set_words(options, spec, initial_text(options, spec));
	case TYPE_UINT:
	case TYPE_SECONDS:
	case TYPE_RATE:
		text_from_int(number, (int64_t)spec->initial);
		return options_set(options, spec, number, 0);
	}
	return false;
}

/* It listens somewhere already; --listen needs no default then. */
static bool
needs_no_default(const struct options *options, const struct option_spec *spec)
{
	return strcmp(spec->name, "listen") == 0 && options->n_fastcgi > 0;
}

/* Options do not go together: note the line of the last one. */
static void
note_line(struct options *options, const char *const names[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct option_value *value = options_find_value(
		    options, find_option_spec(names[i]));

		if (value && value->line > options->why_line)
			options->why_line = value->line;
	}
}

static bool
check_waits(struct options *options)
{
	static const char *const names[] = { "poll-wait", "poll-wait-max" };
	const struct settings *settings = &options->settings;

	if (settings->poll_wait_ms <= settings->poll_wait_max_ms)
		return true;
	snprintf(options->why, sizeof(options->why),
	    "--poll-wait (%lld) is greater than --poll-wait-max (%lld)",
	    (long long)settings->poll_wait_ms / 1000,
	    (long long)settings->poll_wait_max_ms / 1000);
	note_line(options, names, 2);
	return false;
}

static bool
check_identity(struct options *options)
{
	static const char *const names[] = { "user", "group" };
	const char *fault = identity_find_fault(&options->identity);

	if (!fault)
		return true;
	snprintf(options->why, sizeof(options->why), "%s", fault);
	note_line(options, names, 2);
	return false;
}

static bool
check_ice(struct options *options)
{
	static const char *const names[] = { "ice-server", "turn-uri",
		"turn-secret", "turn-secret-file" };

	if (options_check_ice(options))
		return true;
	note_line(options, names, 4);
	return false;
}

static bool
check_tls(struct options *options)
{
	static const char *const names[] = { "listen", "tls-cert", "tls-key" };

	if (options_check_tls(options))
		return true;
	note_line(options, names, 3);
	return false;
}

bool
options_finish(struct options *options)
{
	options->is_listen_default = options->n_listen == 0;
	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!options_find_value(options, spec) &&
		    !needs_no_default(options, spec) &&
		    !set_default(options, spec))
			return false;
	}
	if (!options->base_path)
		options->base_path = "";
	return check_waits(options) && check_identity(options) &&
	    check_ice(options) && check_tls(options);
}
