"""Whether a step's work fits into its worker's memory, asked before it is tried."""

from __future__ import annotations

from collections.abc import Iterable

from modelwright.components.contract import Component
from modelwright.data.artifact import Artifact
from modelwright.data.memory import WouldNotFit, allowed
from modelwright.data.table import Table

# These work on mapped rows, or row by row; what learns, and a user's code, has its rows in memory.
_WITHOUT = frozenset(
    {
        *("Assets", "Data Input and Output", "Data Transformation", "Statistical Functions"),
        *("Web Service", "Model Scoring and Evaluation"),
    }
)
_ALSO_WITHOUT = frozenset({"filter-based-feature-selection"})
_SMALL = 64 << 20


def require_room(component: Component, inputs: Iterable[Artifact]) -> None:
    """Raise WouldNotFit when a step has its tables in memory and they are larger than it may take."""
    spec = component.__component__
    if spec.category in _WITHOUT or spec.id in _ALSO_WITHOUT:
        return
    needed = sum(value.size for value in inputs if isinstance(value, Table))
    if needed > _SMALL and needed > (left := allowed()):
        raise WouldNotFit(spec.title, needed, left)
