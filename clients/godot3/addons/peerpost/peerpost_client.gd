# peerpost_client.gd - a player of a Peerpost server.
#
# Commands are queued and sent one request after the other, so that an offer is
# never overtaken by its candidates; offers, answers, candidates and messages
# that wait share a request.  Each request has an idempotency key, and is sent
# again until it is answered.  A second request, which the server holds until
# there is something to tell, brings the events.  Neither depends on the other,
# and no connection is the session: all may break, and the server may be
# restarted.
#
# Every command is a coroutine:
#
#	var result = yield(client.create_room(), "completed")
#
# Without the yield it is simply sent.  The result is a Dictionary with
#   ok        whether it was carried out
#   reply     what the server said, {} if nothing
#   kind      "ok"
#             "gone": the session is over
#             "refused": the server will not
#             "busy": the server is full, or has too much to do
#             "lost": the server cannot be reached
#             "foreign": there is no Peerpost server
#   status    the HTTP status, or 0
#   code      of a failure, such as "###!JRB", or ""
#   error     a word for programs: the server's, see peerpost-protocol(7), or
#             "bad-url", "unreachable", "not-peerpost", "no-session"
#   message   a sentence for people
#
# Nothing here depends on the game's clock: not on Engine.time_scale, not on
# the tree being paused, and timers are counted in frames nowhere.
extends Node

const PeerpostRequest = preload("peerpost_request.gd")

# A command was carried out.  command: the method's name, "create_room".
signal command_done(command, reply)
# A command failed for good.  error: its result.
signal command_failed(command, error)

signal registered(id)
# This player has a room, by create_room(), join_room() or resume().  peers: who
# is in it, an array of {"id": ..., "name": ...}, oneself included.
signal room_entered(room, id, peers)
# There is no room any more, by leave_room().
signal room_left()
# The session is over, by unregister() or because the server ended it.
signal session_ended(reason)

# Events of the room, in the order in which the server has them.  What is left in
# the mailbox of a room that this player has left is told by event_received only.
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

# The network, or the server, does not answer properly; it is tried again.
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

# What may share a request with its neighbours of the same kind.
const BATCHED = [MESSAGE, OFFER, ANSWER, CANDIDATE]
# Commands, the server's limit.
const MAX_BATCH = 64
# Of the server's 64 KiB.
const MAX_BATCH_BYTES = 48 * 1024
# How long candidates wait for company.
const COMPANY_MS = 50

const CONNECTED = "###!CTR"
const RELAYED = ["###!OOO", "###!AAA", "###!CCC"]
const OF_ROOMS = [CONNECTED, "###!RPC", "###!RPD", "###!SRK", "###!RCL",
		"###!RMK", "###!OOO", "###!AAA", "###!CCC"]
# Of one reply, the server's rule.
const MAX_EVENTS = 256
# Ahead of every event: such a poll is answered with the room, and acknowledges
# nothing.
const CURSOR_AHEAD = 9007199254740991

# Besides those of ASCII: the space that does not break, and those of no width.
const BLANKS = [0xa0, 0x200b, 0x2060, 0xfeff]

# The statuses of failures inside an array, which has only one for the whole.
const STATUS_OF = {
	"bad-json": 400, "bad-data": 400, "no-session": 401, "not-host": 403,
	"unknown-command": 404, "peer-not-found": 404, "timed-out": 410,
	"too-large": 413, "rate-limited": 429, "storage": 503,
	"shutting-down": 503,
}
# How long to wait at least if a proxy took the Retry-After away.
const FLOOR_MS = {"rate-limited": 1000, "storage": 1000, "shutting-down": 500}
const MAX_RETRY_AFTER_MS = 300000
const BACKOFF_MS = 500
# The longest pause, and that of an outage which has lasted for so long.
const MAX_PAUSE_MS = 2000
const LONG_PAUSE_MS = 15000
const LONG_OUTAGE_MS = 600000
# A server that has never answered may be at another address, and that should be
# said soon: how long it is tried, and how often if somebody else answers.
const FIRST_MS = 9000
const FIRST_TRIES = 3
# How often a server without a place to store things is asked.
const MAX_TRIES = 10

