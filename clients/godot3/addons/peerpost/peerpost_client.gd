# peerpost_client.gd - a player of a Peerpost server.
#
# Commands are queued and sent one request after the other, so that an offer is
# never overtaken by its candidates; offers, answers, candidates and messages
# that wait share a request.  Each request has an idempotency key, and is sent
# again until it is answered.  Events come with a second request, which the
# server holds until there is something to report.  Neither depends on the
# other, and the session is independent of connections: all of them may break,
# and the server may restart.
#
# Every command is a coroutine:
#
#	var result = yield(client.create_room(), "completed")
#
# Without the yield it is only sent.  The result is a Dictionary with
#   ok        whether it was carried out
#   reply     the server's reply, {} if it is empty
#   kind      "ok"
#             "gone": the session is over
#             "refused": the server refuses
#             "busy": the server is full, or has too much to do
#             "lost": the server cannot be reached
#             "foreign": the reply is not from a Peerpost server
#   status    the HTTP status, or 0
#   code      of a failure, such as "###!JRB", or ""
#   error     a word for programs: the server's, see peerpost-protocol(7), or
#             "bad-url", "unreachable", "not-peerpost", "no-session"
#   message   a sentence for people
#
# Neither Engine.time_scale nor a paused tree changes anything here.
extends Node

const PeerpostRequest = preload("peerpost_request.gd")

# A command was carried out.  command: the method's name, "create_room".
signal command_done(command, reply)
# A command failed for good.  error: its result.
signal command_failed(command, error)

signal registered(id)
# This player is in a room, by create_room(), join_room() or resume(). peers:
# its members, an array of {"id": ..., "name": ...}, this player included.
signal room_entered(room, id, peers)
# This player has left the room, by leave_room().
signal room_left()
# The session is over, by unregister() or because the server ended it.
signal session_ended(reason)

# Events of the room, in the server's order.  Events of a room that this player
# has left come by event_received only.
signal connected_to_room(id)
signal peer_connected(id)
signal peer_disconnected(id)
signal room_sealed()
signal room_closed(reason)
signal message_received(data)
signal offer_received(id, data)
signal answer_received(id, data)
signal candidate_received(id, data)
# Each of them, as it came: {"id": ..., "command": ..., "data": ...}.
signal event_received(event)
# The server was restored from a backup: this is the room now, or null.
signal session_reset(room)

# The network or the server fails to answer properly; the client retries.
signal network_trouble(message)
signal network_restored()

const REGISTER = "###!RP"
const CREATE_ROOM = "###!CR"
const JOIN_ROOM = "###!JR"
const SEAL_ROOM = "###!SR"
const LEAVE_ROOM = "###!LR"
const UNREGISTER = "###!UP"
const MESSAGE = "###!SM"
const OFFER = "###!OO"
const ANSWER = "###!AA"
const CANDIDATE = "###!CC"
# Asked for in turn with the commands, but none of them.
const ROOM = "room"
const ICE_SERVERS = "ice-servers"

# What may share a request with its neighbours; at most so many, and so long.
const BATCHED = [MESSAGE, OFFER, ANSWER, CANDIDATE]
const MAX_BATCH = 64
const MAX_BATCH_BYTES = 48 * 1024
# How long candidates wait for others, and descriptions for their first.
const GATHER_MS = 50
# The statuses of failures inside an array, which has only one for the whole.
const STATUS_OF = {
	"bad-json": 400, "bad-data": 400, "no-session": 401,
	"unknown-command": 404, "peer-not-found": 404, "timed-out": 410,
	"too-large": 413, "rate-limited": 429, "storage": 503,
	"shutting-down": 503,
}
# What an array has in it of failures that pass, and when they are tried again.
const PASSING = ["rate-limited", "storage", "shutting-down"]
const PASSING_MS = 1000
# How often a server that cannot store anything is asked.
const MAX_TRIES = 10
# Of a server that has never answered, which may be at another address.
const FIRST_TRIES = 3
const FIRST_MS = 9000
# Pauses between tries: at first, at most, and at most after LONG_MS.
const PAUSE_MS = 250
const MAX_PAUSE_MS = 1500
const LONG_PAUSE_MS = 15000
const LONG_MS = 600000
const MAX_RETRY_AFTER_MS = 300000
# How long a poll is held, in seconds.
const MAX_WAIT = 25.0
# Of one reply, the server's rule.
const MAX_EVENTS = 256
# No cursor is that high: the answer to it is the room.
const CURSOR_AHEAD = 9007199254740991

