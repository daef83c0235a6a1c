from __future__ import annotations

import math

import numpy as np
import pytest

from modelwright.data.native import Native
from modelwright.data.openers.network import packed

NAN = float("nan")


def arrays(numbers: int = 2, nodes: int = 5, outputs: int = 3) -> dict[str, np.ndarray]:
    """Two numbers, and categories of 3 and 2 levels."""
    chance = np.random.default_rng(0)
    levels = chance.normal(size=(6, nodes))
    levels[-1] = 0.0
    return {
        "shift": np.arange(numbers, dtype=float),
        "scale": np.full(numbers, 2.0),
        "hidden": chance.normal(size=(numbers, nodes)),
        "levels": levels,
        "start": np.array([0, 3]),
        "size": np.array([3, 2]),
        "bias": chance.normal(size=nodes),
        "output": chance.normal(size=(nodes, outputs)),
        "output_bias": chance.normal(size=outputs),
    }


def by_hand(held: dict[str, np.ndarray], row: list[float]) -> list[float]:
    """The outputs before they are finished, in plain Python."""
    numbers = [
        0.0 if math.isnan(v) else (v - s) / c
        for v, s, c in zip(row, held["shift"], held["scale"], strict=False)
    ]
    hidden = []
    for node in range(len(held["bias"])):
        total = held["bias"][node]
        total += sum(n * w for n, w in zip(numbers, held["hidden"][:, node], strict=True))
        for code, start, size in zip(row[len(numbers) :], held["start"], held["size"], strict=True):
            if not math.isnan(code) and 0 <= code < size:
                total += held["levels"][int(code + start), node]
        hidden.append(math.tanh(total))
    return [
        float(b + sum(h * w for h, w in zip(hidden, column, strict=True)))
        for column, b in zip(held["output"].T, held["output_bias"], strict=True)
    ]


ROWS = [[0.5, -1.0, 0.0, 1.0], [3.0, 2.0, 2.0, 0.0], [NAN, 0.0, 1.0, 1.0], [0.0, 0.0, NAN, 7.0]]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_what_the_sums_by_hand_say(row: list[float]) -> None:
    held = arrays()
    found = Native("network", packed(held), {"finish": "line", "spread": 2.0, "middle": 1.0})
    expected = [1.0 + 2.0 * value for value in by_hand(held, row)]
    assert found.evaluator.row(row) == pytest.approx(expected)


@pytest.mark.parametrize("row", ROWS)
def test_probabilities_are_the_softmax_of_the_outputs(row: list[float]) -> None:
    held = arrays()
    found = Native("network", packed(held), {"finish": "softmax"}).evaluator.row(row)
    powers = [math.exp(v) for v in by_hand(held, row)]
    assert found == pytest.approx([p / sum(powers) for p in powers])


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_a_row_alone_is_rounded_as_in_a_table(count: int) -> None:
    chance = np.random.default_rng(count)
    held = arrays(numbers=13, nodes=37)
    matrix = np.column_stack(
        [
            chance.normal(size=(count, 13)),
            chance.integers(0, 3, count),
            chance.integers(0, 2, count),
        ]
    )
    evaluator = Native("network", packed(held), {"finish": "softmax"}).evaluator
    assert [evaluator.row(r) for r in matrix.tolist()] == evaluator.batch(matrix).tolist()


def test_large_sums_do_not_overflow() -> None:
    held = {**arrays(), "output_bias": np.array([1e4, 0.0, -1e4])}
    found = Native("network", packed(held), {"finish": "softmax"}).evaluator
    assert found.row([1e200, 0.0, 0.0, 0.0]) == [1.0, 0.0, 0.0]


def test_no_rows_give_no_answers() -> None:
    found = Native("network", packed(arrays()), {"finish": "softmax"}).evaluator
    assert found.batch(np.empty((0, 4))).shape == (0, 3)
