"""The nodes of a serving one after another on tables, for pipelines with scripts and the like."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from modelwright.components.context import Context
from modelwright.components.contract import Component, outputs_by_port
from modelwright.components.library import Library
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.expression import Dropped as DroppedRow
from modelwright.data.expression import Formula
from modelwright.data.fitted import Transform
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType, MissingColumn, Schema
from modelwright.data.table import Table, column_type
from modelwright.graph.check import SAVED
from modelwright.graph.graph import NodeId, Pin
from modelwright.inference.chains import Way, request_schema, source_of, ways_of
from modelwright.inference.errors import StepFailed, UnservablePipeline
from modelwright.inference.plan import ScoringPlan, untagged
from modelwright.inference.reply import Dropped, Reply, encode, make_writable
from modelwright.inference.request import Request, Row
from modelwright.inference.scorer import frame_of, natives_of
from modelwright.inference.serving import ReplyOutput, Serving

_MANY = 2000
"""Rows from which formulas are applied to the table as a whole."""

_log = logging.getLogger("modelwright.steps")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where the rows of a table come from.

    input: the only input they come from, None after several.  numbers: their places in it, None
    once a step has worked on them that may put rows in another order.
    """

    input: str | None
    numbers: list[int] | None = None


@dataclass(slots=True)
class _Answering:
    """What is known while one request is answered."""

    values: dict[Pin, Artifact | None]
    rows: dict[Pin, _Rows]
    # In order, each once: several ways from an input may share the step that drops a row.
    dropped: dict[Dropped, None] = field(default_factory=dict)
    seconds: dict[NodeId, float] = field(default_factory=dict)


class _Prefix:
    """The formulas from an input up to a step that is none."""

    def __init__(self, pin: Pin, way: Way, reads: Schema, natives: Mapping[str, Native]) -> None:
        self.pin = pin
        self.input = way.input
        self._schema = way.schema
        self._reads = reads
        self._natives = natives
        self._formula = Formula(*way.steps)
        self._score = self._formula.compile_rows(reads, natives=natives).score

    def table(self, rows: list[Row]) -> tuple[Table, list[int], list[tuple[int, str]]]:
        """The rows as the step finds them, their places in the request, and those dropped."""
        if len(rows) >= _MANY:
            tracked = self._formula.apply_tracked(
                frame_of(rows, self._reads), natives=self._natives
            )
            return Table(tracked.frame, self._schema), tracked.kept, tracked.dropped
        found: list[Row] = []
        kept: list[int] = []
        dropped: list[tuple[int, str]] = []
        for number, row in enumerate(rows):
            scored = self._score(row)
            if isinstance(scored, DroppedRow):
                dropped.append((number, scored.reason))
            else:
                found.append(scored)
                kept.append(number)
        return Table(frame_of(found, self._schema), self._schema), kept, dropped


