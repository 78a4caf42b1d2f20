// admin.mjs - requests on a daemon's admin listeners.
import { httpTransport, request, startDaemon } from './peerpost.mjs';

// What stands for the daemon in request(), to ask its admin listener.
function operatorOf(daemon)
{
	return { listeners: daemon.admin, agent: daemon.agent,
		transport: httpTransport };
}

// One request, like request() of peerpost.mjs; listener: which of several.
export function ask(daemon, method, target, options = {})
{
	return request(operatorOf(daemon), method, target, options);
}

// A daemon with an admin listener.
export function startAdministered(options = {})
{
	return startDaemon({ admin: '127.0.0.1:0', ...options });
}
