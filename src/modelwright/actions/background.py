"""Runs that go on while this program does other things, and what happens in them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.actions.interrupted import RunInterrupted
from modelwright.actions.recorder import PASSING
from modelwright.data.errors import ModelwrightError
from modelwright.workspace.errors import WrongState
from modelwright.workspace.records.runs import Event as StoredEvent
from modelwright.workspace.records.runs import RunStatus, StepStatus

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.actions.run_pipeline import OpenRun
    from modelwright.run.events import Event

log = logging.getLogger(__name__)

_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """An event on its way to whoever follows a run.

    seq: as the workspace numbers it; None for one that is not kept: a line of a log, progress.
    data: kind, at, and the fields of the kind, as JSON.
    """

    seq: int | None
    data: Mapping[str, Any]


Deliver = Callable[[Told | None], None]
"""Takes an event at once, on any thread, or None when there will be no more."""


class Feed:
    """What happens in one run, from its beginning, for any number of followers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Told] = []
        self._followers: list[Deliver] = []
        self._over = False

    def take(self, event: Event) -> None:
        """Hand an event on."""
        with self._lock:
            # Its own number counts what is not kept too.
            data = {name: value for name, value in event.to_json().items() if name != "seq"}
            if isinstance(event, PASSING):
                told = Told(None, data)
            else:
                # The recorder writes just these, in this order, so the workspace counts alike.
                told = Told(len(self._kept) + 1, data)
                self._kept.append(told)
            for deliver in self._followers:
                deliver(told)

    def end(self) -> None:
        """Say that there will be no more."""
        with self._lock:
            self._over = True
            for deliver in self._followers:
                deliver(None)
            self._followers.clear()

    def follow(self, deliver: Deliver, *, since: int = 0) -> Callable[[], None]:
        """Deliver the events after number `since`, those to come too; gives the way to stop it."""
        with self._lock:
            for told in self._kept[since:]:
                deliver(told)
            if self._over:
                deliver(None)
            else:
                self._followers.append(deliver)

        def stop() -> None:
            with self._lock, suppress(ValueError):
                self._followers.remove(deliver)

        return stop


class BackgroundRuns:
    """The runs that this process works on, each on a thread of its own."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._open: dict[str, tuple[OpenRun, Feed, threading.Thread]] = {}
        self._stopped = False

    def work_on(self, run: OpenRun) -> Feed:
        """Begin to work on a run that was entered in the workspace."""
        feed = Feed()
        name = run.record.id
        thread = threading.Thread(
            target=self._work, args=(run, feed), name=f"work on {name}", daemon=True
        )
        with self._lock:
            self._open[name] = (run, feed, thread)
        thread.start()
        return feed

    def feed(self, run_id: str) -> Feed | None:
        """What happens in a run; None unless this process works on it."""
        with self._lock:
            found = self._open.get(run_id)
        return found[1] if found else None

    def cancel(self, run_id: str) -> None:
        """End a run early, if this process works on it."""
        with self._lock:
            found = self._open.get(run_id)
        if found:
            found[0].cancel()

    def ids(self) -> tuple[str, ...]:
        """The runs that are worked on, the first begun first."""
        with self._lock:
            return tuple(self._open)

    def join(self, run_id: str, timeout_s: float | None = None) -> None:
        """Wait until a run has ended, if this process works on it."""
        with self._lock:
            found = self._open.get(run_id)
        if found:
            found[2].join(timeout_s)

    def stop(self) -> None:
        """Give up every run, since the program ends; finished steps will be reused."""
        with self._lock:
            self._stopped = True
            left = dict(self._open)
        runs = self._home.workspace.runs
        for run_id, (run, _, _) in left.items():
            with suppress(WrongState), self._home.workspace.transaction():
                runs.finish(run_id, RunStatus.FAILED, error=RunInterrupted(run_id).to_json())
                runs.steps.end_open(
                    run_id, StepStatus.CANCELLED, reason="The program that ran it ended."
                )
            run.cancel()
        for _, _, thread in left.values():
            thread.join(_PATIENCE_S)

    def _work(self, run: OpenRun, feed: Feed) -> None:
        try:
            run.work(feed.take)
        except ModelwrightError as error:
            # It stands in the workspace already, as the end of the run.
            if not self._stopped:
                log.warning("run %s was given up: %s", run.record.id, error)
        except Exception:
            log.exception("run %s was given up", run.record.id)
        finally:
            with self._lock:
                self._open.pop(run.record.id, None)
            feed.end()


def told_again(event: StoredEvent) -> Told:
    """An event that the workspace has kept, as a feed tells it."""
    return Told(event.seq, {"kind": event.kind, **event.data})
