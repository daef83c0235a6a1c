"""A user's Python, in a process of its own."""
