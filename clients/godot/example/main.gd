# main.gd - create a room, or join one by its UUID, and chat over WebRTC.
extends VBoxContainer

@onready var client: PeerpostClient = $Multiplayer/Client


func _ready() -> void:
	client.registered.connect(_on_registered)
	client.room_entered.connect(_on_room_entered)
	client.command_failed.connect(_on_command_failed)
	client.network_trouble.connect(_say)
	client.network_restored.connect(_say.bind("Connected again."))
	$Multiplayer.stopped.connect(_on_stopped)
	$Multiplayer.peer_failed.connect(
			func(id): _say("Peer %d cannot be reached." % id))
	multiplayer.peer_connected.connect(
			func(id): _say("Peer %d is connected." % id))
	multiplayer.peer_disconnected.connect(
			func(id): _say("Peer %d has gone." % id))


func _on_enter_pressed() -> void:
	$Enter.disabled = true
	client.url = $Server.text
	if client.is_registered():
		_on_registered(client.id)
	else:
		client.register_player("Player %d" % (randi() % 1000))


func _on_registered(_id: int) -> void:
	if $Room.text == "":
		client.create_room()
	else:
		client.join_room($Room.text)


func _on_room_entered(room: String, id: int, _peers: Array) -> void:
	$Room.text = room
	$Line.editable = true
	_say("You are peer %d in the room %s." % [id, room])


# The server is needed no more for this: it goes from peer to peer.
func _on_line_text_submitted(text: String) -> void:
	hear.rpc(text)
	$Line.clear()


@rpc("any_peer", "call_local", "reliable")
func hear(text: String) -> void:
	_say("%d: %s" % [multiplayer.get_remote_sender_id(), text])


func _on_command_failed(_number: int, error: Dictionary) -> void:
	# A server may well have no ICE servers to tell of.
	if error.error != "not-found":
		_say(error.message)
	if not $Line.editable:
		$Enter.disabled = false


func _on_stopped(reason: String) -> void:
	_say("You are in no room any more. " + reason)
	$Line.editable = false
	$Enter.disabled = false
	$Room.clear()


func _say(text: String) -> void:
	$Log.add_text(text + "\n")
