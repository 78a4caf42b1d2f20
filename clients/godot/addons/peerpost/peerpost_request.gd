# One request at a time to a Peerpost server, and what came of it.
#
# In web exports the browser's fetch() carries it (peerpost_fetch.gd), elsewhere
# Godot's HTTPRequest.  Either way a request is given up when it is silent for
# too long, and sent again when the node has left the tree and entered it again.
#
# Internal: PeerpostClient has two of these.
extends Node

const PeerpostFetch = preload("peerpost_fetch.gd")

## The request has been answered, or has failed.  Emitted from a frame, never
## from stop() or ask().  outcome is a Dictionary with
##   kind      "ok"
##             "gone": the session is over
##             "refused": the server refuses
##             "busy": again later; code is "" if it was not the server
##             "lost": nothing, or a part of it, came back
##             "foreign": a reply that is not from a Peerpost server
##   status    the HTTP status, or 0
##   reply     the JSON of a success, or {}
##   code      of a failure, such as "###!JRB", or ""
##   error     its word for programs, or ""
##   message   a sentence for people
##   retry_ms  how long the server asks to wait, or -1
##   seconds   how long the request took
##   begun     whether part of a reply came
##   late      whether it timed out
signal answered(outcome: Dictionary)

## Seconds without a byte after which a reply that has begun times out.
var silence: float = 20.0
## True while a request is in progress.
var is_asking: bool = false
## The browser's request in a web export, otherwise null.
var fetch = null

var _http: HTTPRequest = null
# The request as ask() has it, to send it again.
var _request = []
var _patience = 0.0
var _began = 0
# Of HTTPRequest's reply, one more than have come; 0 before it has begun.
var _bytes = 0
var _heard_ms = 0
# Has left the tree during a request.
var _is_interrupted = false
# What HTTPRequest has brought: [result, status, headers, body], or null.
var _completed = null


func _init() -> void:
	process_mode = Node.PROCESS_MODE_ALWAYS
	# Before the client, which can send the next one in the same frame.
	process_priority = -1
	var window = PeerpostFetch.get_window()
	if window != null and window["fetch"] != null:
		fetch = PeerpostFetch.new(window)
		return
	_http = HTTPRequest.new()
	# As in fetch(): a token follows no redirect.
	_http.max_redirects = 0
	# A web export without JavaScript: its browser has unpacked it already, and
	# Godot would unpack it again.
	_http.accept_gzip = not OS.has_feature("web")
	_http.request_completed.connect(_on_request_completed)
	add_child(_http)


## Ask; "answered" comes later, unless stop() comes first.  type: the body's
## media type.  body: a String, or null for a GET.  seconds: how long the server
## may take to begin.
func ask(url: String, type: String, body, seconds: float) -> void:
	_request = [url, type, body]
	_patience = seconds
	_began = Time.get_ticks_msec()
	is_asking = true
	_is_interrupted = not is_inside_tree()
	if not _is_interrupted:
		_send()


func stop() -> void:
	is_asking = false
	_is_interrupted = false
	_abort()


func _exit_tree() -> void:
	if is_asking:
		_is_interrupted = true
		_abort()


func _send() -> void:
	_bytes = 0
	_completed = null
	if fetch != null:
		fetch.start(_request[0], _request[1], _request[2])
		return
	var method = HTTPClient.METHOD_GET
	var headers = PackedStringArray()
	var body = ""
	if _request[2] != null:
		method = HTTPClient.METHOD_POST
		headers.append("Content-Type: " + _request[1])
		body = _request[2]
	if _http.request(_request[0], headers, method, body) != OK:
		_completed = [HTTPRequest.RESULT_CANT_CONNECT, 0, headers,
				PackedByteArray()]


func _abort() -> void:
	if fetch != null:
		fetch.stop()
	else:
		_http.cancel_request()


func _on_request_completed(result: int, status: int,
		headers: PackedStringArray, body: PackedByteArray) -> void:
	_completed = [result, status, headers, body]


func _process(_delta: float) -> void:
	if not is_asking:
		return
	if _is_interrupted:
		# In the tree again.
		_is_interrupted = false
		_began = Time.get_ticks_msec()
		_send()
	if fetch != null:
		_watch_fetch()
	else:
		_watch_http()


