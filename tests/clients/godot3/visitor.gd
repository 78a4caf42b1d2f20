# visitor.gd - uses the example of clients/godot3 as somebody does who types and
# clicks: $PEERPOST_TEST_ORDERS is an array of [node, text to type], and of
# [node] to be clicked, one a line.  What the example says is said on stdout.
extends SceneTree

var main = preload("res://example/main.tscn").instance()
var n_orders = 0
var log_text = ""


func _init():
	root.add_child(main)


func _idle(_delta):
	var text = main.get_node("Log").text
	if text != log_text:
		for line in text.substr(log_text.length()).split("\n", false):
			print("> " + JSON.print([line]))
		log_text = text
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
	if order[0] == "quit":
		quit()
		return
	var node = main.get_node(order[0])
	if order.size() == 1:
		if not node.disabled:
			node.emit_signal("pressed")
		return
	node.text = order[1]
	node.emit_signal("text_entered", order[1])
