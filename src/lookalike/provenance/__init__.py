"""Content credentials (C2PA): what a result says of how it was made, signed, and checked again."""
