#!/bin/sh
# in_booted.sh - service.sh's walk through the booted root: an operator's
# commands, one after the other.
#
# Each command is printed with its output, so that all is a transcript.
# shellcheck disable=SC2086 # lists of units
set -eu
cd /packages
conf=/etc/peerpost/peerpost.conf
url=http://127.0.0.1:8080
all_sockets='peerpost.socket peerpost-admin.socket peerpost-fastcgi.socket
	peerpost-https.socket'

fail() {
	echo "in_booted.sh: $*" >&2
	journalctl --no-pager -o short -u 'peerpost*' | tail -n 60 >&2
	exit 1
}

part() {
	printf '\n== %s\n' "$*"
}

# Run a command, and print it as at a prompt, with its output.
typed() {
	printf '$ %s\n' "$*"
	"$@" >said 2>&1 && state=0 || state=$?
	sed 's/^/  /' said
	return $state
}

try() {
	typed "$@" || fail "'$*' has ended with $state"
}

refuse() {
	! typed "$@" || fail "'$*' has not failed"
}

# silent COMMAND...: the same, and nothing is said.
silent() {
	try "$@"
	[ ! -s said ] || fail "'$*' was to say nothing"
}

expect_active() {
	for unit; do
		[ "$(systemctl is-active "$unit")" = active ] ||
			fail "$unit is $(systemctl is-active "$unit")"
	done
	echo "  (active: $*)"
}

# Put into "logged" the service's log since the last call.
log() {
	journalctl --sync
	journalctl --no-pager -q -o cat --cursor-file=cursor -u 'peerpost*' >logged
}

expect_logged() {
	log
	grep -e "$1" logged | sed 's/^/  (log: /; s/$/)/' | tail -n 2
	grep -q -e "$1" logged || fail "'$1' is not in the log"
}

expect_served() {
	code=$(curl -sS --max-time 120 -o /dev/null -w '%{http_code}' \
		"${1-$url}/healthz") || fail "${1-$url} is not served"
	[ "$code" = 200 ] || fail "${1-$url} is served with $code"
	echo "  (served: ${1-$url})"
}

# set_conf LINE...
set_conf() {
	cp conf.delivered $conf
	for line; do
		printf '%s\n' "$line" >>$conf
	done
	echo "$ editor $conf"
	[ $# = 0 ] || printf '  +%s\n' "$@"
}

# until_true COMMAND...: for a minute at most.
until_true() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 600 ] || fail "in vain: $*"
		sleep 0.1
	done
}

has_lines() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# Clients that post without end, each time on a new connection; one a line in
# posted.*, "200" if all is well.
start_posting() {
	rm -f enough posted.*
	clients=
	for n in 1 2 3 4; do
		while [ ! -e enough ]; do
			curl -sS --max-time 120 -o /dev/null -w '%{http_code}\n' \
				-d '"Alice"' $url/register 2>&1 || :
		done >"posted.$n" &
		clients="$clients $!"
	done
	for each in posted.1 posted.2 posted.3 posted.4; do
		until_true has_lines $each 1
	done
}

# Two more each: the second has begun after all that was done.
end_posting() {
	for each in posted.1 posted.2 posted.3 posted.4; do
		until_true has_lines $each $(($(wc -l <$each) + 2))
	done
	touch enough
	wait $clients
	sort posted.* | uniq -c | sed 's/^  */  (posted: /; s/$/)/'
	! grep -qv '^200$' posted.* || fail "a client has met the above"
}

opened() {
	for unit; do
		systemctl show -P InactiveExitTimestampMonotonic "$unit"
	done | xargs
}

# ---------------------------------------------------------------------------
part "The package is installed"
try dpkg -i old.deb
expect_active peerpost.service peerpost.socket peerpost-admin.socket
expect_served
try peerpostctl status
cp $conf conf.delivered
log

part "README.Debian names files that exist"
grep -o '/usr/share/[a-zA-Z0-9./_-]*[a-z]' \
	/usr/share/doc/peerpost/README.Debian | sort -u >pointed
[ -s pointed ] || fail "README.Debian points nowhere"
while read -r each; do
	[ -e "$each" ] || fail "README.Debian: $each is not there"
	echo "  $each"
