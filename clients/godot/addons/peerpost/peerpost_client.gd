@icon("icon.svg")
class_name PeerpostClient
extends Node
## A player of a Peerpost server: commands as methods, the mailbox as signals.
##
## Every command can be awaited:
## [codeblock]
## var result = await client.create_room()
## if result.ok:
##     print("Tell your friends: ", client.room)
## else:
##     print(result.message)
## [/codeblock]
## A result is a Dictionary with [code]ok[/code] and [code]reply[/code], the
## server's reply. A failure also has [code]kind[/code] ([code]"refused"[/code],
## [code]"gone"[/code]: the session is over, [code]"busy"[/code],
## [code]"lost"[/code], [code]"foreign"[/code]), [code]status[/code] (HTTP's, or
## 0), [code]code[/code] (such as [code]"###!JRB"[/code]), [code]error[/code] (a
## word for programs) and [code]message[/code] (a sentence for people).[br]
## Without [code]await[/code] a command is only sent; signals report its
## outcome.[br]
## [br]
## Commands are sent one request after the other, so that an offer is never
## overtaken by its candidates. Each request has a key and is repeated until it
## is answered; the server carries it out once. Events come with a second
## request, which the server holds until there is something to report. The
## session is independent of connections: all of them may break, and the server
## may restart.

## A command was carried out. [param command] is the name of its method.
signal command_done(command: String, reply: Dictionary)
## A command failed for good. [param error] is its result. What was sent to a
## member that has just left is not reported here.
signal command_failed(command: String, error: Dictionary)

## A session has begun; [param id] is the player's id.
signal registered(id: int)
## This player is in a room: by [method create_room], [method join_room], or
## again by [method resume]. [param peers] has a Dictionary with [code]id[/code]
## and [code]name[/code] of each member, this player included.
signal room_entered(room: String, id: int, peers: Array)
## This player has left the room, by [method leave_room].
signal room_left()
## The session is over, by [method unregister] or because the server ended it.
signal session_ended(reason: String)

## This player is a member of its room now, as this peer. Always comes after
## [signal room_entered].
signal connected_to_room(id: int)
## A member is in the room: it was there before, or has joined.
signal peer_connected(id: int)
## A member has left the room.
signal peer_disconnected(id: int)
## The room is sealed: nobody else can join it.
signal room_sealed()
## The room no longer exists, for example because its host has left.
signal room_closed(reason: String)
## A member, perhaps this player, has sent this by [method send_message].
signal message_received(data: Variant)
## A member has sent this by [method send_offer].
signal offer_received(id: int, data: Dictionary)
## A member has sent this by [method send_answer].
signal answer_received(id: int, data: Dictionary)
## A member has sent this by [method send_candidate].
signal candidate_received(id: int, data: Dictionary)
## Every event of the mailbox as it came, also those of a room left before:
## [code]{"id": ..., "command": ..., "data": ...}[/code].
signal event_received(event: Dictionary)
## The server was restored from a backup: this is the room now, or null.
signal session_reset(room: Variant)

## The server has failed to answer properly twice in a row. The client retries
## until it does.
signal network_trouble(message: String)
## The server answers again.
signal network_restored()

const PeerpostFetch = preload("peerpost_fetch.gd")
const PeerpostRequest = preload("peerpost_request.gd")
const PeerpostShelf = preload("peerpost_shelf.gd")
const PeerpostHiddenPage = preload("peerpost_hidden_page.gd")

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

# What may share a request with its neighbours; at most so many, and so long.
const BATCHED = [MESSAGE, OFFER, ANSWER, CANDIDATE]
const MAX_BATCH = 64
const MAX_BATCH_BYTES = 48 * 1024
# How long candidates wait for others.
const GATHER_MS = 50
# Errors of what is sent to a member that has just left.
const GONE = ["peer-not-found", "not-in-room"]
# What an array has in it of failures that pass.
const PASSING = ["rate-limited", "storage", "shutting-down"]
# Of those of which there is no telling whether the next try does better.
const MAX_TRIES = 10
# Of a server that has never answered, which may be at another address.
const FIRST_TRIES = 3
const FIRST_MS = 9000
const PROBE_MS = 5000
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

# Events about the members of rooms.
const MEMBERSHIP = ["###!CTR", "###!RPC", "###!RPD", "###!SRK", "###!RCL"]
const RELAYED = ["###!OOO", "###!AAA", "###!CCC"]

## The server's address, with its base path if it has one, such as
## [code]https://play.example[/code]. Changing it ends the session.
@export var url: String = "http://127.0.0.1:8080":
	set(value):
		# Also without the line break that comes with a copied address.
		value = value.strip_edges().rstrip("/")
		if value != url:
			# Its token is for that server only.
			_end("The server's address was changed.")
		url = value
