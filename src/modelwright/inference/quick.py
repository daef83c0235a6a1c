"""The shortest way from the bytes of a usual request to those of its reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from modelwright.data.expression import Dropped
from modelwright.data.schema import ColumnType
from modelwright.inference.reply import special
from modelwright.inference.request import ALIASES, LARGEST, SMALLEST, is_field_name
from modelwright.inference.serving import RequestInput

_KINDS: dict[ColumnType, Any] = {
    ColumnType.STRING: str,
    ColumnType.INTEGER: Annotated[int, msgspec.Meta(ge=SMALLEST, le=LARGEST)],
    ColumnType.DOUBLE: float,
    ColumnType.BOOLEAN: bool,
}
_NOTHING = (dict, type(None), str)

Score = Callable[[tuple[Any, ...]], Any]


class QuickForm(NamedTuple):
    """How rows that are tuples of values become records of a reply.

    score: gives a record, or what dropped the row.  together: the same as a generator that yields what
    native values are to get; None where there are none.  table: all rows by the Table form, as
    dictionaries ready to be written; None when one is dropped.  Numbers of rows are finite.
    """

    score: Score
    together: Score | None
    table: Callable[[Sequence[tuple[Any, ...]]], list[dict[str, Any]] | None]


class QuickOutput(NamedTuple):
    """How rows become those of one output.

    whole: for rows in which no value is None.  any: for rows in which some may be.  computed: names of
    the fields of records that may have come out as not a number or infinite.
    """

    name: str
    whole: QuickForm
    any: QuickForm
    computed: tuple[str, ...]


def is_usual(request_input: RequestInput) -> bool:
    """Whether the columns are of types that JSON has by itself, with names that records can have."""
    return all(c.type in _KINDS and is_field_name(c.name) for c in request_input.read)


def record(columns: Sequence[str]) -> type[msgspec.Struct] | None:
    """A class of records with the fields c0, c1 … that are written under these names; None if they cannot be."""
    if not all(map(is_field_name, columns)):
        return None
    return msgspec.defstruct(
        "Reply",
        [f"c{n}" for n in range(len(columns))],
        rename={f"c{n}": name for n, name in enumerate(columns)},
        gc=False,
    )


class QuickAnswer:
    """Answers requests of one usual input whose every value is of its very type, or null.

    Decoding checks that at no cost of its own, since it knows of no other values.
    """

    def __init__(
        self,
        request_input: RequestInput,
        outputs: Sequence[QuickOutput],
        *,
        together: int,
        tables: int,
    ) -> None:
        """together: rows from which native values work on all of them.  tables: from which the Table form does."""
        # Tried in turn: where no value is null, nothing need look for one.
        self._ways = (
            (
                _decoder(request_input, nulls=False),
                [(o.name, o.whole, o.computed) for o in outputs],
            ),
            (_decoder(request_input, nulls=True), [(o.name, o.any, o.computed) for o in outputs]),
        )
        self._names = frozenset((request_input.name, *ALIASES))
        self._together = together
        self._tables = tables
        self._encode = msgspec.json.Encoder().encode

    def answer(self, body: bytes) -> bytes | None:
        """The reply; None for a request that somebody else must look at more closely."""
        for decode, outputs in self._ways:
            try:
                request = decode(body)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                continue
            return self._scored(request, outputs)
        return None

    def _scored(
        self, request: Any, outputs: Sequence[tuple[str, QuickForm, tuple[str, ...]]]
    ) -> bytes | None:
        inputs, extra = request.Inputs, request.GlobalParameters
        if extra or extra.__class__ not in _NOTHING or len(inputs) != 1:
            return None
        ((name, rows),) = inputs.items()
        if name not in self._names:
            return None
        results: dict[str, list[Any]] = {}
        for output, form, computed in outputs:
            if len(rows) >= self._tables:
                written = form.table([astuple(row) for row in rows])
                if written is None:
                    return None
                results[output] = written
                continue
            if form.together is not None and len(rows) >= self._together:
                found = _scored_together(form.together, rows)
            else:
                score = form.score
                found = [score(astuple(row)) for row in rows]
            for scored in found:
                if scored.__class__ is Dropped:
                    # The reply has to tell.
                    return None
                for column in computed:
                    value = getattr(scored, column)
                    if value is not None and value - value != 0.0:
                        setattr(scored, column, special(value))
            results[output] = found
        return self._encode({"Results": results})


def _scored_together(score: Score, rows: Sequence[Any]) -> list[Any]:
    """The records of the rows; native values get all rows at once."""
    import numpy as np

    working = [score(astuple(row)) for row in rows]
    try:
        asked = [next(w) for w in working]
        while asked[0].__class__ is tuple:
            given = [inputs for _, inputs in asked]
            pack = Struct(f"={len(given[0])}d").pack
            matrix = np.frombuffer(b"".join([pack(*values) for values in given]))
            outputs = asked[0][0].batch(matrix.reshape(len(given), -1)).tolist()
            asked = [w.send(found) for w, found in zip(working, outputs, strict=True)]
    except StopIteration:
        return [Dropped("", 0)]
    return asked


def _decoder(request_input: RequestInput, *, nulls: bool) -> Callable[[bytes], Any]:
    """Decodes a request whose values are of the columns' types, with or without nulls."""
    read = request_input.read
    row = msgspec.defstruct(
        "Row",
        [
            (f"c{n}", _KINDS[c.type] | None if nulls and c.missing else _KINDS[c.type])
            for n, c in enumerate(read)
        ],
        rename={f"c{n}": c.name for n, c in enumerate(read)},
        kw_only=True,
        gc=False,
    )
    body = msgspec.defstruct(
        "Body",
        [("Inputs", dict[str, list[row]]), ("GlobalParameters", Any, None)],  # type: ignore[valid-type]  # made at run time
    )
    found: Callable[[bytes], Any] = msgspec.json.Decoder(body).decode
    return found
