"""What a runner and its workers say to each other."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwright.data.artifact import Digest


@dataclass(frozen=True, slots=True)
class Given:
    """An input of a step: held by the worker under a token, or in the store under a digest."""

    token: str
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class Begin:
    """Run a step.

    recipe: names what the step does whatever its inputs, where that can be named.  task: numbers this attempt in its run.  token: names it among those of all runs.  module, file:
    where the component's class is; the file is used when the module cannot be imported by its name.
    name: the class within its module.  values: of its parameters by name, packed apart, as they may
    be of classes that only its module brings.  store: the store's address.  log, scratch: a file and a
    folder for this step alone.
    """

    task: int
    token: str
    title: str
    module: str
    file: str | None
    name: str
    values: bytes
    inputs: Mapping[str, Given]
    store: str
    log: str
    scratch: str
    recipe: str | None = None


@dataclass(frozen=True, slots=True)
class Lend:
    """Work on an item for a step that runs elsewhere.

    task, call: which of the step's calls it belongs to.  function: to be applied; None when this worker
    was sent it before for this call.  argument: the item.  The others as in `Begin`.
    """

    task: int
    call: int
    item: int
    function: bytes | None
    argument: bytes
    title: str
    module: str
    file: str | None
    scratch: str


@dataclass(frozen=True, slots=True)
class Own:
    """To a step that spreads items: work on this one yourself."""

    call: int
    item: int


@dataclass(frozen=True, slots=True)
class Part:
    """To a step that spreads items: another worker's result for one, or why there is none.

    text: what was printed on the way.
    """

    call: int
    item: int
    result: bytes | None
    error: Mapping[str, Any] | None
    text: str


@dataclass(frozen=True, slots=True)
class Forget:
    """These tokens and digests will not be asked for again in this run."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of a secret that was asked for."""

    asked: int
    value: str | None


@dataclass(frozen=True, slots=True)
class Progressed:
    """A step tells how far it has come."""

    task: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Wrote:
    """A step wrote lines; `omitted` more before them are in the log only."""

    task: int
    lines: tuple[str, ...]
    omitted: int


@dataclass(frozen=True, slots=True)
class Logged:
    """A step that cannot write to its log itself has written that there."""

    task: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Reported:
    """A step tells of its work so far, in JSON."""

    task: int
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spread:
    """A step has independent items, to be worked on wherever there is room; itself is one such place."""

    task: int
    call: int
    function: bytes
    items: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Did:
    """A step has worked on an item itself."""

    task: int
    call: int
    item: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """A step wants no more items done of a call: all are, or one failed."""

    task: int
    call: int


@dataclass(frozen=True, slots=True)
class Lent:
    """A worker has done with an item for a step that runs elsewhere; the worker is free."""

    task: int
    call: int
    item: int
    result: bytes | None
    error: Mapping[str, Any] | None
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A step wants the value of a secret."""

    task: int
    asked: int
    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A value in a worker's memory: what it is, and its size in bytes, roughly."""

    kind: str
    summary: Mapping[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class Computed:
    """A step's work is done; the worker is free and stores the results beside.

    outputs: by port; a port that got nothing is absent.
    """

    task: int
    outputs: Mapping[str, Made]
    seconds: float
    peak_memory: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """All results of a step are in the store."""

    task: int
    digests: Mapping[str, Digest]


@dataclass(frozen=True, slots=True)
class Failed:
    """A step failed, and its worker is free; or its results could not be stored."""

    task: int
    error: Mapping[str, Any]
    reference: str | None = None
    seconds: float | None = None
    storing: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input of a step cannot be read; the worker is free.

    stored: whether it was said to be in the store.
    """

    task: int
    port: str
    error: Mapping[str, Any] = field(default_factory=dict)
    stored: bool = True


ToWorker = Begin | Forget | Answer | Lend | Own | Part
FromWorker = (
    Progressed
    | Wrote
    | Logged
    | Reported
    | Asked
    | Spread
    | Did
    | Gathered
    | Lent
    | Computed
    | Stored
    | Failed
    | Unreadable
)


def packed(message: ToWorker | FromWorker) -> bytes:
    """The message as bytes."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def unpacked(body: bytes) -> Any:
    """The message in bytes that came over a line of our own."""
    # Both ends are processes of one user that share a socket nobody else can open.
    return pickle.loads(body)  # noqa: S301