## The file that keeps the session, so that [method resume] works after a
## restart of the game; empty to keep none. To be several players on one
## machine, use several files. A web export keeps the session in the tab's own
## storage under this name, so that a reloaded page is the same player, and a
## second tab is not.
@export var session_file: String = "user://peerpost_session.json"
## Seconds without a byte from the server after which a request times out.
@export var silence_seconds: float = 20.0

## The player's id, 0 without a session.
var id: int = 0
## The number of the last event handled.
var cursor: int = 0
## The room's UUID, "" outside a room.
var room: String = ""
## This player's id in the room, 1 for the host, 0 outside a room.
var peer_id: int = 0
## The room's members, this player included: names by peer id. The names of
## those who joined later are "" until [method fetch_room] has been called.
var peers: Dictionary = {}
## True while [method resume] reports the room and its members.
var is_resumed: bool = false


# A command that waits, or is under way.
class Job:
	signal finished(result: Dictionary)
	var name: String
	var code: String
	# The command as JSON.
	var text: String
	# Not before this time, in ticks.
	var at_ms: int
	# It has spoiled a request that it shared with others.
	var is_alone = false
	# How often it failed for the moment, among others.
	var tries = 0


var _token = ""
# The name that was registered.
var _name = ""
var _queue: Array[Job] = []
# Those of the request that is under way, or waits for its next try.
var _batch: Array[Job] = []
var _key = ""
var _tries = 0
var _first_try_ms = 0
# When to try again, in ticks; -1: not waiting.
var _send_at = -1
var _poll_at = -1
# A pause of our own choice ends as soon as the server answers anything.
var _may_hurry = false
var _poll_may_hurry = false
# Whether the server has ever answered as one, in this run.
var _is_known = false
# In a page of another origin text/plain needs no preflight; but a firewall may
# refuse it.  Until a POST is answered each failure tries the other.
var _is_plain = false
var _is_type_settled = false
# Of which server these three speak.
var _type_url = ""
var _n_failures = 0
var _is_troubled = false
var _trouble_since_ms = 0

# ---- of the polls
var _hold = MAX_WAIT
var _hold_before_cut = 0.0
# Polls in a row that were held to their end, and that were not held at all.
var _n_held = 0
var _n_early = 0
var _asked_wait = 0
var _is_peek = false
var _poll_failures = 0
var _max = MAX_EVENTS
# A reply that came while a command that enters a room was under way.
var _held_back = null

# How many rooms were entered, as reported by commands and by the mailbox.
var _n_entered = 0
var _n_joined = 0
# A snapshot of the room covers the events up to this one.
var _snapshot_next = 0
# resume() asks the browser's other pages whether they have the session; it has
# not heard of the session yet.
var _is_claiming = false
var _is_resuming = false
# Counts sessions, so that what belongs to an old one is recognised.
var _era = 0

var _commands = PeerpostRequest.new()
var _poll = PeerpostRequest.new()
# For what is asked only now and then: the room, ICE servers, other origins.
var _extra = PeerpostRequest.new()
var _shelf = PeerpostShelf.new()
var _hidden_page = PeerpostHiddenPage.new(_poll, _keep_alive_request)


func _init() -> void:
	# A game that is paused is still there.
	process_mode = Node.PROCESS_MODE_ALWAYS
	for request in [_commands, _poll, _extra]:
		add_child(request, false, Node.INTERNAL_MODE_FRONT)
	_commands.answered.connect(_on_commands_answered)
	_poll.answered.connect(_on_poll_answered)


func _process(_delta: float) -> void:
	var now = Time.get_ticks_msec()
	if _send_at >= 0 and now >= _send_at:
		_send_at = -1
		_send()
	if _batch.is_empty() and not _queue.is_empty() and now >= _queue[0].at_ms \
			and not _is_claiming:
		_send_next()
	if _poll_at >= 0 and now >= _poll_at:
		_poll_at = -1
		_send_poll()


# ---- commands ----

## Become a player with this name, of 1 to 64 characters.
func register_player(player_name: String) -> Dictionary:
	return await _do("register_player", REGISTER, player_name)


## Create a room as its host. Others need its UUID to join: it is in
## [member room], and [code]reply.data[/code].
func create_room() -> Dictionary:
	return await _do("create_room", CREATE_ROOM, null)


## Join a room by its UUID.
func join_room(uuid: String) -> Dictionary:
	# Copied text comes with blanks and line breaks.
	for blank in [" ", "\t", "\r", "\n", "\u00a0"]:
		uuid = uuid.replace(blank, "")
	return await _do("join_room", JOIN_ROOM, uuid)


## Seal the room against further joins; only the host may.
func seal_room() -> Dictionary:
	return await _do("seal_room", SEAL_ROOM, null)


## Leave the room. If the host leaves, it is closed for everybody.
func leave_room() -> Dictionary:
	return await _do("leave_room", LEAVE_ROOM, null)


## End the session.
func unregister() -> Dictionary:
	return await _do("unregister", UNREGISTER, null)


