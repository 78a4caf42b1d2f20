# main.gd - create a room, or join one by its UUID, and chat in it.
extends VBoxContainer

onready var client = $Client


func _ready():
	client.connect("room_entered", self, "_on_room_entered")
	client.connect("peer_connected", self, "_on_peer_connected")
	client.connect("peer_disconnected", self, "_on_peer_disconnected")
	client.connect("room_closed", self, "_on_room_closed")
	client.connect("message_received", self, "_on_message_received")
	client.connect("command_failed", self, "_on_command_failed")
	client.connect("session_ended", self, "_on_session_ended")
	client.connect("network_trouble", self, "_say")
	client.connect("network_restored", self, "_say", ["Connected again."])


func _on_Enter_pressed():
	$Enter.disabled = true
	client.url = $Server.text
	var result = {"ok": true}
	if not client.is_registered():
		result = yield(client.register_player(
				"Player %d" % (randi() % 1000)), "completed")
	if result.ok and $Room.text.strip_edges() == "":
		result = yield(client.create_room(), "completed")
	elif result.ok:
		result = yield(client.join_room($Room.text), "completed")
	# What went wrong _on_command_failed() has said.
	$Enter.disabled = result.ok


func _on_room_entered(room, id, _peers):
	$Room.text = room
	$Line.editable = true
	_say("You are peer %d in the room %s." % [id, room])


func _on_peer_connected(id):
	_say("Peer %d is here." % id)


func _on_peer_disconnected(id):
	_say("Peer %d has left." % id)


func _on_room_closed(reason):
	_say("The room is closed: " + reason)
	_leave()


func _on_Line_text_entered(text):
	client.send_message({"from": client.peer_id, "text": text})
	$Line.clear()


# Anybody may have sent anything.
func _on_message_received(data):
	if typeof(data) == TYPE_DICTIONARY and data.has_all(["from", "text"]):
		_say("%s: %s" % [data.from, data.text])


func _on_command_failed(command, error):
	_say("%s failed: %s" % [command, error.message])


func _on_session_ended(reason):
	_say("The session is over. " + reason)
	_leave()


func _leave():
	$Line.editable = false
	$Enter.disabled = false
	$Room.clear()


func _say(text):
	$Log.add_text(text + "\n")
