"""Joins of two tables that are both larger than memory, by files.

The rows of both sides go to files by the hash of their keys, so that rows that match lie in files of one
number.  These are matched file by file, and so many right rows at a time as memory has room for.  What is found
stays in the order of the left rows, so that going through the left table once brings it all together.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from modelwright import temporary
from modelwright.data.memory import allowed, in_arrow, parts, size_of

How = Literal["inner", "left", "full", "semi"]
Vector = np.ndarray[Any, np.dtype[Any]]

# Bytes that a right row may take while it is matched, and how many rows are matched at any rate.
_ROOM_A_ROW, _LEAST = 2048, 1 << 16
_MOST_FILES = 256
# Left rows that are looked up together, and bytes of rows that are made together: these and a share of what
# there is, as each such piece takes memory as long as its table is there.
_LOOKED_UP, _MADE, _SHARE_MADE, _LEAST_MADE = 1 << 16, 4 << 20, 64, 1 << 8


@dataclass(frozen=True)
class Side:
    """A table, its key columns under names that both sides have, and what it brings along."""

    frame: pl.DataFrame
    keys: Sequence[pl.Expr]
    given: Sequence[pl.Expr] = ()


def joined(left: Side, right: Side, how: How, *, row: str) -> Iterator[pl.DataFrame]:
    """All columns of the left table beside what the right one gives, some rows at a time.

    Rows come in the order of the left table, then of the right one; for "full" right rows without a match
    follow, without the left columns.  A missing key matches nothing.  row: a name that no column has.
    Raises OSError when there is no room for the files.
    """
    with tempfile.TemporaryDirectory(dir=temporary.place()) as folder:
        yield from _Join(Path(folder), left, right, how, row).rows()


class _Files:
    """Numbered files of rows, each of which is mapped once all is in it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._open: dict[int, Any] = {}
        self._stack = ExitStack()
        self._folder, self._name = folder, name

    def add(self, rows: pl.DataFrame, number: int = 0) -> None:
        self._write(in_arrow(rows), number)

    def _write(self, table: Any, number: int) -> None:
        import pyarrow as pa

        if number not in self._open:
            file = self._stack.enter_context(pa.OSFile(str(self._path(number)), "wb"))
            self._open[number] = self._stack.enter_context(pa.ipc.new_file(file, table.schema))
        self._open[number].write_table(table)

    def spread(self, rows: pl.DataFrame, numbers: Vector, count: int) -> None:
        """Add each row to the file of its number, if that is below `count`."""
        ordered = rows[np.argsort(numbers, kind="stable")]
        ends = np.cumsum(np.bincount(numbers, minlength=count))
        # A part of a column of text would be written with the text of all.
        whole: Any = None if pl.String in ordered.dtypes else in_arrow(ordered)
        for number, end in enumerate(ends[:count].tolist()):
            start = int(ends[number - 1]) if number else 0
            if end > start and whole is None:
                self.add(ordered[start:end], number)
            elif end > start:
                self._write(whole.slice(start, end - start), number)

    def close(self) -> None:
        """Let all be written that was added."""
        self._stack.close()

    def take(self, number: int = 0) -> pl.DataFrame | None:
        """The rows of a file, which is gone with them; None where there are none."""
        import pyarrow as pa

        if number not in self._open:
            return None
        path = self._path(number)
        with pa.memory_map(str(path)) as file:
            found = pl.from_arrow(pa.ipc.open_file(file).read_all(), rechunk=False)
        path.unlink()
        if not isinstance(found, pl.DataFrame):
            raise TypeError("a table gives a frame")
        return found

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name} {number}.arrow"