## Send any JSON value except null to everybody in the room, including this
## player.
func send_message(data) -> Dictionary:
	return await _do("send_message", MESSAGE, data)


## Send an offer to one member of the room.
func send_offer(peer: int, data: Dictionary) -> Dictionary:
	return await _relay("send_offer", OFFER, peer, data)


## Send an answer to one member of the room.
func send_answer(peer: int, data: Dictionary) -> Dictionary:
	return await _relay("send_answer", ANSWER, peer, data)


## Send a candidate to one member of the room. Candidates sent within a
## few milliseconds share a request.
func send_candidate(peer: int, data: Dictionary) -> Dictionary:
	return await _relay("send_candidate", CANDIDATE, peer, data)


## Ask for the state of the room: the reply has [code]room[/code],
## [code]host[/code], [code]sealed[/code], [code]id[/code] and
## [code]peers[/code]; it fails with [code]"not-in-room"[/code] outside a room.
func fetch_room() -> Dictionary:
	var result = await _ask("/events", {"after": CURSOR_AHEAD, "wait": 0})
	if result.ok and typeof(result.reply.get("room")) != TYPE_DICTIONARY:
		result.merge({"ok": false, "kind": "refused", "reply": {},
				"error": "not-in-room", "message": "You are not in a room."}, true)
	elif result.ok:
		result.reply = _as_room(result.reply.room)
		for peer in result.reply.peers:
			if peers.has(peer.id):
				peers[peer.id] = peer.name
	return _tell_result("fetch_room", result)


## Ask for the server's STUN and TURN servers: the reply has the array
## [code]iceServers[/code] as in WebRTC configurations, empty if the server has
## none.
func fetch_ice_servers() -> Dictionary:
	var result = await _ask("/ice-servers", null)
	if result.status == 404:
		result = _result({"kind": "ok", "reply": {"iceServers": []}})
	return _tell_result("fetch_ice_servers", result)


## Resume the kept session after a restart of the game or a reload of the page.
## False if there is none for this [member url], if it has ended, or if another
## tab of the browser is using it. In a room, signals report it and its members
## as if this player had just entered it.
func resume() -> bool:
	if not is_inside_tree():
		await tree_entered
	while _is_claiming or _is_resuming:
		await get_tree().process_frame
	if id != 0:
		return true
	var saved = _shelf.load_session(session_file)
	if saved == null or saved.url != url:
		return false
	_is_claiming = true
	var is_ours = await _shelf.claim(get_tree(), saved.id)
	_is_claiming = false
	if not is_ours or saved.url != url:
		return false
	_begin(saved.id, saved.token, saved.cursor, saved.name)
	_is_resuming = true
	var era = _era
	var result = await _ask("/events", {"after": CURSOR_AHEAD, "wait": 0})
	if era != _era:
		return false
	_is_resuming = false
	if result.ok:
		_take_snapshot(result.reply)
	_poll_soon()
	return result.ok


## Whether there is a session.
func is_registered() -> bool:
	return id != 0


## Whether the server currently fails to answer properly.
func is_in_trouble() -> bool:
	return _is_troubled


# ---- sending commands ----

func _relay(name: String, code: String, peer: int, data: Dictionary) -> Dictionary:
	var body = data.duplicate()
	body["id"] = peer
	return await _do(name, code, body)


func _do(name: String, code: String, data) -> Dictionary:
	var job = Job.new()
	job.name = name
	job.code = code
	job.text = '{"command":"%s","data":%s}' % [code, JSON.stringify(data)]
	job.at_ms = Time.get_ticks_msec()
	if code == CANDIDATE:
		job.at_ms += GATHER_MS
	_queue.append(job)
	return await job.finished


func _result(members: Dictionary) -> Dictionary:
	var result = {"ok": false, "kind": "refused", "status": 0, "reply": {},
			"code": "", "error": "", "message": ""}
	for member in result:
		result[member] = members.get(member, result[member])
	result.ok = result.kind == "ok"
	return result


func _tell_result(name: String, result: Dictionary) -> Dictionary:
	if result.ok:
		command_done.emit(name, result.reply)
	else:
		command_failed.emit(name, result)
	return result


func _settle(job: Job, outcome: Dictionary) -> void:
	var result = _result(outcome)
	job.finished.emit(result)
	# An event reports that the member, or the room, has gone.
	if not job.code in [OFFER, ANSWER, CANDIDATE] or not result.error in GONE:
		_tell_result(job.name, result)


func _send_next() -> void:
	_batch = _take_batch()
	_key = _random_key()
	_tries = 0
	_first_try_ms = Time.get_ticks_msec()
	var problem = _problem_of_url()
	if _token != "" and _batch[0].code == REGISTER:
		problem = {"error": "already-registered",
				"message": "There is already a session: unregister first."}
	elif _token == "" and _batch[0].code != REGISTER:
		problem = {"error": "no-session", "kind": "gone",
				"message": "There is no session: register first."}
	if problem.is_empty():
		_send()
	else:
		_finish_batch(problem)


