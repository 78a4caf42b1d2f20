# peerpost_request.gd - one request at a time to a Peerpost server, and what
# came of it.  PeerpostClient has two of these; nobody else needs it.
extends HTTPRequest

# A Dictionary with
#   kind      "ok"
#             "gone": the session is over
#             "refused": the server will not
#             "busy": again later; error is "" if it was not the server
#             "lost": nothing, or half of it, came back
#             "foreign": whoever that was, it was no Peerpost server
#   status    the HTTP status, or 0
#   reply     what the JSON of a success says, or null
#   code      of a failure, such as "###!JRB"
#   error     its word for programs
#   message   a sentence for people
#   retry_ms  how long the server asks to wait, or -1
#   seconds   how long the request took
#   begun     whether some of a reply was there
#   late      whether it was given up for its silence
signal answered(outcome)

const MAX_DELAY_MS = 30000

# How long a reply may be silent once it has begun, in seconds.  HTTPRequest's own
# timeout is for the whole, and would cut a slow line's replies for ever.
var silence = 20.0

var _began = 0
var _asking = false
var _begun = false
var _bytes = 0
var _heard = 0
var _patience = 0.0


func _ready():
	# warning-ignore:return_value_discarded
	connect("request_completed", self, "_on_request_completed")


# Ask; "answered" comes later, unless stop() comes first.  body: a String, or
# null for a GET.  seconds: how long the server may take to begin.
func ask(url, headers, body, seconds):
	_began = OS.get_ticks_msec()
	_asking = true
	_begun = false
	_heard = _began
	_patience = seconds
	var method = HTTPClient.METHOD_GET
	if body != null:
		method = HTTPClient.METHOD_POST
	if request(url, headers, true, method, "" if body == null else body) != OK:
		call_deferred("_on_request_completed", RESULT_CANT_CONNECT, 0,
				PoolStringArray(), PoolByteArray())


func stop():
	_asking = false
	cancel_request()


func _process(_delta):
	if not _asking:
		return
	var now = OS.get_ticks_msec()
	var bytes = get_downloaded_bytes()
	if get_http_client_status() == HTTPClient.STATUS_BODY \
			and (not _begun or bytes != _bytes):
		_begun = true
		_bytes = bytes
		_heard = now
		_patience = silence
	elif now - _heard > _patience * 1000:
		cancel_request()
		_on_request_completed(RESULT_TIMEOUT, 0, PoolStringArray(),
				PoolByteArray())


# How long to wait after so many failures in a row: what the server says, and
# otherwise longer each time; never in step with others.
static func delay_ms(failures, outcome):
	if outcome.retry_ms >= 0:
		return min(outcome.retry_ms, 300000) + randi() % 1000
	var limit = min(500 * pow(2, min(failures - 1, 10)), MAX_DELAY_MS)
	return int(limit * rand_range(0.5, 1.0))


func _on_request_completed(result, status, headers, body):
	var outcome = {
		"kind": "lost", "status": status, "reply": null, "code": "",
		"error": "", "message": "", "retry_ms": _retry_ms(headers),
		"seconds": (OS.get_ticks_msec() - _began) / 1000.0,
		"begun": _begun, "late": result == RESULT_TIMEOUT,
	}
	_asking = false
	if result != RESULT_SUCCESS:
		outcome.status = 0
		outcome.message = "The server cannot be reached (%d)." % result
	else:
		_judge(outcome, body.get_string_from_utf8())
	emit_signal("answered", outcome)


func _judge(outcome, text):
	var status = outcome.status
	var value = null
	if text != "":
		var parsed = JSON.parse(text)
		if parsed.error == OK:
			value = parsed.result
	if status == 204 and text == "":
		outcome.kind = "ok"
	elif status == 200 and typeof(value) == TYPE_DICTIONARY:
		outcome.kind = "ok"
		outcome.reply = value
	elif status > 299 and _is_failure(value):
		outcome.code = value.command
		outcome.error = value.error
		outcome.message = value.data
		outcome.kind = "refused"
		if status == 401 or status == 410:
			outcome.kind = "gone"
		elif status == 429 or status == 503:
			outcome.kind = "busy"
	elif status in [408, 429] or status >= 500:
		outcome.kind = "busy"
		outcome.message = "Status %d, and not from Peerpost." % status
	else:
		outcome.kind = "foreign"
		outcome.message = "This is not a Peerpost server (status %d)." % status


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
