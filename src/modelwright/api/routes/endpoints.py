"""Endpoints: deploy, look at, try, change, stop, delete."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import FileResponse, StreamingResponse

from modelwright.actions import collected, endpoints, tokens
from modelwright.actions.inference_drafts import deploy_draft
from modelwright.actions.scoring import score_rows
from modelwright.api.access import Caller
from modelwright.api.here import HereDep
from modelwright.api.routes.runs import EVENT_STREAM
from modelwright.api.shapes.inference import (
    CollectedFile,
    DeployAsked,
    DeployedEndpoint,
    Endpoint,
    EndpointChange,
    EndpointKeys,
    EndpointSchema,
    EndpointToken,
    EndpointTokenAsked,
    LogLines,
    Measured,
    ScoreAsked,
    Scored,
    SettingsExplained,
)
from modelwright.api.shapes.shape import Done, Listed
from modelwright.api.streams import LastEvent, Sent, event_stream, place_of, polled
from modelwright.workspace.records.endpoints import KeyName

router = APIRouter(prefix="/endpoints", tags=["endpoints"])

Tags = Annotated[tuple[str, ...], Query(description="A tag as NAME=VALUE; may be given again.")]


@router.get("")
def list_endpoints(here: HereDep, tag: Tags = ()) -> Listed[Endpoint]:
    """Every endpoint with its state as it is now, by name; of some tags, only those that have all of them.

    An endpoint has the tags of its deployments, too.
    """
    tags = dict(one.partition("=")[::2] for one in tag)
    found = endpoints.list_endpoints(here.home, tags=tags)
    return Listed[Endpoint](items=[Endpoint.of(e) for e in found])


@router.post("", status_code=HTTPStatus.CREATED, name="deploy_endpoint")
def deploy(asked: DeployAsked, here: HereDep, person: Caller) -> DeployedEndpoint:
    """Serve an inference pipeline under a name; answers once the endpoint does.

    A name that is there already keeps its address and keys, and serves the former pipeline until the
    new one has answered its sample rows.  With a share, or as a shadow, it is served beside those.
    """
    with here.deploying.of(asked.name) as on_step:
        if asked.draft_id is not None:
            made = deploy_draft(
                here.home,
                asked.draft_id,
                name=asked.name,
                description=asked.description,
                tags=asked.tags,
                deployment_tags=asked.deployment_tags,
                deployment=asked.settings,
                endpoint=asked.access,
                beside=asked.beside,
                cluster=asked.cluster,
                owner=person.name,
                on_step=on_step,
            )
        else:
            graph = asked.graph
            assert graph is not None  # noqa: S101  # the body has one of the two
            made = endpoints.deploy_endpoint(
                here.home,
                graph.read(),
                name=asked.name,
                description=asked.description,
                tags=asked.tags,
                deployment_tags=asked.deployment_tags,
                deployment=asked.settings,
                endpoint=asked.access,
                beside=asked.beside,
                cluster=asked.cluster,
                owner=person.name,
                on_step=on_step,
            )
    return DeployedEndpoint(endpoint=Endpoint.of(made.report), is_new=made.is_new)


@router.get("/settings")
def explain_settings() -> SettingsExplained:
    """Every setting that a deployment and the access to an endpoint have, with its range."""
    return SettingsExplained.now()


@router.get("/{name}")
def get_endpoint(name: str, here: HereDep) -> Endpoint:
    """One endpoint with its state as it is now."""
    return Endpoint.of(endpoints.show_endpoint(here.home, name))


@router.patch("/{name}")
def change_endpoint(name: str, change: EndpointChange, here: HereDep) -> Endpoint:
    """Change settings, access, description or tags of an endpoint while it serves."""
    changed = endpoints.change_endpoint(
        here.home,
        name,
        deployment=change.settings,
        endpoint=change.access,
        description=change.description,
        tags=change.tags,
    )
    return Endpoint.of(changed)


@router.delete("/{name}")
def delete_endpoint(name: str, here: HereDep) -> Done:
    """Stop an endpoint and forget it with its keys and deployments."""
    endpoints.delete_endpoint(here.home, name)
    return Done()


@router.post("/{name}/start")
def start_endpoint(name: str, here: HereDep) -> Endpoint:
    """Have a stopped endpoint answer again."""
    return Endpoint.of(endpoints.start_endpoint(here.home, name))


@router.post("/{name}/stop")
def stop_endpoint(name: str, here: HereDep) -> Endpoint:
    """Have an endpoint answer no more; it keeps its address and keys."""
    return Endpoint.of(endpoints.stop_endpoint(here.home, name))


@router.get("/{name}/keys")
def get_keys(name: str, here: HereDep) -> EndpointKeys:
    """Both keys of an endpoint; either opens it."""
    return EndpointKeys.of(endpoints.endpoint_keys(here.home, name))


@router.post("/{name}/keys/{which}/regenerate")
def regenerate_key(name: str, which: KeyName, here: HereDep) -> EndpointKeys:
    """Replace one key; the former one opens nothing from now on."""
    return EndpointKeys.of(endpoints.regenerate_key(here.home, name, which))


@router.post("/{name}/tokens", status_code=HTTPStatus.CREATED)
def issue_endpoint_token(name: str, asked: EndpointTokenAsked, here: HereDep) -> EndpointToken:
    """A short-lived token that opens an endpoint as a key does."""
    return EndpointToken.of(tokens.issue_token(here.home, name, seconds=asked.seconds))


@router.delete("/{name}/tokens")
def revoke_endpoint_tokens(name: str, here: HereDep) -> Done:
    """Have every token given out so far open nothing any more; keys stay."""
    tokens.revoke_tokens(here.home, name)
    return Done()


@router.get("/{name}/deploying", response_class=StreamingResponse, responses=EVENT_STREAM)
def stream_deploying(name: str, here: HereDep) -> StreamingResponse:
    """How far a deployment to an endpoint has come, as server-sent events {"kind": "step", "step": …}.

    Steps are compare, package, score and start.  It may be asked before the deployment begins, and ends with it.
    """
    look = here.deploying.follow(name)

    def sent() -> tuple[list[Sent], bool]:
        steps, over = look()
        return [Sent({"kind": "step", "step": step}) for step in steps], over

    return event_stream(polled(sent, here.stopping, every_s=0.05))


@router.get("/{name}/schema")
def get_schema(name: str, here: HereDep) -> EndpointSchema:
    """What an endpoint asks for and answers, with rows that it is known to answer."""
    return EndpointSchema.of(endpoints.endpoint_package(here.home, name))


@router.post("/{name}/score", name="score_endpoint")
def score(name: str, asked: ScoreAsked, here: HereDep) -> Scored:
    """Send rows to an endpoint with its own key, as the Test tab does."""
    begun = time.perf_counter()
    found = score_rows(here.home, name, asked.inputs)
    return Scored(
        results={output: [dict(row) for row in rows] for output, rows in found.results.items()},
        dropped=[dict(row) for row in found.dropped],
        seconds=time.perf_counter() - begun,
    )


@router.get("/{name}/log")
def get_log_lines(
    name: str, here: HereDep, lines: Annotated[int, Query(ge=1, le=10_000)] = 200
) -> LogLines:
    """The last lines that an endpoint's process has written."""
    return LogLines(lines=endpoints.endpoint_log(here.home, name, lines=lines))


