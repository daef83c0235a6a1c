"""Why a step failed: the user's mistake with its remedy, or ours with a number to ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.graph.graph import NodeId


@dataclass(frozen=True)
class Failure:
    """Why a step failed, and on which node.

    error: as `ModelwrightError.to_json` gives it.  reference: set for a fault of ours; the step's log
    has the traceback under it.
    """

    node: NodeId
    error: Mapping[str, Any]
    reference: str | None = None

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.error["code"])

    @property
    def message(self) -> str:
        """What happened and what to do."""
        return str(self.error["message"])

    def raised(self) -> ModelwrightError:
        """The error, to be raised."""
        return ModelwrightError.from_json(self.error)

    def to_json(self) -> dict[str, Any]:
        """The error with its node and reference."""
        return {**self.error, "node": self.node, "reference": self.reference}


class StepBroke(ModelwrightError):
    """A step failed by a fault that no user can mend."""

    code = "internal-error"

    def __init__(self, component: str, reference: str) -> None:
        super().__init__(
            f'"{component}" failed by a fault of its own (reference {reference}).',
            remedy="The step's log has the details under that reference; report them.",
            component=component,
            reference=reference,
        )


class StepExited(ModelwrightError):
    """A step's code ended the program instead of returning."""

    code = "step-exited"

    def __init__(self, component: str, status: str) -> None:
        super().__init__(
            f'The code of "{component}" asked the program to end (exit status {status}).',
            remedy="Take sys.exit or quit out of the code; return the result instead.",
            component=component,
            status=status,
        )


class WrongResult(ModelwrightError):
    """A component returned something else than its ports promise."""

    code = "wrong-result"

    def __init__(self, component: str, port: str | None, wanted: str, found: str) -> None:
        where = f' on port "{port}"' if port else ""
        super().__init__(
            f'"{component}" gave {found}{where}; {wanted} is promised.',
            remedy="Mend the component, or tell its author; the pipeline itself is in order.",
            component=component,
            port=port,
            wanted=wanted,
            found=found,
        )


class EmptyInput(ModelwrightError):
    """A step needs an input for which the step before gave nothing."""

    code = "empty-input"

    def __init__(self, port: str, source: str) -> None:
        super().__init__(
            f'Input "{port}" needs a value, and {source} gave none this time.',
            remedy="Change the settings of the step before so that it fills that output.",
            port=port,
            source=source,
        )


class WorkerDied(ModelwrightError):
    """The process that ran a step ended in the middle of it."""

    code = "worker-died"

    def __init__(self, how: str, signal: str | None, log: str) -> None:
        hint = (
            "The system may have run out of memory: take fewer rows or columns, or a larger machine."
            if signal == "SIGKILL"
            else "The last lines of the step's log may tell more."
        )
        super().__init__(
            f"The worker process of this step was {how}."
            if signal
            else f"The worker process of this step {how}.",
            remedy=hint,
            signal=signal,
            log=log,
        )


class NoWorkers(ModelwrightError):
    """No worker could be started."""

    code = "no-workers"

    def __init__(self, target: str, how: str, output: str) -> None:
        super().__init__(
            f'No worker starts on target "{target}": it {how}.',
            remedy="What it wrote is in the field output; mend the installation it speaks of.",
            target=target,
            output=output,
        )


class NotSendable(ModelwrightError):
    """A configured component cannot be sent to a worker."""

    code = "component-not-sendable"

    def __init__(self, component: str, why: str) -> None:
        super().__init__(
            f'"{component}" cannot be sent to a worker: {why}.',
            remedy="Define its class at the top level of a module that can be imported.",
            component=component,
            why=why,
        )


class StepTookTooLong(ModelwrightError):
    """A step ran for longer than any may where it ran."""

    code = "step-took-too-long"

    def __init__(self, component: str, longest_s: float, target: str) -> None:
        super().__init__(
            f'"{component}" was given up after {longest_s:g} seconds, the most that compute '
            f'"{target}" gives a step.',
            remedy="See in the step's log what it was at; take fewer rows, or give steps more time: "
            f"modelwright compute change {target} --longest SECONDS.",
            component=component,
            longest_s=longest_s,
            target=target,
        )


class OutOfMemory(ModelwrightError):
    """A step asked for more memory than there is."""

    code = "out-of-memory"

    def __init__(self, component: str, wanted: str) -> None:
        super().__init__(
            f'"{component}" needs more memory than there is{": " + wanted if wanted else ""}.',
            remedy="Take fewer rows or columns before this step, or a larger machine.",
            component=component,
        )


class ObjectStoreFull(ModelwrightError):
    """A machine of a cluster had no room for a step's results, in its object store and on its disk."""

    code = "object-store-full"

    def __init__(self, component: str, results: int, room: int) -> None:
        super().__init__(
            (
                f'The results of "{component}", {results / 1e6:.0f} MB, found'
                if results
                else f'"{component}" was on a worker whose results found'
            )
            + f" no room in the object store of its machine, which has {room / 1e6:.0f} MB, nor on its disk.",
            remedy="Free disk space on the cluster's machines, or give them larger object stores: "
            "ray start --object-store-memory=BYTES. Then run again: finished steps are reused.",
            component=component,
            results=results,
            room=room,
        )


class DiskFull(ModelwrightError):
    """A step found no room on the disk for what it writes while it runs."""

    code = "disk-full"

    def __init__(self, component: str, why: str) -> None:
        super().__init__(
            f'"{component}" found no room on the disk while it ran: {why}.',
            remedy="Free disk space where temporary files and logs are kept, then run again.",
            component=component,
            why=why,
        )
