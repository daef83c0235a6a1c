"""Places where endpoints run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DEFAULT_CLUSTER = "default"
"""The cluster that is always there: processes of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A place where endpoints run.

    kind: what it is made of, such as "local".  cpu_cores and memory_gb: how much of it endpoints may
    reserve; None for all there is.  options: what its kind needs to know, as JSON.
    """

    name: str
    kind: str
    cpu_cores: float | None
    memory_gb: float | None
    options: Mapping[str, Any]
    description: str
    created_at: datetime
    changed_at: datetime
