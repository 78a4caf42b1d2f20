// framing_corpus.mjs - requests that two readers could read in two ways, and
// such as are merely unusual.
//
// Each is { name, bytes({ base, inner }), statuses, closes, most, isHead }.
// base: the path below which the daemon is.  inner: a whole request, which
// stands where a careless reader finds a second one.  statuses: what the daemon
// itself answers.  closes: it ends the connection then.  most: how many replies
// are right behind a web server.  isHead: the reply has no body.
const OPEN = false;
const CLOSES = true;

// In these a web server may find two requests, both of the same client: RFC
// 9110, section 8.6, and RFC 9112, sections 2.2, 5.2, 6.1 and 6.3, let a
// recipient choose; or it refuses the first one, and goes on.
const lenient = new Set(['two equal lengths', 'a list of lengths',
	'an empty length', 'a folded length', 'a length of 2^64',
	'a length of 2^64 + 3', 'a length, then a coding',
	'a coding, then a length', 'a folded coding', 'a folded coding and a length',
	'a length and a coding folded into another field', 'a coding in HTTP/1.0',
	'two codings', 'a bare LF in a chunk extension',
	'a bare LF behind a chunk size', 'a blank behind a chunk size',
	'a trailer line without a colon', 'bare LFs everywhere']);

export const cases = [];

function add(name, bytes, statuses, closes, { isHead = false } = {})
{
	const most = lenient.has(name) ? 2 : statuses.length;

	cases.push({ name, bytes, statuses, closes, most, isHead });
}

function get({ base }, { line, path = '/healthz', headers = 'Host: x\r\n' } = {})
{
	return `${line ?? `GET ${base}${path} HTTP/1.1`}\r\n${headers}\r\n`;
}

function post({ base }, headers, body)
{
	return `POST ${base}/register HTTP/1.1\r\nHost: x\r\n${headers}\r\n` +
	    `\r\n${body}`;
}

// --- the length of a body -------------------------------------------------

const BODY = '"a"';

add('a plain GET, twice', (place) => get(place) + get(place), [200, 200], OPEN);
add('a plain POST', (place) => post(place, 'Content-Length: 3', BODY), [200],
    OPEN);

for (const [name, header] of Object.entries({
	'two equal lengths': 'Content-Length: 3\r\nContent-Length: 3',
	'two lengths': 'Content-Length: 3\r\nContent-Length: 0',
	'a list of lengths': 'Content-Length: 3, 3',
	'a length with a plus': 'Content-Length: +3',
	'a negative length': 'Content-Length: -1',
	'a hexadecimal length': 'Content-Length: 0x3',
	'two numbers as a length': 'Content-Length: 3 4',
	'an underscore in a length': 'Content-Length: 1_0',
	'an empty length': 'Content-Length: ',
	'a blank before the colon of a length': 'Content-Length : 3',
	'a tab before the colon of a length': 'Content-Length\t: 3',
	'a NUL in the name of a length': 'Content-\0Length: 3',
	'a NUL in a length': 'Content-Length: 3\0',
}))
	add(name, (place) => post(place, header, BODY + place.inner), [400],
	    CLOSES);

for (const [name, length] of Object.entries({
	'a length of 2^64': '18446744073709551616',
	'a length of 2^64 + 3': '18446744073709551619',
	'a length of 2^63': '9223372036854775808',
}))
	add(name, (place) => post(place, `Content-Length: ${length}`,
	    BODY + place.inner), [413], CLOSES);

add('a folded length', (place) => post(place, 'Content-Length:\r\n 3',
    BODY + place.inner), [400], CLOSES);

// --- transfer codings -----------------------------------------------------

const CHUNKED = 'Transfer-Encoding: chunked';
const LAST = '0\r\n\r\n';

add('a length, then a coding', (place) => post(place,
    `Content-Length: 4\r\n${CHUNKED}`, LAST + place.inner), [400], CLOSES);
add('a coding, then a length', (place) => post(place,
    `${CHUNKED}\r\nContent-Length: 4`, `3\r\n${BODY}\r\n${LAST}` +
    place.inner), [400], CLOSES);
