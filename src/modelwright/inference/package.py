"""A serving as a folder or a zip file that answers requests without a workspace.

serving.json      name, inputs, outputs, versions of libraries, digest of every other file
plan.json         how requests are answered: the formulas
graph.yaml        the inference pipeline, to be read by people
artifacts/…       the frozen values
requirements.txt  what to install to run it
"""

from __future__ import annotations

import json
import platform
import secrets
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from modelwright import temporary
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.native import Native
from modelwright.inference.plan import NativePlace, ScoringPlan
from modelwright.inference.scorer import Scorer, compiled, natives_of
from modelwright.inference.serving import ReplyOutput, RequestInput, Serving

if TYPE_CHECKING:
    from modelwright.components.library import Library

FORMAT = "modelwright-serving"
VERSION = 1

_MANIFEST = "serving.json"
_PLAN = "plan.json"
_GRAPH = "graph.yaml"
_REQUIREMENTS = "requirements.txt"
_ARTIFACTS = "artifacts"
_NOTED = ("modelwright", "polars", "numpy", "pandas", "scikit-learn", "lightgbm", "scipy")
_NATIVE_LIBRARIES = {"lightgbm": "lightgbm", "sklearn": "scikit-learn", "torch": "torch"}


class NotAPackage(ModelwrightError):
    """A path that holds no packaged serving."""

    code = "not-a-package"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} is not a packaged inference pipeline: {why}.",
            remedy="Give the folder or the .zip that packaging wrote.",
            path=str(path),
            why=why,
        )


class NewerPackage(ModelwrightError):
    """A package was written by a newer version."""

    code = "newer-package"

    def __init__(self, path: Path, found: Any) -> None:
        super().__init__(
            f"{path} has format version {found}; the newest known is {VERSION}.",
            remedy="Update Modelwright, or package the pipeline with this version.",
            path=str(path),
            version=found,
            known=VERSION,
        )


class CorruptPackage(ModelwrightError):
    """A package is not as it was written."""

    code = "corrupt-package"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} is damaged: {why}.",
            remedy="Copy the package again, or package the pipeline anew.",
            path=str(path),
            why=why,
        )


@dataclass(frozen=True, eq=False)
class Package:
    """A packaged serving that was found whole.

    folder: its files.  digest: names its content.  made_with: versions of libraries it was made
    with, by name.
    """

    folder: Path
    digest: str
    name: str
    description: str
    inputs: tuple[RequestInput, ...]
    outputs: tuple[ReplyOutput, ...]
    made_with: Mapping[str, str]
    artifacts: Mapping[Digest, Mapping[str, str]] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> Package:
        """The package in a folder or zip file.

        A zip is unpacked beside the other temporary files, which go when the package is no longer
        used.  Raises NotAPackage, NewerPackage and CorruptPackage.
        """
        if path.is_dir():
            return _opened(path, path)
        if not path.is_file():
            raise NotAPackage(path, "there is no such folder or file")
        folder = Path(tempfile.mkdtemp(prefix="package-", dir=temporary.place()))
        try:
            _unpack(path, folder)
            package = _opened(folder, path)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        weakref.finalize(package, shutil.rmtree, folder, ignore_errors=True)
        return package

    @cached_property
    def plan(self) -> ScoringPlan:
        """How requests are answered.  Raises CorruptPackage."""
        try:
            return ScoringPlan.from_json(json.loads((self.folder / _PLAN).read_bytes()))
        except (KeyError, TypeError, ValueError, ModelwrightError) as error:
            raise CorruptPackage(self.folder, f"{_PLAN} cannot be read: {error}") from error

    def scorer(self, library: Library | None = None) -> Scorer:
        """What answers requests.

        A plan of formulas loads no component and no artifact.  Raises CorruptPackage, and what
        components raise for their settings.
        """
        steps = compiled(self.plan, self.inputs, self._native)
        if steps is not None:
            return Scorer.of(self.plan, self.inputs, steps)
        from modelwright.components.library import library as installed
        from modelwright.inference.table_steps import TableSteps

        table_steps = TableSteps(self.serving(), self.plan, library or installed())
        return Scorer.of(self.plan, self.inputs, table_steps)

    def serving(self) -> Serving:
        """The serving, whole; artifacts are loaded when they are asked for.

        Raises CorruptPackage.
        """
        from modelwright.graph import codec

        try:
            graph = codec.read((self.folder / _GRAPH).read_text(encoding="utf-8")).graph
        except ModelwrightError as error:
            raise CorruptPackage(self.folder, f"{_GRAPH} cannot be read: {error}") from error
        artifacts = _PackagedArtifacts(self)
        return Serving(self.name, graph, self.inputs, self.outputs, artifacts, self.description)

    def _native(self, place: NativePlace) -> Native:
        folder = self.folder / self.artifacts[place.digest]["folder"]
        return Native(place.kind, (folder / f"{place.name}.native").read_bytes(), place.notes)


