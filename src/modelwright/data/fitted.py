"""What was learnt from data, held as data: transforms, trained models, and learners to be trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from modelwright.data.artifact import Artifact, CorruptArtifact
from modelwright.data.expression import Formula
from modelwright.data.native import Native
from modelwright.data.schema import Column, Schema, Task
from modelwright.data.table import Table

_FITTED = "fitted.json"


@dataclass(frozen=True, eq=False)
class Transform(Artifact):
    """A fitted transformation: a formula and the schema it was fitted on.

    formula: from the fitted columns to the new ones; columns it does not name pass through.
    marks: roles, categorical flags and score marks of columns it adds or changes.
    learnt: what it learnt, for people, as JSON.  made_by: title of the component that fitted it.
    """

    kind: ClassVar[str] = "transform"
    title: ClassVar[str] = "Transformation"

    formula: Formula
    schema: Schema
    marks: Schema = field(default_factory=Schema)
    learnt: Mapping[str, Any] = field(default_factory=dict)
    made_by: str = ""
    natives: Mapping[str, Native] = field(default_factory=dict)

    def apply(self, table: Table) -> Table:
        """The table with the transformation applied, marks kept.

        Raises MissingColumn when a column the formula reads is not there.
        """
        for name in sorted(self.formula.required()):
            table.schema.column(name, port="dataset")
        frame = self.formula.apply(table.frame, natives=self.natives)
        # Step by step: a rename may give a name that another step has taken away.
        return Table(frame, self.formula.outputs(table.schema).put(*self.marks))

    def save(self, folder: Path) -> None:
        """Write the formula as JSON and each native value as a file of its own."""
        _write(
            folder,
            {
                "formula": self.formula.to_json(),
                "schema": self.schema.to_json(),
                "marks": self.marks.to_json(),
                "learnt": dict(self.learnt),
                "made_by": self.made_by,
            },
            self.natives,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        value, natives = _read(folder, "transformation")
        return cls(
            Formula.from_json(value["formula"]),
            Schema.from_json(value["schema"]),
            Schema.from_json(value["marks"]),
            value["learnt"],
            value["made_by"],
            natives,
        )

    def summary(self) -> dict[str, Any]:
        """Which component made it, and how many columns it reads."""
        return {"made_by": self.made_by, "reads": len(self.formula.required())}


@dataclass(frozen=True, eq=False)
class Model(Artifact):
    """A trained model: a formula that adds score columns, and what it was trained on.

    formula: from `features` to `scores`; reads nothing else.  natives: values that the formula
    calls by name (tree ensembles, networks …).  label: the column it predicts, None if it needs none.
    features: the columns it reads, with their training types.  scores: the columns it adds, marked.
    classes: label values in order, the positive one last when there are two.
    learnt: weights, importance … for people, as JSON.  made_by: title of the learner.
    """

    kind: ClassVar[str] = "model"
    title: ClassVar[str] = "Trained model"

    task: Task
    formula: Formula
    features: Schema
    scores: Schema
    label: Column | None = None
    classes: tuple[str | int | float | bool, ...] = ()
    natives: Mapping[str, Native] = field(default_factory=dict)
    learnt: Mapping[str, Any] = field(default_factory=dict)
    made_by: str = ""

    def score(self, table: Table) -> Table:
        """The table with the score columns added last, and the label mark put on the label column.

        Raises MissingColumn when a feature is not there.
        """
        for feature in self.features:
            table.schema.column(feature.name, port="dataset")
        # A score column of an earlier model would otherwise stay in its old place.
        frame = table.frame.drop(self.scores.names, strict=False)
        scored = self.formula.apply(frame, natives=self.natives)
        return Table(scored, table.schema.drop(self.scores.names).put(*self.scores))

    def save(self, folder: Path) -> None:
        """Write the formula as JSON and each native value as a file of its own."""
        _write(
            folder,
            {
                "task": self.task.value,
                "formula": self.formula.to_json(),
                "features": self.features.to_json(),
                "scores": self.scores.to_json(),
                "label": self.label.to_json() if self.label else None,
                "classes": list(self.classes),
                "learnt": dict(self.learnt),
                "made_by": self.made_by,
            },
            self.natives,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        value, natives = _read(folder, "model")
        return cls(
            Task(value["task"]),
            Formula.from_json(value["formula"]),
            Schema.from_json(value["features"]),
            Schema.from_json(value["scores"]),
            Column.from_json(value["label"]) if value["label"] else None,
            tuple(value["classes"]),
            natives,
            value["learnt"],
            value["made_by"],
        )

    def summary(self) -> dict[str, Any]:
        """Task, learner, label and number of features."""
        return {
            "task": self.task.value,
            "made_by": self.made_by,
            "label": self.label.name if self.label else None,
            "features": len(self.features),
        }


@dataclass(frozen=True, eq=False)
class UntrainedModel(Artifact):
    """A learner with its settings, not fitted yet: the component to fit, as data."""

    kind: ClassVar[str] = "untrained-model"
    title: ClassVar[str] = "Untrained model"

    task: Task
    component: str
    version: int
    parameters: Mapping[str, Any]

    def save(self, folder: Path) -> None:
        """Write the settings as JSON."""
        _write(
            folder,
            {
                "task": self.task.value,
                "component": self.component,
                "version": self.version,
                "parameters": dict(self.parameters),
            },
            {},
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        value, _ = _read(folder, "untrained model")
        return cls(Task(value["task"]), value["component"], value["version"], value["parameters"])

    def summary(self) -> dict[str, Any]:
        """The component and its task; and the component of a learner that it wraps."""
        wrapped = self.parameters.get("learner")
        inside = {"inside": wrapped["component"]} if isinstance(wrapped, Mapping) else {}
        return {"component": self.component, "task": self.task.value, **inside}


def _write(folder: Path, value: Mapping[str, Any], natives: Mapping[str, Native]) -> None:
    listed = {name: {"kind": n.kind, "notes": dict(n.notes)} for name, n in natives.items()}
    text = json.dumps({**value, "natives": listed}, ensure_ascii=False, sort_keys=True, indent=0)
    (folder / _FITTED).write_text(text, encoding="utf-8")
    for name, native in natives.items():
        (folder / f"{name}.native").write_bytes(native.content)


def _read(folder: Path, what: str) -> tuple[dict[str, Any], dict[str, Native]]:
    try:
        value = json.loads((folder / _FITTED).read_text(encoding="utf-8"))
        natives = {
            name: Native(n["kind"], (folder / f"{name}.native").read_bytes(), n["notes"])
            for name, n in value["natives"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptArtifact(what, str(error)) from error
    return value, natives
