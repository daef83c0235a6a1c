"""Components that describe the values of a table."""
