#!/bin/sh
# tutorial.sh - Peerpost's protocol, step by step, with curl and jq.
#
# Run it in the build directory, or anywhere if Peerpost is installed, without
# arguments:
#
#	sh ../docs/tutorial.sh
#	sh /usr/share/doc/peerpost/tutorial.sh
#
# It starts its own daemon ($PEERPOSTD, else ./src/peerpostd, else the installed
# one) on a free port with a database in a scratch directory.  Two players,
# Alice and Bob, do everything that two games do to find each other: register,
# meet in a room, exchange an offer, an answer and candidates, chat, seal the
# room and leave.  Half-way the daemon is killed with SIGKILL and started again;
# Alice and Bob lose nothing.
#
# Every command is printed so that it can be pasted into a shell; everything
# else, including the replies, is a comment for that shell.  Every step is also
# checked: the script ends with 0 only if everything went as described here, so
# that this text cannot become out of date.
#
# The rules are in peerpost-protocol(7).  Three are enough to begin:
#
# - A command is a POST.  Its body is the command's data, as JSON.
# - The reply is {"command":CODE,"data":...}.  CODE ends in K if the command
#   succeeded and in B if it failed; the HTTP status says the same, and "error"
#   has a word for programs.
# - Events wait in your mailbox until you acknowledge them.  You fetch them with
#   GET /events.

set -u

# Daemons are installed in directories that may not be in the path.
PATH=$PATH:/usr/local/sbin:/usr/sbin
if [ -n "${PEERPOSTD-}" ]; then
	daemon=$PEERPOSTD
elif [ -x ./src/peerpostd ]; then
	daemon=./src/peerpostd
else
	daemon=peerpostd
fi

# ---------------------------------------------------------------------------
# The tools of this script.  The protocol begins at "Step 1".

for tool in "$daemon" curl jq mktemp mkfifo; do
	command -v "$tool" >/dev/null || {
		echo "tutorial.sh: $tool is not here" >&2
		exit 1
	}
done

# Do not use a proxy of the environment for localhost.
no_proxy='*'
export no_proxy

dir=$(mktemp -d) || exit 1
pid=
poll=

clean_up() {
	status=$?
	trap - EXIT HUP INT TERM
	for child in $poll $pid; do
		kill -9 "$child" 2>/dev/null
	done
	wait 2>/dev/null
	rm -rf "$dir"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

step() {
	printf '\n\n# == %s\n' "$1"
}

say() {
	printf '\n'
	printf '# %s\n' "$@"
}

fail() {
	printf '\ntutorial.sh: FAILED: %s\n' "$1" >&2
	if [ -s "$dir/log" ]; then
		echo "The daemon said:" >&2
		cat "$dir/log" >&2
	fi
	exit 1
}

# show_words WORD...: quoted for a shell.  A word stays as it is if none of its
# characters is special in any shell (zsh expands question marks, and fails when
# it cannot).
show_words() {
	line=
	for word in "$@"; do
		case $word in
		*\'*)
			word="'$(printf '%s' "$word" |
			    sed "s/'/'\\\\''/g")'" ;;
		'' | *[!a-zA-Z0-9:/._-]*)
			word="'$word'" ;;
		esac
		line="$line${line:+ }$word"
	done
	printf '%s' "$line"
}

# Print a command line so that it can be pasted into a shell.
show() {
	printf '\n%s\n' "$(show_words "$@")"
}

# Print a program's output, as a comment.
show_said() {
	printf '%s\n' "$1" | sed 's/^/#     /'
}

# Start the daemon on $1 (HOST:PORT) and wait until it says where it listens.
# Its messages come through a named pipe: if it ends instead, so does the pipe,
# and this does not wait for ever.
start_daemon() {
	rm -f "$dir/stderr"
	mkfifo "$dir/stderr" || fail "no named pipe"
	printf '\n%s &\n' \
	    "$(show_words "$daemon" --listen "$1" --database "$dir/peerpost.db")"
	"$daemon" --listen "$1" --database "$dir/peerpost.db" \
	    2>"$dir/stderr" &
	pid=$!
	exec 3<"$dir/stderr"
	address=
	while read -r line <&3; do
		printf '%s\n' "$line" >>"$dir/log"
		show_said "$line"
		address=$(printf '%s\n' "$line" |
		    sed -n 's/.*\(127\.0\.0\.1:[1-9][0-9]*\).*/\1/p')
		[ -n "$address" ] && break
	done
	[ -n "$address" ] || fail "the daemon did not start"
	url=http://$address
}

# Run "curl -sS ARGUMENTS", print it and the reply.  Leaves the status in
# $status, the body in $body and the header lines in $dir/head.
request() {
	show curl "$@"
	body=$(curl -sS --max-time 20 -D "$dir/head" "$@") ||
	    fail "curl could not do it"
	read_reply
}

