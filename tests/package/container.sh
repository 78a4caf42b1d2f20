#!/bin/sh
# container.sh - contrib/Containerfile, carried out by hand: a clean root
# (clean_root.sh) stands for the image that it begins with.
#
# The last stage is made, and its daemon run as process 1.  What is copied from
# the stage before comes from the present build; with PEERPOST_TEST_LONG=1 that
# stage is carried out as well, compiler and all.  Run from the build folder by
# make check.
set -eu
: "${srcdir:=$(dirname "$0")/..}"
# shellcheck source=tests/package/lib.sh
. "$srcdir/tests/package/lib.sh"

# value KEYWORD: what its last instruction says.
value() {
	sed -n "s/^$1 //p" "$work/instructions" | tail -n 1
}

# words: of a JSON array, one a line.
words() {
	jq -er 'if type == "array" then .[] else error("no exec form") end'
}

# The packages that have the libraries which the program is linked with.
linked_packages() {
	architecture=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
	readelf -d "$PEERPOSTD" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		while read -r library; do
			dpkg-query -S "*/$architecture/$library"
		done | sed 's/:.*//' | grep -v '^libc6$' | sort -u
}

# stage N: carry out the instructions that come after the Nth FROM.
stage() {
	root=$work/$1
	folder=/
	make_root "$root"
	awk -v n="$1" '/^FROM/ { i++ } i == n' "$work/instructions" |
		while read -r word rest; do
			instruction "$word" "$rest" </dev/null
		done
}

instruction() {
	case $1 in
	WORKDIR)
		folder=$2
		mkdir -p "$root$folder"
		;;
	RUN)
		run RUN in_root "$root" sh -c "cd $folder && $2"
		;;
	'COPY --from=build'* | COPY)
		# shellcheck disable=SC2086 # words
		set -- $2
		if [ "$1" = --from=build ]; then
			mkdir -p "$root${3%/*}"
			cp -R "$work/1$2" "$root$3"
		else
			run distdir make -s distdir distdir="$work/sources"
			cp -R "$work/sources/." "$root$folder"
		fi
		;;
	esac
}

# The daemon, as the last stage says; in here is loopback only.
serve() {
	# shellcheck disable=SC2046 # words, without blanks in them
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin unshare --pid --fork --kill-child chroot --groups= \
		--userspec="$(value USER)" "$root" \
		$(value ENTRYPOINT | words) "$@" >"$work/daemon.out" 2>&1 &
	container=$!
	until curl -sf http://127.0.0.1:8080/healthz >"$work/health"; do
		kill -0 $container 2>/dev/null || {
			cat "$work/daemon.out" >&2
			fail "the daemon has ended"
		}
		sleep 0.1
	done
}

check_served() {
	serve
	jq -e '.status == "ok"' "$work/health" >/dev/null || fail "not well"
	value HEALTHCHECK | sed 's/.* CMD //' | words >"$work/health"
	{
		read -r shell
		read -r option
		read -r script
	} <"$work/health"
	in_root "$root" "$shell" "$option" "$script" || fail "HEALTHCHECK"
	[ -f "$root$(value VOLUME)/peerpost.db" ] ||
		fail "the database is not in the volume"
	# It is process 1 in there, to which a signal without a handler is none.
	pkill -TERM -P $container || fail "there is no process 1"
	wait $container || fail "SIGTERM: it ended with $?"
	! in_root "$root" "$shell" "$option" "$script" 2>/dev/null ||
		fail "HEALTHCHECK finds a dead daemon well"
	serve --max-rooms 1
	pkill -TERM -P $container || fail "there is no process 1"
	wait $container || fail "with an option, it ended with $?"
}

if [ "${1-}" = serve ]; then
	work=$2
	root=$3
	check_served
	exit
fi

in_memory jq curl readelf pkill dpkg-architecture
# Without comments, and one a line.
sed '/^#/d' "$srcdir/contrib/Containerfile" |
	sed -e ':more' -e '/\\$/{N;s/\\\n[[:space:]]*/ /;b more' -e '}' |
	grep . >"$work/instructions"

case $(value USER) in
0:* | *[!0-9:]*) fail "USER is not the number of somebody" ;;
esac
linked_packages >"$work/linked"
grep '^RUN apt-get' "$work/instructions" | tail -n 1 |
	sed 's/.*--no-install-recommends//; s/&&.*//' | xargs -n 1 |
	sort >"$work/installed"
diff "$work/linked" "$work/installed" ||
	fail "what is installed (>) is not what the daemon is linked with (<)"

if [ "${PEERPOST_TEST_LONG-}" = 1 ]; then
	stage 1
else
	run install make -s install-strip DESTDIR="$work/1/image"
fi
stage 2
without_network sh "$0" serve "$work" "$work/2"
umount -l "$work"/?/proc "$work"/?/dev
