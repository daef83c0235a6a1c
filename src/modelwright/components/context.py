"""What a running component may ask of the place where it runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


def _quiet(message: str) -> None:
    """A log nobody reads."""


def _still(fraction: float) -> None:
    """A progress bar nobody sees."""


def _in_order(function: Callable[[A], B], items: Iterable[A]) -> list[B]:
    return [function(item) for item in items]


@dataclass(frozen=True)
class Context:
    """Given to `run` when it asks for it.

    log: a line for the step's log.  progress: 0 to 1.  scratch: a folder that is gone after the step.
    secret: the value of a named secret.  map: a function over independent items, on the target's
    workers where the place has them; results in order.
    """

    log: Callable[[str], None] = _quiet
    progress: Callable[[float], None] = _still
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    secret: Callable[[str], str | None] = lambda name: None
    map: Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]] = _in_order
    threads: int | None = None
