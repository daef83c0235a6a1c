"""Pipelines as immutable data: nodes, wires, edits, checks and the YAML file format."""
