"""Whether a person or the system asked the running command to stop."""

requested = False
