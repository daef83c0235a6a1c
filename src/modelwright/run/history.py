"""How each node of a pipeline ran last, so that a plan can say what has changed since."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from modelwright.graph.graph import NodeId


@dataclass(frozen=True)
class PastInput:
    """What an input port was fed with.

    pin: the output it came from, as "node.port".  identity: names the content; None while unknown.
    """

    pin: str
    identity: str | None


@dataclass(frozen=True)
class Past:
    """A step as it ran: all that its key was made of, in the open.

    settings: as `Component.settings` gives them.  modules: digest of each source module.
    """

    component: str
    version: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, PastInput] = field(default_factory=dict)
    key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Past:
        """Read what `to_json` wrote."""
        inputs = {port: PastInput(**given) for port, given in value["inputs"].items()}
        return cls(**{**value, "inputs": inputs})


class History(Protocol):
    """Remembers the last finished step of each node.  Only reasons depend on it, never a result."""

    def last(self, pipeline: str) -> Mapping[NodeId, Past]:
        """How the nodes of a pipeline ran last, as far as that is known."""
        ...

    def remember(self, pipeline: str, steps: Mapping[NodeId, Past]) -> None:
        """Note how some nodes have run; the others stay as they are."""
        ...


class MemoryHistory:
    """A history that ends with the process."""

    def __init__(self) -> None:
        self._known: dict[str, dict[NodeId, Past]] = {}

    def last(self, pipeline: str) -> Mapping[NodeId, Past]:
        """How the nodes ran last in this process."""
        return dict(self._known.get(pipeline, {}))

    def remember(self, pipeline: str, steps: Mapping[NodeId, Past]) -> None:
        """Note how some nodes have run."""
        self._known.setdefault(pipeline, {}).update(steps)


class FolderHistory:
    """A history in a folder, a JSON file a pipeline.

    A file that cannot be read counts as empty, and one that cannot be written is left: what is lost
    with it is the wording of reasons.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def last(self, pipeline: str) -> Mapping[NodeId, Past]:
        """How the nodes ran last."""
        found: dict[NodeId, Past] = {}
        for node, value in self._read(pipeline).items():
            with suppress(TypeError, KeyError, AttributeError):
                found[NodeId(node)] = Past.from_json(value)
        return found

    def remember(self, pipeline: str, steps: Mapping[NodeId, Past]) -> None:
        """Note how some nodes have run."""
        with self._lock, suppress(OSError):
            known = self._read(pipeline) | {node: past.to_json() for node, past in steps.items()}
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"pipeline": pipeline, "nodes": known}, file, ensure_ascii=False)
            Path(name).replace(self._file(pipeline))

    def _read(self, pipeline: str) -> dict[str, Any]:
        try:
            value = json.loads(self._file(pipeline).read_text(encoding="utf-8"))
            return dict(value["nodes"])
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _file(self, pipeline: str) -> Path:
        return self._folder / f"{hashlib.sha256(pipeline.encode()).hexdigest()[:32]}.json"
