@icon("icon.svg")
class_name Peerpost
extends Node
## All that a game needs to play with others, in one node.
##
## Set [member url], then [method host] or [method join]:
## [codeblock]
## var code = await $Peerpost.host()      # one player, who gives it to the others
## var is_in = await $Peerpost.join(code) # all others
## [/codeblock]
## From then on Godot's RPCs reach everybody in the room;
## [code]multiplayer[/code] has its members. To keep the node when scenes
## change, make it an autoload.

## This player is in a room: by [method host], [method join] or [method resume].
## Others need the code to join.
signal entered(code: String, id: int)
## This player is no longer in a room: it was left or closed, or the session
## ended.
signal left(reason: String)
## A call has failed; [param message] is a sentence for people.
signal failed(message: String)

## The server's address, with its base path if it has one.
@export var url: String = "http://127.0.0.1:8080"
## The name that others see.
@export var player_name: String = "Player"
## The topology. All members of a room must use the same.
@export var mode: PeerpostMultiplayer.Mode = PeerpostMultiplayer.Mode.MESH
## See [member PeerpostClient.session_file].
@export var session_file: String = "user://peerpost_session.json"
## See [member PeerpostMultiplayer.default_ice_servers].
@export var default_ice_servers: Array = []

## The player, for all that this node has no methods for.
var client: PeerpostClient
## The connections.
var room: PeerpostMultiplayer
## The code of the room, "" outside a room.
var code: String = ""
## The failure of the last call, a result of [PeerpostClient]; {} if it
## succeeded.
var error: Dictionary = {}

# host() or join() is under way.
var _is_entering = false
# The connections were closed without the room being left.
var _is_stopped = false


func _init() -> void:
	client = PeerpostClient.new()
	client.name = "Client"
	room = PeerpostMultiplayer.new()
	room.name = "Multiplayer"
	room.client = client
	client.room_entered.connect(_on_room_entered)
	client.room_left.connect(_on_left.bind(""))
	client.room_closed.connect(_on_left)
	client.session_ended.connect(_on_left)
	room.started.connect(_on_started)
	room.stopped.connect(_on_stopped)
	add_child(client)
	add_child(room)


## Create a room as its host. Returns the code that others need to join, "" on
## failure.
func host() -> String:
	return code if await _enter(client.create_room) else ""


## Join the room with this code. Returns false on failure.
func join(room_code: String) -> bool:
	if code != "" and room_code.strip_edges().to_lower() == code:
		return true
	return await _enter(client.join_room.bind(room_code))


## Leave the room. If the host leaves, it is closed for everybody.
func leave() -> void:
	if client.room != "":
		_note(await client.leave_room())


## Resume a session after a restart of the game or a reload of the page. Returns
## whether this player is in a room. Call it in [method Node._ready].
func resume() -> bool:
	if client.room == "":
		await _configure()
		await client.resume()
		await _until_started()
	return code != ""


# Once this is done RPCs can be called.
func _enter(command: Callable) -> bool:
	if _is_entering:
		return _note({"ok": false, "kind": "refused", "error": "busy",
				"message": "Wait for the other call that enters a room."})
	_is_entering = true
	var result = await _prepare()
	if result.ok:
		result = await command.call()
	if result.ok:
		await _until_started()
	_is_entering = false
	return _note(result)


# A session, and no room.
func _prepare() -> Dictionary:
	if client.room != "":
		var left_room = await client.leave_room()
		# It may be over already, and so may the session.
		if not left_room.ok and left_room.kind != "gone" \
				and left_room.error != "not-in-room":
			return left_room
	await _configure()
	if client.is_registered():
		return {"ok": true}
	return await client.register_player(player_name)


func _configure() -> void:
	if client.is_registered() and client.url != url.strip_edges().rstrip("/"):
		await _unregister()
	client.url = url
	client.session_file = session_file
	room.mode = mode
	room.default_ice_servers = default_ice_servers


# The server that is left may not be there any more; it notices, too.
func _unregister() -> void:
	client.unregister()
	var until_ms = Time.get_ticks_msec() + 3000
	while client.is_registered() and Time.get_ticks_msec() < until_ms:
		await get_tree().process_frame


func _until_started() -> void:
	_is_stopped = false
	while client.room != "" and room.peer == null and not _is_stopped:
		await get_tree().process_frame


# Returns whether a result is a good one.
func _note(result: Dictionary) -> bool:
	error = {} if result.ok else result
	if not result.ok:
		failed.emit(result.message)
	return result.ok


func _on_room_entered(uuid: String, _id: int, _peers: Array) -> void:
	code = uuid


func _on_started(id: int) -> void:
	entered.emit(code, id)


func _on_stopped(_reason: String) -> void:
	_is_stopped = true


func _on_left(reason: String) -> void:
	if code == "":
		return
	code = ""
	left.emit(reason)
