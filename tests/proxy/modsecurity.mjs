// modsecurity.mjs - Apache with ModSecurity and the OWASP core rules in front of
// a daemon, as Debian has them, but switched on.
import fs from 'node:fs';
import { servers } from './servers.mjs';
import { whyNot } from './web_server.mjs';

const MODULE = '/usr/lib/apache2/modules/mod_security2.so';
const RECOMMENDED = '/etc/modsecurity/modsecurity.conf-recommended';
const RULES = '/usr/share/modsecurity-crs/rules';

// more and after: further lines of its configuration, before and after the core
// rules.
export const firewall = ({ more = '', after = '' } = {}) => ({
	...servers.apache,
	name: 'Apache, ModSecurity with the core rules',
	isVariant: true,
	wrap: (text, place) => {
		const files = servers.apache.wrap(text, place);
		const { dir } = place;

		return { ...files,
			'unicode.mapping':
			    fs.readFileSync('/etc/modsecurity/unicode.mapping'),
			'modsecurity.conf': fs.readFileSync(RECOMMENDED, 'utf8')
			    .replace('SecRuleEngine DetectionOnly',
			        'SecRuleEngine On')
			    .replace('/var/log/apache2', dir)
			    .replaceAll(/^(Sec\w+Dir) .*/gm, `$1 ${dir}`),
			'apache2.conf': files['apache2.conf'].replace('Include', `
				LoadModule unique_id_module ${MODULE.replace(
				    'security2', 'unique_id')}
				LoadModule security2_module ${MODULE}
				Include ${dir}/modsecurity.conf
				Include /etc/modsecurity/crs/crs-setup.conf
				${more}
				Include ${RULES}/*.conf
				${after}
				Include`) };
	},
});

export const lacksFirewall = whyNot(servers.apache) ||
    ([MODULE, RECOMMENDED, RULES].every((file) => fs.existsSync(file)) ? false :
    'needs libapache2-mod-security2 and modsecurity-crs');

// The numbers of the rules that have objected so far.
export function objections(server)
{
	return [...new Set([...server.everythingSaid()
	    .matchAll(/ModSecurity: .*\[id "(\d+)"\]/g)]
	    .map(([, id]) => id))].sort();
}
