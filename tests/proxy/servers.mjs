// servers.mjs - the web servers that are tried in front of a daemon, each with
// the configuration that contrib/ has for it.
//
// The shipped file is used as it is but for the names that belong to a machine:
// sockets, ports, log folders.  Around it stands what a server does not start
// without, in the place of the distribution's own files.  web_server.mjs runs
// them.
import fs from 'node:fs';
import path from 'node:path';

// name: for people.  program.  upstream: 'http' or 'fastcgi'.  shipped: the
// file in contrib/.  names(place): what in it belongs to a machine, as [from,
// to] pairs; place is { dir, host, port, upstream } with upstream the daemon's
// HOST:PORT or socket.  edit: what else is different, as [from, to] pairs.
// isVariant: not the shipped file in earnest; slow scenarios are left out.
// wrap(text, place): the files that the server is started with.
// command(place).  reload: a signal, or a command(place).  generation(server):
// something that is another after a reload.  missesReloads: it has to be asked
// again now and then.  stop: the signal to end with.
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
				# As eager as a site can be.
				gzip on;
				gzip_min_length 1;
				gzip_proxied any;
				gzip_types *;
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
	// While it is still busy with the last one.
	missesReloads: true,
	// When there is a new worker, it is not yet ready.
	generation: (server) => server.output.split('Loading success').length,
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
	haproxyFastcgi: {
		...haproxy,
		name: 'HAProxy, FastCGI',
		upstream: 'fastcgi',
		shipped: 'haproxy/peerpost-fastcgi.cfg',
		names: ({ host, port, upstream }) => [
			['bind :80', `bind ${host}:${port}`],
			['server peerpost 127.0.0.1:9000',
				`server peerpost ${bare(upstream)}`],
		],
		holdsFor: /^\s*timeout server (\d+)s$/m,
		onCut: [502, 503],
	},
};

// The same, with what their files have about HTTPS.   nPolls: so many are
// held on one connection of HTTP/2 while a command passes; no more than that where
// docs/proxies.md says so.  losesPort: the daemon is told the host without the port.
const SHIPPED_CERTIFICATE = '/etc/letsencrypt/live/signal.example/fullchain.pem';
const SHIPPED_KEY = '/etc/letsencrypt/live/signal.example/privkey.pem';

const nginxTls = {
	names: ({ dir, host, port, upstream, certificate: { cert, key } }) => [
		['listen 80;', ''],
		['#listen 443 ssl http2;', `listen ${host}:${port} ssl http2;`],
		[`#ssl_certificate ${SHIPPED_CERTIFICATE}`,
			`ssl_certificate ${cert}`],
		[`#ssl_certificate_key ${SHIPPED_KEY}`,
			`ssl_certificate_key ${key}`],
		['/var/log/nginx/', `${dir}/`],
		...toUpstream('unix:/run/peerpost/fastcgi.sock',
		    '127.0.0.1:8080', upstream),
	],
	nPolls: 20,
	losesPort: true,
};
const caddyTls = {
	names: ({ host, port, upstream, certificate: { cert, key } }) => [
		['signal.example {', `https://:${port} {\n\tbind ${host}`],
		['#tls /etc/ssl/signal.example.pem ' +
			'/etc/ssl/private/signal.example.key',
			`tls ${cert} ${key}`],
		...toUpstream('unix//run/peerpost/fastcgi.sock',
		    '127.0.0.1:8080', upstream, 'unix/'),
	],
	nPolls: 20,
};
const haproxyTls = {
	names: (place) => [
		...place.spec.plainNames(place).filter(([from]) =>
		    from !== 'bind :80'),
		['bind :80', ''],
		['#bind :443 ssl crt /etc/haproxy/signal.example.pem',
			`bind ${place.host}:${place.port} ssl crt ` +
			place.certificate.both],
	],
	nPolls: 20,
};

function overTls(spec, changes)
{
	return { ...spec, ...changes, plainNames: spec.names, isTls: true,
		name: `${spec.name}, HTTPS` };
}

export const tlsServers = [
	overTls(servers.nginxFastcgi, nginxTls),
	overTls(servers.nginxHttp, nginxTls),
	overTls(servers.caddyFastcgi, caddyTls),
	overTls(servers.caddyHttp, caddyTls),
	overTls(servers.haproxy, haproxyTls),
	overTls(servers.haproxyFastcgi, haproxyTls),
	overTls(servers.apache, {
		names: (place) => [
			...place.spec.plainNames(place),
			['#SSLEngine', 'SSLEngine'],
			[`#SSLCertificateFile ${SHIPPED_CERTIFICATE}`,
				`SSLCertificateFile ${place.certificate.cert}`],
			[`#SSLCertificateKeyFile ${SHIPPED_KEY}`,
				`SSLCertificateKeyFile ${place.certificate.key}`],
		],
		wrap: (text, place) => servers.apache.wrap(
		    `LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n${text}`,
		    place),
	}),
	overTls(servers.lighttpd, {
		names: (place) => [
			...place.spec.plainNames(place),
			...['server.modules += ( "mod_openssl" )',
				'\tssl.engine = "enable"', '}'].map((line) =>
				[`#${line}\n`, `${line}\n`]),
			['#$SERVER["socket"] == ":443" {',
				`$SERVER["socket"] == "${place.host}:${place.port}" {`],
			[`#\tssl.pemfile = "${SHIPPED_CERTIFICATE}"`,
				`\tssl.pemfile = "${place.certificate.cert}"`],
			[`#\tssl.privkey = "${SHIPPED_KEY}"`,
				`\tssl.privkey = "${place.certificate.key}"`],
		],
		nPolls: 7,
	}),
];

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
