#!/bin/sh
# in_clean_root.sh - what package.sh does in the clean root, once the package
# is installed: the daemon is started as the unit says, and used.
set -eu

fail() {
	echo "in_clean_root.sh: $*" >&2
	[ ! -f /tmp/daemon.out ] || cat /tmp/daemon.out >&2
	exit 1
}

# The values of a key of the unit.
unit_value() {
	sed -n "s/^$1=//p" /lib/systemd/system/peerpost.service
}

user=$(unit_value User)
state=/var/lib/$(unit_value StateDirectory)
runtime=/run/$(unit_value RuntimeDirectory)
[ "$(stat -c '%U:%G %a' "$state")" = "$user:$user 700" ] ||
	fail "the package has not made $state"
install -d -o "$user" -g "$user" "$runtime"

# What systemd would do, of that which can be seen by the daemon.
cat >/tmp/as-unit <<END
#!/bin/sh
STATE_DIRECTORY=$state RUNTIME_DIRECTORY=$runtime
CONFIGURATION_DIRECTORY=/etc/$(unit_value ConfigurationDirectory)
export STATE_DIRECTORY RUNTIME_DIRECTORY CONFIGURATION_DIRECTORY
cd $state && exec $(unit_value ExecStart) "\$@"
END
as_user="setpriv --reuid $user --regid $user --init-groups --no-new-privs
	--bounding-set=-all --inh-caps=-all"

$as_user sh /tmp/as-unit >/tmp/daemon.out 2>&1 &
daemon=$!
until curl -sf http://127.0.0.1:8080/healthz >/tmp/health; do
	kill -0 $daemon 2>/dev/null || fail "the daemon has ended"
	sleep 0.1
done
grep -q '"ok"' /tmp/health || fail "it is not well: $(cat /tmp/health)"

PEERPOST_SESSION=/tmp/session
export PEERPOST_SESSION
peerpost register Alice >/dev/null || fail "register"
peerpost create >/dev/null || fail "create"
peerpostctl status >/tmp/status || fail "peerpostctl status"
cat /tmp/status
grep -q '^rooms  *1' /tmp/status || fail "status does not show the room"
peerpost unregister || fail "unregister"

kill $daemon
wait $daemon || fail "the daemon did not end well"
find "$runtime" -mindepth 1 -delete

# The tutorial starts, kills and restarts its daemon by itself.
install -d -o "$user" -g "$user" /tmp/tutorial
chmod 755 /tmp/as-unit
PEERPOSTD=/tmp/as-unit TMPDIR=/tmp/tutorial \
	$as_user sh /usr/share/doc/peerpost/tutorial.sh ||
	fail "the tutorial"
rm -r "${runtime:?}"
