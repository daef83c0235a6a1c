"""What a run will do, before it is begun, as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from modelwright.api.shapes.graph import Graph, Problem
from modelwright.api.shapes.shape import Asked, Shape
from modelwright.run import plan as plans
from modelwright.run.outputs import Output as OutputRecord
from modelwright.run.reasons import Reason as ReasonRecord

Settings = Annotated[dict[str, Any], Field(max_length=1000)]
"""Values by pipeline parameter, or by "node.parameter"."""


class PipelineChoice(Asked):
    """Which pipeline is meant: a graph as it is sent, or a draft as it is saved."""

    graph: Graph | None = None
    draft_id: str | None = None

    @model_validator(mode="after")
    def _one(self) -> PipelineChoice:
        if self.graph is None and self.draft_id is None:
            raise ValueError("give a graph or a draft_id")
        return self


class CheckAsked(Asked):
    """A pipeline to be checked."""

    graph: Graph


class PlanAsked(PipelineChoice):
    """A run as it might be submitted."""

    parameters: Settings = {}
    until: str | None = None
    """Only that node and what it needs."""
    rerun: bool = False
    """Reuse nothing."""
    regenerate: list[str] = []
    """Nodes that run whatever is known, and with them what they feed."""


class Reason(Shape):
    """Why a step runs or is reused."""

    code: str
    text: str
    fields: dict[str, Any]

    @classmethod
    def of(cls, reason: ReasonRecord) -> Reason:
        """The body of a reason."""
        return cls.model_construct(code=reason.code, text=reason.text, fields=dict(reason.fields))


class StoredValue(Shape):
    """A value in the store: what a step left on a port."""

    digest: str
    """Leads to its rows, profile and content under /api/artifacts."""
    kind: str | None
    """Of artifact; null where it was not kept."""
    rows: int | None
    columns: int | None
    """Of a table."""

    @classmethod
    def of_output(cls, output: OutputRecord) -> StoredValue:
        """The body of what a step left."""
        columns = output.summary.get("columns")
        return cls.model_construct(
            digest=output.digest,
            kind=output.kind,
            rows=output.rows,
            columns=columns if isinstance(columns, int) else None,
        )


class PlannedStep(Shape):
    """What becomes of a node in a run, and why."""

    node: str
    title: str
    component: str
    version: int
    settings: dict[str, Any]
    """The parameters that matter, defaults filled in."""
    action: Literal["source", "run", "reuse"]
    certain: bool
    """False for a step that runs only if an input that is being made comes out different."""
    reasons: list[Reason]
    inputs: dict[str, str]
    """By port: the output that feeds it, as "node.port"."""
    outputs: dict[str, StoredValue]
    """What is known already, by port."""

    @classmethod
    def of(cls, step: plans.Step) -> PlannedStep:
        """The body of a step."""
        spec = step.task.component.__component__
        return cls.model_construct(
            node=step.node,
            title=step.title,
            component=spec.id,
            version=spec.version,
            settings=dict(step.task.settings),
            action=step.action,
            certain=step.certain,
            reasons=[Reason.of(r) for r in step.reasons],
            inputs={port: str(pin) for port, pin in step.inputs.items()},
            outputs={port: StoredValue.of_output(o) for port, o in step.outputs.items()},
        )


class Plan(Shape):
    """What a run will do."""

    steps: list[PlannedStep]
    """Each after all that feed it."""
    counts: dict[str, int]
    """How many steps there are of each action."""
    warnings: list[Problem]

    @classmethod
    def of(cls, plan: plans.Plan) -> Plan:
        """The body of a plan."""
        actions = [step.action for step in plan.steps]
        return cls.model_construct(
            steps=[PlannedStep.of(step) for step in plan.steps],
            counts={action: actions.count(action) for action in ("source", "run", "reuse")},
            warnings=[Problem.of(w) for w in plan.warnings],
        )
