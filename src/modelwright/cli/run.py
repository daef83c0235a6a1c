"""Commands about runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, seconds, tell, written
from modelwright.data.errors import ModelwrightError

if TYPE_CHECKING:
    from modelwright.actions.runs import RunReport
    from modelwright.actions.sweeps import Sweep
    from modelwright.graph.graph import Pin
    from modelwright.workspace.records.runs import Metric, Run

app = typer.Typer(no_args_is_help=True)

TRIES = 10
"""So many tries of a sweep are shown unless more are asked for."""

RunArgument = Annotated[
    str, typer.Argument(metavar="ID", show_default=False, help='The run\'s id, or "latest".')
]


class MalformedPin(ModelwrightError):
    """A text on the command line does not name a port of a node."""

    code = "malformed-pin"

    def __init__(self, text: str) -> None:
        super().__init__(
            f'"{text}" does not name a port of a node.',
            remedy="Write NODE.PORT, such as train-model.trained_model.",
            text=text,
        )


@app.command("list")
def list_(
    experiment: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Only of this experiment."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at the most.")] = 20,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List runs, the latest first."""
    from modelwright.actions.runs import list_runs

    with opened(home) as here:
        page = list_runs(here, experiment=experiment, limit=limit)
    if json:
        put_json([_short(record) for record in page.items])
        return
    put_table(
        ("ID", "EXPERIMENT", "STATUS", "BEGUN", "TOOK"),
        (
            (
                r.id,
                r.experiment,
                r.status,
                r.created_at,
                seconds((r.finished_at - r.started_at).total_seconds())
                if r.started_at and r.finished_at
                else None,
            )
            for r in page.items
        ),
    )
    if page.total > len(page.items):
        put(f"{len(page.items)} of {page.total} runs; see more with --limit.")