class TableSteps:
    """Runs the components themselves, each on the tables that its wires bring.

    What lies before the first step that is more than a formula is done by formula, row by row unless
    there are very many.
    """

    def __init__(self, serving: Serving, plan: ScoringPlan, library: Library) -> None:
        self._serving = serving
        self._graph = serving.graph
        self._titles = {s.node: s.title for s in plan.steps}
        self._components: dict[NodeId, Component] = {}
        for step in plan.steps:
            if step.compiled:
                continue
            node = self._graph.nodes[step.node]
            self._components[step.node] = library.make(
                node.component, node.version, node.parameters
            )
        self._constants = self._load(library)
        self._sources = {
            (node, port.name): source_of(self._graph, node, port.name)
            for node, component in self._components.items()
            for port in component.__component__.inputs
        }
        self._prefixes = self._make_prefixes(library)

    def _make_prefixes(self, library: Library) -> list[_Prefix]:
        """The ways by formula to where formulas end."""
        ways = ways_of(self._serving, library)
        read = {pin for pin in self._sources.values() if pin is not None}
        for output in self._serving.outputs:
            read.update(w.source for w in self._graph.wires_into(output.node))
        inputs = {i.name: request_schema(i) for i in self._serving.inputs}
        native = natives_of(self._serving)
        return [
            _Prefix(pin, way, inputs[way.input], {n: native(p) for n, p in way.natives.items()})
            for pin, way in ways.items()
            if pin in read
        ]

    def _load(self, library: Library) -> dict[Pin, Artifact | None]:
        """The frozen values, and the results of steps that no request reaches, computed once."""
        found: dict[Pin, Artifact | None] = {}
        for node_id, node in self._graph.nodes.items():
            if node.component in SAVED:
                digest = Digest(str(node.parameters["digest"]))
                found[Pin(node_id, _only_output(library, node.component))] = (
                    self._serving.artifacts[digest]
                )
        reached = self._graph.downstream([i.node for i in self._serving.inputs])
        for node_id, component in self._components.items():
            if node_id in reached:
                continue
            given = {
                port.name: found.get(pin) if pin else None
                for port in component.__component__.inputs
                for pin in [source_of(self._graph, node_id, port.name)]
            }
            found |= self._run(node_id, given)
        return found

    def run(self, request: Request) -> Reply:
        """Score the rows of each input.  Raises StepFailed."""
        now = self._followed(request)
        results: dict[str, list[dict[str, Any]]] = {}
        columns: dict[str, list[tuple[str, ColumnType]]] = {}
        for output in self._serving.outputs:
            results[output.name], columns[output.name] = self._leave(output, now)
        return Reply(results, tuple(now.dropped), columns)

    def timed(self, request: Request) -> dict[NodeId, float]:
        """Seconds that each node takes for the rows of the request.  Raises StepFailed."""
        return self._followed(request).seconds

    def _followed(self, request: Request) -> _Answering:
        now = _Answering(dict(self._constants), {})
        for prefix in self._prefixes:
            table, kept, lost = prefix.table(request.rows[prefix.input])
            now.values[prefix.pin] = table
            now.rows[prefix.pin] = _Rows(prefix.input, kept)
            for number, tag in lost:
                node, reason = untagged(tag)
                title = self._titles.get(node, node)
                now.dropped[Dropped(prefix.input, number, node, title, reason)] = None
        for node in self._components:
            if all(Pin(node, p) not in self._constants for p in self._ports_out(node)):
                started = time.perf_counter()
                self._step(node, now)
                now.seconds[node] = time.perf_counter() - started
        return now

    def answer(self, request: Request) -> bytes:
        """The reply as JSON.  Raises StepFailed."""
        return encode(self.run(request))

    def _ports_out(self, node: NodeId) -> list[str]:
        return [p.name for p in self._components[node].__component__.outputs]

    def _step(self, node: NodeId, now: _Answering) -> None:
        component = self._components[node]
        given: dict[str, Artifact | None] = {}
        origins: list[tuple[_Rows, Table]] = []
        for port in component.__component__.inputs:
            pin = self._sources[node, port.name]
            value = now.values.get(pin) if pin is not None else None
            given[port.name] = value
            if pin in now.rows and isinstance(value, Table):
                origins.append((now.rows[pin], value))
        made = self._run(node, given)
        now.values |= made
        for pin, value in made.items():
            if isinstance(value, Table) and origins:
                now.rows[pin] = self._trace(node, given, origins, value, now.dropped)

    def _run(
        self, node: NodeId, given: Mapping[str, Artifact | None]
    ) -> dict[Pin, Artifact | None]:
        component = self._components[node]
        title = self._titles[node]
        try:
            result = component.run(**given, **self._context(component, title))
        except ModelwrightError as error:
            raise StepFailed(node, title, error) from error
        return {Pin(node, p): v for p, v in outputs_by_port(component, result).items()}

    def _context(self, component: Component, title: str) -> dict[str, Context]:
        import inspect

        if "context" not in inspect.signature(component.run).parameters:
            return {}
        log = partial(_log.info, "%s: %s", title)
        return {"context": Context(log=log, threads=1, resident=True)}

    def _trace(
        self,
        node: NodeId,
        given: Mapping[str, Artifact | None],
        origins: list[tuple[_Rows, Table]],
        made: Table,
        dropped: dict[Dropped, None],
    ) -> _Rows:
        if len(origins) > 1:
            # Rows of several tables are joined or put side by side: none of them is one row's fate.
            return _Rows(None)
        rows, before = origins[0]
        found = self._formula(node, given, before)
        if found is not None:
            if before.rows == made.rows:
                return rows
            tracked = found[0].apply_tracked(before.frame, natives=found[1])
            for number, reason in tracked.dropped:
                dropped[self._dropped(node, rows, number, reason)] = None
            numbers = rows.numbers
            return _Rows(rows.input, [numbers[k] for k in tracked.kept] if numbers else None)
        if made.rows < before.rows:
            lost = before.rows - made.rows
            reason = f"The step gave {lost} row{'s' if lost > 1 else ''} fewer than it got."
            dropped[Dropped(rows.input, None, node, self._titles[node], reason, lost)] = None
        return _Rows(rows.input)

    def _dropped(self, node: NodeId, rows: _Rows, number: int, reason: str) -> Dropped:
        place = rows.numbers[number] if rows.numbers is not None else None
        return Dropped(rows.input, place, node, self._titles[node], reason)

    def _formula(
        self, node: NodeId, given: Mapping[str, Artifact | None], table: Table
    ) -> tuple[Formula, Mapping[str, Native]] | None:
        fitted = [v for v in given.values() if isinstance(v, Transform)]
        if len(fitted) == 1 and self._components[node].__component__.id == "apply-transformation":
            return fitted[0].formula, fitted[0].natives
        formula = self._components[node].formula(table.schema)
        return None if formula is None else (formula, {})

    def _leave(
        self, output: ReplyOutput, now: _Answering
    ) -> tuple[list[dict[str, Any]], list[tuple[str, ColumnType]]]:
        wires = self._graph.wires_into(output.node)
        value = now.values.get(wires[0].source) if wires else None
        if not isinstance(value, Table):
            raise UnservablePipeline(
                f'Nothing reaches the Web Service Output "{output.name}".',
                "Connect it to the step whose rows it should send.",
                node=output.node,
            )
        frame = value.frame
        if output.chosen is not None:
            for name in output.chosen:
                if name not in frame.columns:
                    error = MissingColumn(name, frame.columns, port="data")
                    raise StepFailed(output.node, output.name, error)
            frame = frame.select(output.chosen)
        columns = [(n, column_type(dtype)) for n, dtype in frame.schema.items()]
        rows = frame.to_dicts()
        make_writable(rows, [n for n, kind in columns if kind is ColumnType.DOUBLE])
        return rows, columns


def _only_output(library: Library, component: str) -> str:
    return library.spec(component).outputs[0].name