# The first event of a room, events about its members, those that
# members send to one another, and all that are of a room.
const JOINED = "###!CTR"
const MEMBERSHIP = [JOINED, "###!RPC", "###!RPD", "###!SRK", "###!RCL"]
const RELAYED = ["###!OOO", "###!AAA", "###!CCC"]
const OF_ROOMS = MEMBERSHIP + RELAYED + ["###!RMK"]
# Besides those of ASCII: the space that does not break, and those of no width.
const BLANKS = [0xa0, 0x200b, 0x2060, 0xfeff]

# The server's address, with its base path if it has one.
export var url = "http://127.0.0.1:8080" setget _set_url
# The file that keeps the session, so that it survives a restart; "" to keep
# none. To be several players on one machine, use several files.
export var session_file = "user://peerpost_session.json"
# Seconds without a byte from the server after which a request times out.
export var silence_seconds = 20.0

# The player id, 0 without a session.
var id = 0
# The number of the last event handled.
var cursor = 0
# The room's UUID, "" outside a room.
var room = ""
# This player's id in the room, 1 for the host, 0 outside a room.
var peer_id = 0
# The room's members, this player included: names by peer id.  The names of
# those who joined later are "" until fetch_room() has been called.
var peers = {}

var _token = ""
var _name = ""
var _queue = []
# Those of the request that is in progress, or waits for its next try.
var _batch = []
var _key = ""
var _tries = 0
# Of these, those that somebody else answered, and those without storage.
var _foreign_tries = 0
var _storage_tries = 0
# What is left of FIRST_MS.
var _first_left_ms = 0.0
# When to try again, in ticks; -1: not waiting.
var _send_at = -1
var _poll_at = -1
# A pause of our own choice ends as soon as the server answers anything.
var _may_hurry = false
var _poll_may_hurry = false
# Whether the server has ever answered as one, in this run.
var _is_known = false
var _n_failures = 0
var _is_troubled = false
var _trouble_since_ms = 0

# ---- of the polls
# How long the path to the server lets them be held.  A gateway that cuts after
# 30 s has to be asked for less than that each time, or every poll ends in an
# error; so what is cut after t seconds is asked to last 0.7 t, and a row of
# polls that were held to their end raises it again, carefully.
var _hold = MAX_WAIT
# Until the peek after a cut has been answered.
var _hold_before_cut = 0.0
# Polls in a row that were held to their end, and that were not held at all.
var _n_held = 0
var _n_early = 0
var _asked_wait = 0
# The next is not held, and shows at once whether the server is back.
var _is_peek = false
var _poll_failures = 0
var _max = MAX_EVENTS
# No polls: events wait until it is known which room they are of.
var _is_held_back = false

# How many rooms were entered, as reported by commands and by the mailbox.
var _n_entered = 0
var _n_joined = 0
# A snapshot of the room covers the events up to the first of these; the second is
# the last of those events by which this player entered a room.
var _snapshot_next = 0
var _snapshot_joined = 0
# Counts sessions, so that what belongs to an old one is recognised.
var _era = 0
# It is not known yet whether the session that was kept still lives.
var _is_resuming = false

var _commands = PeerpostRequest.new()
var _poll = PeerpostRequest.new()


func _init():
	# A game that is paused is still there.
	pause_mode = PAUSE_MODE_PROCESS
	randomize()
	for request in [_commands, _poll]:
		add_child(request)
	# warning-ignore:return_value_discarded
	_commands.connect("answered", self, "_on_commands_answered")
	# warning-ignore:return_value_discarded
	_poll.connect("answered", self, "_on_poll_answered")


func _process(_delta):
	var now = OS.get_ticks_msec()
	if _commands.is_free():
		if _send_at >= 0 and now >= _send_at:
			_send_at = -1
			_send()
		elif _batch.empty() and not _queue.empty() and now >= _queue[0].at_ms:
			_send_next()
	if _poll.is_free() and _poll_at >= 0 and now >= _poll_at:
		_poll_at = -1
		_send_poll()


func _set_url(value):
	# Also without the line break that comes with a copied address.
	value = value.strip_edges().rstrip("/")
	var scheme = value.find("://")
	# HTTPRequest knows only lower case.
	if scheme > 0:
		value = value.left(scheme).to_lower() + value.substr(scheme)
	if value != url:
		# Its token is for that server only.
		_end("The server's address was changed.")
		_is_known = false
	url = value


# ---- commands ----

# Become a player with this name, of 1 to 64 characters.
func register_player(player_name):
	return _do("register_player", REGISTER, player_name)


# Create a room as its host.  Others need its UUID to join: it is in "room", and
# reply.data.
func create_room():
	return _do("create_room", CREATE_ROOM, null)


