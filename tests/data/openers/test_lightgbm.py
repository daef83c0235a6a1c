from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import pytest

from modelwright.data.native import Native
from modelwright.data.openers import lightgbm as opener
from modelwright.data.openers.lightgbm import BrokenTrees, MissingLibrary, open_native

CHANCE = np.random.default_rng(1)
MATRIX = CHANCE.normal(size=(300, 4))
MATRIX[CHANCE.random((300, 4)) < 0.1] = np.nan
CLASSES = (np.nan_to_num(MATRIX[:, 0]) + 1).clip(0, 2).round()


def booster(objective: str, **parameters: object) -> lightgbm.Booster:
    settings = {"objective": objective, "num_leaves": 7, "verbosity": -1, **parameters}
    target = CLASSES if objective != "binary" else (CLASSES > 0).astype(float)
    return lightgbm.train(settings, lightgbm.Dataset(MATRIX, target), 10)


def native(trained: lightgbm.Booster) -> Native:
    return Native("lightgbm", trained.model_to_string().encode(), {"inputs": 4})


@pytest.mark.parametrize(
    ("objective", "parameters", "outputs"),
    [("regression", {}, 1), ("binary", {}, 1), ("multiclass", {"num_class": 3}, 3)],
)
def test_answers_are_those_of_lightgbm_for_tables_and_for_rows(
    objective: str, parameters: dict[str, object], outputs: int
) -> None:
    trained = booster(objective, **parameters)
    evaluator = native(trained).evaluator
    expected = np.asarray(trained.predict(MATRIX)).reshape(300, outputs)
    np.testing.assert_array_equal(evaluator.batch(MATRIX), expected)
    assert [evaluator.row(row.tolist()) for row in MATRIX] == expected.tolist()


def test_small_and_large_tables_get_the_same_answers_as_their_rows() -> None:
    evaluator = native(booster("regression")).evaluator
    expected = [evaluator.row(row.tolist()) for row in MATRIX]
    for rows in (1, 7, 8, 20, 47, 48, 300):
        assert evaluator.batch(MATRIX[:rows]).tolist() == expected[:rows]


def test_columns_in_another_order_of_memory_are_the_same_matrix() -> None:
    evaluator = native(booster("binary")).evaluator
    turned = np.asfortranarray(MATRIX)
    np.testing.assert_array_equal(evaluator.batch(turned), evaluator.batch(MATRIX))


def test_no_rows_give_no_answers() -> None:
    assert native(booster("binary")).evaluator.batch(np.empty((0, 4))).shape == (0, 1)


def test_threads_do_not_disturb_one_another() -> None:
    evaluator = native(booster("binary")).evaluator
    rows = MATRIX.tolist() * 5
    expected = [evaluator.row(row) for row in rows]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(evaluator.row, rows)) == expected


def test_text_that_is_no_ensemble_is_refused() -> None:
    with pytest.raises(BrokenTrees, match="cannot be used"):
        open_native(b"no trees here", {"inputs": 4})


def test_an_ensemble_is_opened_without_the_python_packages_around_it() -> None:
    program = (
        "import sys\n"
        "from modelwright.data.openers.lightgbm import open_native\n"
        "trees = open_native(sys.stdin.buffer.read(), {'inputs': 4})\n"
        "print(trees.row([0.1, 0.2, 0.3, 0.4])[0])\n"
        "print(sorted({'lightgbm', 'sklearn', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules)))\n"
    )
    trained = booster("binary")
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=native(trained).content,
        capture_output=True,
        check=True,
    )
    answer, heavy = done.stdout.decode().splitlines()
    assert float(answer) == np.asarray(trained.predict([[0.1, 0.2, 0.3, 0.4]]))[0]
    assert heavy == "[]"


def test_without_the_library_a_model_of_trees_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = booster("binary").model_to_string().encode()
    opener._libraries.cache_clear()
    monkeypatch.setattr(opener, "find_spec", lambda name: None)
    with pytest.raises(MissingLibrary, match=r"modelwright\[learn\]"):
        open_native(content, {"inputs": 4})
    opener._libraries.cache_clear()
