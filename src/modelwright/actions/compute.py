"""Compute clusters for runs: where steps run, what runs there, and what waits and why."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from modelwright.actions.compute_settings import (
    LOCAL,
    ComputeBusy,
    ComputeSettings,
    InvalidCompute,
    UnknownTarget,
)
from modelwright.workspace.errors import NameTaken
from modelwright.workspace.records.runs import Run, RunStatus, Step, StepStatus

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.graph.graph import Graph

_KEPT = "compute:"


@dataclass(frozen=True, slots=True)
class ComputeStep:
    """A step of a run on a compute cluster.  reason: why it waits, or why it runs."""

    run: str
    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class TargetState:
    """A compute cluster as it is now.

    state: "off" with no worker there, "idle", or "busy".  most: how many workers it may have; None
    while that is not known.  workers: of those that are there now, each as the target names it.
    cores, memory, memory_free: of this machine for a local one, in bytes; of all its nodes for a Ray
    cluster that is connected; None while that is not known.  nodes: of a Ray cluster.
    running, waiting: steps of runs that are worked on, by whichever process.
    """

    settings: ComputeSettings
    state: Literal["off", "idle", "busy"]
    most: int | None
    workers: tuple[str, ...]
    cores: int | None
    memory: int | None
    memory_free: int | None
    nodes: tuple[Mapping[str, Any], ...]
    running: tuple[ComputeStep, ...]
    waiting: tuple[ComputeStep, ...]

    @property
    def name(self) -> str:
        """Its name."""
        return self.settings.name

    @property
    def kind(self) -> str:
        """Its kind: local or ray."""
        return self.settings.kind


def list_targets(home: Home) -> tuple[TargetState, ...]:
    """Every compute cluster of a home as it is now; the one of this machine is always there."""
    steps = _steps_by_target(home)
    return tuple(_state(home, s, steps.get(s.name, ((), ()))) for s in known_compute(home))


def show_compute(home: Home, name: str) -> TargetState:
    """One compute cluster as it is now.  Raises UnknownTarget."""
    settings = compute_settings(home, name)
    return _state(home, settings, _steps_by_target(home).get(name, ((), ())))


def reach_compute(home: Home, name: str) -> TargetState:
    """One compute cluster as it is now, with the nodes of a Ray cluster that this program has not joined.

    Raises UnknownTarget, ClusterUnreachable, ClusterVersionsDiffer and RayMissing.
    """
    shown = show_compute(home, name)
    if shown.nodes or not shown.settings.address:
        return shown
    from modelwright.run.ray_workers import ray_workers

    # A line of its own that asks for no workers, as programs that run something there may have some.
    with ray_workers(name=name, address=shown.settings.address) as looking:
        looking.join()
        return _state(home, shown.settings, (shown.running, shown.waiting), looking.nodes)


def create_compute(home: Home, settings: ComputeSettings) -> TargetState:
    """Define a compute cluster; nothing is started before a run needs it.

    Raises InvalidCompute and NameTaken.
    """
    settings.checked()
    with home.workspace.transaction():
        known = {s.name.lower(): s.name for s in known_compute(home)}
        if taken := known.get(settings.name.lower()):
            raise NameTaken("compute cluster", taken)
        _keep(home, settings)
    return show_compute(home, settings.name)


def change_compute(home: Home, name: str, values: Mapping[str, Any]) -> TargetState:
    """Change a compute cluster; its workers are ended, and started anew when they are needed.

    Raises UnknownTarget, InvalidCompute, and ComputeBusy while runs are worked on there.
    """
    with home.workspace.transaction():
        changed = compute_settings(home, name).changed(values)
        _check_free(home, name)
        _keep(home, changed)
    home.end_target(name)
    return show_compute(home, name)


def delete_compute(home: Home, name: str) -> None:
    """Forget a compute cluster, and stop what was started for it.

    Raises UnknownTarget, InvalidCompute for this machine, and ComputeBusy.
    """
    with home.workspace.transaction():
        compute_settings(home, name)
        if name == LOCAL:
            raise InvalidCompute("name", name, "this machine is always there; change it instead")
        _check_free(home, name)
        home.workspace.settings.remove(_KEPT + name)
    home.end_target(name)


def compute_settings(home: Home, name: str) -> ComputeSettings:
    """How a compute cluster was defined.  Raises UnknownTarget."""
    known = known_compute(home)
    for settings in known:
        if settings.name == name:
            return settings
    raise UnknownTarget(name, tuple(s.name for s in known))


def known_compute(home: Home) -> tuple[ComputeSettings, ...]:
    """Every compute cluster as it was defined: that of this machine first, then by name."""
    kept = {
        name.removeprefix(_KEPT): ComputeSettings.from_json(value)
        for name, value in home.workspace.settings.all().items()
        if name.startswith(_KEPT)
    }
    local = kept.pop(LOCAL, ComputeSettings(name=LOCAL))
    return (local, *(kept[name] for name in sorted(kept)))


def check_target(home: Home, name: str) -> str:
    """The name, if there is a compute cluster of that name.  Raises UnknownTarget."""
    return compute_settings(home, name).name


def targets_of(home: Home, graph: Graph, target: str | None) -> tuple[str, Mapping[str, str]]:
    """The compute cluster that a run is for, and those that single nodes name, by node.

    target: chosen at submission; the pipeline's own unless given, and else this machine.
    Raises UnknownTarget.
    """
    chosen = check_target(home, target or graph.compute or LOCAL)
    own = {node_id: node.compute for node_id, node in graph.nodes.items() if node.compute}
    return chosen, {node: check_target(home, name) for node, name in own.items()}


def _keep(home: Home, settings: ComputeSettings) -> None:
    home.workspace.settings.set(_KEPT + settings.name, settings.to_json())


def _check_free(home: Home, name: str) -> None:
    running, waiting = _steps_by_target(home).get(name, ((), ()))
    runs = dict.fromkeys(step.run for step in (*running, *waiting))
    if runs:
        raise ComputeBusy(name, tuple(runs))


def _state(
    home: Home,
    settings: ComputeSettings,
    steps: tuple[tuple[ComputeStep, ...], tuple[ComputeStep, ...]],
    seen: tuple[Mapping[str, Any], ...] = (),
) -> TargetState:
    import psutil

    running, waiting = steps
    target = home.started_target(settings.name)
    workers = tuple(map(str, getattr(target, "pids", ())))
    nodes: tuple[Mapping[str, Any], ...] = seen or tuple(getattr(target, "nodes", ()))
    most = settings.max_workers
    cores: int | None = None
    memory: int | None = None
    free: int | None = None
    if settings.kind == LOCAL:
        found = psutil.virtual_memory()
        cores, memory, free = os.cpu_count() or 1, found.total, found.available
        most = target.most if target else most or cores
    elif nodes:
        cores = int(sum(n.get("cpus", 0) for n in nodes))
        memory = int(sum(n.get("memory", 0) for n in nodes))
        most = most or cores
    state: Literal["off", "idle", "busy"] = "idle" if workers or nodes else "off"
    if running:
        state = "busy"
    return TargetState(settings, state, most, workers, cores, memory, free, nodes, running, waiting)


def _steps_by_target(
    home: Home,
) -> dict[str, tuple[tuple[ComputeStep, ...], tuple[ComputeStep, ...]]]:
    """What runs and what waits, by compute cluster, in all runs that are worked on."""
    found: dict[str, tuple[list[ComputeStep], list[ComputeStep]]] = {}
    for run in home.workspace.runs.list(statuses=(RunStatus.RUNNING,), limit=500).items:
        awaited: dict[str, str] | None = None
        for target, step, waits_for in _open_steps(home, run):
            place = found.setdefault(target, ([], []))
            waits = step.status is StepStatus.QUEUED
            reason = step.reason
            if waits_for and waits:
                reason = f"It waits for {', '.join(waits_for)}."
            elif waits:
                awaited = _awaited(home, run) if awaited is None else awaited
                reason = awaited.get(step.node) or f'All workers of "{target}" are busy.'
            place[waits].append(ComputeStep(run.id, step.node, reason))
    return {name: (tuple(running), tuple(waiting)) for name, (running, waiting) in found.items()}


def _open_steps(home: Home, run: Run) -> Iterator[tuple[str, Step, tuple[str, ...]]]:
    """Steps that have not come to their end, each with where it runs and what it waits for."""
    from modelwright.graph.codec import read

    graph = read(run.graph).graph
    own = {str(node_id): node.compute for node_id, node in graph.nodes.items() if node.compute}
    steps = home.workspace.runs.steps.list(run.id)
    open_ones = {step.node: step for step in steps if not step.status.finished}
    for node, step in open_ones.items():
        above = {str(w.source.node) for w in graph.wires if str(w.target.node) == node}
        yield own.get(node, run.target), step, tuple(n for n in open_ones if n in above)


def _awaited(home: Home, run: Run) -> dict[str, str]:
    """What compute clusters said last of the workers that steps of a run wait for, by node."""
    from modelwright.run.events import StepQueued
    from modelwright.run.reasons import WORKER_AWAITED

    said: dict[str, str] = {}
    for event in home.workspace.runs.events.list(run.id, kind=StepQueued.kind, limit=None):
        reasons = event.data["reasons"]
        said[event.data["node"]] = next(
            (r["text"] for r in reasons if r["code"] == WORKER_AWAITED), ""
        )
    return said