class _PackagedArtifacts(Mapping[Digest, Artifact]):
    def __init__(self, package: Package) -> None:
        self._package = package
        self._loaded: dict[Digest, Artifact] = {}

    def __getitem__(self, digest: Digest) -> Artifact:
        if digest not in self._loaded:
            place = self._package.artifacts[digest]
            self._loaded[digest] = _kind(self._package, place["kind"]).load(
                self._package.folder / place["folder"]
            )
        return self._loaded[digest]

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._package.artifacts)

    def __len__(self) -> int:
        return len(self._package.artifacts)


def _kind(package: Package, kind: str) -> type[Artifact]:
    # Kinds are known once their modules are.
    from modelwright.data import file_bundle, fitted, python_model, table  # noqa: F401

    found = Artifact.kinds.get(kind)
    if found is None:
        raise CorruptPackage(package.folder, f'it holds a value of the unknown kind "{kind}"')
    return found


def read(path: Path) -> Serving:
    """The serving in a package.  Raises NotAPackage, NewerPackage and CorruptPackage."""
    return Package.open(path).serving()


def write(serving: Serving, path: Path, *, library: Library | None = None) -> Package:
    """Package a serving: as a zip when the path ends in .zip, else as a folder; at once or not at all.

    The sample rows are scored on the way.  Raises UnservablePipeline, and what scoring them raises;
    NotAPackage when the path holds something else.
    """
    from modelwright.components.library import library as installed

    known = library or installed()
    if path.exists() and not _may_be_replaced(path):
        raise NotAPackage(path, "it holds something else, which is not overwritten")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        draft.mkdir()
        _fill(draft, serving, known)
        if path.suffix == ".zip":
            packed = draft.with_suffix(".zip")
            _pack(draft, packed)
            packed.replace(path)
        else:
            _put_in_place(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Package.open(path)


def _may_be_replaced(path: Path) -> bool:
    return (path / _MANIFEST).is_file() if path.is_dir() else path.suffix == ".zip"


def _put_in_place(draft: Path, path: Path) -> None:
    if path.exists():
        old = draft.with_suffix(".old")
        path.rename(old)
        draft.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    else:
        draft.rename(path)


def _fill(folder: Path, serving: Serving, library: Library) -> None:
    from modelwright.graph import codec

    scorer = Scorer(serving, library)
    plan, outputs = _tried(scorer, serving, library)
    artifacts: dict[str, dict[str, str]] = {}
    for digest, artifact in serving.artifacts.items():
        place = f"{_ARTIFACTS}/{digest.partition(':')[2][:32]}"
        (folder / place).mkdir(parents=True)
        artifact.save(folder / place)
        artifacts[digest] = {"kind": artifact.kind, "folder": place}
    _write_json(folder / _PLAN, plan.to_json())
    document = codec.Document(serving.graph)
    (folder / _GRAPH).write_text(codec.write(document), encoding="utf-8")
    made_with = _versions()
    (folder / _REQUIREMENTS).write_text(_requirements(plan, made_with), encoding="utf-8")
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "name": serving.name,
        "description": serving.description,
        "inputs": [i.to_json() for i in serving.inputs],
        "outputs": [o.to_json() for o in outputs],
        "artifacts": artifacts,
        "made_with": made_with,
        "files": {str(p.relative_to(folder)): _digest(p) for p in _files(folder)},
    }
    _write_json(folder / _MANIFEST, {**manifest, "checksum": _checksum(manifest)})


