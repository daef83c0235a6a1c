"""What is remembered: drafts, runs, assets, endpoints and people, in one database."""

from modelwright.workspace.workspace import Workspace

__all__ = ["Workspace"]
