// tls.mjs - certificates for tests, and daemons that speak TLS with them.
import { spawnSync } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { findProgram } from './programs.mjs';

// Reason for node:test to skip what needs a certificate, or false.
export const skipTls = findProgram('openssl') ? false :
    'needs openssl (Debian: openssl)';

export function openssl(...args)
{
	const result = spawnSync('openssl', args, { encoding: 'utf8' });

	if (result.error || result.status !== 0)
		throw result.error ?? new Error(result.stderr);
	return result.stdout;
}

// A certificate in dir, for 30 days and localhost, that signs itself:
// { cert, key } are files, ca is what a client has to trust.
export function makeCertificate(dir, name = 'tls')
{
	const cert = path.join(dir, `${name}.crt`);
	const key = path.join(dir, `${name}.key`);

	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt',
	    'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
	    '-subj', `/CN=${name}`, '-addext',
	    'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1', '-keyout', key,
	    '-out', cert);
	return { cert, key, ca: fs.readFileSync(cert) };
}

// The hash of its public key, as browsers take it.
export function spkiHash({ ca })
{
	return createHash('sha256').update(new X509Certificate(ca).publicKey
	    .export({ type: 'spki', format: 'der' })).digest('base64');
}

// The command line of a daemon that has it.
export function tlsArgs({ cert, key })
{
	return ['--tls-cert', cert, '--tls-key', key];
}

// A stream for tls.connect() to speak over, in the place of the socket, which
// can then be paused, and taken back by destroying the stream.
export function streamOver(socket)
{
	const stream = new Duplex({
		read() {},
		write(part, encoding, done) {
			socket.write(part, done);
		},
	});
	const read = (part) => stream.push(part);

	socket.on('data', read);
	stream.on('close', () => socket.off('data', read));
	return stream;
}
