"""Deployments that this server is at, for the pages that wait for one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from modelwright.actions.deploying import DeployStep, OnDeployStep


@dataclass(eq=False)
class _Progress:
    steps: list[DeployStep] = field(default_factory=list)
    over: bool = False


class Deploying:
    """The steps of every deployment under way, by endpoint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present: dict[str, _Progress] = {}
        # For those that are waited for and have not begun, as long as somebody waits.
        self._coming: WeakValueDictionary[str, _Progress] = WeakValueDictionary()

    @contextmanager
    def of(self, endpoint: str) -> Iterator[OnDeployStep]:
        """Keep the steps that are told while the block runs."""
        key = endpoint.lower()
        with self._lock:
            progress = self._coming.pop(key, None) or _Progress()
            self._present[key] = progress
        try:
            yield progress.steps.append
        finally:
            with self._lock:
                progress.over = True
                if self._present.get(key) is progress:
                    del self._present[key]

    def follow(self, endpoint: str) -> Callable[[], tuple[list[DeployStep], bool]]:
        """A look at what is new of a deployment, and whether it is over.

        Where none is under way it is the next one.
        """
        key = endpoint.lower()
        with self._lock:
            progress = self._present.get(key) or self._coming.get(key) or _Progress()
            if key not in self._present:
                self._coming[key] = progress
        seen = 0

        def look() -> tuple[list[DeployStep], bool]:
            nonlocal seen
            # First, since a step that is told meanwhile must not be left out.
            over = progress.over
            new = progress.steps[seen:]
            seen += len(new)
            return new, over

        return look
