"""How far a deployment has come, told step by step to whoever waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from modelwright.serve.capacity import Unschedulable
from modelwright.serve.stages import Stage, note_stage, noted_stage

DeployStep = Literal["compare", "package", "score", "start"]
"""compare: with the training run.  package: written.  score: its sample rows, to see that it answers.
start: replicas, until they are ready."""

OnDeployStep = Callable[[DeployStep], None]

_LOOK_EVERY_S = 0.02


def say_nothing(step: DeployStep) -> None:
    """For those who do not wait."""


@contextmanager
def watched(folder: Path, on_step: OnDeployStep) -> Iterator[None]:
    """Tell the steps that the processes of an endpoint of this machine take while the block runs.

    folder: the endpoint's.
    """
    note_stage(folder, None)
    over = threading.Event()
    told: list[DeployStep] = []

    def tell(stage: Stage | None) -> None:
        # Faster than one looks, it may have done both.
        for step in ("score", "start") if stage == "start" else ("score",) if stage else ():
            if step not in told:
                told.append(step)
                on_step(step)

    def follow() -> None:
        while not over.wait(_LOOK_EVERY_S):
            tell(noted_stage(folder))

    def end() -> None:
        over.set()
        follower.join()

    # A controller that has to be started first can only tell later that it is at it.
    tell("score")
    follower = threading.Thread(target=follow, name="deployment-steps", daemon=True)
    follower.start()
    try:
        yield
    except Unschedulable:
        # Its room is asked for when it could start; what it noted went with it.
        end()
        tell("start")
        raise
    finally:
        end()
        tell(noted_stage(folder))
        note_stage(folder, None)
