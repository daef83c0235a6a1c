"""Components through which data come in and go out."""
