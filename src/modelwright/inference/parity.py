"""Prove that an inference pipeline scores as its training pipeline did."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from modelwright.components.library import Library
from modelwright.data.schema import Role
from modelwright.data.table import Table
from modelwright.inference.scorer import Scorer
from modelwright.inference.serving import Serving

MOST_ROWS = 5_000
"""Rows of the training data that are sent through the inference pipeline, at the most."""

SINGLY = 50
"""Of those, how many are also sent one at a time, the way most requests come."""

TOLERANCE = 1e-9
"""Largest difference of a score, relative to its size, that counts as equal."""

Verdict = Literal["equal", "different", "not-comparable"]


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """How far a score column of the replies is from the one of the training run.

    largest: largest difference of a row relative to the value's size, for text 1 where unequal.
    rows: how many rows differ by more than the tolerance.
    """

    output: str
    column: str
    largest: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """The difference as JSON."""
        return {
            "output": self.output,
            "column": self.column,
            "largest": self.largest,
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class Parity:
    """The result of sending rows of the training data through the inference pipeline.

    rows: sent.  compared: of them, those found again among the rows the training run scored.
    singly: rows sent one at a time whose answer was compared with that of all at once.
    unlike: those of them that differ.  reason: why the verdict is what it is, in words.
    """

    verdict: Verdict
    rows: int
    compared: int
    columns: tuple[ColumnDifference, ...]
    singly: int
    unlike: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "compared": self.compared,
            "columns": [c.to_json() for c in self.columns],
            "singly": self.singly,
            "unlike": self.unlike,
            "reason": self.reason,
        }


Key = tuple[Any, ...]


def compare(
    serving: Serving,
    *,
    given: Mapping[str, Table],
    scored: Mapping[str, Table],
    library: Library | None = None,
) -> Parity:
    """Send training rows through the inference pipeline and compare what it scores.

    given: by request input, the rows as they came into the training pipeline, with or without the
    label.  scored: by reply output, the rows that the training run scored: those it held out.
    A row is known again by its columns other than scores and label.
    """
    scorer = Scorer(serving, library)
    rows = {name: _sent(table, len(given) == 1) for name, table in given.items()}
    for request in serving.inputs:
        names = [c.name for c in request.columns]
        rows[request.name] = [{n: r.get(n) for n in names} for r in rows[request.name]]
    reply = scorer.score(rows)
    columns: list[ColumnDifference] = []
    compared = 0
    for output, table in scored.items():
        known = _Known(table)
        found = list(known.matches(reply.results[output]))
        compared += len(found)
        columns.extend(
            _difference(output, name, [(new[name], old[name]) for new, old in found])
            for name in known.scores
        )
    singly, unlike = _one_at_a_time(scorer, rows, reply.results)
    sent = sum(len(r) for r in rows.values())
    verdict, reason = _judge(columns, compared, singly, unlike)
    return Parity(verdict, sent, compared, tuple(columns), singly, unlike, reason)


class _Known:
    """The rows a training run scored, found by what is neither score nor label."""

    def __init__(self, table: Table) -> None:
        marks = {c.name: c.role for c in table.schema}
        self.scores = [n for n, role in marks.items() if role is Role.SCORE]
        self._label = {n for n, role in marks.items() if role is Role.LABEL}
        self._keys = [n for n in marks if n not in self.scores and n not in self._label]
        self._rows = table.frame.rows(named=True)

    def matches(
        self, replied: Sequence[Mapping[str, Any]]
    ) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Pairs of a reply row and the training row with the same columns."""
        if not replied:
            return
        shared = [n for n in self._keys if n in replied[0]]
        if not shared or not all(n in replied[0] for n in self.scores):
            return
        index = {_key(row, shared): row for row in replied}
        for old in self._rows:
            new = index.get(_key(old, shared))
            if new is not None:
                yield new, old


def _sent(table: Table, alone: bool) -> list[dict[str, Any]]:
    # Rows of several inputs may belong together, so none can be left out.
    frame = table.frame.head(MOST_ROWS) if alone else table.frame
    return frame.rows(named=True)


def _one_at_a_time(
    scorer: Scorer,
    rows: Mapping[str, list[dict[str, Any]]],
    together: Mapping[str, Sequence[Mapping[str, Any]]],
) -> tuple[int, int]:
    """How many rows were sent singly, and how many got another answer than among all."""
    if len(rows) != 1:
        return 0, 0
    ((name, every),) = rows.items()
    expected = {output: [_key(r, sorted(r)) for r in found] for output, found in together.items()}
    sets = {output: set(keys) for output, keys in expected.items()}
    first = every[:SINGLY]
    unlike = 0
    for row in first:
        alone = scorer.score({name: [row]})
        unlike += any(
            _key(r, sorted(r)) not in sets[output]
            for output, found in alone.results.items()
            for r in found
        )
    return len(first), unlike


def _difference(output: str, name: str, pairs: list[tuple[Any, Any]]) -> ColumnDifference:
    gaps = [_gap(_plain(new), _plain(old)) for new, old in pairs]
    largest = max(gaps, default=0.0)
    return ColumnDifference(output, name, largest, sum(g > TOLERANCE for g in gaps))


def _gap(new: Any, old: Any) -> float:
    if new == old:
        return 0.0
    numbers = isinstance(new, float | int) and isinstance(old, float | int)
    if not numbers or not (math.isfinite(new) and math.isfinite(old)):
        return 1.0
    return float(abs(new - old) / max(abs(new), abs(old), 1e-12))


def _key(row: Mapping[str, Any], names: Sequence[str]) -> Key:
    return tuple(_plain(row[n]) for n in names)


def _plain(value: Any) -> Any:
    """A value so that equal ones compare equal: marks for not a number and for infinities."""
    if isinstance(value, dict):
        return tuple(sorted(value.items()))
    if isinstance(value, float):
        if math.isnan(value):
            return (("isNan", True),)
        if math.isinf(value):
            return (("isInfinite", 1 if value > 0 else -1),)
        return value + 0.0
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _judge(
    columns: Sequence[ColumnDifference], compared: int, singly: int, unlike: int
) -> tuple[Verdict, str]:
    wrong = [c for c in columns if c.rows]
    if wrong:
        worst = max(wrong, key=lambda c: c.largest)
        return (
            "different",
            f'"{worst.column}" differs in {worst.rows} of {compared} rows, '
            f"by up to {worst.largest:.3g} of its size",
        )
    if unlike:
        return (
            "different",
            f"{unlike} of {singly} rows get another answer alone than together with others",
        )
    if not compared:
        return (
            "not-comparable",
            "no row that the training run scored was found again; a step may change rows at random",
        )
    return "equal", f"{compared} rows score as in the training run"
