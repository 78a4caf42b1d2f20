@icon("icon.svg")
class_name PeerpostMultiplayer
extends Node
## Makes the room of a [PeerpostClient] a [WebRTCMultiplayerPeer], so that
## Godot's RPCs, spawners and synchronizers work between its members.
##
## [signal MultiplayerAPI.peer_connected] reports each connected member. A
## connection that breaks or fails is tried again while the member is in the
## room: [signal MultiplayerAPI.peer_disconnected], then
## [signal MultiplayerAPI.peer_connected] once it is connected again. (A client
## of a [constant SERVER] room gets [signal MultiplayerAPI.server_disconnected], then
## [signal MultiplayerAPI.connected_to_server].)

## This player is in a room, and [code]multiplayer.multiplayer_peer[/code] is
## set.
signal started(id: int)
## The room was left or closed, or the session is over;
## [code]multiplayer.multiplayer_peer[/code] is an [OfflineMultiplayerPeer].
signal stopped(reason: String)
## Several tries to connect to this member have failed. Further tries follow,
## less and less often.
signal peer_failed(id: int)

enum Mode {
	MESH, ## Everybody is connected to everybody.
	SERVER, ## Everybody is connected to the host, which is peer 1.
}

# How a connection comes about: of two peers the one with the greater id makes
# the offer; both know who that is without asking, so offers never cross, and
# the host, whose id is 1, only ever answers.  Offers are counted, and what
# belongs to an offer has its number ("attempt"), so that both sides mean the
# same try.  The other side takes any new offer in place of what it has, and can
# ask for one: {"type": "again", "attempt": the number of the try that it has
# given up}.
#
# Godot wants things in this order: create_mesh(), create_server() or
# create_client() with the own id, before any add_peer(); for each peer
# initialize(), the signals, add_peer(), and only then create_offer().  It drops
# a peer for good as soon as its connection is "disconnected".

# How long a try may take: of the side that offers, and of the other, which
# waits for a new offer before it asks for one.
const OFFER_SECONDS = 15
const ANSWER_SECONDS = 20
# After resume(): the others most likely see by themselves that we were gone.
const RESUME_SECONDS = 2
# After so many tries that failed, "peer_failed" and these pauses.
const TRIES = 3
const PAUSES_SECONDS = [15, 60, 300]
# A description waits for its candidates, so that they share a request: so long
# after each for one more; and for the first, without which it is of little use.
const NEXT_CANDIDATE_MS = 30
const FIRST_CANDIDATE_MS = 1000
# A connection that lasted so long was a good one.
const STABLE_SECONDS = 10
# An offer so new is still on its way to whoever asks for one.
const FRESH_SECONDS = 5
# TURN credentials grow old.
const ICE_SERVERS_SECONDS = 600
# A server that does not tell its ICE servers in time is no reason not to try.
const ICE_WAIT_SECONDS = 5
# Frames so far apart: the game, or the page, stood still.
const STANDSTILL_MS = 1000


# The connection to one member.
class Link:
	var connection: WebRTCPeerConnection = null
	# The offer's number; 0: none yet.
	var attempt = 0
	# When it was begun, or has connected, in ticks.
	var since_ms = 0
	# When the next thing is to be done unless it connects; in ticks.
	var until_ms = 0
	# No try is under way, but there will be one; it waits for ICE servers.
	var is_pausing = false
	var is_due = false
	# It counts no offers: an older version of this addon.
	var is_old = false
	var is_connected = false
	var has_remote = false
	var failures = 0
	# A description and its first candidates, each with the method that sends it;
	# and when the last of them came, in ticks.
	var unsent: Array[Array] = []
	var unsent_ms = 0


## The player. The default is the [PeerpostClient] among the children.
@export var client: PeerpostClient
## The topology. All members of a room must use the same.
@export var mode: Mode = Mode.MESH
## The ICE servers to use if the server has none: an array as in
## RTCPeerConnection.
@export var default_ice_servers: Array = []

## The peer, null outside a room.
var peer: WebRTCMultiplayerPeer = null

var _id = 0
var _links = {}
# The API whose peer is ours.
var _api: MultiplayerAPI = null
var _ice_servers = []
# When they were fetched, in ticks; -1: never.
var _ice_ms = -1
var _is_fetching_ice = false
# What happens before the ICE servers are known waits here, but not beyond this
# time; -1: not at all.
var _waiting: Array[Callable] = []
var _wait_until_ms = -1
var _frame_ms = 0


