# peerpost_request.gd - one request at a time to a Peerpost server, and what
# came of it.  It is given up when it is silent for too long, and sent again
# when the node has left the tree and entered it again.  PeerpostClient has two
# of these; nobody else needs it.
extends HTTPRequest

# The request has been answered, or has failed.  outcome is a Dictionary with
#   kind      "ok"
#             "gone": the session is over
#             "refused": the server refuses
#             "busy": again later; code is "" if it was not the server
#             "lost": nothing, or half of it, came back
#             "foreign": a reply that is not from a Peerpost server
#   status    the HTTP status, or 0
#   reply     what the JSON of a success says, or null
#   code      of a failure, such as "###!JRB"
#   error     its word for programs, or "unreachable" or "not-peerpost"
#   message   a sentence for people
#   retry_ms  how long the server asks to wait, or -1
#   seconds   how long the request took
#   begun     whether some of a reply was there
#   late      whether it was given up for its silence
signal answered(outcome)

# A frame counts as no more than this: when a game stands still to load its next
# level, replies wait unread, and that is not the server's silence.
const MAX_FRAME_MS = 1000
# For each byte of a request: 16 kbit/s.  How much of it has been sent, nobody
# tells.
const UPLOAD_MS = 0.5
# How long a reply may be silent once it has begun, in seconds.  HTTPRequest's
# own timeout is for the whole, and would cut a slow line's replies for ever.
var silence = 20.0

# True while a request is in progress.
var is_asking = false

# The request as ask() has it, to send it again.
var _url = ""
var _request = []
var _began = 0
var _begun = false
var _bytes = 0
var _frame = 0
# How long nothing has come, how long that may be, and how long all may take.
var _silent_ms = 0.0
var _patience_ms = 0.0
var _left_ms = 0.0
# Has left the tree during a request.
var _is_interrupted = false
# In the frame in which a request has ended its end may be told once more.
var _ended_in = -1


func _init():
	# A token follows no redirect.
	max_redirects = 0


func _ready():
	# warning-ignore:return_value_discarded
	connect("request_completed", self, "_on_request_completed")


# Ask; "answered" comes later, unless stop() comes first.  url: the server's.
# body: a String, or null for a GET.  seconds: how long the server may take to
# begin.  limit_ms: how long it may take in all.
func ask(url, path, headers, body, seconds, limit_ms = INF):
	_url = url
	_request = [url + path, headers, true, HTTPClient.METHOD_GET, ""]
	_patience_ms = seconds * 1000
	_left_ms = limit_ms
	if body != null:
		_request[3] = HTTPClient.METHOD_POST
		_request[4] = body
		_patience_ms += UPLOAD_MS * body.to_utf8().size()
	is_asking = true
	_is_interrupted = not is_inside_tree()
	if not _is_interrupted:
		_send()


func stop():
	is_asking = false
	_is_interrupted = false
	_abort()


# Whether the next can be asked.
func is_free():
	return not is_asking and _ended_in != Engine.get_idle_frames()


func _enter_tree():
	if _is_interrupted:
		call_deferred("_send_again")


func _exit_tree():
	if is_asking:
		_is_interrupted = true
		_abort()


func _send_again():
	if _is_interrupted and is_inside_tree():
		_is_interrupted = false
		_send()


func _send():
	_began = OS.get_ticks_msec()
	_frame = _began
	_begun = false
	_silent_ms = 0.0
	if callv("request", _request) != OK:
		call_deferred("_on_request_completed", RESULT_CANT_CONNECT, 0,
				PoolStringArray(), PoolByteArray())


func _abort():
	_ended_in = Engine.get_idle_frames()
	cancel_request()


func _process(_delta):
	if not is_asking or _is_interrupted:
		return
	var now = OS.get_ticks_msec()
	var passed = min(now - _frame, MAX_FRAME_MS)
	var bytes = get_downloaded_bytes()
	_frame = now
	_left_ms -= passed
	_silent_ms += passed
	if get_http_client_status() == HTTPClient.STATUS_BODY \
			and (not _begun or bytes != _bytes):
		_begun = true
		_bytes = bytes
		_silent_ms = 0.0
		_patience_ms = silence * 1000
	if _silent_ms > _patience_ms or _left_ms < 0:
		_abort()
		_on_request_completed(RESULT_TIMEOUT, 0, PoolStringArray(),
				PoolByteArray())


func _on_request_completed(result, status, headers, body):
	if not is_asking or _is_interrupted:
		return
	var outcome = {
		"kind": "lost", "status": status, "reply": null, "code": "",
		"error": "unreachable", "message": "",
		"retry_ms": _retry_ms(headers),
		"seconds": (OS.get_ticks_msec() - _began) / 1000.0,
		"begun": _begun, "late": result == RESULT_TIMEOUT,
	}
	is_asking = false
	_ended_in = Engine.get_idle_frames()
	if result == RESULT_SUCCESS or result == RESULT_REDIRECT_LIMIT_REACHED:
		_judge(outcome, body.get_string_from_utf8())
	else:
		outcome.status = 0
		outcome.message = "%s cannot be reached: %s." % [_url, _reason(result)]
	emit_signal("answered", outcome)


func _reason(result):
	if _begun:
		return "its reply stalled"
	match result:
		RESULT_CANT_CONNECT:
			return "it does not accept the connection"
		RESULT_CANT_RESOLVE:
			return "its name cannot be resolved"
		RESULT_SSL_HANDSHAKE_ERROR:
			return "its certificate is not valid"
		RESULT_TIMEOUT:
			return "it did not answer in time"
	return "the connection was lost"


func _judge(outcome, text):
	var status = outcome.status
	var value = null
	if text != "":
		var parsed = JSON.parse(text)
		if parsed.error == OK:
			value = parsed.result
	if status == 200 and typeof(value) == TYPE_DICTIONARY:
		outcome.kind = "ok"
		outcome.error = ""
		outcome.reply = value
	elif status > 299 and is_failure(value):
		judge_failure(outcome, value)
	else:
		call_foreign(outcome)
		if status in [408, 429] or status >= 500:
			outcome.kind = "busy"


# It was not the server who answered.
func call_foreign(outcome):
	outcome.kind = "foreign"
	outcome.reply = null
	outcome.error = "not-peerpost"
	var what = "something else (status %d)" % outcome.status
	if outcome.status > 299 and outcome.status < 400:
		what = "a redirection"
	outcome.message = ("Instead of a Peerpost server at %s, %s answered: a "
			+ "proxy, a firewall or the login page of a network; or the address is "
			+ "wrong.") % [_url, what]


# Whether a reply of the server, or one in an array of them, is a failure.
static func is_failure(value):
	return typeof(value) == TYPE_DICTIONARY \
			and typeof(value.get("command")) == TYPE_STRING \
			and value.command.begins_with("###!") \
			and typeof(value.get("error")) == TYPE_STRING \
			and typeof(value.get("data")) == TYPE_STRING


# Fill in an outcome, which has a status, from such a failure.
static func judge_failure(outcome, failure):
	outcome.code = failure.command
	outcome.error = failure.error
	outcome.message = failure.data
	outcome.reply = null
	outcome.kind = "refused"
	if outcome.status == 401 or outcome.status == 410:
		outcome.kind = "gone"
	elif outcome.status == 429 or outcome.status >= 500:
		outcome.kind = "busy"


func _retry_ms(headers):
	for header in headers:
		var parts = header.split(":", true, 1)
		if parts.size() == 2 and parts[0].to_lower() == "retry-after" \
				and parts[1].strip_edges().is_valid_integer():
			return int(parts[1].strip_edges()) * 1000
	return -1
