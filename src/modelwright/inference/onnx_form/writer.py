"""Writes the operations of an ONNX graph, one value after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelwright.data.schema import ColumnType

OPSET = 20
ML_OPSET = 5
OLDER_ML_OPSET = 3
IR_VERSION = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """The values of an expression for all rows, or one value for all of them.

    name: of a tensor of shape [rows], or [] when `fixed`; anything stands in it where a value is missing.
    missing: name of a tensor of booleans, true where the value is null; None when it never is.
    """

    name: str
    kind: ColumnType | None
    missing: str | None = None
    fixed: bool = False


class GraphWriter:
    """Collects operations and constants; names are made up here."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._known: dict[tuple[Any, ...], str] = {}
        self._done: dict[tuple[Any, ...], str] = {}
        self._count = 0
        # Set by a form that computes some of its numbers in 32 bits.
        self.in_32_bits = False

    def fresh(self) -> str:
        """A name that nothing else has: columns cannot begin so in a graph of ours."""
        self._count += 1
        return f"#{self._count}"

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The one output of an operation; the same operation on the same values is done once."""
        from onnx import helper

        simple = all(isinstance(v, int | float | str) for v in attributes.values())
        key = (kind, domain, inputs, *sorted(attributes.items())) if simple else None
        if key is not None and key in self._done:
            return self._done[key]
        name = self.fresh()
        self.nodes.append(helper.make_node(kind, list(inputs), [name], domain=domain, **attributes))
        if key is not None:
            self._done[key] = name
        return name

    def const(self, value: Any, dtype: Any) -> str:
        """A constant of a NumPy type; `str` for text."""
        from onnx import helper, numpy_helper

        array = np.asarray(value, dtype=object if dtype is str else dtype)
        exact = tuple(array.ravel()) if dtype is str else array.tobytes()
        key = (str(dtype), array.shape, exact)
        if key not in self._known:
            name = self.fresh()
            if dtype is str:
                texts: Any = [str(v).encode() for v in array.ravel()]
                made = helper.make_tensor(name, 8, list(array.shape), texts)
            else:
                made = numpy_helper.from_array(array, name)
            self.constants.append(made)
            self._known[key] = name
        return self._known[key]

    def double(self, value: float) -> str:
        """A number."""
        return self.const(value, np.float64)

    def whole(self, value: int) -> str:
        """A whole number."""
        return self.const(value, np.int64)

    def wholes(self, *values: int) -> str:
        """Whole numbers in a row."""
        return self.const(values, np.int64)

    def no(self, condition: str) -> str:
        """The opposite of a truth value."""
        return self.op("Not", condition)

    def both(self, *conditions: str | None) -> str | None:
        """Whether all are true; None when there is none."""
        return self._joined("And", conditions)

    def either(self, *conditions: str | None) -> str | None:
        """Whether any is true; None when there is none."""
        return self._joined("Or", conditions)

    def _joined(self, kind: str, conditions: Sequence[str | None]) -> str | None:
        found: str | None = None
        for condition in dict.fromkeys(c for c in conditions if c is not None):
            found = condition if found is None else self.op(kind, found, condition)
        return found

    def choose(self, condition: str, then: str, otherwise: str, kind: ColumnType | None) -> str:
        """One value where the condition is true, else the other."""
        if kind is not ColumnType.BOOLEAN:
            return self.op("Where", condition, then, otherwise)
        yes = self.op("And", condition, then)
        return self.op("Or", yes, self.op("And", self.no(condition), otherwise))

    def cast(self, cell: Cell, kind: ColumnType | None) -> Cell:
        """A value in a type that it fits: truth as 1 and 0, whole numbers as fractional ones."""
        from onnx import TensorProto

        if kind is None or cell.kind is kind:
            return cell
        if cell.kind is None:
            return replace(cell, name=self.nothing(kind), kind=kind)
        to = {ColumnType.INTEGER: TensorProto.INT64, ColumnType.DOUBLE: TensorProto.DOUBLE}[kind]
        return replace(cell, name=self.op("Cast", cell.name, to=int(to)), kind=kind)

    def nothing(self, kind: ColumnType | None) -> str:
        """What stands where a value is missing."""
        match kind:
            case ColumnType.STRING:
                return self.const("", str)
            case ColumnType.BOOLEAN:
                return self.const(False, np.bool_)
            case ColumnType.INTEGER | ColumnType.DATETIME:
                return self.whole(0)
        return self.double(0.0)

    def as_double(self, name: str) -> str:
        """A tensor of whole numbers or of truth as fractional numbers."""
        from onnx import TensorProto

        return self.op("Cast", name, to=int(TensorProto.DOUBLE))

    def as_whole(self, name: str) -> str:
        """A tensor of numbers or of truth as whole numbers."""
        from onnx import TensorProto

        return self.op("Cast", name, to=int(TensorProto.INT64))

    def as_short(self, name: str) -> str:
        """A tensor of fractional numbers in 32 bits."""
        from onnx import TensorProto

        return self.op("Cast", name, to=int(TensorProto.FLOAT))

    def column(self, name: str) -> str:
        """A tensor of shape [rows] as one of shape [rows, 1]."""
        return self.op("Unsqueeze", name, self.wholes(1))

    def flat(self, name: str) -> str:
        """A tensor of shape [rows, 1] as one of shape [rows]."""
        return self.op("Squeeze", name, self.wholes(1))

    def side_by_side(self, *names: str) -> str:
        """Tensors of shape [rows] as one of shape [rows, columns]."""
        return self.op("Concat", *(self.column(n) for n in names), axis=1)

    def picked(self, matrix: str, column: int) -> str:
        """A column of a matrix."""
        return self.op("Gather", matrix, self.whole(column), axis=1)

    def name_output(self, value: str, name: str) -> None:
        """Have a value under another name too."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value], [name]))