# Join a room by its UUID.
func join_room(uuid):
	# Copied text comes with blanks and line breaks.
	var stripped = ""
	for character in str(uuid):
		if ord(character) > 32 and not ord(character) in BLANKS:
			stripped += character
	return _do("join_room", JOIN_ROOM, stripped)


# Seal the room against further joins; only the host may.
func seal_room():
	return _do("seal_room", SEAL_ROOM, null)


# Leave the room.  If the host leaves, it is closed for everybody.
func leave_room():
	return _do("leave_room", LEAVE_ROOM, null)


# End the session.
func unregister():
	return _do("unregister", UNREGISTER, null)


# Send any JSON value except null to everybody in the room, including this
# player.
func send_message(data):
	return _do("send_message", MESSAGE, data)


# Send a Dictionary to one member of the room.
func send_offer(peer, data):
	return _relay("send_offer", OFFER, peer, data)


func send_answer(peer, data):
	return _relay("send_answer", ANSWER, peer, data)


# Candidates sent within a few milliseconds share a request.
func send_candidate(peer, data):
	return _relay("send_candidate", CANDIDATE, peer, data)


# Ask for the state of the room: the reply has room, host, sealed, id and peers;
# it fails with "not-in-room" outside a room.
func fetch_room():
	return _do("fetch_room", ROOM, null)


# Ask for the server's STUN and TURN servers: the reply has the array
# "iceServers" as in WebRTC configurations, empty if the server has none.
func fetch_ice_servers():
	return _do("fetch_ice_servers", ICE_SERVERS, null)


# Resume the kept session after a restart of the game: a coroutine, too.  False
# if there is none for this url, or if it has ended.  In a room, signals report
# it and its members as if this player had just entered it.
func resume():
	var problem = {}
	if id == 0:
		var saved = _read_session()
		if saved == null:
			problem = _no_session("There is no session to resume.")
		else:
			_begin(int(saved.id), saved.token, int(saved.cursor),
					str(saved.get("name", "")))
			_is_resuming = true
	var era = _era
	var result = yield(_do("", ROOM, null, problem), "completed")
	if era != _era:
		return false
	if result.ok:
		_is_resuming = false
		_take_snapshot(result.reply)
		if era == _era:
			_poll_soon()
	elif _is_resuming and result.kind != "gone":
		# What is kept stays: another time it may be reached.
		_drop()
	return result.ok


# Whether there is a session.
func is_registered():
	return id != 0


# ---- sending commands ----

func _relay(name, code, peer, data):
	if typeof(data) != TYPE_DICTIONARY:
		return _do(name, code, null, {"status": 400, "code": "###!ICB",
				"error": "bad-data",
				"message": "The data for one peer must be a Dictionary."})
	var body = data.duplicate()
	body["id"] = int(peer)
	return _do(name, code, body)


# name: "" for what no signal tells.  problem: why it is not even sent.
func _do(name, code, data, problem = {}):
	var job = {
		"name": name, "code": code, "data": data, "is_alone": false,
		"tries": 0,
		"text": '{"command":"%s","data":%s}' % [code, JSON.print(data)],
		# Not before this time, in ticks.
		"at_ms": OS.get_ticks_msec(),
		"waiter": _wait_for_result(),
	}
	if code in [OFFER, ANSWER, CANDIDATE]:
		job.at_ms += GATHER_MS
	if problem.empty():
		_queue.append(job)
	else:
		# Not now: nobody is waiting yet.
		call_deferred("_settle", job, problem)
	return job.waiter


# What a command returns.  It always waits: whoever yields to a command that has
# ended already waits for ever.
func _wait_for_result():
	var result = yield()
	return result


func _result(members):
	var result = {"ok": false, "kind": "refused", "status": 0, "reply": {},
			"code": "", "error": "", "message": ""}
	for member in result:
		result[member] = members.get(member, result[member])
	if result.reply == null:
		result.reply = {}
	result.ok = result.kind == "ok"
	return result


func _settle(job, outcome):
	var result = _result(outcome)
	job.waiter.resume(result)
	if job.name == "":
		return
	if result.ok:
		emit_signal("command_done", job.name, result.reply)
	else:
		emit_signal("command_failed", job.name, result)


func _send_next():
	_batch = _take_batch()
	_key = _random_key()
	_tries = 0
	_foreign_tries = 0
	_storage_tries = 0
	_first_left_ms = FIRST_MS
	var problem = _problem_of_url()
	if id == 0 and _batch[0].code != REGISTER:
		problem = _no_session("There is no session: register first.")
	elif id != 0 and _batch[0].code == REGISTER:
		problem = {"status": 409, "code": "###!RPB",
				"error": "already-registered",
				"message": "There is already a session."}
	if problem.empty():
		_send()
	else:
		_finish_batch(problem)


