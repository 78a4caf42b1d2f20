# Keeps a session alive while the page of a web export is hidden.
#
# A hidden page draws no frames, so Godot does not run; but callbacks of
# JavaScript do.  While the page is hidden they poll the server, from the cursor
# that the game has reached: so nothing is taken, and the game is told when it
# is seen again.
#
# Internal: PeerpostClient has one.
extends RefCounted

const PeerpostFetch = preload("peerpost_fetch.gd")
const PeerpostRequest = preload("peerpost_request.gd")

# Browsers let hidden pages look at their clock once a second, later once a
# minute.
const TICK_MS = 1000
# Between polls that are answered at once: something waits for the game.
const PAUSE_MS = 5000
# How long a poll may take.
const PATIENCE_MS = 60000

var _poll: PeerpostRequest
var _make_request: Callable
var _window = null
var _fetch = null
var _on_change = null
var _on_tick = null
var _interval = null
var _is_listening = false
var _next_ms = 0


# poll: the client's own; make_request() returns a poll's [url, type, body].
func _init(poll: PeerpostRequest, make_request: Callable) -> void:
	_poll = poll
	_make_request = make_request
	if poll.fetch == null:
		return
	var bridge = Engine.get_singleton("JavaScriptBridge")
	_window = PeerpostFetch.get_window()
	_fetch = PeerpostFetch.new(_window)
	_fetch.ended.connect(_on_ended)
	_on_change = bridge.create_callback(_on_visibility_changed)
	_on_tick = bridge.create_callback(_tick)


## A session has begun.
func start() -> void:
	if _window == null or _is_listening:
		return
	_is_listening = true
	_window["document"].addEventListener("visibilitychange", _on_change)
	_on_visibility_changed([])


## The session has ended.
func stop() -> void:
	if not _is_listening:
		return
	_is_listening = false
	_window["document"].removeEventListener("visibilitychange", _on_change)
	_rest()


func _rest() -> void:
	if _interval != null:
		_window.clearInterval(_interval)
	_interval = null
	_fetch.stop()


func _on_visibility_changed(_args: Array) -> void:
	if not _window["document"]["hidden"]:
		_rest()
	elif _interval == null:
		_next_ms = 0
		_interval = _window.setInterval(_on_tick, TICK_MS)


func _tick(_args: Array) -> void:
	var now = Time.get_ticks_msec()
	# The game's own poll is still held.
	if _poll.is_asking and not _poll.fetch.has_ended \
			and now - _poll.fetch.heard_ms < PATIENCE_MS:
		return
	if not _fetch.has_ended and now - _fetch.heard_ms < PATIENCE_MS:
		return
	if now >= _next_ms:
		_next_ms = now + PAUSE_MS
		_fetch.callv("start", _make_request.call())


func _on_ended() -> void:
	if _interval == null:
		return
	if _fetch.status in [401, 410]:
		# The session is over; the game will see that itself.
		_rest()
	else:
		_tick([])


func _notification(what: int) -> void:
	if what == NOTIFICATION_PREDELETE:
		stop()
