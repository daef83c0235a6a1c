"""Datasets of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.connection import Connection, segment
from modelwright.client.runs import RemoteValues

if TYPE_CHECKING:
    import polars as pl

    from modelwright.data.files.options import ReadOptions


@dataclass(frozen=True)
class Dataset:
    """One version of a dataset.  columns: type by name.  notes: what reading its file did beside."""

    name: str
    version: int
    digest: str
    description: str
    rows: int | None
    columns: Mapping[str, str]
    values: RemoteValues = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()

    def frame(self) -> pl.DataFrame:
        """Its rows, fetched from the server."""
        return self.values.frame(self.digest)


class Datasets:
    """The datasets of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self, *, search: str = "") -> tuple[Dataset, ...]:
        """The latest version of each, by name.  search: words of the name or description."""
        found = self._server.get("/api/datasets", search=search)["items"]
        return tuple(self._dataset(d) for d in found)

    def get(self, name: str, *, version: int | None = None) -> Dataset:
        """One version of a dataset, the latest unless given.  Raises NotFound."""
        return self._dataset(self._server.get(f"/api/datasets/{segment(name)}", version=version))

    def add(
        self,
        path: Path,
        *,
        name: str,
        options: ReadOptions | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Dataset:
        """Upload a file and register it as a dataset, or as the next version of one.

        options: how it is read; what its start suggests unless given.
        Raises UploadTooLarge and NoRoom before anything is sent, and what is wrong with the file.
        """
        size = path.stat().st_size
        upload = self._server.post("/api/uploads", {"name": path.name, "size": size})["id"]
        with path.open("rb") as file:
            self._server.send_file(f"/api/uploads/{upload}/content", file)
        if options is None:
            preview = self._server.post(f"/api/uploads/{upload}/preview", {"rows": 0})
            chosen = preview["options"]
        else:
            chosen = options.to_json()
        body = {
            "name": name,
            "upload": upload,
            "options": chosen,
            "description": description,
            "tags": dict(tags or {}),
        }
        added = self._server.post("/api/datasets", body)
        return self._dataset(added["dataset"], tuple(n["text"] for n in added["notes"]))

    def profile(self, name: str, *, version: int | None = None) -> dict[str, Any]:
        """What is in each column of a dataset, as JSON."""
        digest = self.get(name, version=version).digest
        found: dict[str, Any] = self._server.get(f"/api/artifacts/{digest}/profile")
        return found

    def delete(self, name: str, *, version: int | None = None, force: bool = False) -> None:
        """Hide a version, or all of them.  Raises InUse while something needs it, unless forced."""
        self._server.delete(f"/api/datasets/{segment(name)}", version=version, force=force)

    def restore(self, name: str, *, version: int | None = None) -> Dataset:
        """Bring back a deleted version, or all that the last deletion hid."""
        address = f"/api/datasets/{segment(name)}/restore"
        return self._dataset(self._server.post(address, version=version))

    def _dataset(self, found: dict[str, Any], notes: tuple[str, ...] = ()) -> Dataset:
        return Dataset(
            found["name"],
            found["version"],
            found["digest"],
            found["description"],
            found["rows"],
            {c["name"]: c["type"] for c in found["columns"]},
            RemoteValues(self._server),
            notes,
        )
