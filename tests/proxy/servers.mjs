// servers.mjs - web servers in front of a daemon, each with the configuration
// that contrib/ has for it.
//
// A server runs in a scratch folder, as an unprivileged user where the tests
// are root.  The shipped file is used as it is but for the names that belong
// to a machine: sockets, ports, log folders.  Around it stands what a server
// does not start without, in the place of the distribution's own files.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchDir, until } from '../lib/peerpost.mjs';
import { patience, within } from '../lib/wait.mjs';

const contrib = fileURLToPath(new URL('../../contrib/', import.meta.url));
const STOP_MS = 10_000 * patience;
// Debian has this user always; web servers do not care to run as root.
const USER = 'www-data';

const isRoot = process.getuid() === 0;
const running = new Set();

process.on('exit', () => {
	for (const server of running)
		server.killAll();
});

// --- the table ------------------------------------------------------------

// name: for people.  program.  upstream: 'http' or 'fastcgi'.  shipped: the
// file in contrib/.  names(place): what in it belongs to a machine, as [from,
// to] pairs; place is { dir, host, port, upstream } with upstream the daemon's
// HOST:PORT or socket.  edit: what else is different, as [from, to] pairs.
// isVariant: not the shipped file in earnest; slow scenarios are left out.
// wrap(text, place): the files that the server is started with.
// command(place).  reload: a signal, or a command(place).  generation(server):
// something that is another after a reload.  stop: the signal to end with.
// log: its log of requests, if it has one.
//
// And the facts of docs/proxies.md, which the tests hold the servers to:
// holdsFor: what the shipped file says about how long a reply may take, in
// seconds.  tellsHangUp: the daemon learns at once that a client has gone.
// onCut: the statuses that a client may see when the daemon dies under a poll.

const nginx = {
	program: 'nginx',
	names: ({ dir, host, port, upstream }) => [
		['listen 80;', `listen ${host}:${port};`],
		['/var/log/nginx/', `${dir}/`],
		...toUpstream('unix:/run/peerpost/fastcgi.sock',
		    '127.0.0.1:8080', upstream),
	],
	wrap: (text, { dir }) => ({
		'site.conf': text,
		'fastcgi_params':
		    fs.readFileSync('/etc/nginx/fastcgi_params', 'utf8'),
		'nginx.conf': `
			daemon off;
			pid ${dir}/nginx.pid;
			error_log ${dir}/error.log;
			worker_processes 2;
			worker_rlimit_nofile 16384;
			events { worker_connections 6000; }
			http {
				access_log off;
				${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
				    .map((each) => `${each}_temp_path ${dir}/${each};`)
				    .join('\n')}
				include ${dir}/site.conf;
			}`,
	}),
	command: ({ dir }) => ['nginx', '-e', `${dir}/error.log`, '-p', dir,
		'-c', `${dir}/nginx.conf`],
	reload: 'SIGHUP',
	generation: (server) => server.children(),
	stop: 'SIGTERM',
	log: 'peerpost.log',
	tellsHangUp: true,
	onCut: [502],
};

const haproxy = {
	program: 'haproxy',
	names: ({ host, port, upstream }) => [
		['bind :80', `bind ${host}:${port}`],
		['127.0.0.1:8080', upstream],
	],
	wrap: (text, { dir }) => ({
		'peerpost.cfg': text,
		// The master has a socket of its own, which it is asked through.
		'haproxy.cfg': 'global\n\tmaxconn 5000\n' +
		    '\tlog stderr format raw local0\n' +
		    'defaults\n\tlog global\n' +
		    // Debian's own, which are too short.
		    '\ttimeout connect 5000\n\ttimeout client 50000\n' +
		    '\ttimeout server 50000\n',
	}),
	command: ({ dir }) => ['haproxy', '-W', '-db', '-f', `${dir}/haproxy.cfg`,
		'-f', `${dir}/peerpost.cfg`],
	reload: 'SIGUSR2',
	generation: (server) => server.children(),
	stop: 'SIGTERM',
	log: 'output',
	tellsHangUp: true,
	onCut: [502],
};

