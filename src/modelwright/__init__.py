"""Modelwright: draw a machine-learning pipeline, run it, and serve it as an endpoint."""

__version__ = "0.1.0"
