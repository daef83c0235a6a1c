"""Components for tests of the engine: each does one small thing, and counts its runs if asked to."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import polars as pl
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component
from modelwright.components.errors import EmptyTable
from modelwright.components.library import Library
from modelwright.components.parameters import Shown
from modelwright.data.fitted import UntrainedModel
from modelwright.data.schema import Task
from modelwright.data.table import Table


def count(folder: str, name: str) -> None:
    """Note that a component ran; the file has a byte for each time."""
    if folder:
        with (Path(folder) / name).open("ab") as file:
            file.write(b".")


class Numbers(Component, category="Test"):
    """Gives rows that count up."""

    rows: int = 3
    start: int = 0
    mode: str = "plain"
    step: Annotated[int, Shown(mode="stepped")] = 2
    counted: str = ""

    def run(self) -> Table:
        count(self.counted, "numbers")
        return Table(pl.DataFrame({"x": range(self.start, self.start + self.rows)}))


class Add(Component, category="Test"):
    """Adds an amount to every number."""

    amount: int = 1
    counted: str = ""

    def run(self, dataset: Table) -> Table:
        count(self.counted, f"add-{self.amount}")
        return dataset.of(dataset.frame.with_columns(pl.col("x") + self.amount))


class Clip(Component, category="Test"):
    """Leaves at most so much of every number."""

    most: int = 1
    counted: str = ""

    def run(self, dataset: Table) -> Table:
        count(self.counted, "clip")
        return dataset.of(dataset.frame.with_columns(pl.col("x").clip(upper_bound=self.most)))


class Halves(NamedTuple):
    first: Table
    second: Table | None


class Halve(Component, category="Test"):
    """Gives the first row, and the others where there are any."""

    def run(self, dataset: Table) -> Halves:
        rest = dataset.frame.slice(1)
        return Halves(dataset.of(dataset.frame.head(1)), dataset.of(rest) if rest.height else None)


class Join(Component, category="Test"):
    """Puts two tables below each other; the second one may be missing."""

    counted: str = ""

    def run(self, first: Table, second: Table | None) -> Table:
        count(self.counted, "join")
        return first.of(pl.concat([first.frame, second.frame])) if second else first


class Learner(Component, category="Test"):
    """Gives a learner to be trained."""

    strength: int = 1

    def run(self) -> UntrainedModel:
        return UntrainedModel(Task.REGRESSION, "learner", 1, {"strength": self.strength})


class Teach(Component, category="Test"):
    """Takes a learner and gives its strength."""

    counted: str = ""

    def run(self, learner: UntrainedModel) -> Table:
        count(self.counted, "teach")
        return Table(pl.DataFrame({"x": [learner.parameters["strength"]]}))


class Dice(Component, category="Test", deterministic=False):
    """Gives another number each time, or always the same."""

    fair: bool = True
    counted: str = ""

    def run(self) -> Table:
        count(self.counted, "dice")
        return Table(pl.DataFrame({"x": [time.time_ns() if self.fair else 4]}))


class Meet(Component, category="Test"):
    """Waits until another step has come to the same place."""

    place: str
    name: str
    other: str

    def run(self, dataset: Table) -> Table:
        (Path(self.place) / self.name).touch()
        deadline = time.monotonic() + 20
        while not (Path(self.place) / self.other).exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.other} did not come")
            time.sleep(0.005)
        return dataset


class Hang(Component, category="Test"):
    """Never ends; says so by a file."""

    place: str
    quietly: bool = True

    def run(self, dataset: Table | None, *, context: Context) -> Table:
        context.log("hanging")
        (Path(self.place) / "hanging").write_text(str(os.getpid()))
        if self.quietly:
            time.sleep(600)
        while True:
            sum(range(1000))


class Fail(Component, category="Test"):
    """Fails in a chosen way."""

    how: str
    once: str = ""

    def run(self, dataset: Table | None) -> Table:
        if self.once and (Path(self.once) / "failed").exists():
            return dataset or Table(pl.DataFrame({"x": [1]}))
        if self.once:
            (Path(self.once) / "failed").touch()
        print(f"about to fail: {self.how}")
        if self.how == "mistake":
            raise EmptyTable("dataset", 5)
        if self.how == "bug":
            raise ZeroDivisionError("a secret of the code")
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "segfault":
            ctypes.string_at(0)
        if self.how == "exit":
            sys.exit(3)
        if self.how == "hard exit":
            os._exit(5)
        if self.how == "disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.how == "memory":
            raise MemoryError("Unable to allocate 7.45 TiB")
        raise AssertionError(self.how)


class Wrong(Component, category="Test"):
    """Returns what it did not promise."""

    how: str

    def run(self) -> Table:
        found = {"text": "no table", "none": None, "frame": pl.DataFrame({"x": [1]})}
        return found[self.how]  # type: ignore[return-value]  # that is its purpose


class WrongPair(Component, category="Test"):
    """Returns one table instead of two."""

    def run(self) -> Halves:
        return Table(pl.DataFrame({"x": [1]}))  # type: ignore[return-value]  # that is its purpose


class Unsavable(Table):
    """A table whose saving fails."""

    def save(self, folder: Path) -> None:
        raise RuntimeError("cannot be saved")


class GiveUnsavable(Component, category="Test"):
    """Gives a table that cannot be saved."""

    def run(self) -> Table:
        return Unsavable(pl.DataFrame({"x": [1]}))


class Patient(Table):
    """A table that is saved only when a file is there."""

    sign: Path

    def save(self, folder: Path) -> None:
        deadline = time.monotonic() + 20
        while not self.sign.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("the sign did not come")
            time.sleep(0.005)
        super().save(folder)


class GivePatient(Component, category="Test"):
    """Gives a table that is saved only when a file is there."""

    sign: str
    rows: int = 3
    counted: str = ""

    def run(self) -> Table:
        count(self.counted, "patient")
        table = Patient(pl.DataFrame({"x": range(self.rows)}))
        table.sign = Path(self.sign)
        return table


class GiveSign(Component, category="Test"):
    """Makes a file, and may then kill its worker."""

    sign: str
    deadly: bool = False

    def run(self, dataset: Table) -> Table:
        if self.deadly:
            # The value above is still being stored, and can be stored the next time only.
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
            time.sleep(600)
        Path(self.sign).touch()
        return dataset


class TooLarge(Table):
    """A table for which the disk has no room."""

    def save(self, folder: Path) -> None:
        (folder / "part").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")


class OnBrokenDisk(Table):
    """A table whose disk fails."""

    def save(self, folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")


class GiveOnBrokenDisk(Component, category="Test"):
    """Gives a table whose disk fails."""

    def run(self) -> Table:
        return OnBrokenDisk(pl.DataFrame({"x": [1]}))


class GiveTooLarge(Component, category="Test"):
    """Gives a table for which the disk has no room."""

    def run(self) -> Table:
        return TooLarge(pl.DataFrame({"x": [1]}))


class Say(Component, category="Test"):
    """Writes lines in a chosen way."""

    how: str
    lines: int = 1
    width: int = 0

    def run(self, *, context: Context) -> Table:
        for number in range(self.lines):
            text = f"line {number} by {self.how}".ljust(self.width, ".")
            if self.how == "print":
                print(text)
            elif self.how == "stderr":
                print(text, file=sys.stderr)
            elif self.how == "log":
                context.log(text)
            elif self.how == "native":
                ctypes.CDLL(None).puts(text.encode())
            elif self.how == "child":
                subprocess.run([sys.executable, "-c", f"print({text!r})"], check=True)
            elif self.how == "no newline":
                sys.stdout.write(text)
            elif self.how == "bar":
                sys.stdout.write(f"\r{number} of many")
        return Table(pl.DataFrame({"x": [self.lines]}))


class Report(Component, category="Test"):
    """Tells how far it has come."""

    def run(self, *, context: Context) -> Table:
        for fraction in (0.0, 0.5, 1.0):
            context.progress(fraction)
            time.sleep(0.11)
        return Table(pl.DataFrame({"x": [1]}))


class ReadSecret(Component, category="Test"):
    """Gives the value of a secret."""

    name: Annotated[str, Field(min_length=1)] = "password"

    def run(self, *, context: Context) -> Table:
        return Table(pl.DataFrame({"x": [context.secret(self.name)]}))


class Scratch(Component, category="Test"):
    """Writes into its folder, and gives the folder's name."""

    def run(self, *, context: Context) -> Table:
        (context.scratch / "part").write_text("half done")
        return Table(pl.DataFrame({"x": [str(context.scratch)]}))


