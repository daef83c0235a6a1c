"""CSV and TSV: checked for structure in one pass, then read by Polars as a stream.

Every column is read as text and becomes what its values are (see `types`).  The first rows tell the
types; the rest is read in these types at once, and only columns with a value that does not fit are
read again and judged by all their values, so the types are always those of the whole file.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from modelwright import temporary
from modelwright.data.column_names import all_named
from modelwright.data.files.encoding import as_utf8, wrong_byte
from modelwright.data.files.errors import RaggedRows, UnclosedQuote, UnreadableFile, UnreadableValue
from modelwright.data.files.layout import Layout, Records, find_layout
from modelwright.data.files.notes import Loaded, Note
from modelwright.data.files.options import ReadOptions
from modelwright.data.files.source import Source
from modelwright.data.files.structure import Structure, scan
from modelwright.data.files.types import Reading, find_moment, find_type, typed, unfit
from modelwright.data.schema import ColumnType, MissingColumn
from modelwright.data.table import Table

_FIRST_ROWS = 10_000
_SHOWN = 5
# Polars looks a column up by its name, which may look like a pattern.
_ANY = "values"


def read_delimited(source: Source, options: ReadOptions) -> Loaded:
    """The table in a CSV or TSV file.

    Raises EmptyFile, RaggedRows, UnclosedQuote, WrongEncoding, UnreadableValue, MissingColumn (in
    `types`) and UnknownFormat.
    """
    with as_utf8(source, options.encoding) as text:
        layout = find_layout(text, options)
        for name in options.types:
            if name not in layout.names:
                raise MissingColumn(name, layout.names)
        with _sound(text, layout, options) as rows:
            notes = _judge_structure(rows, options)
            return Loaded(Table(_frame(rows, options)), layout.notes + rows.notes + notes)


@dataclass(frozen=True)
class _Rows:
    """A file whose quotes are sound, with its structure."""

    source: Source
    layout: Layout
    structure: Structure
    notes: tuple[Note, ...] = ()

    def text(self, options: ReadOptions, columns: Sequence[str]) -> pl.LazyFrame:
        """Some columns as text, without blank rows and, when so chosen, without ragged ones."""
        layout, structure = self.layout, self.structure
        frame = pl.scan_csv(
            self.source.given,
            has_header=False,
            schema=dict.fromkeys(layout.names, pl.String),
            skip_lines=layout.lines,
            separator=layout.separator,
            quote_char=options.quote if structure.quoted else None,
            null_values=list(options.missing),
            empty_string_is_null="" in options.missing,
            # The structure is known: short rows are filled up and long ones cut off here.
            missing_columns="insert",
            extra_columns="ignore",
            truncate_ragged_lines=True,
            glob=False,
        )
        gone = self.left_out(options)
        if len(gone):
            number = "row\0"
            kept = ~pl.col(number).is_in(pl.Series(gone, dtype=pl.UInt32).implode())
            frame = frame.with_row_index(number).filter(kept)
        return frame.select(all_named(columns))

    def left_out(self, options: ReadOptions) -> np.ndarray:
        """The records that are no rows, in order."""
        blank, bad = self.structure.blank, self.structure.bad
        if len(self.layout.names) == 1:
            # A blank line is a missing value here, but for those at the end.
            last = self.structure.records - 1 - np.arange(len(blank))
            blank = blank[np.cumprod((blank[::-1] == last).astype(int))[::-1].astype(bool)]
        return np.union1d(blank, bad) if options.ragged == "skip" else blank


@contextmanager
def _sound(source: Source, layout: Layout, options: ReadOptions) -> Iterator[_Rows]:
    """The rows with their structure; a file with odd quotes is written anew, in the usual way."""
    quote = ord(options.quote) if options.quote else -1
    structure = scan(
        source.array(),
        start=layout.start,
        line=layout.lines + 1,
        width=len(layout.names),
        separator=ord(layout.separator),
        quote=quote,
    )
    if structure.unclosed_line is not None:
        raise UnclosedQuote(source.name, structure.unclosed_line, options.quote)
    if structure.odd_line is None:
        yield _Rows(source, layout, structure)
        return
    with tempfile.TemporaryDirectory(dir=temporary.place()) as folder:
        copy = Path(folder) / "rows"
        rewritten = _rewrite(source, layout, options, copy)
        note = Note(
            "odd-quotes",
            f"Line {structure.odd_line} has a quote inside a field; it was taken as a character.",
            {"line": structure.odd_line},
        )
        plain = replace(layout, lines=0, start=0)
        yield _Rows(Source.of(copy, source.name), plain, rewritten, (note,))


def _rewrite(source: Source, layout: Layout, options: ReadOptions, target: Path) -> Structure:
    """Write the rows with quotes where they belong; the structure of what was written.

    Quotes inside a field are characters; after a quoted field, so is the rest up to the separator.
    """
    width = len(layout.names)
    bad: list[tuple[int, int, int]] = []
    count = blanks = 0
    after_header = replace(options, skip_rows=layout.lines)
    with (
        Records(source, layout.separator, after_header, blanks=width == 1) as records,
        target.open("w", encoding="utf-8", newline="") as file,
    ):
        out = csv.writer(
            file, delimiter=layout.separator, quotechar=options.quote, lineterminator="\n"
        )
        for record in records:
            if not record:
                blanks += 1
                continue
            # Blank lines of a single column are missing values, but for those at the end.
            out.writerows([[""]] * blanks)
            count, blanks = count + blanks, 0
            if len(record) != width:
                bad.append((count, len(record), records.started))
            out.writerow(record)
            count += 1
        if records.unended:
            raise UnclosedQuote(source.name, records.started, options.quote)
    numbers, fields, lines = np.array(bad, dtype=np.int64).reshape(-1, 3).T
    return Structure(count, 0, numbers, fields, lines, quoted=True, padded=True)


def _judge_structure(rows: _Rows, options: ReadOptions) -> tuple[Note, ...]:
    found, width = rows.structure, len(rows.layout.names)
    if not len(found.bad):
        return ()
    shown = [
        (int(line), int(fields))
        for line, fields in zip(found.bad_lines[:_SHOWN], found.bad_fields[:_SHOWN], strict=True)
    ]
    if options.ragged == "error":
        raise RaggedRows(rows.source.name, width, shown, len(found.bad))
    code, done = {
        "pad": ("rows-padded", "filled up or cut off"),
        "skip": ("rows-skipped", "left out"),
    }[options.ragged]
    lines = ", ".join(str(line) for line, _ in shown) + (" …" if len(found.bad) > _SHOWN else "")
    text = f"{len(found.bad)} rows do not have {width} fields and were {done}: lines {lines}."
    fields = {"count": len(found.bad), "lines": [line for line, _ in shown]}
    return (Note(code, text, fields),)


def _frame(rows: _Rows, options: ReadOptions) -> pl.DataFrame:
    names = rows.layout.names
    first = _collected(rows, rows.text(options, names).head(_FIRST_ROWS))
    whole = first.height < _FIRST_ROWS
    readings: dict[str, Reading] = {}
    for name in names:
        if name in options.types:
            readings[name] = _asked(first[name], options.types[name], options)
        elif reading := find_type(first[name].alias(_ANY), options, whole=whole):
            readings[name] = reading
    frame = first if whole else None
    columns = _typed(rows, readings, options, frame)
    again = [n for n in names if n not in readings or bool(columns[f"unfit\0{n}"].any())]
    for name in again:
        if name in options.types:
            raise _unreadable(rows, name, readings[name], columns[f"unfit\0{name}"], options)
    if again:
        text = _collected(rows, rows.text(options, again))
        for name in again:
            reading = find_type(text[name].alias(_ANY), options, whole=True)
            assert reading  # noqa: S101  # all values were given
            columns[name] = text.select(
                typed(name, reading, options, padded=rows.structure.padded)
            ).to_series()
    return pl.DataFrame([columns.pop(name).rechunk() for name in names])


def _typed(
    rows: _Rows, readings: dict[str, Reading], options: ReadOptions, known: pl.DataFrame | None
) -> dict[str, pl.Series]:
    """The columns in their types, and beside each whether a value did not fit."""
    if not readings:
        return {}
    padded = rows.structure.padded
    wanted = [typed(name, reading, options, padded=padded) for name, reading in readings.items()]
    wanted += [
        unfit(name, reading, options, padded=padded).alias(f"unfit\0{name}")
        for name, reading in readings.items()
    ]
    text = known.lazy() if known is not None else rows.text(options, list(readings))
    frame = _collected(rows, text.select(wanted))
    expected = rows.structure.records - len(rows.left_out(options))
    if frame.height != expected:
        why = f"{frame.height} rows were read where {expected} were counted"
        raise UnreadableFile(rows.source.name, "CSV", why)
    return {series.name: series for series in frame.iter_columns()}


def _asked(text: pl.Series, kind: ColumnType, options: ReadOptions) -> Reading:
    if kind is not ColumnType.DATETIME:
        return Reading(kind)
    bare = text.str.strip_chars()
    values = bare.filter(bare.is_not_null() & ~bare.is_in(options.missing))
    return Reading(kind, find_moment(values.head(1)) if len(values) else None)


def _unreadable(
    rows: _Rows, name: str, reading: Reading, flags: pl.Series, options: ReadOptions
) -> UnreadableValue:
    row = int(flags.arg_true()[0])
    text = _collected(rows, rows.text(options, [name]).slice(row, 1))
    return UnreadableValue(
        rows.source.name,
        name,
        reading.type.value,
        row=row + 1,
        value=str(text[name][0]),
        count=int(flags.sum()),
    )


def _collected(rows: _Rows, frame: pl.LazyFrame) -> pl.DataFrame:
    try:
        return frame.collect(engine="streaming")
    except pl.exceptions.ComputeError as error:
        if fault := wrong_byte(rows.source):
            raise fault from None
        raise UnreadableFile(rows.source.name, "CSV", str(error).partition("\n")[0]) from error
