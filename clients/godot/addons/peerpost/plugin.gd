# plugin.gd - the addon has nothing to do in the editor: its scripts name their
# classes, so that PeerpostClient and PeerpostMultiplayer are node types.
@tool
extends EditorPlugin
