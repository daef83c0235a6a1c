"""Where the rows of a delimited file begin, what divides their fields, and what columns are called."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

from modelwright.data.files.encoding import wrong_byte
from modelwright.data.files.errors import EmptyFile, UnreadableFile
from modelwright.data.files.notes import Note
from modelwright.data.files.options import ReadOptions
from modelwright.data.files.source import Source

SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 100
_END = "\uffffend of file\uffff"
# csv refuses fields beyond 128 KiB unless told otherwise; a file may hold texts of any length.
_LONGEST_FIELD = 1 << 30


@dataclass(frozen=True)
class Layout:
    """How a delimited file is laid out.

    names: of the columns, unique.  lines: lines before the first row; start: bytes before it.
    """

    separator: str
    names: tuple[str, ...]
    lines: int
    start: int
    notes: tuple[Note, ...] = ()


def find_layout(source: Source, options: ReadOptions) -> Layout:
    """The layout of a UTF-8 file, by its first records.

    Raises EmptyFile, and WrongEncoding when the first records are not UTF-8.
    """
    separator = options.separator or find_separator(source, options)
    with Records(source, separator, options) as records:
        first = next(records, None)
        if first is None:
            raise EmptyFile(source.name)
        if options.header:
            names, notes = column_names(first)
            return Layout(separator, names, records.line, records.place, notes)
        counts = Counter([len(first), *(len(r) for r in islice(records, _LOOKED_AT))])
        width = max(counts, key=lambda n: (counts[n], n))
        names = tuple(f"Col{i + 1}" for i in range(width))
        return Layout(separator, names, options.skip_rows, records.start)


def column_names(header: Sequence[str]) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Unique names: an empty one becomes ColN, a repeated one gets _1, _2 and so on.

    Blanks around a name go.  N is the place of the column, from 1.  A suffix that is taken is passed over: a, a_1, a gives
    a, a_1, a_2.
    """
    wanted = [name.strip() or f"Col{place + 1}" for place, name in enumerate(header)]
    taken = set(wanted)
    names: list[str] = []
    for name in wanted:
        unique, suffix = name, 0
        while unique in names or (suffix and unique in taken):
            suffix += 1
            unique = f"{name}_{suffix}"
        names.append(unique)
    changed = {
        place + 1: new
        for place, (old, new) in enumerate(zip(header, names, strict=True))
        if old.strip() != new
    }
    if not changed:
        return tuple(names), ()
    listed = ", ".join(f'column {place} is "{name}"' for place, name in list(changed.items())[:5])
    more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
    text = f"Empty and repeated column names were replaced: {listed}{more}."
    fields = {"columns": [{"place": p, "name": n} for p, n in changed.items()]}
    return tuple(names), (Note("columns-renamed", text, fields),)


def find_separator(source: Source, options: ReadOptions) -> str:
    """The character that divides the first records into the same number of fields, the more the better.

    A comma when none divides them.
    """
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        if separator == options.quote:
            continue
        with Records(source, separator, options, strict=False) as records:
            counts = Counter(len(record) for record in islice(records, _LOOKED_AT))
        if not counts:
            continue
        fields, times = counts.most_common(1)[0]
        score = (times / counts.total(), fields)
        # With decimal commas a comma divides too, but not evenly.
        if fields > 1 and score > best_score:
            best, best_score = separator, score
    return best


class Records(Iterator[list[str]]):
    """The records of a UTF-8 file one by one, for the first few or for odd ones; to be closed.

    Blank lines are left out unless `blanks`, and then they are records without a field.
    start: bytes before the first.  line, place: lines and bytes up to the end of the last one taken.
    started: the line in which the last one taken began.  unended: whether a quote was never closed;
    the record that it opens is not given.
    """

    def __init__(
        self,
        source: Source,
        separator: str,
        options: ReadOptions,
        *,
        strict: bool = True,
        blanks: bool = False,
    ) -> None:
        csv.field_size_limit(_LONGEST_FIELD)
        self.line = self.place = 0
        self.started = 1
        self.unended = False
        self._source, self._strict, self._blanks = source, strict, blanks
        self._separator = separator
        self._file = source.open()
        for _ in range(options.skip_rows):
            self._take()
        self.start = self.place
        self._reader = csv.reader(
            self._lines(),
            delimiter=separator,
            quotechar=options.quote or None,
            quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
            skipinitialspace=options.trim,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def __next__(self) -> list[str]:
        """The next record.  Raises WrongEncoding and UnreadableFile."""
        while True:
            started = self.line + 1
            try:
                record = next(self._reader)
            except csv.Error as error:
                if not self._strict:
                    raise StopIteration from None
                why = "a carriage return stands alone inside a field"
                raise UnreadableFile(self._source.name, "CSV", why, line=self.line) from error
            if record == [_END, _END]:
                raise StopIteration
            self.started = started
            if record and record[-1].endswith(_END):
                self.unended = True
                raise StopIteration
            if record or self._blanks:
                return record

    def _lines(self) -> Iterator[str]:
        while raw := self._take():
            try:
                text = raw.decode("utf-8-sig" if self.line == 1 else "utf-8")
            except UnicodeDecodeError:
                if self._strict and (fault := wrong_byte(self._source)):
                    raise fault from None
                text = raw.decode("utf-8", errors="replace")
            yield text
        # Shows whether the end is reached inside of quotes, which the reader does not tell.
        yield _END + self._separator + _END

    def _take(self) -> bytes:
        raw = self._file.readline()
        self.line += bool(raw)
        self.place += len(raw)
        return raw
