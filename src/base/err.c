/* err.c - the table of err.h as data. */
#include "base/err.h"

#include <assert.h>

struct err_row {
	unsigned status;
	unsigned retry_after;
	const char *word;
	const char *sentence;
};

#define X(name, status, word, sentence, retry) \
	{ status, retry, word, sentence },
static const struct err_row err_rows[N_ERRS] = { ERR_TABLE(X) };
#undef X

static const struct err_row *
row_of(enum err err)
{
	assert((unsigned)err < N_ERRS);
	return &err_rows[err];
}

unsigned
err_status(enum err err)
{
	return row_of(err)->status;
}

const char *
err_word(enum err err)
{
	return row_of(err)->word;
}

const char *
err_sentence(enum err err)
{
	return row_of(err)->sentence;
}

unsigned
err_retry_after(enum err err)
{
	return row_of(err)->retry_after;
}
