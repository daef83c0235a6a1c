"""Ensembles of trees as one operation over a matrix of 64-bit numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from modelwright.inference.onnx_form.writer import GraphWriter

AT_MOST, IS_MEMBER = 0, 6
"""The tests of a node: is the number at most the threshold, or is it one of a set?"""


@dataclass(slots=True)
class Node:
    """A test of one column.

    true and false: the next node; or, where below 0, leaf -1 - number.  nan: whether a number that is
    missing goes the way of true.
    """

    column: int
    threshold: float
    true: int
    false: int
    nan: bool
    test: int = AT_MOST
    members: tuple[float, ...] = ()


@dataclass(slots=True)
class Tree:
    """A tree whose first node is its root.  leaves: what each adds.  target: to which sum."""

    nodes: list[Node]
    leaves: list[float]
    target: int = 0


@dataclass(slots=True)
class _Flat:
    roots: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    true_leaf: list[int] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    false_leaf: list[int] = field(default_factory=list)
    nan: list[int] = field(default_factory=list)
    members: list[float] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, tree: Tree) -> None:
        first, leaf = len(self.columns), len(self.targets)
        self.roots.append(first)
        # An operation has no tree of a leaf alone: its root asks for what makes no difference.
        nodes = tree.nodes or [Node(0, 0.0, -1, -1, nan=False)]
        for node in nodes:
            self.columns.append(node.column)
            self.modes.append(node.test)
            self.splits.append(node.threshold)
            self.nan.append(int(node.nan))
            if node.test == IS_MEMBER:
                self.members += [*node.members, math.nan]
            for child, place, is_leaf in (
                (node.true, self.true, self.true_leaf),
                (node.false, self.false, self.false_leaf),
            ):
                place.append(first + child if child >= 0 else leaf - 1 - child)
                is_leaf.append(int(child < 0))
        self.targets += [tree.target] * len(tree.leaves)
        self.weights += tree.leaves


def summed(writer: GraphWriter, matrix: str, trees: Sequence[Tree], targets: int) -> str:
    """(rows, targets): for each target the sum of the leaves that a row falls into."""
    from onnx import numpy_helper

    flat = _Flat()
    for tree in trees:
        flat.add(tree)
    more = {}
    if flat.members:
        more["membership_values"] = numpy_helper.from_array(
            np.array(flat.members, dtype=np.float64)
        )
    return writer.op(
        "TreeEnsemble",
        matrix,
        domain="ai.onnx.ml",
        aggregate_function=1,
        post_transform=0,
        n_targets=targets,
        tree_roots=flat.roots,
        nodes_featureids=flat.columns,
        nodes_modes=numpy_helper.from_array(np.array(flat.modes, dtype=np.uint8)),
        nodes_splits=numpy_helper.from_array(np.array(flat.splits, dtype=np.float64)),
        nodes_truenodeids=flat.true,
        nodes_trueleafs=flat.true_leaf,
        nodes_falsenodeids=flat.false,
        nodes_falseleafs=flat.false_leaf,
        nodes_missing_value_tracks_true=flat.nan,
        leaf_targetids=flat.targets,
        leaf_weights=numpy_helper.from_array(np.array(flat.weights, dtype=np.float64)),
        **more,
    )
