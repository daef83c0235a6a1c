"""Tables typed as text: CSV, TSV, ARFF and SVMLight."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import polars as pl

from modelwright.components.errors import ComponentError
from modelwright.data.schema import Column, ColumnType
from modelwright.data.table import Table

_WHOLE = r"^[+-]?\d+$"
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^(?i:[+-]?(?:nan|inf|infinity))$"
_TRUTH = r"^(?i:true|false)$"
_NAME = r"""(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s{]+))"""
_ATTRIBUTE = re.compile(rf"@attribute\s+{_NAME}\s*(.+)", re.IGNORECASE)
_FIELD = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,'"]*?))\s*(?:,|$)""")
_DATE_WORDS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "'": ""}


class TextFormatError(ComponentError):
    """The typed text does not follow the chosen format."""

    code = "text-not-in-format"

    def __init__(self, format_name: str, why: str, line: int | None = None) -> None:
        place = f"Line {line} of the text" if line else "The text"
        super().__init__(
            f"{place} is not {format_name}: {why}.",
            remedy='Correct the text in "Data", or choose the format it is in under "DataFormat".',
            format=format_name,
            why=why,
            line=line,
        )


def read_delimited(text: str, *, delimiter: str, header: bool) -> Table:
    """The table in a text of one record a line; a cell without text is missing.

    Blank lines before the first and after the last record are left out; one between two records is
    a row of missing values.  Raises TextFormatError.
    """
    name = "CSV" if delimiter == "," else "TSV"
    records, lines = _records(text, delimiter, name)
    if not records:
        raise TextFormatError(name, "it is empty")
    titles = records[0] if header else []
    width = len(records[0])
    names = [(titles[i].strip() if header else "") or f"Col{i + 1}" for i in range(width)]
    _refuse_twins(names, name, lines[0])
    first = 1 if header else 0
    for record, line in zip(records[first:], lines[first:], strict=True):
        if record and len(record) != width:
            why = f"it has {len(record)} fields where the first line has {width}"
            raise TextFormatError(name, why, line)
    cells = [record or [""] * width for record in records[first:]]
    columns = zip(*cells, strict=True) if cells else [()] * width
    return Table(
        pl.DataFrame([inferred(n, column) for n, column in zip(names, columns, strict=True)])
    )


def inferred(name: str, cells: Iterable[str]) -> pl.Series:
    """A column of the narrowest type that holds every cell: Integer, Double, Boolean or String."""
    raw = pl.Series(name, list(cells), dtype=pl.String)
    bare = raw.str.strip_chars()
    raw, bare = raw.set(bare == "", None), bare.set(bare == "", None)
    filled = bare.drop_nulls()
    if not len(filled):
        return raw
    if filled.str.contains(_WHOLE).all():
        whole = bare.cast(pl.Int64, strict=False)
        if whole.null_count() == bare.null_count():
            return whole
    if filled.str.contains(_NUMBER).all():
        return bare.str.to_lowercase().cast(pl.Float64)
    if filled.str.contains(_TRUTH).all():
        return bare.str.to_lowercase() == "true"
    return raw


def read_arff(text: str) -> Table:
    """The table in an ARFF text: nominal attributes become categorical String columns.

    `?` and an empty cell are missing.  Raises TextFormatError.
    """
    names: list[str] = []
    types: list[str] = []
    rows: list[list[str | None]] = []
    lines: list[int] = []
    in_data = False
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("%"):
            continue
        word = content.split(None, 1)[0].lower()
        if in_data:
            rows.append(_arff_row(content, len(names), number))
            lines.append(number)
        elif word == "@attribute":
            match = _ATTRIBUTE.fullmatch(content)
            if not match:
                raise TextFormatError("ARFF", "an attribute needs a name and a type", number)
            names.append(_unquoted(match))
            types.append(match[4].strip())
        elif word == "@data":
            in_data = True
        elif word != "@relation":
            raise TextFormatError("ARFF", f"{word!r} is no declaration", number)
    if not names or not in_data:
        raise TextFormatError("ARFF", "it needs @ATTRIBUTE lines and an @DATA line")
    _refuse_twins(names, "ARFF", None)
    series, marks = [], []
    for index, (name, kind) in enumerate(zip(names, types, strict=True)):
        cells = [row[index] for row in rows]
        series.append(_arff_column(name, kind, cells, lines))
        if kind.startswith("{"):
            marks.append(Column(name, ColumnType.STRING, categorical=True))
    return Table(pl.DataFrame(series), marks)


