"""Commands that clean up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table

if TYPE_CHECKING:
    from modelwright.actions.cleaning import CleanUp

app = typer.Typer(no_args_is_help=True)

DaysOption = Annotated[
    float | None,
    typer.Option(
        "--older-than-days",
        metavar="DAYS",
        show_default=False,
        help="Runs that ended, and drafts that were deleted, longer ago go.",
    ),
]
SizeOption = Annotated[
    float | None,
    typer.Option(
        "--most-gb",
        metavar="NUMBER",
        show_default=False,
        help="The oldest runs go until the store takes no more.",
    ),
]


@app.command()
def space(home: HomeOption = None, json: JsonOption = False) -> None:
    """Show what takes how many bytes."""
    from modelwright.actions.cleaning import disk_space

    with opened(home) as here:
        found = disk_space(here)
    if json:
        put_json(found)
        return
    put_table(("KIND", "VALUES", "BYTES"), ((s.kind, s.count, s.size) for s in found))


@app.command()
def plan(
    older_than_days: DaysOption = None,
    most_gb: SizeOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a clean-up would take away, and which old runs stay and why."""
    from modelwright.actions.cleaning import plan_clean_up

    with opened(home) as here:
        found = plan_clean_up(here, older_than_days=older_than_days, most_gb=most_gb)
    _put(found, json=json)


@app.command()
def up(
    older_than_days: DaysOption = None,
    most_gb: SizeOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Take away old runs, deleted drafts, and stored values that nothing names any more."""
    from modelwright.actions.cleaning import clean_up

    with opened(home) as here:
        found = clean_up(here, older_than_days=older_than_days, most_gb=most_gb)
    _put(found, json=json)


def _put(found: CleanUp, *, json: bool) -> None:
    if json:
        put_json(found)
        return
    put(
        f"{len(found.runs)} runs, {len(found.drafts)} deleted drafts, "
        f"{found.values} stored values of {found.size} bytes."
    )
    if found.kept:
        put()
        put_table(("STAYS", "NEEDED BY"), ((k.run, ", ".join(k.needed_by)) for k in found.kept))
