"""How a file is to be read."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from modelwright.data.files.errors import InvalidReadOption
from modelwright.data.schema import ColumnType

Format = Literal["csv", "tsv", "parquet", "jsonl", "arrow"]
FORMATS: tuple[Format, ...] = get_args(Format)

MISSING = ("", "?", "NA", "N/A", "null", "NULL", "NaN", "nan")
"""What a field must read, without the blanks around it, to be missing, unless chosen otherwise."""


@dataclass(frozen=True)
class ReadOptions:
    """Choices for reading a file; all but `format` and `types` are for CSV and TSV.

    format: None takes what content and name say.  separator: one character; None takes the one that
    divides the first lines evenly, a tab for TSV.  header: whether the first line holds names.
    encoding: any Python codec; None takes what a byte order mark says, else UTF-8.  missing: marks
    for missing values, quoted or not; without "" an empty field is empty text.  decimal: what
    stands before the decimals.  quote: one character, or "" for none.  skip_rows: lines to leave
    out at the start.  trim: whether blanks around text are removed (around numbers they always
    are).  ragged: what becomes of rows with too many or too few fields; "pad" fills up and cuts
    off, "skip" leaves them out.  types: of columns by name, in place of those found.
    Raises InvalidReadOption.
    """

    format: Format | None = None
    separator: str | None = None
    header: bool = True
    encoding: str | None = None
    missing: tuple[str, ...] = MISSING
    decimal: Literal[".", ","] = "."
    quote: str = '"'
    skip_rows: int = 0
    trim: bool = False
    ragged: Literal["error", "pad", "skip"] = "error"
    types: Mapping[str, ColumnType] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.format is not None and self.format not in FORMATS:
            raise InvalidReadOption("format", self.format, f"known are {', '.join(FORMATS)}")
        if self.separator is not None and not _is_mark(self.separator):
            raise InvalidReadOption("separator", self.separator, "it must be one ASCII character")
        if self.quote and (not _is_mark(self.quote) or self.quote == self.separator):
            why = "it must be one ASCII character other than the separator, or none"
            raise InvalidReadOption("quote", self.quote, why)
        if self.decimal not in (".", ","):
            raise InvalidReadOption("decimal", self.decimal, 'it must be "." or ","')
        if self.ragged not in ("error", "pad", "skip"):
            raise InvalidReadOption("ragged", self.ragged, 'it must be "error", "pad" or "skip"')
        if self.skip_rows < 0:
            raise InvalidReadOption("skip_rows", self.skip_rows, "it must be 0 or more")
        if self.encoding is not None and not _is_text_codec(self.encoding):
            raise InvalidReadOption("encoding", self.encoding, "no text encoding has that name")
        for name, kind in self.types.items():
            if kind is ColumnType.OTHER:
                raise InvalidReadOption("types", name, "a column cannot be read as Other")

    def to_json(self) -> dict[str, Any]:
        """The choices as JSON."""
        value = {f.name: getattr(self, f.name) for f in fields(self)}
        value["missing"] = list(self.missing)
        value["types"] = {name: kind.value for name, kind in self.types.items()}
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ReadOptions:
        """Read what `to_json` wrote; what is left out is at its default.  Raises InvalidReadOption."""
        known = {f.name for f in fields(cls)}
        for name in value:
            if name not in known:
                raise InvalidReadOption(name, value[name], f"known are {', '.join(sorted(known))}")
        given = dict(value)
        if "missing" in given:
            given["missing"] = tuple(given["missing"])
        try:
            types = {name: ColumnType(kind) for name, kind in given.pop("types", {}).items()}
        except ValueError as error:
            raise InvalidReadOption("types", value["types"], str(error)) from None
        return cls(**given, types=types)


def _is_mark(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in "\n\r\0"


def _is_text_codec(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # the one place where Python says so
    except LookupError:
        return False
