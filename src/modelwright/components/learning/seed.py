"""The seed of everything a learner leaves to chance."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""Equal seeds, data and settings give equal models; no value stands for the clock."""