func _take_batch() -> Array[Job]:
	var n = 1
	var bytes = _queue[0].text.to_utf8_buffer().size()
	while _queue[0].code in BATCHED and not _queue[0].is_alone \
			and n < mini(_queue.size(), MAX_BATCH) \
			and _queue[n].code in BATCHED and not _queue[n].is_alone:
		bytes += _queue[n].text.to_utf8_buffer().size() + 1
		if bytes > MAX_BATCH_BYTES:
			break
		n += 1
	var batch: Array[Job] = []
	batch.assign(_queue.slice(0, n))
	_queue = _queue.slice(n)
	return batch


func _send() -> void:
	var members = []
	if _token != "" and _batch[0].code != REGISTER:
		members.append('"token":' + JSON.stringify(_token))
	members.append('"key":"%s"' % _key)
	if _is_array():
		var texts = _batch.map(func(job): return job.text)
		members.append('"commands":[%s]' % ",".join(texts))
	else:
		members.append(_batch[0].text.trim_prefix("{").trim_suffix("}"))
	_tries += 1
	_commands.silence = silence_seconds
	var patience = silence_seconds + 10
	var type = _type()
	if _is_strange():
		var left_ms = FIRST_MS - (Time.get_ticks_msec() - _first_try_ms)
		patience = clampf(left_ms / 1000.0, 0.5, patience)
	_commands.ask(url + "/command", type, "{%s}" % ",".join(members), patience)


# Whether nothing says that there is a Peerpost server at this address.
func _is_strange() -> bool:
	return not _is_known and _token == ""


func _is_array() -> bool:
	return _batch[0].code in BATCHED


func _on_commands_answered(outcome: Dictionary) -> void:
	if _batch.is_empty():
		return
	if outcome.kind == "ok" and not _is_reply(outcome.reply):
		_call_foreign(outcome)
	_learn(outcome)
	if outcome.kind in ["ok", "refused", "gone"]:
		_recovered()
	if outcome.kind == "gone" and _batch[0].code == UNREGISTER:
		# By an earlier try whose reply got lost, or by the server: it is over.
		outcome.kind = "ok"
	if _is_worth_repeating(outcome):
		_trouble(outcome)
		_send_at = Time.get_ticks_msec() + _pause_ms(_tries, outcome)
		_may_hurry = outcome.retry_ms < 0
		return
	if outcome.kind in ["lost", "foreign"] and not _is_known \
			and _batch[0].code == REGISTER:
		await _explain(outcome)
		if _batch.is_empty():
			return
	elif outcome.error == "not-found":
		outcome.message = ("The server at %s has no path /command: is the "
				+ "path of the address wrong?") % url
	_finish_batch(outcome)


# Whether to ask again: what failed may pass, and there is no saying that it was
# not carried out.
func _is_worth_repeating(outcome: Dictionary) -> bool:
	# A full server is for the game to decide about, and a body that is too large
	# for a proxy stays so.
	if not outcome.kind in ["busy", "lost", "foreign"] or outcome.status == 413 \
			or outcome.error.begins_with("too-many-"):
		return false
	if outcome.code != "":
		return outcome.status == 429 or _tries < MAX_TRIES
	# Nor does a firewall change its mind about what is in a command.
	if outcome.kind == "foreign" and (_is_strange() or outcome.status == 403):
		return _tries < FIRST_TRIES
	return not _is_strange() or Time.get_ticks_msec() - _first_try_ms < FIRST_MS


func _is_reply(reply: Dictionary) -> bool:
	if _is_array():
		return typeof(reply.get("replies")) == TYPE_ARRAY \
				and reply.replies.size() == _batch.size()
	var code = reply.get("command")
	if typeof(code) != TYPE_STRING or not code.begins_with("###!"):
		return false
	match _batch[0].code:
		REGISTER:
			return _is_number(reply.get("data")) \
					and typeof(reply.get("token")) == TYPE_STRING
		CREATE_ROOM:
			return typeof(reply.get("data")) == TYPE_STRING
		JOIN_ROOM:
			return typeof(reply.get("room")) == TYPE_STRING \
					and _is_number(reply.get("id")) and _is_peers(reply.get("peers"))
	return true


# What has come of the request that was under way.
func _finish_batch(outcome: Dictionary) -> void:
	var batch = _batch
	_batch = []
	if batch.size() > 1 and outcome.get("status", 0) in [400, 413]:
		# One that cannot be read has spoiled the request, of which nothing was
		# carried out.  The others go on.
		for job in batch:
			job.is_alone = true
		batch.append_array(_queue)
		_queue = batch
		return
	if outcome.get("kind") == "gone" and _token != "" \
			and batch[0].code != REGISTER:
		_batch = batch
		_end(outcome.message, outcome.error)
		return
	if outcome.get("kind") == "ok":
		if batch[0].code in BATCHED:
			_finish_array(batch, outcome.reply.replies)
			return
		_done(batch[0], outcome.reply)
	for job in batch:
		_settle(job, outcome)
	_take_held_back()


