"""Long lists, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first.

    total: how many there are on all pages.  after: pass it to the same list for the next page;
    None on the last one.
    """

    items: tuple[T, ...]
    total: int
    after: str | None
