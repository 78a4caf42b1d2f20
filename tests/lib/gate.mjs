// gate.mjs - a relay between a client and a daemon that lets the client's bytes
// through as a test says: held back, all at once, one by one.  For TLS, whose
// client libraries do not let one choose what goes into which packet.
import { once } from 'node:events';
import net from 'node:net';
import { after } from 'node:test';
import { until } from './peerpost.mjs';

export class Gate {
	// To the first listener of the daemon's.
	static async start(daemon)
	{
		const gate = new Gate();
		const { host, port } = daemon;

		gate.ca = daemon.ca;
		gate.held = [];
		gate.isOpen = true;
		gate.server = net.createServer({ allowHalfOpen: true }, (client) => {
			gate.client = client;
			gate.out = net.connect({ host, port, allowHalfOpen: true });
			gate.out.setNoDelay(true);
			for (const socket of [client, gate.out])
				socket.on('error', () => {});
			client.on('data', (part) => {
				gate.held.push(part);
				if (gate.isOpen)
					gate.release();
			});
			client.on('end', () => gate.out.end());
			client.on('close', () => gate.out.destroy());
			gate.out.pipe(client);
			gate.out.on('close', () => client.destroy());
		});
		gate.server.listen(0, '127.0.0.1');
		await once(gate.server, 'listening');
		gate.port = gate.server.address().port;
		after(() => gate.close());
		return gate;
	}

	// What stands for the daemon in connectTo() and Wire.open().
	get daemon()
	{
		return { ca: this.ca, listeners: [{ host: '127.0.0.1',
			port: this.port, isTls: true }] };
	}

	get nHeld()
	{
		return this.held.reduce((sum, part) => sum + part.length, 0);
	}

	// From now on, keep what the client sends.
	shut()
	{
		this.isOpen = false;
	}

	// Let n bytes through, or all of them, in one write.
	release(n = Infinity)
	{
		const all = Buffer.concat(this.held);

		this.held = n < all.length ? [all.subarray(n)] : [];
		if (all.length > 0)
			this.out.write(all.subarray(0, n));
	}

	async holds(n)
	{
		await until(() => this.nHeld >= n, `${n} bytes held back`);
	}

	close()
	{
		this.server.close();
		this.client?.destroy();
		this.out?.destroy();
	}
}