func _finish_array(batch: Array[Job], replies: Array) -> void:
	var again: Array[Job] = []
	var settled = []
	for i in batch.size():
		var outcome = {"kind": "ok", "reply": {}, "status": 200}
		if PeerpostRequest.is_failure(replies[i]):
			PeerpostRequest.judge_failure(outcome, replies[i])
		elif typeof(replies[i]) == TYPE_DICTIONARY:
			outcome.reply = replies[i]
		batch[i].tries += 1
		if outcome.get("error") in PASSING and (outcome.error == "rate-limited"
				or batch[i].tries < MAX_TRIES):
			again.append(batch[i])
		else:
			settled.append([batch[i], outcome])
	if not again.is_empty():
		for job in again:
			job.at_ms = Time.get_ticks_msec() + 1000
		again.append_array(_queue)
		_queue = again
	for each in settled:
		_settle(each[0], each[1])


func _done(job: Job, reply: Dictionary) -> void:
	match job.code:
		REGISTER:
			_begin(int(reply.data), reply.token, 0,
					str(JSON.parse_string(job.text).data))
			_save_session()
			_shelf.claim_new(id)
			_poll_soon()
			registered.emit(id)
		CREATE_ROOM:
			_enter_room(reply.data, 1, [{"id": 1, "name": _name}])
		JOIN_ROOM:
			_enter_room(reply.room, int(reply.id), _as_peers(reply.peers))
		LEAVE_ROOM:
			_exit_room()
			room_left.emit()
		UNREGISTER:
			_end("")


# ---- asking for something else ----

# What is asked by the third request: a GET of ICE servers if members is null,
# otherwise a POST of them that is answered with the room.  Repeated until
# answered; but not everything lets that GET through, and one can do without.
func _ask(path: String, members) -> Dictionary:
	var era = _era
	var tries = 0
	while true:
		if id == 0 or era != _era:
			return _result({"kind": "gone", "error": "no-session",
					"message": "There is no session: register first."})
		# Another may be asking.
		while _extra.is_asking:
			await _extra.answered
		if id == 0 or era != _era:
			continue
		_extra.silence = silence_seconds
		if members == null:
			_extra.ask(url + path + "?access_token=" + _token.uri_encode(), "",
					null, silence_seconds)
		else:
			var body = members.duplicate()
			body["token"] = _token
			_extra.ask(url + path, _type(), JSON.stringify(body), silence_seconds)
		var outcome = await _extra.answered
		tries += 1
		if era != _era:
			continue
		if outcome.kind == "ok" and not _is_asked_reply(outcome.reply, members):
			_call_foreign(outcome)
		if members != null:
			_learn(outcome)
		elif outcome.kind == "foreign" and (outcome.status == 404
				or tries >= FIRST_TRIES):
			return _result(outcome)
		if outcome.kind in ["ok", "refused", "gone"]:
			_recovered()
			if outcome.kind == "gone":
				_end(outcome.message)
			return _result(outcome)
		if members != null:
			_trouble(outcome)
		await _pause(_pause_ms(tries, outcome))
	return {}


func _is_asked_reply(reply: Dictionary, members) -> bool:
	if members == null:
		return typeof(reply.get("iceServers")) == TYPE_ARRAY
	return reply.has("reset") and _is_batch(reply)


func _pause(ms: int) -> void:
	if is_inside_tree():
		await get_tree().create_timer(ms / 1000.0, true, false, true).timeout
	else:
		await tree_entered


# ---- what is learned of the server ----

# The media type of the next request.  The body is JSON in any case.
func _type() -> String:
	if _type_url != url:
		_type_url = url
		_is_known = false
		_is_type_settled = false
		_is_plain = _commands.fetch != null and _is_other_origin()
	return "text/plain" if _is_plain else "application/json"


# An answer of the server settles how it is spoken to.  What is none makes the
# next try speak the other way.
func _learn(outcome: Dictionary) -> void:
	if outcome.kind in ["ok", "refused", "gone"] or outcome.code != "":
		_is_known = true
		_is_type_settled = true
	elif not _is_type_settled and not outcome.late and _commands.fetch != null:
		_is_plain = not _is_plain


func _problem_of_url() -> Dictionary:
	var scheme = url.get_slice("://", 0).to_lower()
	if not url.contains("://") or not scheme in ["http", "https"] \
			or url.get_slice("://", 1) == "":
		return {"error": "bad-url", "message": "The server's address must be a "
				+ "URL such as https://play.example, not \"%s\"." % url}
	if scheme == "http" and _page("protocol") == "https:" and not _is_loopback():
		return {"error": "mixed-content", "message": "This page uses https, so "
				+ "the browser refuses http: the server's address must begin "
				+ "with https://, not \"%s\"." % url}
	return {}


