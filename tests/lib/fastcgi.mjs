// fastcgi.mjs - FastCGI as a web server speaks it, for the tests: records both
// ways, requests and responses in them.
//
// After the FastCGI specification 1.0 (sections are cited), and RFC 3875 for
// what the parameters mean.  Nothing here is shared with the daemon, so that a
// misreading of the specification would have to be made twice.
import assert from 'node:assert/strict';

// Section 8.
export const Type = {
	BEGIN_REQUEST: 1, ABORT_REQUEST: 2, END_REQUEST: 3, PARAMS: 4, STDIN: 5,
	STDOUT: 6, STDERR: 7, DATA: 8, GET_VALUES: 9, GET_VALUES_RESULT: 10,
	UNKNOWN_TYPE: 11,
};
export const Role = { RESPONDER: 1, AUTHORIZER: 2, FILTER: 3 };
export const Status = {
	REQUEST_COMPLETE: 0, CANT_MPX_CONN: 1, OVERLOADED: 2, UNKNOWN_ROLE: 3,
};
const KEEP_CONN = 1;
const HEADER_LEN = 8;
export const MAX_CONTENT = 65_535;

// --- records ------------------------------------------------------------

// One record (3.3).  padding: so many bytes after the content, all of them 255
// so that they are not taken for the stream's end.
export function record(type, id, content = Buffer.alloc(0),
    { padding = 0, version = 1 } = {})
{
	const header = Buffer.alloc(HEADER_LEN);

	header.writeUInt8(version, 0);
	header.writeUInt8(type, 1);
	header.writeUInt16BE(id, 2);
	header.writeUInt16BE(content.length, 4);
	header.writeUInt8(padding, 6);
	return Buffer.concat([header, content, Buffer.alloc(padding, 255)]);
}

// A whole stream (3.3): the bytes in records of at most `size`, and the empty
// record that ends it.
export function stream(type, id, bytes, { size = MAX_CONTENT, padding = 0 } = {})
{
	const records = [];

	for (let at = 0; at < bytes.length; at += size)
		records.push(record(type, id, bytes.subarray(at, at + size),
		    { padding }));
	records.push(record(type, id, undefined, { padding }));
	return Buffer.concat(records);
}

// 5.1
export function beginRequest(id, { role = Role.RESPONDER, keep = true } = {})
{
	const content = Buffer.alloc(8);

	content.writeUInt16BE(role, 0);
	content.writeUInt8(keep ? KEEP_CONN : 0, 2);
	return record(Type.BEGIN_REQUEST, id, content);
}

// 5.5
export function endRequest(id, protocolStatus = Status.REQUEST_COMPLETE,
    appStatus = 0)
{
	const content = Buffer.alloc(8);

	content.writeUInt32BE(appStatus, 0);
	content.writeUInt8(protocolStatus, 4);
	return record(Type.END_REQUEST, id, content);
}

// What arrives, cut into records wherever the socket cut it.
export class RecordReader {
	constructor()
	{
		this.pending = Buffer.alloc(0);
	}

	// The records that the bytes complete.
	push(bytes)
	{
		const records = [];

		this.pending = this.pending.length === 0 ? bytes :
		    Buffer.concat([this.pending, bytes]);
		while (this.pending.length >= HEADER_LEN) {
			const length = this.pending.readUInt16BE(4);
			const whole = HEADER_LEN + length +
			    this.pending.readUInt8(6);

			assert.equal(this.pending.readUInt8(0), 1,
			    'a record of another version');
			if (this.pending.length < whole)
				break;
			records.push({ type: this.pending.readUInt8(1),
				id: this.pending.readUInt16BE(2),
				content: this.pending.subarray(HEADER_LEN,
				    HEADER_LEN + length) });
			this.pending = this.pending.subarray(whole);
		}
		return records;
	}
}

// --- name-value pairs (3.4) ---------------------------------------------

// isLong: lengths as four bytes even where one would do.
export function encodePairs(pairs, { isLong = false } = {})
{
	const length = (n) => {
		if (n < 128 && !isLong)
			return Buffer.from([n]);
		const four = Buffer.alloc(4);

		four.writeUInt32BE((n | 0x80000000) >>> 0);
		return four;
	};

	return Buffer.concat(pairs.flatMap(([name, value]) => {
		// Header values are bytes; Node gives them as latin1.
		const [n, v] = [Buffer.from(name, 'latin1'),
			Buffer.from(value, 'latin1')];

		return [length(n.length), length(v.length), n, v];
	}));
}