func _init() -> void:
	# A game that is paused stays connected.
	process_mode = Node.PROCESS_MODE_ALWAYS


func _ready() -> void:
	if client == null:
		for child in get_children():
			if child is PeerpostClient:
				client = child
	if client == null:
		push_error("PeerpostMultiplayer needs a PeerpostClient, as a child "
				+ "or in its property \"client\".")
		return
	client.connected_to_room.connect(_start)
	client.peer_connected.connect(
			func(id): _when_ready(_add.bind(id, client.is_resumed)))
	client.peer_disconnected.connect(func(id): _when_ready(_drop.bind(id)))
	client.offer_received.connect(
			func(id, data): _when_ready(_take_offer.bind(id, data)))
	client.answer_received.connect(
			func(id, data): _when_ready(_take_answer.bind(id, data)))
	client.candidate_received.connect(
			func(id, data): _when_ready(_take_candidate.bind(id, data)))
	client.room_left.connect(stop.bind(""))
	client.room_closed.connect(stop)
	client.session_ended.connect(stop)


## Close all connections, without leaving the room.
func stop(reason: String = "") -> void:
	_waiting.clear()
	_wait_until_ms = -1
	if peer == null:
		return
	var old = peer
	peer = null
	for id in _links.keys():
		if old.has_peer(id):
			old.remove_peer(id)
	_links.clear()
	old.close()
	if _api != null and _api.multiplayer_peer == old:
		# A client notices that only when it polls.
		if mode == Mode.SERVER and _id != 1:
			_api.poll()
		if _api.multiplayer_peer == old:
			_api.multiplayer_peer = OfflineMultiplayerPeer.new()
	stopped.emit(reason)


func _start(id: int) -> void:
	stop("")
	_id = id
	_api = multiplayer
	_make_peer()
	_refresh_ice_servers()
	started.emit(id)


func _make_peer() -> void:
	peer = WebRTCMultiplayerPeer.new()
	if mode == Mode.MESH:
		peer.create_mesh(_id)
	elif _id == 1:
		peer.create_server()
	else:
		peer.create_client(_id)
	peer.peer_connected.connect(_on_connected)
	_api.multiplayer_peer = peer


func _process(_delta: float) -> void:
	var now = Time.get_ticks_msec()
	var gap = now - _frame_ms
	_frame_ms = now
	if peer == null:
		return
	# What did not go on while the game stood still, or can not go on without the
	# server, is not late.
	if gap > STANDSTILL_MS or client.is_in_trouble():
		for link in _links.values():
			if not link.is_connected:
				link.until_ms += gap
		if _wait_until_ms >= 0:
			_wait_until_ms += gap
	if _wait_until_ms >= 0 and now >= _wait_until_ms:
		_go_on()
	for id in _links.keys():
		# A handler of a signal may have stopped everything.
		if peer != null and _links.has(id):
			_watch(id, _links[id], now)


func _watch(id: int, link: Link, now: int) -> void:
	if not link.unsent.is_empty() and _is_gathered(link, now):
		_flush(id, link)
	if link.connection != null and not peer.has_peer(id):
		_fail(id, link)
	elif not link.is_connected and now >= link.until_ms:
		if not link.is_pausing:
			_fail(id, link)
		elif not link.is_due:
			link.is_due = true
			_when_ready(_try_again.bind(id))


# ---- ICE servers ----

func _refresh_ice_servers() -> void:
	if _is_fetching_ice:
		return
	_is_fetching_ice = true
	_wait_until_ms = Time.get_ticks_msec() + ICE_WAIT_SECONDS * 1000
	var result = await client.fetch_ice_servers()
	_is_fetching_ice = false
	if result.kind == "gone":
		# That session is over; but there may be a room in a new one.
		if peer != null and client.is_registered():
			_refresh_ice_servers.call_deferred()
		return
	_ice_ms = Time.get_ticks_msec()
	if result.ok:
		_ice_servers = result.reply.iceServers
	_go_on()


func _go_on() -> void:
	_wait_until_ms = -1
	var waiting = _waiting
	_waiting = []
	for action in waiting:
		action.call()


