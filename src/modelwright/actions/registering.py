"""Register what a run left on a port: a table as a dataset, a fitted value as a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from modelwright.actions.runs import find_output, show_run
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model, Transform
from modelwright.data.table import Table
from modelwright.graph.graph import Pin
from modelwright.workspace.records.assets import AssetKind, Dataset, Lineage
from modelwright.workspace.records.assets import Model as RegisteredModel

if TYPE_CHECKING:
    from modelwright.actions.home import Home


class NotRegistrable(ModelwrightError):
    """A value is of a kind that cannot be registered."""

    code = "not-registrable"

    def __init__(self, pin: str, title: str) -> None:
        super().__init__(
            f"{pin} carries a {title.lower()}, which cannot be registered.",
            remedy="Register a table, a trained model or a fitted transformation.",
            pin=pin,
            kind=title,
        )


def register_output(
    home: Home,
    run_id: str,
    pin: Pin,
    *,
    name: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
) -> Dataset | RegisteredModel:
    """Register what a run left on a port under a name, or as its next version.

    A model gets the figures that the run measured.  without: columns, such as the label, that the rows
    lack to which a transformation will be applied.  Raises NotFound, NoOutput, NotRegistrable,
    InvalidName, NameTaken, and LabelInUse where the transformation makes others of those columns.
    """
    report = show_run(home, run_id)
    digest = find_output(home, run_id, pin)
    value = home.store.get(digest)
    if without and isinstance(value, Transform):
        value = _without(value, pin, without)
        digest = home.store.put(value)
    lineage = Lineage(report.run.id, pin.node, pin.port, report.run.draft_id)
    # From now on it must survive more than a run does.
    home.store.sync(digest)
    if isinstance(value, Table):
        return home.workspace.datasets.add(
            name,
            digest=digest,
            rows=value.rows,
            columns=len(value.schema),
            schema=value.schema.to_json(),
            description=description,
            origin={"run": report.run.id, "pin": str(pin)},
            tags=tags,
            lineage=lineage,
        )
    if not isinstance(value, Model | Transform):
        raise NotRegistrable(str(pin), value.title)
    is_model = isinstance(value, Model)
    metrics = {m.name: m.value for m in reversed(report.metrics)} if is_model else {}
    return home.workspace.models.add(
        name,
        digest=digest,
        kind=AssetKind.MODEL if is_model else AssetKind.TRANSFORMATION,
        description=description,
        metrics=dict(reversed(metrics.items())),
        tags=tags,
        lineage=lineage,
    )


def _without(value: Transform, pin: Pin, names: Sequence[str]) -> Transform:
    """The transformation for rows that lack some columns.  Raises LabelInUse."""
    from modelwright.inference.convert import LabelInUse
    from modelwright.inference.unlabel import without_columns

    result = without_columns(value.formula, names)
    if result.lost:
        raise LabelInUse(pin.node, value.made_by or pin.node, names[0], result.lost)
    schema, marks = value.schema.drop(names), value.marks.drop(names)
    return replace(value, formula=result.formula, schema=schema, marks=marks)
