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

func _init() -> void:
	client = PeerpostClient.new()
	client.name = "Client"
	room = PeerpostMultiplayer.new()
	room.name = "Multiplayer"
	room.client = client
	client.room_entered.connect(_on_room_entered)
	room.started.connect(_on_started)
	client.room_left.connect(_on_left.bind(""))
	client.room_closed.connect(_on_left)
	client.session_ended.connect(_on_left)
	add_child(client)
	add_child(room)


## Create a room and be its host. Returns the code that others need to join, "" if
## that failed.
func host() -> String:
	if await _prepare():
		await _enter(client.create_room)
	return code if error.is_empty() else ""


## Join the room with this code; returns whether that worked.
func join(room_code: String) -> bool:
	if code != "" and room_code.strip_edges().to_lower() == code:
		error = {}
	elif await _prepare():
		await _enter(client.join_room.bind(room_code))
	return error.is_empty()


## Leave the room. If the host leaves, it is closed for everybody.
func leave() -> void:
	if client.room != "":
		_note(await client.leave_room())


## Go on after a restart of the game or a reload of the page, if there was a
## session; returns whether there is a room. For [method Node._ready].
func resume() -> bool:
	_configure()
	await client.resume()
	await _until_started()
	return code != ""


func _configure() -> void:
	error = {}
	client.url = url
	client.session_file = session_file
	room.mode = mode
	room.default_ice_servers = default_ice_servers


# A session, and no room.
func _prepare() -> bool:
	_configure()
	if client.room != "":
		_note(await client.leave_room())
	if error.is_empty() and not client.is_registered():
		_note(await client.register_player(player_name))
	return error.is_empty()


# Once this is done RPCs can be called.
func _enter(command: Callable) -> void:
	_note(await command.call())
	await _until_started()


func _until_started() -> void:
	while client.room != "" and room.peer == null and is_inside_tree():
		await get_tree().process_frame


func _note(result: Dictionary) -> void:
	error = {} if result.ok else result
	if not result.ok:
		failed.emit(result.message)


func _on_room_entered(uuid: String, _id: int, _peers: Array) -> void:
	code = uuid


func _on_started(id: int) -> void:
	entered.emit(code, id)


func _on_left(reason: String) -> void:
	if code == "":
		return
	code = ""
	left.emit(reason)
