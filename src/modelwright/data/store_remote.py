"""A store behind an fsspec URL, in the layout of a store folder.

An artifact's content is uploaded first and its manifest last: until the manifest is there the
artifact is not, so an upload that breaks off leaves nothing that could be taken for one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.store_errors import StoreFull, StoreReadOnly, StoreUnavailable
from modelwright.data.store_folder import (
    CONTENT,
    MANIFEST,
    Manifest,
    check_format,
    format_file,
)

_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")
_EXTRAS = {"s3": "s3", "s3a": "s3"}
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss"})


class RemoteStore:
    """The files of a store behind a URL.  Every call may raise StoreUnavailable."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        # What messages show; a password in the address is nobody's to read.
        self.url = _PASSWORD.sub(r"\1***@", url)
        self._fs, self._root = _filesystem(url, options, self.url)
        self._scheme = url.partition("://")[0]
        self._claimed = False
        check_format(self._read("store.json"), self.url)

    def has(self, digest: Digest) -> bool:
        """Whether an artifact is there; one request."""
        with self._asking():
            return bool(self._fs.exists(self._at(digest, MANIFEST)))

    def manifest(self, digest: Digest) -> Manifest | None:
        """What is noted of an artifact; None when it is not there."""
        content = self._read(self._at(digest, MANIFEST))
        return None if content is None else Manifest.from_bytes(content)

    def digests(self) -> Iterator[Digest]:
        """Every artifact that is there, in no order."""
        for path in self._find("artifacts"):
            if posixpath.basename(path) == MANIFEST:
                yield Digest(f"sha256:{posixpath.basename(posixpath.dirname(path))}")

    def upload(self, folder: Path, manifest: Manifest) -> None:
        """Store a finished artifact."""
        with self._asking():
            self._claim()
            for name in manifest.files:
                self._put(folder / CONTENT / name, self._at(manifest.digest, CONTENT, name))
            self._write(self._at(manifest.digest, MANIFEST), manifest.to_bytes())

    def download(self, manifest: Manifest, folder: Path) -> str | None:
        """Fetch an artifact's content into a folder; what is missing, as half a sentence."""
        with self._asking():
            for name in manifest.files:
                target = folder / CONTENT / name
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._fs.get_file(self._at(manifest.digest, CONTENT, name), str(target))
                except FileNotFoundError:
                    return f'the file "{name}" is gone'
        return None

    def touch(self, manifest: Manifest) -> None:
        """Note that an artifact was wanted just now."""
        with self._asking():
            self._write(self._at(manifest.digest, MANIFEST), manifest.to_bytes())

    def idle(self, digest: Digest) -> float:
        """Seconds since an artifact was stored or wanted last; 0 where that is not known."""
        with self._asking():
            try:
                changed = self._fs.modified(self._at(digest, MANIFEST))
            except (NotImplementedError, FileNotFoundError):
                return 0.0
        if changed.tzinfo is None:
            changed = changed.replace(tzinfo=UTC)
        return float((datetime.now(UTC) - changed).total_seconds())

    def remove(self, digest: Digest, *, content: bool = True) -> None:
        """Remove an artifact, its manifest first; without `content` its files are left to look at."""
        with self._asking():
            for path in [self._at(digest, MANIFEST), *([self._at(digest)] if content else [])]:
                try:
                    self._fs.rm(path, recursive=path != self._at(digest, MANIFEST))
                except FileNotFoundError:
                    continue

    def write_step(self, key: str, content: bytes) -> None:
        """Write a step's record, in place of an older one."""
        with self._asking():
            self._claim()
            self._write(self._join("steps", key[:2], f"{key}.json"), content)

    def read_step(self, key: str) -> bytes | None:
        """A step's record; None when there is none."""
        return self._read(self._join("steps", key[:2], f"{key}.json"))

    def weight(self, *parts: str) -> int:
        """Bytes of the files under a part of the store."""
        return sum(self._find(posixpath.join(*parts)).values())

    def _find(self, part: str) -> dict[str, int]:
        with self._asking():
            try:
                found = self._fs.find(self._join(part), detail=True)
            except FileNotFoundError:
                return {}
        return {path: int(info.get("size") or 0) for path, info in found.items()}

    def _read(self, name: str) -> bytes | None:
        path = name if name.startswith(self._root) else self._join(name)
        with self._asking():
            try:
                return bytes(self._fs.cat_file(path))
            except FileNotFoundError:
                return None

    def _write(self, path: str, content: bytes) -> None:
        self._make_folder(path)
        self._fs.pipe_file(path, content)

    def _put(self, source: Path, target: str) -> None:
        self._make_folder(target)
        self._fs.put_file(str(source), target)

    def _make_folder(self, path: str) -> None:
        # Object stores know no folders; asked for one they would make a bucket.
        if self._scheme not in _OBJECT_STORES:
            self._fs.makedirs(posixpath.dirname(path), exist_ok=True)

    def _claim(self) -> None:
        if not self._claimed and not self._fs.exists(self._join("store.json")):
            self._write(self._join("store.json"), format_file())
        self._claimed = True

    def _at(self, digest: Digest, *parts: str) -> str:
        name = digest.removeprefix("sha256:")
        return self._join("artifacts", name[:2], name, *parts)

    def _join(self, *parts: str) -> str:
        return posixpath.join(self._root, *parts)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except ModelwrightError:
            raise
        except FileNotFoundError as error:
            raise StoreUnavailable(self.url, f"there is no {error}") from error
        except PermissionError as error:
            raise StoreReadOnly(self.url, str(error) or "access is denied") from error
        except Exception as error:  # each service raises a family of its own
            if getattr(error, "errno", None) in (28, 122):
                raise StoreFull(self.url, needed=None, free=None, why=str(error)) from error
            raise StoreUnavailable(self.url, str(error) or type(error).__name__) from error


def _filesystem(url: str, options: Mapping[str, Any], shown: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    scheme = url.partition("://")[0]
    try:
        # Another process may have added what a listing of ours does not show yet.
        fs, root = url_to_fs(url, use_listings_cache=False, **options)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        remedy = f'Install it with: pip install "modelwright[{extra}]".' if extra else "Install it."
        raise StoreUnavailable(shown, f"a library is missing: {error}", remedy=remedy) from error
    except ValueError as error:
        raise StoreUnavailable(
            shown, str(error), remedy="Name a folder, or a URL such as s3://bucket/folder."
        ) from error
    return fs, root.rstrip("/")
