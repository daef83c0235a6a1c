"""Drafts of a server: the pipelines on its canvas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modelwright.client.connection import Connection, segment
from modelwright.client.pipeline import Pipeline
from modelwright.client.wire_forms import graph_to_json, layout_to_json, pipeline_from_json
from modelwright.data.errors import ModelwrightError


@dataclass(frozen=True)
class Draft:
    """A draft as it was at a revision.  kind: "training", "real-time-inference" or so."""

    id: str
    name: str
    kind: str
    revision: int
    pipeline: Pipeline


class Drafts:
    """The drafts of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self, *, search: str = "") -> Iterator[dict[str, Any]]:
        """Every draft as JSON without its pipeline, by last change, latest first.

        search: words of the name.
        """
        after: str | None = None
        while True:
            page = self._server.get("/api/drafts", search=search, after=after, limit=200)
            yield from page["items"]
            after = page["after"]
            if after is None:
                return

    def get(self, draft_id: str) -> Draft:
        """One draft.  Raises NotFound, and why its pipeline cannot be read."""
        return _draft(self._server.get(f"/api/drafts/{segment(draft_id)}"))

    def create(self, pipeline: Pipeline, *, name: str | None = None) -> Draft:
        """Put a pipeline on the canvas as a new draft."""
        document = pipeline.document()
        body = {
            "name": name,
            "graph": graph_to_json(document.graph),
            "layout": layout_to_json(document.layout),
        }
        return _draft(self._server.post("/api/drafts", body))

    def of_sample(self, sample_id: str) -> Draft:
        """Begin a draft with a sample pipeline.  Raises NotFound."""
        return _draft(self._server.post("/api/drafts", {"sample": sample_id}))

    def of_run(self, run_id: str) -> Draft:
        """Begin a draft with the pipeline that a run ran.  Raises NotFound."""
        return _draft(self._server.post("/api/drafts", {"run": run_id}))

    def save(self, draft: Draft, pipeline: Pipeline) -> Draft:
        """Save a pipeline over a draft.  Raises Conflict when the draft has moved on since."""
        document = pipeline.document()
        body = {
            "revision": draft.revision,
            "graph": graph_to_json(document.graph),
            "layout": layout_to_json(document.layout),
        }
        return _draft(self._server.put(f"/api/drafts/{segment(draft.id)}", body))

    def duplicate(self, draft_id: str) -> Draft:
        """Copy a draft."""
        return _draft(self._server.post(f"/api/drafts/{segment(draft_id)}/duplicate"))

    def delete(self, draft_id: str) -> None:
        """Put a draft aside; `restore` brings it back."""
        self._server.delete(f"/api/drafts/{segment(draft_id)}")

    def restore(self, draft_id: str) -> Draft:
        """Bring back a deleted draft."""
        return _draft(self._server.post(f"/api/drafts/{segment(draft_id)}/restore"))


def _draft(found: dict[str, Any]) -> Draft:
    if found["graph"] is None:
        raise ModelwrightError.from_json(found["fault"])
    pipeline = pipeline_from_json(found["graph"], found["layout"])
    return Draft(found["id"], found["name"], found["kind"], found["revision"], pipeline)
