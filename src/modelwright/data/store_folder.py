"""A folder of artifacts: each appears whole or not at all, and what is damaged is put aside.

    store.json                     the format of this folder
    artifacts/ab/<digest>/         manifest.json, and in content/ the files the artifact saved
    steps/ab/<key>.json            what a step gave
    temporary/<name>/              being written; removed when its writer has ended
    quarantine/<digest>-<time>/    damaged artifacts, for a look at what happened

An artifact is written under temporary/ and renamed into place, so a process that is killed at any
moment leaves either all of it or a folder under temporary/ that the next opening removes.  Files
are handed to the operating system, not forced to disk: a finished step survives the death of any
process.  After a loss of power, what was written in the last half minute may be short, empty or gone;
every load looks at sizes and edges, where that shows, and the step runs again.  Damage in the
middle of a file is found by `verify`.  `sync` forces an artifact to disk, for what cannot be made
again.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelwright.data.artifact import Digest
from modelwright.data.digests import FileRecord, difference
from modelwright.data.store_errors import NewerStore, StoreUnavailable, writing_to

FORMAT = 1
MANIFEST = "manifest.json"
CONTENT = "content"
# A writer makes its folder and then locks it; only an older folder without a lock is abandoned.
_ABANDONED_S = 60.0


@dataclass(frozen=True)
class Manifest:
    """What is known of a stored artifact without loading it."""

    digest: Digest
    kind: str
    files: Mapping[str, FileRecord]
    summary: Mapping[str, Any] = field(default_factory=dict)
    stored_at: str = ""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files.values())

    def to_bytes(self) -> bytes:
        """The manifest as a JSON file."""
        value = {
            "digest": self.digest,
            "kind": self.kind,
            "summary": dict(self.summary),
            "stored_at": self.stored_at or datetime.now(UTC).isoformat(timespec="seconds"),
            "files": {name: file.to_json() for name, file in self.files.items()},
        }
        return json.dumps(value, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read what `to_bytes` gave.  Raises ValueError, KeyError or TypeError when it is not that."""
        value = json.loads(content)
        for name in value["files"]:
            # A store may come from elsewhere: no name in it may lead out of an artifact's folder.
            if name.startswith("/") or ".." in name.split("/") or "\\" in name:
                raise ValueError(f"{name!r} is no name of a file")
        return cls(
            Digest(value["digest"]),
            str(value["kind"]),
            {name: FileRecord.from_json(file) for name, file in value["files"].items()},
            dict(value["summary"]),
            str(value["stored_at"]),
        )