add('a folded coding', (place) => post(place, 'Transfer-Encoding:\r\n chunked',
    LAST + place.inner), [400], CLOSES);
add('a length and a coding folded into another field', (place) => post(place,
    `X: y\r\n ${CHUNKED}\r\nContent-Length: 3`, BODY + place.inner), [400],
    CLOSES);
add('a length and a name that is only like a coding', (place) => post(place,
    'Transfer_Encoding: chunked\r\nContent-Length: 3', BODY + get(place)),
    [200, 200], OPEN);
add('a coding in capitals', (place) => post(place,
    'Transfer-Encoding: CHUNKED', `3\r\n${BODY}\r\n${LAST}`), [200], OPEN);
add('a coding in HTTP/1.0', (place) => `POST ${place.base}/register HTTP/1.0` +
    `\r\nHost: x\r\n${CHUNKED}\r\nConnection: keep-alive\r\n\r\n${LAST}` +
    place.inner, [400], CLOSES);

for (const [name, header] of Object.entries({
	'a folded coding and a length':
	    'Transfer-Encoding:\r\n chunked\r\nContent-Length: 3',
	'an unknown coding': 'Transfer-Encoding: xchunked',
	'two codings': `${CHUNKED}\r\n${CHUNKED}`,
	'chunked, then identity': 'Transfer-Encoding: chunked, identity',
	'gzip, then chunked': 'Transfer-Encoding: gzip, chunked',
	'identity and a length':
	    'Transfer-Encoding: identity\r\nContent-Length: 3',
	'a vertical tab before a coding': 'Transfer-Encoding: \x0bchunked',
	'a quoted coding': 'Transfer-Encoding: "chunked"',
	'a coding with a parameter': 'Transfer-Encoding: chunked;q=1',
	'a bare CR behind a coding': 'Transfer-Encoding: chunked\r ',
	'a blank before the colon of a coding': 'Transfer-Encoding : chunked',
}))
	add(name, (place) => post(place, header, LAST + place.inner), [400],
	    CLOSES);

// --- chunks ---------------------------------------------------------------

for (const [name, body] of Object.entries({
	'a chunk': `3\r\n${BODY}\r\n${LAST}`,
	'a chunk extension': `3;a=b\r\n${BODY}\r\n${LAST}`,
	'a quoted chunk extension': `3;a="x;y"\r\n${BODY}\r\n${LAST}`,
	'zeros before a chunk size': `${'0'.repeat(40)}3\r\n${BODY}\r\n${LAST}`,
	'many zeros as the last chunk size':
	    `3\r\n${BODY}\r\n${'0'.repeat(40)}\r\n\r\n`,
	'a trailer field': `3\r\n${BODY}\r\n0\r\nX: y\r\n\r\n`,
	'a length in the trailer':
	    `3\r\n${BODY}\r\n0\r\nContent-Length: 50\r\n\r\n`,
	'a token in the trailer':
	    `3\r\n${BODY}\r\n0\r\nAuthorization: Bearer x\r\n\r\n`,
}))
	add(name, (place) => post(place, CHUNKED, body + get(place)), [200, 200],
	    OPEN);

for (const [name, body] of Object.entries({
	'a bare LF in a chunk extension': `3;a\n${BODY}\r\n${LAST}`,
	'a bare LF behind a chunk size': `3\n${BODY}\n0\n\n`,
	'a chunk size with 0x': `0x3\r\n${BODY}\r\n${LAST}`,
	'a chunk size with a plus': `+3\r\n${BODY}\r\n${LAST}`,
	'a negative chunk size': `-3\r\n${BODY}\r\n${LAST}`,
	'a blank before a chunk size': ` 3\r\n${BODY}\r\n${LAST}`,
	'an empty chunk size': `\r\n${BODY}\r\n${LAST}`,
	'chunk data without its CR LF': `3\r\n${BODY}0\r\n\r\n`,
	'more chunk data than announced': `3\r\n${BODY}X\r\n${LAST}`,
	'a letter too many in a chunk size': `3g\r\n${BODY}\r\n${LAST}`,
	'a trailer line without a colon': `3\r\n${BODY}\r\n0\r\nfoo\r\n\r\n`,
}))
	add(name, (place) => post(place, CHUNKED, body + place.inner), [400],
	    CLOSES);