def _tried(
    scorer: Scorer, serving: Serving, library: Library
) -> tuple[ScoringPlan, tuple[ReplyOutput, ...]]:
    """The plan with what the samples tell of it, and the outputs with the columns they give."""
    from modelwright.data.schema import Column
    from modelwright.inference.costs import with_costs
    from modelwright.inference.crossover import with_crossovers

    plan = scorer.plan
    if not all(i.samples for i in serving.inputs):
        return plan, serving.outputs
    columns = scorer.try_samples().columns
    outputs = tuple(
        replace(o, columns=tuple(Column(n, kind) for n, kind in columns[o.name]))
        for o in serving.outputs
    )
    native = natives_of(serving)
    plan = with_costs(plan, serving, library, scorer.samples(), native)
    return with_crossovers(plan, serving.inputs, native), outputs


def _opened(folder: Path, path: Path) -> Package:
    try:
        content = (folder / _MANIFEST).read_bytes()
    except OSError:
        raise NotAPackage(path, f"it has no {_MANIFEST}") from None
    try:
        manifest = json.loads(content)
    except ValueError as error:
        raise CorruptPackage(path, f"{_MANIFEST} is not JSON: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise NotAPackage(path, f"its {_MANIFEST} is something else")
    if not isinstance(manifest.get("version"), int) or manifest["version"] > VERSION:
        raise NewerPackage(path, manifest.get("version"))
    if manifest.pop("checksum", None) != _checksum(manifest):
        raise CorruptPackage(path, f"{_MANIFEST} was changed")
    for name, digest in manifest["files"].items():
        try:
            found = _digest(folder / name)
        except OSError:
            raise CorruptPackage(path, f"{name} is missing") from None
        if found != digest:
            raise CorruptPackage(path, f"{name} was changed")
    return Package(
        folder,
        "sha256:" + sha256(content).hexdigest(),
        manifest["name"],
        manifest["description"],
        tuple(RequestInput.from_json(i) for i in manifest["inputs"]),
        tuple(ReplyOutput.from_json(o) for o in manifest["outputs"]),
        manifest["made_with"],
        {Digest(d): place for d, place in manifest["artifacts"].items()},
    )


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(folder):
            archive.write(file, str(file.relative_to(folder)))


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                place = PurePosixPath(name)
                if place.is_absolute() or ".." in place.parts:
                    raise CorruptPackage(path, f'it holds a file outside itself, "{name}"')
            try:
                archive.extractall(folder)
            except (zipfile.BadZipFile, zlib.error) as error:
                raise CorruptPackage(path, str(error)) from error
    except zipfile.BadZipFile as error:
        raise NotAPackage(path, str(error)) from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise CorruptPackage(path, str(error)) from error


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    path.write_text(text, encoding="utf-8")


def _checksum(manifest: Mapping[str, Any]) -> str:
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        found = sha256()
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _NOTED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _requirements(plan: ScoringPlan, made_with: Mapping[str, str]) -> str:
    """Packages to install: a plan of formulas needs none of the libraries that trained it."""
    kinds = {p.kind for c in plan.chains or () for p in c.natives.values()}
    needed = {_NATIVE_LIBRARIES[k] for k in kinds if k in _NATIVE_LIBRARIES}
    extras = "serve" if plan.is_compiled else "serve,learn"
    if not plan.is_compiled:
        needed |= {n for n in _NOTED if n not in ("modelwright", "polars", "numpy")}
    lines = [
        f"# Python {made_with['python']}; run with: python -m modelwright.serve.replica PACKAGE",
        f"modelwright[{extras}]=={made_with['modelwright']}",
        *(f"{n}=={made_with[n]}" for n in ("polars", "numpy") if n in made_with),
        *(f"{n}=={made_with[n]}" for n in sorted(needed) if n in made_with),
    ]
    return "\n".join(lines) + "\n"
