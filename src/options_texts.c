/* options_texts.c - see options_texts.h. */
#include "options_texts.h"

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

void
options_free(struct options *options)
{
	for (size_t i = 0; i < options->n_texts; i++)
		free(options->texts[i]);
	free(options->texts);
	free(options->values);
	*options = (struct options){ 0 };
}
