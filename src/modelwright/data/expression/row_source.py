"""The row form: each expression as straight-line Python source over local variables.

Nothing of a formula but numbers, and text through `ascii`, ever gets into the source; everything else is
bound to a name that is made up here.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import or_
from typing import Any

from modelwright.data.expression.constants import constant
from modelwright.data.expression.errors import MissingNative
from modelwright.data.expression.nodes import (
    AllOf,
    AnyOf,
    Bucket,
    Call,
    Column,
    Dot,
    Expression,
    FillMissing,
    IsMissing,
    Lookup,
    NativeCall,
    Not,
    When,
)
from modelwright.data.expression.scalars import Scalar, converted
from modelwright.data.expression.typing_rules import Types
from modelwright.data.native import Evaluator, Native
from modelwright.data.schema import ColumnType

# The parser takes no more than about 200 nested parentheses and recurses into long sums.
_DEEPEST = 20
_LONGEST_SUM = 40
_ROUND = (ColumnType.BOOLEAN, ColumnType.INTEGER)


@dataclass(frozen=True, slots=True)
class Piece:
    """Source of an expression.

    source: gives the value, provided that no guard is None.  guards: locals that make the value null
    when they are None.  atom: the source is a name or a constant.  nan: it may be not a number.
    depth: how deeply its parentheses are nested.
    """

    source: str
    type: ColumnType | None
    guards: frozenset[str] = frozenset()
    atom: bool = False
    nan: bool = False
    depth: int = 0

    @property
    def value(self) -> str:
        """Source of the value, null included."""
        if not self.guards or self.guards == {self.source}:
            return self.source
        return f"(None if {_any_none(self.guards)} else {self.source})"


@dataclass(frozen=True, slots=True)
class Known:
    """What is certain about locals once a condition has come out: not None, not NaN."""

    present: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    def __or__(self, other: Known) -> Known:
        return Known(self.present | other.present, self.numbers | other.numbers)

    def of(self, piece: Piece) -> Piece:
        """The piece with what is known taken from its guards."""
        guards = piece.guards - self.present
        nan = piece.nan and piece.source not in self.numbers
        # Most pieces stay as they are, and there is one for each column and step.
        if nan is piece.nan and len(guards) == len(piece.guards):
            return piece
        return replace(piece, guards=guards, nan=nan)


@dataclass(frozen=True, slots=True)
class Ask:
    """A place in a program at which a native value is to be asked.

    line: the first that comes after it.  given: sources of its inputs.  found: the local that is to hold
    what it says.  locals: how many there are by then.
    """

    line: int
    evaluator: Evaluator
    given: Sequence[str]
    found: str
    locals: int


class Writer:
    """Writes the statements that compute expressions; `lines` and `names` make up the function.

    asks: native values are not called; `asked` says where they are to be.
    """

    def __init__(self, natives: Mapping[str, Native], *, asks: bool = False) -> None:
        self.lines: list[str] = []
        self.names: dict[str, object] = {"nan": math.nan, "inf": math.inf, "len": len}
        self._natives = natives
        self._asks = asks
        self.asked: list[Ask] = []
        self._bound: dict[tuple[int, str], str] = {}
        self._locals = 0
        self._types = Types({})
        self._columns: Mapping[str, Piece] = {}
        self._pieces: dict[Expression, Piece] = {}
        self._outputs: dict[tuple[str, tuple[Expression, ...]], str] = {}
        self._uses: Counter[Expression] = Counter()

    def begin(self, columns: Mapping[str, Piece], expressions: Iterable[Expression]) -> None:
        """Start a step: the columns as they are before it, and all that it will compute."""
        self._columns = columns
        self._types = Types({n: p.type or ColumnType.OTHER for n, p in columns.items()})
        self._pieces = {}
        self._outputs = {}
        self._uses = Counter()
        seen: set[Expression] = set()
        for root in expressions:
            self._uses[root] += 1
            for node in root.walk():
                if node not in seen:
                    seen.add(node)
                    self._uses.update(node.parts)

    def local(self) -> str:
        """A new local variable."""
        self._locals += 1
        return f"v{self._locals}"

    def bind(self, value: object, hint: str) -> str:
        """A name for a constant; the same value gets the same name."""
        key = (id(value), hint)
        if key not in self._bound:
            self._bound[key] = f"{hint}{len(self._bound)}"
            self.names[self._bound[key]] = value
        return self._bound[key]

    def column_type(self, expression: Expression, name: str) -> ColumnType:
        """The type of a column computed by the expression."""
        return self._types.result(expression, name)

    def of(self, expression: Expression, wanted: ColumnType | None = None) -> Piece:
        """The source of an expression, in its own type or in one that it fits."""
        piece = self._pieces.get(expression)
        if piece is None:
            self._types.of(expression)
            piece = self._build(expression)
            shared = self._uses[expression] > 1 and not piece.atom
            if shared or piece.depth > _DEEPEST:
                piece = self.stored(piece)
            self._pieces[expression] = piece
        return _converted(piece, wanted)

    def stored(self, piece: Piece) -> Piece:
        """The piece as a local variable, to be named as often as one likes."""
        if piece.atom:
            return piece
        name = self.local()
        self.lines.append(f"{name} = {piece.value}")
        guards = frozenset({name}) if piece.guards else frozenset()
        return Piece(name, piece.type, guards, atom=True, nan=piece.nan)

    def true(self, condition: Expression) -> tuple[str, Known]:
        """Source that is truthy exactly when the condition is true, and what is known then."""
        self._types.condition(condition, "A condition")
        return self._decided(condition, outcome=True, depth=0)

    def _decided(self, condition: Expression, *, outcome: bool, depth: int) -> tuple[str, Known]:
        if depth < _DEEPEST:
            match condition:
                case Not(term):
                    return self._decided(term, outcome=not outcome, depth=depth + 1)
                case AllOf(terms) | AnyOf(terms):
                    each = [self._decided(t, outcome=outcome, depth=depth + 1) for t in terms]
                    every = isinstance(condition, AllOf) is outcome
                    source = (" and " if every else " or ").join(s for s, _ in each)
                    known = reduce(or_, (k for _, k in each)) if every else Known()
                    return f"({source})", known
                case IsMissing(term) if not outcome:
                    piece = self.stored(self.of(term))
                    tests = [f"{g} is not None" for g in sorted(piece.guards)]
                    tests += [f"{piece.source} == {piece.source}"] if piece.nan else []
                    known = Known(piece.guards, frozenset({piece.source}))
                    return f"({' and '.join(tests) or 'True'})", known
        piece = self.of(condition)
        tests = [f"{g} is not None" for g in sorted(piece.guards)]
        tests.append(piece.source if outcome else f"not {piece.source}")
        return f"({' and '.join(tests)})", Known(piece.guards)

    def _build(self, expression: Expression) -> Piece:
        if isinstance(expression, Column):
            return self._columns[expression.name]
        if expression.is_constant:
            return self._constant(constant(expression), self._types.of(expression))
        return self.of_parts(expression)

    def of_parts(self, expression: Expression) -> Piece:
        """The source of an expression that is no column, from the sources of its parts."""
        kind = self._types.of(expression)
        match expression:
            case Call():
                return self._call(expression)
            case Not(term):
                return _strict(f"(not {self.of(term).source})", kind, [self.of(term)])
            case AllOf(terms):
                return self._kleene(terms, "and", "False")
            case AnyOf(terms):
                return self._kleene(terms, "or", "True")
            case IsMissing(term):
                piece = self.stored(self.of(term))
                tests = [f"{g} is None" for g in sorted(piece.guards)]
                tests += [f"{piece.source} != {piece.source}"] if piece.nan else []
                return Piece(f"({' or '.join(tests) or 'False'})", kind, atom=not tests)
            case FillMissing(term, value):
                return self._fill(self.of(term, kind), self.of(value, kind), kind)
            case When(condition, then, otherwise):
                yes, no = self.of(then, kind), self.of(otherwise, kind)
                test, known = self.true(condition)
                chosen = f"{known.of(yes).value} if {test} else {no.value}"
                nullable = bool(known.of(yes).guards or no.guards) or None in (yes.type, no.type)
                return self._choice(chosen, kind, nullable=nullable)
            case Lookup():
                return self._lookup(expression)
            case Bucket():
                return self._bucket(expression)
            case Dot(terms, intercept):
                return self._dot([(self.of(e), w) for e, w in terms], intercept)
            case NativeCall(name, inputs, output):
                return self._native(name, inputs, output)
        raise TypeError(f"no row form for {type(expression).__name__}")

    def _constant(self, value: Scalar, kind: ColumnType | None) -> Piece:
        value = converted(value, kind)
        if value is None:
            return Piece("None", kind, frozenset({"None"}), atom=True)
        if isinstance(value, float):
            nan = math.isnan(value)
            source = repr(value) if math.copysign(1.0, value) > 0 or nan else f"({value!r})"
            return Piece(source, kind, atom=True, nan=nan)
        if isinstance(value, str):
            return Piece(ascii(value), kind, atom=True)
        if isinstance(value, int):
            return Piece(f"({value!r})", kind, atom=True)
        return Piece(self.bind(value, "moment"), kind, atom=True)

    def _call(self, call: Call) -> Piece:
        form = self._types.form(call)
        wanted = (*form.takes, *(form.takes[-1:] * len(call.arguments)))
        pieces = [self.of(a) for a in call.arguments]
        if form.promotes and any(p.type is ColumnType.DOUBLE for p in pieces):
            wanted = tuple(p.type or w for p, w in zip(pieces, wanted, strict=False))
        pieces = [_converted(p, w) for p, w in zip(pieces, wanted, strict=False)]
        options = dict(call.options)
        row = partial(form.row, **options) if options else form.row
        function = self.bind(row, f"{call.function}_")
        if form.inline is None:
            source = f"{function}({', '.join(p.source for p in pieces)})"
        else:
            pieces = [self.stored(p) for p in pieces] if form.atoms else pieces
            source = form.inline.format(*(p.source for p in pieces), f=function)
        piece = _strict(source, form.gives, pieces)
        return self._maybe_null(piece) if form.partial else piece

    def _maybe_null(self, piece: Piece) -> Piece:
        """A piece whose source itself may give None."""
        name = self.local()
        self.lines.append(f"{name} = {piece.value}")
        return Piece(name, piece.type, frozenset({name}), atom=True, nan=piece.nan)

    def _choice(self, source: str, kind: ColumnType | None, *, nullable: bool) -> Piece:
        piece = Piece(f"({source})", kind, nan=kind is ColumnType.DOUBLE)
        return self._maybe_null(piece) if nullable else self.stored(piece)

    def _kleene(self, terms: Sequence[Expression], word: str, decisive: str) -> Piece:
        pieces = [self.of(t) for t in terms]
        if not any(p.guards for p in pieces):
            return _strict(
                f"({f' {word} '.join(p.source for p in pieces)})", ColumnType.BOOLEAN, pieces
            )
        pieces = [self.stored(p) for p in pieces]
        tests = [f"{p.source} is {decisive}" for p in pieces]
        unknown = _any_none(frozenset().union(*(p.guards for p in pieces)))
        rest = "True" if decisive == "False" else "False"
        source = f"{decisive} if {' or '.join(tests)} else None if {unknown} else {rest}"
        return self._choice(source, ColumnType.BOOLEAN, nullable=True)

    def _fill(self, piece: Piece, value: Piece, kind: ColumnType | None) -> Piece:
        if not piece.guards and not piece.nan:
            return piece
        piece = self.stored(piece)
        tests = [f"{g} is None" for g in sorted(piece.guards)]
        tests += [f"{piece.source} != {piece.source}"] if piece.nan else []
        source = f"{value.value} if {' or '.join(tests)} else {piece.source}"
        filled = self._choice(source, kind, nullable=bool(value.guards))
        return replace(filled, nan=value.nan)

    def _lookup(self, lookup: Lookup) -> Piece:
        kind, given = self._types.of(lookup), self._types.of(lookup.term)
        found = {converted(k, given): converted(v, kind) for k, v in lookup.entries}
        piece = self.of(lookup.term)
        key = piece.value
        if given is ColumnType.DOUBLE and piece.nan:
            piece = self.stored(piece)
            key = f"{piece.source} if {piece.source} == {piece.source} else None"
        default = self._constant(lookup.default, kind)
        get = self.bind(found.get, "find")
        nan = any(isinstance(v, float) and v != v for v in (*found.values(), lookup.default))
        result = Piece(f"{get}({key}, {default.source})", kind, nan=nan, depth=piece.depth + 1)
        return self._maybe_null(result) if None in (*found.values(), lookup.default) else result

    def _bucket(self, bucket: Bucket) -> Piece:
        kind = self._types.of(bucket)
        piece = self.stored(self.of(bucket.term, ColumnType.DOUBLE))
        find = self.bind(bisect_right if bucket.closed == "left" else bisect_left, "bisect")
        source = f"{find}({self.bind(bucket.edges, 'edges')}, {piece.source})"
        labels = tuple(converted(v, kind) for v in bucket.labels)
        if labels:
            source = f"{self.bind(labels, 'labels')}[{source}]"
        nan = any(isinstance(v, float) and v != v for v in labels)
        if piece.nan:
            source = f"(None if {piece.source} != {piece.source} else {source})"
        result = Piece(source, kind, piece.guards, nan=nan, depth=2)
        return self._maybe_null(result) if piece.nan or None in labels else result

    def _dot(self, terms: Sequence[tuple[Piece, float]], intercept: float) -> Piece:
        pieces = [p for p, _ in terms]
        start = self._constant(intercept, ColumnType.DOUBLE).source
        parts = [
            p.source if w == 1.0 else f"{p.source}*{self._constant(w, ColumnType.DOUBLE).source}"
            for p, w in terms
        ]
        if len(parts) <= _LONGEST_SUM:
            return _strict(f"({' + '.join([start, *parts])})", ColumnType.DOUBLE, pieces)
        name = self.local()
        indent = ""
        guards = frozenset().union(*(p.guards for p in pieces))
        if guards:
            self.lines += [f"if {_any_none(guards)}:", f"    {name} = None", "else:"]
            indent = "    "
        for at in range(0, len(parts), _LONGEST_SUM):
            some = " + ".join([start, *parts[at : at + _LONGEST_SUM]])
            self.lines.append(f"{indent}{name} = {some}")
            start = name
        mine = frozenset({name}) if guards else guards
        return Piece(name, ColumnType.DOUBLE, mine, atom=True, nan=True)

    def _native(self, name: str, inputs: Sequence[Expression], output: int) -> Piece:
        if name not in self._natives:
            raise MissingNative(name, self._natives)
        key = (name, tuple(inputs))
        if key not in self._outputs:
            sources = [
                f"(nan if {_any_none(p.guards)} else {p.source})" if p.guards else p.source
                for p in map(self.of, inputs)
            ]
            evaluator = self._natives[name].evaluator
            known = self._locals
            found = self._outputs[key] = self.local()
            if self._asks:
                self.asked.append(Ask(len(self.lines), evaluator, sources, found, known))
            else:
                row = self.bind(evaluator.row, "native")
                self.lines.append(f"{found} = {row}([{', '.join(sources)}])")
        source = f"{self._outputs[key]}[{output}]"
        return Piece(source, ColumnType.DOUBLE, nan=True, depth=1)


def compiled(
    lines: Sequence[str], names: Mapping[str, object], takes: str = "row"
) -> tuple[str, Callable[..., Any]]:
    """The source of a function of one row, or of what is said, with that body, and the function."""
    source = "\n".join([f"def score({takes}):", *(f"    {line}" for line in lines), ""])
    space: dict[str, Any] = {"__builtins__": {}, **names}
    exec(compile(source, "<formula>", "exec"), space)  # noqa: S102  # see the module's promise
    function: Callable[..., Any] = space["score"]
    return source, function


def evaluate_constant(expression: Expression) -> Scalar:
    """The value of an expression without columns whose parts are constant."""
    writer = Writer({})
    writer.begin({}, [expression])
    piece = writer.of_parts(expression)
    _, function = compiled([*writer.lines, f"return {piece.value}"], writer.names)
    value: Scalar = function({})
    return value


def _strict(source: str, kind: ColumnType | None, pieces: Sequence[Piece]) -> Piece:
    return Piece(
        source,
        kind,
        frozenset().union(*(p.guards for p in pieces)),
        nan=kind is ColumnType.DOUBLE,
        depth=1 + max((p.depth for p in pieces), default=0),
    )


def _converted(piece: Piece, wanted: ColumnType | None) -> Piece:
    given = piece.type
    if wanted is None or given is wanted or given is None:
        return piece
    # True is 1 and 7 is 7.0 by these, faster than by a call.
    source = f"({piece.source} + 0.0)" if wanted is ColumnType.DOUBLE else f"(+{piece.source})"
    return replace(piece, source=source, type=wanted, atom=False, depth=piece.depth + 1)


def _any_none(guards: Iterable[str]) -> str:
    return " or ".join(f"{g} is None" for g in sorted(guards))