const caddy = {
	program: 'caddy',
	names: ({ host, port, upstream }) => [
		['signal.example {', `http://:${port} {\n\tbind ${host}`],
		...toUpstream('unix//run/peerpost/fastcgi.sock',
		    '127.0.0.1:8080', upstream, 'unix/'),
	],
	wrap: (text, { dir }) => ({
		'Caddyfile': `{
			admin unix/${dir}/admin.sock
			auto_https off
			storage file_system ${dir}/storage
		}
		import ${dir}/site.caddyfile
		`,
		'site.caddyfile': text,
	}),
	command: ({ dir }) => ['caddy', 'run', '--adapter', 'caddyfile',
		'--config', `${dir}/Caddyfile`],
	// The file has not changed, which is why it has to be forced.
	reload: ({ dir }) => ['caddy', 'reload', '--force', '--adapter',
		'caddyfile', '--config', `${dir}/Caddyfile`,
		'--address', `unix/${dir}/admin.sock`],
	stop: 'SIGTERM',
	tellsHangUp: true,
	onCut: [502],
};

export const servers = {
	nginxFastcgi: {
		...nginx,
		name: 'nginx, FastCGI, kept connections',
		upstream: 'fastcgi',
		shipped: 'nginx/peerpost-fastcgi.conf',
		holdsFor: /^\s*fastcgi_read_timeout (\d+)s;/m,
	},
	nginxFastcgiClose: {
		...nginx,
		name: 'nginx, FastCGI, a connection for each request',
		isVariant: true,
		upstream: 'fastcgi',
		shipped: 'nginx/peerpost-fastcgi.conf',
		edit: [['\tkeepalive 32;\n', ''],
			['\t\tfastcgi_keep_conn on;\n', '']],
		holdsFor: /^\s*fastcgi_read_timeout (\d+)s;/m,
	},
	nginxHttp: {
		...nginx,
		name: 'nginx, HTTP',
		upstream: 'http',
		shipped: 'nginx/peerpost-http.conf',
		holdsFor: /^\s*proxy_read_timeout (\d+)s;/m,
	},
	nginxLocation: {
		...nginx,
		name: 'nginx, FastCGI, below a path',
		upstream: 'fastcgi',
		shipped: 'nginx/peerpost-location.conf',
		names: ({ upstream }) =>
		    [['unix:/run/peerpost/fastcgi.sock', upstream]],
		wrap: (text, place) => nginx.wrap(`server {
			listen ${place.host}:${place.port};
			${text}
		}`, place),
		log: undefined,
		holdsFor: /^\s*fastcgi_read_timeout (\d+)s;/m,
	},
	lighttpd: {
		program: 'lighttpd',
		name: 'lighttpd, FastCGI',
		upstream: 'fastcgi',
		shipped: 'lighttpd/peerpost.conf',
		names: ({ dir, upstream }) => [
			// Whatever the client calls us.
			['$HTTP["host"] == "signal.example"', '$HTTP["host"] =~ ""'],
			['/var/log/lighttpd/', `${dir}/`],
			['/run/peerpost/fastcgi.sock', bare(upstream)],
		],
		wrap: (text, { dir, host, port }) => ({
			'lighttpd.conf': `
				server.document-root = "${dir}"
				server.upload-dirs = ( "${dir}" )
				server.errorlog = "${dir}/error.log"
				server.bind = "${host}"
				server.port = ${port}
				server.feature-flags += (
					"server.graceful-shutdown-timeout" => 5 )
				include "${dir}/site.conf"
			`,
			'site.conf': text,
		}),
		// By its full path, as its own service does.
		command: ({ dir }) => ['/usr/sbin/lighttpd', '-D', '-f',
			`${dir}/lighttpd.conf`],
		reload: 'SIGUSR1',
		generation: (server) => fs.readFileSync(
		    path.join(server.dir, 'error.log'), 'utf8')
		    .split('server started').length,
		stop: 'SIGTERM',
		log: 'peerpost.log',
		tellsHangUp: false,
		onCut: [500, 503],
	},
	apache: {
		program: 'apache2',
		name: 'Apache, FastCGI',
		upstream: 'fastcgi',
		shipped: 'apache/peerpost.conf',
		names: ({ dir, port, upstream }) => [
			['*:80', `*:${port}`],
			['/var/log/apache2/', `${dir}/`],
			['unix:/run/peerpost/fastcgi.sock', upstream],
		],
		wrap: (text, { dir, host, port }) => ({
			'site.conf': text,
			'apache2.conf': `
				ServerRoot ${dir}
				ServerName localhost
				DefaultRuntimeDir ${dir}
				PidFile ${dir}/apache2.pid
				ErrorLog ${dir}/error.log
				Mutex file:${dir} default
				Listen ${host}:${port}
				Timeout 300
				${['mpm_event', 'authz_core', 'reqtimeout', 'proxy',
					'proxy_fcgi'].map((each) =>
					`LoadModule ${each}_module ` +
					`/usr/lib/apache2/modules/mod_${each}.so`)
					.join('\n')}
				RequestReadTimeout header=20-40,minrate=500
				RequestReadTimeout body=10,minrate=500
				Include ${dir}/site.conf
			`,
		}),
		command: ({ dir }) => ['apache2', '-DFOREGROUND', '-f',
			`${dir}/apache2.conf`],
		// What apachectl graceful sends.
		reload: 'SIGUSR1',
		generation: (server) => server.children(),
		stop: 'SIGTERM',
		log: 'peerpost.log',
		holdsFor: /^\s*ProxyPass .* timeout=(\d+) /m,
		tellsHangUp: false,
		onCut: [503, 502],
	},
	caddyFastcgi: {
		...caddy,
		name: 'Caddy, FastCGI',
		upstream: 'fastcgi',
		shipped: 'caddy/peerpost-fastcgi.caddyfile',
		holdsFor: /^\s*read_timeout (\d+)s$/m,
		tellsHangUp: false,
	},
	caddyHttp: {
		...caddy,
		name: 'Caddy, HTTP',
		upstream: 'http',
		shipped: 'caddy/peerpost-http.caddyfile',
		holdsFor: /^\s*response_header_timeout (\d+)s$/m,
	},
	haproxy: {
		...haproxy,
		name: 'HAProxy, HTTP',
		upstream: 'http',
		shipped: 'haproxy/peerpost.cfg',
		holdsFor: /^\s*timeout server (\d+)s$/m,
	},
};

