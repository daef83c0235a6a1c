"""The commands that take a pipeline away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json

if TYPE_CHECKING:
    from modelwright.actions.exporting import Exported

OutputOption = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        show_default=False,
        help="A folder, or a file that ends in .zip or .onnx.",
    ),
]


def export_endpoint(
    name: Annotated[
        str, typer.Argument(metavar="NAME", show_default=False, help="The endpoint's name.")
    ],
    output: OutputOption,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write what an endpoint serves as a package that runs by itself, or as ONNX."""
    from modelwright.actions.exporting import export_endpoint

    with opened(home) as here:
        exported = export_endpoint(here, name, output)
    _told(exported, json=json)


def export_pipeline(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", show_default=False, help="An inference pipeline, as convert writes it."
        ),
    ],
    output: OutputOption,
    name: Annotated[
        str, typer.Option(metavar="NAME", show_default=False, help="What it is called there.")
    ] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write an inference pipeline as a package that runs by itself, or as ONNX."""
    from modelwright.actions.exporting import export_pipeline
    from modelwright.actions.pipelines import read_pipeline

    document = read_pipeline(file)
    with opened(home) as here:
        exported = export_pipeline(here, document.graph, output, name=name)
    _told(exported, json=json)


def _told(exported: Exported, *, json: bool) -> None:
    if json:
        put_json(exported)
        return
    size = f"{exported.bytes / 1e6:.1f} MB"
    put(f"Written to {exported.path}: {exported.format}, {exported.steps} steps, {size}.")
    if exported.format == "folder":
        put(f"How to start it: {exported.path / 'README.md'}")
