// fault_scripts.mjs - scripts and answers for the fault proxy (fault_proxy.mjs).
import http from 'node:http';

// A script: the first request gets the first action, and so on, and all after
// them the rest.  match: only requests that match count, others just pass.
export function inTurn(actions, { rest = {}, match = () => true } = {})
{
	let n = 0;

	return (exchange) => {
		if (!match(exchange))
			return {};
		return n < actions.length ? actions[n++] : rest;
	};
}

// A script that lets only some methods pass, and does what another says then.
export function onlyMethods(methods, script = () => ({}))
{
	return (exchange) => methods.includes(exchange.method) ?
	    script(exchange) : { answer: page(403, 'Method denied by policy.') };
}

// What a gateway says by itself when its target does not: 502, 503 or 504.
export function gatewayError(status)
{
	return page(status, `${status} ${http.STATUS_CODES[status]}`);
}

// What a guest network says to everything until its terms are accepted: a
// success, in HTML.
export function captivePortal()
{
	return page(200, 'Welcome! Please accept our terms to use this network.');
}

function page(status, text)
{
	return { status,
		headers: { 'Content-Type': 'text/html; charset=utf-8' },
		body: `<!DOCTYPE html><html><body><h1>${text}</h1></body></html>\n` };
}
