"""Nodes that bring something in that is already there."""
