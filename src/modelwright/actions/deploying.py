"""How far a deployment has come, told step by step to whoever waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from modelwright.serve.stages import note_stage, noted_stage

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

    def look() -> None:
        stage = noted_stage(folder)
        # Faster than one looks, it may have done both.
        for step in ("score", "start") if stage == "start" else ("score",) if stage else ():
            if step not in told:
                told.append(step)
                on_step(step)

    def follow() -> None:
        while not over.wait(_LOOK_EVERY_S):
            look()

    follower = threading.Thread(target=follow, name="deployment-steps", daemon=True)
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join()
        look()
        note_stage(folder, None)
