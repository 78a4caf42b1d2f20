# completion.bash - contrib/completion/bash/peerpost, as bash calls it.
# shellcheck shell=bash
#
# Run from the build folder by completion.sh.
set -u
: "${srcdir:?}" "${PEERPOSTD:?}"

# shellcheck source=contrib/completion/bash/peerpost
. "$srcdir/contrib/completion/bash/peerpost"
status=0
cd "$srcdir" || exit 1
daemon=$PEERPOSTD
peerpost=$PWD/clients/sh/peerpost
peerpostctl=$PWD/clients/sh/peerpostctl

# offered COMMAND WORD...: what is offered for the last word.
offered() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_peerpost "$1" "${*: -1}" "${*: -2:1}"
	printf '%s\n' "${COMPREPLY[@]}" | sort
}

# expect WHAT WORD...: that exactly this is offered for the words.
expect() {
	local wanted got

	wanted=$(tr ' ' '\n' <<<"$1" | sort)
	shift
	got=$(offered "$@")
	if [[ $got != "$wanted" ]]; then
		echo "completion: ${*@Q}: offered" >&2
		diff <(echo "$wanted") <(echo "$got") >&2
		status=1
	fi
}

for command in peerpostd peerpostctl peerpost; do
	complete -p "$command" | grep -q -- '-F _peerpost ' || status=1
done

# The daemon's options, as its manual has them.
expect "$(sed -n 's/^\.It Fl Fl \([a-z-]*\).*/--\1/p' man/peerpostd.8
	sed -n 's/^\.It Fl Fl [a-z]* , Fl \([a-z]\)$/-\1/p' man/peerpostd.8)" \
	"$daemon" -
expect '--durability' "$daemon" --du
expect 'power process' "$daemon" --durability ''
expect 'process' "$daemon" --durability pro
expect 'error warning info debug' "$daemon" --demo --log-level ''
expect 'info' "$daemon" --log-level = i
expect 'error warning info debug' "$daemon" --log-level =
expect 'unix none' "$daemon" --trusted-proxy ''
expect 'unix:' "$daemon" --listen ''
expect 'README.md' "$daemon" --listen unix : REA
expect 'README.md' "$daemon" --database REA
expect 'README.md' "$daemon" --database = REA
expect 'root' "$daemon" --fastcgi-group roo
expect '' "$daemon" --max-body ''
expect '' "$daemon" ''

# The shell commands' commands and options, likewise.
expect "$(sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' man/peerpost.1)" \
	"$peerpost" ''
expect '-u -s -t --help --version' "$peerpost" -
expect 'unregister' "$peerpost" -u http://127.0.0.1:8080 un
expect 'README.md' "$peerpost" -s REA
expect '' "$peerpost" offer 1 ''
expect "$(sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' man/peerpostctl.8)" \
	"$peerpostctl" ''
expect '--admin --json --help --version' "$peerpostctl" -
expect 'unix:' "$peerpostctl" --admin ''
expect 'README.md' "$peerpostctl" --admin unix : REA
expect 'README.md' "$peerpostctl" --json backup REA
expect 'reload' "$peerpostctl" re
exit $status
