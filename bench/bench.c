/* bench.c - see bench.h. */
#include "bench/bench.h"

#include <string.h>

/* Whether word is in the list, whose words end at commas; a word of the list
 * that ends with a dash stands for all that begin so. */
static bool
is_listed(const char *list, const char *word)
{
	while (list && *list) {
		size_t len = strcspn(list, ",");

		if (strncmp(list, word, len) == 0 &&
		    (word[len] == '\0' || (len && list[len - 1] == '-')))
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

bool
bench_wants(const struct bench *bench, const char *scenario)
{
	return !bench->only || is_listed(bench->only, scenario);
}

bool
bench_has(
    const struct bench *bench, const struct contender *contender, unsigned can)
{
	return (contender->can & can) == can &&
	    (!bench->against || is_listed(bench->against, contender->name)) &&
	    !contender->missing(contender);
}
