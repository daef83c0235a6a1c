"""Drafts: pipelines being drawn, saved at every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelwright.actions.run_pipeline import assets_in
from modelwright.actions.runs import find_run
from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.graph.check import SAVED
from modelwright.graph.codec import Document, Layout, read, write
from modelwright.graph.graph import Graph, NodeId
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.assets import AssetReference
from modelwright.workspace.records.drafts import Draft, DraftKind, Revision

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.samples import SamplePipeline


@dataclass(frozen=True)
class OpenDraft:
    """A draft with its pipeline read.

    document: None when the stored text cannot be read, such as that of a newer version; `fault` then
    says why, and nothing of the text is lost.
    """

    record: Draft
    document: Document | None
    fault: ModelwrightError | None = None


def new_draft(
    home: Home,
    *,
    name: str | None = None,
    document: Document | None = None,
    kind: DraftKind = DraftKind.TRAINING,
    parent_draft_id: str | None = None,
    parent_run_id: str | None = None,
) -> OpenDraft:
    """Begin a draft: empty, or with a pipeline that is there already.

    name: the pipeline's own, or one made of the present time, unless given.
    """
    document = document or Document(Graph())
    name = name or document.graph.name or _dated(home.workspace.now())
    record = home.workspace.drafts.create(
        name,
        document=stored_text(document, name),
        layout=layout_json(document.layout),
        kind=kind,
        parent_draft_id=parent_draft_id,
        parent_run_id=parent_run_id,
        assets=uses_of(home, document),
    )
    return open_draft(record)


def draft_of_sample(home: Home, sample_id: str, *, name: str | None = None) -> OpenDraft:
    """Begin a draft with a sample pipeline.  Raises NotFound."""
    return new_draft(home, name=name, document=read(find_sample(sample_id).text))


def draft_of_text(
    home: Home, text: str, *, name: str | None = None, kind: DraftKind = DraftKind.TRAINING
) -> OpenDraft:
    """Begin a draft with the pipeline that a file's text holds.

    Raises PipelineFileError and NewerFileFormat.
    """
    return new_draft(home, name=name, document=read(text), kind=kind)


def draft_of_run(home: Home, run_id: str, *, name: str | None = None) -> OpenDraft:
    """Begin a draft with the pipeline that a run ran, placed as in the draft it came from.

    Raises NotFound.
    """
    run = find_run(home, run_id)
    document = read(run.graph)
    kind = DraftKind.TRAINING
    if run.draft_id is not None:
        try:
            source = home.workspace.drafts.get(run.draft_id)
        except NotFound:
            pass
        else:
            kind = source.kind
            document = replace(document, layout=layout_of(source.layout))
    return new_draft(
        home,
        name=name,
        document=document,
        kind=kind,
        parent_draft_id=run.draft_id,
        parent_run_id=run.id,
    )


def find_sample(sample_id: str) -> SamplePipeline:
    """A sample pipeline by its id.  Raises NotFound with the nearest."""
    from modelwright import samples

    for sample in samples.PIPELINES:
        if sample.id == sample_id:
            return sample
    known = tuple(s.id for s in samples.PIPELINES)
    raise NotFound(
        "sample pipeline",
        sample_id,
        known,
        remedy=f"{suggestion(sample_id, known)}The samples are: {', '.join(known)}.",
    )


def get_draft(home: Home, draft_id: str) -> OpenDraft:
    """A draft with its pipeline.  Raises NotFound."""
    return open_draft(home.workspace.drafts.get(draft_id))


def readable_graph(home: Home, draft_id: str) -> Graph:
    """The pipeline of a draft.  Raises NotFound, and why it cannot be read."""
    found = get_draft(home, draft_id)
    if found.document is None:
        raise found.fault or NotFound("draft", draft_id)
    return found.document.graph


def open_draft(record: Draft) -> OpenDraft:
    """Read the pipeline of a draft."""
    document, fault = read_stored(record, record.name)
    return OpenDraft(record, document, fault)


def read_stored(
    stored: Draft | Revision, name: str
) -> tuple[Document | None, ModelwrightError | None]:
    """The pipeline of a draft or of an earlier state of it, or why it cannot be read."""
    try:
        document = read(stored.document)
    except ModelwrightError as error:
        return None, error
    graph = replace(document.graph, name=name)
    return Document(graph, layout_of(stored.layout)), None


def save_draft(
    home: Home, draft_id: str, document: Document, *, revision: int, history: Any = None
) -> OpenDraft:
    """Save a change that was made to `revision`.

    history: the undo history as JSON; None leaves it.  Raises NotFound, and Conflict when the draft
    has moved on; then nothing is stored.
    """
    record = home.workspace.drafts.get(draft_id)
    saved = home.workspace.drafts.save(
        draft_id,
        stored_text(document, record.name),
        layout_json(document.layout),
        revision=revision,
        history=history,
        assets=uses_of(home, document),
    )
    return open_draft(saved)


def restore_revision(home: Home, draft_id: str, revision: int, *, current: int) -> OpenDraft:
    """Make an earlier state of a draft its newest.

    current: the revision that is being replaced.  Raises NotFound and Conflict.
    """
    before = home.workspace.drafts.revisions.get(draft_id, revision)
    document, _ = read_stored(before, "")
    saved = home.workspace.drafts.save(
        draft_id,
        before.document,
        before.layout,
        revision=current,
        assets=uses_of(home, document) if document else None,
    )
    return open_draft(saved)


def export_draft(home: Home, draft_id: str) -> str:
    """The draft as the text of a pipeline file; as it is stored when it cannot be read."""
    found = get_draft(home, draft_id)
    return write(found.document) if found.document else found.record.document


def uses_of(home: Home, document: Document) -> tuple[AssetReference, ...]:
    """The registered things that a pipeline names, as far as it names them well."""
    uses = [
        use
        for use in assets_in(document.graph)
        if use.name.strip() and (use.version is None or isinstance(use.version, int))
    ]
    for node in document.graph.nodes.values():
        if node.component in SAVED and isinstance(name := node.parameters.get("name"), str):
            uses += _registered(home, name, node.parameters.get("digest"))
    return tuple(uses)


def _registered(home: Home, name: str, digest: object) -> list[AssetReference]:
    """The versions of a model or transformation that hold a value."""
    try:
        versions = home.workspace.models.versions(name)
    except NotFound:
        return []
    return [AssetReference(v.kind, v.name, v.version) for v in versions if v.digest == digest]


def stored_text(document: Document, name: str) -> str:
    """A pipeline as a draft keeps it: without its layout, which is kept beside it."""
    return write(Document(replace(document.graph, name=name)))


def layout_json(layout: Layout) -> dict[str, Any]:
    """A layout as JSON."""
    return {
        "positions": {node: list(place) for node, place in layout.positions.items()},
        "notes": [dict(note) for note in layout.notes],
        "groups": [dict(group) for group in layout.groups],
    }


def layout_of(value: Mapping[str, Any] | None) -> Layout:
    """Read what `layout_json` wrote."""
    if not value:
        return Layout()
    positions = {NodeId(n): (float(x), float(y)) for n, (x, y) in value["positions"].items()}
    return Layout(positions, tuple(value["notes"]), tuple(value["groups"]))


def _dated(now: datetime) -> str:
    return f"Pipeline {now.astimezone():%Y-%m-%d %H:%M}"
