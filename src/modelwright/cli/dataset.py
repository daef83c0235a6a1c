"""Commands about datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, tell

app = typer.Typer(no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The dataset's name.")
]
VersionOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", show_default=False, help="A version; the latest by default."),
]


@app.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", show_default=False, help="CSV, TSV, Parquet, JSON lines or Arrow."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Its name; the file's by default."),
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is.")] = "",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            show_default=False,
            help="csv, tsv, parquet, jsonl or arrow; by default what content and name say.",
        ),
    ] = None,
    separator: Annotated[
        str | None,
        typer.Option(metavar="CHARACTER", show_default=False, help="Stands between fields."),
    ] = None,
    header: Annotated[
        bool, typer.Option("--header/--no-header", help="Whether the first line holds names.")
    ] = True,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="UTF-8 unless the file says so."),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            show_default="empty, ?, NA, null, NaN",
            help="Stands for a missing value; may be given again.",
        ),
    ] = None,
    decimal: Annotated[
        str, typer.Option(metavar="CHARACTER", help="Stands before the decimals: . or ,")
    ] = ".",
    skip_rows: Annotated[int, typer.Option(min=0, help="Lines to leave out at the start.")] = 0,
    ragged: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="Rows with too many or too few fields: error, pad or skip."
        ),
    ] = "error",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Register a file's rows as a dataset, or as its next version."""
    from modelwright.actions.datasets import add_dataset
    from modelwright.data.files.options import MISSING, ReadOptions

    options = ReadOptions.from_json(
        {
            "format": format_,
            "separator": separator,
            "header": header,
            "encoding": encoding,
            "missing": MISSING if missing is None else missing,
            "decimal": decimal,
            "skip_rows": skip_rows,
            "ragged": ragged,
        }
    )
    with opened(home) as here:
        added = add_dataset(
            here, file, name=name or file.stem, options=options, description=description
        )
    for note in added.notes:
        tell(f"Note: {note.text}")
    if json:
        put_json(added)
        return
    found = added.dataset
    state = "" if added.is_new else ", which was there already"
    put(
        f"{found.name}, version {found.version}{state}: {found.rows} rows x {found.columns} columns"
    )


@app.command("list")
def list_(
    search: Annotated[str, typer.Option(metavar="WORDS", help="Only those with these words.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List datasets."""
    from modelwright.actions.datasets import list_datasets

    with opened(home) as here:
        found = list_datasets(here, search=search)
    if json:
        put_json(found)
        return
    put_table(
        ("NAME", "VERSION", "ROWS", "COLUMNS", "ADDED", "WHAT IT IS"),
        ((d.name, d.version, d.rows, d.columns, d.created_at, d.description) for d in found),
        right=("VERSION", "ROWS", "COLUMNS"),
    )


@app.command()
def show(
    name: NameArgument,
    version: VersionOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show a dataset's columns and what is in them."""
    from modelwright.actions.datasets import show_dataset
    from modelwright.cli.profile import put_profile

    with opened(home) as here:
        report = show_dataset(here, name, version=version)
    if json:
        put_json(report)
        return
    found = report.dataset
    put(f"{found.name}, version {found.version}: {found.rows} rows x {found.columns} columns")
    if len(report.versions) > 1:
        put(f"Versions: {', '.join(map(str, report.versions))}")
    if found.description:
        put(found.description)
    for label in ("source", "licence", "file"):
        if text := found.origin.get(label):
            put(f"{label.capitalize()}: {text}")
    put()
    put_profile(report.profile)


@app.command()
def delete(
    name: NameArgument,
    version: VersionOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even when a draft or an endpoint needs it.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Take a dataset away, or one version of it; runs keep what they used."""
    from modelwright.actions.datasets import delete_dataset

    with opened(home) as here:
        delete_dataset(here, name, version=version, force=force)
    put(f"{name}{f', version {version},' if version else ''} is deleted.")