done <pointed
[ ! -e /usr/share/doc/peerpost/README.md ] ||
	fail "README.md is for users of the sources"

part "The tutorial, as anybody"
useradd -m visitor
runuser -u visitor -- env -i PATH=/usr/bin:/bin \
	sh /usr/share/doc/peerpost/tutorial.sh >tutorial.out 2>&1 || {
	cat tutorial.out
	fail "the tutorial"
}
tail -n 1 tutorial.out | sed 's/^/  /'

# ---------------------------------------------------------------------------
part "FastCGI is enabled"
start_posting
try systemctl enable peerpost-fastcgi.socket
silent systemctl restart peerpost.service
end_posting
expect_active peerpost.service peerpost-fastcgi.socket
expect_logged 'listening on fastcgi+unix:/run/peerpost/fastcgi.sock'
[ "$(stat -c '%G %a' /run/peerpost/fastcgi.sock)" = 'www-data 660' ] ||
	fail "the socket is not for www-data"

part "and closed, and opened by enable --now: the restart opens it as well"
try systemctl disable --now peerpost-fastcgi.socket
[ ! -e /run/peerpost/fastcgi.sock ] || fail "the socket is still there"
silent systemctl restart peerpost.service
refuse systemctl enable --now peerpost-fastcgi.socket
silent systemctl restart peerpost.service
expect_active peerpost.service peerpost-fastcgi.socket
expect_served

# ---------------------------------------------------------------------------
part "Addresses that the units have are set in the file, too"
log
set_conf 'listen = 127.0.0.1:8080' 'admin = unix:/run/peerpost/admin.sock' \
	'fastcgi = unix:/run/peerpost/fastcgi.sock'
silent systemctl restart peerpost.service
expect_active peerpost.service peerpost.socket peerpost-admin.socket
expect_served
try peerpostctl status
log
! grep warning logged || fail "there is a warning"

part "An address that clashes with that of a unit"
set_conf 'listen = 0.0.0.0:8080'
silent systemctl restart peerpost.service
expect_active peerpost.service peerpost.socket
expect_served
expect_logged 'not listening on 0.0.0.0:8080: .*systemctl edit peerpost.socket'
systemctl show -P StatusText peerpost.service | grep 'not on every address' ||
	fail "the status does not say so"

part "Another address in addition"
set_conf 'listen = 127.0.0.1:8081'
silent systemctl restart peerpost.service
expect_served
expect_served http://127.0.0.1:8081

part "One that the daemon may not open"
set_conf 'listen = 0.0.0.0:80'
refuse systemctl restart peerpost.service
expect_logged 'cannot listen on 0.0.0.0:80: Permission denied (.*socket unit'

part "The address is set in the unit"
set_conf
echo '$ systemctl edit peerpost.socket'
mkdir -p /etc/systemd/system/peerpost.socket.d
printf '%s\n' '[Socket]' ListenStream= ListenStream=0.0.0.0:80 |
	tee /etc/systemd/system/peerpost.socket.d/override.conf | sed 's/^/  +/'
systemctl daemon-reload
silent systemctl stop peerpost.socket
silent systemctl restart peerpost.service
expect_served http://127.0.0.1:80
! curl -s $url/healthz || fail "the address before is still served"
rm -r /etc/systemd/system/peerpost.socket.d
systemctl daemon-reload
silent systemctl stop peerpost.socket
silent systemctl restart peerpost.service
expect_served

# ---------------------------------------------------------------------------
part "A mistake in the file, seven starts, and clients all the while"
log
start_posting
set_conf 'poll-weight = 1'
for _ in 1 2 3 4 5 6 7; do
	refuse systemctl restart peerpost.service
done
expect_logged "peerpost.conf:[0-9]*: .*poll-weight"
[ "$(systemctl show -P ActiveState peerpost.service)" = activating ] ||
	fail "it is not tried again"
expect_active peerpost.socket peerpost-admin.socket
set_conf
silent systemctl restart peerpost.service
expect_active peerpost.service peerpost.socket peerpost-admin.socket
expect_served
end_posting

