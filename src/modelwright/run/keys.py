"""Keys: names of a step's result that are known before it runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from modelwright.components.contract import ComponentSpec
from modelwright.components.library import Library
from modelwright.data.fitted import UntrainedModel
from modelwright.run.outputs import Output
from modelwright.run.source import Source, source_of


def recipe_of(spec: ComponentSpec, settings: Mapping[str, Any], source: Source) -> str:
    """Names what a step does, whatever its inputs: component, version, settings that matter, source."""
    return _digest("recipe", spec.id, spec.version, dict(settings), source.digest)


def step_key(recipe: str, inputs: Mapping[str, str]) -> str:
    """Names the result of a recipe with inputs, given by port as their identities."""
    return _digest("step", recipe, sorted(inputs.items()))


def note_key(recipe: str, sources: tuple[str, ...], key: str) -> str:
    """Names a finding of a step: what the step does, the sources of its learners, and its own key."""
    return _digest("note", recipe, sources, key)


def identity(output: Output, library: Library) -> str:
    """Names an input for a key: its digest, and for a learner the source of its component too.

    What an untrained model holds is only which component to fit, and which one that wraps: training
    depends on their sources.
    """
    if output.kind != UntrainedModel.kind:
        return output.digest
    components = [output.summary.get(name) for name in ("component", "inside")]
    known = [c for c in components if isinstance(c, str) and c in library]
    sources = [source_of(library.find(c)) for c in known]
    return " ".join([output.digest, *(s.digest for s in sources if s)])


def _digest(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
