# peerpost_client.gd - a player of a Peerpost server.
#
# Commands are queued and sent one after the other, so that an offer is never
# overtaken by its candidates.  Each has an idempotency key, and is sent again
# until a reply comes.  A second request, which the server holds until there is
# something to tell, brings the events.  Neither depends on the other, and no
# connection is the session: all may break, and the server may be restarted.
#
# Every command returns a number; "command_done" or "command_failed" has the
# same number.  Commands that are still queued when the session ends fail.
class_name PeerpostClient
extends Node

const PeerpostRequest = preload("peerpost_request.gd")

# A command was carried out.  reply: what the server said, {} if nothing.
signal command_done(number, reply)
# A command failed for good.  error: a Dictionary with kind, status, code, error
# and message, see peerpost_request.gd.
signal command_failed(number, error)

signal registered(id)
# This player has a room, by create_room() or join_room().  peers: who is in a
# room that was joined, an array of {"id": ..., "name": ...}, oneself included.
signal room_entered(room, id, peers)
# There is no room any more, by leave_room().
signal room_left()
# The session is over, by unregister() or because the server ended it.
signal session_ended(reason)

# Events, in the order in which the server has them.
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

const RELAYED = ["###!OOO", "###!AAA", "###!CCC"]
const MAX_WAIT = 25
const MIN_WAIT = 5
# Of one reply, the server's rule.
const MAX_EVENTS = 256

# The server's address, with its base path if it has one.
@export var url: String = "http://127.0.0.1:8080"
# Where the session is kept, so that it survives a restart; "" for nowhere.
# Several players on one machine need several files.
@export var session_file: String = "user://peerpost_session.json"
# How often a command is sent before it fails.
@export var max_tries: int = 8
# How long the server may be silent before a request is given up, in seconds.
@export var silence_seconds: float = 20.0

# The player id, 0 when there is no session.
var id: int = 0
# The number of the last event that has been dealt with.
var cursor: int = 0

var _token = ""
var _queue = []
var _number = 0
# The first of the queue is under way, or waits for its next try.
var _busy = false
var _tries = 0
var _wait: int = MAX_WAIT
var _max: int = MAX_EVENTS
var _failures = 0
var _troubled = false
# Counts sessions, so that what belongs to an old one is recognised.
var _era = 0

var _commands = PeerpostRequest.new()
var _poll = PeerpostRequest.new()
var _command_timer = Timer.new()
var _poll_timer = Timer.new()


func _init() -> void:
	# A game that is paused is still there.
	process_mode = Node.PROCESS_MODE_ALWAYS
	for timer in [_command_timer, _poll_timer]:
		timer.one_shot = true
		add_child(timer)
	add_child(_commands)
	add_child(_poll)
	_commands.answered.connect(_on_command_answered)
	_poll.answered.connect(_on_poll_answered)
	_command_timer.timeout.connect(_send)
	_poll_timer.timeout.connect(_send_poll)


func _ready() -> void:
	if id != 0:
		_start(_poll_timer, 0)
	_send_next()


# ---- commands ----

func register_player(player_name: String) -> int:
	return _enqueue("/register", player_name)


func create_room() -> int:
	return _enqueue("/create-room", null)


func join_room(room: String) -> int:
	return _enqueue("/join-room", room)


func seal_room() -> int:
	return _enqueue("/seal-room", null)


func leave_room() -> int:
	return _enqueue("/leave-room", null)


func unregister() -> int:
	return _enqueue("/unregister", null)


# Any value that JSON can say, but null, to everybody in the room.
func send_message(data) -> int:
	return _enqueue("/message", data)


# A Dictionary for one member of the room.
func send_offer(peer: int, data: Dictionary) -> int:
	return _relay("/offer", peer, data)


func send_answer(peer: int, data: Dictionary) -> int:
	return _relay("/answer", peer, data)


func send_candidate(peer: int, data: Dictionary) -> int:
	return _relay("/candidate", peer, data)


# The reply is what GET /room says; fails with "not-in-room" in the lobby.
func fetch_room() -> int:
	return _enqueue("/room", null, true)


# The reply has the array "iceServers", as WebRTC configurations have it.
func fetch_ice_servers() -> int:
	return _enqueue("/ice-servers", null, true)


# Go on with the session in session_file; false if there is none.  Whether it
# still lives turns out later: either events come, or "session_ended".
func resume() -> bool:
	var saved = _read_session()
	if saved == null or saved.url != url:
		return false
	_begin(int(saved.id), saved.token, int(saved.cursor))
	return true


func is_registered() -> bool:
	return id != 0


# ---- sending commands ----

func _relay(path: String, peer: int, data: Dictionary) -> int:
	var body = data.duplicate()
	body["id"] = peer
	return _enqueue(path, body)


