// monitoring.test.mjs - the listener of --metrics: what is served there, and
// what is not; and that the samples for Prometheus and Grafana ask for metrics
// that there are.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startAdministered } from '../lib/admin.mjs';
import { parseMetrics, readMetrics } from '../lib/metrics.mjs';
import { httpTransport, looked, makeRoom, ok, request, scratchDir, startDaemon,
    until } from '../lib/peerpost.mjs';
import { Wire } from '../lib/wire.mjs';

const srcdir = process.env.srcdir ??
    path.resolve(import.meta.dirname ?? path.dirname(
	new URL(import.meta.url).pathname), '../..');
const contrib = (name) =>
    fs.readFileSync(path.join(srcdir, 'contrib', name), 'utf8');

// One request on the listener of --metrics.
const monitor = (daemon, method, target, options = {}) =>
	request({ listeners: daemon.metrics, agent: daemon.agent,
		transport: httpTransport }, method, target, options);

test('three paths are served, and nothing that changes or tells of anybody',
    async () => {
	const socket = path.join(scratchDir(), 'metrics.sock');
	const daemon = await startAdministered(
	    { metrics: ['127.0.0.1:0', `unix:${socket}`] });
	const { uuid, players: [ann] } = await makeRoom(daemon);

	assert.match(daemon.stderr,
	    /^listening on metrics:\/\/127\.0\.0\.1:\d+$/m);
	for (const listener of [0, 1]) {
		for (const target of ['/healthz', '/readyz']) {
			const reply = await monitor(daemon, 'GET', target,
			    { listener });

			assert.deepEqual(Object.keys(ok(reply)),
			    ['status', 'version', 'connections']);
			assert.equal(reply.headers['cross-origin-resource-policy'],
			    'same-origin');
			for (const name of Object.keys(reply.headers))
				assert.doesNotMatch(name, /^access-control|^vary/);
		}
		const { status, text } = await monitor(daemon, 'GET', '/metrics',
		    { listener });

		assert.equal(status, 200);
		assert.equal(parseMetrics(text).get('peerpost_players')
		    .samples[0].value, 2);
		for (const [method, target] of [['GET', '/status'],
			['GET', '/rooms'], ['GET', `/rooms/${uuid}`],
			['POST', `/rooms/${uuid}/close`],
			['POST', `/players/${ann.id}/kick`], ['POST', '/reload'],
			['POST', '/log-level'], ['POST', '/backup'], ['GET', '/'],
			['POST', '/register'], ['GET', '/events'],
			['GET', '/metrics/all'], ['GET', '/nothing']]) {
			const reply = await monitor(daemon, method, target,
			    { listener });

			assert.equal(`${reply.status} ${reply.json?.error}`,
			    '404 not-found', target);
		}
		assert.equal((await monitor(daemon, 'POST', '/metrics',
		    { listener })).status, 405);
	}
	// A scraper knows the daemon by whatever name; it has no Origin.
	assert.equal((await monitor(daemon, 'GET', '/metrics',
	    { headers: { Host: 'signal.internal:9100' } })).status, 200);
	assert.equal(ok(await ann.room()).room, uuid);
});

test('it is open when players have taken all that there are, and the other ' +
    'way round', async () => {
	const daemon = await startAdministered({ clock: 'still',
		metrics: '127.0.0.1:0', args: ['--max-connections', '4'] });
	const wires = [];

	for (let i = 0; i < 4; i++)
		wires.push(await Wire.open(daemon));
	await until(async () => ok(await monitor(daemon, 'GET', '/healthz'))
	    .connections === 'full', 'full');
	for (const wire of wires)
		wire.close();
	const side = { listeners: daemon.metrics };
	const silent = [];

	for (let i = 0; i < 40; i++)
		silent.push(await Wire.open(side));
	ok(await request(daemon, 'GET', '/healthz'));
	ok(await request({ listeners: daemon.admin, agent: daemon.agent,
		transport: httpTransport }, 'GET', '/healthz'));
	// And it makes room among its own.
	const scrape = monitor(daemon, 'GET', '/metrics');
	let isOver = false;

	scrape.finally(() => {
		isOver = true;
	});
	await until(() => {
		daemon.advance(0.3);
		return isOver;
	}, 'answer');
	assert.equal((await scrape).status, 200);
	for (const wire of silent)
		wire.close();
});

