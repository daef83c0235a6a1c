"""Components that change, clean, join, split and sample tables."""
