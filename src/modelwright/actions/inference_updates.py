"""Bring an inference draft up to a later run of its training pipeline, and see first what changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from modelwright.actions.arrangement import arrange
from modelwright.actions.conversions import parity_with_run, prepared
from modelwright.actions.drafts import OpenDraft, get_draft, readable_graph, save_draft
from modelwright.actions.frozen_values import frozen_in, register_frozen
from modelwright.actions.inference_drafts import conversion_of_run, parent_run
from modelwright.actions.run_comparison import RunComparison, compare_runs
from modelwright.actions.run_details import title_in
from modelwright.actions.runs import find_run, outputs_of
from modelwright.data.errors import ModelwrightError
from modelwright.graph.codec import Document, Layout
from modelwright.graph.graph import NodeId
from modelwright.graph.merge import Clash, Merged, Side, merge
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.drafts import Draft, DraftKind
from modelwright.workspace.records.runs import Run, RunStatus

if TYPE_CHECKING:
    from modelwright.actions.conversions import Converted
    from modelwright.actions.home import Home
    from modelwright.graph.graph import Graph
    from modelwright.inference.parity import Parity

FrozenChange = Literal["same", "changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class FrozenDifference:
    """A stored value of an inference pipeline, before and after an update.

    kind: component of the node: saved-model, saved-transformation or saved-data.  old, new: digests.
    """

    node: NodeId
    title: str
    kind: str
    change: FrozenChange
    old: str | None
    new: str | None


@dataclass(frozen=True)
class InferenceUpdate:
    """What an update of an inference draft would do.

    runs: the run the draft holds and the one it would hold, compared.  frozen: its stored values.
    merged: the pipeline that comes out.  parity: how that scores the rows of the new run; None where
    nothing can be compared, and `fault` then says why where something is wrong.
    """

    draft: OpenDraft
    runs: RunComparison
    frozen: tuple[FrozenDifference, ...]
    merged: Merged
    document: Document
    parity: Parity | None
    fault: ModelwrightError | None

    @property
    def clashes(self) -> tuple[Clash, ...]:
        """What was edited by hand and is changed by the new run as well."""
        return self.merged.clashes


def newer_run(home: Home, run_id: str, draft_id: str | None) -> Run | None:
    """The latest completed run of a training draft, if its results are not those of `run_id`."""
    if draft_id is None:
        return None
    found = home.workspace.runs.list(
        draft_id=draft_id, statuses=(RunStatus.COMPLETED,), limit=1
    ).items
    if not found or found[0].id == run_id:
        return None
    try:
        present = find_run(home, run_id)
    except NotFound:
        return found[0]
    if found[0].created_at < present.created_at:
        return None
    return None if _results(home, run_id) == _results(home, found[0].id) else found[0]


@dataclass(frozen=True)
class Training:
    """Where an inference draft came from; None for what is gone.  newer: see `newer_run`."""

    draft: Draft | None
    run: Run | None
    newer: Run | None


def training_of(home: Home, draft_id: str) -> Training:
    """The training pipeline of an inference draft.  Raises NotFound for another draft."""
    record = get_draft(home, draft_id).record
    run_id = parent_run(record)
    try:
        run: Run | None = find_run(home, run_id)
    except NotFound:
        run = None
    try:
        parent = home.workspace.drafts.get(record.parent_draft_id or "")
    except NotFound:
        parent = None
    return Training(parent, run, newer_run(home, run_id, record.parent_draft_id))


def update_of_draft(
    home: Home,
    draft_id: str,
    *,
    run_id: str | None = None,
    choices: Mapping[str, Side] | None = None,
) -> InferenceUpdate:
    """What a later run would make of an inference draft, hand-made edits kept; changes nothing.

    run_id: the latest completed run of the training draft unless given.  choices: whose change counts
    where both changed something, by `Clash.key`; that made by hand unless said.
    Raises NotFound, and what `convert_pipeline` raises.
    """
    draft = get_draft(home, draft_id)
    mine = readable_graph(home, draft_id)
    old_run = parent_run(draft.record)
    new_run = run_id or _latest(home, draft)
    base = conversion_of_run(home, draft.record, old_run, compared=False)
    theirs = conversion_of_run(home, draft.record, new_run, compared=False)
    their_graph = _named_as(theirs.document.graph, base.document.graph, mine)
    merged = merge(base.document.graph, mine, their_graph, choices=choices)
    known = draft.document.layout if draft.document else Layout()
    places = {**theirs.document.layout.positions, **known.positions}
    document = Document(merged.graph, replace(known, positions=arrange(merged.graph, places)))
    parity, fault = _tried(home, draft, merged, theirs)
    return InferenceUpdate(
        draft,
        compare_runs(home, old_run, theirs.run.id),
        _differences(home, mine, merged.graph),
        merged,
        document,
        parity,
        fault,
    )


def take_update(
    home: Home,
    draft_id: str,
    *,
    revision: int,
    run_id: str | None = None,
    choices: Mapping[str, Side] | None = None,
) -> OpenDraft:
    """Update an inference draft: its model and all its transformations at once.

    The values get registered as next versions.  revision: the one that is replaced; it is kept.
    Raises NotFound, Conflict, and what `convert_pipeline` raises; then nothing is stored.
    """
    update = update_of_draft(home, draft_id, run_id=run_id, choices=choices)
    new_run = update.runs.right.run
    theirs = conversion_of_run(home, update.draft.record, new_run.id, compared=False)
    with home.workspace.transaction():
        register_frozen(home, theirs)
        save_draft(home, draft_id, update.document, revision=revision)
        home.workspace.drafts.link(
            draft_id,
            parent_draft_id=update.draft.record.parent_draft_id,
            parent_run_id=new_run.id,
        )
    return get_draft(home, draft_id)


def _latest(home: Home, draft: OpenDraft) -> str:
    record = draft.record
    run = newer_run(home, parent_run(record), record.parent_draft_id)
    if run is None:
        raise NotFound(
            "later run of the training pipeline of",
            record.name,
            remedy="Run the training pipeline again; the draft holds its latest results.",
        )
    return run.id


def _results(home: Home, run_id: str) -> dict[str, str]:
    return {str(pin): output.digest for pin, output in outputs_of(home, run_id).items()}


def _named_as(theirs: Graph, base: Graph, mine: Graph) -> Graph:
    """Their graph with the names under which values of the draft are registered."""
    for node_id, node in theirs.nodes.items():
        known, first = mine.nodes.get(node_id), base.nodes.get(node_id)
        if known is None or first is None or "digest" not in node.parameters:
            continue
        if first.parameters.get("name") == node.parameters.get("name"):
            name = known.parameters.get("name", node.parameters.get("name"))
            renamed = replace(node, title=known.title, parameters={**node.parameters, "name": name})
            theirs = theirs.with_node(node_id, renamed)
    return theirs


def _differences(home: Home, before: Graph, after: Graph) -> tuple[FrozenDifference, ...]:
    old, new = frozen_in(before), frozen_in(after)
    found = []
    for node_id in dict.fromkeys([*new, *old]):
        graph = after if node_id in new else before
        one, other = old.get(node_id), new.get(node_id)
        change: FrozenChange = (
            "added"
            if one is None
            else "removed"
            if other is None
            else "same"
            if one == other
            else "changed"
        )
        title = title_in(graph, node_id, home.library)
        kind = graph.nodes[node_id].component
        found.append(FrozenDifference(node_id, title, kind, change, one, other))
    return tuple(found)


def _tried(
    home: Home, draft: OpenDraft, merged: Merged, theirs: Converted
) -> tuple[Parity | None, ModelwrightError | None]:
    """How the pipeline scores that an update would make, or why it cannot answer."""
    if draft.record.kind is not DraftKind.REAL_TIME:
        return None, None
    try:
        serving = prepared(home, merged.graph, name="parity")
        return parity_with_run(home, serving, theirs.conversion, theirs.run.id), None
    except ModelwrightError as error:
        return None, error
