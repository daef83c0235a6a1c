"""Fitted values that only their own library can evaluate, kept as bytes and opened when needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np


class Evaluator(Protocol):
    """An opened native value.  Both calls give equal numbers for equal rows.

    One with an attribute `steady` that is true promises that to the last bit, whatever the other rows.
    """

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) of float64, NaN where missing → (rows, outputs) of float64."""

    def row(self, values: list[float]) -> list[float]:
        """One row of `batch`, without the cost of a matrix where the library allows it."""


@dataclass(frozen=True, eq=False)
class Native:
    """Bytes that an opener of that kind turns into an evaluator.

    kind: name of a module in `modelwright.data.openers`, such as "lightgbm", whose function
    `open_native(content, notes)` gives the Evaluator.  notes: what the opener needs to know.
    """

    kind: str
    content: bytes
    notes: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def evaluator(self) -> Evaluator:
        """The opened value; opened once.  Raises ModuleNotFoundError for an unknown kind."""
        # The kind comes from a file: only a plain name may choose a module.
        if not self.kind.isidentifier():
            raise ModuleNotFoundError(self.kind)
        module = import_module(f"modelwright.data.openers.{self.kind}")
        opened: Evaluator = module.open_native(self.content, self.notes)
        return opened

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the bytes alone: what is opened belongs to its process."""
        return Native, (self.kind, self.content, dict(self.notes))
