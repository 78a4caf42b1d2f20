// caddy_haproxy.test.mjs - behind Caddy and HAProxy, by FastCGI and by HTTP.
import { testServer } from './scenarios.mjs';
import { servers } from './servers.mjs';

testServer(servers.caddyFastcgi);
testServer(servers.caddyHttp);
testServer(servers.haproxy);
testServer(servers.haproxyFastcgi);
