"""Run a graph with nothing but a store: without a workspace, a server or a pool of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modelwright.components.library import Library
from modelwright.components.library import library as installed
from modelwright.data.store import Store
from modelwright.graph.assets import Assets, FixedAssets
from modelwright.graph.graph import Graph
from modelwright.run.events import Event
from modelwright.run.history import History
from modelwright.run.plan import plan
from modelwright.run.result import RunResult
from modelwright.run.runner import Cancel, Runner
from modelwright.run.workers import local_workers
from modelwright.targets.contract import Target


def run_graph(
    graph: Graph,
    *,
    store: Store,
    assets: Assets | None = None,
    library: Library | None = None,
    target: Target | None = None,
    history: History | None = None,
    settings: Mapping[str, Any] | None = None,
    until: str | None = None,
    rerun: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
    cancel: Cancel | None = None,
) -> RunResult:
    """Plan a graph and run it; see `plan` and `Runner.run` for what the arguments mean.

    library: the installed components by default.  target: by default worker processes that are started
    for this run and ended after it; who runs more than once keeps a `local_workers()` and gives it.
    """
    planned = plan(
        graph,
        library=library or installed(),
        store=store,
        assets=assets or FixedAssets(),
        history=history,
        settings=settings,
        until=until,
        rerun=rerun,
    )
    if target is not None:
        return Runner(target).run(planned, on_event=on_event, cancel=cancel)
    with local_workers() as workers:
        return Runner(workers).run(planned, on_event=on_event, cancel=cancel)
