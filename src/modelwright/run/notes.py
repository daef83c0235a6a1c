"""Findings of a step, kept in the store beside step results, so that a killed step goes on from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from modelwright.data.artifact import Artifact
from modelwright.data.fitted import UntrainedModel
from modelwright.data.store import StepRecord, Store
from modelwright.run.keys import note_key
from modelwright.run.source import source_of

_FOUND = "found"


class StoreNotes:
    """Notes of one step; a step whose work cannot be named keeps none.

    recipe: names what the step does.  inputs: of which learners add the source of their component.
    """

    def __init__(
        self, store: Callable[[], Store], recipe: str | None, inputs: Mapping[str, Artifact]
    ) -> None:
        self._store = store
        self._recipe = recipe
        self._inputs = inputs

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What was kept under the key; None for nothing."""
        if self._recipe is None:
            return None
        record = self._store().result(note_key(self._recipe, self._sources, key))
        found = record.notes.get(_FOUND) if record else None
        return found if isinstance(found, Mapping) else None

    def keep(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a finding."""
        if self._recipe is None:
            return
        record = StepRecord({}, 0.0, datetime.now(UTC), notes={_FOUND: dict(value)})
        self._store().record(note_key(self._recipe, self._sources, key), record)

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        from modelwright.components.library import library

        known = library()
        learners = [v for v in self._inputs.values() if isinstance(v, UntrainedModel)]
        summaries = [learner.summary() for learner in learners]
        components = [s.get(n) for s in summaries for n in ("component", "inside")]
        sources = [
            source_of(known.find(c)) for c in components if isinstance(c, str) and c in known
        ]
        return tuple(s.digest for s in sources if s)
