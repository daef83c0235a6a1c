"""Inference pipelines as drafts: made from a run, looked at beside it, deployed from the canvas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from modelwright.actions.conversions import (
    Converted,
    convert_pipeline,
    parity_with_run,
    prepared,
    require_parity,
)
from modelwright.actions.deploying import OnDeployStep, say_nothing
from modelwright.actions.drafts import (
    OpenDraft,
    get_draft,
    new_draft,
    readable_graph,
    save_draft,
)
from modelwright.actions.endpoints import Beside, Deployed, deploy_endpoint
from modelwright.actions.frozen_values import register_frozen
from modelwright.actions.run_details import layout_of_run
from modelwright.actions.runs import find_run
from modelwright.graph.check import SAVED
from modelwright.graph.codec import Document, read
from modelwright.graph.graph import Graph, NodeId
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.drafts import Draft, DraftKind
from modelwright.workspace.records.endpoints import DeploymentLineage

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.inference.parity import Parity

ConversionKind = Literal["real-time", "batch"]

_KINDS: dict[ConversionKind, DraftKind] = {
    "real-time": DraftKind.REAL_TIME,
    "batch": DraftKind.BATCH,
}
_WORDS: dict[ConversionKind, str] = {
    "real-time": "real-time inference",
    "batch": "batch inference",
}


@dataclass(frozen=True)
class InferenceDraft:
    """A draft that was made by a conversion, and the conversion."""

    draft: OpenDraft
    converted: Converted


def make_inference_pipeline(
    home: Home,
    run_id: str,
    *,
    document: Document | None = None,
    kind: ConversionKind = "real-time",
    requests: tuple[NodeId, ...] = (),
    replies: tuple[NodeId, ...] = (),
) -> Converted:
    """Convert the pipeline of a run, and register its model and transformations as "MD - …" and "TD - …".

    Arguments as `convert_pipeline` has them, and raises what that raises.
    """
    converted = convert_pipeline(
        home, run_id, document=document, kind=kind, requests=requests, replies=replies
    )
    return register_frozen(home, converted)


def inference_draft(
    home: Home,
    run_id: str,
    *,
    name: str | None = None,
    kind: ConversionKind = "real-time",
    requests: tuple[NodeId, ...] = (),
    replies: tuple[NodeId, ...] = (),
) -> InferenceDraft:
    """Make a draft of the inference pipeline of a run, linked to the run and its draft.

    name: the training pipeline's with the kind, unless given.  requests and replies: as
    `convert_pipeline` has them, and raises what that raises.
    """
    converted = make_inference_pipeline(
        home,
        run_id,
        document=as_drawn(home, run_id),
        kind=kind,
        requests=requests,
        replies=replies,
    )
    title = converted.document.graph.name or "Pipeline"
    draft = new_draft(
        home,
        name=name or f"{title[:150]} - {_WORDS[kind]}",
        document=converted.document,
        kind=_KINDS[kind],
        parent_draft_id=converted.run.draft_id,
        parent_run_id=converted.run.id,
    )
    return InferenceDraft(draft, converted)


def conversion_of_draft(home: Home, draft_id: str, *, compared: bool = True) -> Converted:
    """The conversion that an inference draft came out of, done again on the same run.

    compared: False leaves out the comparison with the run.
    Raises NotFound, and what `convert_pipeline` raises.
    """
    record = get_draft(home, draft_id).record
    return conversion_of_run(home, record, parent_run(record), compared=compared)


def conversion_of_run(
    home: Home, record: Draft, run_id: str, *, compared: bool = True
) -> Converted:
    """The inference pipeline of a run, of the kind that a draft is."""
    kinds = {draft_kind: kind for kind, draft_kind in _KINDS.items()}
    return convert_pipeline(
        home,
        run_id,
        document=as_drawn(home, run_id),
        kind=kinds[record.kind],
        compared=compared,
    )


def parent_run(record: Draft) -> str:
    """The run that an inference draft was made from.  Raises NotFound."""
    if record.parent_run_id is None or record.kind not in _KINDS.values():
        raise NotFound(
            "conversion of draft",
            record.name,
            remedy="Only drafts that were made from a run by conversion have one.",
        )
    return record.parent_run_id


def parity_of_draft(home: Home, draft_id: str) -> Parity | None:
    """Whether an inference draft, as it is now, scores the rows of its training run as that did.

    None where nothing can be compared: for a batch pipeline, and where requests enter or replies
    leave at nodes that no conversion made.  Raises NotFound, and what `prepare` raises.
    """
    record = get_draft(home, draft_id).record
    if record.kind is not DraftKind.REAL_TIME:
        return None
    converted = conversion_of_draft(home, draft_id, compared=False)
    serving = prepared(home, readable_graph(home, draft_id), name="parity")
    return parity_with_run(home, serving, converted.conversion, converted.run.id)


def reset_draft(home: Home, draft_id: str, *, revision: int) -> OpenDraft:
    """Put an inference draft back to what the conversion made of its run.

    revision: the one that is replaced; it is kept among the draft's revisions.
    Raises NotFound, Conflict, and what `convert_pipeline` raises.
    """
    converted = register_frozen(home, conversion_of_draft(home, draft_id, compared=False))
    return save_draft(home, draft_id, converted.document, revision=revision)


def deploy_draft(
    home: Home,
    draft_id: str,
    *,
    name: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    deployment_tags: Mapping[str, str] | None = None,
    deployment: Mapping[str, Any] | None = None,
    endpoint: Mapping[str, Any] | None = None,
    beside: Beside | None = None,
    cluster: str | None = None,
    owner: str | None = None,
    on_step: OnDeployStep = say_nothing,
) -> Deployed:
    """Serve the inference pipeline of a draft; arguments as `deploy_endpoint` has them.

    A pipeline that is still as the conversion made it must score as its training run did.
    Raises NotFound, ScoresDiffer, and what `deploy_endpoint` raises.
    """
    graph = readable_graph(home, draft_id)
    record = get_draft(home, draft_id).record
    if record.kind is DraftKind.REAL_TIME and record.parent_run_id is not None:
        on_step("compare")
        try:
            converted = conversion_of_draft(home, draft_id)
        except NotFound:
            # The run is gone, and the pipeline stands on its own.
            pass
        else:
            if _work(converted.document.graph) == _work(graph):
                require_parity(converted)
    return deploy_endpoint(
        home,
        graph,
        name=name,
        description=description,
        tags=tags,
        deployment_tags=deployment_tags,
        deployment=deployment,
        endpoint=endpoint,
        beside=beside,
        cluster=cluster,
        owner=owner,
        on_step=on_step,
        lineage=DeploymentLineage(draft_id=draft_id, training_run_id=record.parent_run_id),
    )


def as_drawn(home: Home, run_id: str) -> Document:
    """The pipeline that a run ran, with its nodes where they stood in its draft."""
    run = find_run(home, run_id)
    graph = read(run.graph).graph
    return Document(graph, layout_of_run(home, run, graph))


def _work(graph: Graph) -> Graph:
    """The graph without what makes no difference to a result."""
    nodes = {
        n: replace(
            node,
            title="",
            comment="",
            parameters={
                k: v
                for k, v in node.parameters.items()
                if node.component not in SAVED or k != "name"
            },
        )
        for n, node in graph.nodes.items()
    }
    return replace(graph, name="", description="", nodes=nodes)
