#!/bin/sh
# in_clean_root.sh - what package.sh does in the clean root, once the package
# is installed: the daemon is started as its units say, and used.
#
# This is what of systemd the daemon can see.  That systemd likes the units is
# tested in tests/operation/units.test.mjs.
set -eu
units=/lib/systemd/system

fail() {
	echo "in_clean_root.sh: $*" >&2
	[ ! -f /tmp/daemon.out ] || cat /tmp/daemon.out >&2
	exit 1
}

# unit_value UNIT KEY
unit_value() {
	sed -n "s/^$2=//p" "$units/$1" | sed 's,%S,/var/lib,g'
}

user=$(unit_value peerpost.service User)
state=/var/lib/$(unit_value peerpost.service StateDirectory)
[ "$(stat -c '%U:%G %a' "$state")" = "$user:$user 700" ] ||
	fail "the package has not made $state"

cat >/tmp/as-service <<END
#!/bin/sh
cd $(unit_value peerpost.service WorkingDirectory) || exit
exec $(unit_value peerpost.service ExecStart) "\$@"
END
chmod 755 /tmp/as-service

# The sockets are opened by the manager, as root, and handed over by name.
cat >/tmp/manager.pl <<'END'
use strict;
use POSIX ();
use Socket;
$^F = 1000; # nothing is closed on exec
my (@names, @sockets);
while ((my $what = shift) ne '--') {
	my ($name, $address) = split /=/, $what;
	my ($host, $port) = split /:/, $address;
	my $is_unix = $address =~ m,^/,;
	my $socket;

	socket($socket, $is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0) &&
	    bind($socket, $is_unix ? sockaddr_un($address) :
		sockaddr_in($port, inet_aton($host))) &&
	    listen($socket, 128) or die "$what: $!";
	push @names, $name;
	push @sockets, $socket;
}
for (0 .. $#sockets) {
	POSIX::dup2(fileno($sockets[$_]), 3 + $_);
}
$ENV{LISTEN_PID} = $$;
$ENV{LISTEN_FDS} = @names;
$ENV{LISTEN_FDNAMES} = join ':', @names;
exec @ARGV or die "$ARGV[0]: $!";
END
sockets=
for unit in $(unit_value peerpost.service Sockets); do
	address=$(unit_value "$unit" ListenStream)
	case $address in
	/*) mkdir -p "${address%/*}" ;;
	esac
	sockets="$sockets $(unit_value "$unit" FileDescriptorName)=$address"
done
as_user="setpriv --reuid $user --regid $user --init-groups --no-new-privs
	--bounding-set=-all --inh-caps=-all"
# shellcheck disable=SC2086 # words
perl /tmp/manager.pl $sockets -- $as_user /tmp/as-service \
	>/tmp/daemon.out 2>&1 &
daemon=$!
until curl -sf http://127.0.0.1:8080/healthz >/tmp/health; do
	kill -0 $daemon 2>/dev/null || fail "the daemon has ended"
	sleep 0.1
done
jq -e '.status == "ok"' /tmp/health >/dev/null || fail "it is not well"

PEERPOST_SESSION=/tmp/session
export PEERPOST_SESSION
peerpost register Alice >/dev/null || fail "register"
peerpost create >/dev/null || fail "create"
peerpostctl status >/tmp/status || fail "peerpostctl status"
cat /tmp/status
peerpostctl --json status | jq -e '.rooms == 1 and .players == 1' ||
	fail "the status does not show what there is"
peerpost unregister || fail "unregister"
[ -f "$state/peerpost.db" ] || fail "the database is not in $state"

kill $daemon
wait $daemon || fail "the daemon did not end well"
rm -rf /run/peerpost

# The tutorial starts, kills and restarts a daemon by itself, with a database
# of its own; all else is as the package has it.
install -d -o "$user" -g "$user" /tmp/tutorial
PEERPOSTD=/tmp/as-service TMPDIR=/tmp/tutorial \
	$as_user sh /usr/share/doc/peerpost/tutorial.sh || fail "the tutorial"
