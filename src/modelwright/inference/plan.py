"""How a serving answers requests, as data that a replica reads without the components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwright.data.artifact import Digest
from modelwright.data.expression import Formula
from modelwright.graph.graph import NodeId

_MARK = "\n"


def tagged(node: NodeId, reason: str) -> str:
    """The reason of a filter with the node it belongs to."""
    return f"{node}{_MARK}{reason}"


def untagged(text: str) -> tuple[NodeId, str]:
    """The node and the reason that `tagged` put together."""
    node, _, reason = text.partition(_MARK)
    return NodeId(node), reason


@dataclass(frozen=True, slots=True)
class NativePlace:
    """Where a native value lies: `name` among those of the artifact, of this kind."""

    digest: Digest
    name: str
    kind: str
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The place as JSON."""
        return {
            "digest": self.digest,
            "name": self.name,
            "kind": self.kind,
            "notes": dict(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> NativePlace:
        """Read what `to_json` wrote."""
        return cls(Digest(value["digest"]), value["name"], value["kind"], value["notes"])


@dataclass(frozen=True, slots=True)
class Chain:
    """Every step from an input to an output as one formula; reasons of its filters are tagged."""

    output: str
    input: str
    formula: Formula
    natives: Mapping[str, NativePlace] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The chain as JSON."""
        return {
            "output": self.output,
            "input": self.input,
            "formula": self.formula.to_json(),
            "natives": {name: place.to_json() for name, place in self.natives.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Chain:
        """Read what `to_json` wrote.  Raises MalformedFormula."""
        return cls(
            value["output"],
            value["input"],
            Formula.from_json(value["formula"]),
            {name: NativePlace.from_json(p) for name, p in value["natives"].items()},
        )


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A node that works on the rows of a request.

    compiled: it is part of a formula.  cost_us: microseconds it takes for a row, as measured on the
    samples: on rows one by one when it is compiled, else on all of them as one table.
    """

    node: NodeId
    title: str
    component: str
    compiled: bool
    cost_us: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The step as JSON."""
        return {
            "node": self.node,
            "title": self.title,
            "component": self.component,
            "compiled": self.compiled,
            "cost_us": self.cost_us,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PlannedStep:
        """Read what `to_json` wrote."""
        return cls(
            NodeId(value["node"]),
            value["title"],
            value["component"],
            compiled=value["compiled"],
            cost_us=value.get("cost_us"),
        )


@dataclass(frozen=True, slots=True)
class ScoringPlan:
    """The nodes at work, in order, and a chain per output.

    chains: None when a node on the way to an output is more than a formula; then the nodes run one
    after another on tables.  crossover: rows from which the Table form of the chains is faster.
    together: rows from which native values work on all rows at once.  Both as measured on the samples;
    None where it never is, or was not measured.
    """

    steps: tuple[PlannedStep, ...]
    chains: tuple[Chain, ...] | None
    crossover: int | None = None
    together: int | None = None

    @property
    def is_compiled(self) -> bool:
        """Whether every output is a formula of one input."""
        return self.chains is not None

    def title(self, node: NodeId) -> str:
        """The title of a node at work; its id when it is not among them."""
        return next((s.title for s in self.steps if s.node == node), node)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON."""
        chains = None if self.chains is None else [c.to_json() for c in self.chains]
        return {
            "steps": [s.to_json() for s in self.steps],
            "chains": chains,
            "crossover": self.crossover,
            "together": self.together,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ScoringPlan:
        """Read what `to_json` wrote.  Raises MalformedFormula."""
        chains = value["chains"]
        return cls(
            tuple(PlannedStep.from_json(s) for s in value["steps"]),
            None if chains is None else tuple(Chain.from_json(c) for c in chains),
            value["crossover"],
            value.get("together"),
        )
