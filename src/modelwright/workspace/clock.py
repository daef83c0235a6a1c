"""What time it is, for those who must not ask the system themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present moment, with a time zone."""


def utc_now() -> datetime:
    """The present moment by the system's clock."""
    return datetime.now(UTC)
