/* tls.c - see tls.h. */
#include "config/tls.h"

bool
options_set_listen(struct options *options, const char *text)
{
	struct listen_address address;
	bool is_tls;

	if (options->n_listen == OPTIONS_MAX_LISTEN)
		return options_refuse(options, "there are more than %d of them",
		    OPTIONS_MAX_LISTEN);
	if (!listen_url_parse(text, &address, &is_tls, options->why))
		return false;
	options->listen[options->n_listen++] = text;
	return true;
}

bool
options_set_tls_cert(struct options *options, const char *path)
{
	options->tls_cert = path;
	return path[0] ||
	    options_refuse(options, "the name of the file is empty");
}

bool
options_set_tls_key(struct options *options, const char *path)
{
	options->tls_key = path;
	return path[0] ||
	    options_refuse(options, "the name of the file is empty");
}

static bool
listens_on_https(const struct options *options)
{
	struct listen_address address;
	char why[LISTEN_WHY_SIZE];
	bool is_tls;

	for (size_t i = 0; i < options->n_listen; i++)
		if (listen_url_parse(
			options->listen[i], &address, &is_tls, why) &&
		    is_tls)
			return true;
	return false;
}

bool
options_check_tls(struct options *options)
{
	if (listens_on_https(options) && !options->tls_cert)
		return options_refuse(options,
		    "--listen https://... needs a "
		    "--tls-cert and its --tls-key");
	if (options->tls_cert && !options->tls_key)
		return options_refuse(
		    options, "--tls-cert needs its --tls-key");
	if (options->tls_key && !options->tls_cert)
		return options_refuse(
		    options, "--tls-key needs its --tls-cert");
	return true;
}
