"""Settings of a learner, measured on rows that they were not trained on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from modelwright.components.context import Context
from modelwright.components.learning.evaluation import read_scores
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.metrics import Metrics
from modelwright.components.learning.scoring import score
from modelwright.components.learning.sweep import Settings
from modelwright.components.learning.training import train
from modelwright.components.learning.validation import Rows, Trial, try_fold
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import UntrainedModel
from modelwright.data.table import Table

Outcome = Metrics | ModelwrightError
"""What was measured, or why the settings cannot be trained."""


@dataclass(frozen=True)
class Ranking:
    """Which of two measurements is better."""

    metric: str
    smallest: bool

    def value(self, outcome: Outcome | None) -> float | None:
        """What counts; None where there is none."""
        found = outcome.get(self.metric) if isinstance(outcome, dict) else None
        return None if found is None or math.isnan(found) else found

    def is_better(self, value: float | None, than: float | None) -> bool:
        """Whether a value is better than another; anything is better than none."""
        if value is None or than is None:
            return value is not None
        return value < than if self.smallest else value > than


@dataclass
class Try:
    """Settings, and what was measured of them on each fold so far.

    pruned: given up after some folds, as others were better by then.
    """

    number: int
    settings: Settings
    folds: list[Outcome] = field(default_factory=list)
    pruned: bool = False

    def outcome(self) -> Outcome:
        """The first error, or else the mean over the folds measured."""
        found: list[Metrics] = []
        for one in self.folds:
            if isinstance(one, ModelwrightError):
                return one
            found.append(one)
        means: Metrics = {}
        for name in found[0] if found else ():
            values = [v for m in found if (v := m.get(name)) is not None]
            means[name] = sum(values) / len(values) if values else None
        return means


@dataclass(frozen=True)
class _Item:
    """One measurement to be made: settings, on the rows of a fold or on the validation rows."""

    learner: UntrainedModel
    settings: Settings
    label: str
    inside: Rows | None


class Trials:
    """Measures settings on the folds of a table, or on a table set aside.

    folds: the rows of each; none with a validation table, which then counts as one fold.  What was
    measured is kept in the notes of the step, so that a killed sweep goes on from it.  Each try that
    is settled is told of by `context.report`: see docs/howto/find-good-settings.md.
    """

    def __init__(
        self,
        learner: Learner,
        rows: Table,
        label: str,
        folds: tuple[Rows, ...],
        validation: Table | None,
        *,
        ranking: Ranking,
        total: int,
        context: Context,
        ports: tuple[str, str],
    ) -> None:
        self.folds = len(folds) or 1
        self.ranking = ranking
        self.tries: list[Try] = []
        self.reused = 0
        self._learner = learner
        self._untrained = learner.as_data()
        self._label = label
        self._inside: tuple[Rows | None, ...] = folds or (None,)
        self._context = context
        self._total = total
        self._settled = 0
        self._best: Try | None = None
        self._titles = {p.name: p.title for p in learner.inner.__component__.parameters}
        self._work = partial(_measured, rows, validation, context.within_item().threads, ports)
        self._data = _digest(
            [_digest_of(rows), validation and _digest_of(validation), label],
            [inside.tobytes() for inside in folds],
        )

    def new(self, settings: Settings) -> Try:
        """Settings to be measured, numbered from 0."""
        made = Try(len(self.tries), settings)
        self.tries.append(made)
        return made

    def measure_all(self) -> None:
        """Measure every try on every fold."""
        wanted = [(one, fold) for one in self.tries for fold in range(self.folds)]
        found: dict[int, dict[int, Outcome]] = {one.number: {} for one in self.tries}

        def heard(at: int, outcome: Outcome) -> None:
            one, fold = wanted[at]
            found[one.number][fold] = outcome
            if len(found[one.number]) == self.folds:
                one.folds = [found[one.number][fold] for fold in range(self.folds)]
                self.settle(one)

        self._measure(wanted, heard)

    def measure_next(self, tries: Sequence[Try]) -> None:
        """Measure each of these tries on its next fold."""

        def heard(at: int, outcome: Outcome) -> None:
            tries[at].folds.append(outcome)

        self._measure([(one, len(one.folds)) for one in tries], heard)

    def settle(self, one: Try) -> None:
        """Tell of a try that is measured as far as it will be."""
        self._settled += 1
        outcome = one.outcome()
        value = None if one.pruned else self.ranking.value(outcome)
        best = self.ranking.value(self._best.outcome()) if self._best else None
        first = self._best is not None and value == best and one.number < self._best.number
        if value is not None and (first or self.ranking.is_better(value, best)):
            self._best, best = one, value
        report: dict[str, Any] = {
            "about": "sweep",
            "learner": self._learner.__component__.title,
            "metric": self.ranking.metric,
            "smallest_is_best": self.ranking.smallest,
            "try": one.number,
            "settled": self._settled,
            "total": self._total,
            "settings": {self._titles[name]: v for name, v in one.settings.items()},
            "folds": len(one.folds),
            "pruned": one.pruned,
            "best_try": self._best.number if self._best else None,
            "best_value": best,
        }
        if isinstance(outcome, ModelwrightError):
            report["error"] = outcome.to_json()
        else:
            report["metrics"] = {name: _told(v) for name, v in outcome.items()}
        self._context.report(report)
        self._context.progress(self._settled / self._total)

    def _measure(
        self, wanted: Sequence[tuple[Try, int]], heard: Callable[[int, Outcome], None]
    ) -> None:
        keys = [self._key(one.settings, fold) for one, fold in wanted]
        left: list[int] = []
        for at, key in enumerate(keys):
            known = _recalled(self._context.notes.get(key))
            if known is None:
                left.append(at)
            else:
                self.reused += 1
                heard(at, known)

        def measured(number: int, outcome: Outcome) -> None:
            at = left[number]
            self._context.notes.keep(keys[at], _noted(outcome))
            heard(at, outcome)

        items = [self._item(*wanted[at]) for at in left]
        self._context.map(self._work, items, heard=measured)

    def _item(self, one: Try, fold: int) -> _Item:
        return _Item(self._untrained, one.settings, self._label, self._inside[fold])

    def _key(self, settings: Settings, fold: int) -> str:
        learner = self._untrained
        return _digest(
            [self._data, learner.component, learner.version, learner.parameters, settings, fold]
        )


def _measured(
    rows: Table, validation: Table | None, threads: int | None, ports: tuple[str, str], item: _Item
) -> Outcome:
    """The metrics of settings on one fold, or why they cannot be trained."""
    learner = Learner.of(item.learner).with_values(item.settings)
    training, measuring = ports
    context = Context(threads=threads)
    try:
        if item.inside is None:
            assert validation is not None  # noqa: S101  # there are folds otherwise
            model = train(learner, rows, item.label, context, port=training)
            scored = score(model, validation, port=measuring)
            return read_scores(scored, port=measuring).metrics()
        trial = Trial(learner.as_data(), item.label, item.inside, threads)
        return read_scores(try_fold(rows, trial, port=training), port=training).metrics()
    except ModelwrightError as error:
        return error


def _noted(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, ModelwrightError):
        return {"error": outcome.to_json()}
    return {"metrics": outcome}


def _recalled(note: Mapping[str, Any] | None) -> Outcome | None:
    if note is None:
        return None
    if "error" in note:
        return ModelwrightError.from_json(note["error"])
    return dict(note["metrics"])


def _told(value: float | None) -> float | None:
    """A number that JSON knows."""
    return value if value is not None and math.isfinite(value) else None


def _digest_of(table: Table) -> str:
    """Names the rows, whatever the memory they lie in; the same for one release of Polars."""
    hashes = table.frame.hash_rows(seed=1).to_numpy()
    return _digest([table.schema.to_json(), pl.__version__], [hashes.tobytes()])


def _digest(parts: Sequence[Any], content: Sequence[bytes] = ()) -> str:
    whole = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode())
    for block in content:
        whole.update(hashlib.sha256(block).digest())
    return whole.hexdigest()
