// openapi.mjs - docs/openapi.yaml, and whether a reply is as it says.
//
// It takes a YAML parser and a JSON Schema validator, which are not in the
// tree: tests/openapi/package.json names them, and ./bootstrap --check installs
// them into the build folder.  Without them nothing is checked.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const document = new URL('../../docs/openapi.yaml', import.meta.url);

// Where the modules are sought: the tests run in the build folder.
export const modulesDir =
    path.resolve(process.env.PEERPOST_OPENAPI_MODULES ?? 'modules/openapi');
export const whyNot = fs.existsSync(path.join(modulesDir, 'node_modules')) ?
    false : `needs npm ci in ${modulesDir}; ./bootstrap --check does it`;

// The members that a header may be of; others belong to HTTP.
const DOCUMENTED_HEADERS = ['allow', 'retry-after', 'location', 'etag', 'link',
	'www-authenticate', 'idempotency-replayed', 'content-security-policy',
	'referrer-policy',
	'access-control-allow-methods', 'access-control-allow-headers',
	'access-control-max-age', 'accept-encoding'];

export class OpenapiDocument {
	constructor(text = fs.readFileSync(document, 'utf8'))
	{
		const require = createRequire(path.join(modulesDir, 'x.js'));
		const Ajv = require('ajv/dist/2020').default;

		this.doc = require('js-yaml').load(text);
		// Format is an annotation only; the document as a whole is no
		// JSON Schema, and the schemas in it are redocly's to check.
		this.ajv = new Ajv({ strict: false, validateFormats: false,
			validateSchema: false });
		this.ajv.addSchema(this.doc, 'doc');
		this.validators = new Map();
	}

	// What stands at a JSON pointer, and where it really stands.
	resolve(pointer)
	{
		const value = pointer.split('/').slice(1).reduce((at, step) =>
		    at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')],
		this.doc);

		return value?.$ref?.startsWith('#/') ?
		    this.resolve(value.$ref.slice(1)) : { value, pointer };
	}

	validator(pointer)
	{
		if (!this.validators.has(pointer))
			this.validators.set(pointer, this.ajv.compile(
			    { $ref: `doc#${pointer}` }));
		return this.validators.get(pointer);
	}

	// The pointer to all that may be answered to this request, below the
	// base path.
	responsesTo(method, target, basePath)
	{
		const [raw] = target.replace(/^https?:\/\/[^/?]*/i, '').split('?');
		let where;

		try {
			where = decodeURIComponent(raw || '/');
		} catch {
			where = raw;
		}
		where = where.replace(/\/+/g, '/');
		where = where.startsWith(basePath) ?
		    where.slice(basePath.length) || '/' : '';
		// A slash at the end of what is no file is passed over.
		if (!this.doc.paths[where] && !/\.\w+\/$/.test(where))
			where = where.replace(/\/$/, '');
		const operation = `/paths/${where.replaceAll('~', '~0')
		    .replaceAll('/', '~1')}/${method.toLowerCase()}`;

		return this.resolve(operation).value ? operation :
		    '/x-elsewhere';
	}

	// Throw unless the reply is as the document says.
	check(method, target, reply, basePath = '')
	{
		const operation = this.responsesTo(method, target, basePath);
		const what = `${method} ${target}: ${reply.status} ` +
		    reply.text.slice(0, 1000);
		const { value: response, pointer } = this.resolve(
		    `${operation}/responses/${reply.status}`);

		assert.ok(response, `docs/openapi.yaml knows no such status: ${what}`);
		this.checkHeaders(pointer, response, reply, what);
		if (method !== 'HEAD')
			this.checkBody(pointer, response, reply, what);
		this.checkCode(this.resolve(operation).value['x-failure-code'],
		    reply, what);
	}

	checkHeaders(pointer, response, reply, what)
	{
		const documented = new Set();

		// A page of another origin sees this one of every reply, and
		// Godot takes a reply without any for a lost one.
		assert.match(reply.headers['cache-control'] ?? 'none',
		    /^no-(store|cache)/, what);
		for (const name of Object.keys(response.headers ?? {})) {
			const { value: header, pointer: at } = this.resolve(
			    `${pointer}/headers/${name}`);
			const value = reply.headers[name.toLowerCase()];

			documented.add(name.toLowerCase());
			if (value === undefined) {
				assert.ok(!header.required, `no ${name}: ${what}`);
				continue;
			}
			const validate = this.validator(`${at}/schema`);

			assert.ok(validate(value) || (/^\d+$/.test(value) &&
			    validate(Number(value))), `${name} is ${value}: ${what}`);
		}
		for (const name of DOCUMENTED_HEADERS)
			assert.ok(documented.has(name) ||
			    reply.headers[name] === undefined,
			`docs/openapi.yaml knows no ${name} here: ${what}`);
	}

	checkBody(pointer, response, reply, what)
	{
		const [type] = (reply.headers['content-type'] ?? '').split(';');

		if (!response.content) {
			assert.equal(`${type} ${reply.text}`, ' ', what);
			return;
		}
		assert.ok(Object.hasOwn(response.content, type),
		    `docs/openapi.yaml knows no ${type} here: ${what}`);
		if (type !== 'application/json')
			return;
		const validate = this.validator(
		    `${pointer}/content/application~1json/schema`);

		assert.notEqual(reply.json, undefined, `no JSON: ${what}`);
		assert.ok(validate(reply.json), 'not as docs/openapi.yaml says, ' +
		    `${this.ajv.errorsText(validate.errors)}: ${what}`);
	}

	// The code of a failure is the command's own, unless it was not yet clear
	// which one it is.
	checkCode(codes, reply, what)
	{
		if (!codes || reply.status < 400 || reply.status === 410 ||
		    !reply.json)
			return;
		assert.ok(['###!ICB', codes].flat().includes(reply.json.command),
		    what);
	}

	// The error words of a response, by its schema.
	wordsOf(pointer)
	{
		const { value } = this.resolve(pointer);
		const schema = value?.content?.['application/json']?.schema;
		const { error } = schema?.allOf?.at(-1).properties ?? {};

		return error ? [error.const ?? error.enum].flat() : [];
	}
}

// At once, and not with the first reply: that would come late.
const known = whyNot ? null : new OpenapiDocument();

// Check a reply of this daemon's own; nothing if the modules are not there.
// daemon.basePath: the base path, if it does not come from the command line.
export async function checkReply(daemon, method, target, reply)
{
	const n = known?.validators.size;

	known?.check(method, target, reply, daemon.basePath ?? basePathOf(daemon.args));
	// To compile a schema takes a while, in which the daemon may have closed
	// connections.  Look at them (which comes after the first turn) before
	// the test sends on one.
	if (known && known.validators.size !== n)
		for (let i = 0; i < 2; i++)
			await new Promise(setImmediate);
}

function basePathOf(args)
{
	const i = args.findLastIndex((each) => /^--base-path(=|$)/.test(each));

	if (i < 0)
		return '';
	return (args[i].includes('=') ? args[i].slice('--base-path='.length) :
	    args[i + 1]).replace(/\/$/, '');
}