func _take_batch():
	var n = 1
	var bytes = _queue[0].text.to_utf8().size()
	while _queue[0].code in BATCHED and not _queue[0].is_alone \
			and n < min(_queue.size(), MAX_BATCH) \
			and _queue[n].code in BATCHED and not _queue[n].is_alone:
		bytes += _queue[n].text.to_utf8().size() + 1
		if bytes > MAX_BATCH_BYTES:
			break
		n += 1
	var batch = []
	for _i in n:
		batch.append(_queue.pop_front())
	return batch


func _send():
	var headers = ["Content-Type: application/json"]
	var path = "/command"
	var body = null
	match _batch[0].code:
		ICE_SERVERS:
			headers = ["Authorization: Bearer " + _token]
			path = "/ice-servers"
		ROOM:
			path = "/events"
			body = '{"token":"%s","after":%d,"wait":0}' % [_token, CURSOR_AHEAD]
		_:
			body = _command_body()
	_tries += 1
	_commands.silence = silence_seconds
	_commands.ask(url, path, headers, body, silence_seconds + 10,
			max(_first_left_ms, 1000) if _is_strange() else INF)


func _command_body():
	var members = PoolStringArray()
	if _token != "":
		members.append('"token":' + JSON.print(_token))
	members.append('"key":"%s"' % _key)
	if _is_array():
		var texts = PoolStringArray()
		for job in _batch:
			texts.append(job.text)
		members.append('"commands":[%s]' % texts.join(","))
	else:
		var text = _batch[0].text
		members.append(text.substr(1, text.length() - 2))
	return "{%s}" % members.join(",")


func _is_array():
	return _batch[0].code in BATCHED


# Whether there may be no server at all.
func _is_strange():
	return not _is_known and _token == ""


func _on_commands_answered(outcome):
	if _batch.empty():
		return
	if outcome.kind == "ok" and not _is_reply(outcome.reply):
		_commands.call_foreign(outcome)
	_learn(outcome)
	if outcome.kind == "gone" and _batch[0].code == UNREGISTER:
		# By an earlier try, or by the server: it is over.
		outcome = {"kind": "ok", "status": outcome.status, "reply": null}
	elif _is_worth_repeating(outcome):
		_trouble(outcome)
		var pause_ms = _pause_ms(_tries, outcome)
		_first_left_ms -= pause_ms
		_send_at = OS.get_ticks_msec() + pause_ms
		_may_hurry = outcome.retry_ms < 0
		return
	_finish_batch(outcome)


# Whether to ask again: what failed may pass, and there is no saying that it was
# not carried out.
func _is_worth_repeating(outcome):
	# A full server is for the game to decide about, and a body that is too large
	# for a proxy stays so.
	if not outcome.kind in ["busy", "lost", "foreign"] \
			or outcome.status == 413 or outcome.error.begins_with("too-many-"):
		return false
	if outcome.code != "":
		if outcome.error == "storage":
			_storage_tries += 1
		return _storage_tries < MAX_TRIES
	# Nor does a firewall change its mind about what is in a command.  And one can
	# do without ICE servers, of which some proxies do not let anybody ask.
	if outcome.kind == "foreign" and (_is_strange() or outcome.status == 403
			or _batch[0].code == ICE_SERVERS):
		_foreign_tries += 1
		if _foreign_tries >= FIRST_TRIES:
			return false
	# Not more than was allowed: clocks jump.
	_first_left_ms -= min(outcome.seconds * 1000, _first_left_ms)
	return not _is_strange() or _first_left_ms > 0


func _is_reply(reply):
	match _batch[0].code:
		MESSAGE, OFFER, ANSWER, CANDIDATE:
			return typeof(reply.get("replies")) == TYPE_ARRAY \
					and reply.replies.size() == _batch.size()
		ICE_SERVERS:
			return typeof(reply.get("iceServers")) == TYPE_ARRAY
		ROOM:
			return reply.has("reset") and _is_batch(reply)
	if typeof(reply.get("command")) != TYPE_STRING \
			or not reply.command.begins_with("###!"):
		return false
	match _batch[0].code:
		REGISTER:
			return typeof(reply.get("data")) == TYPE_REAL \
					and typeof(reply.get("token")) == TYPE_STRING
		CREATE_ROOM:
			return typeof(reply.get("data")) == TYPE_STRING
		JOIN_ROOM:
			return _is_room(reply)
	return true


