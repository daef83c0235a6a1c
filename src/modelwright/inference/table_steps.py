"""The nodes of a serving one after another on tables, for pipelines with scripts and the like."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwright.components.context import Context
from modelwright.components.contract import Component, outputs_by_port
from modelwright.components.library import Library
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.expression import Formula
from modelwright.data.fitted import Transform
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType, MissingColumn
from modelwright.data.table import Table, column_type
from modelwright.graph.check import SAVED
from modelwright.graph.graph import NodeId, Pin
from modelwright.inference.chains import request_schema, source_of
from modelwright.inference.errors import StepFailed, UnservablePipeline
from modelwright.inference.plan import ScoringPlan
from modelwright.inference.reply import Dropped, Reply, encode, make_writable
from modelwright.inference.request import Request
from modelwright.inference.scorer import frame_of
from modelwright.inference.serving import ReplyOutput, Serving

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
    dropped: list[Dropped]


class TableSteps:
    """Runs the components themselves, each on the tables that its wires bring."""

    def __init__(self, serving: Serving, plan: ScoringPlan, library: Library) -> None:
        self._serving = serving
        self._graph = serving.graph
        self._titles = {s.node: s.title for s in plan.steps}
        self._components: dict[NodeId, Component] = {}
        for step in plan.steps:
            node = self._graph.nodes[step.node]
            self._components[step.node] = library.make(
                node.component, node.version, node.parameters
            )
        self._inputs = [
            (Pin(i.node, _only_output(library, self._graph.nodes[i.node].component)), i)
            for i in serving.inputs
        ]
        self._constants = self._load(library)
        self._sources = {
            (node, port.name): source_of(self._graph, node, port.name)
            for node, component in self._components.items()
            for port in component.__component__.inputs
        }

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
        now = _Answering(dict(self._constants), {}, [])
        for pin, request_input in self._inputs:
            rows = request.rows[request_input.name]
            now.values[pin] = Table(frame_of(rows, request_schema(request_input)))
            now.rows[pin] = _Rows(request_input.name, list(range(len(rows))))
        for node in self._components:
            if all(Pin(node, p) not in self._constants for p in self._ports_out(node)):
                self._step(node, now)
        results: dict[str, list[dict[str, Any]]] = {}
        columns: dict[str, list[tuple[str, ColumnType]]] = {}
        for output in self._serving.outputs:
            results[output.name], columns[output.name] = self._leave(output, now)
        return Reply(results, tuple(now.dropped), columns)

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
        return {"context": Context(log=lambda line: _log.info("%s: %s", title, line), threads=1)}

    def _trace(
        self,
        node: NodeId,
        given: Mapping[str, Artifact | None],
        origins: list[tuple[_Rows, Table]],
        made: Table,
        dropped: list[Dropped],
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
                dropped.append(self._dropped(node, rows, number, reason))
            numbers = rows.numbers
            return _Rows(rows.input, [numbers[k] for k in tracked.kept] if numbers else None)
        if made.rows < before.rows:
            lost = before.rows - made.rows
            reason = f"The step gave {lost} row{'s' if lost > 1 else ''} fewer than it got."
            dropped.append(Dropped(rows.input, None, node, self._titles[node], reason, lost))
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
