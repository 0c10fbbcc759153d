"""Pages for a browser on the same machine. Import the modules; this file loads no server."""
