"""The HTTP door: routes, bodies and events over the workspace."""