read_reply() {
	read -r _ status _ <"$dir/head"
	replayed=$(grep -i '^idempotency-replayed:' "$dir/head" | tr -d '\r')
	show_said "$status${replayed:+  $replayed}  $body"
}

expect_status() {
	[ "$status" = "$1" ] || fail "status $status instead of $1"
}

# Check the last body against a jq filter; the arguments after it are jq's.
expect() {
	filter=$1
	shift
	printf '%s' "$body" | jq -e "$@" "$filter" >/dev/null ||
	    fail "the reply is not as expected: $filter"
}

# The member of the last body that a jq filter selects.
get() {
	printf '%s' "$body" | jq -r "$1"
}

# ---------------------------------------------------------------------------
step "Step 1: a server"

say "One program and one database file; no other service is needed." \
    "Port 0 means a free one."
start_daemon 127.0.0.1:0
port=${address##*:}

request "$url/healthz"
expect_status 200
expect '.status == "ok"'

# ---------------------------------------------------------------------------
step "Step 2: register"

say "The data of /register is the player's name: a JSON string." \
    "The reply has the player id, which is public, and the token, which is the" \
    "session.  Keep both: the token is shown only this once."
request --data '"Alice"' "$url/register"
expect_status 200
expect '.command == "###!RPK" and .data >= 2 and (.token | length) >= 22'
alice=$(get .token)

say "A reply can get lost, and then Bob would not know whether to register" \
    "again.  So he chooses a key and sends it along.  A request with the same" \
    "key is the same request: however often he repeats it, there is one Bob," \
    "and he gets the same reply.  (The key of a register must be unguessable," \
    "with at least 22 characters, because anybody who has it gets the token." \
    "The key of any other command may be short.)"
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
request -H "Idempotency-Key: $key" --data '"Bob"' "$url/register"
expect_status 200
expect '.command == "###!RPK"'
bob=$(get .token)
bob_id=$(get .data)

request -H "Idempotency-Key: $key" --data '"Bob"' "$url/register"
expect_status 200
expect '.token == $token and .data == $id' \
    --arg token "$bob" --argjson id "$bob_id"
grep -qi '^idempotency-replayed: true' "$dir/head" ||
    fail "the second register was not a repetition"

say "Every command except /register needs a token.  An error is JSON like" \
    "every other reply."
request --data '' "$url/create-room"
expect_status 401
expect '.command == "###!CRB" and .error == "no-session"'

# ---------------------------------------------------------------------------
step "Step 3: a room"

say "Alice creates a room, and is its host.  The data of the reply is the" \
    "room's name, a UUID; Alice sends it to Bob, or publishes it." \
    "In the room the host has the peer id 1, and every other member has its" \
    "player id: just as Godot's WebRTCMultiplayerPeer expects."
request --data '' -H "Authorization: Bearer $alice" "$url/create-room"
expect_status 200
expect '.command == "###!CRK" and .id == 1'
room=$(get .data)

say "Bob joins.  The data of the reply are the names of all members; \"peers\"" \
    "has their ids, too."
request -H "Authorization: Bearer $bob" --data "\"$room\"" "$url/join-room"
expect_status 200
expect '.command == "###!JRK" and .data == ["Alice", "Bob"]'
expect '.room == $room and .id == $id' \
    --arg room "$room" --argjson id "$bob_id"
expect '.peers == [{id: 1, name: "Alice"}, {id: $id, name: "Bob"}]' \
    --argjson id "$bob_id"

# ---------------------------------------------------------------------------
step "Step 4: events, and the cursor"

say "Each player has a mailbox.  Its events are numbered 1, 2, 3 ... without" \
    "gaps.  \"after=N\" says: I have everything up to N, you may forget it;" \
    "give me the events after it.  The reply's \"next\" is the N for the next" \
    "call.  A new player begins with 0." \
    "" \
    "Joining put two events into Bob's mailbox: CTR, \"you are connected, and" \
    "this is your peer id\", and one RPC, \"this peer is there\", for each" \
    "member that was in the room before him."
request -H "Authorization: Bearer $bob" "$url/events?after=0"
expect_status 200
expect '[.events[] | [.id, .command, .data]] ==
    [[1, "###!CTR", $id], [2, "###!RPC", 1]]' --argjson id "$bob_id"
expect '.next == 2'

say "Reading deletes nothing.  If this reply were lost, Bob would ask with the" \
    "same cursor again, and get the same events."
request -H "Authorization: Bearer $bob" "$url/events?after=0"
expect '[.events[].id] == [1, 2] and .next == 2'

say "Alice's mailbox: her own CTR, from creating the room, and Bob's arrival."
request -H "Authorization: Bearer $alice" "$url/events?after=0"
expect '[.events[] | [.id, .command, .data]] ==
    [[1, "###!CTR", 1], [2, "###!RPC", $id]]' --argjson id "$bob_id"
alice_cursor=$(get .next)

# ---------------------------------------------------------------------------
step "Step 5: an offer, and a crash"

say "Alice's game has made a WebRTC offer.  \"id\" is its recipient; all other" \
    "members of the object are relayed unchanged.  The reply to an offer is" \
    "only the status 204, which means: it is on the disk."
offer="{\"id\":$bob_id,\"rtc\":{\"type\":\"offer\",\"sdp\":\"v=0 Alice\"}}"
request -H "Authorization: Bearer $alice" -H "Idempotency-Key: offer-1" \
    --data "$offer" "$url/offer"
expect_status 204

say "Bob has not fetched it yet when the server crashes."
show kill -9 "$pid"
kill -9 "$pid" || fail "the daemon was not running"
wait "$pid" 2>/dev/null
pid=
exec 3<&-
if curl -sf --max-time 20 "$url/healthz" >/dev/null; then
	fail "somebody still answers"
fi

say "The operator starts it again, with the same database and port."
start_daemon "127.0.0.1:$port"

say "Suppose the 204 was lost in the crash.  Alice cannot know whether the" \
    "offer was stored, so she sends it again, with the same key.  It was: she" \
    "gets the stored reply, which a header marks as a repetition."
request -H "Authorization: Bearer $alice" -H "Idempotency-Key: offer-1" \
    --data "$offer" "$url/offer"
expect_status 204
grep -qi '^idempotency-replayed: true' "$dir/head" ||
    fail "the repeated offer was taken for a new one"

say "(The same key with another offer is a mistake, and is refused.)"
request -H "Authorization: Bearer $alice" -H "Idempotency-Key: offer-1" \
    --data "{\"id\":$bob_id,\"rtc\":\"another\"}" "$url/offer"
expect_status 422
expect '.error == "idempotency-mismatch"'

say "Bob's token and cursor are still valid, and the offer is there: once." \
    "\"id\" is now its sender: 1, the host."
request -H "Authorization: Bearer $bob" "$url/events?after=2"
expect_status 200
expect '.events == [{id: 3, command: "###!OOO",
    data: {id: 1, rtc: {type: "offer", sdp: "v=0 Alice"}}}]'
