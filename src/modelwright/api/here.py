"""What the routes of a server share, and how a route asks for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from modelwright.actions.background import BackgroundRuns
from modelwright.actions.home import Home
from modelwright.actions.table_rows import TableRows
from modelwright.api.deploying import Deploying
from modelwright.api.guard import Doors
from modelwright.api.uploads import Uploads
from modelwright.workspace import Workspace
from modelwright.workspace.sealing import Seal


@dataclass(frozen=True)
class Here:
    """The opened home, and what this process does for it.

    seal: signs the cookies of sessions.  stopping: set when the server is about to end, so that open streams end first.
    """

    home: Home
    doors: Doors
    runs: BackgroundRuns
    uploads: Uploads
    rows: TableRows
    seal: Seal
    stopping: threading.Event = field(default_factory=threading.Event)
    deploying: Deploying = field(default_factory=Deploying)

    @property
    def workspace(self) -> Workspace:
        """What is remembered."""
        return self.home.workspace


def here(request: Request) -> Here:
    """What the routes of the server that got a request share."""
    found: Here = request.app.state.here
    return found


HereDep = Annotated[Here, Depends(here)]
