// caddy_haproxy.test.mjs - behind Caddy, by FastCGI and by HTTP, and HAProxy.
import { testServer } from './scenarios.mjs';
import { servers } from './servers.mjs';

testServer(servers.caddyFastcgi);
testServer(servers.caddyHttp);
testServer(servers.haproxy);
