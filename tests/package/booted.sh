#!/bin/sh
# booted.sh ROOT COMMAND... - boot the Debian in ROOT, run COMMAND in it, and
# end it again.
#
# ROOT has systemd (systemd-sysv) installed.  It runs as process 1 of namespaces
# of its own, on a cgroup of its own below this process's, with loopback only,
# and with /run and /tmp in memory: like systemd-nspawn(1), without its package.
# If the machine's controllers belong to a hierarchy of version 1, limits such as
# MemoryMax= are read here, and not enforced.
#
# The script exits with the status of COMMAND, and with 77, and a reason, where
# nothing can be booted.  By hand, as root:
#
#	mkdir root && sh clean_root.sh root
#	chroot root apt-get install systemd-sysv
#	sh booted.sh root bash
set -eu

skip() {
	echo "skipped: $*"
	exit 77
}

# Units that would change the machine's kernel, have no terminal, or are not
# worth their time here.
masked='systemd-sysctl.service systemd-modules-load.service
	systemd-binfmt.service proc-sys-fs-binfmt_misc.automount
	sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount
	sys-fs-fuse-connections.mount dev-hugepages.mount
	console-getty.service getty.target systemd-udevd.service
	systemd-udev-trigger.service systemd-logind.service apt-daily.timer
	apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
	fstrim.timer'

# In the namespaces, as process 1, before systemd.
if [ "$1" = --boot ]; then
	root=$2
	mount --make-rprivate /
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	for each in dev run tmp; do
		mount -t tmpfs -o mode=755 tmpfs "$root/$each"
	done
	chmod 1777 "$root/tmp"
	for each in null zero full random urandom tty; do
		: >"$root/dev/$each"
		mount --bind "/dev/$each" "$root/dev/$each"
	done
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts \
		"$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	: >"$root/dev/console"
	ip link set lo up
	hostname booted
	mkdir -p "$root/mnt/old"
	cd "$root"
	pivot_root . mnt/old
	umount -l /mnt/old
	exec env -i container=peerpost-test \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --log-target=journal --show-status=false \
		</dev/null >/run/console 2>&1
fi

root=$1
shift
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in unshare nsenter pivot_root findmnt pgrep ip; do
	command -v $tool >/dev/null || skip "needs $tool"
done
cgroups=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
[ -n "$cgroups" ] || skip "no cgroup2 is mounted"
cgroup=$cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)/peerpost-test-$$
mkdir "$cgroup" 2>/dev/null || skip "no cgroup can be made"

unit_dir=$root/etc/systemd/system
mkdir -p "$unit_dir"
for each in $masked; do
	ln -sf /dev/null "$unit_dir/$each"
done
: >"$root/etc/machine-id"

# shellcheck disable=SC2016 # for that shell
sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$cgroup" \
	unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup \
	sh "$0" --boot "$root" &
outer=$!

# Of the processes of the killed namespace, the last ones may still be ending.
# shellcheck disable=SC2317 # it is reached, by the trap
end() {
	kill -9 "$outer" 2>/dev/null || :
	wait "$outer" 2>/dev/null || :
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null &&
			break
		sleep 0.2
	done
}
trap end EXIT
trap 'exit 1' HUP INT TERM

# inside COMMAND...
inside() {
	nsenter -t "$init" -a -r -w env -i container=peerpost-test \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM-dumb}" "$@"
}

init=
n=0
until [ -n "$init" ] && [ -S "/proc/$init/root/run/systemd/private" ]; do
	kill -0 "$outer" 2>/dev/null || skip "systemd does not run here"
	init=$(pgrep -P "$outer") || :
	n=$((n + 1))
	[ $n -lt 300 ] || skip "systemd does not come up here"
	sleep 0.1
done
state=$(inside systemctl is-system-running --wait) || {
	inside systemctl --failed --no-pager >&2
	skip "systemd comes up $state here"
}
status=0
inside "$@" || status=$?
exit $status
