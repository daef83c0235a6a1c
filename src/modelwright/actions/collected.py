"""What endpoints have kept of requests and replies."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.actions.clusters import target_of
from modelwright.data.errors import ModelwrightError
from modelwright.workspace.errors import NotFound

if TYPE_CHECKING:
    from modelwright.actions.home import Home


@dataclass(frozen=True, slots=True)
class CollectedFile:
    """A file of requests and replies.  changed_at: when it was last written."""

    deployment: int
    name: str
    size: int
    changed_at: datetime


def list_collected(home: Home, name: str) -> tuple[CollectedFile, ...]:
    """The files that an endpoint's deployments have kept, oldest first.  Raises NotFound.

    Of one that runs elsewhere they are brought here first; where it does not answer, those are told
    that were brought before.
    """
    record = home.workspace.endpoints.get(name)
    with suppress(ModelwrightError):
        target_of(home, record.cluster).bring_collected(record.name)
    found = []
    for path in _files(home, record.name):
        seen = path.stat()
        at = datetime.fromtimestamp(seen.st_mtime, UTC)
        found.append(CollectedFile(int(path.parent.name), path.name, seen.st_size, at))
    return tuple(found)


def collected_file(home: Home, name: str, deployment: int, file: str) -> Path:
    """Where such a file lies.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    known = {(int(path.parent.name), path.name) for path in _files(home, record.name)}
    if (deployment, file) not in known:
        raise NotFound(
            "collected file", file, [other for number, other in known if number == deployment]
        )
    return _folder(home, record.name) / str(deployment) / file


def _files(home: Home, name: str) -> list[Path]:
    return sorted(_folder(home, name).glob("*/[!.]*"))


def _folder(home: Home, name: str) -> Path:
    return home.folder / "endpoints" / name / "collected"
