"""Models that were trained elsewhere, brought in from their files."""
