"""Conversions and endpoints as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from modelwright.actions.conversions import Converted
from modelwright.actions.endpoints import Beside, EndpointReport
from modelwright.actions.inference_drafts import InferenceDraft as InferenceDraftRecord
from modelwright.api.shapes.drafts import Draft
from modelwright.api.shapes.graph import Column, Graph, Layout, NodeName
from modelwright.api.shapes.shape import Asked, Moment, Name, Shape
from modelwright.data.schema import ColumnType
from modelwright.inference.package import Package
from modelwright.inference.parity import Verdict
from modelwright.inference.report import Action
from modelwright.inference.serving import Use
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.status import State
from modelwright.serve.tokens import Token
from modelwright.workspace.records.endpoints import DesiredState, EndpointState


class ConversionAsked(Asked):
    """How to turn the pipeline of a run into an inference pipeline."""

    kind: Literal["real-time", "batch"] = "real-time"
    name: Name | None = None
    """Of the new draft."""
    requests: list[NodeName] = []
    """Nodes whose rows requests replace; found by themselves when empty."""
    replies: list[NodeName] = []
    """Scoring nodes whose rows replies carry; all that are last on their way when empty."""


class Change(Shape):
    """What the conversion did to a node, and why."""

    node: str
    title: str
    action: Action
    reason: str
    by: list[str]
    """The nodes of the new pipeline that stand for it."""


class ParityColumn(Shape):
    """How far a score column of the replies is from the one of the training run."""

    output: str
    column: str
    largest: float
    """Largest difference of a row, relative to the value's size; for text 1 where unequal."""
    rows: int
    """How many rows differ by more than the tolerance."""


class Parity(Shape):
    """Whether the inference pipeline scores rows of the training data as the training run did."""

    verdict: Verdict
    rows: int
    compared: int
    columns: list[ParityColumn]
    singly: int
    """Rows that were also sent one at a time."""
    unlike: int
    """Those of them that were answered otherwise."""
    reason: str


class Conversion(Shape):
    """An inference pipeline and how it came out of its training pipeline."""

    run_id: str
    graph: Graph
    layout: Layout
    changes: list[Change]
    """Every node of the training pipeline in its order, added nodes last."""
    absent: list[str]
    """Label columns that requests need not have."""
    frozen: dict[str, str]
    """Digest of each stored value, by the node that brings it in."""
    requests: dict[str, str]
    """The output of the training pipeline whose rows requests replace, by node."""
    replies: dict[str, str]
    parity: Parity | None
    """Null for a batch pipeline, which is scored with the training pipeline's own steps."""

    @classmethod
    def of(cls, converted: Converted) -> Conversion:
        """The body of a conversion."""
        found = converted.conversion
        return cls.model_construct(
            run_id=converted.run.id,
            graph=Graph.of(converted.document.graph),
            layout=Layout.of(converted.document.layout),
            changes=[Change.of(c) for c in found.changes],
            absent=list(found.absent),
            frozen={str(node): str(digest) for node, digest in found.frozen.items()},
            requests={str(node): str(pin) for node, pin in found.requests.items()},
            replies={str(node): str(pin) for node, pin in found.replies.items()},
            parity=Parity.of(converted.parity) if converted.parity else None,
        )


class InferenceDraft(Shape):
    """A draft that was made by a conversion, and the conversion."""

    draft: Draft
    conversion: Conversion

    @classmethod
    def of(cls, made: InferenceDraftRecord) -> InferenceDraft:
        """The body of an inference draft."""
        return cls.model_construct(
            draft=Draft.of(made.draft), conversion=Conversion.of(made.converted)
        )


class DeployAsked(Asked):
    """An inference pipeline to be served: a draft as it is saved, or a graph as it is sent."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Of the endpoint, new or known."""
    draft_id: str | None = None
    graph: Graph | None = None
    description: Annotated[str, Field(max_length=10_000)] = ""
    tags: dict[str, str] = {}
    """Of a new endpoint."""
    deployment_tags: dict[str, str] | None = None
    """Of this deployment alone."""
    settings: dict[str, Any] | None = None
    """How it answers and scales; see /api/endpoints/settings."""
    access: dict[str, Any] | None = None
    """Who may call it."""
    cluster: str | None = None
    """The inference cluster of a new endpoint; the default one for null."""
    share: Annotated[int, Field(ge=0, le=100)] | None = None
    """Percent of the requests, beside the deployments that a known endpoint has; in their place for null."""
    shadow: Annotated[int, Field(ge=1, le=100)] | None = None
    """Percent of the requests of which it gets copies, its answers being thrown away."""

    @property
    def beside(self) -> Beside | None:
        """How it takes part beside the deployments that are there."""
        if self.share is None and self.shadow is None:
            return None
        return Beside(self.share or 0, self.shadow or 0)

    @model_validator(mode="after")
    def _one(self) -> DeployAsked:
        if (self.graph is None) == (self.draft_id is None):
            raise ValueError("give either a graph or a draft_id")
        if self.share is not None and self.shadow is not None:
            raise ValueError("give either a share or a shadow")
        return self


