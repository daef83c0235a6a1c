"""Whether the trees of a LightGBM text are whole: over one that is not, LightGBM ends the process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelwright.components.foreign.errors import UnreadableModel

_NUMERALS = set("0123456789+-.e infa")
_CATEGORY = 1
_OF_SPLITS = ("split_gain", "internal_value", "internal_weight", "internal_count")
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count", "leaf_const")


def check_trees(content: bytes, features: int, file: str) -> None:
    """Raise UnreadableModel for a file that was cut off, or whose trees lead where there is nothing.

    features: how many columns the trees may ask for.
    """
    head, _, rest = content.partition(b"\nTree=0\n")
    trees, ended, after = (b"Tree=0\n" + rest).partition(b"\nend of trees")
    if not rest or not ended or (b"\nparameters:" in after and b"\nend of parameters" not in after):
        raise UnreadableModel(file, "its end is missing")
    texts = (b"\n" + trees).split(b"\nTree=")[1:]
    try:
        _check_sizes(head, b"Tree=0\n" + rest, len(texts))
        for number, text in enumerate(texts):
            _check_tree(_fields(b"Tree=" + text), features, number)
    except (KeyError, ValueError) as error:
        raise UnreadableModel(file, f"its trees are damaged ({error})") from error


def _check_sizes(head: bytes, trees: bytes, count: int) -> None:
    """Trees are read from where their sizes say that they begin."""
    line = next((li for li in head.split(b"\n") if li.startswith(b"tree_sizes=")), None)
    if line is None:
        return
    sizes = [int(size) for size in line.removeprefix(b"tree_sizes=").split()]
    if len(sizes) != count:
        raise ValueError(f"{len(sizes)} sizes of {count} trees")
    start = 0
    for number, size in enumerate(sizes):
        if size <= 0 or not trees.startswith(b"Tree=%d\n" % number, start):
            raise ValueError(f"tree {number} is not where it is said to be")
        start += size


def _fields(text: bytes) -> dict[str, str]:
    """The lines of a tree, NAME=VALUE each, of characters that numbers are written with."""
    lines = text.decode().strip("\n").split("\n")
    fields = dict(line.split("=", 1) for line in lines)
    if strange := [n for n, v in fields.items() if not n.isidentifier() or not set(v) <= _NUMERALS]:
        raise ValueError(f"{strange[0]!r}")
    return fields


def _check_tree(fields: dict[str, str], features: int, number: int) -> None:
    leaves, categories = int(fields["num_leaves"]), int(fields["num_cat"])
    if int(fields["Tree"]) != number:
        raise ValueError(f"tree {fields['Tree']} stands in the place of tree {number}")
    if leaves < 1:
        raise ValueError(f"tree {number} has {leaves} leaves")
    for name in _OF_LEAVES:
        # Of a single leaf there is nothing but its value.
        if name in fields and (leaves > 1 or name == "leaf_value"):
            _numbers(fields, name, leaves)
    _numbers(fields, "leaf_value", leaves)
    if leaves > 1:
        _check_splits(fields, leaves, categories, features)
    if int(fields.get("is_linear", "0")):
        per_leaf = _whole(fields, "num_features", leaves)
        asked = _whole(fields, "leaf_features", int(per_leaf.sum()))
        _numbers(fields, "leaf_coeff", int(per_leaf.sum()))
        _numbers(fields, "leaf_const", leaves)
        _within(per_leaf, 0, features, "leaf_features")
        _within(asked, 0, features - 1, "leaf_features")


def _check_splits(fields: dict[str, str], leaves: int, categories: int, features: int) -> None:
    splits = leaves - 1
    _within(_whole(fields, "split_feature", splits), 0, features - 1, "split_feature")
    threshold = _numbers(fields, "threshold", splits)
    kinds = _whole(fields, "decision_type", splits)
    for name in _OF_SPLITS:
        if name in fields:
            _numbers(fields, name, splits)
    for name in ("left_child", "right_child"):
        child = _whole(fields, name, splits)
        _within(child, -leaves, splits - 1, name)
        # Later than the node itself, or a row would go round for ever.
        if ((child >= 0) & (child <= np.arange(splits))).any():
            raise ValueError(f"{name} leads back")
    of_sets = (kinds & _CATEGORY) > 0
    if categories:
        bounds = _whole(fields, "cat_boundaries", categories + 1)
        if bounds[0] != 0 or (np.diff(bounds) < 0).any():
            raise ValueError("cat_boundaries")
        _whole(fields, "cat_threshold", int(bounds[-1]))
    _within(threshold[of_sets], 0, categories - 1, "threshold")


def _numbers(fields: dict[str, str], name: str, count: int) -> NDArray[np.float64]:
    found = np.array(fields[name].split(), dtype=np.float64)
    if len(found) != count:
        raise ValueError(f"{len(found)} values of {name} instead of {count}")
    return found


def _whole(fields: dict[str, str], name: str, count: int) -> NDArray[np.int64]:
    found = np.array(fields[name].split(), dtype=np.int64)
    if len(found) != count:
        raise ValueError(f"{len(found)} values of {name} instead of {count}")
    return found


def _within(
    values: NDArray[np.int64] | NDArray[np.float64], least: int, most: int, name: str
) -> None:
    if len(values) and not (values.min() >= least and values.max() <= most):
        raise ValueError(f"{name} beyond {least} to {most}")
