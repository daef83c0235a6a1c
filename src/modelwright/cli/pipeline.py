"""Commands about pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli.export import export_pipeline
from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, tell
from modelwright.cli.settings import SettingsOption, parse_settings

if TYPE_CHECKING:
    from modelwright.actions.conversions import Converted
    from modelwright.graph.problems import Problem
    from modelwright.run.plan import Plan

app = typer.Typer(no_args_is_help=True)
app.command("export")(export_pipeline)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", show_default=False, help="A pipeline file (YAML).")
]
UntilOption = Annotated[
    str | None,
    typer.Option(metavar="NODE", show_default=False, help="Only this node and what it needs."),
]
RerunOption = Annotated[bool, typer.Option("--rerun", help="Reuse no result.")]


@app.command()
def check(file: FileArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Say what keeps a pipeline from running; exit status 2 when something does."""
    from modelwright.actions.pipelines import check_pipeline, read_pipeline
    from modelwright.graph.problems import PipelineProblems

    document = read_pipeline(file)
    with opened(home) as here:
        found = check_pipeline(here, document.graph)
    if json:
        put_json(
            {
                "pipeline": document.graph.name,
                "nodes": len(document.graph.nodes),
                "problems": found.problems,
                "can_run": not found.errors,
            }
        )
    else:
        _put_problems(found.problems)
        if not found.errors:
            put(f"{document.graph.name}: {len(document.graph.nodes)} nodes, ready to run.")
    if found.errors:
        raise PipelineProblems(found.errors)


@app.command()
def plan(
    file: FileArgument,
    settings: SettingsOption = None,
    until: UntilOption = None,
    rerun: RerunOption = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say which steps a run would take, which it would reuse, and why."""
    from modelwright.actions.pipelines import plan_pipeline, read_pipeline

    given = parse_settings(settings)
    document = read_pipeline(file)
    with opened(home) as here:
        made = plan_pipeline(here, document.graph, settings=given, until=until, rerun=rerun)
    if json:
        put_json(made)
        return
    _put_problems(made.warnings)
    _put_plan(made)


@app.command()
def parameters(file: FileArgument, json: JsonOption = False) -> None:
    """List what a submission may set: pipeline parameters with their defaults."""
    from modelwright.actions.pipelines import parameters_of, read_pipeline

    found = parameters_of(read_pipeline(file).graph)
    if json:
        put_json(found)
        return
    put_table(
        ("NAME", "TYPE", "DEFAULT", "SETS", "DESCRIPTION"),
        ((p.name, p.type, p.default, ", ".join(p.sets), p.description) for p in found),
    )


@app.command()
def run(
    file: FileArgument,
    settings: SettingsOption = None,
    until: UntilOption = None,
    rerun: RerunOption = False,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", show_default=False, help="Name of the run.")
    ] = None,
    compute: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help="The compute cluster to run on; the pipeline's own unless given.",
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what the steps write.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Run a pipeline; what has not changed is reused."""
    from modelwright.actions.pipelines import read_pipeline
    from modelwright.actions.run_pipeline import begin_run, require_completed
    from modelwright.actions.sweeps import sweeps_of
    from modelwright.cli.run import TRIES, put_report, put_report_json
    from modelwright.cli.sweeps import put_sweep
    from modelwright.cli.working import work

    given = parse_settings(settings)
    document = read_pipeline(file)
    with opened(home) as here:
        begun = begin_run(
            here,
            document.graph,
            layout=document.layout,
            settings=given,
            until=until,
            rerun=rerun,
            name=name,
            target=compute,
        )
        for problem in begun.plan.warnings:
            tell(f'warning [{problem.code}] at "{problem.node}": {problem.happened}')
            tell(f"  {problem.remedy}")
        report = work(begun, verbose=verbose)
        sweeps = sweeps_of(here, report.run.id)
    if json:
        put_report_json(report, sweeps)
    else:
        put_report(report)
        for sweep in sweeps:
            put_sweep(sweep, most=TRIES)
    require_completed(report)


@app.command()
def convert(
    file: FileArgument,
    run_id: Annotated[
        str,
        typer.Option(
            "--run", metavar="ID", show_default=False, help='A run of this pipeline, or "latest".'
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            show_default=False,
            help="Write the inference pipeline to this file.",
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make an inference pipeline of one that has run; say what became of every node, and why.

    Its model and transformations are registered as "MD - NAME" and "TD - NAME".
    """
    from modelwright.actions.conversions import require_parity
    from modelwright.actions.inference_drafts import make_inference_pipeline
    from modelwright.actions.pipelines import read_pipeline, write_pipeline

    document = read_pipeline(file)
    with opened(home) as here:
        converted = make_inference_pipeline(here, run_id, document=document)
    if json:
        put_json(converted)
    else:
        put_conversion(converted)
    require_parity(converted)
    if output is not None:
        write_pipeline(converted.document, output)
        tell(f"Inference pipeline written to {output}.")


def put_conversion(converted: Converted) -> None:
    """Write what became of every node, the label columns that fell away, and the parity check."""
    put_table(
        ("NODE", "TITLE", "WHAT", "WHY", "STANDS FOR IT"),
        (
            (c.node, c.title, c.action, c.reason, ", ".join(n for n in c.by if n != c.node))
            for c in converted.conversion.changes
        ),
    )
    put()
    if converted.conversion.absent:
        listed = ", ".join(f'"{name}"' for name in converted.conversion.absent)
        put(f"Requests need not have {listed}: that is what is predicted.")
    if converted.parity is not None:
        put(f"Parity: {converted.parity.verdict}; {converted.parity.reason}.")


def _put_problems(problems: tuple[Problem, ...]) -> None:
    if problems:
        put_table(
            ("SEVERITY", "NODE", "CODE", "WHAT IS WRONG", "WHAT TO DO"),
            ((p.severity, p.node, p.code, p.happened, p.remedy) for p in problems),
        )
        put()


def _put_plan(made: Plan) -> None:
    put_table(
        ("NODE", "TITLE", "ACTION", "WHY"),
        (
            (
                step.node,
                step.title,
                step.action if step.certain else "run if changed",
                step.reason,
            )
            for step in made.steps
        ),
    )
