"""Commands about models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table

app = typer.Typer(no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The model's name.")
]
VersionOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", show_default=False, help="A version; the latest by default."),
]
OneVersionOption = Annotated[
    int | None,
    typer.Option(
        "--version", min=1, metavar="N", show_default=False, help="Only this; all by default."
    ),
]


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="LightGBM text, ONNX, scikit-learn saved with skops, or an MLflow folder.",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Its name; the file's by default."),
    ] = None,
    label: Annotated[
        str, typer.Option(metavar="COLUMN", help="What it predicts, as the column is called.")
    ] = "label",
    feature: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            show_default=False,
            help="A column it reads; given again for each, in the model's order.",
        ),
    ] = None,
    class_: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="VALUE",
            show_default=False,
            help="A class; given again for each, in the order of the model's answers.",
        ),
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Rows such as it was trained on: names, types and the values of texts.",
        ),
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Register a model that was trained elsewhere, for Score Model and endpoints."""
    from modelwright.actions.models import class_values, import_model, sample_rows_in

    with opened(home) as here:
        made = import_model(
            here,
            file,
            name=name or file.stem,
            label=label,
            features=feature or (),
            classes=class_values(class_ or ()),
            sample=sample_rows_in(sample) if sample else None,
            description=description,
        )
    if json:
        put_json(made)
        return
    put(f"{made.name}, version {made.version}: under My Models in the studio.")


@app.command("list")
def list_(
    search: Annotated[str, typer.Option(metavar="WORDS", help="Only those with these words.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List models and transformations."""
    from modelwright.actions.models import list_models

    with opened(home) as here:
        found = list_models(here, search=search)
    if json:
        put_json(found)
        return
    put_table(
        ("NAME", "VERSION", "KIND", "DESCRIPTION"),
        [(m.name, m.version, m.kind.value, m.description) for m in found],
    )


@app.command()
def show(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show a model or transformation: its versions with their figures, and who uses it."""
    with opened(home) as here:
        versions = here.workspace.models.versions(name)
        uses = here.workspace.models.used_by(name)
    if json:
        put_json({"versions": versions, "uses": uses})
        return
    put(f"{versions[0].name}: a {versions[0].kind}")
    if versions[0].description:
        put(versions[0].description)
    put()
    figures = tuple(dict.fromkeys(figure for v in versions for figure in v.metrics))
    put_table(
        ("VERSION", "MADE", "RUN", "DRAFT", *figures, "DIGEST"),
        (
            (
                v.version,
                v.created_at,
                v.lineage.run_id,
                v.lineage.draft_id,
                *(v.metrics.get(figure) for figure in figures),
                v.digest,
            )
            for v in versions
        ),
        right=figures,
    )
    if uses:
        put()
        put_table(
            ("USED BY", "NAME", "VERSION", "NEEDS IT NOW"),
            ((u.kind, u.title, u.version or "latest", u.active) for u in uses),
        )


@app.command()
def delete(
    name: NameArgument,
    version: OneVersionOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even when a draft or an endpoint needs it.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Take a model or transformation away, or one version of it; endpoints keep what they serve."""
    with opened(home) as here:
        here.workspace.models.delete(name, version=version, force=force)
    put(f"{name}{f', version {version},' if version else ''} is deleted.")


@app.command()
def restore(name: NameArgument, version: OneVersionOption = None, home: HomeOption = None) -> None:
    """Bring back a deleted version, or all that the last deletion hid."""
    with opened(home) as here:
        back = here.workspace.models.restore(name, version=version)
    put(f"{back.name} is back.")


@app.command()
def export(
    name: NameArgument,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            show_default=False,
            help="A folder, or a file that ends in .zip or .onnx.",
        ),
    ],
    version: VersionOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write a model as a package that scores by itself, or as ONNX."""
    from modelwright.actions.models import export_model

    with opened(home) as here:
        made = export_model(here, name, output, version=version)
    if json:
        put_json(made)
        return
    put(f"Written to {made.path}: {made.format}, {made.bytes / 1e6:.1f} MB.")
