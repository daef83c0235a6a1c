"""What goes into a container and comes out of it while it is there: certificates, what was collected."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from modelwright.inference.takeaway import FOLDER_IN_IMAGE
from modelwright.serve.certificates import Pair, settings_in
from modelwright.serve.collected_files import bring, take_in
from modelwright.serve.container import engine as engines
from modelwright.serve.container.base_image import USER
from modelwright.serve.held import Held
from modelwright.serve.logs import turn_over

_ASK_S = 30.0
_BRING_S = 60.0
_BROUGHT = "brought"
_LOG, _FORMER_LOG = "container.log", "former.log"
_COLLECTED = f"{engines.RUNNING}/collected"


def parts(held: Held) -> dict[str, Any]:
    """The deployments as the replica in a container is told of them."""
    baked = held.baked
    return held.parts(lambda p: FOLDER_IN_IMAGE if p == baked else f"{engines.RUNNING}/{p}")


def endpoint_within(held: Held) -> dict[str, Any]:
    """The settings of an endpoint as its container gets them: its certificate is in files of its own."""
    if not held.endpoint.get("tls_certificate"):
        return dict(held.endpoint)
    return {**held.endpoint, **settings_in(engines.RUNNING)}


def give(container: Any, held: Held, keys: bytes, pair: Pair | None) -> None:
    """Put all that may change into a container; it counts when it is told, or starts."""
    settings = {"deployments": parts(held), "endpoint": endpoint_within(held)}
    give_certificate(container, pair)
    engines.put_files(
        container, {"settings.json": json.dumps(settings).encode(), "keys.json": keys}
    )


def give_certificate(container: Any, pair: Pair | None) -> None:
    """Put a certificate with its key where the process in a container alone can read it."""
    if pair is not None:
        engines.put_files(container, pair.files(), mode=0o400, owner=USER)


def bring_collected(container: Any, name: str, held: Held, folder: Path) -> None:
    """Have all here that a container keeps of requests and replies.

    folder: where they belong.  Raises ContainerRefuses.
    """
    if container.status == "running":
        bring(
            folder,
            lambda wish: engines.ask(container, name, {"do": "collected", **wish}, seconds=_ASK_S),
            held.collecting,
        )
    else:
        take_in(folder, engines.files_of(container, _COLLECTED), held.collecting)


def is_due(folder: Path) -> bool:
    """Whether it is time to bring what was collected; if so, that it is brought now is noted.

    Podman has two small processes for five minutes after each command in a container, so they are few.
    """
    path = folder / _BROUGHT
    with contextlib.suppress(OSError):
        if 0 <= time.time() - path.stat().st_mtime < _BRING_S:
            return False
    path.touch()
    return True


def keep_log(container: Any, folder: Path) -> None:
    """Add the log of a container that goes to those of the ones before."""
    path = take_log(container, folder)
    _put_aside(folder, path.read_bytes())
    path.unlink()


def take_log(container: Any, folder: Path) -> Path:
    """Copy the log of a container; what is not in it any more stays with those of the ones before.

    So it is when somebody has removed the container, or when its engine has turned the log over.
    """
    path = folder / _LOG
    content: bytes = container.logs(stdout=True, stderr=True, timestamps=False)
    before = path.read_bytes() if path.exists() else b""
    if not content.startswith(before):
        again = before.find(content[: content.find(b"\n") + 1 or None])
        overlaps = again > 0 and content.startswith(before[again:])
        _put_aside(folder, before[:again] if overlaps else before)
    path.write_bytes(content)
    return path


def _put_aside(folder: Path, content: bytes) -> None:
    path = folder / _FORMER_LOG
    with path.open("ab") as file:
        file.write(content)
    turn_over(path, kept=1)


def logs(folder: Path) -> list[Path]:
    """The logs that were copied, the oldest first."""
    former = folder / _FORMER_LOG
    places = (former.with_name(f"{_FORMER_LOG}.1"), former, folder / _LOG)
    return [path for path in places if path.exists()]


def forget_collected(folder: Path) -> None:
    """Delete what was brought, and the folder of the endpoint if nothing else is in it."""
    shutil.rmtree(folder.parent, ignore_errors=True)
