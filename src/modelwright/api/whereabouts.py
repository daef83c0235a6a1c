"""Where the server of a home listens, told to the other programs of that home while it is up."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelwright.data.errors import ModelwrightError

_FILE = "server.json"


class ServerDown(ModelwrightError):
    """No server of the home is up."""

    code = "server-down"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f'No server is up on "{folder}".',
            remedy="Start it with `modelwright up`, or name another one by --host and --port.",
            folder=str(folder),
        )


@contextmanager
def told(folder: Path, host: str, port: int) -> Iterator[None]:
    """Tell where the server is, until it ends by whatever means; of several, the first one tells."""
    with (folder / _FILE).open("a+", encoding="utf-8") as file:
        try:
            # The lock goes with the process, so what a killed server wrote is not believed.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield
            return
        file.truncate(0)
        file.write(json.dumps({"host": host, "port": port}))
        file.flush()
        yield
        file.truncate(0)


def server_of(folder: Path) -> tuple[str, int]:
    """Host and port of the server that is up on a home's folder.  Raises ServerDown."""
    try:
        file = (folder / _FILE).open(encoding="utf-8")
    except FileNotFoundError:
        raise ServerDown(folder) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            found = json.load(file)
            return str(found["host"]), int(found["port"])
    raise ServerDown(folder)
