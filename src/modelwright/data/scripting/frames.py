"""The border to pandas: tables as data frames for a user's code, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.data.scripting.errors import ScriptError
from modelwright.data.table import Table

if TYPE_CHECKING:
    import pandas as pd


def to_pandas(table: Table | None) -> pd.DataFrame | None:
    """A data frame of its own, which the user's code may change.

    As pandas has it: an Integer column with missing values arrives as floats, missing text as NaN.
    Raises MissingLibrary when pandas is not installed.
    """
    if table is None:
        return None
    try:
        import pandas as pd  # noqa: F401  # to_pandas needs it
        import pyarrow  # noqa: F401
    except ImportError as error:
        from modelwright.data.openers.lightgbm import MissingLibrary

        raise MissingLibrary(error.name or "pandas", "learn") from None
    return table.frame.to_pandas().copy()


def from_pandas(
    frame: Any, *, what: str, line: int | None, like: tuple[Table | None, ...]
) -> Table:
    """The table of a data frame that the user's code gave back.

    what: words for it in messages.  like: tables whose marks hold for columns of the same names, the
    first that has the column counts.  NaN becomes missing, the index is left out, and a column that
    was Integer with missing values, so had to be floats in pandas, is Integer again when whole.
    Raises ScriptError for anything that is no table.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise ScriptError(f"{what} is {_kind(frame)}, not a pandas data frame", line=line)
    seen: set[object] = set()
    for name in frame.columns:
        if not isinstance(name, str):
            raise ScriptError(
                f"{what} has the column name {name!r}, which is not text",
                line=line,
                remedy="Rename it, for example with frame.columns = frame.columns.map(str).",
            )
        if name in seen:
            raise ScriptError(f'{what} has two columns called "{name}"', line=line)
        seen.add(name)
    plain = frame.reset_index(drop=True)
    columns = [_column(plain[name], what, line) for name in frame.columns]
    marks: dict[str, Any] = {}
    for table in reversed(like):
        if table is not None:
            columns = [_whole_again(column, table) for column in columns]
            marks.update({column.name: column for column in table.schema})
    # By their names, as a frame of nameless columns would name them itself.
    return Table(pl.DataFrame({c.name: c for c in columns}), list(marks.values()))


def _column(series: pd.Series[Any], what: str, line: int | None) -> pl.Series:
    import pandas as pd

    kind, spans = series.dtype, (pd.PeriodDtype, pd.IntervalDtype)
    # Tables have no spans; what pandas prints for them can be worked with.
    if isinstance(kind, pd.SparseDtype):
        series = series.astype(kind.subtype)
    elif isinstance(kind, spans):
        series = series.astype(str).where(series.notna(), None)
    elif isinstance(kind, pd.CategoricalDtype) and isinstance(kind.categories.dtype, spans):
        series = series.cat.rename_categories(kind.categories.astype(str).tolist())
    try:
        column = pl.from_pandas(series, nan_to_null=True)
        if column.dtype == pl.UInt64:
            column = column.cast(pl.Int64)
    except (
        TypeError,
        ValueError,
        OverflowError,
        NotImplementedError,
        pl.exceptions.PolarsError,
    ) as error:
        first = next(iter(str(error).splitlines()), "")
        raise ScriptError(
            f'{what} has a column "{series.name}" that is no table column ({first.rstrip(".")})',
            line=line,
            remedy="Give it one type, for example with frame[name].astype(str).",
        ) from error
    return column.cast(pl.String) if column.dtype == pl.Null else column


def _whole_again(column: pl.Series, table: Table) -> pl.Series:
    before = table.frame.get_column(column.name) if column.name in table.schema else None
    if before is None or before.dtype != pl.Int64 or not before.null_count():
        return column
    if not column.dtype.is_float():
        return column
    whole = column.cast(pl.Int64, strict=False)
    return whole if whole.cast(pl.Float64).eq_missing(column).all() else column


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"
