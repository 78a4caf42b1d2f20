// units.test.mjs - the units for systemd: whether systemd understands them, and
// what is left to a daemon that somebody has taken over.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { program, runProgram, scratchDir } from '../lib/peerpost.mjs';

// Ten times the exposure that is let pass, of which 100 is the worst.
const MAX_EXPOSURE = 20;

const sources = fileURLToPath(new URL('../../contrib/systemd/', import.meta.url));
const service = fs.readFileSync(path.join(path.dirname(program),
    '../contrib/systemd/peerpost.service'), 'utf8');
const sockets = fs.readdirSync(sources).filter((name) =>
    name.endsWith('.socket'));
const skip = spawnSync('systemd-analyze', ['--version']).status !== 0 &&
    'needs systemd-analyze';

// All units in a folder of their own, with the program that is here.
function unitDir(text = service)
{
	const dir = scratchDir();

	fs.writeFileSync(path.join(dir, 'peerpost.service'),
	    text.replace(/^ExecStart=\S+/m, `ExecStart=${program}`));
	for (const name of sockets)
		fs.copyFileSync(path.join(sources, name), path.join(dir, name));
	return dir;
}

function analyze(...args)
{
	const { status, stdout, stderr } = spawnSync('systemd-analyze', args,
	    { encoding: 'utf8', env: { ...process.env, SYSTEMD_COLORS: '0' } });

	return { status, said: stdout + stderr };
}

function exposure(dir)
{
	return analyze('security', '--offline=true',
	    `--threshold=${MAX_EXPOSURE}`, path.join(dir, 'peerpost.service'));
}

test('systemd has nothing to say about the units', { skip }, () => {
	const dir = unitDir();

	// --man: the pages need not be installed.
	assert.deepEqual(analyze('verify', '--man=no', ...['peerpost.service',
		...sockets].map((name) => path.join(dir, name))),
	{ status: 0, said: '' });
});

test(`the service is exposed ${MAX_EXPOSURE / 10} or less`, { skip }, () => {
	const { status, said } = exposure(unitDir());

	assert.equal(status, 0, said);
	assert.match(said, /Overall exposure level for peerpost\.service: [01]\./);
	// That it can fail.
	assert.notEqual(exposure(unitDir(service.replace(
	    /^(DynamicUser|User|SystemCallFilter|CapabilityBoundingSet)=.*$/mg,
	    ''))).status, 0);
});

test('the service may not take all memory, but what its connections need',
    () => {
	const [, limit] = /^MemoryMax=(\d+)G$/m.exec(service);
	const [, nFiles] = /^LimitNOFILE=(\d+)$/m.exec(service);

	// A held poll over TLS takes 20 KiB.
	assert.ok(limit * 2 ** 30 > nFiles * 20 * 1024 + 2 ** 28);
});

test('the command line of the service is one', () => {
	const [, command] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(service);
	const { stdout } = runProgram(['--help']);

	assert.match(command, /^\/\S+\/peerpostd /);
	for (const [option] of command.matchAll(/--[a-z-]+/g))
		assert.match(stdout, new RegExp(`^  ${option} `, 'm'));
	assert.doesNotMatch(service, /@[a-z_]+@/);
});

test('the names of the sockets are those that the daemon knows', () => {
	for (const name of sockets) {
		const text = fs.readFileSync(path.join(sources, name), 'utf8');
		const kind = /^peerpost(?:-(.*))?\.socket$/.exec(name)[1] ?? 'http';

		assert.match(text, new RegExp(`^FileDescriptorName=${kind}$`, 'm'));
		// The service of the same name is found without.
		assert.equal(/^Service=peerpost\.service$/m.test(text),
		    kind !== 'http');
	}
});

test('a start is tried again without end, at a measured pace', () => {
	// A limit would close the sockets, as connections start the service, too.
	assert.match(service, /^\[Unit\]\n(?:[^[].*\n|\n)*StartLimitIntervalSec=0$/m);
	assert.match(service, /^Restart=on-failure$/m);
	assert.match(service, /^RestartSec=[1-9]\d*s$/m);
	assert.doesNotMatch(service, /^RestartPreventExitStatus=/m);
});

test('a reload checks the file that the service has', () => {
	const [, config] = /^ExecStart=\S+ --config (\S+)$/m.exec(service);
	const reloads = [...service.matchAll(/^ExecReload=(.*)$/mg)].map((m) =>
	    m[1]);

	assert.match(reloads[0],
	    new RegExp(`peerpostd --check-config --config ${config} >/dev/null`));
	assert.deepEqual(reloads.slice(1), ['/bin/kill -HUP $MAINPID']);
});

test('a restart of the service opens the sockets that have been enabled', () => {
	for (const name of sockets) {
		const text = fs.readFileSync(path.join(sources, name), 'utf8');
		const isPulled = /^Sockets=.*$/m.exec(service)[0].includes(name);

		assert.equal(/^WantedBy=sockets\.target peerpost\.service$/m
		    .test(text), !isPulled, name);
	}
});