# Whether the server is this machine: browsers let https pages reach it by http.
func _is_loopback() -> bool:
	var host = url.get_slice("://", 1).get_slice("/", 0)
	return host.begins_with("[::1]") or host.get_slice(":", 0) in [
			"127.0.0.1", "localhost"]


func _is_other_origin() -> bool:
	var address = PeerpostFetch.create("URL", url)
	return address == null or str(address["origin"]) != _page("origin")


# A member of the page's location, "" outside web exports.
func _page(member: String) -> String:
	var window = PeerpostFetch.get_window()
	if window == null:
		return ""
	# A frame in a sandbox has an address, and no origin.
	return str(window["origin"] if member == "origin"
			else window["location"][member])


# Say what is wrong if a server that nobody has heard of does not answer.  A
# page learns nothing of a server that does not allow its origin; but a request
# of which it wants to know nothing gets through.
func _explain(outcome: Dictionary) -> void:
	if outcome.kind != "lost" or outcome.late:
		return
	outcome.message = "%s cannot be reached." % url
	if _commands.fetch == null or not _is_other_origin():
		return
	var probe = PeerpostFetch.new(PeerpostFetch.get_window())
	var give_up_ms = Time.get_ticks_msec() + PROBE_MS
	probe.start_blind(url + "/healthz")
	while not probe.has_ended and Time.get_ticks_msec() < give_up_ms \
			and is_inside_tree():
		await get_tree().process_frame
	probe.stop()
	if probe.has_begun:
		outcome.error = "origin-refused"
		outcome.message = ("%s answers, but does not allow pages of %s. Its "
				+ "operator can allow them (--cors-origin). Otherwise a firewall "
				+ "refused the request.") % [url, _page("origin")]


func _call_foreign(outcome: Dictionary) -> void:
	outcome.kind = "foreign"
	outcome.reply = {}
	outcome.error = "not-peerpost"
	outcome.message = "%s is not a Peerpost server: it gives other replies." % url


# How long to wait after so many tries in a row: what the server says, and
# otherwise longer each time; never in step with others.
func _pause_ms(tries: int, outcome: Dictionary) -> int:
	if outcome.retry_ms >= 0:
		return mini(outcome.retry_ms, MAX_RETRY_AFTER_MS) + randi() % 1000
	var limit = MAX_PAUSE_MS
	if _is_troubled and Time.get_ticks_msec() - _trouble_since_ms > LONG_MS:
		limit = LONG_PAUSE_MS
	var ms = minf(PAUSE_MS * pow(2, mini(tries - 1, 10)), limit)
	return int(ms * randf_range(0.5, 1.0))


# The first failure may be an accident; the second is news.
func _trouble(outcome: Dictionary) -> void:
	# It is there, it only asks for patience.
	if outcome.status == 429 and outcome.code != "":
		return
	_n_failures += 1
	if _n_failures < 2 or _is_troubled:
		return
	_is_troubled = true
	_trouble_since_ms = Time.get_ticks_msec()
	network_trouble.emit(outcome.message)


# The server has answered: end the pauses that wait for it.
func _recovered() -> void:
	_n_failures = 0
	var now = Time.get_ticks_msec()
	if _may_hurry and _send_at > now:
		_send_at = now
	if _poll_may_hurry and _poll_at > now:
		_poll_at = now
	if _is_troubled:
		_is_troubled = false
		network_restored.emit()


# ---- polls ----

func _poll_soon(ms: int = 0) -> void:
	_poll_at = Time.get_ticks_msec() + ms
	_poll_may_hurry = false


func _send_poll() -> void:
	if id == 0:
		return
	# After a failure, see at once whether the server is there.
	_asked_wait = 0 if _is_peek else int(_hold)
	_poll.silence = silence_seconds
	_poll.ask(url + "/events", _type(), _poll_body(_asked_wait, _max),
			_asked_wait + silence_seconds)


# For a page that is hidden: shows that the player is there, and takes nothing.
func _keep_alive_request() -> Array:
	return [url + "/events", _type(), _poll_body(int(_hold), 1)]


func _poll_body(wait: int, most: int) -> String:
	var body = {"token": _token, "after": cursor, "wait": wait}
	if most < MAX_EVENTS:
		body["max"] = most
	return JSON.stringify(body)


func _on_poll_answered(outcome: Dictionary) -> void:
	if id == 0:
		return
	if outcome.kind == "ok" and not _is_batch(outcome.reply):
		_call_foreign(outcome)
	_learn(outcome)
	if outcome.kind == "gone":
		_end(outcome.message)
	elif outcome.kind == "ok":
		_poll_failures = 0
		_is_peek = false
		_hold_before_cut = 0.0
		_recovered()
		_held_back = outcome
		_take_held_back()
	else:
		_on_poll_failed(outcome)


