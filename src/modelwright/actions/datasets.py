"""Datasets: take them in from files, list them, and take them away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import modelwright
from modelwright import samples
from modelwright.data.files.notes import Note
from modelwright.data.files.options import ReadOptions
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.assets import Dataset

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.data.profile import Profile
    from modelwright.data.table import Table

_SAMPLES = "samples"


@dataclass(frozen=True)
class Added:
    """A dataset as it was registered, and what is to be told of reading its file.

    is_new: False when the latest version of that name had the same content already.
    """

    dataset: Dataset
    notes: tuple[Note, ...]
    is_new: bool

    def to_json(self) -> dict[str, Any]:
        """The dataset with the notes."""
        from modelwright.actions.as_json import as_json

        return {
            **as_json(self.dataset),
            "notes": [note.to_json() for note in self.notes],
            "is_new": self.is_new,
        }


@dataclass(frozen=True)
class DatasetReport:
    """One version of a dataset with what is in its columns.

    versions: numbers of all versions, the latest first.
    """

    dataset: Dataset
    versions: tuple[int, ...]
    profile: Profile

    def to_json(self) -> dict[str, Any]:
        """The dataset with versions and profile."""
        from modelwright.actions.as_json import as_json

        return {
            **as_json(self.dataset),
            "versions": list(self.versions),
            "profile": self.profile.to_json(),
        }


def add_dataset(
    home: Home,
    given: Path | bytes,
    *,
    name: str,
    file_name: str = "",
    options: ReadOptions | None = None,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> Added:
    """Register the rows of a file, or of its bytes, as a dataset or as its next version.

    file_name: of bytes, for messages and for the format that its ending stands for.
    Raises the errors of `data.files.errors`, InvalidName, and what `Store.put` raises.
    """
    from modelwright.data.files.reading import load_table

    loaded = load_table(given, options, name=file_name)
    origin = {
        "file": file_name or (given.name if isinstance(given, Path) else ""),
        "options": (options or ReadOptions()).to_json(),
        "notes": [note.to_json() for note in loaded.notes],
    }
    return register_table(
        home,
        loaded.table,
        name=name,
        description=description,
        origin=origin,
        tags=tags,
        notes=loaded.notes,
    )


def register_table(
    home: Home,
    table: Table,
    *,
    name: str,
    description: str = "",
    origin: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    notes: tuple[Note, ...] = (),
) -> Added:
    """Register a table as a dataset or as its next version.  origin: how it came here, as JSON."""
    digest = home.store.put(table)
    # Nothing could make it again after a loss of power.
    home.store.sync(digest)
    datasets = home.workspace.datasets
    with home.workspace.transaction():
        former = _latest(home, name)
        added = datasets.add(
            name,
            digest=digest,
            rows=table.rows,
            columns=len(table.schema),
            schema=table.schema.to_json(),
            description=description,
            origin=origin,
            tags=tags,
        )
    return Added(added, notes, former is None or former.version != added.version)


def list_datasets(home: Home, *, search: str = "") -> tuple[Dataset, ...]:
    """The latest version of each dataset, by name.  search: words of the name or description."""
    return home.workspace.datasets.list(search=search)


def find_dataset(home: Home, name: str, *, version: int | None = None) -> Dataset:
    """One version of a dataset, the latest unless given.  Raises NotFound."""
    return home.workspace.datasets.get(name, version=version)


def show_dataset(home: Home, name: str, *, version: int | None = None) -> DatasetReport:
    """One version of a dataset, the latest unless given, with what is in its columns.

    Raises NotFound, and what `Store.get` raises.
    """
    from modelwright.data.profile import profile

    found = find_dataset(home, name, version=version)
    versions = tuple(d.version for d in home.workspace.datasets.versions(name))
    return DatasetReport(found, versions, profile(load_dataset(home, name, version=found.version)))


def load_dataset(home: Home, name: str, *, version: int | None = None) -> Table:
    """The rows of a dataset.  Raises NotFound, and what `Store.get` raises."""
    from modelwright.data.table import Table

    table = home.store.get(find_dataset(home, name, version=version).digest)
    if not isinstance(table, Table):
        raise TypeError(f"dataset {name!r} is a {table.kind}")
    return table


def delete_dataset(
    home: Home, name: str, *, version: int | None = None, force: bool = False
) -> None:
    """Hide a version of a dataset, or all of them.

    Raises NotFound, and InUse when a draft, an unfinished run or an endpoint needs it, unless forced.
    """
    home.workspace.datasets.delete(name, version=version, force=force)


def add_samples(home: Home, *, large: bool = False) -> None:
    """Have the sample datasets of this version registered; one that was deleted stays away.

    large: also those that take a moment to read; see `bring_sample`.
    """
    known = _known_samples(home)
    wanted = [s for s in samples.DATASETS if large or not s.large or s.name in known["names"]]
    names = [sample.name for sample in wanted]
    unchanged = known["version"] == modelwright.__version__ and set(names) <= set(known["names"])
    if unchanged and all(_stored(home, name) for name in names):
        return
    for sample in wanted:
        former = _latest(home, sample.name)
        gone = former is None and sample.name in known["names"]
        foreign = former is not None and "sample" not in former.origin
        if not gone and not foreign:
            _add_sample(home, sample)
    home.workspace.settings.set(_SAMPLES, {"version": modelwright.__version__, "names": names})


def bring_sample(home: Home, name: str) -> bool:
    """Register a sample dataset that somebody asks for by its name; whether it is there now.

    The large ones are not registered with a new home, but when they are first needed.
    """
    known = _known_samples(home)
    found = next((s for s in samples.DATASETS if s.name == name), None)
    if found is None or name in known["names"] or _latest(home, name) is not None:
        return False
    _add_sample(home, found)
    home.workspace.settings.set(_SAMPLES, {**known, "names": [*known["names"], name]})
    return True


def _known_samples(home: Home) -> dict[str, Any]:
    """Which samples have been registered here, and by which version."""
    known: dict[str, Any] = home.workspace.settings.get(_SAMPLES, {"version": "", "names": []})
    return known


def _add_sample(home: Home, sample: samples.SampleDataset) -> None:
    from modelwright.data.files.reading import read_table

    register_table(
        home,
        read_table(sample.path, ReadOptions(missing=sample.missing)),
        name=sample.name,
        description=sample.description,
        origin={
            "sample": True,
            "file": sample.file,
            "source": sample.source,
            "licence": sample.licence,
        },
    )


def _stored(home: Home, name: str) -> bool:
    """Whether a dataset's rows are there; a damaged value is taken out of the store once it is read."""
    latest = _latest(home, name)
    return latest is None or home.store.has(latest.digest)


def _latest(home: Home, name: str) -> Dataset | None:
    try:
        return home.workspace.datasets.get(name)
    except NotFound:
        return None
