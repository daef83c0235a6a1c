"""The command `modelwright`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from modelwright.cli import (
    cleaning,
    cluster,
    component,
    compute,
    connection,
    consuming,
    dataset,
    draft,
    endpoint,
    model,
    pipeline,
    token,
)
from modelwright.cli import run as runs
from modelwright.cli.demo import demo
from modelwright.cli.place import choose
from modelwright.cli.printing import put
from modelwright.cli.rim import guarded
from modelwright.cli.server import up

app = typer.Typer(
    name="modelwright",
    help="Build machine-learning pipelines, run them, and deploy them as endpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(component.app, name="component", help="What a node can do.")
app.add_typer(dataset.app, name="dataset", help="Data that pipelines read by name.")
app.add_typer(model.app, name="model", help="Models by name, also such as were trained elsewhere.")
app.add_typer(connection.app, name="connection", help="Where Import Data and Export Data lead.")
app.add_typer(draft.app, name="draft", help="The studio's pipelines: convert, update, deploy.")
app.add_typer(pipeline.app, name="pipeline", help="Check, run and convert pipelines.")
app.add_typer(runs.app, name="run", help="Look at runs and at what they left.")
app.add_typer(cluster.app, name="cluster", help="Where endpoints run, and how much room there is.")
app.add_typer(compute.app, name="compute", help="Where runs are worked on.")
app.add_typer(endpoint.app, name="endpoint", help="Serve inference pipelines over HTTP.")
app.add_typer(cleaning.app, name="clean", help="What takes space, and what may go.")
app.add_typer(token.app, name="token", help="What lets programs in.")
endpoint.app.command()(consuming.snippet)
endpoint.app.command()(consuming.training)
app.command()(demo)
app.command()(up)
app.command()(token.login)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        put(f"modelwright {version('modelwright')}")
        raise typer.Exit


@app.callback()
def _program(
    home: Annotated[
        Path | None,
        typer.Option(
            "--home",
            metavar="DIR",
            envvar="MODELWRIGHT_HOME",
            show_default="the user's data folder",
            help="Folder of the database, the artifacts and the endpoints.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    choose(home)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the status to exit with."""
    return guarded(
        lambda: app(
            args=None if arguments is None else list(arguments),
            prog_name="modelwright",
            standalone_mode=False,
        )
    )


def main() -> None:
    """Run the command line this process was started with."""
    sys.exit(run())
