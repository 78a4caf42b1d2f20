# player.gd - one player of godot3.test.mjs: clients/godot3's client, run
# without a window.  Says on stdout what happens, one JSON array a line, and
# does what the lines of the file $PEERPOST_TEST_ORDERS say, as they come:
# arrays of a method of the client and its arguments.
extends SceneTree

const SIGNALS = {
	"command_done": 2, "command_failed": 2, "registered": 1,
	"room_entered": 3, "room_left": 0, "session_ended": 1,
	"connected_to_room": 1, "peer_connected": 1, "peer_disconnected": 1,
	"room_sealed": 0, "room_closed": 1, "message_received": 1,
	"offer_received": 2, "answer_received": 2, "candidate_received": 2,
	"session_reset": 1, "network_trouble": 1, "network_restored": 0,
}

var client = preload("res://addons/peerpost/peerpost_client.gd").new()
var n_orders = 0


func _init():
	client.url = OS.get_environment("PEERPOST_URL")
	client.session_file = OS.get_environment("PEERPOST_SESSION")
	client.silence_seconds = float(OS.get_environment("PEERPOST_TEST_SILENCE"))
	for name in SIGNALS:
		client.connect(name, self, "_say%d" % SIGNALS[name], [name])
	root.add_child(client)


func _idle(_delta):
	var file = File.new()
	if file.open(OS.get_environment("PEERPOST_TEST_ORDERS"), File.READ) != OK:
		return
	var lines = file.get_as_text().split("\n")
	file.close()
	# The last is not complete.
	while n_orders < lines.size() - 1:
		var order = JSON.parse(lines[n_orders]).result
		n_orders += 1
		if order[0] == "quit":
			quit()
			return
		_say([order[0], client.callv(order[0], order.slice(1, order.size()))
				if order.size() > 1 else client.call(order[0])])


func _say(values):
	print("> " + JSON.print(values))


func _say0(name):
	_say([name])


func _say1(a, name):
	_say([name, a])


func _say2(a, b, name):
	_say([name, a, b])


func _say3(a, b, c, name):
	_say([name, a, b, c])
