"""Registered models and transformations: bring in, list, describe, take away, delete and bring back."""

from __future__ import annotations

import shutil
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from modelwright.actions import models
from modelwright.actions.datasets import load_dataset
from modelwright.actions.exporting import export_name
from modelwright.api.here import HereDep
from modelwright.api.routes.datasets import VersionQuery
from modelwright.api.shapes.datasets import AssetUse, Description
from modelwright.api.shapes.models import NewModel, RegisteredModel
from modelwright.api.shapes.shape import Done, Listed
from modelwright.workspace.records.assets import AssetKind

router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
def list_models(
    here: HereDep,
    search: str = "",
    kind: Literal["model", "transformation"] | None = None,
    deleted: bool = False,
) -> Listed[RegisteredModel]:
    """The latest version of each model and transformation, by name.

    search: words of the name or description.  deleted: every deleted version instead.
    """
    known = here.workspace.models
    wanted = AssetKind(kind) if kind else None
    found = known.list_deleted() if deleted else known.list(search=search, kind=wanted)
    return Listed[RegisteredModel](items=[RegisteredModel.of(m) for m in found])


@router.post("", status_code=HTTPStatus.CREATED)
def import_model(new: NewModel, here: HereDep) -> RegisteredModel:
    """Register an uploaded model that was trained elsewhere, or the next version of one.

    The file is LightGBM text, ONNX, a scikit-learn model saved with skops, or a zipped MLflow folder of
    one of these; nothing in it is run as a program.
    """
    upload = here.uploads.get(new.upload)
    sample = None
    if new.sample_dataset is not None:
        sample = load_dataset(here.home, new.sample_dataset)
    made = models.import_model(
        here.home,
        here.uploads.path(new.upload),
        name=new.name,
        label=new.label,
        features=new.features,
        classes=new.classes,
        sample=sample,
        file_name=upload.name,
        description=new.description,
        tags=new.tags,
    )
    here.uploads.delete(new.upload)
    return RegisteredModel.of(made)


@router.get("/{name:path}/export", response_class=FileResponse, name="export_model")
def export(
    name: str,
    here: HereDep,
    version: VersionQuery = None,
    format: Literal["zip", "onnx"] = "zip",
) -> FileResponse:
    """A model as a zip that scores by itself, or as one ONNX model proved to score alike."""
    folder = Path(tempfile.mkdtemp(prefix="export-", dir=here.uploads.prepared()))
    forget = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        made = models.export_model(
            here.home, name, folder / f"exported.{format}", version=version, format=format
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        made.path,
        filename=export_name(name, format),
        background=forget,
        media_type="application/octet-stream",
    )


@router.get("/{name:path}/versions")
def list_model_versions(name: str, here: HereDep, deleted: bool = False) -> Listed[RegisteredModel]:
    """Every version of a model or transformation, latest first."""
    found = here.workspace.models.versions(name, deleted=deleted)
    return Listed[RegisteredModel](items=[RegisteredModel.of(m) for m in found])


@router.get("/{name:path}/uses")
def list_model_uses(name: str, here: HereDep) -> Listed[AssetUse]:
    """The drafts, runs and endpoints that name it, those that need it now first."""
    return Listed[AssetUse](items=[AssetUse.of(u) for u in here.workspace.models.used_by(name)])


@router.post("/{name:path}/restore")
def restore_model(name: str, here: HereDep, version: VersionQuery = None) -> RegisteredModel:
    """Bring back a deleted version, or all that the last deletion of this name hid."""
    return RegisteredModel.of(here.workspace.models.restore(name, version=version))


@router.get("/{name:path}")
def get_model(
    name: str, here: HereDep, version: VersionQuery = None, deleted: bool = False
) -> RegisteredModel:
    """One version, the latest unless given.  deleted: look among deleted ones too."""
    return RegisteredModel.of(here.workspace.models.get(name, version=version, deleted=deleted))


@router.patch("/{name:path}")
def describe_model(
    name: str, change: Description, here: HereDep, version: VersionQuery = None
) -> RegisteredModel:
    """Change the description or the tags of a version, the latest unless given."""
    changed = here.workspace.models.describe(
        name, version=version, description=change.description, tags=change.tags
    )
    return RegisteredModel.of(changed)


@router.delete("/{name:path}")
def delete_model(
    name: str, here: HereDep, version: VersionQuery = None, force: bool = False
) -> Done:
    """Hide a version, or all of them; refused while something needs it, unless forced."""
    here.workspace.models.delete(name, version=version, force=force)
    return Done()
