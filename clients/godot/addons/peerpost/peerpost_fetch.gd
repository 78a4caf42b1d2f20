# One HTTP request of a web export, by the browser's fetch().
#
# Godot's HTTPRequest never aborts a request in a web export: one that is never
# answered stays open, and six of those use up a browser's connections to the
# server.  This one can be aborted, reads the body piece by piece, and goes on
# while the page is hidden and draws no frames.  It needs no eval(), which a
# page's policy may forbid.
#
# Internal: PeerpostClient uses it through peerpost_request.gd.
extends RefCounted

## The request has ended.  Emitted from a callback of JavaScript, perhaps in a
## hidden page between two frames.
signal ended

# No reply of the server is that long, in characters.
const MAX_REPLY = 4 << 20

## True when the request has ended; then status is 0 if nothing came back.
var has_ended = false
## True if a complete reply came, and not just a part of it.
var is_complete = false
## True when part of a reply has come.
var has_begun = false
var status = 0
var text = ""
## The reply's Retry-After, "" without one.
var retry_after = ""
## When data last came, in ticks (milliseconds).
var heard_ms = 0

var _window = null
var _aborter = null
var _reader = null
var _decoder = null
var _more = null
# Callbacks must be kept for as long as JavaScript may call them.
var _callbacks = []
# Counts requests, so that what belongs to an aborted one is recognised.
var _number = 0


## The page's window, or null outside web exports, or in one without
## JavaScript.
static func get_window():
	if not OS.has_feature("web") or not Engine.has_singleton("JavaScriptBridge"):
		return null
	return Engine.get_singleton("JavaScriptBridge").get_interface("window")


## A new object of JavaScript, or null.
static func create(name: String, argument = null):
	var bridge = Engine.get_singleton("JavaScriptBridge")
	if argument == null:
		return bridge.create_object(name)
	return bridge.create_object(name, argument)


func _init(window) -> void:
	_window = window


## Send a request.  body: a String, or null for a GET.
func start(url: String, type: String, body) -> void:
	stop()
	has_ended = false
	is_complete = false
	has_begun = false
	status = 0
	text = ""
	retry_after = ""
	heard_ms = Time.get_ticks_msec()
	_aborter = create("AbortController")
	var init = create("Object")
	init["method"] = "GET" if body == null else "POST"
	init["cache"] = "no-store"
	# A token follows no redirect: it is for this server only.
	init["redirect"] = "manual"
	init["signal"] = _aborter["signal"]
	if body != null:
		var headers = create("Object")
		headers["Content-Type"] = type
		init["headers"] = headers
		init["body"] = body
	_follow(_window.fetch(url, init), _on_response)


## Test whether there is a server at all, even one that does not allow the
## page's origin: the browser hides its answer, but "has_begun" is set.
func start_blind(url: String) -> void:
	stop()
	has_ended = false
	has_begun = false
	heard_ms = Time.get_ticks_msec()
	_aborter = create("AbortController")
	var init = create("Object")
	init["mode"] = "no-cors"
	init["signal"] = _aborter["signal"]
	_follow(_window.fetch(url, init), _on_response)


## Abort the request, if there is one.  "ended" is not emitted.
func stop() -> void:
	_number += 1
	_callbacks.clear()
	if _aborter != null:
		_aborter.abort()
	_aborter = null
	_reader = null
	has_ended = true


# Call a function with what a promise resolves with.
func _follow(promise, function: Callable) -> void:
	# A call that throws returns null.
	if promise == null:
		_end()
		return
	var bridge = Engine.get_singleton("JavaScriptBridge")
	_callbacks = [bridge.create_callback(function.bind(_number)),
			bridge.create_callback(_on_failure.bind(_number))]
	promise.then(_callbacks[0], _callbacks[1])


func _on_response(args: Array, number: int) -> void:
	if number != _number:
		return
	var response = args[0]
	has_begun = true
	heard_ms = Time.get_ticks_msec()
	status = int(response["status"])
	var after = response["headers"].get("Retry-After")
	retry_after = "" if after == null else str(after)
	if response["body"] == null:
		is_complete = true
		_end()
		return
	_reader = response["body"].getReader()
	_decoder = create("TextDecoder")
	_more = create("Object")
	_more["stream"] = true
	_follow(_reader.read(), _on_piece)


func _on_piece(args: Array, number: int) -> void:
	if number != _number:
		return
	heard_ms = Time.get_ticks_msec()
	if args[0]["done"]:
		text += str(_decoder.decode())
		is_complete = true
		_end()
		return
	text += str(_decoder.decode(args[0]["value"], _more))
	if text.length() > MAX_REPLY:
		text = ""
		_end()
		return
	_follow(_reader.read(), _on_piece)


func _on_failure(_args: Array, number: int) -> void:
	if number == _number:
		_end()


func _end() -> void:
	stop()
	ended.emit()


func _notification(what: int) -> void:
	if what == NOTIFICATION_PREDELETE and _aborter != null:
		_aborter.abort()