# Handle the outcome of the request in progress.
func _finish_batch(outcome):
	var batch = _batch
	var kind = outcome.get("kind", "refused")
	_batch = []
	if batch.size() > 1 and outcome.get("status", 0) in [400, 413]:
		# One that cannot be read has spoiled the request, of which nothing was
		# carried out.  The others go on.
		for job in batch:
			job.is_alone = true
		_queue = batch + _queue
		return
	if kind == "ok" and batch[0].code in BATCHED:
		_finish_array(batch, outcome.reply.replies)
		return
	if kind == "ok":
		_done(batch[0], outcome)
	elif batch[0].code == ICE_SERVERS and outcome.error == "not-found":
		outcome = {"kind": "ok", "reply": {"iceServers": []}}
	for job in batch:
		_settle(job, outcome)
	if kind == "gone":
		_end(outcome.message)
	if batch[0].code in [CREATE_ROOM, JOIN_ROOM]:
		_go_on_polling()


func _finish_array(batch, replies):
	var again = []
	var settled = []
	for i in batch.size():
		var outcome = {"kind": "ok", "reply": null, "status": 200}
		if PeerpostRequest.is_failure(replies[i]):
			outcome.status = STATUS_OF.get(replies[i].error, 409)
			PeerpostRequest.judge_failure(outcome, replies[i])
		elif typeof(replies[i]) == TYPE_DICTIONARY:
			outcome.reply = replies[i]
		batch[i].tries += 1
		if outcome.get("error") in PASSING and (outcome.error == "rate-limited"
				or batch[i].tries < MAX_TRIES):
			batch[i].at_ms = OS.get_ticks_msec() + PASSING_MS
			again.append(batch[i])
		else:
			settled.append([batch[i], outcome])
	_queue = again + _queue
	for each in settled:
		_settle(each[0], each[1])


# What a command that was carried out has changed.
func _done(job, outcome):
	var reply = outcome.reply
	match job.code:
		REGISTER:
			_begin(int(reply.data), reply.token, 0, str(job.data))
			_save_session()
			_poll_soon()
			emit_signal("registered", id)
		CREATE_ROOM:
			_enter_room(reply.data, 1, [{"id": 1, "name": _name}])
		JOIN_ROOM:
			_enter_room(reply.room, int(reply.id), _as_peers(reply.peers))
		LEAVE_ROOM:
			_exit_room()
			emit_signal("room_left")
		UNREGISTER:
			_end("")
		ROOM:
			if job.name != "":
				_look_around(outcome)


# Turn the outcome of a look at the room into that of fetch_room().
func _look_around(outcome):
	if outcome.reply.get("room") == null:
		outcome.kind = "refused"
		outcome.status = 404
		outcome.reply = null
		outcome.error = "not-in-room"
		outcome.message = "You are not in a room."
		return
	outcome.reply = _as_room(outcome.reply.room)
	for peer in outcome.reply.peers:
		if peers.has(peer.id):
			peers[peer.id] = peer.name


# ---- what is learned of the server ----

func _learn(outcome):
	if outcome.kind != "ok" and outcome.code == "":
		return
	_is_known = true
	# These it gives when it is not well.
	if not outcome.error in ["storage", "shutting-down"]:
		_recovered()


func _problem_of_url():
	var parts = url.split("://", true, 1)
	var is_right = parts.size() == 2 and parts[0] in ["http", "https"] \
			and parts[1] != "" and not parts[1].begins_with("/")
	for character in "?#@ \t\n":
		is_right = is_right and not character in url
	if is_right:
		return {}
	return {"error": "bad-url",
			"message": ("The server's address must be a URL such as "
					+ "https://play.example, not \"%s\".") % url}


func _no_session(message):
	return {"error": "no-session", "kind": "gone", "message": message}


# How long to wait after so many tries in a row: what the server says, and
# otherwise longer each time; never in step with others.
func _pause_ms(tries, outcome):
	if outcome.retry_ms >= 0:
		return int(min(outcome.retry_ms, MAX_RETRY_AFTER_MS)) + randi() % 1000
	var limit = MAX_PAUSE_MS
	if _is_troubled and OS.get_ticks_msec() - _trouble_since_ms > LONG_MS:
		limit = LONG_PAUSE_MS
	var ms = min(PAUSE_MS * pow(2, min(tries - 1, 10)), limit)
	return int(ms * rand_range(0.5, 1.0))


