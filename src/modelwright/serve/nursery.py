"""A process that has everything loaded that scripts need, and makes scoring processes by forking.

    python -m modelwright.serve.nursery PACKAGE DESCRIPTOR PATH GIGABYTES

DESCRIPTOR is the number of a listening Unix socket, PATH its address.  GIGABYTES bound the memory of each process,
beyond what all of them share.  Whoever connects to it gets a fresh process at the other
end of the connection, see `worker`; it takes a few hundredths of a second, where a new interpreter takes seconds.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.data.scripting.process import ENVIRONMENT
from modelwright.inference.package import Package
from modelwright.serve import worker
from modelwright.serve.limits import die_with_parent, limit_memory

# What components import in the middle of their work; loaded here, it is loaded once for all.
_LOADED = (
    "polars",
    "pyarrow",
    "pandas",
    "modelwright.inference.table_steps",
    "modelwright.data.expression.frames",
)

_WATCH_S = 5.0

_log = logging.getLogger("modelwright.nursery")


def main(arguments: list[str]) -> int:
    """Fork a scoring process for every connection, until the socket's file is gone."""
    os.dup2(2, 1)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    path, descriptor, place = Path(arguments[0]), int(arguments[1]), Path(arguments[2])
    memory_gb = float(arguments[3])
    if "--die-with-parent" in arguments:
        die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The kernel takes note of ended children: nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(fileno=descriptor)
    package = _opened(path)
    os.environ.update(ENVIRONMENT)
    for name in _LOADED:
        if find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)
    _load_components()
    listener.settimeout(_WATCH_S)
    while True:
        try:
            channel, _ = listener.accept()
        except TimeoutError:
            if not place.exists():
                return 0
            continue
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            limit_memory(memory_gb)
            status = worker.serve_with(channel, package)
            temporary.clear()
            os._exit(status)
        channel.close()


def _opened(path: Path) -> Package | ModelwrightError:
    """The package, or what is wrong with it, for every process to tell."""
    try:
        return Package.open(path)
    except ModelwrightError as error:
        return error


def _load_components() -> None:
    from modelwright.components.library import library

    library().load()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
