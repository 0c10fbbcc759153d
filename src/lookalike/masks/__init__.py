"""What of a face is seen: networks that say it, and their training."""