const NEVER = 1 << 62

# The server's address, with its base path if it has one.
export var url = "http://127.0.0.1:8080" setget _set_url
# Where the session is kept, so that it survives a restart; "" for nowhere.
# Several players on one machine need several files.
export var session_file = "user://peerpost_session.json"
# How long the server may be silent before a request is given up, in seconds.
export var silence_seconds = 20.0

# The player id, 0 when there is no session.
var id = 0
# The number of the last event that has been dealt with.
var cursor = 0
# The room's UUID, "" in the lobby.
var room = ""
# Our own peer id in the room, 1 for the host; 0 in the lobby.
var peer_id = 0
# Who is in the room: peer id -> name, oneself included.  Of those who came
# later the name is "" until fetch_room() tells it.
var peers = {}

var _token = ""
var _name = ""
# Counts sessions, so that what belongs to an old one is recognised.
var _era = 0
var _resuming = false

# Commands that wait, and those of the request that is under way.
var _queue = []
var _batch = []
var _key = ""
# When the request goes out (again).
var _send_at = 0
var _tries = 0
# Of these, those that somebody else answered, and those without storage.
var _foreign_tries = 0
var _storage_tries = 0
# What is left of FIRST_MS, and of what this try got of it.
var _left_ms = 0.0
# The server has answered as one, in this run.
var _known = false

var _poll_at = NEVER
# For how long the poll under way is held, in seconds.
var _wait = 0
# The next is not held: it shows at once whether the server is back.
var _peek_next = false
var _poll_failures = 0
var _max = MAX_EVENTS
var _hold_time = HoldTime.new()

# Rooms entered whose first event, CONNECTED, has not come yet: until then events
# are of an earlier room.
var _rooms_to_come = 0
# The room was asked for after this event, and the last CONNECTED before that.
var _seen = 0
var _seen_connected = 0
# Events wait until it is known which room they are of.
var _held = false

# Failures in a row, and since when.
var _troubles = 0
var _trouble_since = 0
var _troubled = false

var _commands = PeerpostRequest.new()
var _poll = PeerpostRequest.new()


# How long the path to the server lets a poll be held.  A gateway that cuts after
# 30 s has to be asked for less than that each time, or every poll ends in an
# error; so what is cut after t seconds is asked to last 0.7 t, and a row of
# polls that were held to their end raises it again, carefully.
class HoldTime:
	const MOST = 25.0

	var seconds = MOST
	var _clean = 0
	# Until the peek after a cut.
	var _before_cut = 0.0

	# What to ask for, in whole seconds.
	func wait():
		return int(seconds)

	# A held poll failed after so long; whether that was a cut.
	func cut(after, asked):
		# What fails at once was not cut for its length.
		if after < 1 or asked == 0:
			return false
		_clean = 0
		_before_cut = seconds
		seconds = max(1, 0.7 * min(after, asked))
		return true

	# What looked like a cut was an outage: the peek after it failed, too.
	func forgive():
		if _before_cut > 0:
			seconds = _before_cut
		_before_cut = 0.0

	# It was a cut.
	func confirm():
		_before_cut = 0.0

	# A poll was answered after so long.
	func held(after, asked):
		# The server itself takes off up to a tenth.
		if asked == 0 or after < 0.85 * asked:
			return
		_clean += 1
		if _clean >= 8:
			_clean = 0
			seconds = min(max(seconds + 1, 1.2 * seconds), MOST)


func _init():
	# A game that is paused is still there.
	pause_mode = PAUSE_MODE_PROCESS
	randomize()
	add_child(_commands)
	add_child(_poll)
	# warning-ignore:return_value_discarded
	_commands.connect("answered", self, "_on_commands_answered")
	# warning-ignore:return_value_discarded
	_poll.connect("answered", self, "_on_poll_answered")


