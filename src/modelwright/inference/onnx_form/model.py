"""A plan of formulas as an ONNX model, proved against the scorer before it is handed out.

Numbers that may be missing are 64-bit fractional ones, NaN where missing; text is missing where it is
empty; date-times are microseconds since 1970, the smallest whole number where missing, as NumPy has them.
The model carries a description of its tensors as metadata.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelwright.data.expression import Compute, Drop, Filter, Keep, Rename
from modelwright.data.expression.nodes import Call, Expression, Lookup
from modelwright.data.expression.typing_rules import Types
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType
from modelwright.inference.onnx_form.errors import NotInOnnxError
from modelwright.inference.onnx_form.expressions import OnnxForm
from modelwright.inference.onnx_form.writer import (
    IR_VERSION,
    ML_OPSET,
    OLDER_ML_OPSET,
    OPSET,
    Cell,
    GraphWriter,
)
from modelwright.inference.plan import Chain
from modelwright.inference.serving import RequestColumn, RequestInput

KEPT = "kept row"
"""The output that says which row of the request each row of the reply is, where rows may be dropped."""

METADATA = "modelwright"
"""The key of the model's metadata with the description of its tensors, as JSON."""

NO_TIME = -(2**63)
"""What stands for a missing date-time."""

_PLAIN = {
    ColumnType.BOOLEAN: "bool",
    ColumnType.INTEGER: "int64",
    ColumnType.DOUBLE: "double",
    ColumnType.STRING: "string",
    ColumnType.DATETIME: "int64",
}


