"""How far a deployment has come in an endpoint's own processes, for whoever waits for it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal, get_args

Stage = Literal["score", "start"]
"""score: sample rows are answered, to see that it can.  start: replicas are made."""


def note_stage(folder: Path, stage: Stage | None) -> None:
    """Say what an endpoint begins to do; None for nothing.  folder: the endpoint's."""
    # Nobody's deployment fails since its progress cannot be told.
    with contextlib.suppress(OSError):
        if stage is None:
            _place(folder).unlink(missing_ok=True)
        else:
            _place(folder).write_text(stage, encoding="utf-8")


def noted_stage(folder: Path) -> Stage | None:
    """What an endpoint began to do last; None where nothing was said."""
    try:
        found = _place(folder).read_text(encoding="utf-8")
    except OSError:
        return None
    return next((stage for stage in get_args(Stage) if stage == found), None)


def _place(folder: Path) -> Path:
    return folder / "stage"
