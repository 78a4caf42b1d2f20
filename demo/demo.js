// demo.js - what the page does.
import '../peerpost.js';
