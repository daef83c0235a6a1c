"""The Python door: the client of the HTTP API and the pipeline builder."""
