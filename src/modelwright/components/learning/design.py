"""The features of many rows as a matrix that is never built: numbers scaled, categories one-hot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelwright.components.learning.encoding import (
    Encoded,
    Encoding,
    Floats,
    Level,
    NumberFeature,
)

BLOCK = 65_536
"""Rows worked on at a time: large enough for fast arithmetic, small enough to take little memory."""

STRIP = 8_192
SHORT_STRIP = 256
"""Rows that columns are turned into at a time: so many lie in the cache until all columns are there."""

BLOCK_CELLS = 262_144
"""Numbers of a block of a `Design`, whose rows are read twice while they are in the cache."""

FEWEST_ROWS = 1_024
FEWEST_BLOCKS = 128
"""Blocks of a `Design` have at least so many rows; of those that do there are at least so many."""

SMALLEST = 1e-150
"""Numbers that differ by less are left as they are: the square of what would scale them is infinite."""

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Term:
    """A column of the matrix: a number, or one level of a category."""

    feature: str
    level: Level = None
    is_level: bool = False


@dataclass(frozen=True)
class Scaling:
    """How numbers are shifted and scaled before they enter the matrix; a missing one is `fill`."""

    shift: Floats
    scale: Floats
    fill: Floats

    @classmethod
    def none(cls, numbers: Sequence[NumberFeature], *, centre: bool = False) -> Scaling:
        """As they are, or with `centre` around a mean of 0; the mean where missing."""
        mean = _figures(numbers, "mean")
        shift = mean if centre else np.zeros(len(mean))
        return cls(shift, np.ones(len(mean)), mean - shift)

    @classmethod
    def standard(
        cls, numbers: Sequence[NumberFeature], *, centre: bool = True, deviation: float = 1.0
    ) -> Scaling:
        """To a standard deviation of 1 or that given, and with `centre` to a mean of 0."""
        mean, spread = _figures(numbers, "mean"), _figures(numbers, "deviation")
        scale = np.where(spread > SMALLEST, spread / deviation, 1.0)
        shift = mean if centre else np.zeros(len(mean))
        return cls(shift, scale, (mean - shift) / scale)

    @classmethod
    def unit(cls, numbers: Sequence[NumberFeature]) -> Scaling:
        """To an interval of length 1, from minimum to maximum, around a mean of 0."""
        width = _figures(numbers, "maximum") - _figures(numbers, "minimum")
        scale = np.where(width > SMALLEST, width, 1.0)
        return cls(_figures(numbers, "mean"), scale, np.zeros(len(scale)))


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive rows: their scaled numbers (n, numbers), and per category their level numbers."""

    rows: slice
    numbers: Floats
    codes: tuple[Indices, ...]


