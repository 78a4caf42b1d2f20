# plugin.gd - makes PeerpostClient a node type of the editor.
tool
extends EditorPlugin


func _enter_tree():
	add_custom_type("PeerpostClient", "Node",
			preload("peerpost_client.gd"), null)


func _exit_tree():
	remove_custom_type("PeerpostClient")
