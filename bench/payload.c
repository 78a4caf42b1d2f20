/* payload.c - see payload.h. */
#include "bench/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "\"mark\":\""
#define SENDER_DIGITS 4
#define NUMBER_DIGITS 8

/* A data channel's offer (RFC 8839, RFC 8841), and lines to fill it up to
 * what browsers send. */
static const char sdp[] =
    "v=0\\r\\no=- 4611731400430051336 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0"
    "\\r\\na=group:BUNDLE 0\\r\\na=extmap-allow-mixed\\r\\n"
    "a=msid-semantic: WMS\\r\\nm=application 9 UDP/DTLS/SCTP "
    "webrtc-datachannel\\r\\nc=IN IP4 0.0.0.0\\r\\na=ice-ufrag:4ZcD\\r\\n"
    "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlSM\\r\\na=ice-options:trickle\\r\\n"
    "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"
    "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\\r\\na=setup:actpass"
    "\\r\\na=mid:0\\r\\na=sctp-port:5000\\r\\na=max-message-size:262144\\r\\n"
    "a=candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host "
    "generation 0 network-id 1\\r\\na=candidate:435653019 1 tcp 1518280447 "
    "192.168.0.196 9 typ host tcptype active generation 0 network-id 1\\r\\n"
    "a=candidate:842163049 1 udp 1677729535 203.0.113.17 46243 typ srflx "
    "raddr 192.168.0.196 rport 46243 generation 0 network-id 1\\r\\n";

void
payload_offer(struct payload *payload, struct payload_text *text, uint32_t to,
    uint32_t sender, uint32_t number)
{
	int len = snprintf(text->text[0], sizeof(text->text[0]),
	    "{\"id\":%u,\"rtc\":{" MARK "%04x%08x\",\"type\":\"offer\","
	    "\"sdp\":\"%s\"}}",
	    to, sender, number, sdp);

	payload->items[0] = (struct span){ text->text[0], (size_t)len };
	payload->n = 1;
}

void
payload_candidates(struct payload *payload, struct payload_text *text,
    uint32_t to, uint32_t sender, uint32_t number, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int len = snprintf(text->text[i], sizeof(text->text[i]),
		    "{\"id\":%u,\"rtc\":{" MARK "%04x%08x\",\"candidate\":"
		    "\"candidate:%zu 1 udp 1677729535 203.0.113.17 46243 typ "
		    "srflx raddr 192.168.0.196 rport 46243 generation 0 ufrag "
		    "4ZcD\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}}",
		    to, sender, number, 842163049 + i);

		payload->items[i] = (struct span){ text->text[i], (size_t)len };
	}
	payload->n = n;
}

static uint32_t
hex(const char *digits, int n)
{
	uint32_t value = 0;

	for (int i = 0; i < n; i++) {
		char c = digits[i];

		value = value << 4 |
		    (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return value;
}

bool
payload_next_mark(struct span *body, uint32_t *out_sender, uint32_t *out_number)
{
	const size_t len = sizeof(MARK) - 1;
	const char *end = body->at + body->len;
	const char *at = body->len ? memmem(body->at, body->len, MARK, len) :
				     NULL;

	if (!at || (size_t)(end - at) < len + SENDER_DIGITS + NUMBER_DIGITS + 1)
		return false;
	at += len;
	*out_sender = hex(at, SENDER_DIGITS);
	*out_number = hex(at + SENDER_DIGITS, NUMBER_DIGITS);
	at += SENDER_DIGITS + NUMBER_DIGITS;
	*body = (struct span){ at, (size_t)(end - at) };
	return true;
}
