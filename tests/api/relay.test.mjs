// relay.test.mjs - offers, answers and candidates: who gets them, and that
// nothing but the id is touched (protocol section 2).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, startDaemon }
    from '../lib/peerpost.mjs';

const daemon = await startDaemon({ args: ['--command-burst', '5000'] });
const KINDS = [['/offer', 'OOO'], ['/answer', 'AAA'], ['/candidate', 'CCC']];
const { uuid, players: [host, bob, cat] } = await makeRoom(daemon,
    ['ann', 'bob', 'cat']);

// The raw data of the only event that `to` gets when `from` sends text.
async function relayed(from, to, text, target = '/offer')
{
	const reply = await from.post(target, { text });

	assert.equal(`${reply.status} ${reply.text}`, '204 ', text);

	const got = await to.events({ after: to.cursor, wait: 0 });
	const next = to.cursor + 1;
	const match = got.text.match(
	    /^\{"events":\[\{"id":(\d+),"command":"###!(\w+)","data":(.*)\}\],"next":(\d+)\}$/s);

	assert.ok(match, got.text);
	assert.equal(Number(match[1]), next);
	assert.equal(Number(match[4]), next);
	to.cursor = next;
	return { data: match[3], code: match[2] };
}

test('offer, answer and candidate reply 204 without a body, length or type',
    async () => {
	for (const [target] of KINDS) {
		const reply = await bob.post(target, { body: { id: 1 } });

		assert.equal(reply.status, 204);
		assert.equal(reply.text, '');
		assert.equal(reply.headers['content-length'], undefined);
		assert.equal(reply.headers['content-type'], undefined);
	}
	await host.drain();
});

test('the recipient gets OOO, AAA or CCC with the sender\'s peer id',
    async () => {
	for (const [target, code] of KINDS) {
		assert.deepEqual(await relayed(bob, cat,
		    `{"id":${cat.id},"rtc":"x"}`, target),
		{ code, data: `{"id":${bob.id},"rtc":"x"}` });
		assert.deepEqual(await relayed(host, cat,
		    `{"id":${cat.id},"rtc":"x"}`, target),
		{ code, data: '{"id":1,"rtc":"x"}' });
	}
});

test('nobody but the recipient gets it', async () => {
	await relayed(bob, cat, `{"id":${cat.id}}`);
	assert.deepEqual(await host.drain(), []);
	assert.deepEqual(await bob.drain(), []);
});

test('the host may be addressed as 1 or by its player id', async () => {
	for (const id of [1, host.id]) {
		const { data } = await relayed(bob, host, `{"id":${id},"rtc":0}`);

		assert.equal(data, `{"id":${bob.id},"rtc":0}`);
	}
});

test('an id may be a string of digits and is always sent as an integer',
    async () => {
	for (const id of ['"1"', `"${host.id}"`, '"\\u0031"'])
		assert.equal((await relayed(bob, host, `{"id":${id},"rtc":0}`))
		    .data, `{"id":${bob.id},"rtc":0}`);
	assert.equal((await relayed(host, bob, `{"id":"${bob.id}"}`)).data,
	    '{"id":1}');
});

test('the id is replaced wherever it stands in the object', async () => {
	const id = bob.id;

	for (const [sent, got] of [
		['{"id":1}', `{"id":${id}}`],
		['{"id":1,"rtc":{}}', `{"id":${id},"rtc":{}}`],
		['{"rtc":{},"id":1}', `{"rtc":{},"id":${id}}`],
		['{"a":[1,2],"id":1,"z":null}', `{"a":[1,2],"id":${id},"z":null}`],
		['{"rtc":{"id":7},"id":1}', `{"rtc":{"id":7},"id":${id}}`],
		['{"rtc":"\\"id\\":9","id":1}', `{"rtc":"\\"id\\":9","id":${id}}`],
		['{"\\u0069d":1,"rtc":2}', `{"\\u0069d":${id},"rtc":2}`],
		['{"Id":5,"id":1,"ID":6}', `{"Id":5,"id":${id},"ID":6}`],
	])
		assert.equal((await relayed(bob, host, sent)).data, got);
});

test('numbers of any size and notation are not re-formatted', async () => {
	const numbers = ['0', '-0', '1.0', '1.50', '1e5', '1E+05', '-1e-400',
		'1e999', '123456789012345678901234567890',
		'0.1000000000000000055511151231257827', '9007199254740993',
		'-9223372036854775809'].join(',');

	assert.equal((await relayed(bob, host, `{"n":[${numbers}],"id":1}`)).data,
	    `{"n":[${numbers}],"id":${bob.id}}`);
});

test('strings are not re-escaped', async () => {
	const strings = ['"\\/"', '"/"', '"\\u0041"', '"\\u00e9é"',
		'"\\ud83d\\ude00😀"', '"\\uD83D\\uDE00"', '"\\b\\f\\n\\r\\t\\"\\\\"',
		'"\\u0000"', '"\\u2028\u2028"', '"\x7f"', '"</script>"'].join(',');

	assert.equal((await relayed(bob, host, `{"s":[${strings}],"id":1}`)).data,
	    `{"s":[${strings}],"id":${bob.id}}`);
});

test('duplicate keys inside what is relayed pass untouched', async () => {
	for (const rest of ['"rtc":{"id":1,"id":2,"a":0,"a":0}',
	    '"rtc":1,"rtc":2', '"rtc":[{"data":1,"data":2}]'])
		assert.equal((await relayed(bob, host, `{"id":1,${rest}}`)).data,
		    `{"id":${bob.id},${rest}}`);
});

