// others.test.mjs - behind lighttpd, Apache, Caddy and HAProxy.
import { testBelowPath, testServer } from './scenarios.mjs';
import { servers } from './servers.mjs';

testServer(servers.lighttpd);
testServer(servers.apache);
testServer(servers.caddyFastcgi);
testServer(servers.caddyHttp);
testServer(servers.haproxy);
testBelowPath({ ...servers.lighttpd, name: 'lighttpd, FastCGI, below a path',
	edit: [['"/" => ( (', '"/signal" => ( (']] }, '/signal');
