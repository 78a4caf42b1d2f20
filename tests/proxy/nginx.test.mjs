// nginx.test.mjs - behind nginx, by FastCGI and by HTTP.
import { testBelowPath, testServer } from './scenarios.mjs';
import { servers } from './servers.mjs';

testServer(servers.nginxFastcgi);
testServer(servers.nginxFastcgiClose);
testServer(servers.nginxHttp);
testBelowPath(servers.nginxLocation, '/signal');
