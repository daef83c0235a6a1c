"""The shortest way from the bytes of a usual request to those of its reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec

from modelwright.data.expression import Dropped, Records
from modelwright.data.schema import ColumnType
from modelwright.inference.request import ALIASES, LARGEST, SMALLEST, is_field_name
from modelwright.inference.serving import RequestInput

_KINDS: dict[ColumnType, Any] = {
    ColumnType.STRING: str,
    ColumnType.INTEGER: Annotated[int, msgspec.Meta(ge=SMALLEST, le=LARGEST)],
    ColumnType.DOUBLE: float,
    ColumnType.BOOLEAN: bool,
}
_PARAMETERS = dict[str, Any] | str | None


class QuickForm(NamedTuple):
    """How rows that are records become those of a reply.

    records: the row form.  table: all rows by the Table form, as dictionaries ready to be written; None
    when one is dropped.  Numbers of rows are finite.
    """

    records: Records
    table: Callable[[Sequence[Any]], list[dict[str, Any]] | None]


class QuickOutput(NamedTuple):
    """How rows become those of one output.

    whole: for rows in which no value is None.  any: for rows in which some may be.  added: names of the
    columns that are new in the reply, where its records are the rows' own; else none.
    """

    name: str
    whole: QuickForm
    any: QuickForm
    added: tuple[str, ...] = ()


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
    answer: gives the reply; None for a request that somebody else must look at more closely.
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
        added = [name for o in outputs for name in o.added]
        # Tried in turn: where no value is null, nothing need look for one.
        self._ways = (
            (
                _decoder(request_input, added, nulls=False),
                [_Way.of(o.name, o.whole, together, tables) for o in outputs],
            ),
            (
                _decoder(request_input, added, nulls=True),
                [_Way.of(o.name, o.any, together, tables) for o in outputs],
            ),
        )
        self._names = frozenset((request_input.name, *ALIASES))
        self._encode = msgspec.json.Encoder().encode
        self.answer: Callable[[bytes], bytes | None] = self._outputs
        if len(outputs) == 1:
            self._write = _writer(outputs[0].name)
            self.answer = _nobody
            for decode, (way,) in reversed(self._ways):
                self.answer = _only_output(decode, way, self._names, self._write, self.answer)
        self._together = together
        stages = [o.whole.records.together for o in outputs]
        self.gains_together = len(stages) == 1 and (stages[0] is None or stages[0].steady)
        self._stages = stages[0] if self.gains_together else None

    def _outputs(self, body: bytes) -> bytes | None:
        """As `answer`, for any number of outputs."""
        for decode, ways in self._ways:
            try:
                request = decode(body)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                continue
            inputs = request.Inputs
            if request.GlobalParameters or len(inputs) != 1:
                return None
            name, rows = inputs.popitem()
            if name not in self._names:
                return None
            results = {}
            for output, score, many, from_rows in ways:
                found = list(map(score, rows)) if len(rows) < from_rows else many(rows)
                if found is None or Dropped in map(type, found):
                    # The reply has to tell.
                    return None
                results[output] = found
            return self._encode({"Results": results})
        return None

    def answer_all(self, bodies: Sequence[bytes]) -> list[bytes | None]:
        """The replies to requests that came at the same time, each as `answer` gives it.

        Where `gains_together`, native values get the rows of all of them at once, if there are enough; and
        where there are none, each step is done for all before the next, which finds it in the caches.
        """
        if self.gains_together and self._stages is None:
            return self._step_by_step(bodies)
        if self._stages is None or len(bodies) < self._together:
            return list(map(self.answer, bodies))
        decode, _ = self._ways[0]
        every: list[Any] = []
        ends: list[int | None] = []
        for body in bodies:
            rows = self._rows(decode, body)
            if rows is not None:
                every += rows
            ends.append(None if rows is None else len(every))
        found = self._stages.run(every) if every else []
        if Dropped in map(type, found):
            # Others may have been used up before it came out.
            return list(map(self.answer, bodies))
        write = self._write
        replies: list[bytes | None] = []
        start = 0
        for body, end in zip(bodies, ends, strict=True):
            if end is None:
                replies.append(self.answer(body))
                continue
            replies.append(write(found[start:end]))
            start = end
        return replies

    def _step_by_step(self, bodies: Sequence[bytes]) -> list[bytes | None]:
        decode, [(_, score, _, from_rows)] = self._ways[0]
        read = [self._rows(decode, body) for body in bodies]
        few = [None if rows is None or len(rows) >= from_rows else rows for rows in read]
        found = [None if rows is None else list(map(score, rows)) for rows in few]
        write = self._write
        return [
            self.answer(body) if scored is None or Dropped in map(type, scored) else write(scored)
            for body, scored in zip(bodies, found, strict=True)
        ]

    def _rows(self, decode: Callable[[bytes], Any], body: bytes) -> list[Any] | None:
        """The rows of a request; None for one that is not decoded so, or must be looked at more closely."""
        try:
            request = decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        inputs = request.Inputs
        if request.GlobalParameters or len(inputs) != 1:
            return None
        name, rows = inputs.popitem()
        return rows if name in self._names else None


def _nobody(body: bytes) -> bytes | None:
    del body
    return None


def _writer(output: str) -> Callable[[list[Any]], bytes]:
    """What writes the reply of the records of the only output."""
    encode = msgspec.json.Encoder().encode
    end = b"]}}"
    begin = encode({"Results": {output: []}}).removesuffix(end)

    def write(found: list[Any]) -> bytes:
        if len(found) == 1:
            return begin + encode(found[0]) + end
        return encode({"Results": {output: found}})

    return write


def _only_output(
    decode: Callable[[bytes], Any],
    way: _Way,
    names: frozenset[str],
    write: Callable[[list[Any]], bytes],
    otherwise: Callable[[bytes], bytes | None],
) -> Callable[[bytes], bytes | None]:
    """What answers where there is one output, as nearly always; it looks nothing up that is known before.

    otherwise: answers what is not decoded so.
    """
    _, score, many, from_rows = way

    def answer(body: bytes) -> bytes | None:
        try:
            request = decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return otherwise(body)
        inputs = request.Inputs
        if request.GlobalParameters or len(inputs) != 1:
            return None
        name, rows = inputs.popitem()
        if name not in names:
            return None
        found = [*map(score, rows)] if len(rows) < from_rows else many(rows)
        if found is None or Dropped in map(type, found):
            # The reply has to tell.
            return None
        return write(found)

    return answer


class _Way(NamedTuple):
    """What makes the records of an output: `score` of a row, `many` of all where there are so many."""

    output: str
    score: Callable[[Any], Any]
    many: Callable[[list[Any]], list[Any] | None]
    from_rows: int

    @classmethod
    def of(cls, output: str, form: QuickForm, together: int, tables: int) -> _Way:
        (score, stages), table = form
        if stages is None:
            return cls(output, score, table, tables)

        def many(rows: list[Any]) -> list[Any] | None:
            return stages.run(rows) if len(rows) < tables else table(rows)

        return cls(output, score, many, min(together, tables))


def _decoder(
    request_input: RequestInput, added: Sequence[str], *, nulls: bool
) -> Callable[[bytes], Any]:
    """Decodes a request whose values are of the columns' types, with or without nulls.

    added: columns for which rows are to have room.
    """
    read = request_input.read
    row = msgspec.defstruct(
        "Row",
        [
            (f"c{n}", _KINDS[c.type] | None if nulls and c.missing else _KINDS[c.type])
            for n, c in enumerate(read)
        ]
        + [(f"c{n}", Any, msgspec.UNSET) for n in range(len(read), len(read) + len(added))],
        rename={f"c{n}": name for n, name in enumerate([*(c.name for c in read), *added])},
        kw_only=True,
        gc=False,
    )
    body = msgspec.defstruct(
        "Body",
        [("Inputs", dict[str, list[row]]), ("GlobalParameters", _PARAMETERS, None)],  # type: ignore[valid-type]  # made at run time
    )
    found: Callable[[bytes], Any] = msgspec.json.Decoder(body).decode
    return found
