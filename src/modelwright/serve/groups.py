"""Control groups of Linux: the kernel bounds the memory of a process and of all that it starts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SETTING = "MODELWRIGHT_CGROUP"
"""The variable that names the folder to make groups in; "none" for no groups at all."""

_PREFIX = "modelwright-"
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


@dataclass(frozen=True, slots=True)
class Group:
    """A control group with a bound of memory.  folder: below the mount of its hierarchy."""

    folder: Path

    def bound(self, most: int) -> None:
        """Let its processes have so many bytes together, none of them on disk.  Raises OSError."""
        newer = self.folder / "memory.max"
        if newer.exists():
            _say(newer, str(most))
            with contextlib.suppress(OSError):
                _say(self.folder / "memory.swap.max", "0")
            with contextlib.suppress(OSError):
                _say(self.folder / "memory.oom.group", "1")
            return
        swap = self.folder / "memory.memsw.limit_in_bytes"
        # The bound with swap is never below the one without, so which comes first depends.
        with contextlib.suppress(OSError):
            _say(swap, str(most))
        _say(self.folder / "memory.limit_in_bytes", str(most))
        with contextlib.suppress(OSError):
            _say(swap, str(most))

    @property
    def ended(self) -> int:
        """How many of its processes were ended because there was no more memory."""
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError, ValueError):
                lines = (self.folder / name).read_text(encoding="ascii").splitlines()
                return int(dict(line.split() for line in lines).get("oom_kill", "0"))
        return 0


def join(most: int) -> Group | None:
    """Move this process into a group of its own with so many bytes; None where there cannot be one.

    What it has already stays in the account of the group that it comes from.
    """
    sweep()
    for place in places(os.environ):
        group = Group(place / f"{_PREFIX}{os.getpid()}")
        try:
            group.folder.mkdir(exist_ok=True)
        except OSError:
            continue
        try:
            if not _bounds_memory(group):
                # The hierarchy of version 2 leaves it to each folder what its children can bound.
                _say(place / "cgroup.subtree_control", "+memory")
            group.bound(most)
            _say(group.folder / "cgroup.procs", str(os.getpid()))
        except OSError:
            with contextlib.suppress(OSError):
                group.folder.rmdir()
        else:
            return group
    return None


def of(pid: int) -> Group | None:
    """The group that a process has joined, also after its end, until it is swept away."""
    for place in places(os.environ):
        folder = place / f"{_PREFIX}{pid}"
        if folder.is_dir():
            return Group(folder)
    return None


def sweep() -> None:
    """Take away the groups whose processes have ended."""
    for place in places(os.environ):
        with contextlib.suppress(OSError):
            for folder in place.glob(f"{_PREFIX}*"):
                pid = folder.name.removeprefix(_PREFIX)
                if pid.isdigit() and not Path("/proc", pid).exists():
                    # One that has processes all the same is not taken away by the kernel.
                    with contextlib.suppress(OSError):
                        folder.rmdir()


def places(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders in which a group may be made, the likeliest first."""
    named = environment.get(SETTING, "")
    if named:
        return () if named == "none" else (Path(named),)
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        membership = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return ()
    return usual_places(mounts, membership)


def usual_places(mounts: str, membership: str) -> tuple[Path, ...]:
    """The folders beside and below the groups that a process is in, as /proc/self tells of them.

    mounts: what is in mountinfo.  membership: what is in cgroup.
    """
    found: list[Path] = []
    hierarchies = _hierarchies(mounts)
    for line in membership.splitlines():
        _, kinds, path = line.split(":", 2)
        version = "memory" if "memory" in kinds.split(",") else kinds
        if version not in hierarchies:
            continue
        root, mount = hierarchies[version]
        own = PurePosixPath(path)
        if own.name.startswith(_PREFIX):
            # A process within a group has its children's beside its own, so that bounds do not add up.
            own = own.parent
        with contextlib.suppress(ValueError):
            inside = own.relative_to(root)
            found.append(mount / inside)
            if not version and inside.parts:
                # A group of version 2 that has processes cannot divide its memory; the one above may.
                found.append(mount / inside.parent)
    return tuple(found)


def _hierarchies(mounts: str) -> dict[str, tuple[str, Path]]:
    """Root and place of the hierarchy that bounds memory: "memory" for version 1, "" for version 2."""
    found: dict[str, tuple[str, Path]] = {}
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(), right.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        place = fields[4]
        for escape, meant in _ESCAPES.items():
            place = place.replace(escape, meant)
        if kind[0] == "cgroup" and "memory" in kind[2].split(","):
            found["memory"] = (fields[3], Path(place))
        elif kind[0] == "cgroup2":
            found[""] = (fields[3], Path(place))
    return found


def _bounds_memory(group: Group) -> bool:
    names = ("memory.max", "memory.limit_in_bytes")
    return any((group.folder / name).exists() for name in names)


def _say(file: Path, value: str) -> None:
    """Write to a file that is there: a folder that is no control group gets none."""
    handle = os.open(file, os.O_WRONLY)
    try:
        os.write(handle, value.encode())
    finally:
        os.close(handle)
