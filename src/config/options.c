/* options.c - see options.h: the texts owned by options. */
#include "config/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

char *
options_keep_text(struct options *options, const char *text)
{
	char *copy = mem_copy_text(text);

	options->texts = mem_resize(
	    options->texts, options->n_texts + 1, sizeof(*options->texts));
	options->texts[options->n_texts++] = copy;
	return copy;
}

bool
options_refuse(struct options *options, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(options->why, sizeof(options->why), format, args);
	va_end(args);
	return false;
}

void
options_free(struct options *options)
{
	for (size_t i = 0; i < options->n_texts; i++)
		free(options->texts[i]);
	free(options->texts);
	free(options->values);
	*options = (struct options){ 0 };
}
