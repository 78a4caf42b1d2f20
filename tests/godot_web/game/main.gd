# main.gd - a game that is played from outside.  The page calls
# order('{"ticket": 1, "on": "client", "method": "create_room", "with": []}')
# and is told whatever happens by said('["room_entered", [...]]'): all signals
# of Peerpost, PeerpostClient and PeerpostMultiplayer, those of the multiplayer
# API with "mp_" before their names, and ["answer", [1, RESULT]].
extends Node

const Ball = preload("res://ball.tscn")

var client: PeerpostClient
var room: PeerpostMultiplayer
# Both in one node, if the game is to use that.
var simple: Peerpost

var _window: JavaScriptObject
# JavaScript does not keep it alive.
var _order: JavaScriptObject
var _shown = {}


func _ready() -> void:
	_window = JavaScriptBridge.get_interface("window")
	_order = JavaScriptBridge.create_callback(_on_order)
	_window.order = _order
	_listen(multiplayer, multiplayer.get_signal_list(), "mp_")
	begin(JSON.parse_string(OS.get_cmdline_user_args()[0]))
	tell("ready", [Engine.get_version_info().string])


func _process(_delta: float) -> void:
	for ball in $Balls.get_children():
		if _shown.get(ball.name) != ball.position.x:
			_shown[ball.name] = ball.position.x
			tell("ball", [str(ball.name), ball.position.x])


# A new life, as a player whom nobody knows.  options: what is to be set of
# "client" and "room", or of "simple".
func begin(options: Dictionary) -> void:
	for each in [simple, room, client]:
		if is_instance_valid(each):
			each.free()
	simple = null
	for ball in $Balls.get_children():
		ball.free()
	_shown.clear()
	multiplayer.multiplayer_peer = OfflineMultiplayerPeer.new()
	var nodes
	if options.has("simple"):
		simple = Peerpost.new()
		client = simple.client
		room = simple.room
		nodes = [simple]
		_listen(simple, simple.get_script().get_script_signal_list(), "")
		_set_all(simple, options.simple)
	else:
		client = PeerpostClient.new()
		client.name = "Client"
		client.session_file = ""
		room = PeerpostMultiplayer.new()
		room.name = "Room"
		room.client = client
		nodes = [client, room]
	_set_all(client, options.get("client", {}))
	_set_all(room, options.get("room", {}))
	for each in [client, room]:
		_listen(each, each.get_script().get_script_signal_list(), "")
	for each in nodes:
		add_child(each)


func tell(what: String, with: Array) -> void:
	_window.said(JSON.stringify([what, with]))


func _set_all(object: Object, values: Dictionary) -> void:
	for each in values:
		object.set(each, _whole(values[each]))


# Signals, whatever they carry.
func _listen(object: Object, signals: Array, prefix: String) -> void:
	for each in signals:
		var what = prefix + each.name
		match each.args.size():
			0:
				object.connect(each.name, func(): tell(what, []))
			1:
				object.connect(each.name, func(a): tell(what, [a]))
			2:
				object.connect(each.name, func(a, b): tell(what, [a, b]))
			3:
				object.connect(each.name,
						func(a, b, c): tell(what, [a, b, c]))


func _on_order(arguments: Array) -> void:
	var order = JSON.parse_string(arguments[0])
	var on = {
		"game": self, "client": client, "room": room, "simple": simple,
		"engine": Engine, "tree": get_tree(),
	}[order.on]
	var result = await on.callv(order.method, _whole(order.with))
	if typeof(result) == TYPE_OBJECT:
		result = str(result)
	tell("answer", [order.ticket, result])


# JSON's numbers are floats here.
func _whole(value):
	match typeof(value):
		TYPE_FLOAT:
			return int(value) if value == floorf(value) else value
		TYPE_ARRAY:
			return value.map(_whole)
	return value


# ---- orders ----

func state() -> Dictionary:
	var peer = multiplayer.multiplayer_peer
	return {
		"peer": "" if peer == null else peer.get_class(),
		"unique_id": 0 if peer == null else multiplayer.get_unique_id(),
		"peers": [] if peer == null else Array(multiplayer.get_peers()),
		"id": client.id,
	}


func say(text: String) -> void:
	hear.rpc(text)


func say_to(peer: int, text: String) -> void:
	hear.rpc_id(peer, text)


@rpc("any_peer", "call_local", "reliable")
func hear(text: String) -> void:
	tell("heard", [multiplayer.get_remote_sender_id(), text])


# A ball of one's own, which the synchronizer shows to the others.
func move_ball(x: float) -> void:
	var ball = $Balls.get_node_or_null("Ball")
	if ball == null:
		ball = Ball.instantiate()
		ball.name = "Ball"
		$Balls.add_child(ball)
	ball.position.x = x


# Under another parent, and back again.
func move_client(away: bool) -> void:
	client.reparent($Balls.get_parent().get_node("Spawner") if away else self)