func _watch_fetch() -> void:
	if fetch.has_ended:
		_finish(fetch.status, fetch.text, fetch.retry_after, fetch.has_begun,
				not fetch.is_complete)
	elif _is_late(fetch.heard_ms, fetch.has_begun):
		_give_up(fetch.has_begun)


func _watch_http() -> void:
	var has_begun = _http.get_http_client_status() == HTTPClient.STATUS_BODY
	var bytes = _http.get_downloaded_bytes()
	if _completed != null:
		var ended = _completed
		_completed = null
		var is_lost = ended[0] != HTTPRequest.RESULT_SUCCESS \
				and ended[0] != HTTPRequest.RESULT_REDIRECT_LIMIT_REACHED
		_finish(ended[1], ended[3].get_string_from_utf8(),
				_header(ended[2], "retry-after"), _bytes > 0, is_lost)
	elif has_begun and bytes >= _bytes:
		_bytes = bytes + 1
		_heard_ms = Time.get_ticks_msec()
	elif _is_late(maxi(_began, _heard_ms), _bytes > 0):
		_give_up(_bytes > 0)


func _is_late(heard_ms: int, has_begun: bool) -> bool:
	var patience = silence if has_begun else _patience
	return Time.get_ticks_msec() - heard_ms > patience * 1000


func _give_up(has_begun: bool) -> void:
	_abort()
	_finish(0, "", "", has_begun, true, true)


func _header(headers: PackedStringArray, name: String) -> String:
	for header in headers:
		var parts = header.split(":", true, 1)
		if parts.size() == 2 and parts[0].to_lower() == name:
			return parts[1].strip_edges()
	return ""


func _finish(status: int, text: String, retry_after: String, has_begun: bool,
		is_lost: bool, is_late: bool = false) -> void:
	var outcome = {
		"kind": "lost", "status": 0 if is_lost else status, "reply": {},
		"code": "", "error": "", "message": "", "retry_ms": -1,
		"seconds": (Time.get_ticks_msec() - _began) / 1000.0,
		"begun": has_begun, "late": is_late,
	}
	if retry_after.is_valid_int():
		outcome.retry_ms = maxi(int(retry_after), 0) * 1000
	is_asking = false
	if is_lost:
		outcome.error = "unreachable"
		outcome.message = "The server did not answer in time." if is_late \
				else "The server cannot be reached."
	else:
		_judge(outcome, text)
	answered.emit(outcome)


func _judge(outcome: Dictionary, text: String) -> void:
	var status = outcome.status
	var value = null
	if text != "":
		var json = JSON.new()
		if json.parse(text) == OK:
			value = json.data
	if status == 200 and typeof(value) == TYPE_DICTIONARY:
		outcome.kind = "ok"
		outcome.reply = value
	elif status > 299 and is_failure(value):
		judge_failure(outcome, value)
	else:
		var what = "status %d" % status
		if status == 0 or (status > 299 and status < 400):
			what = "a redirection"
		outcome.error = "not-peerpost"
		outcome.message = ("Instead of a Peerpost server, %s answered: a proxy,"
				+ " a firewall or the login page of a network; or the address"
				+ " is wrong.") % what
		outcome.kind = "foreign"
		if status in [408, 429] or status >= 500:
			outcome.kind = "busy"


## Whether a reply of the server, or one in an array of them, is a failure.
static func is_failure(value) -> bool:
	return typeof(value) == TYPE_DICTIONARY \
			and typeof(value.get("command")) == TYPE_STRING \
			and value.command.begins_with("###!") \
			and typeof(value.get("error")) == TYPE_STRING \
			and typeof(value.get("data")) == TYPE_STRING


## Fill in an outcome from such a failure.  Its status is used if it has one; in
## an array there is only one status for all.
static func judge_failure(outcome: Dictionary, failure: Dictionary) -> void:
	outcome.code = failure.command
	outcome.error = failure.error
	outcome.message = failure.data
	outcome.reply = {}
	outcome.kind = "refused"
	if failure.error in ["no-session", "timed-out"]:
		outcome.kind = "gone"
	elif outcome.status in [429, 503]:
		outcome.kind = "busy"


func _notification(what: int) -> void:
	if what == NOTIFICATION_PREDELETE and fetch != null:
		fetch.stop()
