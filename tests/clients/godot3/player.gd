# player.gd - one player of godot3.test.mjs: clients/godot3's client, run
# without a window.  Says on stdout what happens, one JSON array a line, and
# does what the lines of the file $PEERPOST_TEST_ORDERS say, as they come:
# arrays of a method of the client (or of this script) and its arguments.  The
# result of a command is said as ["result", method, result].
extends SceneTree

const SIGNALS = {
	"command_done": 2, "command_failed": 2, "registered": 1,
	"room_entered": 3, "room_left": 0, "session_ended": 1,
	"connected_to_room": 1, "peer_connected": 1, "peer_disconnected": 1,
	"room_sealed": 0, "room_closed": 1, "message_received": 1,
	"offer_received": 2, "answer_received": 2, "candidate_received": 2,
	"event_received": 1, "session_reset": 1, "network_trouble": 1,
	"network_restored": 0,
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
		_carry_out(order)


func _carry_out(order):
	var name = order.pop_front()
	if not client.has_method(name):
		callv(name, order)
		return
	var result = yield(client.callv(name, order), "completed")
	_say(["result", name, result])


# ---- what a game does besides ----

func set_client(name, value):
	client.set(name, value)
	say_client(name)


func say_client(name):
	_say([name, client.get(name)])


func set_time_scale(scale):
	Engine.time_scale = scale


func set_paused(is_paused):
	paused = is_paused


func set_fps(fps):
	Engine.target_fps = int(fps)


# Stand still, as for loading a level.
func stand_still(ms):
	OS.delay_msec(int(ms))


# Put the client below another node, in the same frame or after some time.
func reparent(ms):
	var node = Node.new()
	root.add_child(node)
	client.get_parent().remove_child(client)
	if ms > 0:
		yield(create_timer(ms / 1000.0), "timeout")
	node.add_child(client)
	_say(["reparented"])


# Candidates as WebRTC finds them: one after the other.
func drip(peer):
	for i in 3:
		client.send_candidate(peer, {"i": i})
		yield(self, "idle_frame")


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