class EndpointChange(Asked):
    """What to change of an endpoint while it serves; null leaves as it is."""

    settings: dict[str, Any] | None = None
    access: dict[str, Any] | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = None
    tags: dict[str, str] | None = None


class Compared(Shape):
    """What became of the copies of requests that a shadow got."""

    copies: int
    failed: int
    """It could not answer."""
    different: int
    """It answered otherwise."""
    rows_different: int
    largest: float | None
    """Relative difference of two numbers; null where anything else differed."""
    example: str
    mean_ms: float | None


class DeploymentLineage(Shape):
    """Where a deployment came from."""

    draft_id: str | None
    inference_run_id: str | None
    training_run_id: str | None


class Deployment(Shape):
    """A packaged pipeline under an endpoint."""

    number: int
    package_digest: str
    settings: dict[str, Any]
    tags: dict[str, str]
    state: EndpointState
    traffic: int
    """Percent of the requests."""
    shadow: int
    """Percent of the requests of which it gets copies, its answers being thrown away."""
    live: bool
    """Whether it is at work."""
    compared: Compared | None = None
    """Of a shadow that is at work."""
    message: str
    lineage: DeploymentLineage
    created_at: Moment
    changed_at: Moment


def _deployments(report: EndpointReport) -> list[Deployment]:
    seen = {d["number"]: d for d in report.status.deployments} if report.status else {}
    at_work = report.state in (State.HEALTHY, State.UNHEALTHY, State.TRANSITIONING)
    found = []
    for record in report.deployments:
        told = seen.get(record.number, {}).get("compared")
        fields = {name: getattr(record, name) for name in _DEPLOYMENT}
        compared = Compared(**told) if told else None
        lineage = DeploymentLineage.of(record.lineage)
        found.append(
            Deployment(
                **fields, lineage=lineage, live=at_work and record.number in seen, compared=compared
            )
        )
    return found


_DEPLOYMENT = (
    "number",
    "package_digest",
    "settings",
    "tags",
    "state",
    "traffic",
    "shadow",
    "message",
    "created_at",
    "changed_at",
)


class CollectedFile(Shape):
    """A file of requests and replies."""

    deployment: int
    name: str
    size: int
    changed_at: Moment


class Recent(Shape):
    """The last ten seconds of an endpoint; times are null where nothing was answered."""

    requests_per_s: float
    errors_per_s: float
    p50_ms: float | None
    p99_ms: float | None


class Measured(Shape):
    """A second of an endpoint."""

    at: float
    """Its end, in seconds since 1970."""
    seconds: float
    requests: int
    refused: int
    """Answered with a status of 4xx."""
    failed: int
    """Answered with a status of 5xx."""
    p50_ms: float | None
    """Right to within a quarter; null where nothing was answered."""
    p99_ms: float | None
    replicas: int
    wanted: int
    """Replicas that the load needs."""
    busy: int
    queued: int
    skipped: int
    """Copies for shadows and records that were left out."""
    deployments: dict[str, int]
    """Requests by the number of the deployment, where there are several."""


class MemoryBound(Shape):
    """How much memory may be taken, and who holds to it."""

    by: Literal["cgroup", "rlimit", "container", "none"]
    """A control group, a limit of the process, the engine of the container, or nobody."""
    gb: float


