"""Whether pictures are explicit: networks that say it."""