add('a blank behind a chunk size', (place) => post(place, CHUNKED,
    `3 \r\n${BODY}\r\n${LAST}${get(place)}`), [400], CLOSES);

for (const [name, size] of Object.entries({
	'a chunk size of 2^64': '10000000000000000',
	'a chunk size of 2^64 + 3': '10000000000000003',
	'a chunk size of 2^63': '8000000000000000',
}))
	add(name, (place) => post(place, CHUNKED, `${size}\r\n${BODY}\r\n` +
	    LAST + place.inner), [413], CLOSES);

// --- hosts ----------------------------------------------------------------

for (const [name, headers, status] of [
	['two equal hosts', 'Host: x\r\nHost: x\r\n', 400],
	['two hosts', 'Host: x\r\nHost: y\r\n', 400],
	['no host', '', 400],
	['a host with a blank', 'Host: a b\r\n', 400],
	['a host with a comma', 'Host: a,b\r\n', 400],
	['an empty host', 'Host:\r\n', 200],
])
	add(name, (place) => get(place, { headers }), [status], status === 400);
add('no host in HTTP/1.0', ({ base }) => `GET ${base}/healthz HTTP/1.0\r\n\r\n`,
    [200], CLOSES);

// --- request lines --------------------------------------------------------

for (const [name, line, status, closes = status >= 400] of [
	['an absolute target', 'GET http://yBASE/healthz HTTP/1.1', 200],
	['a target with a blank', 'GET BASE/healthz x HTTP/1.1', 400],
	['tabs around the target', 'GET\tBASE/healthz\tHTTP/1.1', 400],
	['a target with a fragment', 'GET BASE/healthz#x HTTP/1.1', 400, OPEN],
	['a target that goes up', 'GET BASE/demo/../healthz HTTP/1.1', 404, OPEN],
	['a target that goes up in escapes',
		'GET BASE/demo/%2e%2e/%2e%2e/etc/passwd HTTP/1.1', 404, OPEN],
	['an escaped NUL in the target', 'GET BASE/healthz%00 HTTP/1.1', 400,
		OPEN],
	['a NUL in the target', 'GET BASE/health\0z HTTP/1.1', 400],
	['bytes beyond ASCII in the target', 'GET BASE/\xff\xfe HTTP/1.1', 404,
		OPEN],
	['a version in small letters', 'GET BASE/healthz http/1.1', 400],
	['HTTP/1.2', 'GET BASE/healthz HTTP/1.2', 200],
	['HTTP/2.0', 'GET BASE/healthz HTTP/2.0', 400],
	['HTTP/0.9', 'GET BASE/healthz', 400],
	['HTTP/1.10', 'GET BASE/healthz HTTP/1.10', 400],
	['a method in small letters', 'get BASE/healthz HTTP/1.1', 501],
	['an unknown method', 'BREW BASE/healthz HTTP/1.1', 501],
	['a 15 KiB target', `GET BASE/${'a'.repeat(15_000)} HTTP/1.1`, 404, OPEN],
	['a 64 KiB target', `GET BASE/${'a'.repeat(65_536)} HTTP/1.1`, 431],
])
	add(name, (place) => get(place,
	    { line: line.replace('BASE', place.base) }), [status], closes);

add('a target with an empty segment', (place) => get(place,
    { line: `GET /${place.base}/healthz HTTP/1.1` }), [200], OPEN);
add('OPTIONS for the whole server', (place) => get(place,
    { line: 'OPTIONS * HTTP/1.1' }), [204], OPEN);
add('CONNECT', (place) => get(place, { line: 'CONNECT x:1 HTTP/1.1' }), [400],
    OPEN);