class _Join:
    def __init__(self, folder: Path, left: Side, right: Side, how: How, row: str) -> None:
        self._folder, self._left, self._right, self._how, self._row = folder, left, right, how, row
        self._keys = [key.meta.output_name() for key in left.keys]
        room = allowed()
        self._together = max(_LEAST, room // _ROOM_A_ROW)
        self._made = max(_MADE, room // _SHARE_MADE)
        self._count = max(1, min(_MOST_FILES, -(-right.frame.height // self._together)))
        # Found rows with the numbers of their left ones, and right ones without a match with their own.
        self._found: list[pl.DataFrame] = []
        self._lonely: list[pl.DataFrame] = []

    def rows(self) -> Iterator[pl.DataFrame]:
        full = self._how == "full"
        rights = self._spread("right", self._right, lone=full)
        lefts = self._spread("left", Side(self._left.frame, self._left.keys), lone=False)
        for number in range(self._count):
            left, right = lefts.take(number), rights.take(number)
            if right is not None:
                self._match(number, left, right)
        if full and (keyless := rights.take(self._count)) is not None:
            self._lonely.append(keyless.drop(self._keys))
        step = self._step(self._left.frame)
        for at in range(0, max(1, self._left.frame.height), step):
            yield from self._beside(at, self._left.frame[at : at + step])
        lacking = [pl.lit(None, dtype=t).alias(n) for n, t in self._left.frame.schema.items()]
        step = self._step(self._right.frame)
        for at in range(0, self._right.frame.height if self._lonely else 0, step):
            here = [self._between(piece, at, at + step) for piece in self._lonely]
            if sum(piece.height for piece in here):
                alone = pl.concat(here).sort(self._row).drop(self._row)
                yield alone.select(*lacking, pl.all())

    def _spread(self, name: str, side: Side, *, lone: bool) -> _Files:
        """The rows of a side in files by their keys, in order and with the number of each.

        lone: whether rows without a key are put into one more file, and not left out.
        """
        files = _Files(self._folder, name)
        step = self._step(side.frame)
        for at in range(0, side.frame.height, step):
            rows = side.frame[at : at + step]
            own = rows.select(*side.keys, *side.given, self._numbers(at, rows.height))
            keys = own.select(self._keys)
            lacking = keys.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
            # Zeros of both signs are equal, and so must be their hashes.
            hashes = keys.with_columns(pl.col(pl.Float64) + 0.0).hash_rows(0).to_numpy()
            numbers = np.where(lacking, self._count, hashes % self._count).astype(np.uint16)
            files.spread(own, numbers, self._count + lone)
        files.close()
        return files

    def _numbers(self, start: int, height: int) -> pl.Series:
        return pl.int_range(start, start + height, dtype=pl.UInt32, eager=True).alias(self._row)

    def _match(self, number: int, left: pl.DataFrame | None, right: pl.DataFrame) -> None:
        """Find what matches of the files of a number."""
        for at in range(0, right.height, self._together):
            rows = right[at : at + self._together]
            found = _Files(self._folder, f"found {number} {at}")
            lonely = _Files(self._folder, f"lonely {number} {at}")
            met = np.zeros(rows.height, dtype=bool)
            if left is not None:
                met = self._matches(left, rows, found.add)
            if self._how == "full":
                for start, part in parts(rows.drop(self._keys)):
                    alone = part.filter(~met[start : start + part.height])
                    if alone.height:
                        lonely.add(alone)
            for files, held in ((found, self._found), (lonely, self._lonely)):
                files.close()
                if (made := files.take()) is not None:
                    held.append(made)

    def _matches(
        self, left: pl.DataFrame, right: pl.DataFrame, add: Callable[[pl.DataFrame], None]
    ) -> Vector:
        """Add the rows that match, in the order of the left ones; true for each right row that does."""
        given, keys = right.drop(*self._keys, self._row), right.select(self._keys)
        different = keys.unique().with_row_index("key")
        key_of = keys.join(different, on=self._keys, how="left", maintain_order="left")
        numbers = key_of.get_column("key").to_numpy()
        # The right rows of each key, one after the other in their order.
        order = np.argsort(numbers, kind="stable")
        counts = np.bincount(numbers, minlength=different.height)
        starts = np.cumsum(counts) - counts
        met = np.zeros(different.height, dtype=bool)
        step = self._step(right)
        for at in range(0, left.height, _LOOKED_UP):
            asked = left[at : at + _LOOKED_UP]
            there = asked.join(different, on=self._keys, how="inner", maintain_order="left")
            key, row = there.get_column("key").to_numpy(), there.get_column(self._row)
            if not len(key):
                continue
            met[key] = True
            if self._how == "semi":
                add(row.to_frame())
                continue
            ends = np.cumsum(counts[key])
            for first in range(0, int(ends[-1]), step):
                pair = np.arange(first, min(first + step, int(ends[-1])))
                one = np.searchsorted(ends, pair, side="right")
                nth = pair - (ends - counts[key])[one]
                here = order[starts[key[one]] + nth]
                add(given[here].with_columns(row[one]))
        matched: Vector = met[numbers]
        return matched

    def _beside(self, at: int, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Left rows, the first of which has that number, with what was found for them."""
        here = [self._between(piece, at, at + rows.height) for piece in self._found]
        own = rows.with_columns(self._numbers(at, rows.height))
        much = sum(piece.height for piece in here) > rows.height + self._step(self._right.frame)
        if self._how == "semi" or not much:
            yield self._together_with(own, pl.concat([self._nothing(), *here]))
        elif rows.height > 1:
            half = rows.height // 2
            yield from self._beside(at, rows[:half])
            yield from self._beside(at + half, rows[half:])
        else:
            for piece in here:
                for _, part in parts(piece):
                    yield self._together_with(own, part)

    def _together_with(self, own: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
        if self._how == "semi":
            beside = own.join(found, on=self._row, how="semi", maintain_order="left")
        else:
            how: How = "inner" if self._how == "inner" else "left"
            beside = own.join(found, on=self._row, how=how, maintain_order="left_right")
        return beside.drop(self._row)

    def _nothing(self) -> pl.DataFrame:
        """No rows, of the columns that found ones have."""
        given = self._right.frame.clear().select(self._right.given)
        return given.with_columns(self._numbers(0, 0))

    def _step(self, frame: pl.DataFrame) -> int:
        """How many rows of it are made together."""
        return max(_LEAST_MADE, frame.height * self._made // max(1, size_of(frame)))

    def _between(self, rows: pl.DataFrame, first: int, end: int) -> pl.DataFrame:
        """The rows whose numbers, which rise, are not below `first` and below `end`."""
        numbers: Any = rows.get_column(self._row)
        start = bisect_left(numbers, first)
        return rows[start : bisect_left(numbers, end, lo=start)]
