/* forwarded.c - see forwarded.h.
 *
 * X-Forwarded-For is easily read from the right: no comma in it means anything
 * but the end of an element.  In Forwarded, commas may be inside quotes, and
 * whether a byte is inside is known only from the left, where a client may have
 * left a quote open.  So we try each comma from the right, until the text after
 * it is one well-formed element.
 *
 * There is at most one such comma, so that nothing on the left can hide the
 * last element or pass for it.  Suppose there were two: where the second
 * begins, the first is inside quotes, or it would have ended.  From there on,
 * one is inside whenever the other is outside.  Neither may have a backslash
 * outside, so there is none at all, and each quote puts one of them inside and
 * the other outside: at the end one is still inside.
 *
 * And it takes linear time, because at most two attempts get past a given byte:
 * one that is outside quotes there, since it ends at a comma, where the next
 * begins; and one inside, since a quote makes these two change places, and at
 * a backslash the one outside ends.
 */
#include "net/forwarded.h"

#include "base/text.h"

#define MAX_NODE 64 /* bytes of an address with its port */

/* The parameters of an element of Forwarded that we use. */
struct element {
	struct span node; /* raw value of for= */
	unsigned n_nodes; /* number of for= */
};

static void
skip(struct span *rest, size_t n)
{
	rest->at += n;
	rest->len -= n;
}

static void
skip_blanks(struct span *rest)
{
	while (rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t'))
		skip(rest, 1);
}

/* RFC 9110, section 5.6.2. */
static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Take a token; also may hold characters besides.  false: there is none. */
static bool
take_token(struct span *rest, const char *also, struct span *out)
{
	size_t n = 0;

	while (n < rest->len &&
	    (is_token_char(rest->at[n]) ||
		(rest->at[n] && strchr(also, rest->at[n]))))
		n++;
	*out = (struct span){ rest->at, n };
	skip(rest, n);
	return n > 0;
}

/* Take a quoted string (RFC 9110, section 5.6.4), from after the quote.
 * Writes its contents, with their escapes; any bytes are accepted.  false: it
 * does not end. */
static bool
take_quoted(struct span *rest, struct span *out)
{
	size_t n = 0;

	while (n < rest->len && rest->at[n] != '"')
		n += rest->at[n] == '\\' ? 2 : 1;
	if (n >= rest->len)
		return false;
	*out = (struct span){ rest->at, n };
	skip(rest, n + 1);
	return true;
}

static bool
take_value(struct span *rest, struct span *out)
{
	if (rest->len && rest->at[0] == '"') {
		skip(rest, 1);
		return take_quoted(rest, out);
	}
	/* Addresses with colons should be quoted, but are not always. */
	return take_token(rest, ":[]", out);
}

static bool
take_parameter(struct span *rest, struct element *element)
{
	struct span name, value;

	if (!take_token(rest, "", &name))
		return false;
	if (!rest->len || rest->at[0] != '=')
		return false;
	skip(rest, 1);
	if (!take_value(rest, &value))
		return false;
	if (text_equals_nocase(name, "for")) {
		element->node = value;
		element->n_nodes++;
	}
	return true;
}

/* Whether text is one forwarded-element (RFC 7239, section 4), apart from
 * blanks.  Reads no further than the first comma outside quotes. */
static bool
parse_element(struct span text, struct element *out)
{
	struct element element = { .n_nodes = 0 };

	for (;;) {
		skip_blanks(&text);
		if (text.len && text.at[0] != ';' &&
		    !take_parameter(&text, &element))
			return false;
		skip_blanks(&text);
		if (!text.len)
			break;
		if (text.at[0] != ';')
			return false;
		skip(&text, 1);
	}
	*out = element;
	return true;
}

/* The address that the element is for. */
static bool
parse_node(const struct element *element, struct peer_address *out)
{
	const struct span node = element->node;
	char plain[MAX_NODE];
	size_t len = 0;

	if (element->n_nodes != 1)
		return false;
	for (size_t i = 0; i < node.len; i++) {
		if (len == sizeof(plain))
			return false;
		if (node.at[i] == '\\')
			i++; /* take_quoted() has checked that one follows */
		plain[len++] = node.at[i];
	}
	return peer_address_parse((struct span){ plain, len }, out);
}

/* Take the part from start, and the comma before it, off the list; a NULL `at`
 * marks the end of the list. */
static struct span
take_from(struct span *list, size_t start)
{
	const struct span last = { list->at + start, list->len - start };

	*list = start ? (struct span){ list->at, start - 1 } :
			(struct span){ NULL, 0 };
	return last;
}

static bool
take_x_forwarded_for(struct span *list, struct peer_address *out)
{
	size_t start = list->len;

	while (start > 0 && list->at[start - 1] != ',')
		start--;
	return peer_address_parse(text_trim(take_from(list, start)), out);
}

static bool
take_forwarded(struct span *list, struct peer_address *out)
{
	struct element element;

	for (size_t start = list->len + 1; start-- > 0;) {
		if (start > 0 && list->at[start - 1] != ',')
			continue;
		if (!parse_element(
			(struct span){ list->at + start, list->len - start },
			&element))
			continue;
		take_from(list, start);
		return parse_node(&element, out);
	}
	return false;
}

/* take() takes the last hop off the list; false: it is not an address. */
static struct peer_address
walk(const struct trusted_proxies *trusted, const struct peer_address *peer,
    struct span list, bool (*take)(struct span *, struct peer_address *))
{
	struct peer_address hop = *peer;

	while (list.at && trusted_proxies_has(trusted, &hop))
		if (!take(&list, &hop))
			return *peer;
	return hop;
}

struct peer_address
forwarded_client(const struct trusted_proxies *trusted,
    const struct peer_address *peer, struct span x_forwarded_for,
    struct span forwarded)
{
	if (text_trim(x_forwarded_for).len)
		return walk(
		    trusted, peer, x_forwarded_for, take_x_forwarded_for);
	if (text_trim(forwarded).len)
		return walk(trusted, peer, forwarded, take_forwarded);
	return *peer;
}
