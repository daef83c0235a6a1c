"""Components that run the user's own R."""
