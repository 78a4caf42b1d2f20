# peerpost_request.gd - one request at a time to a Peerpost server, and what
# came of it.  PeerpostClient has two of these; nobody else needs it.
extends HTTPRequest

# A Dictionary with
#   kind      "ok"
#             "gone": the session is over
#             "refused": the server will not
#             "busy": again later; code is "" if it was not the server
#             "lost": nothing, or half of it, came back
#             "foreign": whoever that was, it was no Peerpost server
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
const MAX_FRAME_MS = 250
# For each byte of a request: 16 kbit/s.  How much of it has been sent, nobody
# tells.
const UPLOAD_MS = 0.5
# How long a reply may be silent once it has begun, in seconds.  HTTPRequest's own
# timeout is for the whole, and would cut a slow line's replies for ever.
var silence = 20.0

var _url = ""
var _began = 0
var _asking = false
var _begun = false
var _bytes = 0
var _frame = 0
# How long nothing has come, how long that may be, and how long all may take.
var _silent_ms = 0.0
var _patience_ms = 0.0
var _left_ms = 0.0
# A request that was stopped may have its end told in the same frame.
var _stopped_in = -1


func _ready():
	# warning-ignore:return_value_discarded
	connect("request_completed", self, "_on_request_completed")


# Ask; "answered" comes later, unless stop() comes first.  body: a String, or
# null for a GET.  seconds: how long the server may take to begin.  limit_ms:
# how long it may take in all.
func ask(url, path, headers, body, seconds, limit_ms = INF):
	_url = url
	_began = OS.get_ticks_msec()
	_asking = true
	_begun = false
	_frame = _began
	_silent_ms = 0.0
	_patience_ms = seconds * 1000
	_left_ms = limit_ms
	var method = HTTPClient.METHOD_GET
	if body == null:
		body = ""
	else:
		method = HTTPClient.METHOD_POST
		_patience_ms += UPLOAD_MS * body.to_utf8().size()
	if request(url + path, headers, true, method, body) != OK:
		call_deferred("_on_request_completed", RESULT_CANT_CONNECT, 0,
				PoolStringArray(), PoolByteArray())


func stop():
	_asking = false
	_stopped_in = Engine.get_idle_frames()
	cancel_request()


func is_asking():
	return _asking


func is_free():
	return not _asking and _stopped_in != Engine.get_idle_frames()


func _process(_delta):
	if not _asking:
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
		cancel_request()
		_on_request_completed(RESULT_TIMEOUT, 0, PoolStringArray(),
				PoolByteArray())


func _on_request_completed(result, status, headers, body):
	if not _asking:
		return
	var outcome = {
		"kind": "lost", "status": status, "reply": null, "code": "",
		"error": "unreachable", "message": "",
		"retry_ms": _retry_ms(headers),
		"seconds": (OS.get_ticks_msec() - _began) / 1000.0,
		"begun": _begun, "late": result == RESULT_TIMEOUT,
	}
	_asking = false
	# What is told from now on has its frame to itself.
	_stopped_in = Engine.get_idle_frames()
	if result == RESULT_SUCCESS:
		_judge(outcome, body.get_string_from_utf8())
	else:
		outcome.status = 0
		outcome.message = "%s cannot be reached: %s." % [_url, _reason(result)]
	emit_signal("answered", outcome)


func _reason(result):
	if _begun:
		return "its reply came to a halt"
	match result:
		RESULT_CANT_CONNECT:
			return "nobody takes the connection"
		RESULT_CANT_RESOLVE:
			return "its name is not known"
		RESULT_SSL_HANDSHAKE_ERROR:
			return "its certificate is not accepted"
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
	elif status > 299 and _is_failure(value):
		outcome.code = value.command
		outcome.error = value.error
		outcome.message = value.data
		outcome.kind = kind_of(status)
	else:
		make_foreign(outcome)
		if status in [408, 429] or status >= 500:
			outcome.kind = "busy"


# Of a failure that is the server's.
static func kind_of(status):
	if status == 401 or status == 410:
		return "gone"
	if status == 429 or status >= 500:
		return "busy"
	return "refused"


# It was not the server who answered.
func make_foreign(outcome):
	outcome.kind = "foreign"
	outcome.error = "not-peerpost"
	outcome.message = ("Instead of a Peerpost server at %s, something else "
			+ "answered (status %d): a proxy, a firewall, the login page of a "
			+ "network, or the address is wrong.") % [_url, outcome.status]


func _is_failure(value):
	return typeof(value) == TYPE_DICTIONARY \
			and typeof(value.get("command")) == TYPE_STRING \
			and value.command.begins_with("###!") \
			and typeof(value.get("error")) == TYPE_STRING \
			and typeof(value.get("data")) == TYPE_STRING


func _retry_ms(headers):
	for header in headers:
		var parts = header.split(":", true, 1)
		if parts.size() == 2 and parts[0].to_lower() == "retry-after" \
				and parts[1].strip_edges().is_valid_integer():
			return int(parts[1].strip_edges()) * 1000
	return -1