@router.get("/{name}/log/stream", response_class=StreamingResponse, responses=EVENT_STREAM)
def stream_endpoint_log(
    name: str,
    here: HereDep,
    last_event: LastEvent = None,
    lines: Annotated[int, Query(ge=0, le=10_000)] = 200,
) -> StreamingResponse:
    """What an endpoint's processes write, as server-sent events {"kind": "log", "text": …}.

    Begins with the last lines, or goes on after the event named by Last-Event-ID.
    """
    place = place_of(last_event, endpoints.log_place(here.home, name, lines))

    def look() -> tuple[list[Sent], bool]:
        nonlocal place
        piece = endpoints.endpoint_log_from(here.home, name, place)
        place = piece.next
        found = [Sent({"kind": "log", "text": piece.text}, place)] if piece.text else []
        return found, False

    return event_stream(polled(look, here.stopping, every_s=0.2))


@router.get("/{name}/metrics")
def get_measurements(
    name: str, here: HereDep, since: Annotated[float, Query(ge=0)] = 0.0
) -> Listed[Measured]:
    """What an endpoint did in each of the last fifteen minutes' seconds, after a moment, oldest first."""
    found = endpoints.endpoint_measurements(here.home, name, since=since)
    return Listed[Measured](items=[Measured.model_validate(one) for one in found])


@router.get("/{name}/metrics/stream", response_class=StreamingResponse, responses=EVENT_STREAM)
def stream_measurements(
    name: str, here: HereDep, since: Annotated[float, Query(ge=0)] = 0.0
) -> StreamingResponse:
    """What an endpoint does, every second, as server-sent events {"kind": "second", …} like `Measured`.

    Begins with what it did after `since`.
    """
    here.workspace.endpoints.get(name)
    seen = since

    def look() -> tuple[list[Sent], bool]:
        nonlocal seen
        found = endpoints.endpoint_measurements(here.home, name, since=seen)
        if found:
            seen = found[-1]["at"]
        return [Sent({"kind": "second", **one}) for one in found], False

    return event_stream(polled(look, here.stopping))


@router.get("/{name}/collected")
def list_collected(name: str, here: HereDep) -> Listed[CollectedFile]:
    """The files of requests and replies that an endpoint's deployments have kept, oldest first."""
    found = collected.list_collected(here.home, name)
    return Listed[CollectedFile](items=[CollectedFile.of(one) for one in found])


@router.get("/{name}/collected/{number}/{file}", response_class=FileResponse)
def download_collected(
    name: str, number: Annotated[int, Path(ge=1, le=2**31 - 1)], file: str, here: HereDep
) -> FileResponse:
    """One such file: JSON lines or Parquet."""
    path = collected.collected_file(here.home, name, number, file)
    return FileResponse(path, media_type="application/octet-stream", filename=file)
