"""A process that scores for a replica: what may hang or crash does so in here.

A nursery makes it, with a connection on which it gets requests, see `frames`.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading

import orjson

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.data.scripting.process import be_host
from modelwright.inference.errors import InputDataError, StepFailed
from modelwright.inference.package import Package
from modelwright.inference.scorer import Scorer, Shape
from modelwright.serve import frames
from modelwright.serve.answers import out_of_memory, refused
from modelwright.serve.limits import memory_bound, was_short

_log = logging.getLogger("modelwright.worker")


def serve_with(channel: socket.socket, package: Package | ModelwrightError) -> int:
    """Get ready, say so, and score until the replica closes the connection; the status to exit with."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # As long as there is one thread only: scripts run in forks of this process, which cost no start.
    be_host([channel.fileno()])
    threading.Thread(target=_end_with, args=(channel,), daemon=True, name="lifeline").start()
    try:
        if isinstance(package, ModelwrightError):
            raise package
        scorer = package.scorer()
        if all(i.samples for i in scorer.inputs):
            scorer.try_samples()
        frames.send(channel, frames.READY, str(os.getpid()).encode())
        _serve(channel, scorer)
    except ModelwrightError as error:
        frames.send(channel, 500, orjson.dumps(error.to_json(), default=str))
        return 1
    except OSError:
        # The replica has gone in the middle of a message.
        return 1
    except Exception as error:  # noqa: BLE001  # the rim of a process: the replica tells its user
        _log.exception("cannot start")
        what = {"code": "internal-error", "message": f"{type(error).__name__}: {error}"}
        frames.send(channel, 500, orjson.dumps(what))
        return 1
    return 0


def _serve(channel: socket.socket, scorer: Scorer) -> None:
    """Answer requests one after another until there are no more."""
    while (message := frames.receive(channel)) is not None:
        flags, body = message
        shape = Shape(bool(flags & frames.TABLES), bool(flags & frames.DETAILS))
        try:
            frames.send(channel, 200, scorer.answer(body, shape))
        except (InputDataError, StepFailed) as error:
            short = was_short()
            refusal = (out_of_memory(memory_bound()["gb"]) if short else refused(error)).answer
            frames.send(channel, refusal.status, refusal.body)
        except OSError:
            raise
        except MemoryError:
            refusal = out_of_memory(memory_bound()["gb"]).answer
            frames.send(channel, refusal.status, refusal.body)
        except Exception:  # noqa: BLE001  # the rim of a process: the replica answers 500
            _log.exception("scoring failed")
            frames.send(channel, 500, b"")


def _end_with(channel: socket.socket) -> None:
    """End the process when the replica has gone, even in the middle of a script."""
    watch = select.poll()
    watch.register(channel, select.POLLRDHUP)
    watch.poll()
    temporary.clear()
    os._exit(1)
