// apache_lighttpd.test.mjs - behind Apache and lighttpd, by FastCGI.
import { testBelowPath, testServer } from './scenarios.mjs';
import { servers } from './servers.mjs';

testServer(servers.apache);
testServer(servers.lighttpd);
testBelowPath({ ...servers.lighttpd, name: 'lighttpd, FastCGI, below a path',
	edit: [['"/" => ( (', '"/signal" => ( (']] }, '/signal');