# In the tree again, perhaps with another parent, _process() asks once more.
func _exit_tree():
	if _commands.is_asking():
		_commands.stop()
		_send_at = 0
	if _poll.is_asking():
		_poll.stop()
		_poll_at = 0


func _process(_delta):
	var now = OS.get_ticks_msec()
	if _commands.is_free() and _has_commands(now):
		_send()
	if _poll.is_free() and now >= _poll_at:
		_send_poll()


func _set_url(text):
	var trimmed = text.strip_edges().rstrip("/ \t")
	var scheme = trimmed.find("://")
	# HTTPRequest knows only lower case.
	if scheme > 0:
		trimmed = trimmed.left(scheme).to_lower() + trimmed.substr(scheme)
	if trimmed != url:
		_known = false
	url = trimmed


# ---- commands ----

func register_player(name):
	return _enqueue("register_player", REGISTER, name)


func create_room():
	return _enqueue("create_room", CREATE_ROOM)


# Blanks anywhere in the UUID do not matter: it may have been copied with some.
func join_room(uuid):
	var stripped = ""
	for character in str(uuid):
		if ord(character) > 32 and not ord(character) in BLANKS:
			stripped += character
	return _enqueue("join_room", JOIN_ROOM, stripped)


func seal_room():
	return _enqueue("seal_room", SEAL_ROOM)


func leave_room():
	return _enqueue("leave_room", LEAVE_ROOM)


func unregister():
	return _enqueue("unregister", UNREGISTER)


# Any value that JSON can say, but null, to everybody in the room.
func send_message(data):
	return _enqueue("send_message", MESSAGE, data)


# A Dictionary for one member of the room.
func send_offer(peer, data):
	return _relay("send_offer", OFFER, peer, data)


func send_answer(peer, data):
	return _relay("send_answer", ANSWER, peer, data)


func send_candidate(peer, data):
	return _relay("send_candidate", CANDIDATE, peer, data)


# The reply is what GET /room says; fails with "not-in-room" in the lobby.
func fetch_room():
	return _enqueue("fetch_room", ROOM)


# The reply has the array "iceServers", as WebRTC configurations have it.
func fetch_ice_servers():
	return _enqueue("fetch_ice_servers", ICE_SERVERS)


# Go on with the session in session_file: a coroutine like the commands, whose
# result is whether there is one for this url that still lives.  In a room,
# room_entered is emitted again.
func resume():
	var wrong = null
	if id == 0:
		var saved = _read_session()
		if saved == null:
			wrong = _no_session("There is no session to go on with.")
		else:
			_resuming = true
			_begin(int(saved.id), saved.token, int(saved.cursor),
					str(saved.get("name", "")))
			_poll_at = NEVER
	var result = yield(_enqueue("", ROOM, null, wrong), "completed")
	var reply = result.reply if result.ok else null
	if result.ok or result.error == "not-in-room":
		_resuming = false
		_take_room(reply)
		_poll_at = 0
		if reply != null:
			emit_signal("room_entered", room, peer_id, reply.peers)
		return true
	if _resuming:
		# Not now, but perhaps some other time.
		_resuming = false
		_drop()
	return false


func is_registered():
	return id != 0


# ---- sending commands ----

func _relay(command, code, peer, data):
	if typeof(data) != TYPE_DICTIONARY:
		return _enqueue(command, code, null, _failure("refused", "bad-data",
				"What goes to one peer must be a Dictionary.", 400, "###!ICB"))
	var body = data.duplicate()
	body["id"] = int(peer)
	return _enqueue(command, code, body)


# command: "" for our own.  wrong: why it is not even sent.
func _enqueue(command, code, data = null, wrong = null):
	var job = {
		"command": command, "code": code, "data": data, "text": "",
		"alone": false, "at": OS.get_ticks_msec(),
		"waiter": _wait_for_result(),
	}
	if wrong != null:
		# Not now: nobody is waiting yet.
		call_deferred("_finish", job, wrong)
		return job.waiter
	job.text = '"command":"%s"' % code
	if data != null:
		job.text += ',"data":' + JSON.print(data)
	_queue.append(job)
	return job.waiter


