"""Runs, their steps, what they left and what they measured, as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Any, Literal

from modelwright.actions.metrics import MetricTable as MetricTableRecord
from modelwright.actions.metrics import metric_tables
from modelwright.actions.run_comparison import RunComparison as RunComparisonRecord
from modelwright.actions.run_details import RunDetails
from modelwright.api.shapes.graph import Graph, Layout
from modelwright.api.shapes.plan import PlanAsked, StoredValue
from modelwright.api.shapes.shape import Count, Fault, Moment, Name, Shape
from modelwright.workspace.records.runs import RunStatus, StepStatus
from modelwright.workspace.records.runs import Step as StepRecord


class RunAsked(PlanAsked):
    """A run to be submitted.

    A graph may be sent together with the draft that it is the present state of; the run then belongs
    to the draft.
    """

    draft_revision: Count | None = None
    experiment: Name | None = None
    """The group of runs it joins, made when it is new; the pipeline's name unless given."""
    name: Name | None = None
    target: str | None = None
    """Where it runs, of those under /api/compute; this machine unless given."""
    tags: dict[str, str] = {}


class RunFault(Fault):
    """Why a run or a step failed, and on which node."""

    node: str | None = None


class RunSummary(Shape):
    """A run as a list shows it."""

    id: str
    experiment: str
    name: str
    draft_id: str | None
    draft_revision: int | None
    parameters: dict[str, Any]
    target: str
    status: RunStatus
    person: str | None
    tags: dict[str, str]
    error: RunFault | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    cancel_asked_at: Moment | None
    """When someone asked for its end; it ends soon after."""


class Step(Shape):
    """What became of a node in a run."""

    node: str
    title: str
    """The node's own, or its component's."""
    component: str
    status: StepStatus
    reason: str
    """Why it ran, was reused or was not run."""
    key: str | None
    started_at: Moment | None
    finished_at: Moment | None
    duration_s: float | None
    """Seconds of its own work."""
    outputs: dict[str, StoredValue]
    error: RunFault | None

    @classmethod
    def of_record(cls, step: StepRecord, title: str, kinds: dict[str, str]) -> Step:
        """The body of a step.  kinds: of artifact, by output port."""
        return cls.model_construct(
            node=step.node,
            title=title,
            component=step.component,
            status=step.status,
            reason=step.reason,
            key=step.key,
            started_at=step.started_at,
            finished_at=step.finished_at,
            duration_s=step.duration_s,
            outputs={
                port: StoredValue.model_construct(
                    digest=o.digest, kind=kinds.get(port), rows=o.rows, columns=o.columns
                )
                for port, o in step.outputs.items()
            },
            error=RunFault.model_validate(step.error) if step.error else None,
        )


class MetricRow(Shape):
    """A figure, with a value for each evaluated dataset."""

    name: str
    values: list[float | None]


class MetricTable(Shape):
    """The figures that one node measured.  columns: its input ports."""

    node: str
    columns: list[str]
    rows: list[MetricRow]

    @classmethod
    def of(cls, table: MetricTableRecord) -> MetricTable:
        """The body of a table of figures."""
        return cls.model_construct(
            node=table.node,
            columns=list(table.columns),
            rows=[
                MetricRow.model_construct(name=name, values=list(values))
                for name, values in table.rows
            ],
        )


class Run(RunSummary):
    """A run with its pipeline, steps and figures."""

    graph: Graph
    """As it was then."""
    layout: Layout
    steps: list[Step]
    """In the order of the plan."""
    counts: dict[str, int]
    """How many steps ended in each way."""
    metrics: list[MetricTable]

    @classmethod
    def of(cls, found: RunDetails) -> Run:
        """The body of a run."""
        report = found.report
        return cls.model_construct(
            **dict(RunSummary.of(report.run)),
            graph=Graph.of(found.graph),
            layout=Layout.of(found.layout),
            steps=[
                Step.of_record(s, found.titles[s.node], found.kinds.get(s.component, {}))
                for s in report.steps
            ],
            counts=report.counts,
            metrics=[MetricTable.of(t) for t in metric_tables(report.metrics)],
        )


class Experiment(Shape):
    """A named group of runs."""

    name: str
    runs: int
    last_run_at: Moment


class RunEvent(Shape):
    """Something that happened in a run.

    The fields beside kind and at are those of the kind: run-started, step-queued, step-running,
    step-progress, step-report, step-log, step-reused, step-done, step-failed, step-skipped,
    step-cancelled, run-finished; `closed` ends a stream.
    """

    model_config = {"extra": "allow"}

    kind: str
    at: Moment | None = None
    node: str | None = None
    reasons: list[Any] | None = None
    worker: str | None = None
    fraction: float | None = None
    lines: list[str] | None = None
    omitted: int | None = None
    outputs: dict[str, Any] | None = None
    seconds: float | None = None
    peak_memory: int | None = None
    failure: RunFault | None = None
    because: str | None = None
    status: str | None = None
    counts: dict[str, int] | None = None


class NumberedEvent(Shape):
    """An event and its place among those of its run."""

    seq: int
    event: RunEvent


class Sweep(Shape):
    """The settings that a step tried so far."""

    node: str
    run: str
    """Where they were tried: an earlier run when the step took over its result."""
    tries: list[dict[str, Any]]
    """What was told of each, as `step-report` events have it, in the order they were settled."""


class LogPiece(Shape):
    """A piece of what a step wrote."""

    text: str
    next: int
    """Where the next piece begins."""
    complete: bool
    """Nothing will follow."""


class SettingDifference(Shape):
    """A parameter that has another value in the right run than in the left."""

    parameter: str
    left: Any
    right: Any


class NodeDifference(Shape):
    """How a node of the right run differs from that of the left."""

    node: str
    title: str
    component: str
    change: Literal["added", "removed", "changed"]
    settings: list[SettingDifference]
    wires: bool
    """Whether it is fed otherwise."""


class MetricDifference(Shape):
    """A figure in both runs; null where a run does not have it."""

    node: str
    port: str
    name: str
    left: float | None
    right: float | None


class RunComparison(Shape):
    """Two runs side by side."""

    left: RunSummary
    right: RunSummary
    nodes: list[NodeDifference]
    metrics: list[MetricDifference]

    @classmethod
    def of(cls, compared: RunComparisonRecord) -> RunComparison:
        """The body of a comparison."""
        return cls.model_construct(
            left=RunSummary.of(compared.left.run),
            right=RunSummary.of(compared.right.run),
            nodes=[NodeDifference.of(n) for n in compared.nodes],
            metrics=[MetricDifference.of(m) for m in compared.metrics],
        )
