"""Pipelines run, converted and deployed without a server, on the same actions as every door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from modelwright.client.endpoint import Endpoint, Row
from modelwright.client.home import home_folder, opened
from modelwright.client.outcome import Conversion, RunOutcome, StepOutcome

if TYPE_CHECKING:
    import polars as pl

    from modelwright.actions.runs import RunReport
    from modelwright.data.store import Store
    from modelwright.graph.codec import Document
    from modelwright.graph.graph import Graph
    from modelwright.run.events import Event


def run_here(
    document: Document,
    home: Path | None,
    *,
    parameters: Mapping[str, Any] | None,
    until: str | None,
    rerun: bool,
    experiment: str | None,
    target: str | None,
    on_event: Callable[[Event], None] | None,
) -> RunOutcome:
    """Run a pipeline on this machine; arguments as `Pipeline.run` has them."""
    from modelwright.actions.run_pipeline import begin_run

    with opened(home) as here:
        run = begin_run(
            here,
            document.graph,
            layout=document.layout,
            settings=parameters,
            until=until,
            rerun=rerun,
            experiment=experiment,
            target=target,
        )
        return outcome_of(run.work(on_event), here.store)


def convert_here(
    document: Document, home: Path | None, run_id: str, *, kind: Literal["real-time", "batch"]
) -> Conversion:
    """Convert a pipeline on this machine; arguments as `Pipeline.convert` has them."""
    from modelwright.actions.inference_drafts import make_inference_pipeline
    from modelwright.client.pipeline import Pipeline
    from modelwright.graph.codec import write

    with opened(home) as here:
        made = make_inference_pipeline(here, run_id, document=document, kind=kind)
    return Conversion(
        made.run.id,
        Pipeline.from_yaml(write(made.document)),
        tuple(made.conversion.report()),
        made.parity.to_json() if made.parity else None,
    )


def deploy_here(
    graph: Graph,
    home: Path | None,
    *,
    name: str,
    description: str,
    settings: Mapping[str, Any] | None,
) -> Endpoint:
    """Deploy a pipeline on this machine; arguments as `Pipeline.deploy` has them."""
    from modelwright.actions.endpoints import deploy_endpoint

    with opened(home) as here:
        report = deploy_endpoint(
            here, graph, name=name, description=description, deployment=settings
        ).report
    folder = home_folder(home)

    def send(inputs: Mapping[str, Sequence[Row]]) -> Mapping[str, Sequence[Row]]:
        from modelwright.actions.scoring import score_rows

        with opened(folder) as here:
            return score_rows(here, report.record.name, inputs).results

    live = report.status.deployment if report.status else {}
    told = report.to_json()
    where = told["cluster"], told["deployments"]
    said = report.record.tags, told["access"]
    return Endpoint(report.record.name, report.state, report.scoring_url, live, *where, send, *said)


def outcome_of(report: RunReport, store: Store) -> RunOutcome:
    """A report as the client gives it."""
    from modelwright.actions.as_json import as_json

    metrics: dict[str, dict[str, dict[str, float | None]]] = {}
    for metric in report.metrics:
        port = str(metric.labels.get("port", ""))
        metrics.setdefault(metric.node, {}).setdefault(port, {})[metric.name] = metric.value
    steps = tuple(
        StepOutcome(
            step.node,
            step.component,
            step.status.value,
            step.reason,
            step.duration_s,
            {port: output.digest for port, output in step.outputs.items()},
            as_json(step.error),
        )
        for step in report.steps
    )
    return RunOutcome(
        report.run.id,
        report.run.experiment,
        report.run.status.value,
        steps,
        metrics,
        as_json(report.run.error),
        StoredValues(store),
    )


class StoredValues:
    """Values of a store on this machine."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def frame(self, digest: str) -> pl.DataFrame:
        """The rows of a stored table, mapped from its file.  Raises NoRows."""
        from modelwright.actions.table_rows import load_table
        from modelwright.data.artifact import Digest

        return load_table(self._store, Digest(digest)).frame

    def learnt(self, digest: str) -> Mapping[str, Any]:
        """What a stored value learnt; empty for one that learns nothing."""
        from modelwright.data.artifact import Digest

        found: Mapping[str, Any] = getattr(self._store.get(Digest(digest)), "learnt", {})
        return found
