"""What steps write, a piece at a time while they run."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.actions.runs import find_run

if TYPE_CHECKING:
    from modelwright.actions.home import Home


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A piece of a log.

    next: where the next piece begins, in bytes.  complete: nothing will follow it.
    """

    text: str
    next: int
    complete: bool


def read_log_piece(
    home: Home, run_id: str, node: str, *, offset: int = 0, limit: int = 1_000_000
) -> LogPiece:
    """What a step has written from a place on, `limit` bytes at the most.

    A step that was reused, or has not begun, has written nothing.  Raises NotFound.
    """
    run = find_run(home, run_id)
    step = home.workspace.runs.steps.get(run.id, node)
    content = _read(home.run_logs / run.id / f"{step.node}.log", offset, limit)
    finished = step.status.finished and len(content) < limit
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    # A character may be half written, or cut by the limit; it comes with the next piece.
    text = decoder.decode(content, final=finished)
    waiting = 0 if finished else len(decoder.getstate()[0])
    return LogPiece(text, offset + len(content) - waiting, finished)


def _read(path: Path, offset: int, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(limit)
    except FileNotFoundError:
        return b""
