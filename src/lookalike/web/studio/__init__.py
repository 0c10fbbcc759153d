"""The studio: everything a person must look at, on one local page. Import the modules; this file loads no server."""
