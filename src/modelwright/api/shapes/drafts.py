"""Drafts as bodies."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from modelwright.actions.drafts import OpenDraft, read_stored
from modelwright.api.shapes.graph import Graph, Layout
from modelwright.api.shapes.shape import Asked, Count, Fault, Moment, Name, Shape
from modelwright.workspace.records.drafts import DraftKind
from modelwright.workspace.records.drafts import Revision as RevisionRecord


class DraftSummary(Shape):
    """A draft as a list shows it."""

    id: str
    name: str
    kind: DraftKind
    revision: int
    parent_draft_id: str | None
    """The draft it was converted or copied from."""
    parent_run_id: str | None
    """The run whose results it holds, or that it was cloned from."""
    created_at: Moment
    changed_at: Moment
    deleted_at: Moment | None


class Draft(DraftSummary):
    """A draft with its pipeline."""

    graph: Graph | None
    """Null when the stored text cannot be read; `fault` then says why, `text` has it."""
    layout: Layout
    fault: Fault | None
    text: str | None

    @classmethod
    def of(cls, draft: OpenDraft) -> Draft:
        """The body of a draft."""
        record, document = draft.record, draft.document
        summary = DraftSummary.of(record)
        return cls.model_construct(
            **dict(summary),
            graph=Graph.of(document.graph) if document else None,
            layout=Layout.of(document.layout) if document else Layout(),
            fault=Fault.model_validate(draft.fault.to_json()) if draft.fault else None,
            text=None if document else record.document,
        )


class RevisionSummary(Shape):
    """An earlier state of a draft as a list shows it."""

    revision: int
    saved_at: Moment
    nodes: int | None
    """How many; null when the text of then cannot be read."""

    @classmethod
    def of(cls, revision: RevisionRecord) -> RevisionSummary:
        """The body of an earlier state."""
        document, _ = read_stored(revision, "")
        return cls.model_construct(
            revision=revision.revision,
            saved_at=revision.saved_at,
            nodes=len(document.graph.nodes) if document else None,
        )


class Revision(Shape):
    """A draft as it once was."""

    revision: int
    saved_at: Moment
    graph: Graph | None
    layout: Layout
    fault: Fault | None

    @classmethod
    def of_draft(cls, revision: RevisionRecord, name: str) -> Revision:
        """The body of an earlier state."""
        document, fault = read_stored(revision, name)
        return cls.model_construct(
            revision=revision.revision,
            saved_at=revision.saved_at,
            graph=Graph.of(document.graph) if document else None,
            layout=Layout.of(document.layout) if document else Layout(),
            fault=Fault.model_validate(fault.to_json()) if fault else None,
        )


class NewDraft(Asked):
    """What to begin a draft with: at most one of graph, text, sample and run; an empty one else."""

    name: Name | None = None
    kind: DraftKind = DraftKind.TRAINING
    """Of a draft made of a graph or a text."""
    graph: Graph | None = None
    layout: Layout = Layout()
    """Goes with the graph."""
    text: Annotated[str, Field(max_length=20_000_000)] | None = None
    """A pipeline file, as YAML."""
    sample: str | None = None
    """Id of a sample pipeline."""
    run: str | None = None
    """Id of a run whose pipeline is cloned."""

    @model_validator(mode="after")
    def _one_source(self) -> NewDraft:
        given = [self.graph, self.text, self.sample, self.run]
        if sum(source is not None for source in given) > 1:
            raise ValueError("give one of graph, text, sample and run, or none")
        return self


class DraftChange(Asked):
    """A draft's pipeline as it is now."""

    revision: Count
    """The revision that was changed; the save is refused when it is no longer the newest."""
    graph: Graph
    layout: Layout = Layout()
    history: Any = None
    """Undo history, kept as it is; null leaves what is kept."""


class DraftName(Asked):
    """What to call a draft."""

    name: Name


class Restore(Asked):
    """Which state of a draft to go back to."""

    revision: Count
    current: Count
    """The revision that is being replaced."""


class UndoHistory(Shape):
    """The undo history of a draft, as it was saved."""

    history: Any


class PipelineFile(Shape):
    """A pipeline as the text of a file."""

    name: str
    """For the file."""
    text: str


class PipelineText(Asked):
    """The text of a pipeline file."""

    text: Annotated[str, Field(max_length=20_000_000)]


class PlacedGraph(Asked):
    """A pipeline with its layout."""

    graph: Graph
    layout: Layout = Layout()
