"""What a step needs of the machine it runs on: the node's own word, or what its component usually takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.graph.graph import Node, NodeId
from modelwright.run.places import Placing
from modelwright.run.plan import Plan
from modelwright.targets.contract import Needs

_ONE = Needs()
# Half a core, so that what waits for a disk or a network does not keep learners waiting.
_LIGHT = Needs(cpus=0.5)
_BY_CATEGORY: Mapping[str, Needs] = {"Data Input and Output": _LIGHT}


def needs_of(node: Node, category: str) -> Needs:
    """What a node's step needs; memory counts only where the node names it."""
    usual = _BY_CATEGORY.get(category, _ONE)
    own: Mapping[str, Any] = node.resources
    return Needs(
        cpus=float(own.get("cpus", usual.cpus)),
        gpus=float(own.get("gpus", usual.gpus)),
        memory=int(own.get("memory", usual.memory)),
    )


def placing_of(plan: Plan, default: str) -> dict[NodeId, Placing]:
    """Where each step of a plan runs, and what it needs there."""
    found = {}
    for step in plan.steps:
        node = plan.graph.nodes[step.node]
        needs = needs_of(node, step.task.component.__component__.category)
        found[step.node] = Placing(node.compute or default, needs)
    return found