class StoreFolder:
    """The files of a store on this machine, or of the local copy of a remote one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        if root.exists() and not root.is_dir():
            raise StoreUnavailable(str(root), "it is a file", remedy="Name a folder.")
        check_format(self._read(root / "store.json"), str(root))
        self.sweep()

    def place(self, digest: Digest) -> Path:
        """The folder of an artifact, there or not."""
        name = digest.removeprefix("sha256:")
        return self.root / "artifacts" / name[:2] / name

    def step(self, key: str) -> Path:
        """The file of a step's record, there or not."""
        return self.root / "steps" / key[:2] / f"{key}.json"

    def has(self, digest: Digest) -> bool:
        """Whether an artifact is there; a look at one file."""
        return (self.place(digest) / MANIFEST).is_file()

    def manifest(self, digest: Digest) -> Manifest | None:
        """What is noted of an artifact; None when it is not there.

        Raises ValueError, KeyError or TypeError when the note is damaged.
        """
        content = self._read(self.place(digest) / MANIFEST)
        return None if content is None else Manifest.from_bytes(content)

    def digests(self) -> Iterator[Digest]:
        """Every artifact that is there, in no order."""
        for path in self.root.glob("artifacts/??/*"):
            if (path / MANIFEST).is_file():
                yield Digest(f"sha256:{path.name}")

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A folder to build an artifact in: content/ is made; gone afterwards, whatever happened."""
        parent = self.root / "temporary"
        parent.mkdir(parents=True, exist_ok=True)
        self._claim()
        folder = parent / f"{os.getpid()}-{secrets.token_hex(6)}"
        folder.mkdir()
        try:
            # Held until the process ends, however it ends, on whatever machine it runs.
            with (folder / "lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                (folder / "artifact" / CONTENT).mkdir(parents=True)
                yield folder / "artifact"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, draft: Path, manifest: Manifest) -> None:
        """Put a finished draft in its place; one that is there already, and whole, stays."""
        (draft / MANIFEST).write_bytes(manifest.to_bytes())
        place = self.place(manifest.digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(3):
            try:
                draft.rename(place)
            except OSError:
                if not place.exists():
                    raise
                if self.is_whole(manifest.digest):
                    self.touch(manifest.digest)
                    return
                self.quarantine(manifest.digest)
            else:
                return
        raise StoreUnavailable(str(self.root), f"{place} cannot be replaced")

    def is_whole(self, digest: Digest) -> bool:
        """Whether an artifact is there and its files are as noted, by a quick look."""
        try:
            manifest = self.manifest(digest)
        except (ValueError, KeyError, TypeError):
            return False
        return (
            manifest is not None
            and difference(self.place(digest) / CONTENT, manifest.files) is None
        )

    def settle(self, digest: Digest, files: Mapping[str, FileRecord]) -> None:
        """Note that files with other times were found whole, so that they are not read again."""
        with suppress(OSError):
            for name, noted in files.items():
                path = self.place(digest) / CONTENT / name
                if path.stat().st_mtime_ns != noted.changed:
                    os.utime(path, ns=(noted.changed, noted.changed))

    def touch(self, digest: Digest) -> None:
        """Note that an artifact was wanted just now."""
        with suppress(OSError):
            os.utime(self.place(digest) / MANIFEST)

    def idle(self, digest: Digest) -> float:
        """Seconds since an artifact was stored or wanted last."""
        try:
            return time.time() - (self.place(digest) / MANIFEST).stat().st_mtime
        except OSError:
            return 0.0

    def quarantine(self, digest: Digest) -> None:
        """Move an artifact out of sight, if that is possible, so that its step runs again."""
        place = self.place(digest)
        target = self.root / "quarantine" / f"{place.name}-{time.time_ns()}"
        with suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            place.rename(target)

    def remove(self, digest: Digest) -> None:
        """Remove an artifact: at once for others, then its files."""
        with suppress(FileNotFoundError), writing_to(self.root):
            target = self.root / "temporary" / f"removed-{secrets.token_hex(6)}"
            target.parent.mkdir(parents=True, exist_ok=True)
            self.place(digest).rename(target)
            shutil.rmtree(target, ignore_errors=True)

    def write_step(self, key: str, content: bytes) -> None:
        """Write a step's record, in place of an older one."""
        with self.draft() as draft:
            (draft / "step.json").write_bytes(content)
            path = self.step(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            (draft / "step.json").replace(path)

    def read_step(self, key: str) -> bytes | None:
        """A step's record; None when there is none."""
        return self._read(self.step(key))

    def sync(self, digest: Digest) -> None:
        """Force an artifact to disk, with the folders that lead to it."""
        place = self.place(digest)
        with writing_to(self.root):
            for path in [*place.rglob("*"), place, *place.parents]:
                handle = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
                if path == self.root:
                    break

    def sweep(self) -> None:
        """Remove what ended processes have left under temporary/."""
        with suppress(OSError):
            for folder in (self.root / "temporary").iterdir():
                if time.time() - folder.stat().st_mtime > _ABANDONED_S and not _is_locked(folder):
                    shutil.rmtree(folder, ignore_errors=True)

    def weight(self, *parts: str) -> int:
        """Bytes of the files under a part of the folder."""
        return sum(_size(path) for path in (self.root / Path(*parts)).rglob("*"))

    def trim(self, limit: int) -> None:
        """Remove artifacts, those longest not wanted first, until the rest take `limit` bytes."""
        sizes = {digest: self._stored_size(digest) for digest in self.digests()}
        total = sum(sizes.values())
        for digest in sorted(sizes, key=self.idle, reverse=True):
            if total <= limit:
                return
            self.remove(digest)
            total -= sizes[digest]

    def _stored_size(self, digest: Digest) -> int:
        return sum(_size(path) for path in self.place(digest).rglob("*"))

    def _claim(self) -> None:
        path = self.root / "store.json"
        if not path.exists():
            part = path.with_name(f"store.json.{secrets.token_hex(6)}")
            part.write_bytes(format_file())
            part.replace(path)

    @staticmethod
    def _read(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise StoreUnavailable(
                str(path), "it may not be read", remedy="Give this user the right to read it."
            ) from error


def format_file() -> bytes:
    """The file that names the format of a store."""
    return json.dumps({"modelwright_store": FORMAT}).encode() + b"\n"


def check_format(content: bytes | None, place: str) -> None:
    """Refuse a store of a newer format, or what is no store.  Raises NewerStore, StoreUnavailable."""
    if content is None:
        return
    try:
        found = int(json.loads(content)["modelwright_store"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreUnavailable(
            place,
            "its store.json is not that of a store",
            remedy="Name another folder, or put its store.json back from a backup.",
        ) from error
    if found > FORMAT:
        raise NewerStore(place, found, FORMAT)


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
