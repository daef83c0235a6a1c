"""Scores requests: small ones row by row, large ones as a table, with the same replies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from modelwright.data.expression import Compute, RecordReply
from modelwright.data.expression import Dropped as DroppedRow
from modelwright.data.native import Native
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.inference.plan import Chain, NativePlace, ScoringPlan, untagged
from modelwright.inference.quick import QuickAnswer, QuickForm, QuickOutput, is_usual, record
from modelwright.inference.reply import (
    Dropped,
    Reply,
    encode,
    encode_tables,
    make_writable,
    special,
)
from modelwright.inference.request import Request, RequestReader, Row
from modelwright.inference.serving import RequestInput, Serving

if TYPE_CHECKING:
    import polars as pl

    from modelwright.components.library import Library


class Shape(NamedTuple):
    """How a request and its reply are written.  tables: as classic tables; details: with types."""

    tables: bool = False
    details: bool = False


ROWS = Shape()
"""Rows as objects: the usual way."""


class Steps(Protocol):
    """What turns typed rows into scored ones."""

    def run(self, request: Request) -> Reply:
        """Score the rows of each input.  Raises StepFailed when a step refuses them."""
        ...

    def answer(self, request: Request) -> bytes:
        """The same, written as JSON."""
        ...


class Scorer:
    """Answers requests for a serving; the plan is made once and every request follows it.

    shortest: gives the reply to a usual request for rows as objects; None for one that is answered `carefully`.
    """

    shortest: Callable[[bytes], bytes | None]

    def __init__(self, serving: Serving, library: Library | None = None) -> None:
        """Raises UnservablePipeline, and what components raise for their settings."""
        from modelwright.components.library import library as installed
        from modelwright.inference.chains import make_plan
        from modelwright.inference.table_steps import TableSteps

        known = library or installed()
        plan = make_plan(serving, known)
        steps = compiled(plan, serving.inputs, natives_of(serving))
        self._set(plan, serving.inputs, steps or TableSteps(serving, plan, known))

    @classmethod
    def of(cls, plan: ScoringPlan, inputs: Sequence[RequestInput], steps: Steps) -> Scorer:
        """A scorer of parts that are there already, as a package has them."""
        scorer = cls.__new__(cls)
        scorer._set(plan, inputs, steps)
        return scorer

    def _set(self, plan: ScoringPlan, inputs: Sequence[RequestInput], steps: Steps) -> None:
        self.plan = plan
        self.inputs = tuple(inputs)
        self.steps = steps
        self._reader = RequestReader(self.inputs)
        self._quick = steps.quick(self.inputs) if isinstance(steps, CompiledSteps) else None
        self.shortest = self._quick.answer if self._quick is not None else _never

    def score(self, requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> Reply:
        """Score rows as JSON has them, by input name.  Raises InputDataError and StepFailed."""
        inputs = {name: list(rows) for name, rows in requests.items()}
        return self.steps.run(self._reader.read_values({"Inputs": inputs}))

    def answer(self, body: bytes, shape: Shape = ROWS) -> bytes:
        """The reply to a request, bytes to bytes.  Raises InputDataError and StepFailed."""
        if not shape.tables:
            reply = self.shortest(body)
            return self.carefully(body) if reply is None else reply
        return encode_tables(self.steps.run(self._reader.read_tables(body)), details=shape.details)

    def carefully(self, body: bytes) -> bytes:
        """The reply to any request for rows as objects.  Raises as `answer`."""
        return self.steps.answer(self._reader.read(body))

    @property
    def answer_all(self) -> Callable[[Sequence[bytes]], list[bytes | None]] | None:
        """Answers requests that came at the same time, of rows as objects; None where it gains nothing.

        Replies are those of `answer`; None stands for a request that needs `answer` itself.
        """
        quick = self._quick
        return quick.answer_all if quick is not None and quick.gains_together else None

    def try_samples(self) -> Reply:
        """Score the sample rows, to find out whether the pipeline works.  Raises as `score`."""
        return self.score({i.name: i.samples for i in self.inputs})

    def samples(self) -> Request:
        """The sample rows, typed."""
        rows = {i.name: list(i.samples) for i in self.inputs}
        return self._reader.read_values({"Inputs": rows})


def _never(body: bytes) -> bytes | None:
    """The shortest way where there is none."""
    del body
    return None


def natives_of(serving: Serving) -> Callable[[NativePlace], Native]:
    """Finds native values among the artifacts of a serving."""

    def native(place: NativePlace) -> Native:
        artifact: Any = serving.artifacts[place.digest]
        found: Native = artifact.natives[place.name]
        return found

    return native


def compiled(
    plan: ScoringPlan, inputs: Sequence[RequestInput], native: Callable[[NativePlace], Native]
) -> CompiledSteps | None:
    """The steps of a plan that is formulas only; None for any other."""
    if plan.chains is None:
        return None
    return CompiledSteps(plan, inputs, native)


class CompiledSteps:
    """A formula per output, in both forms."""

    def __init__(
        self,
        plan: ScoringPlan,
        inputs: Sequence[RequestInput],
        native: Callable[[NativePlace], Native],
    ) -> None:
        by_name = {i.name: i for i in inputs}
        self._ways = [_Way(c, by_name[c.input], native) for c in plan.chains or ()]
        self._crossover = sys.maxsize if plan.crossover is None else plan.crossover
        self._together = sys.maxsize if plan.together is None else plan.together
        self._titles = {s.node: s.title for s in plan.steps}
        self.columns = {w.chain.output: w.columns for w in self._ways}

    def run(self, request: Request) -> Reply:
        """Score the rows, in the form that is faster for so many."""
        results: dict[str, list[dict[str, Any]]] = {}
        dropped: dict[Dropped, None] = {}
        for way in self._ways:
            rows = request.rows[way.chain.input]
            by = way.by_rows if len(rows) < self._crossover else way.by_table
            scored, lost = by(rows)
            make_writable(scored, way.computed if request.plain else way.doubles)
            results[way.chain.output] = scored
            for row, tag in lost:
                node, reason = untagged(tag)
                # Outputs of one input may share the step that drops a row.
                title = self._titles.get(node, node)
                dropped[Dropped(way.chain.input, row, node, title, reason)] = None
        return Reply(results, tuple(dropped), self.columns)

    def answer(self, request: Request) -> bytes:
        """The reply as JSON."""
        return encode(self.run(request))

    def quick(self, inputs: Sequence[RequestInput]) -> QuickAnswer | None:
        """The shortest way for requests of these inputs; None where they are too unusual."""
        if len(inputs) != 1 or not is_usual(inputs[0]):
            return None
        alone = len(self._ways) == 1
        outputs = [q for w in self._ways if (q := w.quick(alone=alone)) is not None]
        if len(outputs) < len(self._ways):
            return None
        return QuickAnswer(inputs[0], outputs, together=self._together, tables=self._crossover)


_Lost = list[tuple[int, str]]


class _Way:
    """A chain, ready to be followed."""

    def __init__(
        self,
        chain: Chain,
        request_input: RequestInput,
        native: Callable[[NativePlace], Native],
    ) -> None:
        self.chain = chain
        self._reads = Schema(tuple(Column(c.name, c.type) for c in request_input.read))
        self._natives = {name: native(place) for name, place in chain.natives.items()}
        program = chain.formula.compile_rows(self._reads, natives=self._natives)
        self.score = program.score
        self.columns = tuple((c.name, c.type) for c in program.writes)
        # Columns that only pass through are as finite as the request's.
        made = {n for s in chain.formula.steps if isinstance(s, Compute) for n in s.columns}
        made |= chain.formula.renamed().keys() | set(chain.formula.renamed().values())
        self.doubles = tuple(n for n, kind in self.columns if kind is ColumnType.DOUBLE)
        self.computed = tuple(n for n in self.doubles if n in made or n not in self._reads)

    def quick(self, *, alone: bool) -> QuickOutput | None:
        """The chain for rows whose numbers are finite; None where its reply is too unusual.

        alone: no other chain needs the rows, so that the reply may be written into them.
        """
        names, reads = [n for n, _ in self.columns], self._reads.names
        made = record(names)
        if made is None:
            return None
        kept = [n for n in reads if n in names]
        computed = frozenset(self.computed)
        added: tuple[str, ...] = ()
        if alone and names[: len(kept)] == kept:
            added = tuple(names[len(kept) :])
            reply = RecordReply(None, msgspec.UNSET, special, computed)
        else:
            reply = RecordReply(made, None, special, computed)

        def form(*, plain: bool) -> QuickForm:
            records = self.chain.formula.compile_records(
                self._reads, reply, natives=self._natives, plain=plain
            )
            return QuickForm(records, self._by_columns)

        return QuickOutput(self.chain.output, form(plain=True), form(plain=False), added)

    def _by_columns(self, rows: Sequence[Any]) -> list[dict[str, Any]] | None:
        """Scored rows by the Table form, from records of finite values; None when one is dropped."""
        import polars as pl

        frame = pl.DataFrame(
            [
                pl.Series(c.name, list(map(attrgetter(f"c{n}"), rows)), dtype=c.type.dtype)
                for n, c in enumerate(self._reads)
            ]
        )
        tracked = self.chain.formula.apply_tracked(frame, natives=self._natives)
        if tracked.dropped:
            return None
        scored = tracked.frame.to_dicts()
        make_writable(scored, self.computed)
        return scored

    def by_rows(self, rows: list[Row]) -> tuple[list[dict[str, Any]], _Lost]:
        """Scored rows and the numbers of dropped ones with tagged reasons, by the row form."""
        score = self.score
        found: list[dict[str, Any]] = []
        lost: _Lost = []
        for number, row in enumerate(rows):
            scored = score(row)
            if isinstance(scored, DroppedRow):
                lost.append((number, scored.reason))
            else:
                found.append(scored)
        return found, lost

    def by_table(self, rows: list[Row]) -> tuple[list[dict[str, Any]], _Lost]:
        """The same by the Table form."""
        tracked = self.chain.formula.apply_tracked(
            frame_of(rows, self._reads), natives=self._natives
        )
        return tracked.frame.to_dicts(), tracked.dropped


def frame_of(rows: Sequence[Row], schema: Schema) -> pl.DataFrame:
    """Typed rows as a frame with the types of the columns."""
    import polars as pl

    columns = []
    for column in schema:
        values = [row[column.name] for row in rows]
        if column.type is ColumnType.OTHER:
            columns.append(pl.Series(column.name, values))
        else:
            columns.append(pl.Series(column.name, values, dtype=column.type.dtype))
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(rows))