func _enqueue(path, data, is_get = false) -> int:
	_number += 1
	_queue.append({
		"number": _number, "path": path,
		"body": null if is_get else JSON.stringify(data), "key": _random_key(),
	})
	# Not now: the caller does not know the number yet.
	_send_next.call_deferred()
	return _number


func _send_next() -> void:
	if _busy or _queue.is_empty() or not is_inside_tree():
		return
	_busy = true
	_tries = 0
	_send()


func _send() -> void:
	var command = _queue[0]
	var headers = PackedStringArray(["Content-Type: application/json"])
	if _token != "" and command.path != "/register":
		headers.append("Authorization: Bearer " + _token)
	if command.body != null:
		headers.append("Idempotency-Key: " + command.key)
	_tries += 1
	_commands.silence = silence_seconds
	_commands.ask(url + command.path, headers, command.body,
			silence_seconds + 10)


func _on_command_answered(outcome) -> void:
	if not _busy:
		return
	var command = _queue[0]
	if outcome.kind == "gone" and command.path == "/unregister" \
			and _tries > 1:
		# It was carried out, and its reply got lost.
		outcome.kind = "ok"
	if outcome.kind in ["busy", "lost"] and _tries < max_tries:
		_trouble(outcome)
		_start(_command_timer, PeerpostRequest.delay_ms(_tries, outcome))
		return
	if outcome.kind == "ok" and not _is_reply(command, outcome.reply):
		outcome.kind = "foreign"
		outcome.message = "This is not a Peerpost server."
	_queue.pop_front()
	_busy = false
	if outcome.kind == "ok":
		_done(command, outcome.reply)
	else:
		if outcome.kind == "gone":
			_end(outcome.message)
		command_failed.emit(command.number, outcome)
	_send_next.call_deferred()


func _is_reply(command, reply) -> bool:
	if command.path in ["/offer", "/answer", "/candidate", "/unregister"]:
		return true
	if reply == null:
		return false
	if command.body == null:
		return reply.has("room") or reply.has("iceServers")
	var code = reply.get("command")
	if typeof(code) != TYPE_STRING or not code.begins_with("###!"):
		return false
	return command.path != "/register" or typeof(reply.get("token")) == TYPE_STRING


func _done(command, reply) -> void:
	_recovered()
	match command.path:
		"/register":
			_begin(int(reply.data), reply.token, 0)
			_save_session()
			registered.emit(id)
		"/create-room":
			room_entered.emit(reply.data, 1, [])
		"/join-room":
			for peer in reply.peers:
				peer.id = int(peer.id)
			room_entered.emit(reply.room, int(reply.id), reply.peers)
		"/leave-room":
			room_left.emit()
		"/unregister":
			_end("")
	command_done.emit(command.number, {} if reply == null else reply)


# ---- events ----

func _send_poll() -> void:
	if id == 0 or not is_inside_tree():
		return
	var body = {"token": _token, "after": cursor, "wait": _wait}
	if _max < MAX_EVENTS:
		body["max"] = _max
	# JSON, as the commands: text/plain would save a web page the preflight, but
	# firewalls refuse it.
	_poll.silence = silence_seconds
	_poll.ask(url + "/events",
			PackedStringArray(["Content-Type: application/json"]),
			JSON.stringify(body), _wait + silence_seconds)


func _on_poll_answered(outcome) -> void:
	if id == 0:
		return
	if outcome.kind == "ok" and not _is_batch(outcome.reply):
		outcome.kind = "foreign"
		outcome.message = "This is not a Peerpost server."
	if outcome.kind == "gone":
		_end(outcome.message)
	elif outcome.kind == "ok":
		_failures = 0
		_recovered()
		_take_batch(outcome)
	else:
		_failures += 1
		_trouble(outcome)
		# Too much for a slow line, or held back until it is complete.
		var broken = outcome.kind == "lost" and outcome.begun
		if broken or outcome.late:
			_max = maxi(_max / 8, 1)
		# Something on the way may cut what is silent for too long.
		if not broken and outcome.seconds >= MIN_WAIT:
			_wait = int(clampf(outcome.seconds * 0.7, MIN_WAIT, _wait))
		_start(_poll_timer, PeerpostRequest.delay_ms(_failures, outcome))


func _is_batch(reply) -> bool:
	if reply == null or typeof(reply.get("events")) != TYPE_ARRAY \
			or not _is_number(reply.get("next")):
		return false
	for event in reply.events:
		if typeof(event) != TYPE_DICTIONARY or not event.has("data") \
				or typeof(event.get("command")) != TYPE_STRING \
				or not _is_number(event.get("id")):
			return false
	return reply.has("reset") \
			or reply.next - cursor >= reply.events.size()


