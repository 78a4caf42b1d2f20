# peerpost_multiplayer.gd - makes the room of a PeerpostClient a
# WebRTCMultiplayerPeer, so that Godot's RPCs work between its members.
#
# Godot wants things in this order, and so it is here: create_mesh(),
# create_server() or create_client() with the own id, before any add_peer();
# for each peer initialize(), the signals, add_peer(), and only then
# create_offer().
#
# Of two peers the one with the greater id makes the offer.  Both know who that
# is without asking, so they never offer at the same time; the host, whose id
# is 1, only ever answers.
class_name PeerpostMultiplayer
extends Node

# There is a room, and multiplayer.multiplayer_peer is set.  Members that are
# reached come as multiplayer.peer_connected.
signal started(id)
# The room is left or closed, or the session is over.
signal stopped(reason)
# No connection to this member could be made, or it broke.
signal peer_failed(id)

enum Mode {
	MESH,	# everybody is connected to everybody
	SERVER,	# everybody is connected to the host, which is peer 1
}

# The player; by default the PeerpostClient among the children.
@export var client: PeerpostClient
# The same for all members of a room.
@export var mode: Mode = Mode.MESH
# Used when the server has none: an array as RTCPeerConnection has it.
@export var default_ice_servers: Array = []

var peer: WebRTCMultiplayerPeer = null

var _ice_servers = []
var _ice_number = 0
# What happens before the ICE servers are known waits here.
var _waiting: Array[Callable] = []
var _connections = {}


func _ready() -> void:
	if client == null:
		for child in get_children():
			if child is PeerpostClient:
				client = child
	client.connected_to_room.connect(_start)
	client.peer_connected.connect(_when_ready.bind(_add))
	client.peer_disconnected.connect(_when_ready.bind(_remove))
	client.offer_received.connect(_on_description.bind("offer"))
	client.answer_received.connect(_on_description.bind("answer"))
	client.candidate_received.connect(_on_candidate)
	client.room_left.connect(stop.bind(""))
	client.room_closed.connect(stop)
	client.session_ended.connect(stop)
	client.command_done.connect(_on_command_done)
	client.command_failed.connect(_on_command_failed)


func _process(_delta: float) -> void:
	for id in _connections.keys():
		var state = _connections[id].get_connection_state()
		if state == WebRTCPeerConnection.STATE_FAILED:
			_remove(id)
			peer_failed.emit(id)


# Close all connections.  The room is not left by this.
func stop(reason: String = "") -> void:
	_ice_number = 0
	_waiting.clear()
	_connections.clear()
	if peer == null:
		return
	if multiplayer.multiplayer_peer == peer:
		multiplayer.multiplayer_peer = null
	peer.close()
	peer = null
	stopped.emit(reason)


func _start(id: int) -> void:
	stop("")
	peer = WebRTCMultiplayerPeer.new()
	if mode == Mode.MESH:
		peer.create_mesh(id)
	elif id == 1:
		peer.create_server()
	else:
		peer.create_client(id)
	multiplayer.multiplayer_peer = peer
	_ice_number = client.fetch_ice_servers()
	started.emit(id)


# A server without ICE servers, or of before there was such a path, is no
# reason not to try.
func _on_command_done(number: int, reply: Dictionary) -> void:
	if number == _ice_number:
		_have_ice_servers(reply.get("iceServers", []))


func _on_command_failed(number: int, _error: Dictionary) -> void:
	if number == _ice_number:
		_have_ice_servers([])


func _have_ice_servers(servers) -> void:
	_ice_number = 0
	_ice_servers = servers
	if typeof(servers) != TYPE_ARRAY or servers.is_empty():
		_ice_servers = default_ice_servers
	var waiting = _waiting
	_waiting = []
	for action in waiting:
		action.call()


func _when_ready(id: int, action: Callable) -> void:
	if _ice_number != 0:
		_waiting.append(action.bind(id))
	else:
		action.call(id)


func _add(id: int) -> void:
	if peer == null or peer.has_peer(id):
		return
	var own = peer.get_unique_id()
	if mode == Mode.SERVER and own != 1 and id != 1:
		return
	var connection = WebRTCPeerConnection.new()
	var error = connection.initialize({"iceServers": _ice_servers})
	if error == OK:
		connection.session_description_created.connect(
				_on_description_created.bind(id))
		connection.ice_candidate_created.connect(
				_on_candidate_created.bind(id))
		error = peer.add_peer(connection, id)
	if error == OK:
		_connections[id] = connection
		if own > id:
			error = connection.create_offer()
	if error != OK:
		_remove(id)
		peer_failed.emit(id)


func _remove(id: int) -> void:
	_connections.erase(id)
	if peer != null and peer.has_peer(id):
		peer.remove_peer(id)


func _on_description_created(type: String, sdp: String, id: int) -> void:
	if not _connections.has(id):
		return
	_connections[id].set_local_description(type, sdp)
	var data = {"type": type, "sdp": sdp}
	if type == "offer":
		client.send_offer(id, data)
	else:
		client.send_answer(id, data)


func _on_candidate_created(media: String, index: int, line: String,
		id: int) -> void:
	if _connections.has(id):
		client.send_candidate(id,
				{"media": media, "index": index, "name": line})


# What comes from a peer may be anything.
func _on_description(id: int, data: Dictionary, type: String) -> void:
	_when_ready(id, _take_description.bind(data, type))


func _take_description(id: int, data: Dictionary, type: String) -> void:
	if not _connections.has(id):
		return
	if typeof(data.get("sdp")) != TYPE_STRING \
			or _connections[id].set_remote_description(type, data.sdp) != OK:
		_remove(id)
		peer_failed.emit(id)


func _on_candidate(id: int, data: Dictionary) -> void:
	_when_ready(id, _take_candidate.bind(data))


func _take_candidate(id: int, data: Dictionary) -> void:
	if _connections.has(id) and typeof(data.get("media")) == TYPE_STRING \
			and typeof(data.get("index")) in [TYPE_INT, TYPE_FLOAT] \
			and typeof(data.get("name")) == TYPE_STRING:
		_connections[id].add_ice_candidate(data.media, int(data.index),
				data.name)