@app.command()
def show(
    run_id: RunArgument,
    tries: Annotated[
        int, typer.Option(min=1, max=10_000, help="Tries of a sweep to show, the best first.")
    ] = TRIES,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show a run: its steps, what they left, the settings that were tried, and the metrics."""
    from modelwright.actions.runs import show_run
    from modelwright.actions.sweeps import sweeps_of
    from modelwright.cli.sweeps import put_sweep

    with opened(home) as here:
        report = show_run(here, run_id)
        sweeps = sweeps_of(here, report.run.id)
    if json:
        put_report_json(report, sweeps)
        return
    put_report(report)
    for sweep in sweeps:
        put_sweep(sweep, most=tries)


@app.command()
def follow(
    run_id: RunArgument,
    home: HomeOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print each event as a line of JSON.")
    ] = False,
) -> None:
    """Follow a run that goes on elsewhere, such as in the studio, until it has ended.

    A line for each step that ends, and for each try of a sweep with the best so far.  It ends as
    the command that began the run does: with an error when the run failed or was cancelled.
    """
    from modelwright.actions.run_pipeline import require_completed
    from modelwright.actions.runs import find_run, show_run
    from modelwright.actions.sweeps import follow_run
    from modelwright.cli.following import put_event, put_event_json

    with opened(home) as here:
        run = find_run(here, run_id)
        titles: dict[str, str] = {}
        for event in follow_run(here, run.id):
            if json:
                put_event_json(event)
            else:
                put_event(event, titles)
        report = show_run(here, run.id)
    if not json:
        put(f"{run.id} {report.run.status}.")
    require_completed(report)


@app.command()
def output(
    run_id: RunArgument,
    pin: Annotated[
        str, typer.Argument(metavar="NODE.PORT", show_default=False, help="A port of a node.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            show_default=False,
            help="Write it to this file: .csv, .tsv, .parquet, .jsonl or .arrow.",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="Rows to show.")] = 10,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a step left on a port, or write it to a file."""
    from modelwright.actions.outputs import preview_output, write_output
    from modelwright.actions.runs import load_output
    from modelwright.cli.preview import put_preview

    wanted = _pin(pin)
    with opened(home) as here:
        value = load_output(here, run_id, wanted)
        if file is not None:
            write_output(value, file)
            tell(f"{wanted} written to {file}.")
            return
        preview = preview_output(value, rows=rows)
    if json:
        put_json(preview)
        return
    put_preview(preview, most=rows)


@app.command()
def log(
    run_id: RunArgument,
    node: Annotated[str, typer.Argument(metavar="NODE", show_default=False, help="A node's id.")],
    home: HomeOption = None,
) -> None:
    """Print what a step has written."""
    from modelwright.actions.runs import read_log

    with opened(home) as here:
        text = read_log(here, run_id, node)
    if text:
        put(text.removesuffix("\n"))


@app.command()
def cancel(run_id: RunArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Ask a run to end early; its finished steps stay."""
    from modelwright.actions.runs import cancel_run

    with opened(home) as here:
        record = cancel_run(here, run_id)
    if json:
        put_json(_short(record))
        return
    put(
        f"{record.id} is {record.status}."
        if record.status.finished
        else f"{record.id} will end soon."
    )


@app.command()
def register(
    run_id: RunArgument,
    pin: Annotated[
        str,
        typer.Argument(
            metavar="NODE.PORT", show_default=False, help="Such as train-model.trained_model."
        ),
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", show_default=False, help="New, or for a next version.")
    ],
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is.")] = "",
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            show_default=False,
            help="A column that requests lack, such as the label, for a transformation; may be given again.",
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Register what a step left on a port: a table as a dataset, a fitted value as a model."""
    from modelwright.actions.registering import register_output

    with opened(home) as here:
        made = register_output(
            here, run_id, _pin(pin), name=name, description=description, without=without or ()
        )
    if json:
        put_json(made)
        return
    put(f"{made.name}, version {made.version}, is registered.")


@app.command()
def delete(
    run_id: RunArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Even when a draft or an endpoint comes from it.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Forget a run that has ended, with its logs; values that something names stay."""
    from modelwright.actions.cleaning import delete_run
    from modelwright.actions.runs import find_run

    with opened(home) as here:
        found = find_run(here, run_id)
        delete_run(here, found.id, force=force)
    put(f"{found.id} is deleted.")


def _short(record: Run) -> dict[str, Any]:
    """A run without its pipeline, for lists."""
    from modelwright.actions.as_json import as_json

    return {name: value for name, value in as_json(record).items() if name != "graph"}


def put_report_json(report: RunReport, sweeps: tuple[Sweep, ...]) -> None:
    """Write a run with its steps, metrics, and the settings that were tried, as JSON."""
    from modelwright.actions.as_json import as_json

    put_json({**as_json(report), "sweeps": as_json(sweeps)})


def put_report(report: RunReport) -> None:
    """Write a run's state, its steps and its metrics."""
    run = report.run
    counted = ", ".join(f"{number} {status}" for status, number in report.counts.items())
    took = f" in {seconds(report.seconds)}" if report.seconds is not None else ""
    put(f"{run.experiment}: {run.id} {run.status}{took} ({counted})")
    if run.parameters:
        put("Set: " + ", ".join(f"{k}={written(v)}" for k, v in run.parameters.items()))
    put()
    put_table(
        ("NODE", "STATUS", "TOOK", "RESULTS", "WHY"),
        (
            (
                step.node,
                step.status,
                seconds(step.duration_s) if step.status != "reused" else None,
                ", ".join(_result(port, o.rows, o.columns) for port, o in step.outputs.items()),
                step.error["message"] if step.error else step.reason,
            )
            for step in report.steps
        ),
    )
    put_metrics(report.metrics)


def put_metrics(metrics: tuple[Metric, ...]) -> None:
    """Write the figures that nodes measured, a row for each evaluated dataset."""
    from modelwright.actions.metrics import metric_tables

    for table in metric_tables(metrics):
        put()
        put_table(
            ("METRIC", *table.columns),
            ((name, *values) for name, values in table.rows),
            right=table.columns,
        )


def _result(port: str, rows: int | None, columns: int | None) -> str:
    return f"{port} {rows} x {columns}" if rows is not None else port


def _pin(text: str) -> Pin:
    from modelwright.graph.graph import Pin

    try:
        return Pin.parse(text)
    except ValueError:
        raise MalformedPin(text) from None
