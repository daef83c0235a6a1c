"""What a step left on a port, known by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwright.data.artifact import Digest


@dataclass(frozen=True)
class Output:
    """A stored result: its digest, its kind of artifact, and a few figures such as rows."""

    digest: Digest
    kind: str
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int | None:
        """Rows, when it is a table."""
        rows = self.summary.get("rows")
        return rows if isinstance(rows, int) else None

    def to_json(self) -> dict[str, Any]:
        """Digest, kind and summary."""
        return {"digest": self.digest, "kind": self.kind, "summary": dict(self.summary)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Output:
        """Read what `to_json` wrote."""
        return cls(Digest(value["digest"]), value["kind"], dict(value.get("summary") or {}))
