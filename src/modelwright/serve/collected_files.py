"""Files of requests and replies that are kept elsewhere, brought to the folder where they belong."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

AT_ONCE = 4_000_000
"""Bytes that are brought in one answer."""

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Gives what `lacking` gives, for what is told as `wish` has it."""


def wish(folder: Path, kept: Mapping[int, int]) -> dict[str, Any]:
    """The sizes of the files that are here, as NUMBER/FILE, and how many stay of each deployment, as JSON."""
    known = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.glob("*/[!.]*"))
    }
    return {"known": known, "kept": {str(number): most for number, most in kept.items()}}


def lacking(folder: Path, wished: Mapping[str, Any]) -> dict[str, Any]:
    """Parts of files that somebody else does not have yet, as JSON; nothing when there are none.

    wished: see `wish`.  Files only grow; the oldest come first.
    """
    known, kept = wished["known"], wished["kept"]
    pieces: list[tuple[str, int, str]] = []
    room = AT_ONCE
    for deployment in sorted(folder.glob("*")):
        most = kept.get(deployment.name)
        for path in sorted(deployment.glob("[!.]*"))[-most if most else 0 :]:
            name = path.relative_to(folder).as_posix()
            begin = known.get(name, 0)
            if room <= 0 or begin >= path.stat().st_size:
                continue
            with path.open("rb") as file:
                file.seek(begin)
                content = file.read(room)
            room -= len(content)
            pieces.append((name, begin, b64encode(content).decode()))
    return {"pieces": pieces}


def bring(folder: Path, ask: Ask, kept: Mapping[int, int]) -> None:
    """Have all that is kept elsewhere here as well.

    kept: how many files stay, by deployment.  What `ask` raises is raised.
    """
    while pieces := ask(wish(folder, kept))["pieces"]:
        for name, begin, content in pieces:
            _write(folder, name, begin, b64decode(content))
    _forget_oldest(folder, kept)


def take_in(folder: Path, files: Iterator[tuple[str, bytes]], kept: Mapping[int, int]) -> None:
    """The same for whole files, each as NUMBER/FILE."""
    known = wish(folder, kept)["known"]
    for name, content in files:
        if len(content) > known.get(name, 0):
            _write(folder, name, 0, content)
    _forget_oldest(folder, kept)


def _write(folder: Path, name: str, begin: int, content: bytes) -> None:
    number, _, file = name.partition("/")
    if not number.isdigit() or not file or "/" in file or file.startswith("."):
        # Whoever is asked is not trusted with the rest of the disk.
        return
    path = folder / number / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("r+b") as writing:
        writing.seek(begin)
        writing.write(content)


def _forget_oldest(folder: Path, kept: Mapping[int, int]) -> None:
    for number, most in kept.items():
        found = sorted((folder / str(number)).glob("[!.]*"))
        for path in found[: max(0, len(found) - most)]:
            path.unlink(missing_ok=True)