# What a command returns.  It always waits, or a game that waits for it would
# wait for ever.
func _wait_for_result():
	var result = yield()
	return result


func _has_commands(now):
	if not _batch.empty():
		return now >= _send_at
	if _queue.empty():
		return false
	if _queue.size() < MAX_BATCH and now - _queue[0].at < COMPANY_MS:
		for job in _queue:
			if job.code != CANDIDATE:
				return true
		return false
	return true


func _send():
	if _batch.empty():
		_take_batch()
	var code = _batch[0].code
	if not _is_url():
		_fail_batch(_failure("foreign", "bad-url", ("The address of the server "
				+ "must be a URL such as https://play.example, not '%s'.")
				% url))
		return
	if id == 0 and code != REGISTER:
		_fail_batch(_no_session("There is no session: register first."))
		return
	if id != 0 and code == REGISTER:
		_fail_batch(_failure("refused", "already-registered",
				"There is a session already.", 409, "###!RPB"))
		return
	var headers = ["Content-Type: application/json"]
	var path = "/command"
	var body = null
	if code == ICE_SERVERS:
		headers = ["Authorization: Bearer " + _token]
		path = "/ice-servers"
	elif code == ROOM:
		path = "/events"
		body = '{"token":"%s","after":%d,"wait":0}' % [_token, CURSOR_AHEAD]
	else:
		body = _body_of_batch()
	_tries += 1
	_send_at = NEVER
	_commands.silence = silence_seconds
	_commands.ask(url, path, headers, body, silence_seconds,
			_left_ms if _is_strange() else INF)


func _is_url():
	var parts = url.split("://", true, 1)
	if parts.size() < 2 or not parts[0] in ["http", "https"]:
		return false
	for character in "?#@ \t\n":
		if character in url:
			return false
	return parts[1] != "" and not parts[1].begins_with("/")


# Whether there may be no server at all.
func _is_strange():
	return not _known and _token == ""


func _take_batch():
	var bytes = 0
	while not _queue.empty() and _batch.size() < MAX_BATCH:
		var job = _queue[0]
		bytes += job.text.to_utf8().size() + 3
		if not _batch.empty() and (not _may_share(job)
				or not _may_share(_batch[0]) or bytes > MAX_BATCH_BYTES):
			break
		_batch.append(job)
		_queue.pop_front()
	_key = _random_key()
	_tries = 0
	_foreign_tries = 0
	_storage_tries = 0
	_left_ms = FIRST_MS


func _may_share(job):
	return job.code in BATCHED and not job.alone


func _body_of_batch():
	var body = '{"key":"%s",' % _key
	if _token != "":
		body += '"token":"%s",' % _token
	if not _batch[0].code in BATCHED:
		return body + _batch[0].text + "}"
	var texts = PoolStringArray()
	for job in _batch:
		texts.append("{" + job.text + "}")
	return body + '"commands":[' + texts.join(",") + "]}"


func _on_commands_answered(outcome):
	var code = _batch[0].code
	if outcome.kind == "ok" and not _is_reply(code, outcome.reply):
		_commands.make_foreign(outcome)
	if outcome.kind == "gone" and code == UNREGISTER:
		# By an earlier try, or by the server: it is over.
		outcome = _success(null)
	if _is_answer(outcome):
		_known = true
		_recovered()
	if _tries_again(outcome):
		return
	if _batch.size() > 1 and outcome.status in [400, 413]:
		# One that cannot be read has spoiled the request, of which nothing
		# was carried out.  The others go on.
		for job in _batch:
			job.alone = true
		_queue = _batch + _queue
		_batch = []
		return
	if outcome.kind != "ok":
		if outcome.kind == "gone":
			_end(outcome.message, outcome)
		else:
			_fail_batch(outcome)
		return
	var jobs = _batch
	_batch = []
	if code in BATCHED:
		for i in jobs.size():
			_finish(jobs[i], _outcome_of(outcome.reply.replies[i]))
	elif code == ROOM and outcome.reply.room == null:
		_finish(jobs[0], _failure("refused", "not-in-room",
				"You are in no room.", 404, "###!ICB"))
	else:
		if code == ROOM:
			outcome.reply = outcome.reply.room
		_finish(jobs[0], outcome)


