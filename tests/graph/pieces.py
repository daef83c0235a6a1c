"""A small library of components for graphs in tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Titled
from modelwright.components.library import Library
from modelwright.components.outline import LearnerOutline, Outline, TableOutline
from modelwright.data.artifact import Digest
from modelwright.data.fitted import UntrainedModel
from modelwright.data.schema import Column, ColumnType, Schema, Task
from modelwright.data.table import Table
from modelwright.graph.assets import DatasetAsset, FixedAssets


class Halves(NamedTuple):
    """Two tables."""

    first: Table
    second: Table


class Dataset(Component, category="Assets"):
    """Brings in a data set."""

    name: str
    """Its name."""

    version: int | None = None
    """Its version."""

    def run(self) -> Annotated[Table, Titled("Dataset")]:
        """Never called."""
        raise NotImplementedError


class WebServiceInput(Component, category="Web Service"):
    """Brings in a request's rows."""

    name: str = "WebServiceInput0"
    """Its name."""

    def run(self) -> Annotated[Table, Titled("Rows")]:
        """Never called."""
        raise NotImplementedError


class Pick(Component, category="Test"):
    """Keeps columns."""

    columns: ColumnSelection = ColumnSelection(begin="all")
    """Which."""

    def run(self, dataset: Table) -> Annotated[Table, Titled("Dataset")]:
        """Keep them."""
        return dataset

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        """Only those columns."""
        given = inputs["dataset"]
        if not isinstance(given, TableOutline):
            return {"dataset": None}
        names = self.columns.resolve(given.schema, parameter="Columns")
        return {"dataset": TableOutline(given.schema.keep(names))}


class Halve(Component, category="Test"):
    """Cuts a table in two."""

    fraction: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of the first part."""

    mode: Literal["top", "random"] = "top"
    """How to cut."""

    def run(self, dataset: Table) -> Halves:
        """Cut it."""
        return Halves(dataset, dataset)


class Learn(Component, category="Test"):
    """A learner."""

    def run(self) -> Annotated[UntrainedModel, Titled("Untrained model")]:
        """Give the learner."""
        return UntrainedModel(Task.REGRESSION, "learn", 1, {})

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        """Its task."""
        return {"untrained_model": LearnerOutline(Task.REGRESSION, "Learn")}


def library(*more: type[Component]) -> Library:
    """The components above, and more."""
    every: Iterator[type[Component]] = iter([Dataset, WebServiceInput, Pick, Halve, Learn, *more])
    return Library(every)


def assets(**columns: ColumnType) -> FixedAssets:
    """A registered data set "cars" with these columns."""
    schema = Schema(tuple(Column(name, kind) for name, kind in columns.items()))
    digest = Digest("sha256:" + "0" * 64)
    return FixedAssets({"cars": DatasetAsset("cars", 1, digest, schema, 3)})
