"""What each node of a serving costs for a row, measured on its samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from modelwright.components.library import Library
from modelwright.data.expression import Dropped
from modelwright.data.native import Native
from modelwright.graph.graph import NodeId
from modelwright.inference.chains import parts_of
from modelwright.inference.plan import NativePlace, ScoringPlan
from modelwright.inference.request import Request, Row
from modelwright.inference.serving import Serving
from modelwright.inference.table_steps import TableSteps

_ROUNDS = 5
_REPEATS = 40


def with_costs(
    plan: ScoringPlan,
    serving: Serving,
    library: Library,
    request: Request,
    native: Callable[[NativePlace], Native],
) -> ScoringPlan:
    """The plan with the cost of each step for a row of the request."""
    found = _by_rows(serving, library, request.rows, native)
    if not plan.is_compiled:
        found |= _by_tables(plan, serving, library, request)
    steps = tuple(replace(s, cost_us=found.get(s.node)) for s in plan.steps)
    return replace(plan, steps=steps)


def _by_rows(
    serving: Serving,
    library: Library,
    requests: Mapping[str, list[Row]],
    native: Callable[[NativePlace], Native],
) -> dict[NodeId, float]:
    costs: dict[NodeId, float] = {}
    reached: dict[NodeId, list[Row]] = {}
    for part in parts_of(serving, library):
        rows = reached[part.after] if part.after is not None else requests[part.input]
        natives = {name: native(place) for name, place in part.natives.items()}
        score = part.formula.compile_rows(part.reads, natives=natives).score
        given = rows * (1 + _REPEATS // max(1, len(rows)))

        def work(given: list[Row] = given, score: Callable[[Row], Any] = score) -> None:
            for row in given:
                score(row)

        if given:
            costs[part.node] = round(_best(work) / len(given) * 1e6, 3)
        scored = [score(row) for row in rows]
        reached[part.node] = [row for row in scored if not isinstance(row, Dropped)]
    return costs


def _by_tables(
    plan: ScoringPlan, serving: Serving, library: Library, request: Request
) -> dict[NodeId, float]:
    steps = TableSteps(serving, plan, library)
    rows = max(1, sum(len(r) for r in request.rows.values()))
    best: dict[NodeId, float] = {}
    for _ in range(_ROUNDS):
        for node, seconds in steps.timed(request).items():
            best[node] = min(best.get(node, seconds), seconds)
    return {node: round(seconds / rows * 1e6, 3) for node, seconds in best.items()}


def _best(work: Callable[[], None]) -> float:
    """The shortest of some tries, since only disturbances make one longer."""
    found = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)
