"""Whether a step runs, is reused, or must wait until more is known of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from modelwright.components.contract import Component
from modelwright.components.library import Library
from modelwright.data.store import StepRecord, Store
from modelwright.graph.graph import NodeId, Pin
from modelwright.run import reasons
from modelwright.run.history import Past, PastInput
from modelwright.run.keys import identity, recipe_of, step_key
from modelwright.run.outputs import Output
from modelwright.run.reasons import Reason
from modelwright.run.source import Source, source_of


@dataclass(frozen=True)
class Task:
    """What a node is to do: its component, where its inputs come from, and whether it must run.

    inputs: by port; a port that nothing feeds is absent.  forced: asked to run whatever is known.
    """

    node: NodeId
    component: Component
    inputs: Mapping[str, Pin] = field(default_factory=dict)
    forced: bool = False

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The parameters that matter, as JSON."""
        return self.component.settings()

    @cached_property
    def source(self) -> Source | None:
        """The component's source; None when it cannot be read."""
        return source_of(type(self.component))

    @cached_property
    def recipe(self) -> str | None:
        """Names what it does, whatever its inputs; None without a source."""
        if self.source is None:
            return None
        return recipe_of(self.component.__component__, self.settings, self.source)


@dataclass(frozen=True)
class Verdict:
    """What becomes of a step.

    action: "run" for certain; "reuse" with the known outputs; "wait": it runs unless an input that
    is being made comes out as it was.  key: None while an input is unknown, or without a source.
    """

    action: Literal["run", "reuse", "wait"]
    reasons: tuple[Reason, ...]
    key: str | None = None
    outputs: Mapping[str, Output] = field(default_factory=dict)
    record: StepRecord | None = None


@dataclass(frozen=True)
class Judge:
    """Knows the stored results and how each node ran last."""

    library: Library
    store: Store
    past: Mapping[NodeId, Past] = field(default_factory=dict)

    def verdict(self, task: Task, given: Mapping[str, Output | None]) -> Verdict:
        """What becomes of a step, given its inputs by port; None for one that is being made."""
        spec = task.component.__component__
        if task.recipe is None:
            return Verdict("run", (reasons.source_unknown(spec.title),))
        key = self.key(task, given)
        if task.forced:
            return Verdict("run", (reasons.forced(),), key)
        if not spec.deterministic:
            return Verdict("run", (reasons.not_deterministic(spec.title),), key)
        if why := task.component.always_runs:
            return Verdict("run", (reasons.asked_for_anew(why),), key)
        if key is None:
            return self._unknown(task, given, task.recipe)
        record = self.store.result(key)
        if record is None:
            return Verdict("run", self._why(task, given) or (reasons.result_missing(),), key)
        outputs = {port: Output.from_json(value) for port, value in record.outputs.items()}
        for port, output in outputs.items():
            if not self.store.has(output.digest):
                return Verdict("run", (reasons.result_missing(port),), key)
        why_reused = reasons.unchanged(record.finished_at, task.component.reuse_note)
        return Verdict("reuse", (why_reused,), key, outputs, record)

    def key(self, task: Task, given: Mapping[str, Output | None]) -> str | None:
        """The step's key; None while an input is unknown, or when its source is."""
        if task.recipe is None:
            return None
        identities = self._identities(given)
        known = {port: name for port, name in identities.items() if name is not None}
        if len(known) < len(identities):
            return None
        return step_key(task.recipe, known)

    def past_of(self, task: Task, given: Mapping[str, Output | None]) -> Past:
        """The step as history keeps it."""
        spec = task.component.__component__
        identities = self._identities(given)
        return Past(
            spec.id,
            spec.version,
            task.settings,
            task.source.modules if task.source else {},
            {port: PastInput(str(pin), identities.get(port)) for port, pin in task.inputs.items()},
            self.key(task, given),
        )

    def _unknown(self, task: Task, given: Mapping[str, Output | None], recipe: str) -> Verdict:
        why = self._why(task, given)
        # A recipe never stored has no result, whatever its inputs turn out to be.
        if self.store.result(recipe) is None:
            return Verdict("run", why or (reasons.result_missing(),))
        pending = tuple(
            reasons.input_may_change(port, str(task.inputs[port].node))
            for port, output in given.items()
            if output is None
        )
        certain = tuple(r for r in why if r.code != "never-run")
        return Verdict("wait", certain + pending)

    def _why(self, task: Task, given: Mapping[str, Output | None]) -> tuple[Reason, ...]:
        before = self.past.get(task.node)
        if before is None:
            return (reasons.never_run(),)
        return tuple(reasons.differences(self.past_of(task, given), before))

    def _identities(self, given: Mapping[str, Output | None]) -> dict[str, str | None]:
        return {
            port: identity(output, self.library) if output else None
            for port, output in given.items()
        }