class Design:
    """A matrix of (rows, width): one column per number, then one per level of each category."""

    def __init__(
        self,
        data: Encoded,
        scaling: Scaling | None = None,
        *,
        keep: bool = False,
        cells: int = BLOCK_CELLS,
    ) -> None:
        """With `keep` the blocks stay in memory, for a method that goes through them many times.

        cells: numbers of a block, about.
        """
        self._cells = cells
        encoding = data.encoding
        self._kept: list[Block] | None = [] if keep else None
        self.data = data
        self.scaling = scaling or Scaling.none(encoding.numbers)
        self.rows = data.rows
        self.numbers = len(encoding.numbers)
        self.sizes = tuple(len(c.levels) for c in encoding.categories)
        self.starts = tuple(self.numbers + sum(self.sizes[:i]) for i in range(len(self.sizes)))
        self.width = self.numbers + sum(self.sizes)
        self.terms = terms(encoding)

    def blocks(self) -> Iterator[Block]:
        """The rows, block by block."""
        if self._kept:
            yield from self._kept
            return
        step = min(
            BLOCK,
            max(FEWEST_ROWS, self._cells // max(1, self.numbers)),
            max(FEWEST_ROWS, self.rows // FEWEST_BLOCKS),
        )
        for start in range(0, self.rows, step):
            stop = min(start + step, self.rows)
            codes = tuple(c[start:stop].astype(np.intp) for c in self.data.codes)
            block = Block(slice(start, stop), self._scaled(start, stop), codes)
            if self._kept is not None:
                self._kept.append(block)
            yield block

    def _scaled(self, start: int, stop: int) -> Floats:
        block = self.data.block(start, stop)
        if self.scaling.shift.any():
            block -= self.scaling.shift
        if (self.scaling.scale != 1.0).any():
            block /= self.scaling.scale
        # A sum tells in a fraction of the time that nothing is missing.
        if np.isfinite(block.sum()):
            return block
        for column, fill in enumerate(self.scaling.fill):
            values = block[:, column]
            np.copyto(values, fill, where=np.isnan(values))
        return block

    def tables(self, weights: Floats) -> list[Floats]:
        """The weights of each category by level number, with nothing for no level at the end."""
        nothing = np.zeros((1, *weights.shape[1:]))
        return [
            np.concatenate([weights[start : start + size], nothing])
            for start, size in zip(self.starts, self.sizes, strict=True)
        ]

    def times_block(self, block: Block, weights: Floats, tables: list[Floats]) -> Floats:
        """The rows of a block times weights of (width,) or (width, k), whose `tables` are given too."""
        product: Floats = block.numbers @ weights[: self.numbers]
        for table, code in zip(tables, block.codes, strict=True):
            product += table[code]
        return product

    def add_transposed(self, block: Block, values: Floats, to: Floats) -> None:
        """Add the transposed rows of a block times values, (n,) or (n, k), to (width,) or (width, k)."""
        to[: self.numbers] += block.numbers.T @ values
        for start, size, code in zip(self.starts, self.sizes, block.codes, strict=True):
            here = to[start : start + size]
            if values.ndim == 1:
                here += _sums(code, size, values)
                continue
            for column in range(values.shape[1]):
                here[:, column] += _sums(code, size, values[:, column])

    def times(self, weights: Floats) -> Floats:
        """The matrix times a vector of (width,), or times a matrix of (width, k)."""
        tables = self.tables(weights)
        out = np.empty((self.rows, *weights.shape[1:]))
        for block in self.blocks():
            out[block.rows] = self.times_block(block, weights, tables)
        return out

    def transposed_times(self, values: Floats) -> Floats:
        """The transposed matrix times a vector of (rows,), or times a matrix of (rows, k)."""
        out = np.zeros((self.width, *values.shape[1:]))
        for block in self.blocks():
            self.add_transposed(block, values[block.rows], out)
        return out

    def squared_lengths(self) -> Floats:
        """(rows,) the squared length of each row."""
        lengths = np.empty(self.rows)
        for block in self.blocks():
            found = np.einsum("ij,ij->i", block.numbers, block.numbers)
            for code, size in zip(block.codes, self.sizes, strict=True):
                found += code < size
            lengths[block.rows] = found
        return lengths

    def means(self) -> Floats:
        """The mean of each column over the rows of training, where nothing is left to `no level`."""
        counts = [
            np.bincount(code, minlength=size + 1)[:size] / self.rows
            for code, size in zip(self.data.codes, self.sizes, strict=True)
        ]
        return np.concatenate([self.scaling.fill, *counts])

    def dense(
        self, start: int = 0, stop: int | None = None, *, places: Indices | None = None
    ) -> Floats:
        """These rows of the matrix, built; for few rows, or for a library that needs it.

        places: (stop - start,) the row of the built matrix that each is written to, else in order.
        """
        stop = self.rows if stop is None else min(stop, self.rows)
        out = (np.zeros if self.sizes else np.empty)((stop - start, self.width))
        for first in range(start, stop, STRIP):
            strip = self._scaled(first, min(first + STRIP, stop))
            for at in range(0, len(strip), SHORT_STRIP):
                part, here = strip[at : at + SHORT_STRIP], first - start + at
                if places is None:
                    out[here : here + len(part), : self.numbers] = part
                else:
                    out[places[here : here + len(part)], : self.numbers] = part
        row = np.arange(stop - start) if places is None else places
        for first, size, codes in zip(self.starts, self.sizes, self.data.codes, strict=True):
            code = codes[start:stop].astype(np.intp)
            known = code < size
            out[row[known], first + code[known]] = 1.0
        return out

    def sparse(self, *, places: Indices | None = None) -> Any:
        """The matrix as a SciPy matrix of compressed rows, for a library that needs it.

        places: (rows,) the row of the built matrix that each is written to, else in order.
        """
        from scipy.sparse import csr_matrix

        categories = len(self.sizes)
        held = self.numbers + categories
        values = np.ones((self.rows, held))
        columns = np.empty((self.rows, held), dtype=np.int32)
        columns[:, : self.numbers] = np.arange(self.numbers)
        for block in self.blocks():
            here = block.rows if places is None else places[block.rows]
            values[here, : self.numbers] = block.numbers
            for at, (start, size, code) in enumerate(
                zip(self.starts, self.sizes, block.codes, strict=True), self.numbers
            ):
                known = code < size
                columns[here, at] = np.where(known, start + code, start)
                values[here, at] = known
        ends = np.arange(0, self.rows * held + 1, held)
        return csr_matrix(
            (values.ravel(), columns.ravel(), ends), shape=(self.rows, self.width), copy=False
        )

    def gram(self, target: Floats) -> tuple[Floats, Floats]:
        """The matrix's products with itself, (width, width), and with a target, (width,)."""
        gram = np.zeros((self.width, self.width))
        product = np.zeros(self.width)
        p = self.numbers
        for block in self.blocks():
            values, numbers, codes = target[block.rows], block.numbers, block.codes
            gram[:p, :p] += numbers.T @ numbers
            product[:p] += numbers.T @ values
            for i, code in enumerate(codes):
                start, size = self.starts[i], self.sizes[i]
                here = slice(start, start + size)
                gram[here, here] += np.diag(_sums(code, size, None))
                product[here] += _sums(code, size, values)
                for column in range(p):
                    gram[column, here] += _sums(code, size, numbers[:, column])
                for j in range(i):
                    there = slice(self.starts[j], self.starts[j] + self.sizes[j])
                    gram[there, here] += _table(codes[j], self.sizes[j], code, size)
        # Only the upper half was filled, since the other mirrors it.
        return np.triu(gram) + np.triu(gram, 1).T, product


def terms(encoding: Encoding) -> tuple[Term, ...]:
    """The columns of the matrix, in order."""
    levels = (Term(c.name, level, True) for c in encoding.categories for level in c.levels)
    return (*(Term(n.name) for n in encoding.numbers), *levels)


def _figures(numbers: Sequence[NumberFeature], figure: str) -> Floats:
    return np.array([getattr(n, figure) for n in numbers], dtype=np.float64)


def _sums(code: Indices, size: int, values: Floats | None) -> Floats:
    """Sums of the values by level, or counts; rows of no level are left out."""
    return np.bincount(code, values, minlength=size + 1)[:size].astype(np.float64, copy=False)


def _table(first: Indices, rows: int, second: Indices, columns: int) -> Floats:
    """How often each pair of levels occurs."""
    pairs = first * (columns + 1) + second
    counts = np.bincount(pairs, minlength=(rows + 1) * (columns + 1))
    return counts.reshape(rows + 1, columns + 1)[:rows, :columns].astype(np.float64)