function bare(upstream)
{
	return upstream.replace(/^unix:/, '');
}

// The one of two shipped addresses that the upstream stands for.
function toUpstream(socket, address, upstream, scheme = 'unix:')
{
	return [upstream.startsWith('unix:') ?
	    [socket, scheme + bare(upstream)] : [address, upstream]];
}

// --- running one ----------------------------------------------------------

export function shippedText(spec)
{
	return fs.readFileSync(path.join(contrib, spec.shipped), 'utf8');
}

function replaceAll(text, pairs)
{
	for (const [from, to] of pairs) {
		assert.ok(text.includes(from), `there is no ${from} in it`);
		text = text.replaceAll(from, to);
	}
	return text;
}

export function isInstalled(program)
{
	return spawnSync(program, ['-v'], { env: environment() })
	    .error === undefined;
}

function environment(dir)
{
	return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
		HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
}

// A port that is free, and stays so: connections that go out get higher ones.
async function freePort(host)
{
	for (;;) {
		const port = 10_000 + Math.floor(Math.random() * 20_000);
		const taken = await new Promise((resolve) => {
			const server = net.createServer();

			server.on('error', () => resolve(true));
			server.listen(port, host, () =>
			    server.close(() => resolve(false)));
		});

		if (!taken)
			return port;
	}
}

// A web server in front of an upstream; for request(), Player and Wire it is
// what a daemon is.
export class WebServer {
	constructor(spec, upstream, host)
	{
		this.spec = spec;
		this.upstream = upstream;
		this.host = host;
		this.output = '';
		this.forgetConnections();
	}

	// Old generations of a server close theirs when they like.
	forgetConnections()
	{
		this.agent?.destroy();
		this.agent = new http.Agent({ keepAlive: true });
	}

