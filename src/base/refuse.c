/* refuse.c - see refuse.h. */
#include "base/refuse.h"

#include <stdarg.h>
#include <stdio.h>

bool
refuse_because(char out_why[REFUSE_WHY_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out_why, REFUSE_WHY_SIZE, format, args);
	va_end(args);
	return false;
}