part "and one that is corrected, and nothing else is done"
start_posting
set_conf 'poll-weight = 1'
refuse systemctl restart peerpost.service
set_conf
expect_served
expect_active peerpost.service
end_posting
log
! grep -q -e 'too quickly' -e 'limit' logged || fail "a limit was met"

# ---------------------------------------------------------------------------
part "A reload, and one with a mistake"
set_conf 'poll-wait = 20'
silent systemctl reload peerpost.service
set_conf 'poll-weight = 20'
refuse systemctl reload peerpost.service
expect_logged "poll-weight"
expect_active peerpost.service
expect_served

# ---------------------------------------------------------------------------
part "HTTPS"
# certificate SERIAL: as certbot leaves one, for its hook.
certificate() {
	mkdir -p -m 0700 live
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 30 -set_serial "$1" -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout live/privkey.pem \
		-out live/fullchain.pem 2>/dev/null
	chmod 600 live/*.pem
}

# is_served SERIAL, in hexadecimal
is_served() {
	openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null |
		openssl x509 -noout -serial | grep -q "=$1\$"
}

set_conf
certificate 17
try env RENEWED_LINEAGE=/packages/live /usr/share/peerpost/certbot-deploy-hook
try stat -c '%U:%G %a %n' /etc/peerpost/tls /etc/peerpost/tls/fullchain.pem \
	/etc/peerpost/tls/privkey.pem
grep -q '^root:peerpost 640 .*privkey' said || fail "the key's rights"
set_conf 'tls-cert = /etc/peerpost/tls/fullchain.pem' \
	'tls-key = /etc/peerpost/tls/privkey.pem'
try systemctl enable peerpost-https.socket
silent systemctl restart peerpost.service
expect_active peerpost.service peerpost.socket peerpost-https.socket
try curl -sS --cacert live/fullchain.pem https://localhost/healthz
is_served 11 || fail "another certificate is served"

part "The certificate is renewed"
certificate 34
silent env RENEWED_LINEAGE=/packages/live \
	/usr/share/peerpost/certbot-deploy-hook
until_true is_served 22
expect_active peerpost.service

part "and one that is broken"
echo rubbish >/etc/peerpost/tls/fullchain.pem
refuse systemctl reload peerpost.service
expect_logged 'fullchain.pem'
try curl -sS --cacert live/fullchain.pem https://localhost/healthz
cp live/fullchain.pem /etc/peerpost/tls/fullchain.pem
silent systemctl reload peerpost.service

# ---------------------------------------------------------------------------
part "An upgrade, while clients post, three times"
before=$(opened $all_sockets)
for deb in new.deb old.deb new.deb; do
	start_posting
	started=$(systemctl show -P ExecMainPID peerpost.service)
	try dpkg -i $deb
	! grep -q -i -e systemd-invoke -e fail -e error -e could said ||
		fail "dpkg has complained"
	[ "$(systemctl show -P ExecMainPID peerpost.service)" != "$started" ] ||
		fail "the daemon is still that of the version before"
	end_posting
	expect_active peerpost.service $all_sockets
done
[ "$(opened $all_sockets)" = "$before" ] ||
	fail "sockets have been closed: $before; $(opened $all_sockets)"
expect_served

# ---------------------------------------------------------------------------
part "It is purged, while clients try"
rm -f enough
while [ ! -e enough ]; do
	curl -s --max-time 5 -o /dev/null $url/healthz || :
done &
try dpkg -P peerpost
touch enough
wait
for unit in peerpost.service $all_sockets; do
	[ "$(systemctl is-active "$unit")" = inactive ] ||
		fail "$unit is $(systemctl is-active "$unit")"
done
! pgrep peerpostd || fail "a daemon still runs"
find / -xdev \( -path /proc -o -path /sys -o -path /packages \
	-o -path /home/visitor -o -path /var/log -o -path /var/cache \
	-o -path /var/lib/dpkg -o -path '/etc/*-' -o -path '/dev' \) -prune \
	-o -name '*peerpost*' -print >left
find /run -name '*peerpost*' >>left
! grep . left || fail "the above is left behind"

printf '\nAll as expected.\n'
