from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from modelwright.components.foreign.errors import UnreadableModel
from modelwright.components.foreign.lightgbm_trees import check_trees
from modelwright.components.foreign.model_file import read_model

CHANCE = np.random.default_rng(0)
ROWS = 120
FRAME = pd.DataFrame(
    {
        "a": CHANCE.normal(size=ROWS),
        "kind": pd.Categorical(CHANCE.choice(list("pqrs"), ROWS)),
        "b": CHANCE.normal(size=ROWS),
    }
)
LABEL = FRAME["a"] + FRAME["kind"].isin(["p", "r"]) * 5 + 3


def text(**settings: Any) -> bytes:
    """The text of three trees over a number, a category and a number."""
    settings = {
        "min_data_in_leaf": 5,
        "min_data_per_group": 1,
        "cat_smooth": 1,
        "cat_l2": 0,
        **settings,
    }
    booster = lightgbm.train(
        {"verbosity": -1, "num_threads": 1, **settings}, lightgbm.Dataset(FRAME, LABEL), 3
    )
    return booster.model_to_string().encode()


WHOLE = text()


@pytest.mark.parametrize(
    "settings", [{}, {"linear_tree": True}, {"num_leaves": 2}, {"min_data_in_leaf": ROWS}]
)
def test_what_lightgbm_writes_is_whole(settings: Mapping[str, Any]) -> None:
    content = text(**settings)
    check_trees(content, 3, "m.txt")
    assert content.count(b"Tree=") >= 1


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7, 0.9])
def test_a_file_that_was_cut_off_is_refused(share: float, tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_bytes(WHOLE[: round(len(WHOLE) * share)])
    with pytest.raises(UnreadableModel, match=r'"m\.txt" cannot be used'):
        read_model(path)


def changed(name: str, to: str, *, tree: int = 1) -> bytes:
    """The text with another value of a field in one of its trees, and with the size that fits."""
    head, *trees = WHOLE.split(b"\n\nTree=")
    lines = trees[tree].split(b"\n")
    (at,) = [n for n, line in enumerate(lines) if line.startswith(f"{name}=".encode())]
    grown = len(f"{name}={to}") - len(lines[at])
    lines[at] = f"{name}={to}".encode()
    trees[tree] = b"\n".join(lines)
    before = next(li for li in head.split(b"\n") if li.startswith(b"tree_sizes="))
    sizes = [int(size) for size in before.removeprefix(b"tree_sizes=").split()]
    sizes[tree] += grown
    after = b"tree_sizes=" + b" ".join(b"%d" % size for size in sizes)
    return b"\n\nTree=".join([head.replace(before, after), *trees])


def field(name: str, *, tree: int = 1) -> list[str]:
    lines = WHOLE.split(b"\n\nTree=")[1:][tree].decode().split("\n")
    found = next(line for line in lines if line.startswith(f"{name}="))
    return found.removeprefix(f"{name}=").split()


def with_first(name: str, value: str) -> tuple[str, str]:
    return name, " ".join([value, *field(name)[1:]])


def test_the_same_values_anew_are_whole() -> None:
    check_trees(changed("leaf_value", " ".join(field("leaf_value"))), 3, "m.txt")
    check_trees(changed(*with_first("leaf_value", "-1e-300")), 3, "m.txt")


@pytest.mark.parametrize(
    ("name", "to"),
    [
        with_first("split_feature", "3"),
        with_first("split_feature", "-1"),
        with_first("left_child", "0"),
        with_first("right_child", "99"),
        with_first("left_child", "-99"),
        with_first("threshold", "x"),
        with_first("leaf_value", "1_0"),
        with_first("cat_boundaries", "1"),
        ("leaf_value", "1.0"),
        ("threshold", ""),
        ("num_leaves", "2000000000"),
        ("num_leaves", "0"),
        ("cat_threshold", ""),
        ("num_cat", "0"),
        ("decision_type", "300 " * 40),
    ],
)
def test_trees_that_lead_where_there_is_nothing_are_refused(name: str, to: str) -> None:
    with pytest.raises(UnreadableModel, match="trees are damaged"):
        check_trees(changed(name, to), 3, "m.txt")


def test_trees_must_be_where_their_sizes_say() -> None:
    moved = WHOLE.replace(b"tree_sizes=", b"tree_sizes=1")
    with pytest.raises(UnreadableModel, match="not where it is said to be"):
        check_trees(moved, 3, "m.txt")
    with pytest.raises(UnreadableModel, match="damaged"):
        check_trees(WHOLE.replace(b"\nsplit_gain=", b"\nsplit_gain ", 1), 3, "m.txt")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_bytes(WHOLE.replace(b"feature_names=a", b"feature_names=\xff"))
    with pytest.raises(UnreadableModel, match="it is damaged"):
        read_model(path)
