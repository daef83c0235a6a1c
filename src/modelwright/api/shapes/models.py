"""Registered models and transformations as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelwright.api.shapes.datasets import Dataset, Lineage
from modelwright.api.shapes.shape import Asked, Moment, Name, Shape
from modelwright.workspace.records.assets import Dataset as DatasetRecord
from modelwright.workspace.records.assets import Model as ModelRecord


class RegisteredModel(Shape):
    """One version of a registered model or transformation."""

    name: str
    version: int
    kind: Literal["model", "transformation"]
    digest: str
    """Leads to what it learnt and to its files under /api/artifacts."""
    description: str
    metrics: dict[str, float | None]
    """How good it was when it was registered."""
    tags: dict[str, str]
    lineage: Lineage
    created_at: Moment
    deleted_at: Moment | None


class NewModel(Asked):
    """An uploaded model that is to be registered, and what its file does not tell."""

    name: Name
    upload: str
    """Id of a complete upload; it is removed once the model is registered."""
    label: Annotated[str, Field(min_length=1, max_length=1000)] = "label"
    """The column that it predicts."""
    features: list[str] = []
    """The columns that it reads, in its order, where the file does not name them."""
    classes: list[str | int | bool] = []
    """The classes in the order of its answers, where the file does not name them."""
    sample_dataset: str | None = None
    """A dataset such as it was trained on: names, types and the values of text columns."""
    description: Annotated[str, Field(max_length=10_000)] = ""
    tags: dict[str, str] = {}


class Register(Asked):
    """Under which name to register what a run left on a port."""

    name: Name
    description: Annotated[str, Field(max_length=10_000)] = ""
    tags: dict[str, str] = {}
    without: Annotated[list[str], Field(max_length=1000)] = []
    """Columns, such as the label, that the rows lack to which a transformation will be applied."""


class RegisteredOutput(Shape):
    """What was registered: a table as a dataset, a fitted value as a model."""

    dataset: Dataset | None
    model: RegisteredModel | None

    @classmethod
    def of(cls, record: DatasetRecord | ModelRecord) -> RegisteredOutput:
        """The body of what was registered."""
        if isinstance(record, DatasetRecord):
            return cls(dataset=Dataset.of(record), model=None)
        return cls(dataset=None, model=RegisteredModel.of(record))
