"""Why a draft cannot run yet, or should be looked at: one record a reason, placed on the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from modelwright.data.errors import ModelwrightError
from modelwright.graph.graph import NodeId

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that mends a problem: a title for its button, and edits as JSON.

    edits: each an object with "edit" (a function of `graph.edits`) and that function's arguments.
    """

    title: str
    edits: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Title and edits."""
        return {"title": self.title, "edits": [dict(e) for e in self.edits]}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do.  An error keeps the draft from running."""

    code: str
    happened: str
    remedy: str
    node: NodeId | None = None
    port: str | None = None
    parameter: str | None = None
    column: str | None = None
    severity: Severity = "error"
    fields: Mapping[str, Any] = field(default_factory=dict)
    fix: Fix | None = None

    @property
    def message(self) -> str:
        """What happened and what to do."""
        return f"{self.happened} {self.remedy}"

    @classmethod
    def of(cls, error: ModelwrightError, node: NodeId | None = None) -> Problem:
        """The problem that an error of a component or an asset stands for, on its node."""
        fields = error.fields
        return cls(
            code=error.code,
            happened=error.happened,
            remedy=error.remedy,
            node=node,
            port=_text(fields.get("port")),
            parameter=_text(fields.get("parameter")),
            column=_text(fields.get("column")),
            fields=dict(fields),
        )

    def on(self, node: NodeId) -> Problem:
        """The same problem placed on a node."""
        return replace(self, node=node)

    def to_json(self) -> dict[str, Any]:
        """The problem as JSON; places that do not apply are null."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "happened": self.happened,
            "remedy": self.remedy,
            "node": self.node,
            "port": self.port,
            "parameter": self.parameter,
            "column": self.column,
            "fields": dict(self.fields),
            "fix": self.fix.to_json() if self.fix else None,
        }


class PipelineProblems(ModelwrightError):
    """A pipeline that has problems was asked to run or to be converted."""

    code = "pipeline-problems"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        lines = [f"{p.node}: {p.message}" if p.node else p.message for p in problems]
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"The pipeline has {count}.\n" + "\n".join(f"  {line}" for line in lines) + "\n",
            remedy="Mend what is listed, then try again.",
            problems=[p.to_json() for p in problems],
        )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
