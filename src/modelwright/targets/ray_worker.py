"""A worker on a Ray cluster: an actor that runs a program and hands values on through Ray's object store."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

VALUE = "value"
"""Heads an item of `listen`: the next item is a value to be kept under a name, and not to be opened."""


class Held(Protocol):
    """Values that other workers have handed on."""

    def get(self, name: str, *, near: bool) -> Any:
        """The value under a name; None when there is none, it is lost, or, asked for `near`, elsewhere."""
        ...


class Program(Protocol):
    """What a worker does with messages."""

    def handle(self, session: int, body: bytes, held: Held) -> None:
        """Do what a message says; long work is done before this returns, others may come meanwhile."""
        ...


Answer = Callable[[int, bytes], None]
"""Sends a message to the session of that number."""

Keep = Callable[[int, str, Any], None]
"""Hands a value on to the other workers of a session, under a name."""


class RayWorker:
    """The actor.  program: "module:name" of a callable that makes a Program."""

    def __init__(self, program: str, options: Mapping[str, Any]) -> None:
        self._outbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        module, _, name = program.partition(":")
        make = getattr(import_module(module), name)
        self._program: Program = make(self._answer, self._keep, options)

    def listen(self) -> Iterator[Any]:
        """What the worker has to say, until it ends."""
        import ray

        yield ("up", ray.get_runtime_context().get_node_id(), os.getpid())
        while True:
            kind, *rest = self._outbox.get()
            if kind == VALUE:
                session, name, value = rest
                yield (VALUE, session, name)
                yield value
                del value
            else:
                yield (kind, *rest)
            # Nothing of it must live until the next item comes.
            del rest

    def handle(self, session: int, body: bytes, names: Sequence[str], refs: Sequence[Any]) -> None:
        """Give the program a message, and what other workers have handed on for it."""
        self._program.handle(session, body, _Refs(dict(zip(names, refs, strict=True))))

    def _answer(self, session: int, body: bytes) -> None:
        self._outbox.put(("message", session, body))

    def _keep(self, session: int, name: str, value: Any) -> None:
        self._outbox.put((VALUE, session, name, value))


class _Refs:
    def __init__(self, refs: Mapping[str, Any]) -> None:
        self._refs = refs

    def get(self, name: str, *, near: bool) -> Any:
        import ray

        ref = self._refs.get(name)
        if ref is None or (near and not _is_near(ref)):
            return None
        try:
            return ray.get(ref)
        except (ray.exceptions.RayError, OSError):
            return None


def _is_near(ref: Any) -> bool:
    """Whether a value is in this machine's object store, or small enough to be nowhere else."""
    import ray
    from ray.experimental import get_object_locations

    places = get_object_locations([ref]).get(ref, {}).get("node_ids") or []
    return not places or ray.get_runtime_context().get_node_id() in places
