"""Learners of what is normal, and the step that trains them."""
