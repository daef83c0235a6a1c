"""Digests of saved artifacts, and checks of files against what was noted when they were written."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modelwright.data.artifact import Digest

_BLOCK = 1 << 20
_EDGE = 1 << 16
# hashlib lets go of the interpreter's lock, so that several blocks are hashed at once.
_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What is noted of a file when it is stored.

    digest: over the digests of its blocks.  edges: over its first and last 64 KiB, for a quick
    look.  changed: when it was written, in nanoseconds.
    """

    size: int
    digest: str
    edges: str
    changed: int

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FileRecord:
        """Read what `to_json` wrote.  Raises KeyError, TypeError or ValueError when it is not that."""
        return cls(
            int(value["size"]), str(value["digest"]), str(value["edges"]), int(value["changed"])
        )


def note_files(folder: Path) -> dict[str, FileRecord]:
    """What is to be noted of every file under a folder, by its path in it, in name order."""
    paths = sorted(p for p in folder.rglob("*") if not p.is_dir())
    return {path.relative_to(folder).as_posix(): _note(path) for path in paths}


def artifact_digest(kind: str, files: Mapping[str, FileRecord]) -> Digest:
    """Names an artifact: SHA-256 over its kind and each file's name, size and block digests.

    The kind is part of it, so that two kinds never share a name, however little they hold.
    """
    lines = [f"{name}\0{files[name].size}\0{files[name].digest}\n" for name in sorted(files)]
    return Digest(
        f"sha256:{hashlib.sha256((kind + chr(10) + ''.join(lines)).encode()).hexdigest()}"
    )


def difference(folder: Path, files: Mapping[str, FileRecord], *, whole: bool = False) -> str | None:
    """What is wrong with stored files, as half a sentence; None when nothing is.

    Sizes, edges and times are looked at; a file is read whole when asked for (`whole`), or when its
    time is not the noted one, as after an edit or a copy.
    """
    for name, noted in files.items():
        path = folder / name
        try:
            found = path.stat()
        except FileNotFoundError:
            return f'the file "{name}" is gone'
        if found.st_size != noted.size:
            return f'the file "{name}" has {found.st_size} bytes instead of {noted.size}'
        if whole or found.st_mtime_ns != noted.changed:
            if _digest(path, noted.size) != noted.digest:
                return f'the file "{name}" was altered'
        elif _edges(path, noted.size) != noted.edges:
            return f'the file "{name}" was altered at its start or its end'
    return None


def _note(path: Path) -> FileRecord:
    found = path.stat()
    size = found.st_size
    return FileRecord(size, _digest(path, size), _edges(path, size), found.st_mtime_ns)


def _digest(path: Path, size: int) -> str:
    offsets = range(0, size, _BLOCK)
    held = threading.local()
    file = os.open(path, os.O_RDONLY)

    def block(offset: int) -> bytes:
        # One buffer a thread: fresh memory for each block costs more than the hash.
        buffer = held.__dict__.setdefault("buffer", bytearray(min(_BLOCK, size)))
        read = os.preadv(file, [buffer], offset)
        return hashlib.sha256(memoryview(buffer)[:read]).digest()

    try:
        if len(offsets) < 4:
            return _over(block(offset) for offset in offsets)
        with ThreadPoolExecutor(_THREADS) as pool:
            return _over(pool.map(block, offsets))
    finally:
        os.close(file)


def _over(blocks: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for block in blocks:
        total.update(block)
    return total.hexdigest()


def _edges(path: Path, size: int) -> str:
    with path.open("rb") as file:
        total = hashlib.sha256(file.read(_EDGE))
        if size > _EDGE:
            file.seek(max(_EDGE, size - _EDGE))
            total.update(file.read())
    return total.hexdigest()
