"""The ONNX form of fitted values that are more than expressions: boosted trees, forests, networks."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from modelwright.data.native import Native
from modelwright.inference.onnx_form.errors import NotInOnnxError
from modelwright.inference.onnx_form.estimators import estimator
from modelwright.inference.onnx_form.trees import IS_MEMBER, Node, Tree, summed
from modelwright.inference.onnx_form.writer import GraphWriter

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_NOTHING, _ZERO, _NAN = 0, 1, 2


def native_outputs(writer: GraphWriter, native: Native, matrix: str) -> str:
    """(rows, outputs) of a native value for (rows, inputs), NaN where missing.  Raises NotInOnnxError."""
    form = _FORMS.get(native.kind)
    if form is None:
        raise NotInOnnxError(f'a fitted value of kind "{native.kind}" has no form there')
    return form(writer, native, matrix)


def _boosted(writer: GraphWriter, native: Native, matrix: str) -> str:
    head, *trees = native.content.decode().split("\nTree=")
    said = _said(head)
    if "average_output" in head:
        raise NotInOnnxError("its trees are averaged")
    per_round = int(said["num_tree_per_iteration"])
    read = [_tree(_said(text), at % per_round) for at, text in enumerate(trees)]
    found = summed(writer, matrix, read, per_round)
    return _objective(writer, found, said.get("objective", "regression"))


def _said(text: str) -> dict[str, str]:
    lines = (line.partition("=") for line in text.splitlines())
    return {name: value for name, sign, value in lines if sign}


def _tree(said: Mapping[str, str], target: int) -> Tree:
    if said.get("is_linear", "0") != "0":
        raise NotInOnnxError("its trees have linear models in their leaves")
    leaves = [float(v) for v in said["leaf_value"].split()]
    if int(said["num_leaves"]) == 1:
        return Tree([], leaves, target)
    starts = [int(v) for v in said.get("cat_boundaries", "0").split()]
    words = [int(v) for v in said.get("cat_threshold", "").split()]
    nodes = []
    for column, threshold, decision, left, right in zip(
        *(
            said[name].split()
            for name in (
                *("split_feature", "threshold", "decision_type"),
                *("left_child", "right_child"),
            )
        ),
        strict=True,
    ):
        kind = int(decision)
        children = int(left), int(right)
        if kind & _CATEGORICAL:
            at = int(float(threshold))
            members = _members(words[starts[at] : starts[at + 1]])
            node = Node(int(column), 0.0, *children, nan=False, test=IS_MEMBER, members=members)
        else:
            node = _number_node(int(column), float(threshold), kind, *children)
        nodes.append(node)
    return Tree(nodes, leaves, target)


def _members(words: list[int]) -> tuple[float, ...]:
    """The numbers whose bits are set."""
    return tuple(
        float(32 * place + bit)
        for place, word in enumerate(words)
        for bit in range(32)
        if word >> bit & 1
    )


def _number_node(column: int, threshold: float, kind: int, left: int, right: int) -> Node:
    missing = kind >> 2 & 3
    default_left = bool(kind & _DEFAULT_LEFT)
    # Where training saw no gap, a gap counts as zero.
    zero_left = threshold >= 0.0
    if missing == _ZERO and zero_left != default_left:
        raise NotInOnnxError("its trees take zero for a missing number")
    return Node(column, threshold, left, right, nan=default_left if missing == _NAN else zero_left)


def _objective(writer: GraphWriter, found: str, objective: str) -> str:
    """What the objective makes of the sums."""
    name, *options = objective.split()
    given = dict(o.split(":") for o in options if ":" in o)
    match name:
        case "binary" | "multiclassova":
            slope = writer.double(float(given.get("sigmoid", 1.0)))
            return writer.op("Sigmoid", writer.op("Mul", found, slope))
        case "cross_entropy":
            return writer.op("Sigmoid", found)
        case "multiclass":
            return writer.op("Softmax", found, axis=1)
        case "poisson" | "gamma" | "tweedie":
            return writer.op("Exp", found)
        case "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "lambdarank":
            if "sqrt" in options:
                return writer.op("Mul", writer.op("Sign", found), writer.op("Mul", found, found))
            return found
    raise NotInOnnxError(f'its objective "{name}" has no form there')


def _forest(writer: GraphWriter, native: Native, matrix: str) -> str:
    arrays = _arrays(native)
    asked = _asked(writer, arrays, matrix)
    trees, figures = _numbered(arrays)
    places = writer.as_whole(summed(writer, asked, trees, len(trees)))
    total = writer.op(
        "ReduceSum",
        writer.op("Gather", writer.const(figures, np.float64), places, axis=0),
        writer.wholes(1),
        keepdims=0,
    )
    return _finished(writer, total, len(trees), arrays, native.notes)


def _arrays(native: Native) -> dict[str, Any]:
    with np.load(io.BytesIO(native.content), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def _asked(writer: GraphWriter, arrays: Mapping[str, Any], matrix: str) -> str:
    """(rows, tests): the number that each test of the forest compares, as 32 bits hold it."""
    matrix = writer.as_double(writer.as_short(matrix))
    nan = writer.double(math.nan)
    columns = []
    for source, (start, stop) in zip(
        arrays["test_input"].tolist(), pairwise(arrays["test_start"].tolist()), strict=True
    ):
        values = writer.picked(matrix, source)
        if stop > start:
            gap = writer.op("IsNaN", values)
            code = writer.as_whole(writer.op("Where", gap, writer.double(0.0), values))
            ranks = writer.const(arrays["test_ranks"][start:stop], np.float64)
            values = writer.op("Where", gap, nan, writer.op("Gather", ranks, code))
        columns.append(values)
    return writer.side_by_side(*columns)


def _numbered(arrays: Mapping[str, Any]) -> tuple[list[Tree], np.ndarray]:
    """The trees, each adding to a sum of its own the row of figures of the leaf that is reached."""
    test, threshold = arrays["test"].tolist(), arrays["threshold"].tolist()
    low, high = arrays["low"].tolist(), arrays["high"].tolist()
    gap_low = arrays["gap_low"].tolist()
    trees = []
    for number, root in enumerate(arrays["root"].tolist()):
        tree = Tree([], [], number)
        places: dict[int, int] = {}
        waiting = [root]
        order: list[int] = []
        while waiting:
            at = waiting.pop()
            if test[at] < 0:
                places[at] = -1 - len(tree.leaves)
                tree.leaves.append(float(low[at]))
            else:
                places[at] = len(order)
                order.append(at)
                waiting += [high[at], low[at]]
        for at in order:
            tree.nodes.append(
                Node(
                    test[at],
                    float(threshold[at]),
                    places[low[at]],
                    places[high[at]],
                    nan=bool(gap_low[at]),
                )
            )
        trees.append(tree)
    return trees, arrays["figures"]


def _finished(
    writer: GraphWriter,
    total: str,
    trees: int,
    arrays: Mapping[str, Any],
    notes: Mapping[str, Any],
) -> str:
    count = writer.double(float(trees))
    match notes["finish"]:
        case "shares":
            every = writer.op("ReduceSum", total, writer.wholes(1), keepdims=1)
            return writer.op("Div", total, every)
        case "moments":
            mean = writer.op("Div", writer.picked(total, 0), count)
            square = writer.op("Div", writer.picked(total, 1), count)
            spread = writer.op("Sub", square, writer.op("Mul", mean, mean))
            spread = writer.op("Sqrt", writer.op("Max", spread, writer.double(0.0)))
            return writer.side_by_side(mean, spread)
    shares = writer.op("Div", total, count)
    return writer.side_by_side(
        *(
            _quantile(writer, shares, arrays["grid"], q, bool(notes.get("line")))
            for q in notes["quantiles"]
        )
    )


def _quantile(writer: GraphWriter, shares: str, grid: np.ndarray, wanted: float, line: bool) -> str:
    """For each row the point of the grid at which its cumulative share reaches the quantile."""
    last = len(grid) - 1
    points = writer.const(grid, np.float64)
    reached = writer.op("GreaterOrEqual", shares, writer.double(wanted - 1e-9))
    whole = writer.as_whole(reached)
    first = writer.op("ArgMax", whole, axis=1, keepdims=0)
    none = writer.op(
        "Equal", writer.op("ReduceMax", whole, writer.wholes(1), keepdims=0), writer.whole(0)
    )
    at = writer.op("Where", none, writer.whole(last), first)
    if not line:
        return writer.op("Gather", points, at)
    before = writer.op("Max", writer.op("Sub", at, writer.whole(1)), writer.whole(0))

    def share(place: str) -> str:
        found = writer.op("GatherElements", shares, writer.column(place), axis=1)
        return writer.flat(found)

    low, high = share(before), share(at)
    rises = writer.op("Greater", high, low)
    one = writer.double(1.0)
    rise = writer.op("Where", rises, writer.op("Sub", high, low), one)
    step = writer.op("Div", writer.op("Sub", writer.double(wanted), low), rise)
    step = writer.op("Min", writer.op("Max", step, writer.double(0.0)), one)
    step = writer.op("Where", rises, step, one)
    start, end = writer.op("Gather", points, before), writer.op("Gather", points, at)
    return writer.op("Add", start, writer.op("Mul", step, writer.op("Sub", end, start)))


def _network(writer: GraphWriter, native: Native, matrix: str) -> str:
    held = _arrays(native)
    numbers = len(held["shift"])
    sums = writer.const(held["bias"], np.float64)
    if numbers:
        read = writer.op("Gather", matrix, writer.const(np.arange(numbers), np.int64), axis=1)
        centred = writer.op("Sub", read, writer.const(held["shift"], np.float64))
        scaled = writer.op("Div", centred, writer.const(held["scale"], np.float64))
        scaled = writer.op("Where", writer.op("IsNaN", scaled), writer.double(0.0), scaled)
        product = writer.op("MatMul", scaled, writer.const(held["hidden"], np.float64))
        sums = writer.op("Add", product, sums)
    levels = writer.const(held["levels"], np.float64)
    none = writer.double(float(len(held["levels"]) - 1))
    for at, (start, size) in enumerate(
        zip(held["start"].tolist(), held["size"].tolist(), strict=True)
    ):
        code = writer.picked(matrix, numbers + at)
        known = writer.op(
            "And",
            writer.op("GreaterOrEqual", code, writer.double(0.0)),
            writer.op("Less", code, writer.double(float(size))),
        )
        place = writer.op("Where", known, writer.op("Add", code, writer.double(float(start))), none)
        row = writer.op("Gather", levels, writer.as_whole(place), axis=0)
        sums = writer.op("Add", sums, row)
    shown = writer.op("MatMul", writer.op("Tanh", sums), writer.const(held["output"], np.float64))
    found = writer.op("Add", shown, writer.const(held["output_bias"], np.float64))
    if native.notes["finish"] == "softmax":
        return writer.op("Softmax", found, axis=1)
    spread = writer.double(float(native.notes.get("spread", 1.0)))
    middle = writer.double(float(native.notes.get("middle", 0.0)))
    return writer.op("Add", middle, writer.op("Mul", spread, found))


_FORMS: dict[str, Callable[[GraphWriter, Native, str], str]] = {
    "lightgbm": _boosted,
    "forest": _forest,
    "network": _network,
    "skops": estimator,
}