add('TRACE', (place) => get(place, { line: 'TRACE / HTTP/1.1' }), [405], OPEN);
add('the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400],
    CLOSES);
add('half a TLS hello', () => '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03' +
    '\0'.repeat(190), [400], CLOSES);

// --- lines and fields -----------------------------------------------------

add('bare LFs everywhere', ({ base, inner }) =>
    `GET ${base}/healthz HTTP/1.1\nHost: x\n\n${inner}`, [400], CLOSES);
add('bare CRs as line ends', ({ base }) =>
    `GET ${base}/healthz HTTP/1.1\rHost: x\r\r`, [400], CLOSES);
add('a first field that is folded', ({ base }) =>
    `GET ${base}/healthz HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n`, [400], CLOSES);
add('empty lines in front', (place) => `\r\n\r\n${get(place)}`, [200], OPEN);
add('10,000 empty lines in front', (place) => '\r\n'.repeat(10_000) + get(place),
    [431], CLOSES);

for (const [name, line, status] of [
	['a field without a colon', 'foo', 400],
	['a field without a name', ': x', 400],
	['a blank in a field name', 'a b: x', 400],
	['a NUL in a field', 'X: a\0b', 400],
	['a CR in a field', 'X: a\rb', 400],
	['a DEL in a field', 'X: a\x7fb', 400],
	['bytes beyond ASCII in a field name', 'X\xc3\xa4: a', 400],
	['an upgrade to HTTP/2', 'Connection: Upgrade, HTTP2-Settings\r\n' +
	    'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA', 200],
	['an upgrade to WebSocket', 'Connection: Upgrade\r\n' +
	    'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
	    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 200],
	['a 64 KiB field', `X: ${'a'.repeat(65_536)}`, 431],
	['500 fields', Array.from({ length: 500 }, (_, i) => `A${i}: b`)
	    .join('\r\n'), 200],
	['2,000 fields', Array.from({ length: 2000 }, (_, i) => `A${i}: b`)
	    .join('\r\n'), 431],
])
	add(name, (place) => get(place, { headers: `Host: x\r\n${line}\r\n` }),
	    [status], status >= 400);

add('two tokens', (place) => get(place, { path: '/room', headers: 'Host: x\r\n' +
    'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n' }), [401], OPEN);
add('a range', (place) => get(place, { path: '/peerpost.js',
    headers: 'Host: x\r\nRange: bytes=0-1\r\n' }), [200], OPEN);
add('a method in a header', (place) => post(place,
    'X-HTTP-Method-Override: DELETE\r\nContent-Length: 3', BODY), [200], OPEN);

// --- bodies and connections -----------------------------------------------

for (const method of ['GET', 'HEAD'])
	add(`${method} with a body`, ({ base, inner }) =>
	    `${method} ${base}/healthz HTTP/1.1\r\nHost: x\r\n` +
	    `Content-Length: ${inner.length}\r\n\r\n${inner}`, [200], OPEN,
	    { isHead: method === 'HEAD' });
add('GET with chunks', (place) => `GET ${place.base}/healthz HTTP/1.1\r\n` +
    `Host: x\r\n${CHUNKED}\r\n\r\n${LAST}${get(place)}`, [200, 200], OPEN);
add('OPTIONS with a body', (place) => `OPTIONS ${place.base}/register ` +
    `HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello${get(place)}`,
    [204, 200], OPEN);
add('an unknown expectation', (place) => post(place,
    'Expect: 200-ok\r\nContent-Length: 3', BODY), [200], OPEN);
// (Of a client that sends its body at once, none expects an answer before.)
add('an expected 100, and the body', (place) => post(place,
    'Expect: 100-continue\r\nContent-Length: 3', BODY), [200], OPEN);
add('keep-alive and close', (place) => get(place,
    { headers: 'Host: x\r\nConnection: keep-alive, close\r\n' }) + place.inner,
    [200], CLOSES);
add('a length that the connection owns', (place) => post(place,
    'Connection: Content-Length\r\nContent-Length: 3', BODY), [200], OPEN);
