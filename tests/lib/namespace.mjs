// namespace.mjs - test files that run themselves again in namespaces of their
// own, where there is no network but loopback: nothing gets out, and addresses
// may be whatever a test needs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const INSIDE = 'PEERPOST_TEST_NAMESPACE';

function inNamespace(command, { setUp = 'true', unshare, timeout })
{
	// In there one is root; by what right depends on what one is here.
	const flags = unshare ?? (process.getuid() === 0 ? ['-n'] : ['-rn']);
	const env = { ...process.env, [INSIDE]: 'yes' };

	delete env.NODE_TEST_CONTEXT;
	return spawnSync('unshare', [...flags, 'sh', '-c',
		`ip link set lo up && ${setUp} && exec "$@"`, 'sh', ...command],
	{ env, encoding: 'utf8', timeout, killSignal: 'SIGKILL' });
}

// Run the tests of a file, given as a function, in there; outside, they are one
// test of this name, which passes on their diagnostics that begin with
// "measured: ".  url: the file's import.meta.url; setUp: shell commands;
// unshare: flags for unshare(1); skip: why it cannot be, or false.
export async function inNamespaceOfItsOwn(url, name, tests, { skip = false,
    timeout = 120_000, ...options } = {})
{
	if (process.env[INSIDE] !== undefined) {
		await tests();
		return;
	}
	skip ||= inNamespace(['true'], { timeout, ...options }).status !== 0 &&
	    'no namespace can be made here';
	test(name, { skip }, (t) => {
		const { status, stdout, stderr } = inNamespace([process.execPath,
			'--test-reporter=tap', fileURLToPath(url)],
		{ timeout, ...options });

		assert.equal(status, 0, stdout + stderr);
		assert.match(stdout, /# pass [1-9]/);
		for (const [, text] of stdout.matchAll(/^ *# (measured: .*)$/gm))
			t.diagnostic(text);
	});
}
