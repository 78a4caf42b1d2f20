# Where a PeerpostClient keeps its session: a file, or in a web export the tab's
# sessionStorage, so that a reloaded page goes on and another tab does not.
#
# A tab that is duplicated has a copy of its sessionStorage.  So a session
# belongs to the page that claims it: pages ask each other on a
# BroadcastChannel.
#
# Internal: PeerpostClient has one.
extends RefCounted

const PeerpostFetch = preload("peerpost_fetch.gd")

# How long another page may take to answer.
const CLAIM_SECONDS = 0.5

var _window = null
var _storage = null
var _channel = null
var _callback = null
# Of two pages that ask at the same time the one with the lesser number has it.
var _number = 0
var _has_it = false
var _is_refused = false


func _init() -> void:
	_window = PeerpostFetch.get_window()
	# A frame in a sandbox has no storage, and browsers complain about asking.
	if _window != null and str(_window["origin"]) != "null":
		_storage = _window["sessionStorage"]


## The session as passed to save_session(), or null.
func load_session(name: String):
	var text = ""
	if name == "":
		return null
	if _window == null:
		if not FileAccess.file_exists(name):
			return null
		text = FileAccess.get_file_as_string(name)
	elif _storage != null:
		text = _storage.getItem(_key(name))
	var json = JSON.new()
	if typeof(text) != TYPE_STRING or json.parse(text) != OK \
			or typeof(json.data) != TYPE_DICTIONARY \
			or not json.data.has_all(["url", "id", "token", "cursor"]):
		return null
	return {"url": str(json.data.url), "id": int(json.data.id),
			"token": str(json.data.token), "cursor": int(json.data.cursor),
			"name": str(json.data.get("name", ""))}


## Keep a session: url, id, token, cursor and name.  Returns false if its file
## cannot be written.
func save_session(name: String, session: Dictionary) -> bool:
	if name == "":
		return true
	if _window != null:
		if _storage != null:
			_storage.setItem(_key(name), JSON.stringify(session))
		return true
	# A new file takes the place of the old, so that there is never half of one.
	var file = FileAccess.open(name + ".new", FileAccess.WRITE)
	if file == null:
		return false
	file.store_string(JSON.stringify(session))
	file.close()
	return DirAccess.rename_absolute(name + ".new", name) == OK


func forget_session(name: String) -> void:
	_release()
	if name == "":
		return
	if _window == null:
		if FileAccess.file_exists(name):
			DirAccess.remove_absolute(name)
	elif _storage != null:
		_storage.removeItem(_key(name))


## Claim a kept session; false if another page of this browser has it.
func claim(tree: SceneTree, id: int) -> bool:
	if not _open_channel(id):
		return true
	_channel.postMessage("ask %d" % _number)
	await tree.create_timer(CLAIM_SECONDS, true, false, true).timeout
	if _is_refused:
		_release()
		return false
	_has_it = true
	return true


## Claim a new session.
func claim_new(id: int) -> void:
	if _open_channel(id):
		_has_it = true


func _open_channel(id: int) -> bool:
	_release()
	if _storage == null or _window["BroadcastChannel"] == null:
		return false
	_channel = PeerpostFetch.create("BroadcastChannel", "peerpost:%d" % id)
	if _channel == null:
		return false
	_number = randi()
	_is_refused = false
	_callback = Engine.get_singleton("JavaScriptBridge").create_callback(_on_message)
	_channel["onmessage"] = _callback
	return true


func _release() -> void:
	if _channel != null:
		_channel.close()
	_channel = null
	_callback = null
	_has_it = false


# From JavaScript, at any time; another page says "ask NUMBER" or "mine NUMBER".
func _on_message(args: Array) -> void:
	var words = str(args[0]["data"]).split(" ")
	if words.size() != 2 or _channel == null:
		return
	var number = int(words[1])
	if words[0] == "ask" and (_has_it or number > _number):
		_channel.postMessage("mine %d" % number)
	elif not _has_it and (number == _number if words[0] == "mine"
			else number < _number):
		_is_refused = true


func _key(name: String) -> String:
	return "peerpost:" + name


func _notification(what: int) -> void:
	if what == NOTIFICATION_PREDELETE and _channel != null:
		_channel.close()