class UnsuitableError(Exception):
    """A part of a formula has no form; expression: the part, None when it is no expression."""

    def __init__(self, why: str, expression: Expression | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.expression = expression


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor of the model.

    of: the input or output of the pipeline.  column: its column there; KEPT for the rows kept.
    tensor: such as "double".  may_miss: whether values can be missing.
    """

    name: str
    of: str
    column: str
    kind: ColumnType
    tensor: str
    may_miss: bool

    def to_json(self) -> dict[str, Any]:
        """The place as JSON."""
        return {
            "tensor": self.name,
            "of": self.of,
            "column": self.column,
            "type": self.kind.value,
            "element": self.tensor,
            "may_be_missing": self.may_miss,
        }


@dataclass(frozen=True)
class OnnxModel:
    """The bytes of a model, and which tensor is which column.

    in_32_bits: whether some of its numbers have only so many, as those of scikit-learn's estimators.
    """

    content: bytes
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]
    in_32_bits: bool = False


def build(
    name: str,
    chains: Sequence[Chain],
    inputs: Sequence[RequestInput],
    native: Callable[[Any], Native],
) -> OnnxModel:
    """The model of all chains.  Raises UnsuitableError."""
    from onnx import checker, helper

    import modelwright

    writer = GraphWriter()
    used = {c.input for c in chains}
    requests = [i for i in inputs if i.name in used]
    needed = {i.name: _needed(i, chains) for i in requests}
    places_in: list[Place] = []
    cells: dict[str, dict[str, Cell]] = {}
    for request in requests:
        cells[request.name] = {}
        for column in request.read:
            if column.name in needed[request.name]:
                place = _place_in(request, column, len(requests))
                places_in.append(place)
                cells[request.name][column.name] = _entered(writer, place)
    taken = {p.name for p in places_in}
    places_out: list[Place] = []
    for chain in chains:
        natives = {n: native(p) for n, p in chain.natives.items()}
        columns = _followed(writer, chain, cells[chain.input], natives)
        for column_name, cell in columns.items():
            place = _left(writer, chain, column_name, cell, (len(chains), taken))
            taken.add(place.name)
            places_out.append(place)
    about = {
        "name": name,
        "in_32_bits": writer.in_32_bits,
        "inputs": [p.to_json() for p in places_in],
        "outputs": [p.to_json() for p in places_out],
    }
    graph = helper.make_graph(
        writer.nodes,
        "pipeline",
        [_described(p) for p in places_in],
        [_described(p) for p in places_out],
        writer.constants,
    )
    model = helper.make_model(
        graph,
        producer_name="modelwright",
        producer_version=modelwright.__version__,
        ir_version=IR_VERSION,
        opset_imports=[
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", _ml_opset(writer)),
        ],
    )
    helper.set_model_props(model, {METADATA: json.dumps(about, ensure_ascii=False)})
    checker.check_model(model)
    return OnnxModel(
        model.SerializeToString(),
        tuple(places_in),
        tuple(places_out),
        in_32_bits=writer.in_32_bits,
    )


def _ml_opset(writer: GraphWriter) -> int:
    """The version of the operations of learners: the newer one has no trees in 32 bits any more."""
    kinds = {node.op_type for node in writer.nodes}
    newer = "TreeEnsemble" in kinds
    if newer and kinds & {"TreeEnsembleClassifier", "TreeEnsembleRegressor"}:
        raise UnsuitableError("its trees in 64 and in 32 bits need different versions of ONNX")
    return ML_OPSET if newer else OLDER_ML_OPSET


def _needed(request: RequestInput, chains: Sequence[Chain]) -> set[str]:
    """The columns that replies come from; others need not be sent."""
    names = [c.name for c in request.read]
    found: set[str] = set()
    for chain in chains:
        if chain.input == request.name:
            found |= chain.formula.required()
            dropped: set[str] = set()
            for step in chain.formula.steps:
                match step:
                    case Keep(kept):
                        dropped |= {n for n in names if n not in kept}
                    case Drop(gone):
                        dropped |= set(gone)
            found |= {n for n in names if n not in dropped}
    return found or set(names[:1])


def _place_in(request: RequestInput, column: RequestColumn, count: int) -> Place:
    if column.type is ColumnType.OTHER:
        raise UnsuitableError(f'column "{column.name}" is of no plain type')
    name = _named(column.name if count == 1 else f"{request.name}/{column.name}")
    tensor = _tensor(column.type, missing=column.missing)
    return Place(name, request.name, column.name, column.type, tensor, column.missing)


def _named(column: str) -> str:
    """A column's name as a tensor can have it: not empty, without the end of a text in C."""
    return column.replace("\0", "\ufffd") or "(no name)"


def _tensor(kind: ColumnType, *, missing: bool) -> str:
    if missing and kind in (ColumnType.BOOLEAN, ColumnType.INTEGER):
        return "double"
    return _PLAIN[kind]


def _entered(writer: GraphWriter, place: Place) -> Cell:
    """The values of an input, and where they are missing."""
    name = place.name
    if place.kind is ColumnType.STRING:
        missing = writer.op("Equal", name, writer.const("", str)) if place.may_miss else None
        return Cell(name, place.kind, missing)
    if not place.may_miss:
        return Cell(name, place.kind)
    if place.kind is ColumnType.DATETIME:
        return Cell(name, place.kind, writer.op("Equal", name, writer.whole(NO_TIME)))
    missing = writer.op("IsNaN", name)
    if place.kind is ColumnType.DOUBLE:
        return Cell(name, place.kind, missing)
    number = writer.op("Where", missing, writer.double(0.0), name)
    if place.kind is ColumnType.BOOLEAN:
        return Cell(writer.no(writer.op("Equal", number, writer.double(0.0))), place.kind, missing)
    return Cell(writer.as_whole(number), place.kind, missing)


def _followed(
    writer: GraphWriter, chain: Chain, entered: Mapping[str, Cell], natives: Mapping[str, Native]
) -> dict[str, Cell]:
    columns = dict(entered)
    form = OnnxForm(writer, natives)
    kept: str | None = None
    for step in chain.formula.steps:
        form.begin(columns)
        match step:
            case Compute(made):
                found = {}
                for name, expression in made.items():
                    found[name] = _made(form, expression, name, columns)
                columns |= found
            case Filter(condition):
                _refuse_empty_text(condition, columns)
                try:
                    fixed = form.of(condition).fixed
                    decided = Cell(form.condition(condition), ColumnType.BOOLEAN, fixed=fixed)
                    test = form.full(decided).name
                    kept = kept or _numbers(writer, next(iter(columns.values())).name)
                    kept = writer.op("Compress", kept, test, axis=0)
                    columns = {n: _compressed(writer, c, test) for n, c in columns.items()}
                except NotInOnnxError as error:
                    raise UnsuitableError(str(error), condition) from error
            case Keep(names):
                columns = {n: columns[n] for n in names}
            case Drop(names):
                columns = {n: c for n, c in columns.items() if n not in names}
            case Rename(pairs):
                new = dict(pairs)
                columns = {new.get(n, n): c for n, c in columns.items()}
    if kept is not None:
        columns[KEPT] = Cell(kept, ColumnType.INTEGER)
    return columns


def _made(form: OnnxForm, expression: Expression, name: str, columns: Mapping[str, Cell]) -> Cell:
    _refuse_empty_text(expression, columns)
    try:
        return form.full(form.column(expression, name))
    except NotInOnnxError as error:
        raise UnsuitableError(str(error), expression) from error


def _refuse_empty_text(expression: Expression, columns: Mapping[str, Cell]) -> None:
    """Empty text stands for a missing one in the graph, so it cannot be a value as well."""
    types = Types({n: c.kind or ColumnType.OTHER for n, c in columns.items()})
    for node in expression.walk():
        if isinstance(node, Lookup) and any(k == "" for k, _ in node.entries):
            gap = dict(node.entries).get(None, node.default)
            if dict(node.entries)[""] != gap:
                raise UnsuitableError("empty text is a value of its own in it", expression)
        if isinstance(node, Call) and node.function in ("equal", "not_equal"):
            for argument in node.arguments:
                if (
                    types.of(argument) is ColumnType.STRING
                    and getattr(argument, "value", None) == ""
                ):
                    raise UnsuitableError("empty text is a value of its own in it", expression)


def _numbers(writer: GraphWriter, anchor: str) -> str:
    """0, 1, 2 … for the rows there are."""
    count = writer.op("Squeeze", writer.op("Shape", anchor))
    return writer.op("Range", writer.whole(0), count, writer.whole(1))


def _compressed(writer: GraphWriter, cell: Cell, test: str) -> Cell:
    if cell.fixed:
        return cell
    missing = cell.missing
    if missing is not None:
        missing = writer.op("Compress", missing, test, axis=0)
    return Cell(writer.op("Compress", cell.name, test, axis=0), cell.kind, missing)


def _left(
    writer: GraphWriter,
    chain: Chain,
    column: str,
    cell: Cell,
    among: tuple[int, set[str]],
) -> Place:
    """Give a column out under its own name; " (out)" follows where an input has it already."""
    count, taken = among
    kind = cell.kind or ColumnType.OTHER
    if kind not in _PLAIN:
        raise UnsuitableError(f'column "{column}" is of no plain type')
    name = _named(column if count == 1 else f"{chain.output}/{column}")
    while name in taken:
        name += " (out)"
    missing = cell.missing is not None or kind is ColumnType.DOUBLE
    tensor = _tensor(kind, missing=missing)
    value = cell.name
    if cell.missing is not None:
        if kind is ColumnType.STRING:
            value = writer.op("Where", cell.missing, writer.const("", str), value)
        elif kind is ColumnType.DATETIME:
            value = writer.op("Where", cell.missing, writer.whole(NO_TIME), value)
        else:
            number = value if kind is ColumnType.DOUBLE else writer.as_double(value)
            value = writer.op("Where", cell.missing, writer.double(float("nan")), number)
    writer.name_output(value, name)
    return Place(name, chain.output, column, kind, tensor, missing)


def _described(place: Place) -> Any:
    from onnx import TensorProto, helper

    kinds = {
        "bool": TensorProto.BOOL,
        "int64": TensorProto.INT64,
        "double": TensorProto.DOUBLE,
        "string": TensorProto.STRING,
    }
    dimension = "rows" if place.column != KEPT else "kept rows"
    return helper.make_tensor_value_info(place.name, kinds[place.tensor], [dimension])
