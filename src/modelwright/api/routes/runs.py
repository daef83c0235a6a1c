"""Runs: submit, list, show, follow, cancel, compare."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from modelwright.actions.background import told_again
from modelwright.actions.cleaning import delete_run as forget_run
from modelwright.actions.evaluations import evaluation_of
from modelwright.actions.logs import read_log_piece
from modelwright.actions.run_comparison import compare_runs
from modelwright.actions.run_details import run_details
from modelwright.actions.run_pipeline import begin_run
from modelwright.actions.runs import cancel_run, find_run, list_runs
from modelwright.actions.sweeps import sweeps_of
from modelwright.api.access import Caller
from modelwright.api.here import Here, HereDep
from modelwright.api.routes.check import chosen_graph
from modelwright.api.shapes.artifacts import Evaluation
from modelwright.api.shapes.runs import (
    Experiment,
    LogPiece,
    NumberedEvent,
    Run,
    RunAsked,
    RunComparison,
    RunEvent,
    RunSummary,
    Sweep,
)
from modelwright.api.shapes.shape import Done, Listed, PageOf
from modelwright.api.streams import LastEvent, Sent, event_stream, followed, place_of, polled
from modelwright.workspace.records.runs import RunStatus

router = APIRouter(tags=["runs"])

Since = Annotated[int, Query(ge=0, le=2**53)]
EVENT_STREAM: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.get("/runs", name="list_runs")
def list_(
    here: HereDep,
    experiment: str | None = None,
    status: Annotated[list[RunStatus], Query()] = [],  # noqa: B006  # read by FastAPI, never changed
    draft_id: str | None = None,
    search: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: str | None = None,
) -> PageOf[RunSummary]:
    """Runs by creation, latest first.

    status: any of these; none means all.  search: words of the name, the experiment or the id.
    """
    page = list_runs(
        here.home,
        experiment=experiment,
        statuses=status,
        draft_id=draft_id,
        search=search,
        limit=limit,
        after=after,
    )
    return PageOf[RunSummary].of(page)


@router.post("/runs", status_code=HTTPStatus.CREATED)
def submit_run(asked: RunAsked, caller: Caller, here: HereDep) -> Run:
    """Submit a run; it is worked on while this answer is on its way.

    A pipeline with problems answers 422 with them, and nothing is entered.
    """
    revision = asked.draft_revision
    if asked.draft_id is not None and revision is None:
        revision = here.workspace.drafts.get(asked.draft_id).revision
    run = begin_run(
        here.home,
        chosen_graph(asked, here),
        settings=asked.parameters,
        until=asked.until,
        rerun=asked.rerun,
        regenerate=asked.regenerate,
        name=asked.name,
        experiment=asked.experiment,
        draft_id=asked.draft_id,
        draft_revision=revision,
        person=caller.name,
        tags=asked.tags,
        target=asked.target,
    )
    here.runs.work_on(run)
    return Run.of(run_details(here.home, run.record.id))


@router.get("/experiments")
def list_experiments(here: HereDep) -> Listed[Experiment]:
    """The experiments that hold runs, the one used last first."""
    return Listed[Experiment](items=[Experiment.of(e) for e in here.workspace.runs.experiments()])


@router.get("/runs/compare", name="compare_runs")
def compare(left: str, right: str, here: HereDep) -> RunComparison:
    """Two runs side by side: nodes and settings that differ, and all figures."""
    return RunComparison.of(compare_runs(here.home, left, right))


@router.get("/runs/{run_id}")
def get_run(run_id: str, here: HereDep) -> Run:
    """A run with its pipeline, steps and figures; "latest" stands for the last one."""
    return Run.of(run_details(here.home, run_id))


@router.post("/runs/{run_id}/cancel", name="cancel_run")
def cancel(run_id: str, here: HereDep) -> RunSummary:
    """Ask a run to end; one that has ended stays as it is."""
    run = cancel_run(here.home, run_id)
    here.runs.cancel(run.id)
    return RunSummary.of(run)


@router.delete("/runs/{run_id}")
def delete_run(run_id: str, here: HereDep, force: bool = False) -> Done:
    """Forget a run that has ended; refused while a draft or an endpoint comes from it, unless forced.

    What it left stays as long as something names it.
    """
    forget_run(here.home, run_id, force=force)
    return Done()


@router.get("/runs/{run_id}/events")
def list_events(
    run_id: str,
    here: HereDep,
    since: Since = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> Listed[NumberedEvent]:
    """What happened in a run so far, after event number `since`."""
    run = find_run(here.home, run_id)
    events = here.workspace.runs.events.list(run.id, since=since, limit=limit)
    return Listed[NumberedEvent](
        items=[
            NumberedEvent(seq=e.seq, event=RunEvent.model_validate(told_again(e).data))
            for e in events
        ]
    )


@router.get(
    "/runs/{run_id}/events/stream", response_class=StreamingResponse, responses=EVENT_STREAM
)
def stream_events(
    run_id: str, here: HereDep, last_event: LastEvent = None, since: Since = 0
) -> StreamingResponse:
    """What happens in a run, as server-sent events whose data are `RunEvent` as JSON.

    Begins with all that has happened, or goes on after the event named by Last-Event-ID or `since`.
    Lines of logs and progress are told only as they happen, without an id.
    """
    run = find_run(here.home, run_id)
    return event_stream(_events(here, run.id, place_of(last_event, since)))


async def _events(here: Here, run_id: str, since: int) -> AsyncIterator[Sent | None]:
    last = since
    if feed := here.runs.feed(run_id):
        async for message in followed(feed, last, here.stopping):
            if message is not None and message.id is not None:
                last = message.id
            yield message
    # What another process works on, or what has ended, is read from the workspace.
    runs = here.workspace.runs

    def look() -> tuple[list[Sent], bool]:
        nonlocal last
        finished = runs.get(run_id).status.finished
        found = [Sent(told_again(e).data, e.seq) for e in runs.events.list(run_id, since=last)]
        if found:
            last = found[-1].id or last
        return found, finished and not found

    async for message in polled(look, here.stopping):
        yield message


@router.get("/runs/{run_id}/sweeps")
def list_sweeps(run_id: str, here: HereDep) -> Listed[Sweep]:
    """The settings that steps of a run tried so far, with what was measured of each."""
    return Listed[Sweep](items=[Sweep.of(s) for s in sweeps_of(here.home, run_id)])


@router.get("/runs/{run_id}/steps/{node}/evaluation")
def get_evaluation(run_id: str, node: str, here: HereDep) -> Evaluation:
    """The curves of all scored rows that an evaluating step was given, and its figures."""
    return Evaluation.of(evaluation_of(here.home, run_id, node))


@router.get("/runs/{run_id}/steps/{node}/log")
def get_log(
    run_id: str,
    node: str,
    here: HereDep,
    offset: Since = 0,
    limit: Annotated[int, Query(ge=1, le=10_000_000)] = 1_000_000,
) -> LogPiece:
    """What a step has written, from a place on."""
    return LogPiece.of(read_log_piece(here.home, run_id, node, offset=offset, limit=limit))


@router.get(
    "/runs/{run_id}/steps/{node}/log/stream",
    response_class=StreamingResponse,
    responses=EVENT_STREAM,
)
def stream_log(
    run_id: str, node: str, here: HereDep, last_event: LastEvent = None, since: Since = 0
) -> StreamingResponse:
    """What a step writes, as server-sent events {"kind": "log", "text": …}, until it has ended."""
    place = place_of(last_event, since)
    read_log_piece(here.home, run_id, node, offset=place, limit=1)

    def look() -> tuple[list[Sent], bool]:
        nonlocal place
        piece = read_log_piece(here.home, run_id, node, offset=place)
        place = piece.next
        found = [Sent({"kind": "log", "text": piece.text}, place)] if piece.text else []
        return found, piece.complete

    return event_stream(polled(look, here.stopping, every_s=0.2))
