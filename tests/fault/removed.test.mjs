// removed.test.mjs - somebody removes, renames or replaces a file of the database
// while it is in use.
//
// The daemon could go on for days, and would lose all of it at its end.  So it
// goes at once, with a sentence, and acknowledges nothing before that.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { makeRoom, ok, startDaemon, startStill, until }
    from '../lib/peerpost.mjs';

const SENTENCE =
    'while it was in use: stopping without acknowledging anything';

const cases = [
	['removed', '', (file) => fs.unlinkSync(file), 'removed or renamed'],
	['renamed', '', (file) => fs.renameSync(file, `${file}.old`),
		'removed or renamed'],
	['replaced', '', (file) => {
		fs.copyFileSync(file, `${file}.new`);
		fs.renameSync(`${file}.new`, file);
	}, 'replaced by another file'],
	['removed', '-wal', (file) => fs.unlinkSync(file), 'removed or renamed'],
	['replaced', '-wal', (file) => {
		fs.copyFileSync(file, `${file}.new`);
		fs.renameSync(`${file}.new`, file);
	}, 'replaced by another file'],
];

async function assertEnd(daemon, file, fate)
{
	const { code, signal } = await until(() => daemon.ended, 'end');

	assert.equal(signal, null);
	assert.equal(code, 1);
	assert.ok(daemon.stderr.includes(
	    `${fs.realpathSync(daemon.dir)}/peerpost.db${file} has been ` +
	    `${fate} ${SENTENCE}`), daemon.stderr);
}

for (const [what, file, act, fate] of cases) {
	const name = file ? 'the log' : 'the database';

	test(`${name} is ${what}: the next command is not acknowledged`,
	    async () => {
		// Time stands still: it is the command that meets it.
		const daemon = await startStill();
		const { players: [ann] } = await makeRoom(daemon);

		ok(await ann.message('before'));
		daemon.wanted = true;
		act(daemon.database + file);
		await assert.rejects(ann.message('after'),
		    /ECONNRESET|socket hang up/);
		await assertEnd(daemon, file, fate);
	});

	test(`${name} is ${what}: that is seen when nobody writes, too`,
	    async () => {
		const daemon = await startDaemon();
		const { players: [ann] } = await makeRoom(daemon);

		ok(await ann.message('before'));
		daemon.wanted = true;
		act(daemon.database + file);
		daemon.advance(2);
		await assertEnd(daemon, file, fate);
	});
}

test('a log that closing would remove by its name is left alone', async () => {
	const daemon = await startStill();
	const { players: [ann] } = await makeRoom(daemon);
	const log = `${daemon.database}-wal`;

	ok(await ann.message('before'));
	fs.renameSync(log, `${log}.old`);
	fs.writeFileSync(log, 'of another');
	assert.equal(await daemon.stop(), 1);
	assert.equal(fs.readFileSync(log, 'latin1'), 'of another');
});
