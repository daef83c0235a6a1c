"""What endpoints have kept of requests and replies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
    """The files that an endpoint's deployments have kept, oldest first.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    found = []
    for path in sorted(_folder(home, record.name).glob("*/[!.]*")):
        seen = path.stat()
        at = datetime.fromtimestamp(seen.st_mtime, UTC)
        found.append(CollectedFile(int(path.parent.name), path.name, seen.st_size, at))
    return tuple(found)


def collected_file(home: Home, name: str, deployment: int, file: str) -> Path:
    """Where such a file lies.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    known = {(one.deployment, one.name) for one in list_collected(home, record.name)}
    if (deployment, file) not in known:
        raise NotFound(
            "collected file", file, [other for number, other in known if number == deployment]
        )
    return _folder(home, record.name) / str(deployment) / file


def _folder(home: Home, name: str) -> Path:
    return home.folder / "endpoints" / name / "collected"
