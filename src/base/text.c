/* text.c - see text.h. */
#include "base/text.h"

#include <strings.h>

size_t
text_from_int(char out[TEXT_INT_SIZE], int64_t value)
{
	char reversed[TEXT_INT_SIZE];
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t n = 0, len = 0;

	do {
		reversed[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		out[len++] = '-';
	while (n)
		out[len++] = reversed[--n];
	return len;
}

bool
text_to_uint(struct span text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.at[i] - '0';

		if (digit > 9 || value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* Take this byte off the front of the text, if it is there. */
static bool
take(struct span *text, char byte)
{
	if (text->len == 0 || text->at[0] != byte)
		return false;
	text->at++;
	text->len--;
	return true;
}

static struct span
take_digits(struct span *text)
{
	struct span digits = { text->at, 0 };

	while (digits.len < text->len && digits.at[digits.len] >= '0' &&
	    digits.at[digits.len] <= '9')
		digits.len++;
	text->at += digits.len;
	text->len -= digits.len;
	return digits;
}

/* The parts of a number: the digits before and after the point, and the places
 * by which the exponent moves it. */
struct decimal {
	bool is_negative;
	struct span whole, fraction;
	int64_t shift;
};

static bool
take_exponent(struct span *text, int64_t *out)
{
	/* No text is long enough for a larger exponent to matter. */
	const uint64_t most = INT64_MAX / 4;
	bool is_negative = take(text, '-');
	struct span digits;
	uint64_t value;

	if (!is_negative)
		(void)take(text, '+');
	digits = take_digits(text);
	if (digits.len == 0)
		return false;
	if (!text_to_uint(digits, most, &value))
		value = most;
	*out = is_negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool
read_decimal(struct span text, struct decimal *out)
{
	struct decimal decimal = { .is_negative = take(&text, '-') };

	decimal.whole = take_digits(&text);
	if (decimal.whole.len == 0)
		return false;
	if (take(&text, '.')) {
		decimal.fraction = take_digits(&text);
		if (decimal.fraction.len == 0)
			return false;
	}
	if ((take(&text, 'e') || take(&text, 'E')) &&
	    !take_exponent(&text, &decimal.shift))
		return false;
	*out = decimal;
	return text.len == 0;
}

/* Append a digit to *value.  false: it would be more than max. */
static bool
add_digit(uint64_t *value, uint64_t digit, uint64_t max)
{
	if (digit > max || *value > (max - digit) / 10)
		return false;
	*value = *value * 10 + digit;
	return true;
}

bool
text_to_whole(struct span text, uint64_t max, uint64_t *out)
{
	struct decimal decimal;
	int64_t n, point; /* digits, and those before the point */
	uint64_t value = 0;

	if (text.len == 0 || !read_decimal(text, &decimal))
		return false;
	n = (int64_t)(decimal.whole.len + decimal.fraction.len);
	point = (int64_t)decimal.whole.len + decimal.shift;
	for (int64_t i = 0; i < n; i++) {
		size_t at = (size_t)i;
		char digit = at < decimal.whole.len ?
		    decimal.whole.at[at] :
		    decimal.fraction.at[at - decimal.whole.len];

		if (i >= point && digit != '0')
			return false;
		if (i < point &&
		    !add_digit(&value, (uint64_t)(digit - '0'), max))
			return false;
	}
	/* Unless the value is 0, it soon becomes too large. */
	for (int64_t i = n; value && i < point; i++)
		if (!add_digit(&value, 0, max))
			return false;
	if (decimal.is_negative && value)
		return false;
	*out = value;
	return true;
}

size_t
text_utf8_next(const char *bytes, size_t len, uint32_t *out)
{
	/* The smallest code point that needs a sequence of this many bytes. */
	static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)bytes;
	uint32_t code;
	size_t n;

	if (len == 0)
		return 0;
	if (p[0] < 0x80) {
		*out = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len < n)
		return 0;
	code = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < smallest[n] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*out = code;
	return n;
}

bool
text_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

struct span
text_skip_mark(struct span text)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t len = sizeof(mark) - 1;

	if (text.len < len || memcmp(text.at, mark, len) != 0)
		return text;
	return (struct span){ text.at + len, text.len - len };
}

bool
text_is_name(struct span text, size_t min, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; count++) {
		uint32_t code = 0;
		size_t n = text_utf8_next(text.at + i, text.len - i, &code);

		if (n == 0 || text_is_control(code))
			return false;
		i += n;
	}
	return count >= min && count <= max;
}

int
text_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
text_is_uuid(struct span text, char out[TEXT_UUID_SIZE])
{
	if (text.len != TEXT_UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text.at[i] != '-' : text_hex_value(text.at[i]) < 0)
			return false;
	}
	for (size_t i = 0; out && i < text.len; i++) {
		char c = text.at[i];

		out[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
	}
	if (out)
		out[text.len] = '\0';
	return true;
}

void
text_from_uuid(char out[TEXT_UUID_SIZE], const uint8_t bytes[16])
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < 16; i++) {
		uint8_t byte = bytes[i];

		if (i == 6) /* version 4 */
			byte = (uint8_t)((byte & 0x0f) | 0x40);
		if (i == 8) /* the variant of RFC 9562 */
			byte = (uint8_t)((byte & 0x3f) | 0x80);
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[byte >> 4];
		out[at++] = hex[byte & 15];
	}
	out[at] = '\0';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct span
text_trim(struct span text)
{
	while (text.len && is_blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

bool
text_equals_nocase(struct span a, const char *b)
{
	return a.len == strlen(b) && strncasecmp(a.at, b, a.len) == 0;
}

bool
text_is_token(struct span text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') ||
			(c != '\0' && strchr(others, c))))
			return false;
	}
	return text.len > 0;
}
