"""Models that a user's Python class has trained; only that class can score with them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

from modelwright import temporary
from modelwright.data.artifact import CorruptArtifact
from modelwright.data.column_names import all_named
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model
from modelwright.data.schema import Column, Role, Schema, Score, Task
from modelwright.data.scripting.process import ScriptProcess
from modelwright.data.scripting.residents import borrowed
from modelwright.data.table import Table

ENTRY = "AzureMLModel"

Class = str | int | float | bool

_LABELS, _PROBABILITIES = "Scored Labels", "Scored Probabilities"
_SCRIPT, _STATE = "script.py", "model.pickle"
_SETTINGS = "script.json"


class ScoreColumnTaken(ModelwrightError):
    """A Python model gives a column that the rows have already."""

    code = "score-column-taken"

    def __init__(self, column: str) -> None:
        super().__init__(
            f'The script gives a score column "{column}", and the data has one of that name.',
            remedy="Give the column in predict another name, or rename the one in the data.",
            column=column,
        )


@dataclass(frozen=True, eq=False)
class PythonModel(Model):
    """A trained object of a user's class, with the source of the class.

    state: the object, pickled by its own process.  requirements: packages that the source needs.
    time_limit: seconds that a prediction may take.  memory_limit: gigabytes for its process, beside its
    libraries.  No limit where None.
    """

    kind: ClassVar[str] = "python-model"

    script: str = ""
    state: bytes = b""
    requirements: str = ""
    time_limit: float | None = None
    memory_limit: float | None = None

    def score(self, table: Table) -> Table:
        """The table with what the class predicts, in a process of its own that stays for the next rows.

        Raises MissingColumn, ScoreColumnTaken, and the errors of the script.
        """
        for feature in self.features:
            table.schema.column(feature.name, port="dataset")
        rows = table.of(table.frame.select(all_named(self.features.names)))
        # As in training, where the label was no feature.
        scores = self._predicted(rows)
        for name in scores.schema.names:
            # A score column of an earlier model would otherwise stay in its old place.
            if name in table.schema and table.schema.column(name).role is not Role.SCORE:
                raise ScoreColumnTaken(name)
        frame = table.frame.drop(scores.schema.names, strict=False)
        marked = [marked_score(c, self.task, self.label, self.classes) for c in scores.schema]
        scored = frame.with_columns(scores.frame.get_columns())
        return Table(scored, table.schema.drop(scores.schema.names).put(*marked))

    def _predicted(self, rows: Table) -> Table:
        with (
            borrowed(
                self._process,
                named=("python model", self.script, self.requirements, self.memory_limit),
                of=(self.state,),
                log=lambda line: None,
                keep=True,
            ) as process,
            tempfile.TemporaryDirectory(dir=temporary.place()) as folder,
        ):
            given = Path(folder) / "features"
            given.mkdir()
            rows.save(given)
            gave = process.ask(
                {"do": "predict", "features": str(given), "out": folder}, time_s=self.time_limit
            )
            return Table.load(Path(gave["table"]))

    def _process(self) -> ScriptProcess:
        from modelwright.data.scripting.environment import packages_for

        process = ScriptProcess(
            self.script,
            entry=ENTRY,
            packages=packages_for(self.requirements),
            memory_gb=self.memory_limit,
        )
        try:
            path = process.folder / _STATE
            path.write_bytes(self.state)
            process.ask({"do": "restore", "model": str(path)})
        except BaseException:
            process.close()
            raise
        return process

    def save(self, folder: Path) -> None:
        """Write what every model has, the source, and the pickled object as a file of its own."""
        super().save(folder)
        (folder / _SCRIPT).write_text(self.script, encoding="utf-8")
        limits = {"time_limit": self.time_limit, "memory_limit": self.memory_limit}
        settings = {"requirements": self.requirements} | {n: v for n, v in limits.items() if v}
        (folder / _SETTINGS).write_text(json.dumps(settings))
        (folder / _STATE).write_bytes(self.state)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the object is unpickled in its own process only."""
        made = super().load(folder)
        try:
            settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
            return replace(
                made,
                script=(folder / _SCRIPT).read_text(encoding="utf-8"),
                state=(folder / _STATE).read_bytes(),
                requirements=settings["requirements"],
                time_limit=settings.get("time_limit"),
                memory_limit=settings.get("memory_limit"),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptArtifact("Python model", str(error)) from error


def marked_score(
    column: Column, task: Task, label: Column | None, classes: Sequence[Class]
) -> Column:
    """A column that a class predicted, as a score; by its name, one that evaluation knows."""
    content = {_LABELS: "label", _PROBABILITIES: "probability"}.get(column.name)
    of = classes[-1] if content == "probability" and classes else None
    score = Score(task, content, label.name if label else None, of) if content else None
    return replace(column, role=Role.SCORE, score=score)


def outline_scores(scores: Table, task: Task, label: Column, classes: Sequence[Class]) -> Schema:
    """The score columns of a trained model, from what it predicted for some rows."""
    return Schema(tuple(marked_score(c, task, label, classes) for c in scores.schema))
