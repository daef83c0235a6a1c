"""Where artifacts are kept by their content and what steps gave by their key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from modelwright.data.artifact import Artifact, CorruptArtifact, Digest
from modelwright.data.digests import artifact_digest, difference, note_files
from modelwright.data.store_errors import MissingArtifact, UnknownKind, writing_to
from modelwright.data.store_folder import CONTENT, Manifest, StoreFolder
from modelwright.data.store_remote import RemoteStore

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,199}")
# A worker may load a value before anything else has imported the class that reads it.
_MODULES = {
    "table": "modelwright.data.table",
    "folded-table": "modelwright.data.folds",
    "transform": "modelwright.data.fitted",
    "model": "modelwright.data.fitted",
    "python-model": "modelwright.data.python_model",
    "untrained-model": "modelwright.data.fitted",
    "files": "modelwright.data.file_bundle",
}
_LOAD_FAULTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError)


@dataclass(frozen=True)
class StepRecord:
    """What a finished step gave.

    outputs: by port, {"digest", "kind", "summary"}.  seconds: how long it took.  log: its lines.
    notes: whatever else whoever records it wants to find again, as JSON.
    """

    outputs: Mapping[str, Mapping[str, Any]]
    seconds: float
    finished_at: datetime
    log: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "outputs": {port: dict(output) for port, output in self.outputs.items()},
            "seconds": self.seconds,
            "finished_at": self.finished_at.isoformat(),
            "log": self.log,
            "notes": dict(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StepRecord:
        """Read what `to_json` wrote."""
        return cls(
            value["outputs"],
            float(value["seconds"]),
            datetime.fromisoformat(value["finished_at"]),
            value["log"],
            value["notes"],
        )


@dataclass(frozen=True)
class KindUsage:
    """How much the artifacts of one kind take."""

    count: int
    size: int


@dataclass(frozen=True)
class Usage:
    """What a store takes, in bytes; kinds in name order."""

    kinds: Mapping[str, KindUsage]
    steps: int
    quarantine: int
    temporary: int

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        kinds = {kind: {"count": k.count, "size": k.size} for kind, k in self.kinds.items()}
        rest = {"steps": self.steps, "quarantine": self.quarantine, "temporary": self.temporary}
        return {"kinds": kinds, **rest}


class Store:
    """Artifacts by digest and step records by key, in a folder or behind an fsspec URL.

    Any number of processes may use one store at once.  A remote store keeps what it has read or
    written in a local folder, so that tables are mapped from there.  See `store_folder` for the
    layout and for what survives which accident.
    """

    def __init__(
        self, url: str, folder: StoreFolder, remote: RemoteStore | None, *, cache_limit: int
    ) -> None:
        self.url = url
        self._folder = folder
        self._remote = remote
        self._cache_limit = cache_limit
        self._untrimmed = 0

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        options: Mapping[str, Any] | None = None,
        cache: Path | None = None,
        cache_limit: int = 20_000_000_000,
    ) -> Store:
        """The store in a local folder (made when first written to), or behind an fsspec URL.

        options: for fsspec, such as endpoint_url and keys; by default the environment's.
        cache: folder for the local copy of a remote store; by default in the user's cache folder.
        cache_limit: bytes that the copy may take, about; what was not wanted longest goes first.
        Raises StoreUnavailable and NewerStore.
        """
        local = _local_path(url)
        if local is not None:
            return cls(str(local), StoreFolder(local), None, cache_limit=cache_limit)
        remote = RemoteStore(str(url), options or {})
        folder = cache or _cache_folder(str(url))
        return cls(remote.url, StoreFolder(folder), remote, cache_limit=cache_limit)

    def put(self, artifact: Artifact) -> Digest:
        """Store an artifact and give its digest; equal content is stored once.

        Raises StoreFull, StoreReadOnly and StoreUnavailable, and leaves nothing of it behind then.
        """
        with writing_to(self._folder.root, artifact.size or None), self._folder.draft() as draft:
            artifact.save(draft / CONTENT)
            files = note_files(draft / CONTENT)
            digest = artifact_digest(artifact.kind, files)
            manifest = Manifest(digest, artifact.kind, files, artifact.summary())
            if self._remote:
                if self._remote.has(digest):
                    self._remote.touch(manifest)
                else:
                    self._remote.upload(draft, manifest)
            self._folder.adopt(draft, manifest)
        self._trim(manifest.size)
        return digest

    def get(self, digest: Digest, *, verify: bool = False) -> Artifact:
        """Load an artifact; a table is mapped from its file.

        Sizes, times and the edges of files are checked every time; `verify` reads them whole.
        Raises MissingArtifact; CorruptArtifact, and then it is in quarantine and no longer `has`;
        UnknownKind.
        """
        manifest = self._checked(digest, verify=verify)
        kind = _kind(manifest)
        try:
            return kind.load(self._folder.place(digest) / CONTENT)
        except CorruptArtifact as error:
            if _is_lasting(error):
                self._put_aside(digest)
            raise _corrupt(manifest, error.fields["why"]) from error
        except _LOAD_FAULTS as error:
            self._put_aside(digest)
            raise _corrupt(manifest, f"{type(error).__name__}: {error}") from error

    def has(self, digest: Digest) -> bool:
        """Whether an artifact is stored; one look at a file, or one request."""
        if not _DIGEST.fullmatch(digest):
            return False
        return self._remote.has(digest) if self._remote else self._folder.has(digest)

    def manifest(self, digest: Digest) -> Manifest:
        """Kind, files and summary of an artifact, without loading it.

        Raises MissingArtifact and CorruptArtifact.
        """
        if not _DIGEST.fullmatch(digest):
            raise MissingArtifact(digest, self.url)
        places: list[StoreFolder | RemoteStore] = [self._folder]
        places += [self._remote] if self._remote else []
        for place in places:
            found, damaged = None, False
            try:
                if found := place.manifest(digest):
                    damaged = artifact_digest(found.kind, found.files) != digest
            except (ValueError, KeyError, TypeError, AttributeError):
                damaged = True
            if damaged and place is places[-1]:
                self._put_aside(digest)
                raise CorruptArtifact(f"value {digest}", "its manifest is damaged")
            if damaged:
                self._folder.remove(digest)
            elif found:
                return found
        raise MissingArtifact(digest, self.url)

    def files(self, digest: Digest) -> Mapping[str, int]:
        """The sizes of an artifact's files, by name."""
        return {name: file.size for name, file in self.manifest(digest).files.items()}

    def size(self, digest: Digest) -> int:
        """Bytes of an artifact's files."""
        return self.manifest(digest).size

    def path(self, digest: Digest) -> Path | None:
        """The folder with an artifact's files on this machine; None when it is not here.

        The files must not be changed.  `fetch` brings an artifact of a remote store here.
        """
        if not _DIGEST.fullmatch(digest) or not self._folder.has(digest):
            return None
        return self._folder.place(digest) / CONTENT

    def fetch(self, digest: Digest, *, verify: bool = False) -> Path:
        """The folder with an artifact's files, brought to this machine and checked as `get` does."""
        self._checked(digest, verify=verify)
        return self._folder.place(digest) / CONTENT

    def sync(self, digest: Digest) -> None:
        """Force an artifact to disk, so that it survives a loss of power; for imported data.

        Raises MissingArtifact.  Remote stores are as durable as their service says.
        """
        if not self.has(digest):
            raise MissingArtifact(digest, self.url)
        if not self._remote:
            self._folder.sync(digest)

    def record(self, key: str, result: StepRecord) -> None:
        """Note what a step gave, in place of an earlier note; its artifacts must be stored.

        Raises MissingArtifact when one is not, ValueError for a key that can be no file name.
        """
        _check_key(key)
        for output in result.outputs.values():
            if not self.has(Digest(output["digest"])):
                raise MissingArtifact(output["digest"], self.url)
        content = json.dumps(result.to_json(), ensure_ascii=False, indent=1).encode()
        if self._remote:
            self._remote.write_step(key, content)
        else:
            with writing_to(self._folder.root):
                self._folder.write_step(key, content)

    def result(self, key: str) -> StepRecord | None:
        """What a step gave, if that is known; its artifacts may be gone since.

        A record that cannot be read counts as unknown: the step runs again and replaces it.
        """
        _check_key(key)
        content = (self._remote or self._folder).read_step(key)
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            if content is not None:
                return StepRecord.from_json(json.loads(content))
        return None

    def unused(self, keep: Collection[Digest], *, idle_s: float = 3600.0) -> list[Digest]:
        """Artifacts not among `keep` that nobody has stored again for `idle_s` seconds.

        The pause protects what a running step has stored and nothing refers to yet.
        """
        place = self._remote or self._folder
        kept = set(keep)
        return sorted(d for d in place.digests() if d not in kept and place.idle(d) >= idle_s)

    def delete(self, digest: Digest) -> None:
        """Remove an artifact; none of that name is no mistake.  A table in use stays usable."""
        if not _DIGEST.fullmatch(digest):
            return
        if self._remote:
            self._remote.remove(digest)
        self._folder.remove(digest)

    def quarantine(self, digest: Digest) -> None:
        """Put an artifact aside that turned out to be damaged, so that its step runs again."""
        if _DIGEST.fullmatch(digest):
            self._put_aside(digest)

    def usage(self) -> Usage:
        """What the store takes, by kind of artifact; reads every manifest."""
        place = self._remote or self._folder
        kinds: dict[str, KindUsage] = {}
        for digest in place.digests():
            with suppress(ValueError, KeyError, TypeError):
                if found := place.manifest(digest):
                    so_far = kinds.get(found.kind, KindUsage(0, 0))
                    kinds[found.kind] = KindUsage(so_far.count + 1, so_far.size + found.size)
        return Usage(
            dict(sorted(kinds.items())),
            place.weight("steps"),
            self._folder.weight("quarantine"),
            self._folder.weight("temporary"),
        )

    def _checked(self, digest: Digest, *, verify: bool) -> Manifest:
        manifest = self.manifest(digest)
        if self._remote:
            return self._brought(digest, manifest, verify=verify)
        content = self._folder.place(digest) / CONTENT
        try:
            why = difference(content, manifest.files, whole=verify)
        except OSError as error:
            # A disk that fails now may answer later: nothing is put aside.
            raise _corrupt(manifest, str(error)) from error
        if why:
            self._folder.quarantine(digest)
            raise _corrupt(manifest, why)
        self._folder.settle(digest, manifest.files)
        return manifest

    def _brought(self, digest: Digest, manifest: Manifest, *, verify: bool) -> Manifest:
        assert self._remote  # noqa: S101  # called for remote stores only
        content = self._folder.place(digest) / CONTENT
        if self._folder.has(digest):
            if difference(content, manifest.files, whole=verify) is None:
                self._folder.touch(digest)
                return manifest
            # Only the copy is damaged; the original is fetched again.
            self._folder.remove(digest)
            manifest = self.manifest(digest)
        with writing_to(self._folder.root, manifest.size), self._folder.draft() as draft:
            # A download has times of its own, so every file is read whole here.
            if why := (
                self._remote.download(manifest, draft)
                or difference(draft / CONTENT, manifest.files, whole=True)
            ):
                self._remote.remove(digest, content=False)
                raise _corrupt(manifest, why)
            files = note_files(draft / CONTENT)
            manifest = Manifest(digest, manifest.kind, files, manifest.summary, manifest.stored_at)
            self._folder.adopt(draft, manifest)
        self._trim(manifest.size)
        return manifest

    def _put_aside(self, digest: Digest) -> None:
        if self._remote:
            self._remote.remove(digest, content=False)
        self._folder.quarantine(digest)

    def _trim(self, added: int) -> None:
        self._untrimmed += added
        if self._remote and self._untrimmed > self._cache_limit // 20:
            self._untrimmed = 0
            self._folder.trim(self._cache_limit)


