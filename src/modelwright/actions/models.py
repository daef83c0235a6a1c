"""Models by name: bring one in that was trained elsewhere, list them, and take one away."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.workspace.records.assets import AssetKind
from modelwright.workspace.records.assets import Model as RegisteredModel

if TYPE_CHECKING:
    from modelwright.actions.exporting import Exported, ExportFormat
    from modelwright.actions.home import Home
    from modelwright.components.learning.learner import Class
    from modelwright.data.fitted import Model
    from modelwright.data.table import Table


def import_model(
    home: Home,
    file: Path,
    *,
    name: str,
    label: str = "label",
    features: Sequence[str] = (),
    classes: Sequence[Class] = (),
    sample: Table | None = None,
    file_name: str = "",
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> RegisteredModel:
    """Register a model that was trained elsewhere, or its next version, for Score Model and endpoints.

    file: LightGBM text, ONNX, a scikit-learn model saved with skops, or an MLflow folder of one of
    these, zipped or not.  label, features, classes, sample: what the file does not tell; see
    `components.foreign.described.Said`.  Raises the errors of `read_model`, InvalidName and NameTaken.
    """
    from modelwright.components.foreign.described import Said
    from modelwright.components.foreign.model_file import read_model

    said = Said(label, tuple(features), tuple(classes), sample)
    model = read_model(file, said, name=file_name)
    digest = home.store.put(model)
    # Nothing could make it again after a loss of power.
    home.store.sync(digest)
    return home.workspace.models.add(
        name, digest=digest, kind=AssetKind.MODEL, description=description, tags=tags
    )


def sample_rows_in(file: Path, *, name: str = "") -> Table:
    """The rows of a file of data, as a sample for `import_model`.  Raises as reading a data set does."""
    from modelwright.data.files.reading import load_table

    return load_table(file, None, name=name).table


def class_values(texts: Sequence[str]) -> tuple[Class, ...]:
    """Classes as somebody wrote them: whole numbers where all are, or true and false, or texts."""
    if texts and all(re.fullmatch(r"-?\d+", t) for t in texts):
        return tuple(int(t) for t in texts)
    if texts and {t.lower() for t in texts} <= {"true", "false"}:
        return tuple(json.loads(t.lower()) for t in texts)
    return tuple(texts)


def list_models(home: Home, *, search: str = "") -> tuple[RegisteredModel, ...]:
    """The latest version of each model and transformation, by name."""
    return home.workspace.models.list(search=search)


def export_model(
    home: Home,
    name: str,
    path: Path,
    *,
    version: int | None = None,
    format: ExportFormat | None = None,
) -> Exported:
    """Write a registered model as a package that scores by itself, or as ONNX where that can hold it.

    It becomes an inference pipeline of one step, Score Model.
    Raises NotFound, NotAModel, and what `export_pipeline` raises.
    """
    from modelwright.actions.exporting import export_pipeline
    from modelwright.components.errors import InvalidParameter
    from modelwright.data.fitted import Model

    found = home.workspace.models.get(name, version=version)
    model = home.store.get(found.digest)
    if not isinstance(model, Model):
        raise InvalidParameter("name", name, "it is a transformation and no model")
    rows = home.store.put(_rows_of(model))
    return export_pipeline(home, _scoring(found, rows), path, name=name, format=format)


def _scoring(model: RegisteredModel, rows: str) -> Graph:
    nodes = {
        "rows": Node("saved-data", parameters={"name": "Sample rows", "digest": rows}),
        "request": Node("web-service-input", parameters={"name": "input1"}),
        "model": Node("saved-model", parameters={"name": model.name, "digest": model.digest}),
        "score": Node("score-model"),
        "reply": Node("web-service-output", parameters={"name": "output1"}),
    }
    wires = (
        ("rows.dataset", "score.dataset"),
        ("request.web_service_input", "score.dataset"),
        ("model.trained_model", "score.trained_model"),
        ("score.scored_dataset", "reply.data"),
    )
    return Graph(
        name=model.name,
        nodes={NodeId(node): made for node, made in nodes.items()},
        wires=frozenset(Wire(Pin.parse(a), Pin.parse(b)) for a, b in wires),
    )


def _rows_of(model: Model) -> Table:
    """The model's sample without scores, or where it has none a row without values."""
    import polars as pl

    from modelwright.data.table import Table

    types = {c.name: c.type.dtype for c in model.features}
    sample = model.learnt.get("sample") or [dict.fromkeys(types)]
    lines = [{name: line.get(name) for name in types} for line in sample]
    return Table(pl.DataFrame(lines, schema=types), model.features)
