// tls_transport.mjs - everything over TLS, for PEERPOST_TEST_TRANSPORT: each
// TCP listener that a test asks for speaks https, and request(), Wire and
// rawExchange() speak it to them.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makeCertificate, tlsArgs } from './tls.mjs';

// Not peerpost.mjs's scratchDir(): that file waits for this one.
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peerpost-test-'));
const certificate = makeCertificate(dir);

process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));

function secured(address)
{
	return /^(unix:|https:)/.test(address) ? address : `https://${address}`;
}

export default {
	addresses: ({ listen, fastcgi }) => ({ listen: listen.map(secured),
		fastcgi }),
	args: (addresses) => addresses.listen.some((each) =>
	    each.startsWith('https:')) ? tlsArgs(certificate) : [],
	ca: certificate.ca,
};
