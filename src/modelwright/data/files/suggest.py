"""What a file looks like, for a screen on which people choose how to read it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from modelwright.data.files.encoding import LIKELY, as_utf8, marked_encoding, wrong_byte
from modelwright.data.files.errors import RaggedRows, UnclosedQuote
from modelwright.data.files.formats import find_format
from modelwright.data.files.layout import Records, find_separator
from modelwright.data.files.notes import Loaded, Note
from modelwright.data.files.options import ReadOptions
from modelwright.data.files.reading import load_table
from modelwright.data.files.source import Source
from modelwright.data.files.types import BLANKS
from modelwright.data.json_values import rows_to_json
from modelwright.data.schema import Schema

_SAMPLE = 1 << 20
_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class ParsePreview:
    """How a file would be read, and its first rows read so.

    rows: as `json_values` writes values.  notes: what was guessed or would go wrong.  complete:
    whether the whole file was looked at; if not, types are those of its start.
    """

    options: ReadOptions
    schema: Schema
    rows: list[list[Any]]
    notes: tuple[Note, ...]
    size: int
    complete: bool

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "options": self.options.to_json(),
            "columns": self.schema.to_json(),
            "rows": self.rows,
            "notes": [note.to_json() for note in self.notes],
            "size": self.size,
            "complete": self.complete,
        }


def suggest(
    given: Path | bytes, options: ReadOptions | None = None, *, name: str = "", rows: int = 100
) -> ParsePreview:
    """Options with which a file can be read, and its first rows.

    options: choices made already; those at their default are guessed.  Reads the first MiB of CSV,
    TSV and JSON lines, and all of a Parquet or Arrow file.  Rows with too few or too many fields are
    filled up or cut off here and noted, so that they can be looked at.
    Raises the errors of `modelwright.data.files.errors`, but not RaggedRows.
    """
    source = Source.of(given, name or None)
    chosen = options or ReadOptions()
    format_name = chosen.format or find_format(source)
    chosen = replace(chosen, format=format_name)
    if format_name in ("parquet", "arrow"):
        table = load_table(given, chosen, name=name).table
        first = rows_to_json(table.frame.head(rows))
        return ParsePreview(chosen, table.schema, first, (), source.size, complete=True)
    head = source.head(_SAMPLE)
    complete = len(head) == source.size
    chosen, notes = _encoding(Source(source.name, content=head), chosen, complete=complete)
    sample = _sample(Source(source.name, content=head), chosen, complete=complete)
    plain = replace(chosen, encoding="utf-8")
    if format_name in ("csv", "tsv"):
        with as_utf8(sample, plain.encoding) as text:
            plain = _guess(text, plain)
    loaded = _load(sample, plain)
    chosen = replace(plain, encoding=chosen.encoding)
    notes = (*notes, *loaded.notes)
    if not complete:
        text_note = "Only the start of the file was looked at; later values may change types."
        notes = (*notes, Note("sample", text_note, {"bytes": len(head)}))
    first = rows_to_json(loaded.table.frame.head(rows))
    return ParsePreview(chosen, loaded.table.schema, first, notes, source.size, complete)


def _load(sample: Source, options: ReadOptions) -> Loaded:
    content = sample.content or b""
    while True:
        try:
            return load_table(content, options, name=sample.name)
        except RaggedRows as error:
            ragged = Note("ragged-rows", error.happened, error.fields)
            padded = load_table(content, replace(options, ragged="pad"), name=sample.name)
            others = tuple(note for note in padded.notes if note.code != "rows-padded")
            return Loaded(padded.table, (*others, ragged))
        except UnclosedQuote as error:
            # The sample may end within a quoted field; the record before is whole.
            lines = content.splitlines(keepends=True)[: int(error.fields["line"]) - 1]
            shorter = b"".join(lines)
            if not shorter or len(content) < _SAMPLE // 4:
                raise
            content = shorter


def _encoding(
    head: Source, options: ReadOptions, *, complete: bool
) -> tuple[ReadOptions, tuple[Note, ...]]:
    """UTF-8 or what is marked; else the likeliest, which is said to be a guess."""
    content = head.content or b""
    if options.encoding or (marked := marked_encoding(content)):
        return replace(options, encoding=options.encoding or marked), ()
    # A character may be cut in two at the end of a sample.
    cut = Source(head.name, content=content if complete else content[: content.rfind(b"\n") + 1])
    fault = wrong_byte(cut)
    if not fault:
        return replace(options, encoding="utf-8"), ()
    for name in LIKELY:
        if not wrong_byte(cut, name):
            text = f"The file is not UTF-8; it was read as {name}. Check the letters with accents."
            fields = {"encoding": name, "try_encodings": fault.fields["try_encodings"]}
            return replace(options, encoding=name), (Note("encoding-guessed", text, fields),)
    raise fault


def _sample(head: Source, options: ReadOptions, *, complete: bool) -> Source:
    """The whole lines of a file's start, in UTF-8."""
    encoding = options.encoding or "utf-8"
    content = head.content or b""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(content, final=complete)
    except UnicodeDecodeError:
        raise wrong_byte(head, encoding) or ValueError(encoding) from None
    if not complete:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    return Source(head.name, content=text.encode())


def _guess(text: Source, options: ReadOptions) -> ReadOptions:
    """Separator, header, blanks and decimal comma by the first records, unless chosen."""
    given = ReadOptions()
    tab = "\t" if options.format == "tsv" else None
    separator = options.separator or tab or find_separator(text, options)
    with Records(text, separator, options, strict=False) as records:
        first = list(islice(records, 200))
    body = first[1:] or first
    fields = [field for record in body for field in record]
    if options.trim == given.trim and len(body[0] if body else ()) > 1:
        # The first field of a line has nothing before it that a blank could follow.
        inner = [field for record in body for field in record[1:] if field]
        trim = bool(inner) and all(field[0] in BLANKS for field in inner)
        options = replace(options, trim=trim)
    if options.decimal == given.decimal and separator != ",":
        commas = any(_COMMA.fullmatch(field.strip(BLANKS)) for field in fields)
        columns = [column for column in zip(*body, strict=False) if _has_decimal_comma(column)]
        options = replace(options, decimal="," if commas and columns else ".")
    if options.header == given.header and first:
        options = replace(options, header=_is_header(first[0], body, options))
    return replace(options, separator=separator)


def _has_decimal_comma(column: Sequence[str]) -> bool:
    values = [value.strip(BLANKS) for value in column]
    filled = [value for value in values if value not in ReadOptions().missing]
    numbers = all(_NUMBER.fullmatch(value) and "." not in value for value in filled)
    return bool(filled) and numbers and any("," in value for value in filled)


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]], options: ReadOptions) -> bool:
    """Names are text, each once; a number or a missing value among them speaks against it."""
    names = [name.strip(BLANKS) for name in first]
    if any(_NUMBER.fullmatch(name) for name in names):
        return False
    filled = [name for name in names if name]
    if not filled:
        return False
    if len(set(filled)) == len(filled):
        return True
    # Repeated words are values, unless the rest of a column is numbers.
    columns = list(zip(*body, strict=False)) if body is not first else []
    return any(all(_NUMBER.fullmatch(v.strip(BLANKS)) for v in c if v) for c in columns if any(c))