# Whether the server itself has answered, and is well.
func _is_answer(outcome):
	return outcome.kind == "ok" or (outcome.code != ""
			and not outcome.error in ["storage", "shutting-down"])


# Whether the same request may get another answer later: then it is sent again.
func _tries_again(outcome):
	if outcome.kind in ["ok", "gone", "refused"]:
		return false
	# A full server is for the game to decide about, and a body that is too large
	# for a proxy stays so.
	if outcome.error.begins_with("too-many-") or outcome.status == 413:
		return false
	var delay = _pause_ms(_tries, outcome)
	if outcome.error == "storage":
		_storage_tries += 1
		if _storage_tries >= MAX_TRIES:
			return false
	# Nor does a firewall change its mind about what is in a command.
	if outcome.kind == "foreign" and (_is_strange() or outcome.status == 403):
		_foreign_tries += 1
		if _foreign_tries >= FIRST_TRIES:
			return false
	if _is_strange():
		# Not more than was allowed: clocks jump.
		_left_ms -= delay + min(outcome.seconds * 1000, _left_ms)
		if _left_ms <= 0:
			return false
	_trouble(outcome)
	_send_at = OS.get_ticks_msec() + delay
	return true


func _is_reply(code, reply):
	if reply == null:
		return false
	if code in BATCHED:
		return _is_array(reply.get("replies"), TYPE_NIL) \
				and reply.replies.size() == _batch.size()
	if code == ICE_SERVERS:
		return _is_array(reply.get("iceServers"), TYPE_DICTIONARY)
	if code == ROOM:
		return reply.has("reset") and (reply.get("room") == null
				or _is_room(reply.room))
	if typeof(reply.get("command")) != TYPE_STRING \
			or not reply.command.begins_with("###!"):
		return false
	match code:
		REGISTER:
			return typeof(reply.get("token")) == TYPE_STRING \
					and typeof(reply.get("data")) == TYPE_REAL
		CREATE_ROOM:
			return typeof(reply.get("data")) == TYPE_STRING
		JOIN_ROOM:
			return _is_room(reply)
	return true


# type: of its elements; TYPE_NIL: null, too.
func _is_array(value, type):
	if typeof(value) != TYPE_ARRAY:
		return false
	for each in value:
		if typeof(each) != TYPE_DICTIONARY and (each != null
				or type != TYPE_NIL):
			return false
	return true


# What GET /room says, or the reply to a join.
func _is_room(value):
	if typeof(value) != TYPE_DICTIONARY \
			or typeof(value.get("room")) != TYPE_STRING \
			or typeof(value.get("id")) != TYPE_REAL \
			or not _is_array(value.get("peers"), TYPE_DICTIONARY):
		return false
	for peer in value.peers:
		if typeof(peer.get("id")) != TYPE_REAL \
				or typeof(peer.get("name")) != TYPE_STRING:
			return false
	# JSON's numbers are all floats here.
	for peer in value.peers:
		peer.id = int(peer.id)
	for name in ["id", "host", "next"]:
		if typeof(value.get(name)) == TYPE_REAL:
			value[name] = int(value[name])
	return true


# Of one reply in an array.
func _outcome_of(reply):
	if reply == null or typeof(reply.get("error")) != TYPE_STRING:
		return _success(reply)
	var status = STATUS_OF.get(reply.error, 409)
	return _failure(PeerpostRequest.kind_of(status), reply.error,
			str(reply.get("data", "")), status, str(reply.get("command", "")))


