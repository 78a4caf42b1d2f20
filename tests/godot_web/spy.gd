# spy.gd - tells the page what a game shows: ["controls", [...]] whenever that
# changes.  Autoloaded into games that know nothing of tests.
extends Node

var _told = ""
var _wait = 0.0


func _ready() -> void:
	process_mode = Node.PROCESS_MODE_ALWAYS
	_tell("ready", [Engine.get_version_info().string])


func _process(delta: float) -> void:
	_wait -= delta
	if _wait > 0:
		return
	_wait = 0.05
	var controls = []
	for each in get_tree().root.find_children("*", "Control", true, false):
		if each.is_visible_in_tree():
			controls.append(_describe(each))
	var text = JSON.stringify(controls)
	if text != _told:
		_told = text
		_tell("controls", [controls])


# Where it is in the page, and what is in it.
func _describe(control: Control) -> Dictionary:
	var area = control.get_screen_transform() \
			* Rect2(Vector2.ZERO, control.size)
	var middle = area.get_center()
	var said = {
		"name": str(control.name), "type": control.get_class(),
		"x": middle.x, "y": middle.y, "text": "", "hint": "", "usable": true,
	}
	if control is RichTextLabel:
		said.text = control.get_parsed_text()
	elif "text" in control:
		said.text = control.text
	if "placeholder_text" in control:
		said.hint = control.placeholder_text
	if control is BaseButton:
		said.usable = not control.disabled
	elif control is LineEdit:
		said.usable = control.editable
	return said


func _tell(what: String, with: Array) -> void:
	JavaScriptBridge.get_interface("window").said(JSON.stringify([what, with]))