# Act now, or when the ICE servers are known.
func _when_ready(action: Callable) -> void:
	if peer == null:
		return
	if _ice_ms < 0 or Time.get_ticks_msec() - _ice_ms > ICE_SERVERS_SECONDS * 1000:
		_refresh_ice_servers()
	if _wait_until_ms >= 0:
		_waiting.append(action)
	else:
		action.call()


# ---- members ----

func _add(id: int, is_resumed: bool) -> void:
	if peer == null or _links.has(id) or id == _id:
		return
	if mode == Mode.SERVER and _id != 1 and id != 1:
		return
	var link = Link.new()
	_links[id] = link
	if _id > id:
		# Not from 1 on: another run of this game may have counted, too.
		link.attempt = randi() % 1000000
		_offer(id, link)
	else:
		_wait(link, RESUME_SECONDS if is_resumed else ANSWER_SECONDS)


func _drop(id: int) -> void:
	if not _links.has(id):
		return
	_links.erase(id)
	if peer != null and peer.has_peer(id):
		peer.remove_peer(id)


func _wait(link: Link, seconds: float) -> void:
	link.is_pausing = false
	link.is_due = false
	link.since_ms = Time.get_ticks_msec()
	link.until_ms = link.since_ms + int(seconds * 1000)


# A connection for this try, in place of what there was.
func _open(id: int, link: Link) -> Error:
	if link.connection != null:
		_count(link)
	_close(id, link)
	# A handler of a signal may have stopped everything.
	if peer == null or _links.get(id) != link:
		return ERR_UNAVAILABLE
	if peer.get_connection_status() == MultiplayerPeer.CONNECTION_DISCONNECTED:
		# A client that has lost its server needs a new peer.
		_api.poll()
		if peer == null or _links.get(id) != link:
			return ERR_UNAVAILABLE
		_make_peer()
	var servers = default_ice_servers if _ice_servers.is_empty() else _ice_servers
	var connection = WebRTCPeerConnection.new()
	var error = connection.initialize({"iceServers": servers})
	if error != OK:
		return error
	connection.session_description_created.connect(
			_on_description_created.bind(id, link, link.attempt))
	connection.ice_candidate_created.connect(
			_on_candidate_created.bind(id, link, link.attempt))
	error = peer.add_peer(connection, id)
	if error == OK:
		link.connection = connection
	return error


# The try that is under way is over.
func _count(link: Link) -> void:
	var was_good = link.is_connected and Time.get_ticks_msec() - link.since_ms \
			>= STABLE_SECONDS * 1000
	link.failures = 0 if was_good else link.failures + 1


func _close(id: int, link: Link) -> void:
	link.connection = null
	link.unsent.clear()
	link.is_connected = false
	link.has_remote = false
	if peer.has_peer(id):
		peer.remove_peer(id)


func _offer(id: int, link: Link) -> void:
	link.attempt += 1
	var error = _open(id, link)
	if peer == null or _links.get(id) != link:
		return
	_wait(link, OFFER_SECONDS)
	if error == OK:
		error = link.connection.create_offer()
	if error != OK:
		_fail(id, link)


# A try has failed, or the connection has broken.
func _fail(id: int, link: Link) -> void:
	_count(link)
	_close(id, link)
	if peer == null or _links.get(id) != link:
		return
	var pause = 0
	if link.failures >= TRIES:
		pause = PAUSES_SECONDS[mini(link.failures - TRIES, PAUSES_SECONDS.size() - 1)]
	_wait(link, pause)
	link.is_pausing = true
	if link.failures >= TRIES:
		peer_failed.emit(id)


func _try_again(id: int) -> void:
	var link = _links.get(id)
	if link == null or not link.is_pausing:
		return
	if _id > id:
		_offer(id, link)
		return
	_wait(link, ANSWER_SECONDS)
	if not link.is_old:
		client.send_offer(id, {"type": "again", "attempt": link.attempt})


func _on_connected(id: int) -> void:
	var link = _links.get(id)
	# In a star also members that the server tells of.
	if link == null or link.connection == null:
		return
	link.is_connected = true
	link.is_pausing = false
	link.since_ms = Time.get_ticks_msec()


# ---- signalling ----

