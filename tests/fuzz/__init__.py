"""Every reader of files, given files that were changed at random: each is read or refused, and nothing else happens."""