def read_svmlight(text: str) -> Table:
    """The table in an SVMLight text: Col1 … ColN by index, then Labels; an index left out is 0.

    Raises TextFormatError.
    """
    labels: list[str] = []
    rows: list[dict[int, float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        label, *pairs = line.partition("#")[0].split() or [""]
        if not label:
            continue
        if not re.match(_NUMBER, label):
            raise TextFormatError("SVMLight", f"the label {label!r} is no number", number)
        labels.append(label)
        rows.append(_svmlight_row(pairs, number))
    if not rows:
        raise TextFormatError("SVMLight", "it is empty")
    width = max((max(row, default=0) for row in rows), default=0)
    columns = [
        pl.Series(f"Col{i}", [row.get(i, 0.0) for row in rows], dtype=pl.Float64)
        for i in range(1, width + 1)
    ]
    return Table(pl.DataFrame([*columns, inferred("Labels", labels)]))


def _records(text: str, delimiter: str, name: str) -> tuple[list[list[str]], list[int]]:
    records: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(
        io.StringIO(text.lstrip("\ufeff"), newline=""),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=delimiter == ",",
    )
    try:
        for record in reader:
            blank = not record or (len(record) == 1 and not record[0].strip())
            if records or not blank:
                records.append([] if blank else record)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise TextFormatError(name, str(error), reader.line_num) from None
    while records and not records[-1]:
        records.pop()
        lines.pop()
    return records, lines


def _refuse_twins(names: Sequence[str], format_name: str, line: int | None) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise TextFormatError(format_name, f'the column name "{name}" comes twice', line)


def _unquoted(match: re.Match[str]) -> str:
    quoted = match[1] if match[1] is not None else match[2]
    return match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _arff_row(content: str, width: int, line: int) -> list[str | None]:
    if content.startswith("{"):
        raise TextFormatError("ARFF", "sparse rows in braces are not read", line)
    cells: list[str | None] = []
    place = 0
    while len(cells) <= width:
        match = _FIELD.match(content, place)
        if not match:
            raise TextFormatError("ARFF", "a quoted value does not end where it should", line)
        cells.append(None if match[3] in ("", "?") else _unquoted(match))
        place = match.end()
        if match[0][-1:] != ",":
            break
    if len(cells) != width:
        raise TextFormatError("ARFF", f"a row needs {width} values", line)
    return cells


def _arff_column(
    name: str, kind: str, cells: Sequence[str | None], lines: Sequence[int]
) -> pl.Series:
    raw = pl.Series(name, cells, dtype=pl.String)
    word = kind.split(None, 1)[0].lower()
    if kind.startswith("{"):
        levels = [_unquoted(m) for m in _FIELD.finditer(kind.strip("{} \t")) if m[0]]
        converted, wanted = raw.set(~raw.is_in(levels), None), f"one of {', '.join(levels)}"
    elif word == "string":
        converted, wanted = raw, "text"
    elif word == "integer":
        converted, wanted = raw.cast(pl.Int64, strict=False), "a whole number"
    elif word in ("numeric", "real"):
        converted, wanted = raw.cast(pl.Float64, strict=False), "a number"
    elif word == "date":
        form = kind[4:].strip().strip("\"'") or "yyyy-MM-dd'T'HH:mm:ss"
        for java, python in _DATE_WORDS.items():
            form = form.replace(java, python)
        converted = raw.str.to_datetime(form, strict=False, time_unit="us")
        wanted = f"a date written as {kind[4:].strip() or 'yyyy-MM-ddTHH:mm:ss'}"
    else:
        raise TextFormatError("ARFF", f'attribute "{name}" has the unknown type {kind!r}')
    lost = (converted.is_null() & raw.is_not_null()).arg_true()
    if len(lost):
        row = int(lost[0])
        raise TextFormatError(
            "ARFF", f'{raw[row]!r} in column "{name}" is not {wanted}', lines[row]
        )
    return converted


def _svmlight_row(pairs: Iterable[str], line: int) -> dict[int, float]:
    row: dict[int, float] = {}
    for pair in pairs:
        index, colon, value = pair.partition(":")
        if not colon or not index.isdigit() or index == "0" or not re.match(_NUMBER, value):
            why = f"{pair!r} is not of the form index:value with an index from 1"
            raise TextFormatError("SVMLight", why, line)
        if int(index) in row:
            raise TextFormatError("SVMLight", f"index {index} comes twice", line)
        row[int(index)] = float(value)
    return row