test('it ends with the daemon, and a change needs a start', async () => {
	const config = path.join(scratchDir(), 'peerpost.conf');
	const socket = path.join(scratchDir(), 'metrics.sock');

	fs.writeFileSync(config, `metrics = unix:${socket},mode=0600\n`);
	const daemon = await startDaemon({ args: ['--config', config] });

	await until(() => /listening on metrics/.test(daemon.stderr), 'listener');
	assert.equal(fs.statSync(socket).mode & 0o777, 0o600);
	fs.writeFileSync(config, `metrics = unix:${socket}\n`);
	process.kill(daemon.pid, 'SIGHUP');
	await until(() => daemon.stderr.includes('has been reloaded'), 'reload');
	assert.match(daemon.stderr, /warning: --metrics has changed: this takes/);
	ok(await monitor(daemon, 'GET', '/readyz'));
	const kept = await Wire.open({ listeners: daemon.metrics });

	assert.equal(await daemon.stop(), 0);
	await kept.closed();
	assert.ok(!fs.existsSync(socket));
});

test('its requests are logged, and not counted as players\'', async () => {
	const daemon = await startAdministered({ metrics: '127.0.0.1:0',
		args: ['--access-log'] });
	const before = (await readMetrics(daemon))('peerpost_requests_total');

	await monitor(daemon, 'GET', '/metrics');
	await monitor(daemon, 'GET', '/healthz');
	await until(() => /transport=metrics method=GET route=\/healthz/
	    .test(daemon.stderr), 'line of the log');
	assert.equal((await readMetrics(daemon))('peerpost_requests_total'),
	    before);
	await looked(daemon);
});

// The names of metrics in an expression of PromQL.
const namesIn = (expr) => expr.match(/\b(?:peerpost|process)_[a-z_]+/g) ?? [];

async function assertExist(names)
{
	const daemon = await startAdministered();
	const metrics = await readMetrics(daemon);

	assert.ok(names.length > 0);
	for (const name of new Set(names)) {
		const base = name.replace(/_(bucket|sum|count)$/, '');
		const family = metrics.families.get(name) ??
		    metrics.families.get(base);

		assert.ok(family, `there is no ${name}`);
		assert.equal(family.name !== name, family.type === 'histogram',
		    `${name} is a ${family.type}`);
	}
}

test('the alerts are on metrics that there are', async () => {
	const lines = contrib('prometheus/alerts.yml').split('\n')
	    .filter((line) => !/^\s*#/.test(line));

	await assertExist(namesIn(lines.join('\n')));
});

test('the dashboard shows metrics that there are, each panel some', async () => {
	const dashboard = JSON.parse(contrib('grafana/peerpost.json'));
	const panels = dashboard.panels.filter(({ type }) => type !== 'row');
	const page = fs.readFileSync(
	    path.join(srcdir, 'man/peerpost-metrics.7'), 'utf8');
	const names = [];
	const labels = [];
	const places = new Set();

	assert.ok(panels.length >= 12);
	assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size,
	    dashboard.panels.length);
	for (const { title, description, targets, gridPos } of panels) {
		assert.ok(title && description, title);
		for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
			for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
				assert.ok(!places.has(`${x} ${y}`), `${title} covers`);
				places.add(`${x} ${y}`);
			}
		assert.ok(gridPos.x + gridPos.w <= 24, title);
		for (const { expr } of targets) {
			assert.ok(namesIn(expr).length > 0, `${title}: ${expr}`);
			assert.match(expr, /instance=~"\$instance"/, title);
			names.push(...namesIn(expr));
			for (const [, by] of expr.matchAll(/by \(([^)]*)\)/g))
				labels.push(...by.split(', '));
		}
		for (const { legendFormat = '' } of targets)
			for (const [, label] of
				legendFormat.matchAll(/{{(\w+)}}/g))
				assert.ok(labels.includes(label), title);
	}
	await assertExist(names);
	for (const label of new Set(labels))
		assert.ok(['instance', 'le'].includes(label) ||
		    new RegExp(`^\\.Ql ${label}\\b`, 'm').test(page), label);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test('promtool has nothing to say about the rules and the configuration',
    { skip: hasPromtool ? false : 'no promtool' }, () => {
	for (const [what, file] of [['config', 'prometheus.yml'],
		['rules', 'alerts.yml']]) {
		const { status, stdout, stderr } = spawnSync('promtool',
		    ['check', what, path.join(srcdir, 'contrib/prometheus', file)],
		    { encoding: 'utf8' });

		assert.equal(status, 0, stdout + stderr);
	}
});