func _success(reply):
	return {"kind": "ok", "status": 200, "reply": reply, "code": "",
			"error": "", "message": ""}


func _failure(kind, error, message, status = 0, code = ""):
	return {"kind": kind, "status": status, "reply": null, "code": code,
			"error": error, "message": message}


func _no_session(message):
	return _failure("gone", "no-session", message, 401)


func _fail_batch(outcome):
	var jobs = _batch
	_batch = []
	for job in jobs:
		_finish(job, outcome)


# The last of a command: what it has changed, its signals, its result.
func _finish(job, outcome):
	var result = {
		"ok": outcome.kind == "ok",
		"reply": {} if outcome.reply == null else outcome.reply,
		"kind": outcome.kind, "status": outcome.status,
		"code": outcome.code, "error": outcome.error,
		"message": outcome.message,
	}
	if result.ok:
		_done(job, result.reply)
	if job.command != "":
		if result.ok:
			emit_signal("command_done", job.command, result.reply)
		else:
			emit_signal("command_failed", job.command, result)
	job.waiter.resume(result)
	if job.code in [CREATE_ROOM, JOIN_ROOM]:
		_release()


func _done(job, reply):
	match job.code:
		REGISTER:
			_begin(int(reply.data), reply.token, 0, str(job.data))
			_save_session()
			emit_signal("registered", id)
		CREATE_ROOM:
			_enter_room(reply.data, 1, [{"id": 1, "name": _name}])
		JOIN_ROOM:
			_enter_room(reply.room, reply.id, reply.peers)
		LEAVE_ROOM:
			_exit_room()
			emit_signal("room_left")
		UNREGISTER:
			_end("")
		ROOM:
			for peer in reply.peers:
				if peers.has(peer.id):
					peers[peer.id] = peer.name


# ---- events ----

func _send_poll():
	_poll_at = NEVER
	_wait = 0 if _peek_next else _hold_time.wait()
	var body = {"token": _token, "after": cursor, "wait": _wait}
	if _max < MAX_EVENTS:
		body["max"] = _max
	# JSON, as the commands: text/plain would save a web page the preflight, but
	# firewalls refuse it.
	_poll.silence = silence_seconds
	_poll.ask(url, "/events", ["Content-Type: application/json"],
			JSON.print(body), _wait + silence_seconds)


func _on_poll_answered(outcome):
	if id == 0:
		return
	if outcome.kind == "ok" and not _is_news(outcome.reply):
		_poll.make_foreign(outcome)
	if _is_answer(outcome):
		_known = true
		_recovered()
	if outcome.kind == "gone":
		_end(outcome.message)
	elif outcome.kind == "ok":
		_peek_next = false
		_hold_time.confirm()
		_take_events(outcome)
	else:
		# Too much for a slow line, or held back until it is complete.
		var broken = outcome.kind == "lost" and outcome.begun
		if broken or outcome.late:
			_max = int(max(_max / 8, 1))
		# Something on the way may cut what is silent for too long: that is the
		# way of some paths, and no trouble.
		if broken or outcome.code != "" \
				or not _hold_time.cut(outcome.seconds, _wait):
			_hold_time.forgive()
			_trouble(outcome)
		_peek_next = true
		_poll_failures += 1
		_poll_at = OS.get_ticks_msec() + _pause_ms(_poll_failures, outcome)


func _is_news(reply):
	if not _is_array(reply.get("events"), TYPE_DICTIONARY) \
			or typeof(reply.get("next")) != TYPE_REAL \
			or not typeof(reply.get("poll_after_ms", 0.0)) == TYPE_REAL:
		return false
	for event in reply.events:
		if not event.has("data") \
				or typeof(event.get("command")) != TYPE_STRING \
				or typeof(event.get("id")) != TYPE_REAL:
			return false
	if reply.has("reset"):
		return reply.get("room") == null or _is_room(reply.room)
	return reply.next - cursor >= reply.events.size()


