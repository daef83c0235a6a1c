"""Components that find the columns that matter."""
