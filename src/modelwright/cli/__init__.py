"""The shell door: the command `modelwright`."""
