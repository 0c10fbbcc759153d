"""Work shared out among processes and machines: the only place that knows Ray."""
