"""What a stored value holds, whatever kind of artifact it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.data.artifact import Artifact, Digest

if TYPE_CHECKING:
    from modelwright.actions.home import Home


@dataclass(frozen=True)
class Content:
    """A stored value with what the store knows of it.

    size: bytes of its files.  summary: a few figures.
    """

    digest: Digest
    kind: str
    title: str
    size: int
    summary: dict[str, Any]
    value: Artifact


def read_content(home: Home, digest: str) -> Content:
    """A stored value.  Raises MissingArtifact, CorruptArtifact and UnknownKind."""
    manifest = home.store.manifest(Digest(digest))
    value = home.store.get(manifest.digest)
    return Content(
        manifest.digest,
        manifest.kind,
        value.title,
        manifest.size,
        dict(value.summary()),
        value,
    )
