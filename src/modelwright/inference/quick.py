"""The shortest way from the bytes of a usual request to those of its reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
import orjson
from msgspec.structs import astuple

from modelwright.data.schema import ColumnType
from modelwright.inference.reply import special
from modelwright.inference.request import ALIASES, LARGEST, SMALLEST
from modelwright.inference.serving import RequestInput

_KINDS: dict[ColumnType, Any] = {
    ColumnType.STRING: str,
    ColumnType.INTEGER: Annotated[int, msgspec.Meta(ge=SMALLEST, le=LARGEST)],
    ColumnType.DOUBLE: float,
    ColumnType.BOOLEAN: bool,
}
_NOTHING = (dict, type(None), str)

Score = Callable[[tuple[Any, ...]], Any]


class QuickOutput(NamedTuple):
    """How rows become those of one output; rows are tuples of values whose numbers are finite.

    score: takes rows in which any value may be None.  score_whole: the same for rows in which none is.
    computed: columns of the reply that may have come out as not a number or infinite.
    """

    name: str
    score: Score
    score_whole: Score
    computed: tuple[str, ...]


def is_usual(request_input: RequestInput) -> bool:
    """Whether the columns are of types that JSON has by itself."""
    return all(c.type in _KINDS for c in request_input.read)


class QuickAnswer:
    """Answers requests of one usual input whose every value is of its very type, or null.

    Decoding checks that at no cost of its own, since it knows of no other values.
    """

    def __init__(
        self, request_input: RequestInput, outputs: Sequence[QuickOutput], most_rows: int
    ) -> None:
        """most_rows: requests with as many or more are left to others."""
        # Tried in turn: where no value is null, nothing need look for one.
        self._ways = (
            (
                _decoder(request_input, nulls=False),
                [(o.name, o.score_whole, o.computed) for o in outputs],
            ),
            (_decoder(request_input, nulls=True), [(o.name, o.score, o.computed) for o in outputs]),
        )
        self._names = frozenset((request_input.name, *ALIASES))
        self._most_rows = most_rows

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
        self, request: Any, outputs: Sequence[tuple[str, Score, tuple[str, ...]]]
    ) -> bytes | None:
        inputs, extra = request.Inputs, request.GlobalParameters
        if extra or extra.__class__ not in _NOTHING or len(inputs) != 1:
            return None
        ((name, rows),) = inputs.items()
        if name not in self._names or len(rows) >= self._most_rows:
            return None
        results: dict[str, list[dict[str, Any]]] = {}
        for output, score, computed in outputs:
            found: list[dict[str, Any]] = []
            for row in rows:
                scored = score(astuple(row))
                if scored.__class__ is not dict:
                    # A row is dropped, which the reply has to tell.
                    return None
                for column in computed:
                    value = scored[column]
                    if value is not None and value - value != 0.0:
                        scored[column] = special(value)
                found.append(scored)
            results[output] = found
        return orjson.dumps({"Results": results}, default=str)


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
