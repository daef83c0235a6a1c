"""How columns become numbers: one policy for training, scoring and documentation.

Numbers and booleans stay numbers; a missing one is left to the learner (linear ones take the mean
of training, trees have a branch for it).  Strings and columns marked categorical become categories:
every value seen in training is a level, in sorted order, and missing is a level of its own when it
was seen.  A value never seen in training belongs to no level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isnan
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelwright.components.errors import ColumnTypeError
from modelwright.components.learning.errors import AllMissing, InfiniteValues, TooManyUniqueValues
from modelwright.data.expression.table import named
from modelwright.data.schema import Column, ColumnType, Schema

Level = str | int | float | bool | None
Floats = NDArray[np.float64]
Codes = NDArray[np.unsignedinteger]

UNIQUE_LIMIT = 1000
UNIQUE_SHARE = 0.97

LARGEST = 1e150
"""Of larger numbers the squares, or the sums of squares over rows, are infinite."""


@dataclass(frozen=True, slots=True)
class NumberFeature:
    """A feature that is a number; the figures are those of its values in training, none missing."""

    name: str
    mean: float
    deviation: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class CategoryFeature:
    """A feature that is one of some levels; None, when it is a level, is the last and means missing."""

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Encoding:
    """What training learnt about turning columns into numbers; features in the table's order."""

    features: tuple[NumberFeature | CategoryFeature, ...]

    @cached_property
    def numbers(self) -> tuple[NumberFeature, ...]:
        """The features that are numbers."""
        return tuple(f for f in self.features if isinstance(f, NumberFeature))

    @cached_property
    def categories(self) -> tuple[CategoryFeature, ...]:
        """The features that are categories."""
        return tuple(f for f in self.features if isinstance(f, CategoryFeature))

    @cached_property
    def still(self) -> NDArray[np.bool_]:
        """(numbers,) which of them never change in training, so that nothing is learnt of them."""
        return np.array([n.minimum == n.maximum for n in self.numbers], dtype=np.bool_)

    def encode(self, frame: pl.DataFrame) -> Encoded:
        """The rows of a frame that has the features' columns, of the types they had in training."""
        numbers = frame.select(named(f.name) for f in self.numbers)
        coded = frame.select(_code(f) for f in self.categories)
        codes: tuple[Codes, ...] = tuple(s.to_numpy() for s in coded.get_columns())
        return Encoded(self, frame.height, numbers, codes)


@dataclass(frozen=True)
class Encoded:
    """Rows as numbers: numeric columns by blocks, categories as level numbers.

    columns: the numeric features as they came.  codes: for each category, (rows,) numbers of levels;
    the count of levels stands for no level.
    """

    encoding: Encoding
    rows: int
    columns: pl.DataFrame
    codes: tuple[Codes, ...]

    @cached_property
    def _doubles(self) -> bool:
        return all(dtype == pl.Float64 for dtype in self.columns.dtypes)

    def rows_at(self, places: NDArray[np.intp]) -> Encoded:
        """Some of the rows, by number."""
        columns = self.columns[places] if self.columns.width else self.columns
        codes = tuple(c[places] for c in self.codes)
        return Encoded(self.encoding, len(places), columns, codes)

    def block(self, start: int, stop: int) -> Floats:
        """(stop - start, numbers) of the numeric features, NaN where missing, columns contiguous."""
        if not self.encoding.numbers:
            return np.empty((min(stop, self.rows) - start, 0))
        part = self.columns.slice(start, stop - start)
        if not self._doubles:
            part = part.cast(pl.Float64)
        block = part.to_numpy(order="fortran")
        # Polars may hand out its own memory, which is read-only.
        return block if block.flags.writeable else block.copy(order="F")


def learn_encoding(frame: pl.DataFrame, features: Schema, *, port: str = "dataset") -> Encoding:
    """The encoding of these columns of a frame of training rows.

    Raises ColumnTypeError, AllMissing, InfiniteValues and TooManyUniqueValues, each for the first
    column at fault.
    """
    check_feature_types(features, port=port)
    numbers = [c for c in features if not is_category(c)]
    categories = [c for c in features if is_category(c)]
    learnt: dict[str, NumberFeature | CategoryFeature] = {
        **_learn_numbers(frame, numbers, port),
        **_learn_categories(frame, categories, port),
    }
    return Encoding(tuple(learnt[c.name] for c in features))


def is_category(column: Column) -> bool:
    """Whether a feature is encoded by levels; a boolean is a number, marked categorical or not."""
    if column.type is ColumnType.BOOLEAN:
        return False
    return column.categorical or column.type is ColumnType.STRING