func _take_events(outcome):
	var reply = outcome.reply
	var era = _era
	var before = cursor
	var pause_ms = reply.get("poll_after_ms", 0.0)
	for event in reply.events:
		# JSON's numbers are all floats here.
		event.id = int(event.id)
		if event.command == CONNECTED and event.id <= _seen:
			_seen_connected = max(_seen_connected, event.id)
	for event in reply.events:
		# A reply that comes again brings nothing twice.
		if event.id <= cursor:
			continue
		if _is_ahead(event):
			_hold(event)
			break
		cursor = event.id
		_tell(event)
		if _era != era:
			return
	if reply.has("reset"):
		cursor = int(reply.next)
		_reset(reply.get("room"))
		if _era != era:
			return
	elif not _held:
		cursor = int(max(cursor, reply.next))
	if cursor != before:
		_save_session()
	# More again, if twice as many would still come in time.
	if not reply.get("more", false) or outcome.seconds < silence_seconds / 4:
		_max = int(min(_max * 2, MAX_EVENTS))
	if _held:
		return
	if cursor != before:
		_poll_failures = 0
	elif pause_ms == 0 and _wait > 0 and not reply.has("reset"):
		if outcome.seconds >= 0.5 * _wait:
			_poll_failures = 0
			_hold_time.held(outcome.seconds, _wait)
		else:
			# Somebody on the way does not let polls be held.
			_poll_failures += 1
			pause_ms = max(1000, _pause_ms(_poll_failures, null))
	_poll_at = OS.get_ticks_msec() + int(pause_ms)


func _tell(event):
	var data = event.data
	var stale = _is_stale(event)
	if event.command in RELAYED:
		if typeof(data) != TYPE_DICTIONARY or not data.has("id"):
			stale = true
		else:
			data.id = int(data.id)
	if not stale:
		_follow(event.command, data)
	var era = _era
	emit_signal("event_received", event)
	if stale or _era != era:
		return
	match event.command:
		CONNECTED:
			emit_signal("connected_to_room", int(data))
		"###!RPC":
			emit_signal("peer_connected", int(data))
		"###!RPD":
			emit_signal("peer_disconnected", int(data))
		"###!SRK":
			emit_signal("room_sealed")
		"###!RCL":
			emit_signal("room_closed", str(data))
		"###!RMK":
			emit_signal("message_received", data)
		"###!OOO":
			emit_signal("offer_received", data.id, data)
		"###!AAA":
			emit_signal("answer_received", data.id, data)
		"###!CCC":
			emit_signal("candidate_received", data.id, data)


# ---- which room events are of ----

# The first event of a room may be here before the reply that tells which room
# that is.
func _is_ahead(event):
	return event.command == CONNECTED and _rooms_to_come == 0 \
			and event.id > _seen


# It comes again.  If no command is going to tell the room, because one was
# given up before it was answered, the server does.
func _hold(event):
	_held = true
	for job in _batch + _queue:
		if job.code in [CREATE_ROOM, JOIN_ROOM]:
			return
	var era = _era
	var result = yield(_enqueue("", ROOM), "completed")
	if _era != era:
		return
	var reply = result.reply if result.ok else null
	if result.ok or result.error == "not-in-room":
		_take_room(reply)
	_seen = int(max(_seen, event.id))
	if reply != null:
		emit_signal("room_entered", room, peer_id, reply.peers)
	_release()


func _release():
	if not _held:
		return
	_held = false
	if id != 0:
		_poll_at = 0


# Whether an event is of a room that has been left.
func _is_stale(event):
	if not event.command in OF_ROOMS:
		return false
	if event.command == CONNECTED and event.id > _seen:
		_rooms_to_come -= 1
	if _rooms_to_come > 0 or room == "":
		return true
	return event.id < _seen_connected


func _follow(command, data):
	match command:
		"###!RPC":
			peers[int(data)] = peers.get(int(data), "")
		"###!RPD":
			# warning-ignore:return_value_discarded
			peers.erase(int(data))
		"###!RCL":
			_exit_room()