export function decodePairs(bytes)
{
	const pairs = [];
	let at = 0;
	const length = () => {
		assert.ok(at < bytes.length, 'a pair is cut off');
		if (bytes[at] < 128)
			return bytes[at++];
		const n = bytes.readUInt32BE(at) & 0x7fffffff;

		at += 4;
		return n;
	};
	const text = (n) => {
		assert.ok(at + n <= bytes.length, 'a pair is cut off');
		at += n;
		return bytes.toString('latin1', at - n, at);
	};

	while (at < bytes.length) {
		const [n, v] = [length(), length()];

		pairs.push([text(n), text(v)]);
	}
	return pairs;
}

// --- requests and responses ---------------------------------------------

// The parameters of a request as nginx would set them.  headers: [name, value]
// pairs; more: parameters besides or instead, null leaves one out.
export function paramsOf({ method, target, headers = [], body }, more = {})
{
	const at = target.indexOf('?');
	const route = at < 0 ? target : target.slice(0, at);
	const params = new Map(Object.entries({
		GATEWAY_INTERFACE: 'CGI/1.1', SERVER_SOFTWARE: 'test',
		SERVER_NAME: 'test', SERVER_ADDR: '127.0.0.1', SERVER_PORT: '80',
		SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_SCHEME: 'http',
		REMOTE_ADDR: '127.0.0.1', REMOTE_PORT: '50000',
		REQUEST_METHOD: method, REQUEST_URI: target,
		DOCUMENT_URI: unescaped(route), SCRIPT_NAME: unescaped(route),
		QUERY_STRING: at < 0 ? '' : target.slice(at + 1),
		CONTENT_TYPE: '', CONTENT_LENGTH: body ? String(body.length) : '',
		HTTP_HOST: 'test',
	}));

	for (const [name, value] of headers) {
		const known = name.toUpperCase().replaceAll('-', '_');

		params.set(['CONTENT_TYPE', 'CONTENT_LENGTH'].includes(known) ?
		    known : `HTTP_${known}`, [value].flat().join(', '));
	}
	for (const [name, value] of Object.entries(more)) {
		if (value === null)
			params.delete(name);
		else
			params.set(name, value);
	}
	return [...params];
}

function unescaped(route)
{
	return Buffer.from(route.replace(/%([0-9a-f]{2})/gi, (all, hex) =>
	    String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('latin1');
}

// The records of a whole request.
export function requestRecords(id, pairs, body = null,
    { keep = true, role, size, padding, isLong } = {})
{
	return Buffer.concat([beginRequest(id, { keep, role }),
		stream(Type.PARAMS, id, encodePairs(pairs, { isLong }),
		    { size, padding }),
		stream(Type.STDIN, id, body ?? Buffer.alloc(0),
		    { size, padding })]);
}

// What STDOUT says (RFC 3875, 6.2 and 6.3), in the form of an HTTP response as
// Node gives it.
export function parseCgi(stdout)
{
	const end = stdout.indexOf('\r\n\r\n');
	const response = { status: 200, headers: {}, rawHeaders: [],
		body: stdout.subarray(end + 4) };

	assert.ok(end >= 0, 'no end of the header');
	for (const line of stdout.toString('latin1', 0, end).split('\r\n')) {
		const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(.*)$/
		    .exec(line) ?? assert.fail(`not a header: ${line}`);
		const key = name.toLowerCase();

		if (key === 'status') {
			assert.match(value, /^[1-5]\d\d [ -~]+$/);
			response.status = Number(value.slice(0, 3));
			continue;
		}
		response.rawHeaders.push(name, value);
		response.headers[key] = key in response.headers ?
		    `${response.headers[key]}, ${value}` : value;
	}
	return response;
}

// The response in the end of a request, which must have been a good one.
export function responseOf({ stdout, protocolStatus, appStatus, isOutEnded },
    method = 'GET')
{
	assert.equal(protocolStatus, Status.REQUEST_COMPLETE);
	assert.equal(appStatus, 0);
	assert.ok(isOutEnded, 'STDOUT was not ended');
	const response = parseCgi(stdout);
	const length = response.headers['content-length'];

	if (method === 'HEAD' || length === undefined)
		assert.equal(response.body.length, 0, 'a body');
	else
		assert.equal(response.body.length, Number(length));
	return response;
}

// A response with what its body says.
export function toJson(response)
{
	const text = response.body.toString('utf8');
	let json;

	try {
		json = JSON.parse(text);
	} catch {
		json = undefined;
	}
	return { ...response, text, json };
}
