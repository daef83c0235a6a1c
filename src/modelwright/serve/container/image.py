"""The image of an endpoint: a base with Modelwright, and the package on top."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.inference.package import Package
from modelwright.inference.takeaway import FOLDER_IN_IMAGE, PORT
from modelwright.serve.container.base_image import ENVIRONMENT, USER, BaseImage, ensure
from modelwright.serve.container.engine import RUNNING
from modelwright.serve.errors import DeploymentFailed
from modelwright.serve.limits import thread_bounds

_LEARN = "learn"

# One step only: engines keep a layer for each, which takes longer than what is in it.
_CONTENT = """\
FROM {base}
COPY --chown={user}:{user} content /
"""


def build(
    engine: Any, name: str, package: Package, base: str | None, needed: Iterable[str] = ()
) -> str:
    """Build the image of an endpoint's package and give its tag; nothing is asked of a network.

    base: an image that has Modelwright; made of the running environment for None.  needed: what the
    other packages of the endpoint need, see `needs`.
    Raises NoBaseImage, and DeploymentFailed with what the engine says.
    """
    from docker.errors import APIError, BuildError, ImageNotFound

    try:
        start = base or ensure(engine, _base_for({*needs(package), *needed}))
        mark = hashlib.sha256(f"{start} {package.digest}".encode()).hexdigest()[:16]
        tag = f"localhost/modelwright-endpoint-{name.lower()}:{mark}"
        with contextlib.suppress(ImageNotFound):
            engine.images.get(tag)
            return tag
        with tempfile.TemporaryDirectory(prefix="image-", dir=temporary.place()) as folder:
            _fill(Path(folder), package, start)
            engine.images.build(path=folder, tag=tag, rm=True, forcerm=True, pull=False)
    except (APIError, BuildError) as error:
        # The rest of what the engine says is read, or the line to it would stay open.
        deque(getattr(error, "build_log", ()), maxlen=0)
        why = getattr(error, "explanation", None) or str(error)
        raise DeploymentFailed(name, f"its image could not be built: {why}") from error
    return tag


def command(name: str) -> list[str]:
    """The command line of the container of an endpoint."""
    return [
        *("python", "-m", "modelwright.serve.replica", f"{RUNNING}/package"),
        *("--name", name, "--host", "0.0.0.0", "--port", str(PORT)),  # noqa: S104  # the engine says who reaches it
        *("--keys-file", f"{RUNNING}/keys.json", "--settings-file", f"{RUNNING}/settings.json"),
        *("--control", f"{RUNNING}/control.sock", "--collected", f"{RUNNING}/collected"),
    ]


def environment(base: str | None, cores: float) -> Mapping[str, str]:
    """The variables that the process of a container on this base needs, with so many cores."""
    return thread_bounds(cores, ENVIRONMENT if base is None else {})


def needs(package: Package) -> frozenset[str]:
    """What a package needs of its base beside what all need: "learn" for scripts, or distributions."""
    if not package.plan.is_compiled:
        return frozenset({_LEARN})
    natives = {p.kind for c in package.plan.chains or () for p in c.natives.values()}
    return frozenset({"lightgbm"} & natives)


def has_all(present: Iterable[str], needed: Iterable[str]) -> bool:
    """Whether a base that was made for some needs is enough for others."""
    return _LEARN in (made_for := {*present}) or made_for.issuperset(needed)


def _base_for(needed: set[str]) -> BaseImage:
    return BaseImage(("serve", _LEARN)) if _LEARN in needed else BaseImage(more=sorted(needed))


def _fill(folder: Path, package: Package, base: str) -> None:
    text = _CONTENT.format(base=base, user=USER)
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    content = folder / "content"
    shutil.copytree(package.folder, content / FOLDER_IN_IMAGE.lstrip("/"))
    running = content / RUNNING.lstrip("/")
    running.mkdir(parents=True)
    (running / "package").symlink_to(FOLDER_IN_IMAGE)
