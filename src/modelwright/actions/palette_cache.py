"""Descriptions of the installed components, kept so that they can be shown without loading one.

Loading every component takes longer than a shell command may; reading what they said of themselves
last time does not.  Any change of a file that they are made of makes the notes worthless.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import modelwright

GROUP = "modelwright.components"
"""Entry points of packages that bring components; `components.library` has the same name for it."""

_PACKAGES = ("components", "data")
_KEPT = 3

Description = dict[str, Any]


def recall(folder: Path) -> list[Description] | None:
    """The descriptions as they were noted in a folder, if they still hold."""
    try:
        found = json.loads((folder / f"{_state()}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, list) else None


def note(folder: Path, descriptions: list[Description]) -> None:
    """Note the descriptions in a folder; that it cannot be written to is no mistake."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{os.getpid()}.{secrets.token_hex(4)}"
        draft.write_text(json.dumps(descriptions, ensure_ascii=False), encoding="utf-8")
        draft.replace(folder / f"{_state()}.json")
        old = sorted(folder.glob("*.json"), key=lambda p: p.stat().st_mtime, reverse=True)
        for path in old[_KEPT:]:
            path.unlink(missing_ok=True)


def _state() -> str:
    """Names the present state of everything that the descriptions come from."""
    parts = [sys.version, modelwright.__version__, *_own_files(), *_announced()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _own_files() -> Iterator[str]:
    root = Path(modelwright.__file__).parent
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield _stamp(path)


def _announced() -> Iterator[str]:
    """What other packages bring: their versions, and the files of the modules they name."""
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.value):
        version = point.dist.version if point.dist else ""
        yield f"{point.value} {version}"
        spec = None
        # It imports the packages above, and those may be broken.
        with suppress(Exception):
            spec = find_spec(point.value)
        if spec is not None and spec.origin is not None:
            yield _stamp(Path(spec.origin))


def _stamp(path: Path) -> str:
    found = path.stat()
    return f"{path} {found.st_mtime_ns} {found.st_size}"
