// programs.mjs - other people's servers, which the tests start by themselves.
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after } from 'node:test';

// Where a program is, or undefined.  Servers are not in every user's path.
export function findProgram(name)
{
	return [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin',
		'/usr/local/bin'].map((dir) => path.join(dir, name))
	    .find((file) => fs.existsSync(file));
}

const running = new Map(); // child -> the signal that ends it

// All at once: some take two seconds, whatever they are told.
after(async () => {
	for (const [child, signal] of running)
		child.kill(signal);
	await Promise.all([...running.keys()].map((child) => child.ended));
});
process.on('exit', () => {
	for (const child of running.keys())
		child.kill('SIGKILL');
});

// See to it that child ends with the file, and keep what it says (of the
// streams that are pipes) in child.output.  child.ended is fulfilled when it
// has ended, or could not start.
export function keep(child, signal = 'SIGTERM')
{
	running.set(child, signal);
	child.output = '';
	child.ended = new Promise((resolve) => {
		for (const event of ['exit', 'error'])
			child.on(event, () => {
				running.delete(child);
				resolve();
			});
	});
	for (const stream of [child.stdout, child.stderr]) {
		stream?.setEncoding('utf8');
		stream?.on('data', (text) => {
			child.output += text;
		});
	}
	return child;
}

// Whether a port could be had.
function tryPort(port, { host, isUdp })
{
	return new Promise((resolve) => {
		const socket = isUdp ? dgram.createSocket('udp4') :
		    net.createServer();

		socket.on('error', () => resolve(false));
		socket[isUdp ? 'bind' : 'listen'](port, host, () =>
		    socket.close(() => resolve(true)));
	});
}

// For servers that do not take port 0: a port that is free, and that no
// connection going out will get, because those get higher ones.
export async function freePort({ host = '127.0.0.1', isUdp = false } = {})
{
	for (;;) {
		const port = 10_000 + Math.floor(Math.random() * 20_000);

		if (await tryPort(port, { host, isUdp }))
			return port;
	}
}