expect '.next == 3'
bob_cursor=$(get .next)

# ---------------------------------------------------------------------------
step "Step 6: the answer, and the long poll"

say "So far there were always events.  If there are none, the server holds the" \
    "request until one comes, for at most \"wait\" seconds (25 by default; 0" \
    "means: answer at once).  Alice begins to wait ..."
set -- -H "Authorization: Bearer $alice" \
    "$url/events?after=$alice_cursor&wait=15"
printf '\n%s &\n' "$(show_words curl "$@")"
curl -sS --max-time 20 -D "$dir/head.poll" "$@" >"$dir/body.poll" &
poll=$!

say "... Bob answers; the host is always 1 ..."
request -H "Authorization: Bearer $bob" \
    --data '{"id":1,"rtc":{"type":"answer","sdp":"v=0 Bob"}}' "$url/answer"
expect_status 204

say "... and Alice's request is answered at that moment."
wait "$poll" || fail "Alice's poll broke"
poll=
mv "$dir/head.poll" "$dir/head"
body=$(cat "$dir/body.poll")
read_reply
expect_status 200
expect '.events == [{id: 3, command: "###!AAA",
    data: {id: $id, rtc: {type: "answer", sdp: "v=0 Bob"}}}]' \
    --argjson id "$bob_id"
alice_cursor=$(get .next)

# A client runs this loop for as long as it lives.  If the network fails or the
# server restarts, a client waits a little and asks again with the same cursor.
# This loop ends when it has seen a certain event.
#
#	poll_until TOKEN CURSOR COMMAND
#
# leaves all events that it saw in $dir/seen, one per line, and the new cursor
# in $cursor.
poll_until() {
	cursor=$2
	: >"$dir/seen"
	until jq -es 'any(.[]; .command == $c)' --arg c "$3" \
	    "$dir/seen" >/dev/null; do
		request -H "Authorization: Bearer $1" \
		    "$url/events?after=$cursor&wait=10"
		expect_status 200
		expect '(.events | length) > 0'
		get '.events[] | tojson' >>"$dir/seen"
		cursor=$(get .next)
	done
}

# ---------------------------------------------------------------------------
step "Step 7: candidates"

say "A candidate is sent like an offer or an answer."
request -H "Authorization: Bearer $bob" \
    --data '{"id":1,"rtc":{"candidate":"candidate:1 udp 192.0.2.1"}}' \
    "$url/candidate"
expect_status 204

say "Candidates come in bursts.  /command takes any command by its code, or up" \
    "to 64 of them in an array: one request, with a reply for each (null," \
    "because a candidate has none), and they arrive in this order." \
    "Alice sends three."
