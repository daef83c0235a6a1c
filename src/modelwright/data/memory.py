"""How much memory this process may still take, and tables that are larger than that.

A large table is mapped from an Arrow file, so its rows are read as they are used and take no memory of
their own.  What is computed from one goes part by part into another such file, which has no name and
is gone with the table.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.data.side_by_side import side_by_side

_STATUS = Path("/proc/self/status")
_GROUP = Path("/sys/fs/cgroup")
_VIEW = 16
# Smaller results are made in memory whatever there is left of it.
_SMALL = 64 << 20
# What is computed may be as large as what it is computed from, several times on the way.
_SHARE = 4
# Rows that are gathered before they are written; more of them only take more memory.
_BATCH = 1 << 16
# Bytes of the rows that are changed together where a whole table is too large.
_PART = 16 << 20
# The first part of them tells how large what is made of a row is, and so much is made at a time.
_FIRST, _MADE = 1 << 12, 48 << 20


class WouldNotFit(ModelwrightError):
    """A step would need more memory than its worker may take, so it is not tried."""

    code = "would-not-fit"

    def __init__(self, component: str, needed: int, allowed: int) -> None:
        super().__init__(
            f'"{component}" needs its input in memory: {needed / 1e9:.2f} GB, and its worker may take '
            f"{allowed / 1e9:.2f} GB more.",
            remedy="Take fewer rows or columns before it (Partition and Sample, Select Columns in "
            "Dataset), or run it where workers may take more memory.",
            component=component,
            needed=needed,
            allowed=allowed,
        )


def allowed() -> int:
    """Bytes that this process may still take: by its own bound, its container's, and the machine's."""
    import psutil

    bounds = [int(psutil.virtual_memory().available)]
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY:
        bounds.append(soft - taken())
    bounds.append(_left_in_group())
    return max(0, min(bounds))


def is_large(frame: pl.DataFrame) -> bool:
    """Whether what is computed from a frame should not be made in memory."""
    return would_be_large(size_of(frame))


def size_of(frame: pl.DataFrame) -> int:
    """About how many bytes a frame takes in memory."""
    # Polars counts the bytes of text, but not where each of them lies.
    texts = sum(dtype == pl.String for dtype in frame.dtypes)
    return int(frame.estimated_size()) + _VIEW * frame.height * texts


def would_be_large(size: int) -> bool:
    """Whether so many bytes should not be made in memory."""
    return size > _SMALL and size * _SHARE > allowed()


def streamed(lazy: pl.LazyFrame) -> pl.DataFrame:
    """The frame that a plan gives, made row by row in a file that it is mapped from.

    Raises OSError when there is no room for it.
    """
    from modelwright.data import arrow_file

    descriptor, name = tempfile.mkstemp(prefix="rows-", suffix=".arrow", dir=temporary.place())
    os.close(descriptor)
    path = Path(name)
    try:
        lazy.sink_ipc(
            path, compression="uncompressed", record_batch_size=_BATCH, engine="streaming"
        )
        return arrow_file.read(path)
    finally:
        # The mapping keeps the file's rows until the table is gone.
        path.unlink()


def carried_out(lazy: pl.LazyFrame, *sources: pl.DataFrame) -> pl.DataFrame:
    """The frame that a plan over these gives: in memory, or row by row in a file where one is large."""
    if any(is_large(source) for source in sources):
        return streamed(lazy)
    # The streaming engine cuts rows into pieces, and takes long to keep the order of a join.
    return lazy.collect(engine="in-memory")


def parts(frame: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows, so many at a time that they take little; with the place of the first of them."""
    step = max(_BATCH, frame.height * _PART // max(1, size_of(frame)))
    for at in range(0, frame.height, step):
        yield at, frame.slice(at, step)


def written(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the same columns, at least one, below each other in a file that they are mapped from.

    Raises OSError when there is no room for it.
    """
    import pyarrow as pa

    from modelwright.data import arrow_file

    with tempfile.NamedTemporaryFile(suffix=".arrow", dir=temporary.place()) as place:
        with pa.OSFile(place.name, "wb") as file, ExitStack() as stack:
            out: Any = None
            for frame in frames:
                table = in_arrow(frame)
                out = out or stack.enter_context(pa.ipc.new_file(file, table.schema))
                out.write_table(table)
        # The mapping keeps the file's rows until the table is gone.
        return arrow_file.read(Path(place.name))


def in_arrow(frame: pl.DataFrame) -> Any:
    """The rows as an Arrow table that can be mapped from a file, without the bytes of other rows' text."""
    if pl.String in frame.dtypes:
        # Rows that were chosen share the text of those that were not, and all of it would be written.
        texts = frame.select(pl.col(pl.String))
        compact = pl.DataFrame(texts.to_arrow(compat_level=pl.CompatLevel.oldest()))
        frame = frame.with_columns(compact.get_columns())
    return frame.to_arrow(compat_level=pl.CompatLevel.newest())


def in_parts(frame: pl.DataFrame, change: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `change` makes of the rows, each by itself: of all at once, or part by part into a file."""
    if not is_large(frame):
        return change(frame)
    return written(_changed(frame, change))


def _changed(
    frame: pl.DataFrame, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """The parts of a large table, changed; smaller ones where more columns come out than go in."""
    at, step = 0, _FIRST
    most = max(_BATCH, frame.height * _PART // max(1, size_of(frame)))
    while at < frame.height:
        rows = frame.slice(at, step)
        made = change(rows)
        yield made
        at += rows.height
        a_row = size_of(made) // rows.height
        step = min(most, max(_FIRST, _MADE // max(1, a_row)))


def rows_where(frame: pl.DataFrame, chosen: pl.Series) -> pl.DataFrame:
    """The rows for which `chosen` is true, in their order."""
    if is_large(frame):
        return _written_where(frame, chosen)
    (found,) = _filtered(frame, [chosen])
    return found


def rows_apart(frame: pl.DataFrame, chosen: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows for which `chosen`, which has no nulls, is true, and the others, in their order."""
    if is_large(frame):
        return _written_where(frame, chosen), _written_where(frame, ~chosen)
    first, second = _filtered(frame, [chosen, ~chosen])
    return first, second


def _written_where(frame: pl.DataFrame, chosen: pl.Series) -> pl.DataFrame:
    return written(rows.filter(chosen.slice(at, rows.height)) for at, rows in parts(frame))


def _filtered(frame: pl.DataFrame, masks: Sequence[pl.Series]) -> list[pl.DataFrame]:
    """The rows of each mask, column by column: half the work of the whole frame's filter."""
    columns = frame.get_columns()
    if not columns:
        return [frame.filter(mask) for mask in masks]
    # Text takes longest, so it comes first.
    order = sorted(range(len(columns)), key=lambda at: columns[at].dtype != pl.String)
    asked = [(at, mask) for at in order for mask in masks]
    found = side_by_side(
        lambda one: columns[one[0]].filter(one[1]), asked, values=frame.height * len(asked)
    )
    made = dict(zip(((at, id(mask)) for at, mask in asked), found, strict=True))
    # By name, as a list would give names to columns that have an empty one.
    return [pl.DataFrame({c.name: made[at, id(m)] for at, c in enumerate(columns)}) for m in masks]


def taken() -> int:
    """Bytes of this process that count against its bound."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) << 10 for x in lines if x.startswith("VmData:")), 0)


def _left_in_group() -> int:
    """Bytes left to the container; as good as no bound where there is none."""
    try:
        most = (_GROUP / "memory.max").read_text().strip()
        return int(most) - int((_GROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return 1 << 62
