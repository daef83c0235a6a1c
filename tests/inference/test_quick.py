"""The short way answers as the careful one does, or leaves the request to it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.inference.reply import encode
from modelwright.inference.scorer import CompiledSteps, Scorer
from tests.inference.cars import car_prices, car_request, car_rows, cars

CARS = car_rows(cars()[2:8])


@cache
def scorer() -> Scorer:
    return Scorer(car_prices())


def short(body: bytes) -> bytes | None:
    """What the short way gives."""
    made = scorer()
    assert isinstance(made.steps, CompiledSteps)
    quick = made.steps.quick(made.inputs)
    assert quick is not None
    return quick.answer(body)


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
    if reply is None:
        return
    assert json.loads(reply) == json.loads(careful(body))


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


def test_a_request_of_which_a_row_is_dropped_is_left_to_the_careful_way() -> None:
    body = car_request({**CARS[0], "bore": None})
    assert short(body) is None
    assert json.loads(careful(body))["Dropped"]