class Grow(Component, category="Test"):
    """Takes so many megabytes for a moment."""

    megabytes: int

    def run(self) -> Table:
        block = bytearray(self.megabytes << 20)
        block[:: 1 << 12] = b"x" * len(block[:: 1 << 12])
        return Table(pl.DataFrame({"x": [len(block)]}))


class Await(Component, category="Test"):
    """Gives numbers as soon as a file is there."""

    file: str

    def run(self) -> Table:
        deadline = time.monotonic() + 180
        while not Path(self.file).exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.file} did not come")
            time.sleep(0.02)
        return Table(pl.DataFrame({"x": [1, 2, 3]}))


class Take(Component, category="Test"):
    """Takes a table and gives nothing."""

    def run(self, data: Table) -> None:
        print(data.frame["x"].to_list())


COMPONENTS: list[type[Component]] = [
    value
    for value in list(vars().values())
    if isinstance(value, type) and issubclass(value, Component) and value is not Component
]


def library(*more: type[Component]) -> Library:
    """A library of these components and those that stand for stored values; `more` replace theirs."""
    from modelwright.components.palette.assets.dataset import Dataset
    from modelwright.components.palette.assets.saved_data import SavedData
    from modelwright.components.palette.web_service.web_service_input import WebServiceInput

    known: list[type[Component]] = [*COMPONENTS, Dataset, SavedData, WebServiceInput, *more]
    return Library(iter(known))