test('white space inside the object passes untouched', async () => {
	assert.equal((await relayed(bob, host,
	    '{ "rtc" :\t[ 1 , 2 ]\r\n, "id" : 1 , "x" : { } }')).data,
	`{ "rtc" :\t[ 1 , 2 ]\r\n, "id" : ${bob.id} , "x" : { } }`);
	assert.equal((await relayed(bob, host, '{"id":\n1\n}')).data,
	    `{"id":\n${bob.id}\n}`);
});

test('keys of every kind pass: nothing is whitelisted', async () => {
	for (const rest of ['"offer":"v=0"', '"answer":"v=0"',
	    '"mid":"0","index":0,"sdp":"candidate:1"', '"":0', '"token":"x"',
	    '"command":"###!OO","data":1,"after":"x","wait":-1,"max":[]'])
		assert.equal((await relayed(bob, host, `{"id":1,${rest}}`)).data,
		    `{"id":${bob.id},${rest}}`);
});

test('an offer of nearly the greatest body arrives whole', async () => {
	const sdp = 'v=0\\r\\n'.repeat(9000).slice(0, 65000);
	const text = `{"id":1,"rtc":"${sdp.replace(/\\[rn]?$/, '')}"}`;

	assert.equal((await relayed(bob, host, text)).data,
	    text.replace('"id":1', `"id":${bob.id}`));
});

test('what one sender sends arrives in its order', async () => {
	for (let i = 0; i < 20; i++)
		await bob.post(KINDS[i % 3][0], { body: { id: 1, rtc: i } });
	assert.deepEqual(await host.news(), Array.from({ length: 20 },
	    (_, i) => [KINDS[i % 3][1], { id: bob.id, rtc: i }]));
});

test('a relay without an integer id is bad-data', async () => {
	for (const [target] of KINDS)
		for (const text of ['{}', '{"rtc":1}', '{"id":null}',
		    '{"id":true}', '{"id":1.5}', '{"id":1e-1}', '{"id":1e999999999}',
		    '{"id":9007199254740992}', '{"id":"18446744073709551617"}',
		    '{"id":"NaN"}', '{"id":"1.0abc"}', '{"id":"1."}',
		    '{"id":0.5}', '{"id":""}', '{"id":"x"}', '{"id":"-5"}',
		    '{"id":"1.5"}', '{"id":" 1"}', '{"id":"1 "}', '{"id":"+1"}',
		    '{"id":[1]}', '{"id":{}}', '{"ID":1}', '[]', '[1]', '1',
		    '"x"', 'null', 'true'])
			assertFailure(await bob.post(target, { text }), 400, 'ICB',
			    'bad-data');
	assert.deepEqual(await host.drain(), []);
});

test('a relay to nobody is peer-not-found', async () => {
	const stranger = await Player.register(daemon);

	for (const [target] of KINDS)
		for (const id of ['0', '2', '-1', '-0', '2147483648',
		    '4294967297', '9007199254740991', '"9007199254740991"',
		    '-1.0', '0.0', '2.0', '3e9', '"0"', '"007"',
		    String(stranger.id), `"${stranger.id}"`])
			assertFailure(await bob.post(target,
			    { text: `{"id":${id}}` }), 404, 'ICB',
			'peer-not-found');
	assert.deepEqual(await host.drain(), []);
	assert.deepEqual(await stranger.drain(), []);
});

test('an offer to oneself is peer-not-found', async () => {
	for (const [target] of KINDS) {
		assertFailure(await bob.post(target, { body: { id: bob.id } }), 404,
		    'ICB', 'peer-not-found');
		for (const id of [1, host.id])
			assertFailure(await host.post(target, { body: { id } }), 404,
			    'ICB', 'peer-not-found');
	}
});

test('nobody can reach into another room', async () => {
	const other = await makeRoom(daemon, ['dan', 'eve']);

	for (const [target] of KINDS) {
		for (const { id } of [host, bob, cat])
			assertFailure(await other.players[1].post(target,
			    { body: { id } }), 404, 'ICB', 'peer-not-found');
		assertFailure(await bob.post(target,
		    { body: { id: other.players[0].id } }), 404, 'ICB',
		'peer-not-found');
	}
	for (const player of [host, bob, cat])
		assert.deepEqual(await player.drain(), []);
});

test('a relay outside a room is not-in-room', async () => {
	const player = await Player.register(daemon);

	for (const [target] of KINDS)
		for (const id of [1, bob.id, player.id])
			assertFailure(await player.post(target, { body: { id } }), 409,
			    'ICB', 'not-in-room');
});

test('a member that left cannot be reached any more', async () => {
	const dan = await Player.register(daemon, 'dan');

	ok(await dan.join(uuid));
	ok(await dan.leave());
	await dan.drain();
	assertFailure(await bob.post('/offer', { body: { id: dan.id } }), 404,
	    'ICB', 'peer-not-found');
	assert.deepEqual(await dan.drain(), []);
	for (const player of [host, bob, cat])
		await player.drain();
});

test('relays work in a sealed room', async () => {
	const { players: [ann, eve] } = await makeRoom(daemon);

	ok(await ann.seal());
	await ann.drain();
	ok(await eve.offer({ id: 1, rtc: 'x' }));
	assert.deepEqual(await ann.news(), [['OOO', { id: eve.id, rtc: 'x' }]]);
});

test('a relay without a body is bad-json', async () => {
	for (const [target] of KINDS)
		assertFailure(await bob.post(target), 400, 'ICB', 'bad-json');
});

test('a duplicate of the id is bad-json, compared after unescaping',
    async () => {
	for (const text of ['{"id":1,"id":1}', '{"id":1,"rtc":0,"id":2}',
	    '{"id":1,"\\u0069d":1}', '{"\\u0069\\u0064":1,"i\\u0064":1}'])
		assertFailure(await bob.post('/offer', { text }), 400, 'ICB',
		    'bad-json');
	assert.deepEqual(await host.drain(), []);
});
