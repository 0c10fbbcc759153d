"""Files of other tools, each read as if it were an attack: nothing in them is run, believed, or used as a path."""
