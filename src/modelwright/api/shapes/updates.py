"""What becomes of an inference draft when its training pipeline has run again, as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Any, Literal

from modelwright.actions.freshness import Freshness as FreshnessRecord
from modelwright.actions.inference_updates import FrozenChange
from modelwright.actions.inference_updates import InferenceUpdate as UpdateRecord
from modelwright.api.shapes.drafts import DraftSummary
from modelwright.api.shapes.graph import Graph, Layout
from modelwright.api.shapes.inference import Parity
from modelwright.api.shapes.runs import RunComparison, RunSummary
from modelwright.api.shapes.shape import Asked, Count, Fault, Shape


class DraftParity(Shape):
    """Whether an inference draft scores as its training run did; null where none can be compared."""

    parity: Parity | None


class DraftTraining(Shape):
    """The training pipeline that an inference draft came from."""

    draft: DraftSummary | None
    """Null when it is gone."""
    run: RunSummary | None
    """Whose results the inference draft holds."""
    newer: RunSummary | None
    """A later run with other results; null when the draft holds the latest."""


class ResetAsked(Asked):
    """Which revision is replaced by what the conversion made."""

    revision: Count


class UpdateAsked(Asked):
    """Which run to update to, and whose change counts where both changed something."""

    run_id: str | None = None
    """The latest completed run of the training draft unless given."""
    choices: dict[str, Literal["mine", "theirs"]] = {}
    """By the key of a clash; that made by hand unless said."""


class UpdateTaken(UpdateAsked):
    """An update to be stored."""

    revision: Count
    """The revision that is replaced."""


class FrozenDifference(Shape):
    """A stored value of an inference pipeline, before and after."""

    node: str
    title: str
    kind: str
    change: FrozenChange
    old: str | None
    """Digest."""
    new: str | None


class Clash(Shape):
    """Something that was edited by hand and is changed by the new run as well."""

    key: str
    node: str
    field: str
    port: str | None
    mine: Any
    theirs: Any


class InferenceUpdate(Shape):
    """What an update of an inference draft would do."""

    runs: RunComparison
    """Parameters and figures, old and new."""
    frozen: list[FrozenDifference]
    clashes: list[Clash]
    kept: dict[str, list[str]]
    """By node, what was edited by hand and stays."""
    taken: dict[str, list[str]]
    """By node, what the new run changes."""
    graph: Graph
    layout: Layout
    parity: Parity | None
    fault: Fault | None
    """Why the pipeline that comes out cannot answer."""

    @classmethod
    def of(cls, update: UpdateRecord) -> InferenceUpdate:
        """The body of an update."""
        return cls.model_construct(
            runs=RunComparison.of(update.runs),
            frozen=[FrozenDifference.of(f) for f in update.frozen],
            clashes=[Clash.of(c) for c in update.clashes],
            kept={str(n): list(fields) for n, fields in update.merged.kept.items()},
            taken={str(n): list(fields) for n, fields in update.merged.taken.items()},
            graph=Graph.of(update.document.graph),
            layout=Layout.of(update.document.layout),
            parity=Parity.of(update.parity) if update.parity else None,
            fault=Fault.model_validate(update.fault.to_json()) if update.fault else None,
        )


class Freshness(Shape):
    """Whether an endpoint serves what its training pipeline has learnt last."""

    deployment: int | None
    training_run: RunSummary | None
    """Whose results it serves."""
    newer: RunSummary | None
    """A later run of the same draft with other results."""
    draft: DraftSummary | None
    """The inference draft that is served."""
    draft_is_ahead: bool
    """The draft holds the results of another run than what is served."""

    @classmethod
    def of(cls, found: FreshnessRecord) -> Freshness:
        """The body of what is known."""
        return cls.model_construct(
            deployment=found.deployment,
            training_run=RunSummary.of(found.training_run) if found.training_run else None,
            newer=RunSummary.of(found.newer) if found.newer else None,
            draft=DraftSummary.of(found.draft) if found.draft else None,
            draft_is_ahead=found.draft_is_ahead,
        )


class Snippets(Shape):
    """Programs that call an endpoint, by language."""

    snippets: dict[str, str]
    placeholder: str
    """What stands in them for the key."""
