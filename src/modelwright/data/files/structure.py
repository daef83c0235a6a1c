"""The structure of delimited text: how many fields each record has, and whether quotes are sound.

One pass over the bytes with NumPy, some GB/s without quotes.  A quote opens a field only at its
start and closes it only at its end; where a file has quotes elsewhere this pass cannot tell what is
inside of them, says so, and a slower reader takes over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# Small enough that the masks of a chunk stay in the processor's cache.
_CHUNK = 1 << 20
_LF, _CR = 10, 13
_BLANKS = (32, 9)
_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Structure:
    """What was found, records counted from 0 and lines from 1.

    records: all records, blank ones included.  end: the place after the last whole record.
    bad, bad_fields, bad_lines: records with another number of fields than expected.  blank: records
    without a character.  quoted: whether any quote was met.  padded: whether blanks stand at the
    start or end of any field.  odd_line: where a quote stands that
    neither opens nor closes a field; nothing after it was looked at.  unclosed_line: where a quote
    opens that is never closed.
    """

    records: int = 0
    end: int = 0
    bad: np.ndarray = field(default_factory=lambda: _NONE)
    bad_fields: np.ndarray = field(default_factory=lambda: _NONE)
    bad_lines: np.ndarray = field(default_factory=lambda: _NONE)
    blank: np.ndarray = field(default_factory=lambda: _NONE)
    quoted: bool = False
    padded: bool = False
    odd_line: int | None = None
    unclosed_line: int | None = None


def scan(
    data: np.ndarray, *, start: int, line: int, width: int, separator: int, quote: int
) -> Structure:
    """The structure of the bytes from `start` on, which is in line `line`.

    width: fields expected in a record.  separator, quote: byte values; -1 for no quote.
    """
    walk = _Walk(data, start, line, width, separator, quote)
    for begin in range(start, len(data), _CHUNK):
        walk.take(begin, min(begin + _CHUNK, len(data)))
        if walk.odd_line is not None:
            break
    return walk.finish()


class _Walk:
    """What is carried from chunk to chunk."""

    def __init__(
        self, data: np.ndarray, start: int, line: int, width: int, separator: int, quote: int
    ) -> None:
        self.data, self.width, self.separator, self.quote = data, width, separator, quote
        self.records = 0
        self.record_start = start  # of the record that is open
        self.record_line = line
        self.line = line  # of the next byte
        self.fields = 0  # separators so far in the open record
        self.inside = False
        self.quoted = False
        self.padded = len(data) > start and int(data[start]) in _BLANKS
        self.opened_line = line
        self.odd_line: int | None = None
        self.found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.blank: list[np.ndarray] = []
        self.masks = np.empty(_CHUNK, dtype=bool), np.empty(_CHUNK, dtype=bool)

    def take(self, begin: int, end: int) -> None:
        """Look at one chunk."""
        chunk = self.data[begin:end]
        special, other = (mask[: len(chunk)] for mask in self.masks)
        np.equal(chunk, self.quote, out=other)
        has_quotes = bool(other.any())
        np.equal(chunk, self.separator, out=special)
        if has_quotes:
            np.logical_or(special, other, out=special)
        np.equal(chunk, _LF, out=other)
        np.logical_or(special, other, out=special)
        places = np.flatnonzero(special)
        kinds = chunk[places]
        places += begin
        self.padded = self.padded or self._has_padding(places)
        newline = kinds == _LF
        if has_quotes or self.inside:
            outside = self._outside(places, kinds, newline)
            if outside is None:
                return
            lines = np.cumsum(newline) + self.line
            ends = np.flatnonzero(newline & outside)
            after = lines[ends]
            structural = np.cumsum(outside)
            counts = structural[ends]
            rest = int(structural[-1]) if len(structural) else 0
        else:
            ends = np.flatnonzero(newline)
            after = np.arange(self.line + 1, self.line + 1 + len(ends))
            counts = ends + 1
            rest = len(kinds)
        self._close(places[ends], counts, after)
        self.fields = rest - int(counts[-1]) if len(counts) else self.fields + rest
        self.line += int(np.count_nonzero(newline))

    def _has_padding(self, places: np.ndarray) -> bool:
        """Whether a blank is beside a separator, a quote or a line end."""
        last = len(self.data) - 1
        before = self.data[np.maximum(places - 1, 0)]
        after = self.data[np.minimum(places + 1, last)]
        ends_in_cr = np.flatnonzero(before == _CR)
        if len(ends_in_cr):
            before[ends_in_cr] = self.data[np.maximum(places[ends_in_cr] - 2, 0)]
        blanks = [blank for blank in _BLANKS if blank != self.separator]
        return any((before == b).any() or (after == b).any() for b in blanks)

    def _outside(
        self, places: np.ndarray, kinds: np.ndarray, newline: np.ndarray
    ) -> np.ndarray | None:
        """Which separators and line ends are outside of quotes; None when a quote is out of place."""
        is_quote = kinds == self.quote
        self.quoted = True
        turns = np.flatnonzero(is_quote)
        # Turn by turn, quotes open and close.
        offset = int(self.inside)
        opening, closing = places[turns[offset::2]], places[turns[1 - offset :: 2]]
        before = self.data[np.maximum(opening - 1, 0)]
        # A quote right after one that closed is the second of a doubled quote.
        sound = (before == self.separator) | (before == _LF) | (before == self.quote)
        sound |= opening == self.record_start
        following = self.data[np.minimum(closing + 1, len(self.data) - 1)]
        ended = (following == self.separator) | (following == _LF) | (following == self.quote)
        ended |= (following == _CR) | (closing >= len(self.data) - 1)
        if not (sound.all() and ended.all()):
            odd = min([*opening[~sound][:1], *closing[~ended][:1]])
            self.odd_line = self._line_at(int(odd), places[newline])
            return None
        if len(opening):
            self.opened_line = self._line_at(int(opening[-1]), places[newline])
        inside = (np.cumsum(is_quote, dtype=np.int32) + offset) & 1
        self.inside = bool(inside[-1]) if len(inside) else self.inside
        outside: np.ndarray = (inside == 0) & ~is_quote
        return outside

    def _line_at(self, place: int, newlines: np.ndarray) -> int:
        return self.line + int(np.searchsorted(newlines, place))

    def _close(self, ends: np.ndarray, counts: np.ndarray, after: np.ndarray) -> None:
        """Note the records that end at `ends`; `counts` are separators and ends up to there."""
        if not len(ends):
            return
        fields = np.diff(counts, prepend=0)
        fields[0] += self.fields
        starts = np.concatenate([[self.record_start], ends[:-1] + 1])
        lines = np.concatenate([[self.record_line], after[:-1]])
        length = ends - starts
        blank = (length == 0) | ((length == 1) & (self.data[starts] == _CR))
        numbers = np.arange(self.records, self.records + len(ends))
        wrong = (fields != self.width) & ~blank
        if wrong.any():
            self.found.append((numbers[wrong], fields[wrong], lines[wrong]))
        if blank.any():
            self.blank.append(numbers[blank])
        self.records += len(ends)
        self.record_start = int(ends[-1]) + 1
        self.record_line = int(after[-1])

    def finish(self) -> Structure:
        """Close the last record, which may lack its line end."""
        end = self.record_start
        unclosed = self.opened_line if self.inside and self.odd_line is None else None
        size = len(self.data)
        if self.odd_line is None and self.record_start < size:
            self.padded = self.padded or int(self.data[-1]) in _BLANKS
            self._close(np.array([size]), np.array([1]), np.array([self.line]))
            self.fields = 0
        bad, fields, lines = (
            [np.concatenate(part) for part in zip(*self.found, strict=True)]
            if self.found
            else (_NONE, _NONE, _NONE)
        )
        return Structure(
            self.records,
            end,
            bad,
            fields,
            lines,
            np.concatenate(self.blank) if self.blank else _NONE,
            self.quoted,
            self.padded,
            self.odd_line,
            unclosed,
        )
