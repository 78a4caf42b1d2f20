# main.gd - create a room, or join one by its code, and chat over WebRTC.
extends VBoxContainer

@onready var peerpost: Peerpost = $Peerpost


func _ready() -> void:
	peerpost.player_name = "Player %d" % randi_range(1, 999)
	peerpost.entered.connect(_on_entered)
	peerpost.left.connect(_on_left)
	peerpost.failed.connect(_say)
	peerpost.client.network_trouble.connect(_say)
	peerpost.client.network_restored.connect(_say.bind("Connected again."))
	peerpost.room.peer_failed.connect(
			func(id): _say("Peer %d cannot be reached for now." % id))
	multiplayer.peer_connected.connect(
			func(id): _say("Peer %d is connected." % id))
	multiplayer.peer_disconnected.connect(
			func(id): _say("Peer %d has gone." % id))
	peerpost.url = $Server.text
	if OS.has_feature("web"):
		# After a reload of the page, go on where it was.
		$Enter.disabled = true
		$Enter.disabled = await peerpost.resume()
	else:
		# Several of these may run on one machine, and would share the file.
		peerpost.session_file = ""


func _on_enter_pressed() -> void:
	$Enter.disabled = true
	peerpost.url = $Server.text
	if $Room.text == "":
		await peerpost.host()
	else:
		await peerpost.join($Room.text)
	$Enter.disabled = peerpost.code != ""


func _on_entered(code: String, id: int) -> void:
	$Room.text = code
	$Enter.disabled = true
	$Line.editable = true
	_say("You are peer %d in the room %s." % [id, code])


# The server is needed no more for this: it goes from peer to peer.
func _on_line_text_submitted(text: String) -> void:
	hear.rpc(text)
	$Line.clear()


@rpc("any_peer", "call_local", "reliable")
func hear(text: String) -> void:
	_say("%d: %s" % [multiplayer.get_remote_sender_id(), text])


func _on_left(reason: String) -> void:
	_say(("You are in no room any more. " + reason).strip_edges())
	$Line.editable = false
	$Enter.disabled = false
	$Room.clear()


func _say(text: String) -> void:
	$Log.add_text(text + "\n")
