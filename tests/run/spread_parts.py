"""A component for tests of items that a step spreads over workers, and what it does with each."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import polars as pl

from modelwright.components.context import Context
from modelwright.components.contract import Component
from modelwright.components.errors import EmptyTable
from modelwright.data.table import Table
from tests.run.parts import count


class Spread(Component, category="Test"):
    """Does something with the numbers from 0 up, on whatever workers there are."""

    items: int = 4
    how: str = "square"
    place: str = ""
    kept: bool = False

    def run(self, *, context: Context) -> Table:
        order: list[int] = []

        def heard(at: int, result: int) -> None:
            order.append(at)
            item = wanted[at]
            context.report({"about": "squares", "item": item, "result": result})
            if self.kept:
                context.notes.keep(f"item {item}", {"result": result})
                if self.how == "die in the middle" and item == 1:
                    os.kill(os.getpid(), signal.SIGKILL)

        known = [n for n in range(self.items) if self.kept and context.notes.get(f"item {n}")]
        wanted = [n for n in range(self.items) if n not in known]
        found = context.map(partial(one, self.how, self.place), wanted, heard=heard)
        assert sorted(order) == list(range(len(wanted)))
        return Table(pl.DataFrame({"x": [*found, context.width]}))


def one(how: str, place: str, item: int) -> int:
    """The square of an item, got in a chosen way."""
    count(place, "items")
    if how == "meet" and item < 2:
        (Path(place) / f"item-{item}").touch()
        deadline = time.monotonic() + 20
        while not (Path(place) / f"item-{1 - item}").exists():
            if time.monotonic() > deadline:
                raise TimeoutError("the other item was not begun")
            time.sleep(0.005)
        print(f"met in {os.getpid()}")
    if how == "mistake" and item == 2:
        raise EmptyTable("dataset", 5)
    if how == "bug" and item == 2:
        raise ZeroDivisionError("a secret of the code")
    # Only a worker that was lent the item dies of it: a step's own leads a folder with its logs.
    if how.startswith("kill") and (how == "kill" or not (Path(place) / "killed").exists()):
        if lent(place):
            (Path(place) / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        # Left alone, the step's own worker would be through before another has begun.
        deadline = time.monotonic() + 20
        while not (Path(place) / "killed").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
    return item * item


def lent(place: str) -> bool:
    """Whether this process works on an item of another's step."""
    return os.getpid() != int((Path(place) / "owner").read_text())


class Owner(Spread, category="Test"):
    """The same, and notes which process runs the step."""

    def run(self, *, context: Context) -> Table:
        (Path(self.place) / "owner").write_text(str(os.getpid()))
        return super().run(context=context)
