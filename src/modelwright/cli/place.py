"""Which home a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modelwright.actions.home import Home

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        show_default=False,
        help="Folder of the database, the artifacts and the endpoints.",
    ),
]
"""For commands; the program itself takes the option too, and MODELWRIGHT_HOME."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_chosen: ContextVar[Path | None] = ContextVar("home", default=None)


def choose(home: Path | None) -> None:
    """Work on this home from now on; None leaves the choice as it is."""
    if home is not None:
        _chosen.set(home)


def forget() -> None:
    """Go back to the default home."""
    _chosen.set(None)


def chosen_home() -> Path:
    """The home to work on: the one chosen, or the user's."""
    return (_chosen.get() or default_home()).expanduser().absolute()


def default_home() -> Path:
    """Where data of programs is kept for this user on this platform."""
    import platformdirs

    return platformdirs.user_data_path("modelwright", appauthor=False)


@contextmanager
def opened(home: Path | None) -> Iterator[Home]:
    """Open the home a command was given, or the one chosen before, for a while."""
    from modelwright.actions.home import Home

    choose(home)
    with Home.open(chosen_home()) as here:
        yield here
