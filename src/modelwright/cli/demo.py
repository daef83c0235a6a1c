"""The tutorial in one command: train, evaluate, convert, deploy and score over HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli.place import HomeOption, opened
from modelwright.cli.printing import put, put_table, seconds, written
from modelwright.cli.server import HostOption, PortOption

if TYPE_CHECKING:
    from modelwright.actions.conversions import Converted
    from modelwright.actions.home import Home
    from modelwright.actions.runs import RunReport

_SHOWN = ("make", "body-style", "horsepower", "Scored Labels")


def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help="Then keep the server up, and print a login address.")
    ] = False,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8765,
    home: HomeOption = None,
) -> None:
    """Do the whole tutorial: predict the price of cars, from the data to an endpoint."""
    from modelwright.actions.conversions import require_parity
    from modelwright.actions.inference_drafts import make_inference_pipeline
    from modelwright.actions.tutorial import tutorial_pipeline

    begun = time.monotonic()
    with opened(home) as here:
        put(f"Home: {here.folder}")
        report = _run(here)
        _head("Convert it to an inference pipeline")
        converted = make_inference_pipeline(here, report.run.id, document=tutorial_pipeline())
        _put_conversion(converted)
        require_parity(converted)
        _deploy(here, converted)
        _score(here)
        put()
        put(f"Done in {seconds(time.monotonic() - begun)}.")
        if serve:
            from modelwright.cli.server import stay_up

            stay_up(here, host, port)
        else:
            _put_next(report)


def _run(home: Home) -> RunReport:
    from modelwright.actions.run_pipeline import require_completed
    from modelwright.actions.tutorial import begin_tutorial
    from modelwright.cli.run import put_metrics
    from modelwright.cli.working import work

    begun = begin_tutorial(home)
    _head(f"Run the sample pipeline: {begun.record.experiment}")
    report = work(begun)
    require_completed(report)
    took = seconds(report.seconds)
    if report.counts.get("done"):
        counted = ", ".join(f"{number} {status}" for status, number in report.counts.items())
        put(f"{report.run.id} completed in {took} ({counted})")
    else:
        put(f"{report.run.id} completed in {took}: nothing has changed, every step is reused")
    put_metrics(report.metrics)
    return report


def _put_conversion(converted: Converted) -> None:
    from modelwright.cli.pipeline import put_conversion

    put_conversion(converted)


def _deploy(home: Home, converted: Converted) -> None:
    from modelwright.actions.endpoints import deploy_endpoint
    from modelwright.actions.tutorial import ENDPOINT
    from modelwright.workspace.records.endpoints import DeploymentLineage

    _head(f'Deploy it as the endpoint "{ENDPOINT}"')
    begun = time.monotonic()
    deployed = deploy_endpoint(
        home,
        converted.document.graph,
        name=ENDPOINT,
        description="Predicts the price of a car (tutorial).",
        lineage=DeploymentLineage(training_run_id=converted.run.id),
    )
    took = seconds(time.monotonic() - begun)
    put(
        f"Deployed in {took}."
        if deployed.is_new
        else "It serves this very pipeline already; nothing is deployed anew."
    )
    put(f"Scoring address: {deployed.report.scoring_url}")


def _score(home: Home) -> None:
    from modelwright.actions.scoring import sample_rows, score_rows
    from modelwright.actions.tutorial import ENDPOINT

    _head("Score a car over HTTP")
    begun = time.monotonic()
    scored = score_rows(home, ENDPOINT, sample_rows(home, ENDPOINT))
    took = seconds(time.monotonic() - begun)
    (rows,) = scored.results.values()
    put_table(
        [name for name in _SHOWN if name in rows[0]],
        ([written(row[name]) for name in _SHOWN if name in row] for row in rows),
    )
    put(f"Answered in {took}.")


def _put_next(report: RunReport) -> None:
    from modelwright.actions.tutorial import ENDPOINT

    put("The endpoint goes on answering. What you may do next:")
    put_table(
        ("COMMAND", "WHAT IT DOES"),
        (
            (f"modelwright run show {report.run.id}", "look at every step of the run"),
            (f"modelwright endpoint show {ENDPOINT}", "see what a request looks like"),
            (f"modelwright endpoint keys {ENDPOINT}", "get the keys that open it"),
            ("modelwright up", "start the server"),
            (f"modelwright endpoint delete {ENDPOINT}", "stop the endpoint and remove it"),
        ),
    )


def _head(text: str) -> None:
    put()
    put(text)
    put("-" * len(text))
