"""Runs of a server: submit, follow, wait, compare, convert."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from modelwright.client.connection import Connection, segment
from modelwright.client.outcome import Conversion, RunOutcome, StepOutcome
from modelwright.client.pipeline import Pipeline
from modelwright.client.wire_forms import graph_to_json, pipeline_from_json

if TYPE_CHECKING:
    import polars as pl

OnEvent = Callable[[Mapping[str, Any]], None]


class RemoteValues:
    """Values of a server's store."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def frame(self, digest: str) -> pl.DataFrame:
        """The rows of a stored table.  Raises NoRows and MissingArtifact."""
        import polars as pl

        content = self._server.content(f"/api/artifacts/{digest}/download", format="arrow")
        return pl.read_ipc(io.BytesIO(content))

    def learnt(self, digest: str) -> Mapping[str, Any]:
        """What a stored value learnt; empty for one that learns nothing."""
        found: Mapping[str, Any] = self._server.get(f"/api/artifacts/{digest}")["content"]
        learnt: Mapping[str, Any] = found.get("learnt", {})
        return learnt


class Runs:
    """The runs of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self, *, experiment: str | None = None, search: str = "") -> Iterator[dict[str, Any]]:
        """Every run as JSON without its steps, the latest first."""
        after: str | None = None
        while True:
            page = self._server.get(
                "/api/runs", experiment=experiment, search=search, after=after, limit=200
            )
            yield from page["items"]
            after = page["after"]
            if after is None:
                return

    def get(self, run_id: str) -> RunOutcome:
        """A run as it is now; "latest" stands for the last one.  Raises NotFound."""
        return self._outcome(self._server.get(f"/api/runs/{segment(run_id)}"))

    def plan(
        self,
        pipeline: Pipeline,
        *,
        parameters: Mapping[str, Any] | None = None,
        until: str | None = None,
        rerun: bool = False,
    ) -> dict[str, Any]:
        """What `run` would do, and why, step by step, as JSON.  Raises as `run` does."""
        asked = _asked(pipeline, parameters, until, rerun=rerun)
        found: dict[str, Any] = self._server.post("/api/plan", asked)
        return found

    def submit(
        self,
        pipeline: Pipeline,
        *,
        parameters: Mapping[str, Any] | None = None,
        until: str | None = None,
        rerun: bool = False,
        experiment: str | None = None,
        name: str | None = None,
        target: str | None = None,
        draft_id: str | None = None,
    ) -> RunOutcome:
        """Have the server run a pipeline, and give the run at once; see `wait`.

        parameters, until, rerun and target: as `Pipeline.run` has them.  draft_id: of the draft whose
        pipeline it is, so that what is made of the run knows it.
        Raises PipelineProblems, UnknownNode, UnknownPipelineParameter, WrongParameterValue and
        UnknownTarget.
        """
        asked = _asked(pipeline, parameters, until, rerun=rerun)
        about = {"experiment": experiment, "name": name, "target": target, "draft_id": draft_id}
        body = {**asked, **about}
        return self._outcome(self._server.post("/api/runs", body))

    def run(
        self,
        pipeline: Pipeline,
        *,
        parameters: Mapping[str, Any] | None = None,
        until: str | None = None,
        rerun: bool = False,
        experiment: str | None = None,
        target: str | None = None,
        draft_id: str | None = None,
        on_event: OnEvent | None = None,
    ) -> RunOutcome:
        """Have the server run a pipeline, and wait until it has ended; as `submit` has it."""
        run = self.submit(
            pipeline,
            parameters=parameters,
            until=until,
            rerun=rerun,
            experiment=experiment,
            target=target,
            draft_id=draft_id,
        )
        return self.wait(run.id, on_event=on_event)

    def wait(self, run_id: str, *, on_event: OnEvent | None = None) -> RunOutcome:
        """Wait until a run has ended.  on_event: told everything that happened, as JSON."""
        for event in self.events(run_id):
            if on_event is not None:
                on_event(event)
        return self.get(run_id)

    def events(self, run_id: str) -> Iterator[dict[str, Any]]:
        """What happens in a run, from its beginning until it has ended, as JSON."""
        address = f"/api/runs/{segment(run_id)}/events/stream"
        since, closed = 0, False
        while not closed:
            # A stream that breaks off is taken up where it was left.
            for number, data in self._server.events(address, since=since):
                since = number or since
                closed = data["kind"] == "closed"
                if not closed:
                    yield data
            closed = closed and self.get(run_id).status not in ("queued", "running")

    def sweeps(self, run_id: str) -> Sequence[dict[str, Any]]:
        """The settings that steps of a run tried so far, as JSON: node, run, and tries as events have them."""
        found: Sequence[dict[str, Any]] = self._server.get(f"/api/runs/{segment(run_id)}/sweeps")[
            "items"
        ]
        return found

    def log(self, run_id: str, node: str) -> str:
        """What a step has written so far."""
        place, text = 0, ""
        while True:
            address = f"/api/runs/{segment(run_id)}/steps/{segment(node)}/log"
            piece = self._server.get(address, offset=place)
            text += str(piece["text"])
            if piece["complete"] or not piece["text"]:
                break
            place = piece["next"]
        return text

    def cancel(self, run_id: str) -> None:
        """Ask a run to end; one that has ended stays as it is."""
        self._server.post(f"/api/runs/{segment(run_id)}/cancel")

    def compare(self, left: str, right: str) -> dict[str, Any]:
        """Two runs side by side, as JSON: settings that differ, and all figures."""
        found: dict[str, Any] = self._server.get("/api/runs/compare", left=left, right=right)
        return found

    def register(
        self,
        run_id: str,
        output: str,
        *,
        name: str,
        description: str = "",
        without: Sequence[str] = (),
    ) -> int:
        """Register what a run left on a port, as "node.port"; give the version.

        A table becomes a dataset, a fitted value a model.  without: columns, such as the label, that the
        rows lack to which a transformation will be applied.  Raises NotFound, NotRegistrable, LabelInUse.
        """
        node, _, port = output.partition(".")
        place = f"{segment(run_id)}/steps/{segment(node)}/outputs/{segment(port)}"
        body = {
            "name": name,
            "description": description,
            "tags": {},
            "without": list(without),
        }
        made = self._server.post(f"/api/runs/{place}/register", body)
        found: int = (made["dataset"] or made["model"])["version"]
        return found

    def delete(self, run_id: str, *, force: bool = False) -> None:
        """Forget a run that has ended, with its logs.

        Raises WrongState, and InUse while a draft or an endpoint comes from it, unless forced.
        """
        self._server.delete(f"/api/runs/{segment(run_id)}", force=force)

    def convert(
        self, run_id: str, *, kind: Literal["real-time", "batch"] = "real-time"
    ) -> Conversion:
        """Make a draft of the inference pipeline of a run.

        Raises NotFound, RunFailed, NoTrainedModel, StepNotRun and LabelInUse.
        """
        made = self._server.post(f"/api/runs/{segment(run_id)}/inference", {"kind": kind})
        found = made["conversion"]
        return Conversion(
            found["run_id"],
            pipeline_from_json(found["graph"], found["layout"]),
            tuple(found["changes"]),
            found["parity"],
            made["draft"]["id"],
        )

    def _outcome(self, found: dict[str, Any]) -> RunOutcome:
        steps = tuple(
            StepOutcome(
                step["node"],
                step["component"],
                step["status"],
                step["reason"],
                step["duration_s"],
                {port: output["digest"] for port, output in step["outputs"].items()},
                step["error"],
            )
            for step in found["steps"]
        )
        metrics = {
            table["node"]: {
                port: {row["name"]: row["values"][place] for row in table["rows"]}
                for place, port in enumerate(table["columns"])
            }
            for table in found["metrics"]
        }
        return RunOutcome(
            found["id"],
            found["experiment"],
            found["status"],
            steps,
            metrics,
            found["error"],
            RemoteValues(self._server),
        )


def _asked(
    pipeline: Pipeline, parameters: Mapping[str, Any] | None, until: str | None, *, rerun: bool
) -> dict[str, Any]:
    return {
        "graph": graph_to_json(pipeline.graph),
        "parameters": dict(parameters or {}),
        "until": until,
        "rerun": rerun,
    }
