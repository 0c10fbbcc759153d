"""Orders of a faceset and what to take out of it: features of faces, methods, nothing on disk."""
