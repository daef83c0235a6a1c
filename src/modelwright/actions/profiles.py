"""What is in the columns of stored tables: figured once, then kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.actions.files import write_bytes
from modelwright.actions.table_rows import load_table
from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.schema import MissingColumn

if TYPE_CHECKING:
    from modelwright.actions.home import Home

# Raised when profiles hold more or other figures than before.
_FORM = 1


def profile_stored(
    home: Home, digest: str, *, columns: Sequence[str] | None = None
) -> dict[str, Any]:
    """What is in a stored table, or in some of its columns, as JSON.

    The profile of a whole table is kept in the home, since equal digests have equal profiles.
    Raises NoRows, MissingColumn, and what `Store.get` raises.
    """
    from modelwright.data.profile import profile

    place = _place(home, digest)
    kept = _read(place)
    if kept is None:
        table = load_table(home.store, Digest(digest))
        found = profile(table, columns).to_json()
        if columns is None:
            _keep(place, found)
        return found
    if columns is None:
        return kept
    by_name = {column["name"]: column for column in kept["columns"]}
    for name in columns:
        if name not in by_name:
            raise MissingColumn(name, by_name)
    return {**kept, "columns": [by_name[name] for name in columns]}


def _place(home: Home, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return home.folder / "profiles" / name[:2] / f"{name}.{_FORM}.json"


def _read(place: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _keep(place: Path, found: dict[str, Any]) -> None:
    # A profile that cannot be kept is figured again.
    with suppress(OSError, ModelwrightError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place, json.dumps(found, ensure_ascii=False).encode())
