"""Work on a run while it is shown; the first Ctrl-C cancels it, a second one ends the program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from modelwright.cli.printing import tell
from modelwright.cli.progress import watch

if TYPE_CHECKING:
    from modelwright.actions.run_pipeline import OpenRun
    from modelwright.actions.runs import RunReport


def work(run: OpenRun, *, verbose: bool = False) -> RunReport:
    """Work on a run to its end and show how it comes along."""
    with _cancelled_by_signals(run), watch(run.plan, verbose=verbose) as shown:
        return run.work(shown.take)


@contextmanager
def _cancelled_by_signals(run: OpenRun) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def cancel(number: int, frame: FrameType | None) -> None:
        signal.signal(number, former[signal.Signals(number)])
        tell("Cancelling the run; once more ends at once.")
        run.cancel()

    former = {n: signal.signal(n, cancel) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
