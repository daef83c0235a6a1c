"""Pipelines as data: nodes, wires, edits, checks and the file format."""