class Endpoint(Shape):
    """A name that answers requests, as it is found now."""

    name: str
    description: str
    tags: dict[str, str]
    cluster: str
    """The inference cluster it is on."""
    owner: str | None
    """Who made it."""
    desired: DesiredState
    state: State
    message: str
    """Why it is not healthy."""
    scoring_url: str
    """Where requests are sent; empty when it answers nowhere."""
    swagger_url: str
    openapi_url: str
    pid: int | None
    settings: dict[str, Any]
    access: dict[str, Any]
    replicas: int
    """Processes that answer."""
    answered: int
    """Requests since its process began."""
    busy: int
    queued: int
    recent: Recent | None
    """Null where nothing runs."""
    steps: list[dict[str, Any]]
    """The nodes at work, and whether each is compiled."""
    memory: MemoryBound | None
    """Of a replica; null where nothing runs."""
    deployments: list[Deployment]
    """The newest first."""
    created_at: Moment
    changed_at: Moment

    @classmethod
    def of(cls, report: EndpointReport) -> Endpoint:
        """The body of an endpoint."""
        record, status = report.record, report.status
        return cls.model_construct(
            name=record.name,
            description=record.description,
            tags=dict(record.tags),
            cluster=record.cluster,
            owner=record.owner,
            desired=record.desired,
            state=report.state,
            message=status.message if status else record.message,
            scoring_url=report.scoring_url,
            swagger_url=status.swagger_url if status else "",
            openapi_url=status.openapi_url if status else "",
            pid=status.pid if status else None,
            settings=dict(status.deployment) if status else {},
            access=dict(status.endpoint) if status else {},
            replicas=len(status.replicas) if status else 0,
            answered=status.answered if status else 0,
            busy=status.busy if status else 0,
            queued=status.queued if status else 0,
            recent=Recent(**status.recent) if status and status.recent else None,
            steps=[dict(step) for step in status.steps] if status else [],
            memory=MemoryBound(**status.memory) if status and status.memory else None,
            deployments=_deployments(report),
            created_at=record.created_at,
            changed_at=record.changed_at,
        )


class DeployedEndpoint(Shape):
    """An endpoint after a deployment; is_new is false when it served the same already."""

    endpoint: Endpoint
    is_new: bool


class EndpointKeys(Shape):
    """The two keys of an endpoint; either opens it."""

    primary: str
    secondary: str


class EndpointTokenAsked(Asked):
    """How long a token is to open an endpoint."""

    seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600


class EndpointToken(Shape):
    """A token that callers send as they would a key."""

    token: str
    expires_at: Moment
    refresh_at: Moment
    """After this ask for another one."""

    @classmethod
    def of(cls, token: Token) -> EndpointToken:
        """The body of a token."""
        return cls(
            token=token.value,
            expires_at=datetime.fromtimestamp(token.expires_at, UTC),
            refresh_at=datetime.fromtimestamp(token.refresh_at, UTC),
        )


class RequestColumn(Shape):
    """A column that a request's rows have."""

    name: str
    type: ColumnType
    use: Use
    default: Any
    missing: bool
    """Null is allowed."""


class RequestInput(Shape):
    """Where rows of a request enter."""

    name: str
    columns: list[RequestColumn]
    samples: list[dict[str, Any]]


class ReplyOutput(Shape):
    """Where rows of a reply leave."""

    name: str
    columns: list[Column]


class EndpointSchema(Shape):
    """What an endpoint asks for and answers."""

    inputs: list[RequestInput]
    outputs: list[ReplyOutput]

    @classmethod
    def of(cls, package: Package) -> EndpointSchema:
        """The body of a package's schema."""
        return cls.model_construct(
            inputs=[
                RequestInput.model_construct(
                    name=i.name,
                    columns=[RequestColumn.of(c) for c in i.columns],
                    samples=[dict(row) for row in i.samples],
                )
                for i in package.inputs
            ],
            outputs=[
                ReplyOutput.model_construct(
                    name=o.name,
                    columns=[
                        Column.of(c) for c in o.columns if o.chosen is None or c.name in o.chosen
                    ],
                )
                for o in package.outputs
            ],
        )


class ScoreAsked(Asked):
    """Rows to be scored, by input."""

    inputs: dict[str, list[dict[str, Any]]]


class Scored(Shape):
    """An endpoint's reply, and how long it took."""

    results: dict[str, list[dict[str, Any]]]
    dropped: list[dict[str, Any]]
    """Rows that a step took out."""
    seconds: float


class LogLines(Shape):
    """The last lines of a log."""

    lines: list[str]


class SettingExplained(Shape):
    """A setting as JSON Schema has it: its type, range, default, and what it does."""

    name: str
    json_schema: dict[str, Any]


class SettingsExplained(Shape):
    """Every setting of a deployment and of the access to an endpoint."""

    settings: list[SettingExplained]
    access: list[SettingExplained]

    @classmethod
    def now(cls) -> SettingsExplained:
        """The settings of this version."""
        return cls(
            settings=_explained(DeploymentSettings.explained()),
            access=_explained(EndpointSettings.explained()),
        )


def _explained(found: dict[str, dict[str, Any]]) -> list[SettingExplained]:
    return [SettingExplained(name=name, json_schema=schema) for name, schema in found.items()]
