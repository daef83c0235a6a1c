"""Where runs can be worked on, and how busy it is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.data.errors import ModelwrightError, suggestion

if TYPE_CHECKING:
    from modelwright.actions.home import Home

LOCAL = "local"


class UnknownTarget(ModelwrightError):
    """A run is to be worked on at a place that there is none of."""

    code = "unknown-target"

    def __init__(self, target: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f'There is no compute target "{target}".',
            remedy=f"{suggestion(target, known)}The targets are: {', '.join(known)}.",
            target=target,
            near=list(known),
        )


@dataclass(frozen=True, slots=True)
class TargetState:
    """A place where steps run.

    most: how many workers it may have.  workers: process ids of those that are there now.
    cores: of the machine.  memory, memory_free: its bytes.
    """

    name: str
    kind: str
    most: int
    workers: tuple[int, ...]
    cores: int
    memory: int
    memory_free: int


def list_targets(home: Home) -> tuple[TargetState, ...]:
    """Every place where runs of this home can be worked on."""
    import psutil

    target = home.workers()
    memory = psutil.virtual_memory()
    return (
        TargetState(
            target.name,
            "local processes",
            target.most,
            tuple(getattr(target, "pids", ())),
            os.cpu_count() or 1,
            memory.total,
            memory.available,
        ),
    )


def check_target(home: Home, name: str) -> str:
    """The target's name, if there is one of that name.  Raises UnknownTarget."""
    known = (home.workers().name,)
    if name not in known:
        raise UnknownTarget(name, known)
    return name
