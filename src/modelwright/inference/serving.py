"""A trained pipeline made ready to answer requests: a graph with holes for the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from modelwright.data.artifact import Artifact, Digest
from modelwright.data.schema import Column, ColumnType
from modelwright.graph.graph import Graph, NodeId


class Use(StrEnum):
    """What becomes of a column of a request."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class RequestColumn:
    """A column that a request's rows have.

    default: the value of a row without the column, as JSON; only an optional column has one.
    missing: whether null and not-a-number are allowed.  An ignored column, such as the label, may
    hold anything and is not read.
    """

    name: str
    type: ColumnType
    use: Use = Use.REQUIRED
    default: Any = None
    missing: bool = True

    def to_json(self) -> dict[str, Any]:
        """The column as JSON; what is at its default is left out."""
        out: dict[str, Any] = {"name": self.name, "type": self.type.value}
        if self.use is not Use.REQUIRED:
            out["use"] = self.use.value
        if self.default is not None:
            out["default"] = self.default
        if not self.missing:
            out["missing"] = False
        return out

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RequestColumn:
        """Read what `to_json` wrote."""
        return cls(
            value["name"],
            ColumnType(value["type"]),
            Use(value.get("use", Use.REQUIRED)),
            value.get("default"),
            value.get("missing", True),
        )


@dataclass(frozen=True, slots=True)
class RequestInput:
    """Where rows of a request enter: the key they have in it, and their columns.

    node: the Web Service Input in the graph.  samples: rows as JSON that the pipeline is known to
    answer; they are the example in the documentation and the test before an endpoint is ready.
    """

    name: str
    columns: tuple[RequestColumn, ...]
    node: NodeId
    samples: tuple[Mapping[str, Any], ...] = ()

    @property
    def read(self) -> tuple[RequestColumn, ...]:
        """The columns whose values go into the pipeline, in order."""
        return tuple(c for c in self.columns if c.use is not Use.IGNORED)

    def to_json(self) -> dict[str, Any]:
        """The input as JSON."""
        return {
            "name": self.name,
            "node": self.node,
            "columns": [c.to_json() for c in self.columns],
            "samples": [dict(row) for row in self.samples],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RequestInput:
        """Read what `to_json` wrote."""
        return cls(
            value["name"],
            tuple(RequestColumn.from_json(c) for c in value["columns"]),
            NodeId(value["node"]),
            tuple(value["samples"]),
        )


@dataclass(frozen=True, slots=True)
class ReplyOutput:
    """Where rows of a reply leave: the key they have in it, and their columns.

    node: the Web Service Output in the graph.  chosen: the only columns to give, in this order;
    None gives all that reach the node.  columns: what is known of the columns given, in order.
    """

    name: str
    node: NodeId
    columns: tuple[Column, ...] = ()
    chosen: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """The output as JSON."""
        return {
            "name": self.name,
            "node": self.node,
            "columns": [c.to_json() for c in self.columns],
            "chosen": None if self.chosen is None else list(self.chosen),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ReplyOutput:
        """Read what `to_json` wrote."""
        chosen = value["chosen"]
        return cls(
            value["name"],
            NodeId(value["node"]),
            tuple(Column.from_json(c) for c in value["columns"]),
            None if chosen is None else tuple(chosen),
        )


@dataclass(frozen=True)
class Serving:
    """A graph from Web Service Inputs to Web Service Outputs, with all it needs frozen beside it.

    artifacts: the values that saved-model, saved-transformation and saved-data nodes name by
    digest; a lookup may load when asked.  Nodes keep the ids and titles of the training pipeline.
    """

    name: str
    graph: Graph
    inputs: tuple[RequestInput, ...]
    outputs: tuple[ReplyOutput, ...]
    artifacts: Mapping[Digest, Artifact] = field(default_factory=dict)
    description: str = ""


class ArtifactSource(Protocol):
    """Gives artifacts by digest, as a store does."""

    def get(self, digest: Digest) -> Artifact:
        """The value.  Raises ModelwrightError when it is missing or cannot be read."""
        ...


class StoredArtifacts(Mapping[Digest, Artifact]):
    """Some artifacts of a store, each loaded when it is asked for first and kept from then on."""

    def __init__(self, source: ArtifactSource, digests: Iterable[Digest]) -> None:
        self._source = source
        self._digests = tuple(dict.fromkeys(digests))
        self._loaded: dict[Digest, Artifact] = {}

    def __getitem__(self, digest: Digest) -> Artifact:
        if digest not in self._digests:
            raise KeyError(digest)
        if digest not in self._loaded:
            self._loaded[digest] = self._source.get(digest)
        return self._loaded[digest]

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


def digests_in(graph: Graph) -> tuple[Digest, ...]:
    """The digests that nodes of the graph name, in the order of the nodes."""
    named = (node.parameters.get("digest") for node in graph.nodes.values())
    return tuple(dict.fromkeys(Digest(d) for d in named if isinstance(d, str)))