# The first failure may be an accident; the second is news.
func _trouble(outcome):
	# It is there, it only asks for patience.
	if outcome.status == 429 and outcome.code != "":
		return
	_n_failures += 1
	if _n_failures < 2 or _is_troubled:
		return
	_is_troubled = true
	_trouble_since_ms = OS.get_ticks_msec()
	emit_signal("network_trouble", outcome.message)


# The server has answered: end the pauses that wait for it.
func _recovered():
	_n_failures = 0
	var now = OS.get_ticks_msec()
	if _may_hurry and _send_at > now:
		_send_at = now
	if _poll_may_hurry and _poll_at > now:
		_poll_at = now
	if _is_troubled:
		_is_troubled = false
		emit_signal("network_restored")


# ---- polls ----

func _poll_soon(ms = 0):
	_poll_at = OS.get_ticks_msec() + ms
	_poll_may_hurry = false


func _send_poll():
	if id == 0:
		return
	# After a failure, see at once whether the server is there.
	_asked_wait = 0 if _is_peek else int(_hold)
	var body = {"token": _token, "after": cursor, "wait": _asked_wait}
	if _max < MAX_EVENTS:
		body["max"] = _max
	# JSON, as the commands: text/plain would save a web page the preflight, but
	# firewalls refuse it.
	_poll.silence = silence_seconds
	_poll.ask(url, "/events", ["Content-Type: application/json"],
			JSON.print(body), _asked_wait + silence_seconds)


func _on_poll_answered(outcome):
	if id == 0:
		return
	if outcome.kind == "ok" and not _is_news(outcome.reply):
		_poll.call_foreign(outcome)
	_learn(outcome)
	if outcome.kind == "gone":
		_end(outcome.message)
	elif outcome.kind == "ok":
		_is_peek = false
		_hold_before_cut = 0.0
		_take_batch_of_events(outcome)
	else:
		_on_poll_failed(outcome)


func _on_poll_failed(outcome):
	# Too much for a slow line, or held back until it is complete.
	var is_broken = outcome.begun and outcome.kind == "lost"
	if is_broken or outcome.late:
		_max = int(ceil(_max / 8.0))
	# Something on the way may cut what is silent for too long: that is the way of
	# some paths, and no trouble.
	var is_cut = not is_broken and outcome.seconds >= 1 and _asked_wait > 0 \
			and outcome.code == ""
	if is_cut:
		_n_held = 0
		_hold_before_cut = _hold
		_hold = max(1, 0.7 * min(outcome.seconds, _asked_wait))
	else:
		# What looked like a cut was an outage.
		if _hold_before_cut > 0:
			_hold = _hold_before_cut
		_hold_before_cut = 0.0
		_trouble(outcome)
	_poll_failures += 1
	_is_peek = true
	_poll_soon(_pause_ms(_poll_failures, outcome))
	_poll_may_hurry = outcome.retry_ms < 0


# Whether a reply is the server's, and goes on where the last one ended.
func _is_news(reply):
	return _is_batch(reply) and (reply.has("reset")
			or reply.next - cursor >= reply.events.size())


func _is_batch(reply):
	if typeof(reply.get("events")) != TYPE_ARRAY \
			or typeof(reply.get("next")) != TYPE_REAL \
			or typeof(reply.get("poll_after_ms", 0.0)) != TYPE_REAL:
		return false
	for event in reply.events:
		if typeof(event) != TYPE_DICTIONARY or not event.has("data") \
				or typeof(event.get("command")) != TYPE_STRING \
				or typeof(event.get("id")) != TYPE_REAL:
			return false
		if event.command in RELAYED and (typeof(event.data) != TYPE_DICTIONARY
				or typeof(event.data.get("id")) != TYPE_REAL):
			return false
	return reply.get("room") == null or _is_room(reply.room)


func _is_room(value):
	if typeof(value) != TYPE_DICTIONARY \
			or typeof(value.get("room")) != TYPE_STRING \
			or typeof(value.get("id")) != TYPE_REAL \
			or typeof(value.get("peers")) != TYPE_ARRAY:
		return false
	for peer in value.peers:
		if typeof(peer) != TYPE_DICTIONARY \
				or typeof(peer.get("id")) != TYPE_REAL:
			return false
	return true


