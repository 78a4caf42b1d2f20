// peerpost.js - the browser client.
export {};
