"""A process that scores for a replica: what may hang or crash does so in here.

    python -m modelwright.serve.worker PACKAGE DESCRIPTOR

DESCRIPTOR is the number of an open socket on which it gets requests, see `frames`.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path

import orjson

from modelwright.data.errors import ModelwrightError
from modelwright.inference.errors import InputDataError, StepFailed
from modelwright.inference.package import Package
from modelwright.inference.scorer import Scorer, Shape
from modelwright.serve import frames
from modelwright.serve.answers import refused
from modelwright.serve.limits import die_with_parent

_log = logging.getLogger("modelwright.worker")


def main(arguments: list[str]) -> int:
    """Score until the replica closes the socket."""
    # Prints of libraries and scripts belong to the log; standard output is nobody's.
    os.dup2(2, 1)
    die_with_parent()
    # The replica ends its workers itself, when their requests are answered.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    package, descriptor = arguments
    channel = socket.socket(fileno=int(descriptor))
    try:
        scorer = _ready(Path(package))
    except ModelwrightError as error:
        frames.send(channel, 500, orjson.dumps(error.to_json(), default=str))
        return 1
    except Exception as error:  # noqa: BLE001  # the rim of a process: the replica tells its user
        _log.exception("cannot start")
        what = {"code": "internal-error", "message": f"{type(error).__name__}: {error}"}
        frames.send(channel, 500, orjson.dumps(what))
        return 1
    frames.send(channel, frames.READY, b"")
    try:
        serve(channel, scorer)
    except OSError:
        # The replica has gone in the middle of a message.
        return 1
    return 0


def serve(channel: socket.socket, scorer: Scorer) -> None:
    """Answer requests one after another until there are no more."""
    while (message := frames.receive(channel)) is not None:
        flags, body = message
        shape = Shape(bool(flags & frames.TABLES), bool(flags & frames.DETAILS))
        try:
            frames.send(channel, 200, scorer.answer(body, shape))
        except (InputDataError, StepFailed) as error:
            refusal = refused(error).answer
            frames.send(channel, refusal.status, refusal.body)
        except OSError:
            raise
        except Exception:  # noqa: BLE001  # the rim of a process: the replica answers 500 with a reference
            _log.exception("scoring failed")
            frames.send(channel, 500, b"")


def _ready(package: Path) -> Scorer:
    scorer = Package.open(package).scorer()
    if all(i.samples for i in scorer.inputs):
        scorer.try_samples()
    return scorer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