func _take_batch_of_events(outcome):
	var reply = outcome.reply
	var era = _era
	var pause_ms = int(reply.get("poll_after_ms", 0))
	if reply.has("reset"):
		_reset(reply)
		if _era == era:
			_poll_soon(pause_ms)
		return
	for event in reply.events:
		# JSON's numbers are all floats here.
		event.id = int(event.id)
		if event.command == JOINED and event.id <= _snapshot_next:
			_snapshot_joined = event.id
	var before = cursor
	for event in reply.events:
		# A repeated reply brings nothing twice.
		if event.id <= cursor:
			continue
		if _is_ahead(event):
			_hold_back(event)
			break
		cursor = event.id
		_tell(event)
		if _era != era:
			return
	if not _is_held_back:
		cursor = int(max(cursor, reply.next))
	# More again, if twice as many would still come in time.
	if not reply.get("more", false) or outcome.seconds < silence_seconds / 4:
		_max = int(min(_max * 2, MAX_EVENTS))
	if cursor != before:
		_poll_failures = 0
		_n_early = 0
		_save_session()
	elif pause_ms == 0 and _asked_wait > 0:
		if outcome.seconds >= 0.5 * _asked_wait:
			_poll_failures = 0
			_n_early = 0
			_n_held += 1
			if _n_held >= 8:
				_n_held = 0
				_hold = min(max(_hold + 1, 1.2 * _hold), MAX_WAIT)
		else:
			# Somebody on the way does not let polls be held.
			_n_early += 1
			pause_ms = 1000 + _pause_ms(_n_early, {"retry_ms": -1})
	if not _is_held_back:
		_poll_soon(pause_ms)


func _tell(event):
	var data = event.data
	var era = _era
	var is_stale = _is_stale(event)
	# JSON's numbers are all floats here.
	if event.command in RELAYED:
		data.id = int(data.id)
	emit_signal("event_received", event)
	if is_stale or era != _era:
		return
	match event.command:
		JOINED:
			emit_signal("connected_to_room", int(data))
		"###!RPC":
			if not peers.has(int(data)):
				peers[int(data)] = ""
			emit_signal("peer_connected", int(data))
		"###!RPD":
			# warning-ignore:return_value_discarded
			peers.erase(int(data))
			emit_signal("peer_disconnected", int(data))
		"###!SRK":
			emit_signal("room_sealed")
		"###!RCL":
			_exit_room()
			emit_signal("room_closed", str(data))
		"###!RMK":
			emit_signal("message_received", data)
		"###!OOO":
			emit_signal("offer_received", data.id, data)
		"###!AAA":
			emit_signal("answer_received", data.id, data)
		"###!CCC":
			emit_signal("candidate_received", data.id, data)


# Whether an event is of a room that has been left, or says what a snapshot of
# the room has said already.
func _is_stale(event):
	if not event.command in OF_ROOMS:
		return false
	if event.command == JOINED and event.id > _snapshot_next:
		_n_joined += 1
	if event.command in MEMBERSHIP and event.id <= _snapshot_next:
		return true
	return event.id < _snapshot_joined or _n_joined < _n_entered or room == ""


# Whether an event is of a room that is not known yet: it may be here before the
# reply to the command that enters it.
func _is_ahead(event):
	return event.command == JOINED and _n_joined == _n_entered \
			and event.id > _snapshot_next


# It comes again.  If no command is going to tell the room, because one was
# given up before it was answered, a snapshot does.
func _hold_back(event):
	_is_held_back = true
	for job in _batch + _queue:
		if job.code in [CREATE_ROOM, JOIN_ROOM]:
			return
	var era = _era
	var result = yield(_do("", ROOM, null), "completed")
	if era != _era:
		return
	if result.ok:
		_take_snapshot(result.reply)
	_snapshot_next = int(max(_snapshot_next, event.id))
	_go_on_polling()


func _go_on_polling():
	if _is_held_back and id != 0:
		_is_held_back = false
		_poll_soon()


# ---- the room ----

func _enter_room(uuid, own, list):
	_n_entered += 1
	_set_room(uuid, own, list)
	emit_signal("room_entered", uuid, own, list)


func _set_room(uuid, own, list):
	room = uuid
	peer_id = own
	peers = {own: _name}
	for peer in list:
		peers[peer.id] = peer.name


func _exit_room():
	room = ""
	peer_id = 0
	peers = {}


# The numbers of JSON as they should be.
func _as_peers(list):
	var right = []
	for peer in list:
		right.append({"id": int(peer.id), "name": str(peer.get("name", ""))})
	return right


func _as_room(value):
	value.id = int(value.id)
	value.host = int(value.get("host", 1))
	value.next = int(value.get("next", 0))
	value.peers = _as_peers(value.peers)
	return value


# What the room is: tell of it as if it were entered now.
func _take_snapshot(reply):
	_snapshot_next = int(reply.next)
	_snapshot_joined = 0
	_n_joined = _n_entered
	if reply.get("room") == null:
		_exit_room()
	else:
		_tell_room(_as_room(reply.room))


