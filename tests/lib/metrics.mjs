// metrics.mjs - GET /metrics of a daemon, read strictly.
//
// What is checked of each reply is the grammar of Prometheus' text format
// 0.0.4 and the rules of `promtool check metrics`, which is in a package of
// 19 MB that tests should not need.
import assert from 'node:assert/strict';
import { ask } from './admin.mjs';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? ` +
    '(-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|\\+Inf|NaN)$');
const HEAD = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);

// The families of a text, by name: { help, type, samples }.
export function parseMetrics(text)
{
	const families = new Map();
	const seen = new Set();
	let family = null;

	assert.ok(text.endsWith('\n'), 'the last line has an end');
	for (const line of text.slice(0, -1).split('\n')) {
		const head = HEAD.exec(line);

		if (head?.[1] === 'HELP') {
			assert.ok(!families.has(head[2]), `twice: ${line}`);
			family = { name: head[2], help: head[3], samples: [] };
			families.set(family.name, family);
			continue;
		}
		if (head) {
			assert.equal(head[2], family.name, line);
			assert.equal(family.type, undefined, line);
			assert.equal(family.samples.length, 0, line);
			family.type = head[3];
			continue;
		}
		const found = SAMPLE.exec(line);

		assert.ok(found, `no sample: ${line}`);
		const [, name, labels = '', value] = found;

		assert.ok(!seen.has(name + labels), `twice: ${line}`);
		seen.add(name + labels);
		assert.ok(name === family.name || (family.type === 'histogram' &&
		    ['_bucket', '_sum', '_count'].some((suffix) =>
			name === family.name + suffix)), `stray: ${line}`);
		family.samples.push({ name, value: Number(value.replace('+Inf',
		    'Infinity')), labels: Object.fromEntries([...labels.matchAll(
		    /([^=,]+)="((?:[^"\\]|\\.)*)"/g)].map((each) =>
		    each.slice(1))) });
	}
	return families;
}

function lintHistogram({ name, samples })
{
	const buckets = samples.filter((each) => each.name === `${name}_bucket`);
	const count = samples.find((each) => each.name === `${name}_count`);
	const sum = samples.find((each) => each.name === `${name}_sum`);
	let bound = -Infinity, n = 0;

	assert.equal(buckets.length + 2, samples.length, name);
	for (const { labels, value } of buckets) {
		const le = Number(labels.le.replace('+Inf', 'Infinity'));

		assert.deepEqual(Object.keys(labels), ['le'], name);
		assert.ok(le > bound, `${name}: ${labels.le} stands too late`);
		assert.ok(value >= n, `${name}: ${labels.le} does not add up`);
		[bound, n] = [le, value];
	}
	assert.equal(bound, Infinity, `${name}: +Inf is the last`);
	assert.equal(count.value, n, `${name}: count is that of +Inf`);
	assert.ok(sum.value >= 0 && (n > 0 || sum.value === 0), name);
}

// The rules of promtool (client_golang, promlint).
function lint(family)
{
	const { name, help, type, samples } = family;

	assert.ok(help?.trim(), `${name} has no help`);
	assert.match(type ?? '', /^(counter|gauge|histogram)$/, name);
	assert.equal(name.endsWith('_total'), type === 'counter',
	    `${name} is a ${type}`);
	assert.doesNotMatch(name, /_(bucket|sum|count|info_total)$/, name);
	assert.doesNotMatch(name, /(counter|gauge|histogram|summary)/, name);
	assert.match(name, /^[a-z][a-z0-9_]*$/, 'neither camelCase nor colons');
	assert.doesNotMatch(name,
	    /_(ms|us|ns|s|milliseconds|microseconds|minutes|hours|kb|kilobytes|mb|percent)(_|$)/,
	    `${name}: base units, written out`);
	assert.match(name, /^(peerpost|process)_/);
	for (const { labels, value } of samples) {
		assert.ok(type === 'histogram' || !('le' in labels), name);
		assert.ok(!('quantile' in labels), name);
		assert.ok(!Number.isNaN(value) && value >= 0, name);
	}
	if (type === 'histogram')
		lintHistogram(family);
}

// All metrics of a daemon with an admin listener, as they are now:
// metrics(name, labels) is the sum of all samples that fit.
export async function readMetrics(daemon)
{
	const reply = await ask(daemon, 'GET', '/metrics');

	assert.equal(reply.status, 200, reply.text);
	assert.equal(reply.headers['content-type'],
	    'text/plain; version=0.0.4; charset=utf-8');
	const families = parseMetrics(reply.text);

	for (const family of families.values())
		lint(family);

	const metrics = (name, wanted = {}) => {
		const base = name.replace(/_(bucket|sum|count)$/, '');
		const family = families.get(name) ?? families.get(base);

		assert.ok(family, `there is no ${name}`);
		return family.samples.filter((each) => each.name === name &&
		    Object.entries(wanted).every(([label, value]) =>
			each.labels[label] === value))
		    .reduce((sum, each) => sum + each.value, 0);
	};

	return Object.assign(metrics, { families, text: reply.text });
}
