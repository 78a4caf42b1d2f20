/* reply.c - see reply.h. */
#include "api/admin/reply.h"

#include "api/value.h"

static void
add_name(struct buf *out, const char *name)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_add_text(out, ",");
	buf_add_text(out, "\"");
	buf_add_text(out, name);
	buf_add_text(out, "\":");
}

void
admin_add_int(struct buf *out, const char *name, uint64_t value)
{
	add_name(out, name);
	buf_add_int(out, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void
admin_add_bool(struct buf *out, const char *name, bool value)
{
	add_name(out, name);
	buf_add_text(out, value ? "true" : "false");
}

void
admin_add_text(struct buf *out, const char *name, const char *value)
{
	add_name(out, name);
	value_add_string(out, span_of(value));
}

void
admin_add_object(struct buf *out, const char *name)
{
	add_name(out, name);
	buf_add_text(out, "{");
}