func _tell_room(value):
	var era = _era
	_set_room(value.room, value.id, value.peers)
	emit_signal("room_entered", value.room, value.id, value.peers)
	if era == _era and room == value.room:
		emit_signal("connected_to_room", value.id)
	for peer in value.peers:
		if peer.id != value.id and era == _era and room == value.room \
				and peers.has(peer.id):
			emit_signal("peer_connected", peer.id)


# The server was restored from a backup, which may know another room.
func _reset(reply):
	var era = _era
	var now = null
	if reply.get("room") != null:
		now = _as_room(reply.room)
	cursor = int(reply.next)
	_snapshot_next = cursor
	_snapshot_joined = 0
	_n_joined = _n_entered
	_save_session()
	emit_signal("session_reset", now)
	if era != _era:
		return
	if now != null and now.room == room and now.id == peer_id:
		_tell_difference(now.peers)
		return
	if room != "":
		_exit_room()
		emit_signal("room_closed", "Server Restored")
	if now != null and era == _era:
		_tell_room(now)


func _tell_difference(list):
	var era = _era
	var before = peers
	_set_room(room, peer_id, list)
	for peer in before:
		if not peers.has(peer) and era == _era:
			emit_signal("peer_disconnected", peer)
	for peer in list:
		if not before.has(peer.id) and era == _era:
			emit_signal("peer_connected", peer.id)


# ---- the session ----

func _begin(new_id, new_token, new_cursor, new_name):
	_drop()
	id = new_id
	_token = new_token
	_name = new_name
	cursor = new_cursor
	_snapshot_next = 0
	_snapshot_joined = 0
	_n_entered = 0
	_n_joined = 0
	_poll_failures = 0
	_is_peek = false


# No session any more, without a word; what is kept stays.
func _drop():
	_era += 1
	id = 0
	_token = ""
	_is_resuming = false
	_is_held_back = false
	_poll_at = -1
	_poll.stop()
	_exit_room()


func _end(reason):
	if id == 0:
		return
	# Of what was to be resumed nobody has heard.
	var is_news = not _is_resuming
	_drop()
	_forget_session()
	# What was queued for it will not be carried out; a register will.
	var failed = _batch
	var kept = []
	_batch = []
	_send_at = -1
	_commands.stop()
	if not failed.empty() and failed[0].code == UNREGISTER:
		# The poll was told first.
		reason = ""
	for job in _queue:
		if job.code == REGISTER:
			kept.append(job)
		else:
			failed.append(job)
	_queue = kept
	for job in failed:
		if job.code == UNREGISTER:
			_settle(job, {"kind": "ok"})
		else:
			_settle(job, _no_session(reason))
	if is_news:
		emit_signal("session_ended", reason)


func _read_session():
	var file = File.new()
	if session_file == "" or file.open(session_file, File.READ) != OK:
		return null
	var parsed = JSON.parse(file.get_as_text())
	file.close()
	if parsed.error != OK or typeof(parsed.result) != TYPE_DICTIONARY \
			or not parsed.result.has_all(["url", "id", "token", "cursor"]) \
			or typeof(parsed.result.token) != TYPE_STRING \
			or str(parsed.result.url).rstrip("/") != url:
		return null
	return parsed.result


# A new file takes the place of the old, so that there is never half of one.
func _save_session():
	if session_file == "":
		return
	var file = File.new()
	if file.open(session_file + ".new", File.WRITE) != OK:
		push_warning("Peerpost: the session cannot be kept in " + session_file)
		return
	file.store_string(JSON.print({"url": url, "id": id, "token": _token,
			"cursor": cursor, "name": _name}))
	file.close()
	# warning-ignore:return_value_discarded
	Directory.new().rename(session_file + ".new", session_file)


func _forget_session():
	var directory = Directory.new()
	if session_file != "" and directory.file_exists(session_file):
		directory.remove(session_file)


# 128 bits that nobody can guess.  Web exports lack the class Crypto, and a
# script that names it is none there; a page's policy may forbid eval().
func _random_key():
	if ClassDB.class_exists("Crypto"):
		return ClassDB.instance("Crypto").generate_random_bytes(16).hex_encode()
	if Engine.has_singleton("JavaScript"):
		var key = Engine.get_singleton("JavaScript").eval(
				"Array.from(crypto.getRandomValues(new Uint8Array(16)), "
				+ "b => b.toString(16).padStart(2, '0')).join('')", true)
		if typeof(key) == TYPE_STRING and key.length() == 32:
			return key
	# Where there is neither, the best that can be had.
	return ("%d %d %d" % [OS.get_unix_time(), OS.get_ticks_usec(),
			randi()]).sha256_text().left(32)
