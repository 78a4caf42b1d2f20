@icon("icon.svg")
class_name Peerpost
extends Node
## Everything that a game needs to play with others, in one node.
##
## Set [member url], then [method host] or [method join]:
## [codeblock]
## var code = await $Peerpost.host()      # one player, who tells the others
## var is_in = await $Peerpost.join(code) # all others
## [/codeblock]
## From then on Godot's RPCs reach everybody in the room; [code]multiplayer[/code]
## says who is there. Make it an autoload if it is to outlive a scene.

## This player is in a room: by [method host], [method join] or [method resume].
## Others need the code to join.
signal entered(code: String, id: int)
## There is no room any more: it was left or closed, or the session is over.
signal left(reason: String)
## Something has failed; a sentence for people.
signal failed(message: String)

## The server's address, with its base path if it has one.
@export var url: String = "http://127.0.0.1:8080"
## What others see of this player.
@export var player_name: String = "Player"
## The same for all members of a room.
@export var mode: PeerpostMultiplayer.Mode = PeerpostMultiplayer.Mode.MESH
## See [member PeerpostClient.session_file].
@export var session_file: String = "user://peerpost_session.json"
## See [member PeerpostMultiplayer.default_ice_servers].
@export var default_ice_servers: Array = []

## The player, for everything that this node has no method for.
var client: PeerpostClient
## The connections.
var room: PeerpostMultiplayer
## The code of the room, "" when in none.
var code: String = ""
## Why the last call failed, as a result of [PeerpostClient]; {} if it did not.
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


## Create a room and be its host. Returns the code that others need to join, "" if
## that failed.
func host() -> String:
	return code if await _enter(client.create_room) else ""


## Join the room with this code; returns whether that worked.
func join(room_code: String) -> bool:
	if code != "" and room_code.strip_edges().to_lower() == code:
		return true
	return await _enter(client.join_room.bind(room_code))


## Leave the room. If the host leaves, it is closed for everybody.
func leave() -> void:
	if client.room != "":
		_note(await client.leave_room())


## Go on after a restart of the game or a reload of the page, if there was a
## session; returns whether there is a room. For [method Node._ready].
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
				"message": "Another room is being entered."})
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
