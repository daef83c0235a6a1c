"""Run a pipeline, and keep what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelwright.actions.compute import targets_of
from modelwright.actions.interrupted import this_process
from modelwright.actions.pipelines import plan_pipeline
from modelwright.actions.recorder import Recorder, stored_outputs
from modelwright.actions.runs import RunReport, show_run
from modelwright.data.errors import ModelwrightError
from modelwright.graph.check import DATASET
from modelwright.graph.codec import Document, Layout, write
from modelwright.graph.graph import Graph
from modelwright.graph.submission import submitted
from modelwright.workspace.records.assets import AssetKind, AssetReference
from modelwright.workspace.records.runs import (
    Metric,
    NewStep,
    Run,
    RunStatus,
    StepStatus,
)

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.run.events import Event
    from modelwright.run.plan import Plan
    from modelwright.run.result import RunResult

OnEvent = Callable[["Event"], None]

EVALUATION = "evaluation_results"
"""Name of the ports whose tables hold a row of metrics per evaluated dataset."""


class RunFailed(ModelwrightError):
    """A run came to its end without every step having done its work."""

    code = "run-failed"

    def __init__(self, run: str, failures: tuple[Mapping[str, Any], ...], *, log: str = "") -> None:
        first = failures[0] if failures else {}
        more = f" {len(failures) - 1} more failed." if len(failures) > 1 else ""
        super().__init__(
            f'Run {run} failed at "{first.get("node")}": {first.get("happened", "")}'
            f" [{first.get('code')}]{more}",
            remedy=str(first.get("remedy", "")),
            run=run,
            node=first.get("node"),
            failures=[dict(f) for f in failures],
            reference=first.get("reference"),
            log=log,
        )


class RunCancelled(ModelwrightError):
    """A run was ended early because someone asked for it."""

    code = "run-cancelled"

    def __init__(self, run: str) -> None:
        super().__init__(
            f"Run {run} was cancelled.",
            remedy="Run the pipeline again; steps that had finished are reused.",
            run=run,
        )


class OpenRun:
    """A run that has been entered in the workspace and is to be worked on by `work`.

    record: as it was entered.  plan: what it is going to do.
    """

    def __init__(self, home: Home, record: Run, plan: Plan) -> None:
        self.record = record
        self.plan = plan
        self._home = home
        self._cancel = threading.Event()

    def cancel(self) -> None:
        """End it early; steps that run are stopped."""
        self._cancel.set()

    def work(self, on_event: OnEvent | None = None) -> RunReport:
        """Do what the plan says, and give the report once all is done and written.

        on_event: told everything as it happens, lines of logs and progress too; must not block.
        A step that fails ends as failed in the report.  Raises only what keeps the run as a whole
        from being worked on; it is failed in the workspace then.
        """
        runs = self._home.workspace.runs
        recorder = Recorder(
            self._home.workspace,
            self.record.id,
            logs=self._home.run_logs / self.record.id,
            on_cancel=self.cancel,
        )

        def take(event: Event) -> None:
            recorder.take(event)
            if on_event is not None:
                on_event(event)

        try:
            try:
                result = self._run(take)
            finally:
                recorder.close()
            runs.metrics.add(self.record.id, list(self._metrics(result)))
        except BaseException as error:
            self._give_up(error)
            raise
        error_json = result.failures[0].to_json() if result.failures else None
        runs.finish(self.record.id, RunStatus(result.status), error=error_json)
        return show_run(self._home, self.record.id)

    def _run(self, take: OnEvent) -> RunResult:
        from modelwright.run.runner import Runner

        target = self.record.target
        nodes = self.plan.graph.nodes
        others = {nodes[step.node].compute for step in self.plan.steps} - {"", target}
        runner = Runner(
            self._home.target(target),
            others={name: self._home.target(name) for name in sorted(others)},
            logs=self._home.run_logs,
            secrets=self._home.reveal_secret,
        )
        return runner.run(self.plan, run=self.record.id, on_event=take, cancel=self._cancel)

    def _metrics(self, result: RunResult) -> Iterator[Metric]:
        from modelwright.components.learning.metrics import of_all_rows
        from modelwright.data.table import Table

        for step in result.steps.values():
            output = step.outputs.get(EVALUATION)
            table = self._home.store.get(output.digest) if output else None
            if not isinstance(table, Table):
                continue
            ports = list(self.plan.step(step.node).inputs)
            for port, row in zip(ports, of_all_rows(table.frame).rows(named=True), strict=False):
                for name, value in row.items():
                    if isinstance(value, int | float):
                        labels = {"port": port}
                        yield Metric(node=step.node, name=name, value=value, labels=labels)

    def _give_up(self, error: BaseException) -> None:
        runs = self._home.workspace.runs
        known = error.to_json() if isinstance(error, ModelwrightError) else None
        cancelled = isinstance(error, KeyboardInterrupt)
        end = RunStatus.CANCELLED if cancelled else RunStatus.FAILED
        with self._home.workspace.transaction():
            runs.steps.end_open(
                self.record.id, StepStatus.CANCELLED, reason="The run was given up."
            )
            runs.finish(self.record.id, end, error=known)


def begin_run(
    home: Home,
    graph: Graph,
    *,
    layout: Layout | None = None,
    settings: Mapping[str, Any] | None = None,
    until: str | None = None,
    rerun: bool = False,
    regenerate: Collection[str] = (),
    name: str | None = None,
    experiment: str | None = None,
    draft_id: str | None = None,
    draft_revision: int | None = None,
    person: str | None = None,
    tags: Mapping[str, str] | None = None,
    target: str | None = None,
) -> OpenRun:
    """Plan a run and enter it in the workspace; `work` of what it gives does the work.

    layout: where the nodes stand in a file; the draft's own is known by its revision.
    settings, until, rerun and regenerate: as `plan_pipeline` has them.  experiment: the pipeline's
    name unless given.  Raises what `plan_pipeline` raises, and then nothing is entered.
    """
    chosen, _ = targets_of(home, graph, target)
    plan = plan_pipeline(
        home, graph, settings=settings, until=until, rerun=rerun, regenerate=regenerate
    )
    steps = [
        NewStep(
            node=step.node,
            component=step.task.component.__component__.id,
            key=step.key,
            reason=step.reason,
            outputs=stored_outputs(step.outputs),
        )
        for step in plan.steps
    ]
    # Entered with its process in one go, so that a run whose process is killed is told as such.
    with home.workspace.transaction():
        record = home.workspace.runs.create(
            experiment or graph.name or "Pipelines without a name",
            graph=write(Document(graph, layout or Layout())),
            name=name,
            draft_id=draft_id,
            draft_revision=draft_revision,
            parameters=submitted(graph, settings or {}),
            person=person,
            tags=tags,
            target=chosen,
            steps=steps,
            assets=assets_in(plan.graph),
        )
        record = home.workspace.runs.start(record.id, runner=this_process())
    return OpenRun(home, record, plan)


def run_pipeline(
    home: Home,
    graph: Graph,
    *,
    settings: Mapping[str, Any] | None = None,
    until: str | None = None,
    rerun: bool = False,
    regenerate: Collection[str] = (),
    on_event: OnEvent | None = None,
) -> RunReport:
    """Run a pipeline to its end.  Raises RunFailed and RunCancelled, and what `begin_run` raises."""
    run = begin_run(home, graph, settings=settings, until=until, rerun=rerun, regenerate=regenerate)
    report = run.work(on_event)
    require_completed(report)
    return report


def require_completed(report: RunReport) -> None:
    """Raise RunFailed or RunCancelled unless every step of a run has done its work."""
    run = report.run
    if run.status is RunStatus.CANCELLED:
        raise RunCancelled(run.id)
    if run.status is RunStatus.FAILED:
        failures = tuple({**s.error, "node": s.node} for s in report.steps if s.error)
        raise RunFailed(run.id, failures or ((run.error,) if run.error else ()))


def assets_in(graph: Graph) -> tuple[AssetReference, ...]:
    """The datasets that a pipeline names."""
    return tuple(
        AssetReference(
            AssetKind.DATASET, str(node.parameters.get("name")), node.parameters.get("version")
        )
        for node in graph.nodes.values()
        if node.component == DATASET
    )
