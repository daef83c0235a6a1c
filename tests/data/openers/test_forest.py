from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from modelwright.data.native import Native
from modelwright.data.openers.forest import packed

NAN = float("nan")


def stump(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """One tree: is input 0 at most 1?  Then is the rank of the level in input 1 at most 0?"""
    arrays = {
        "test_input": np.array([0, 1], dtype=np.int32),
        "test_ranks": np.array([2, 0, 1], dtype=np.float32),
        "test_start": np.array([0, 0, 3]),
        "root": np.array([0]),
        "test": np.array([0, 1, -1, -1, -1], dtype=np.int32),
        "threshold": np.array([1.0, 0.0, 0, 0, 0]),
        "low": np.array([1, 3, 0, 1, 2], dtype=np.int32),
        "high": np.array([2, 4, 0, 0, 0], dtype=np.int32),
        "gap_low": np.array([True, False, False, False, False]),
        "figures": np.array([[1.0, 9.0], [6.0, 2.0], [0.0, 5.0]]),
        "grid": np.empty(0),
    }
    return {**arrays, **changes}


def native(arrays: dict[str, np.ndarray], **notes: object) -> Native:
    return Native("forest", packed(arrays), notes)


@pytest.mark.parametrize(
    ("row", "figures"),
    [
        ([2.0, 0.0], [1.0, 9.0]),  # above the threshold
        ([1.0, 1.0], [6.0, 2.0]),  # at most; level 1 has rank 0
        ([0.0, 2.0], [0.0, 5.0]),  # level 2 has rank 1
        ([NAN, 1.0], [6.0, 2.0]),  # a gap goes low at the first question
        ([0.0, NAN], [0.0, 5.0]),  # and high at the second
        ([1e300, 0.0], [1.0, 9.0]),  # infinite in 32 bits
    ],
)
def test_a_row_ends_in_the_leaf_its_answers_lead_to(row: list[float], figures: list[float]) -> None:
    expected = [f / sum(figures) for f in figures]
    evaluator = native(stump(), finish="shares").evaluator
    assert evaluator.row(row) == pytest.approx(expected)
    assert evaluator.batch(np.array([row]))[0].tolist() == evaluator.row(row)


def test_moments_become_mean_and_deviation() -> None:
    arrays = stump(figures=np.array([[3.0, 10.0], [0.0, 0.0], [1.0, 1.0]]))
    evaluator = native(arrays, finish="moments").evaluator
    assert evaluator.row([2.0, 0.0]) == [3.0, 1.0]
    assert evaluator.row([0.0, 2.0]) == [1.0, 0.0]


def test_quantiles_are_points_or_lie_on_the_line_between_them() -> None:
    arrays = stump(
        figures=np.array([[0.2, 0.6, 1.0], [0.0, 0.5, 1.0], [1.0, 1.0, 1.0]]),
        grid=np.array([10.0, 20.0, 40.0]),
    )
    wanted = [0.1, 0.5, 0.8]
    steps = native(arrays, finish="quantiles", quantiles=wanted, line=False).evaluator
    line = native(arrays, finish="quantiles", quantiles=wanted, line=True).evaluator
    assert steps.row([2.0, 0.0]) == [10.0, 20.0, 40.0]
    assert line.row([2.0, 0.0]) == pytest.approx([10.0, 17.5, 30.0])
    assert line.row([0.0, 2.0]) == [10.0, 10.0, 10.0]


def test_no_rows_give_no_answers() -> None:
    evaluator = native(stump(), finish="shares").evaluator
    assert evaluator.batch(np.empty((0, 2))).shape == (0, 2)


def test_equal_arrays_give_equal_bytes() -> None:
    assert packed(stump()) == packed(dict(reversed(stump().items())))


def test_a_forest_is_opened_without_a_learning_library() -> None:
    program = (
        "import sys\n"
        "from modelwright.data.openers.forest import open_native\n"
        "forest = open_native(sys.stdin.buffer.read(), {'finish': 'shares'})\n"
        "print(forest.row([2.0, 0.0]))\n"
        "print(sorted({'sklearn', 'scipy', 'lightgbm'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=packed(stump()), capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines() == ["[0.1, 0.9]", "[]"]