	// As the user that the server runs as.
	spawn(command)
	{
		if (isRoot)
			command = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`,
				'--clear-groups', '--', ...command];
		const child = spawn(command[0], command.slice(1), {
			cwd: this.dir, env: environment(this.dir),
			// A process group of its own, to be ended as a whole.
			detached: true, stdio: ['ignore', 'pipe', 'pipe'] });

		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8');
			stream.on('data', (text) => {
				this.output += text;
			});
			stream.unref();
		}
		child.unref();
		return child;
	}

	async start()
	{
		this.dir = scratchDir();
		this.port = await freePort(this.host);
		this.listeners = [{ host: this.host, port: this.port }];
		const { spec, dir } = this;
		const shipped = replaceAll(shippedText(spec),
		    [...spec.names(this), ...(spec.edit ?? [])]);

		for (const [name, text] of
		    Object.entries(spec.wrap(shipped, this)))
			fs.writeFileSync(path.join(dir, name), text);
		if (isRoot)
			giveTo(dir);
		this.child = this.spawn(spec.command(this));
		running.add(this);
		this.exited = new Promise((resolve) => {
			this.child.on('close', () => {
				this.hasEnded = true;
				resolve();
			});
		});
		await until(async () => {
			if (this.hasEnded)
				throw new Error(`${spec.name} ended:\n` +
				    this.everythingSaid());
			return await this.accepts() || null;
		}, `${spec.name} that listens`);
		return this;
	}

	accepts()
	{
		return new Promise((resolve) => {
			const socket = net.connect(this.port, this.host);

			socket.on('connect', () => resolve(true));
			socket.on('error', () => resolve(false));
			socket.on('connect', () => socket.destroy());
		});
	}

	// The processes of the one that was started, those that end excepted.
	children()
	{
		const { pid } = this.child;

		return fs.readFileSync(`/proc/${pid}/task/${pid}/children`,
		    'utf8').trim().split(' ').sort().join(' ');
	}

	// All that it has written, its logs of requests included.
	everythingSaid()
	{
		return this.output + fs.readdirSync(this.dir)
		    .filter((name) => name.endsWith('.log'))
		    .map((name) => fs.readFileSync(path.join(this.dir, name),
			'utf8')).join('');
	}

	logText()
	{
		return this.spec.log === 'output' ? this.output :
		    fs.readFileSync(path.join(this.dir, this.spec.log), 'utf8');
	}

	// Read its configuration anew, as an operator has it do; fulfilled when
	// that is done.
	async reload()
	{
		const { reload, generation } = this.spec;

		if (typeof reload === 'function') {
			const child = this.spawn(reload(this));
			const code = await within(STOP_MS, 'reload',
			    new Promise((resolve) => child.on('close', resolve)));

			assert.equal(code, 0, this.output);
			return;
		}
		const before = generation(this);

		this.child.kill(reload);
		await until(() => generation(this) !== before || null,
		    `${this.spec.name} that has been reloaded`);
	}

	async stop()
	{
		this.agent.destroy();
		if (!this.child)
			return;
		if (!this.hasEnded)
			this.child.kill(this.spec.stop);
		try {
			await within(STOP_MS, `end of ${this.spec.name}`,
			    this.exited);
		} finally {
			this.killAll();
			running.delete(this);
		}
	}

	killAll()
	{
		try {
			process.kill(-this.child.pid, 'SIGKILL');
		} catch {
			// There is nobody left.
		}
	}
}

function giveTo(dir)
{
	const [uid, gid] = ['-u', '-g'].map((option) =>
	    Number(spawnSync('id', [option, USER], { encoding: 'utf8' }).stdout));

	for (const name of ['', ...fs.readdirSync(dir)])
		fs.chownSync(path.join(dir, name), uid, gid);
}

// A folder that the web server's user can look into.
export function openDir()
{
	const dir = scratchDir();

	fs.chmodSync(dir, 0o755);
	return dir;
}

// Start a web server; it is stopped when the current test ends.
export async function startServer(spec, upstream, { host = '127.0.0.1' } = {})
{
	const server = new WebServer(spec, upstream, host);

	after(() => server.stop());
	return server.start();
}
