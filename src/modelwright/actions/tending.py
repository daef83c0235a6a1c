"""What time brings to endpoints that have no controller: renewed certificates, requests to be brought."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelwright.actions.clusters import LOCAL, target_on
from modelwright.data.errors import ModelwrightError

if TYPE_CHECKING:
    from modelwright.actions.home import Home

EVERY_S = 10.0
"""Seconds between two looks."""

_END_S = 60.0

_log = logging.getLogger("modelwright.endpoints")


def tend_endpoints(home: Home) -> None:
    """Look after the endpoints of every cluster that is not of this machine's processes."""
    for cluster in home.workspace.clusters.list():
        if cluster.kind == LOCAL:
            continue
        try:
            target_on(home, cluster).tend()
        except ModelwrightError as error:
            _log.warning("inference cluster %s: %s", cluster.name, error)


@contextmanager
def tended(
    home: Home, *, every_s: float = EVERY_S, tend: Callable[[Home], None] = tend_endpoints
) -> Iterator[None]:
    """Look after them again and again, on a thread, until the end."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(every_s):
            try:
                tend(home)
            except Exception:  # noqa: BLE001  # the rim of a thread: the next look may succeed
                _log.exception("endpoints are not looked after")

    thread = threading.Thread(target=go_on, name="tending", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_END_S)
