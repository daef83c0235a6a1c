"""What reading a file did beside reading it: told to the user, never silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.data.table import Table


@dataclass(frozen=True)
class Note:
    """One thing that was done or guessed: a code for programs and a sentence for people.

    codes: "rows-padded", "rows-skipped", "columns-renamed", "encoding-guessed", "odd-quotes",
    "sample".
    """

    code: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Code, text and fields."""
        return {"code": self.code, "text": self.text, "fields": dict(self.fields)}


@dataclass(frozen=True)
class Loaded:
    """A table from a file, and what is to be told of the reading."""

    table: Table
    notes: tuple[Note, ...] = ()
