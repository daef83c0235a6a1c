"""The home folder that a pipeline is run in when there is no server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.actions.home import Home


def home_folder(given: Path | None) -> Path:
    """The folder that is given, that of MODELWRIGHT_HOME, or the user's own."""
    import platformdirs

    named = os.environ.get("MODELWRIGHT_HOME")
    own = Path(named) if named else platformdirs.user_data_path("modelwright", appauthor=False)
    return (given or own).expanduser().absolute()


@contextmanager
def opened(given: Path | None) -> Iterator[Home]:
    """Open a home for a while; its workers end with it."""
    from modelwright.actions.home import Home

    with Home.open(home_folder(given)) as home:
        yield home