def _kind(manifest: Manifest) -> type[Artifact]:
    if manifest.kind not in Artifact.kinds and manifest.kind in _MODULES:
        import_module(_MODULES[manifest.kind])
    if manifest.kind not in Artifact.kinds:
        raise UnknownKind(manifest.digest, manifest.kind)
    return Artifact.kinds[manifest.kind]


def _corrupt(manifest: Manifest, why: str) -> CorruptArtifact:
    error = CorruptArtifact(f"{manifest.kind} {manifest.digest}", why)
    error.fields["digest"] = manifest.digest
    return error


def _is_lasting(error: CorruptArtifact) -> bool:
    """Whether the content is at fault, and not a disk or a limit that may be right again later."""
    cause = error.__cause__
    return not isinstance(cause, OSError) or isinstance(cause, FileNotFoundError)


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"a step's key must be able to name a file: {key!r}")


def _local_path(url: str | Path) -> Path | None:
    if isinstance(url, Path):
        return url.expanduser().absolute()
    parts = urlsplit(url)
    if parts.scheme in ("file", "local"):
        return Path(unquote(parts.netloc + parts.path)).absolute()
    return None if "://" in url or "::" in url else Path(url).expanduser().absolute()


def _cache_folder(url: str) -> Path:
    from platformdirs import user_cache_path

    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return user_cache_path("modelwright") / "stores" / name
