"""Datasets: register, list, describe, delete and bring back; rows are under /api/artifacts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from modelwright.actions import datasets
from modelwright.api.here import HereDep
from modelwright.api.shapes.datasets import AddedDataset, AssetUse, Dataset, Description, NewDataset
from modelwright.api.shapes.shape import Done, Listed

router = APIRouter(prefix="/datasets", tags=["datasets"])

VersionQuery = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("")
def list_datasets(here: HereDep, search: str = "", deleted: bool = False) -> Listed[Dataset]:
    """The latest version of each dataset, by name.

    search: words of the name or description.  deleted: every deleted version instead, the last
    deleted first.
    """
    found = (
        here.workspace.datasets.list_deleted()
        if deleted
        else datasets.list_datasets(here.home, search=search)
    )
    return Listed[Dataset](items=[Dataset.of(d) for d in found])


@router.post("", status_code=HTTPStatus.CREATED)
def add_dataset(new: NewDataset, here: HereDep) -> AddedDataset:
    """Register an uploaded file as a dataset, or as the next version of one."""
    upload = here.uploads.get(new.upload)
    added = datasets.add_dataset(
        here.home,
        here.uploads.path(new.upload),
        name=new.name,
        file_name=upload.name,
        options=new.options.record(),
        description=new.description,
        tags=new.tags,
    )
    here.uploads.delete(new.upload)
    return AddedDataset.of(added)


# A name may hold slashes, so the addresses that end with a word come before the one that does not.


@router.get("/{name:path}/versions")
def list_versions(name: str, here: HereDep, deleted: bool = False) -> Listed[Dataset]:
    """Every version of a dataset, latest first.  deleted: the deleted ones too."""
    found = here.workspace.datasets.versions(name, deleted=deleted)
    return Listed[Dataset](items=[Dataset.of(d) for d in found])


@router.get("/{name:path}/uses")
def list_uses(name: str, here: HereDep) -> Listed[AssetUse]:
    """The drafts, runs and endpoints that name a dataset, those that need it now first."""
    return Listed[AssetUse](items=[AssetUse.of(u) for u in here.workspace.datasets.used_by(name)])


@router.post("/{name:path}/restore")
def restore_dataset(name: str, here: HereDep, version: VersionQuery = None) -> Dataset:
    """Bring back a deleted version, or all that the last deletion of this name hid."""
    return Dataset.of(here.workspace.datasets.restore(name, version=version))


@router.get("/{name:path}")
def get_dataset(
    name: str, here: HereDep, version: VersionQuery = None, deleted: bool = False
) -> Dataset:
    """One version of a dataset, the latest unless given.  deleted: look among deleted ones too."""
    return Dataset.of(here.workspace.datasets.get(name, version=version, deleted=deleted))


@router.patch("/{name:path}")
def describe_dataset(
    name: str, change: Description, here: HereDep, version: VersionQuery = None
) -> Dataset:
    """Change the description or the tags of a version, the latest unless given."""
    changed = here.workspace.datasets.describe(
        name, version=version, description=change.description, tags=change.tags
    )
    return Dataset.of(changed)


@router.delete("/{name:path}")
def delete_dataset(
    name: str, here: HereDep, version: VersionQuery = None, force: bool = False
) -> Done:
    """Hide a version, or all of them; refused while something needs it, unless forced."""
    datasets.delete_dataset(here.home, name, version=version, force=force)
    return Done()
