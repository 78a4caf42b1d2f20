// codec.test.mjs - the tests' own FastCGI, so that what fails elsewhere is the
// daemon.  The bytes are written out by hand from the specification.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePairs, encodePairs, endRequest, paramsOf, parseCgi, record,
    RecordReader, requestRecords, responseOf, Role, Status, stream, Type }
    from '../lib/fastcgi.mjs';
import { seeded } from '../lib/crowd.mjs';

const hex = (bytes) => bytes.toString('hex');

test('records are as in the specification, section 3.3', () => {
	assert.equal(hex(record(Type.STDOUT, 0x1234, Buffer.from('ab'),
	    { padding: 3 })), '0106123400020300' + '6162' + 'ffffff');
	assert.equal(hex(requestRecords(1, [['A', 'b']], Buffer.from('x'))),
	    '0101000100080000' + '0001010000000000' +
	    '0104000100040000' + '01014162' + '0104000100000000' +
	    '0105000100010000' + '78' + '0105000100000000');
	assert.equal(hex(endRequest(2, Status.UNKNOWN_ROLE)),
	    '0103000200080000' + '0000000003000000');
	assert.equal(requestRecords(1, [], null, { keep: false,
		role: Role.FILTER }).toString('hex', 8, 16), '0003000000000000');
});

test('pairs are as in the specification, section 3.4', () => {
	assert.equal(hex(encodePairs([['ab', '']])), '02006162');
	assert.equal(hex(encodePairs([['a', 'x'.repeat(128)]])),
	    '0180000080' + '61' + '78'.repeat(128));
	assert.equal(hex(encodePairs([['a', 'b']], { isLong: true })),
	    '8000000180000001' + '6162');
	for (const cut of ['02', '0201', '020161', '80', '8000000080'])
		assert.throws(() => decodePairs(Buffer.from(cut, 'hex')));
});

test('what is written is read again, however it is cut', () => {
	const random = seeded(1);
	const text = (n) => Buffer.from(Array.from({ length: n }, () =>
	    random(256))).toString('latin1');

	for (let round = 0; round < 50; round++) {
		const pairs = Array.from({ length: random(20) }, () =>
		    [text(random(3) ? random(20) : random(300)),
			    text(random(3) ? random(20) : random(3000))]);
		const bytes = encodePairs(pairs, { isLong: random(2) === 1 });
		const sent = Buffer.concat([
			stream(Type.PARAMS, 7, bytes, { size: 1 + random(500),
				padding: random(256) }),
			endRequest(7)]);
		const reader = new RecordReader();
		const records = [];

		for (let at = 0; at < sent.length;) {
			const n = 1 + random(700);

			records.push(...reader.push(sent.subarray(at, at + n)));
			at += n;
		}
		assert.equal(reader.pending.length, 0);
		assert.deepEqual(records.pop(), { type: Type.END_REQUEST, id: 7,
			content: Buffer.alloc(8) });
		assert.equal(records.pop().content.length, 0);
		assert.ok(records.every(({ type, id, content }) =>
		    type === Type.PARAMS && id === 7 && content.length > 0));
		assert.deepEqual(decodePairs(Buffer.concat(
		    records.map((each) => each.content))), pairs);
	}
});

test('parameters are those of a web server', () => {
	const params = new Map(paramsOf({ method: 'POST', target: '/a%20b?c=%41',
		headers: [['Authorization', 'Bearer t'], ['X-Y', ['1', '2']],
			['Content-Type', 'text/plain']],
		body: Buffer.from('four') }, { SCRIPT_NAME: null, NEW: '1' }));

	assert.equal(params.get('REQUEST_METHOD'), 'POST');
	assert.equal(params.get('REQUEST_URI'), '/a%20b?c=%41');
	assert.equal(params.get('DOCUMENT_URI'), '/a b');
	assert.equal(params.get('QUERY_STRING'), 'c=%41');
	assert.equal(params.get('HTTP_AUTHORIZATION'), 'Bearer t');
	assert.equal(params.get('HTTP_X_Y'), '1, 2');
	assert.equal(params.get('CONTENT_TYPE'), 'text/plain');
	assert.equal(params.get('CONTENT_LENGTH'), '4');
	assert.equal(params.has('SCRIPT_NAME'), false);
	assert.equal(params.get('NEW'), '1');
});

test('a CGI response reads as an HTTP response does', () => {
	const stdout = Buffer.from('Status: 404 Not Found\r\nVary: a\r\n' +
	    'Content-Length: 2\r\nvary: b\r\n\r\nhi');
	const end = { stdout, protocolStatus: 0, appStatus: 0, isOutEnded: true };

	assert.deepEqual(parseCgi(stdout), { status: 404,
		headers: { vary: 'a, b', 'content-length': '2' },
		rawHeaders: ['Vary', 'a', 'Content-Length', '2', 'vary', 'b'],
		body: Buffer.from('hi') });
	assert.equal(responseOf(end).status, 404);
	assert.throws(() => responseOf(end, 'HEAD'));
	assert.throws(() => responseOf({ ...end, isOutEnded: false }));
	assert.throws(() => responseOf({ ...end, protocolStatus: 2 }));
	assert.throws(() => responseOf({ ...end,
		stdout: stdout.subarray(0, -1) }));
	assert.throws(() => parseCgi(Buffer.from('Status: 200 OK\r\nhi')));
	assert.throws(() => parseCgi(Buffer.from('no header\r\n\r\n')));
});