def check_feature_types(features: Schema, *, port: str) -> None:
    """Raises ColumnTypeError for the first feature that is neither number, boolean nor category."""
    for column in features:
        if column.type in (ColumnType.DATETIME, ColumnType.OTHER):
            raise ColumnTypeError(
                column.name,
                column.type.value,
                "a number, a boolean or a category",
                port=port,
                remedy="Clear its feature mark with Edit Metadata, leave it out with Select Columns "
                "in Dataset, or derive numbers from it such as the month or the days passed.",
            )


def _code(feature: CategoryFeature) -> pl.Expr:
    """The number of the level, in the smallest type that holds it."""
    levels = [v for v in feature.levels if v is not None]
    none = len(feature.levels)
    dtype = pl.UInt8 if none < 2**8 else pl.UInt16 if none < 2**16 else pl.UInt32
    # Missing is the last level where it is one, and otherwise, like a value never seen, no level.
    missing = len(levels)
    column = named(feature.name)
    if any(isinstance(v, float) for v in levels):
        column = column.fill_nan(None)
    seen = column.replace_strict(levels, range(len(levels)), default=none, return_dtype=dtype)
    code = pl.when(column.is_null()).then(pl.lit(missing, dtype)).otherwise(seen)
    return code.alias(feature.name)


def check_size(values: pl.Series, *, port: str) -> None:
    """Raises InfiniteValues for a column with numbers that no learner can count with."""
    sizes = values.cast(pl.Float64).fill_nan(None).abs()
    if rows := int((sizes > LARGEST).sum()):
        beyond = None if sizes.max() == inf else LARGEST
        raise InfiniteValues(values.name, port, rows, beyond=beyond)


def _learn_numbers(
    frame: pl.DataFrame, columns: Sequence[Column], port: str
) -> dict[str, NumberFeature]:
    if not columns:
        return {}
    values = [named(c.name).cast(pl.Float64) for c in columns]
    found = _figures(frame, dict(enumerate(values)))
    # Without NaN it would be a copy of the column for nothing, and a mean tells whether there is any.
    odd = {
        n: values[n].fill_nan(None) for n in range(len(columns)) if isnan(found[f"mean {n}"] or 0)
    }
    found |= _figures(frame, odd)
    learnt = {}
    for number, column in enumerate(columns):
        ends = (found[f"minimum {number}"], found[f"maximum {number}"])
        if any(end is not None and abs(end) > LARGEST for end in ends):
            check_size(frame[column.name], port=port)
        if found[f"mean {number}"] is None:
            raise AllMissing(column.name, port)
        mean, deviation = found[f"mean {number}"], found[f"deviation {number}"]
        if ends[0] == ends[1]:
            # Sums of equal numbers are rounded, and would say that they differ by next to nothing.
            mean, deviation = ends[0], 0.0
        learnt[column.name] = NumberFeature(column.name, mean, deviation, *ends)
    return learnt


def _figures(frame: pl.DataFrame, values: Mapping[int, pl.Expr]) -> dict[str, Any]:
    """The mean, deviation and ends of numbers, each under its name and the number of the column."""
    if not values:
        return {}
    figures: dict[str, pl.Expr] = {}
    for number, value in values.items():
        figures |= {
            f"mean {number}": value.mean(),
            f"deviation {number}": value.std(ddof=0),
            f"minimum {number}": value.min(),
            f"maximum {number}": value.max(),
        }
    # Collected as a lazy one, what several figures of a column have in common is computed once.
    return frame.lazy().select(**figures).collect(engine="in-memory").row(0, named=True)


def _learn_categories(
    frame: pl.DataFrame, columns: Sequence[Column], port: str
) -> dict[str, CategoryFeature]:
    values = [
        named(c.name).fill_nan(None) if c.type is ColumnType.DOUBLE else named(c.name)
        for c in columns
    ]
    distinct = frame.select(v.unique().sort(nulls_last=True).implode() for v in values)
    learnt = {}
    for column, levels in zip(columns, distinct.iter_columns(), strict=True):
        known = tuple(levels.item().to_list())
        present = frame.height - frame[column.name].null_count()
        unique = len(known) - (known[-1:] == (None,))
        if unique == 0:
            raise AllMissing(column.name, port)
        if unique > UNIQUE_LIMIT and unique > UNIQUE_SHARE * present:
            raise TooManyUniqueValues(column.name, port, unique, present)
        learnt[column.name] = CategoryFeature(column.name, known)
    return learnt
