"""The short way answers as the careful one does, or leaves the request to it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.columns import ColumnRule, ColumnSelection
from modelwright.components.library import library
from modelwright.data.expression import Compute, Filter, Formula, RecordReply, column, native
from modelwright.data.native import Native
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.graph.graph import Node, NodeId
from modelwright.inference.chains import make_plan
from modelwright.inference.errors import InputDataError
from modelwright.inference.quick import QuickAnswer, QuickForm, QuickOutput, record
from modelwright.inference.reply import encode
from modelwright.inference.scorer import CompiledSteps, Scorer, natives_of
from modelwright.inference.serving import RequestColumn, RequestInput
from tests.inference.cars import UNUSED, car_prices, car_request, car_rows, cars

CARS = car_rows(cars()[2:8])


@cache
def scorer() -> Scorer:
    return Scorer(car_prices())


@cache
def quick(crossover: int | None = None) -> QuickAnswer:
    serving = car_prices()
    plan = replace(make_plan(serving, library()), crossover=crossover)
    found = CompiledSteps(plan, serving.inputs, natives_of(serving)).quick(serving.inputs)
    assert found is not None
    return found


def short(body: bytes) -> bytes | None:
    """What the short way gives."""
    return quick().answer(body)


def careful(body: bytes) -> bytes:
    """What is given where every value is looked at by itself."""
    return encode(scorer().steps.run(scorer()._reader.read_values(json.loads(body))))


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "gas", "audi", "?", {"isNan": True}, {"isInfinite": 1}, []])
)


def test_of_a_name_that_stands_there_twice_the_last_value_counts_in_every_way() -> None:
    body = car_request(CARS[0]).decode()
    field = f'"horsepower": {CARS[0]["horsepower"]}'
    assert body.count(field) == 1
    for first in ("1", "null", "1e300", '"text"', "{}"):
        twice = body.replace(field, f'"horsepower": {first}, {field}').encode()
        assert scorer().answer(twice) == careful(body.encode()), first
        assert short(twice) in (None, careful(body.encode()))
    wrong = body.replace(field, f'{field}, "horsepower": "text"').encode()
    assert short(wrong) is None
    with pytest.raises(InputDataError, match='"text"'):
        scorer().answer(wrong)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.integers(0, len(CARS) - 1), max_size=3),
    changes=st.dictionaries(st.sampled_from([*CARS[0], "other"]), VALUES, max_size=2),
)
def test_the_short_way_gives_what_the_careful_one_gives(
    rows: list[int], changes: dict[str, Any]
) -> None:
    body = car_request(*({**CARS[n], **changes} for n in rows))
    reply = short(body)
    # The Table form of the same.
    tables = quick(0).answer(body)
    if reply is None:
        assert tables is None
        return
    assert json.loads(reply) == json.loads(careful(body)) == json.loads(tables or b"")


@settings(max_examples=200, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.integers(0, 2) | st.sampled_from(["", "x", CARS[0]]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["Inputs", "GlobalParameters", "WebServiceInput0", "input1", "z"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    )
)
def test_a_request_of_another_shape_is_answered_only_where_the_careful_way_does(value: Any) -> None:
    body = json.dumps(value).encode()
    reply = short(body)
    if reply is None:
        return
    assert reply == careful(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        car_request({k: v for k, v in CARS[0].items() if k != "make"}),
        car_request({**CARS[0], "bore": "wide"}),
        car_request({**CARS[0], "bore": {"isNan": True}}),
        b'{"Inputs": {"other": []}}',
        b'{"Inputs": {"WebServiceInput0": [], "input1": []}}',
        b'{"Inputs": {"WebServiceInput0": []}, "GlobalParameters": {"a": 1}}',
    ],
)
def test_what_is_unusual_is_left_to_the_careful_way(body: bytes) -> None:
    assert short(body) is None


def test_rows_with_and_without_nulls_take_the_short_way() -> None:
    whole = [row for row in CARS if None not in row.values()]
    assert 0 < len(whole) < len(CARS)
    for rows in (whole, CARS):
        assert short(car_request(*rows)) == careful(car_request(*rows))


@pytest.mark.parametrize("name", ['width "net"', "back\\slash", "tab\tbed"])
def test_columns_whose_names_need_quoting_are_answered_the_careful_way(name: str) -> None:
    (given,) = car_prices().inputs
    columns = tuple(replace(c, name=name) if c.name == UNUSED else c for c in given.columns)
    samples = tuple(
        {name if k == UNUSED else k: v for k, v in row.items()} for row in given.samples
    )
    serving = replace(car_prices(), inputs=(replace(given, columns=columns, samples=samples),))
    selecting = Node("select-columns-in-dataset", parameters=without(name))
    graph = replace(serving.graph, nodes={**serving.graph.nodes, NodeId("select"): selecting})
    made = Scorer(replace(serving, graph=graph))
    reply = json.loads(made.answer(car_request(*samples)))
    assert len(reply["Results"]["WebServiceOutput0"]) == len(samples)


def without(name: str) -> dict[str, Any]:
    rule = ColumnRule(rule="exclude", names=(name,))
    return {"columns": ColumnSelection(begin="all", rules=(rule,)).model_dump(mode="json")}


def test_many_rows_are_given_to_native_values_together() -> None:
    asked: list[int] = []

    class Doubling(Native):
        @property
        def evaluator(self) -> Doubling:
            return self

        def batch(self, matrix: Any) -> Any:
            asked.append(len(matrix))
            return matrix * 2.0

        def row(self, values: list[float]) -> list[float]:
            asked.append(1)
            return [2.0 * v for v in values]

    reads = Schema((Column("x", ColumnType.DOUBLE),))
    formula = Formula(Compute({"y": native("n", [column("x")]) + 1}))
    made = record(["x", "y"])
    assert made is not None
    natives = {"n": Doubling("doubling", b"")}
    records = formula.compile_records(reads, RecordReply(made), natives=natives)
    form = QuickForm(records, lambda rows: None)
    given = RequestInput("in", (RequestColumn("x", ColumnType.DOUBLE),), NodeId("in"))
    answering = QuickAnswer(given, [QuickOutput("out", form, form)], together=3, tables=1000)
    for count, calls in ((2, [1, 1]), (3, [3])):
        asked.clear()
        rows = [{"x": float(n)} for n in range(count)]
        reply = answering.answer(json.dumps({"Inputs": {"in": rows}}).encode())
        assert json.loads(reply or b"") == {
            "Results": {"out": [{"x": float(n), "y": 2.0 * n + 1} for n in range(count)]}
        }
        assert asked == calls


def requests_of_halves(*, steady: bool) -> tuple[QuickAnswer, list[int]]:
    """Answers with the half of x, which a native value knows, of rows whose x is below 100."""
    asked: list[int] = []

    class Halving(Native):
        @property
        def evaluator(self) -> Halving:
            return self

        def batch(self, matrix: Any) -> Any:
            asked.append(len(matrix))
            return matrix / 2.0

        def row(self, values: list[float]) -> list[float]:
            asked.append(1)
            return [v / 2.0 for v in values]

    halving = Halving("halving", b"")
    object.__setattr__(halving, "steady", steady)
    reads = Schema((Column("x", ColumnType.DOUBLE),))
    formula = Formula(
        Compute({"y": native("n", [column("x")])}), Filter(column("y") < 50.0, "too large")
    )
    reply = RecordReply(None, msgspec.UNSET)
    records = formula.compile_records(reads, reply, natives={"n": halving})
    form = QuickForm(records, lambda rows: None)
    given = RequestInput("in", (RequestColumn("x", ColumnType.DOUBLE),), NodeId("in"))
    output = QuickOutput("out", form, form, ("y",))
    return QuickAnswer(given, [output], together=3, tables=1000), asked


def halves(*numbers: float | str | None) -> bytes:
    return json.dumps({"Inputs": {"in": [{"x": n} for n in numbers]}}).encode()


REQUESTS = st.sampled_from(
    [
        *(halves(1.0), halves(2.0, 3.5), halves(), halves(None), halves(4.0, None)),
        *(halves("four"), b"{", b'{"Inputs": {"other": [{"x": 1.0}]}}', halves(300.0)),
    ]
)


@given(st.lists(REQUESTS, max_size=8))
@settings(max_examples=200, deadline=None)
def test_requests_that_come_together_get_the_replies_they_would_get_alone(
    bodies: list[bytes],
) -> None:
    answering, _ = requests_of_halves(steady=True)
    assert answering.answer_all(bodies) == [answering.answer(body) for body in bodies]


CAR_REQUESTS = st.sampled_from(
    [
        *(car_request(CARS[0]), car_request(CARS[1]), car_request(*CARS), car_request()),
        *(car_request({**CARS[0], "bore": None}), car_request({**CARS[0], "bore": "wide"}), b"["),
        b'{"Inputs": {}}',
    ]
)


@given(st.lists(CAR_REQUESTS, max_size=8), st.sampled_from([None, 2]))
@settings(max_examples=100, deadline=None)
def test_so_do_requests_of_a_pipeline_of_formulas(
    bodies: list[bytes], crossover: int | None
) -> None:
    answering = quick(crossover)
    assert answering.gains_together
    assert answering.answer_all(bodies) == [answering.answer(body) for body in bodies]


def test_native_values_get_the_rows_of_all_requests_that_come_together() -> None:
    answering, asked = requests_of_halves(steady=True)
    assert answering.gains_together
    replies = answering.answer_all([halves(1.0), halves(2.0, 3.0), halves(8.0)])
    assert asked == [4]
    assert replies[2] == b'{"Results":{"out":[{"x":8.0,"y":4.0}]}}'
    asked.clear()
    answering.answer_all([halves(1.0), halves(2.0)])
    assert asked == [1, 1]


def test_values_that_depend_on_the_other_rows_are_never_mixed_with_those_of_others() -> None:
    answering, asked = requests_of_halves(steady=False)
    assert not answering.gains_together
    answering.answer_all([halves(float(n)) for n in range(5)])
    assert asked == [1] * 5


def test_a_request_of_which_a_row_is_dropped_is_left_to_the_careful_way() -> None:
    body = car_request({**CARS[0], "bore": None})
    assert short(body) is None
    assert json.loads(careful(body))["Dropped"]