func _on_poll_failed(outcome: Dictionary) -> void:
	# Too much for a slow line, or held back until it is complete.
	var is_broken = outcome.begun and outcome.kind == "lost"
	if is_broken or outcome.late:
		_max = ceili(_max / 8.0)
	# Something on the way may cut what is silent for too long.
	var is_cut = not is_broken and outcome.seconds >= 1 and _asked_wait > 0 \
			and (outcome.code == "" or outcome.status == 408)
	if is_cut:
		_n_held = 0
		_hold_before_cut = _hold
		_hold = maxf(1, 0.7 * minf(outcome.seconds, _asked_wait))
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


func _is_batch(reply: Dictionary) -> bool:
	if typeof(reply.get("events")) != TYPE_ARRAY \
			or not _is_number(reply.get("next")):
		return false
	for event in reply.events:
		if typeof(event) != TYPE_DICTIONARY or not event.has("data") \
				or typeof(event.get("command")) != TYPE_STRING \
				or not _is_number(event.get("id")):
			return false
		if event.command in RELAYED and (typeof(event.data) != TYPE_DICTIONARY
				or not _is_number(event.data.get("id"))):
			return false
	return typeof(reply.get("room")) != TYPE_DICTIONARY or _is_room(reply.room)


func _is_room(value: Dictionary) -> bool:
	return typeof(value.get("room")) == TYPE_STRING \
			and _is_number(value.get("id")) and _is_peers(value.get("peers"))


func _is_peers(value) -> bool:
	return typeof(value) == TYPE_ARRAY and value.all(func(peer):
		return typeof(peer) == TYPE_DICTIONARY and _is_number(peer.get("id")))


func _is_number(value) -> bool:
	return typeof(value) in [TYPE_INT, TYPE_FLOAT]


# While a command that enters a room is under way, its reply comes first.
func _take_held_back() -> void:
	if _held_back == null or (not _batch.is_empty()
			and _batch[0].code in [CREATE_ROOM, JOIN_ROOM]):
		return
	var outcome = _held_back
	_held_back = null
	_take_batch_of_events(outcome)


func _take_batch_of_events(outcome: Dictionary) -> void:
	var reply = outcome.reply
	var era = _era
	var pause_ms = int(reply.get("poll_after_ms", 0))
	if reply.has("reset"):
		_reset(reply)
		if _era == era:
			_poll_soon(pause_ms)
		return
	for event in reply.events:
		event.id = int(event.id)
		# A repeated reply brings nothing twice.
		if event.id <= cursor:
			continue
		_tell(event)
		if _era != era:
			return
		cursor = event.id
	# More again, if twice as many would still come in time.
	if not reply.get("more", false) or outcome.seconds < silence_seconds / 4:
		_max = mini(_max * 2, MAX_EVENTS)
	cursor = maxi(cursor, int(reply.next))
	if not reply.events.is_empty():
		_n_early = 0
		_save_session()
	elif pause_ms == 0 and _asked_wait > 0:
		if outcome.seconds >= 0.5 * _asked_wait:
			_n_early = 0
			_n_held += 1
			if _n_held >= 8:
				_n_held = 0
				_hold = minf(maxf(_hold + 1, 1.2 * _hold), MAX_WAIT)
		else:
			# Somebody on the way does not let polls be held.
			_n_early += 1
			pause_ms = _pause_ms(_n_early + 1, {"retry_ms": -1})
	_poll_soon(pause_ms)


func _tell(event: Dictionary) -> void:
	var data = event.data
	# JSON's numbers are floats here.
	if typeof(data) == TYPE_DICTIONARY and event.command in RELAYED:
		data.id = int(data.id)
	event_received.emit(event)
	if _is_stale(event):
		return
	match event.command:
		"###!CTR":
			peer_id = int(data)
			connected_to_room.emit(peer_id)
		"###!RPC":
			if not peers.has(int(data)):
				peers[int(data)] = ""
			peer_connected.emit(int(data))
		"###!RPD":
			peers.erase(int(data))
			peer_disconnected.emit(int(data))
		"###!SRK":
			room_sealed.emit()
		"###!RCL":
			_exit_room()
			room_closed.emit(str(data))
		"###!RMK":
			message_received.emit(data)
		"###!OOO":
			offer_received.emit(data.id, data)
		"###!AAA":
			answer_received.emit(data.id, data)
		"###!CCC":
			candidate_received.emit(data.id, data)


# Whether an event is of a room that has been left, or says what a snapshot of
# the room has said already.
func _is_stale(event: Dictionary) -> bool:
	if event.command == "###!CTR" and event.id > _snapshot_next:
		_n_joined += 1
	if event.command in MEMBERSHIP and event.id <= _snapshot_next:
		return true
	return _n_joined < _n_entered or room == ""


# ---- the room ----

func _enter_room(uuid: String, own: int, list: Array) -> void:
	_n_entered += 1
	_set_room(uuid, own, list)
	room_entered.emit(uuid, own, list)