request -H "Authorization: Bearer $alice" --data "[
 {\"command\":\"###!CC\",\"data\":{\"id\":$bob_id,\"rtc\":\"candidate:1\"}},
 {\"command\":\"###!CC\",\"data\":{\"id\":$bob_id,\"rtc\":\"candidate:2\"}},
 {\"command\":\"###!CC\",\"data\":{\"id\":$bob_id,\"rtc\":\"candidate:3\"}}
]" "$url/command"
expect_status 200
expect '. == [null, null, null]'

say "Each of them fetches the candidates of the other."
request -H "Authorization: Bearer $bob" "$url/events?after=$bob_cursor"
expect '[.events[] | [.id, .command, .data.id, .data.rtc]] ==
    [[4, "###!CCC", 1, "candidate:1"], [5, "###!CCC", 1, "candidate:2"],
     [6, "###!CCC", 1, "candidate:3"]]'
bob_cursor=$(get .next)
poll_until "$alice" "$alice_cursor" '###!CCC'
alice_cursor=$cursor
expect '[.events[] | [.id, .command, .data.id]] == [[4, "###!CCC", $id]]' \
    --argjson id "$bob_id"

say "From here on the two games talk directly.  They can still send each other" \
    "messages through the server."

# ---------------------------------------------------------------------------
step "Step 8: chat"

say "A message is any JSON value except null.  It goes to everybody in the" \
    "room, including the sender, and everybody sees all messages in the same" \
    "order."
request -H "Authorization: Bearer $alice" --data '"Ready?"' "$url/message"
expect_status 200
expect '.command == "###!RMK" and .data == "Ready?"'
request -H "Authorization: Bearer $bob" --data '{"ready":true,"team":2}' \
    "$url/message"
expect_status 200

say "Bob's loop, until it sees his own message."
poll_until "$bob" "$bob_cursor" '###!RMK'
bob_cursor=$cursor
jq -es 'map(.data) == ["Ready?", {ready: true, team: 2}]' \
    "$dir/seen" >/dev/null || fail "Bob did not see both messages in order"

# ---------------------------------------------------------------------------
step "Step 9: seal"

say "The match begins.  Nobody can join a sealed room; only its host can seal" \
    "it."
request --data '' -H "Authorization: Bearer $bob" "$url/seal-room"
expect_status 403
expect '.command == "###!SRB" and .error == "not-host"'
request --data '' -H "Authorization: Bearer $alice" "$url/seal-room"
expect_status 200
expect '.command == "###!SRK"'

say "Carol is late.  (She registers and joins in one request: the first command" \
    "of an array may be a register, and the others act as the new player.)"
request --data "[{\"command\":\"###!RP\",\"data\":\"Carol\"},
 {\"command\":\"###!JR\",\"data\":\"$room\"}]" "$url/command"
expect_status 200
expect '.[0].command == "###!RPK"'
expect '.[1].command == "###!JRB" and .[1].error == "room-sealed"'

poll_until "$bob" "$bob_cursor" '###!SRK'
bob_cursor=$cursor

# ---------------------------------------------------------------------------
step "Step 10: leave"

say "Bob leaves the room.  He stays registered and could join another."
request --data '' -H "Authorization: Bearer $bob" "$url/leave-room"
expect_status 200
expect '.command == "###!LRK"'

say "Alice's loop catches up: both messages, the seal, and Bob's departure."
poll_until "$alice" "$alice_cursor" '###!RPD'
jq -es 'map([.id, .command]) == [[5, "###!RMK"], [6, "###!RMK"],
    [7, "###!SRK"], [8, "###!RPD"]] and .[3].data == $id' \
    --argjson id "$bob_id" "$dir/seen" >/dev/null ||
    fail "Alice did not see what happened"

say "Bob ends his session.  A client that cannot set headers, or a page that is" \
    "being closed, puts the token into the body of /command instead."
request -H 'Content-Type: text/plain' \
    --data "{\"token\":\"$bob\",\"command\":\"###!UP\"}" "$url/command"
expect_status 200
expect '.command == "###!UPK"'

say "His token is now invalid."
request -H "Authorization: Bearer $bob" "$url/events?after=$bob_cursor"
expect_status 401
expect '.error == "no-session"'

say "Alice leaves too.  She is the host, so the room is closed."
request --data '' -H "Authorization: Bearer $alice" "$url/leave-room"
expect_status 200
request -H "Authorization: Bearer $alice" "$url/room"
expect_status 404
expect '.error == "not-in-room"'

# ---------------------------------------------------------------------------
say "The server is told to stop, and exits with 0."
show kill "$pid"
kill "$pid"
wait "$pid" || fail "the daemon did not end well"
pid=

printf '\n# All as expected.\n'