func _enter_room(new_room, new_id, members):
	_rooms_to_come += 1
	_set_room(new_room, new_id, members)
	emit_signal("room_entered", room, peer_id, members)


func _exit_room():
	_set_room("", 0, [])


# What the server says that the room is, null: none.
func _take_room(reply):
	_rooms_to_come = 0
	_seen = cursor
	_seen_connected = 0
	if reply == null:
		_exit_room()
		return
	_set_room(reply.room, reply.id, reply.peers)
	_seen = reply.get("next", cursor)


func _set_room(new_room, new_id, members):
	room = new_room
	peer_id = new_id
	peers = {}
	for member in members:
		peers[member.id] = member.name


func _reset(reply):
	var before = room
	_take_room(reply)
	emit_signal("session_reset", reply)
	if before != "" and room != before:
		emit_signal("room_closed", "Server Restored")


# ---- the session ----

func _begin(new_id, new_token, new_cursor, new_name):
	_era += 1
	id = new_id
	_token = new_token
	_name = new_name
	cursor = new_cursor
	_peek_next = false
	_poll_failures = 0
	_rooms_to_come = 0
	_seen = 0
	_seen_connected = 0
	_held = false
	_exit_room()
	_poll.stop()
	_poll_at = 0


# Without a word, and what is kept stays.
func _drop():
	_era += 1
	id = 0
	_token = ""
	_exit_room()
	_held = false
	_poll.stop()
	_poll_at = NEVER


# outcome: of the batch, if that has told it.
func _end(reason, outcome = null):
	if id == 0:
		return
	_drop()
	_forget_session()
	var batch = _batch
	var queued = _queue
	var was_resuming = _resuming
	_resuming = false
	_batch = []
	_queue = []
	_commands.stop()
	# What was queued for it will not be carried out; a register will.
	for job in batch + queued:
		if job.code == REGISTER:
			_queue.append(job)
		elif job.code == UNREGISTER:
			reason = "" if job in batch else reason
			call_deferred("_finish", job, _success(null))
		else:
			call_deferred("_finish", job, outcome
					if outcome != null and job in batch
					else _no_session(reason))
	if not was_resuming:
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
			or parsed.result.url != url:
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


# ---- little helpers ----

# The first failure may be an accident; the second is news.
func _trouble(outcome):
	# It is there, it only asks for patience.
	if outcome.error == "rate-limited":
		return
	if _troubles == 0:
		_trouble_since = OS.get_ticks_msec()
	_troubles += 1
	if _troubles >= 2 and not _troubled:
		_troubled = true
		emit_signal("network_trouble", outcome.message)


func _recovered():
	_troubles = 0
	if _troubled:
		_troubled = false
		emit_signal("network_restored")


# How long to wait after so many failures in a row: at least what the server says,
# and otherwise longer each time; never in step with others.
func _pause_ms(failures, outcome):
	var least = 0
	if outcome != null:
		least = outcome.retry_ms
		if least < 0:
			least = FLOOR_MS.get(outcome.error, 0)
	var most = MAX_PAUSE_MS
	if _troubles > 0 and OS.get_ticks_msec() - _trouble_since > LONG_OUTAGE_MS:
		most = LONG_PAUSE_MS
	var backoff = min(BACKOFF_MS * pow(2, min(failures - 1, 10)), most)
	return int(max(min(least, MAX_RETRY_AFTER_MS) * rand_range(1, 1.2),
			backoff * rand_range(0.5, 1)))


# 128 bits that nobody can guess.  Web exports lack the class Crypto, and a script
# that names it is none there.
func _random_key():
	if ClassDB.class_exists("Crypto"):
		return ClassDB.instance("Crypto").generate_random_bytes(16).hex_encode()
	return str(Engine.get_singleton("JavaScript").eval(
			"Array.from(crypto.getRandomValues(new Uint8Array(16)), "
			+ "b => b.toString(16).padStart(2, '0')).join('')", true))