func _on_description_created(type: String, sdp: String, id: int, link: Link,
		attempt: int) -> void:
	if _links.get(id) != link or link.attempt != attempt or link.connection == null:
		return
	link.unsent_ms = Time.get_ticks_msec()
	link.unsent = [[client.send_offer if type == "offer" else client.send_answer,
			{"type": type, "sdp": sdp, "attempt": attempt}]]
	link.connection.set_local_description(type, sdp)


func _on_candidate_created(media: String, index: int, line: String, id: int,
		link: Link, attempt: int) -> void:
	if _links.get(id) != link or link.attempt != attempt or link.connection == null:
		return
	link.unsent.append([client.send_candidate, {"media": media, "index": index,
			"name": line, "attempt": attempt}])
	link.unsent_ms = Time.get_ticks_msec()


func _is_gathered(link: Link, now: int) -> bool:
	var is_alone = link.unsent.size() == 1 and link.unsent[0][1].has("sdp")
	return now - link.unsent_ms >= (
			FIRST_CANDIDATE_MS if is_alone else NEXT_CANDIDATE_MS) \
			or link.connection.get_gathering_state() \
			== WebRTCPeerConnection.GATHERING_STATE_COMPLETE


func _flush(id: int, link: Link) -> void:
	var all = link.unsent
	link.unsent = []
	for each in all:
		each[0].call(id, each[1])


# What comes from a member may be anything.  Those that do not count mean the
# try that is under way.
func _attempt_of(data: Dictionary, current: int) -> int:
	var attempt = data.get("attempt", current)
	return int(attempt) if typeof(attempt) in [TYPE_INT, TYPE_FLOAT] else -1


func _take_offer(id: int, data: Dictionary) -> void:
	var link = _links.get(id)
	if peer == null or link == null:
		return
	if _id > id:
		if data.get("type") == "again":
			_take_again(id, link, _attempt_of(data, link.attempt))
		return
	var failures = link.failures
	link.is_old = not data.has("attempt")
	link.attempt = maxi(_attempt_of(data, link.attempt + 1), 0)
	var error = _open(id, link)
	if peer == null or _links.get(id) != link:
		return
	_wait(link, ANSWER_SECONDS)
	if error == OK:
		error = _set_remote(link, "offer", data)
	if error != OK:
		_fail(id, link)
	elif link.failures > failures and link.failures >= TRIES:
		peer_failed.emit(id)


# The other side asks for a new offer, perhaps because its page was reloaded.
func _take_again(id: int, link: Link, attempt: int) -> void:
	var is_fresh = not link.is_connected and not link.is_pausing \
			and Time.get_ticks_msec() - link.since_ms < FRESH_SECONDS * 1000
	if link.is_pausing or attempt == link.attempt \
			or (attempt == 0 and not is_fresh):
		_offer(id, link)


func _take_answer(id: int, data: Dictionary) -> void:
	var link = _links.get(id)
	if peer == null or link == null or _id < id:
		return
	if link.is_pausing:
		# Too late for this try; but whoever answers is there.
		_offer(id, link)
	elif link.connection != null and not link.has_remote \
			and _attempt_of(data, link.attempt) == link.attempt \
			and _set_remote(link, "answer", data) != OK:
		_fail(id, link)


func _set_remote(link: Link, type: String, data: Dictionary) -> Error:
	if typeof(data.get("sdp")) != TYPE_STRING:
		return ERR_INVALID_DATA
	link.has_remote = true
	return link.connection.set_remote_description(type, data.sdp)


func _take_candidate(id: int, data: Dictionary) -> void:
	var link = _links.get(id)
	if link != null and link.has_remote and link.connection != null \
			and _attempt_of(data, link.attempt) == link.attempt \
			and typeof(data.get("media")) == TYPE_STRING \
			and typeof(data.get("index")) in [TYPE_INT, TYPE_FLOAT] \
			and typeof(data.get("name")) == TYPE_STRING:
		link.connection.add_ice_candidate(data.media, int(data.index), data.name)


func _notification(what: int) -> void:
	if what == NOTIFICATION_PREDELETE and peer != null:
		peer.close()
		if _api != null and _api.multiplayer_peer == peer:
			_api.multiplayer_peer = OfflineMultiplayerPeer.new()