func _is_number(value) -> bool:
	return typeof(value) in [TYPE_INT, TYPE_FLOAT]


func _take_batch(outcome) -> void:
	var reply = outcome.reply
	var era = _era
	var pause_ms = int(reply.get("poll_after_ms", 0))
	for event in reply.events:
		_tell(event)
		if _era != era:
			return
	if reply.has("reset"):
		session_reset.emit(reply.get("room"))
		if _era != era:
			return
	# More again, if twice as many would still come in time.
	if not reply.get("more", false) or outcome.seconds < silence_seconds / 4:
		_max = mini(_max * 2, MAX_EVENTS)
	if int(reply.next) != cursor:
		cursor = int(reply.next)
		_save_session()
	if reply.events.is_empty() and pause_ms == 0:
		if outcome.seconds >= _wait * 0.8:
			_wait = mini(_wait + 1, MAX_WAIT)
		elif outcome.seconds < 1 and not reply.has("reset"):
			# Somebody on the way does not let polls be held.
			pause_ms = 1000
	_start(_poll_timer, pause_ms)


func _tell(event) -> void:
	var data = event.data
	# JSON's numbers are floats here.
	event.id = int(event.id)
	if typeof(data) == TYPE_DICTIONARY and event.command in RELAYED:
		data.id = int(data.id)
	event_received.emit(event)
	match event.command:
		"###!CTR":
			connected_to_room.emit(int(data))
		"###!RPC":
			peer_connected.emit(int(data))
		"###!RPD":
			peer_disconnected.emit(int(data))
		"###!SRK":
			room_sealed.emit()
		"###!RCL":
			room_closed.emit(str(data))
		"###!RMK":
			message_received.emit(data)
		"###!OOO":
			offer_received.emit(data.id, data)
		"###!AAA":
			answer_received.emit(data.id, data)
		"###!CCC":
			candidate_received.emit(data.id, data)


# ---- the session ----

func _begin(new_id, new_token, new_cursor) -> void:
	_era += 1
	id = new_id
	_token = new_token
	cursor = new_cursor
	_failures = 0
	_poll.stop()
	_start(_poll_timer, 0)


func _end(reason) -> void:
	if id == 0:
		return
	_era += 1
	id = 0
	_token = ""
	_poll.stop()
	_poll_timer.stop()
	_forget_session()
	# What was queued for it will not be carried out; a register will.
	var queued = _queue
	_queue = []
	for command in queued:
		if command.path == "/register":
			_queue.append(command)
		else:
			command_failed.emit.call_deferred(command.number, {
				"kind": "gone", "status": 0, "code": "",
				"error": "no-session", "message": reason})
	if _busy and queued[0].path != "/register":
		_commands.stop()
		_command_timer.stop()
		_busy = false
	_send_next.call_deferred()
	session_ended.emit(reason)


func _read_session():
	if session_file == "" or not FileAccess.file_exists(session_file):
		return null
	var json = JSON.new()
	if json.parse(FileAccess.get_file_as_string(session_file)) != OK \
			or typeof(json.data) != TYPE_DICTIONARY \
			or not json.data.has_all(["url", "id", "token", "cursor"]):
		return null
	return json.data


# A new file takes the place of the old, so that there is never half of one.
func _save_session() -> void:
	if session_file == "":
		return
	var file = FileAccess.open(session_file + ".new", FileAccess.WRITE)
	if file == null:
		push_warning("Peerpost: the session cannot be kept in " + session_file)
		return
	file.store_string(JSON.stringify(
			{"url": url, "id": id, "token": _token, "cursor": cursor}))
	file.close()
	DirAccess.rename_absolute(session_file + ".new", session_file)


func _forget_session() -> void:
	if session_file != "" and FileAccess.file_exists(session_file):
		DirAccess.remove_absolute(session_file)


# ---- little helpers ----

func _trouble(outcome) -> void:
	if not _troubled:
		_troubled = true
		network_trouble.emit(outcome.message)


func _recovered() -> void:
	if _troubled:
		_troubled = false
		network_restored.emit()


# Even 0 takes a moment: a request cannot be sent from the reply of the last.
func _start(timer, ms) -> void:
	if is_inside_tree():
		timer.start(maxf(ms / 1000.0, 0.001))


# 128 bits that nobody can guess.  Web exports may lack the class Crypto.
func _random_key() -> String:
	if OS.has_feature("web") and Engine.has_singleton("JavaScriptBridge"):
		return str(Engine.get_singleton("JavaScriptBridge").eval(
				"Array.from(crypto.getRandomValues(new Uint8Array(16)), "
				+ "b => b.toString(16).padStart(2, '0')).join('')", true))
	return Crypto.new().generate_random_bytes(16).hex_encode()