func _set_room(uuid: String, own: int, list: Array) -> void:
	room = uuid
	peer_id = own
	peers = {own: ""}
	for peer in list:
		peers[peer.id] = peer.name


func _exit_room() -> void:
	room = ""
	peer_id = 0
	peers = {}


# The numbers of JSON as they should be.
func _as_peers(list: Array) -> Array:
	return list.map(func(peer):
		return {"id": int(peer.id), "name": str(peer.get("name", ""))})


func _as_room(value: Dictionary) -> Dictionary:
	value.id = int(value.id)
	value.host = int(value.get("host", 1))
	value.peers = _as_peers(value.peers)
	return value


# The session goes on in another run: tell of the room as if it were entered
# now.
func _take_snapshot(reply: Dictionary) -> void:
	_snapshot_next = int(reply.next)
	_n_joined = _n_entered
	if typeof(reply.get("room")) != TYPE_DICTIONARY:
		return
	is_resumed = true
	_tell_room(_as_room(reply.room))
	is_resumed = false


func _tell_room(value: Dictionary) -> void:
	var era = _era
	_set_room(value.room, value.id, value.peers)
	room_entered.emit(value.room, value.id, value.peers)
	if era == _era and room == value.room:
		connected_to_room.emit(value.id)
	for peer in value.peers:
		if peer.id != value.id and era == _era and room == value.room \
				and peers.has(peer.id):
			peer_connected.emit(peer.id)


# The server was restored from a backup, which may know another room.
func _reset(reply: Dictionary) -> void:
	var era = _era
	var now = null
	if typeof(reply.get("room")) == TYPE_DICTIONARY:
		now = _as_room(reply.room)
	cursor = int(reply.next)
	_snapshot_next = cursor
	_n_joined = _n_entered
	_save_session()
	session_reset.emit(now)
	if era != _era:
		return
	if now != null and now.room == room and now.id == peer_id:
		_tell_difference(now.peers)
		return
	if room != "":
		_exit_room()
		room_closed.emit("Server Restored")
	if now != null and era == _era:
		_tell_room(now)


func _tell_difference(list: Array) -> void:
	var era = _era
	var before = peers
	_set_room(room, peer_id, list)
	for peer in before:
		if not peers.has(peer) and era == _era:
			peer_disconnected.emit(peer)
	for peer in list:
		if not before.has(peer.id) and era == _era:
			peer_connected.emit(peer.id)


# ---- the session ----

func _begin(new_id: int, new_token: String, new_cursor: int,
		new_name: String) -> void:
	_era += 1
	id = new_id
	_token = new_token
	_is_resuming = false
	cursor = new_cursor
	_name = new_name
	_snapshot_next = 0
	_n_entered = 0
	_n_joined = 0
	_poll_failures = 0
	_is_peek = false
	_held_back = null
	_poll_at = -1
	_poll.stop()
	_exit_room()
	_hidden_page.start()


func _end(reason: String, error: String = "no-session") -> void:
	if id == 0:
		return
	_era += 1
	id = 0
	_token = ""
	_held_back = null
	_poll_at = -1
	_poll.stop()
	_exit_room()
	_hidden_page.stop()
	_shelf.forget_session(session_file)
	# Then the session never was one; resume() returns false.
	var was_resuming = _is_resuming
	_is_resuming = false
	# What was queued for it will not be carried out; a register will.
	var failed: Array[Job] = []
	var kept: Array[Job] = []
	if not _batch.is_empty() and _batch[0].code != REGISTER:
		failed = _batch
		_batch = []
		_send_at = -1
		_commands.stop()
	for job in _queue:
		if job.code == REGISTER:
			kept.append(job)
		else:
			failed.append(job)
	_queue = kept
	if not failed.is_empty() and failed[0].code == UNREGISTER:
		# The poll was told first.
		reason = ""
	for job in failed:
		if job.code == UNREGISTER:
			_settle(job, {"kind": "ok"})
		else:
			_settle(job, {"kind": "gone", "error": error, "message": reason})
	if not was_resuming:
		session_ended.emit(reason)


func _save_session() -> void:
	if not _shelf.save_session(session_file,
			{"url": url, "id": id, "token": _token, "cursor": cursor,
			"name": _name}):
		push_warning("Peerpost: the session cannot be kept in " + session_file)


# 128 bits that nobody can guess.  A page's policy may forbid eval(), and an
# export may lack the class Crypto.
func _random_key() -> String:
	if ClassDB.class_exists("Crypto"):
		return ClassDB.instantiate("Crypto").generate_random_bytes(16).hex_encode()
	var numbers = PeerpostFetch.create("Uint8Array", 16)
	PeerpostFetch.get_window().crypto.getRandomValues(numbers)
	var key = ""
	for i in 16:
		key += "%02x" % int(numbers[i])
	return key
