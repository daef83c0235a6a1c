"""Take a pipeline away: as a package that runs by itself, or as ONNX."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from modelwright import temporary
from modelwright.actions.endpoints import endpoint_package
from modelwright.data.store_errors import writing_to
from modelwright.graph.graph import Graph

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.inference.package import Package

ExportFormat = Literal["folder", "zip", "onnx"]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.  steps: the nodes at work.  bytes: of the file, or of all files of the folder."""

    path: Path
    format: ExportFormat
    steps: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """What was written, as JSON."""
        return {
            "path": str(self.path),
            "format": self.format,
            "steps": self.steps,
            "bytes": self.bytes,
        }


def export_endpoint(
    home: Home, name: str, path: Path, *, format: ExportFormat | None = None
) -> Exported:
    """Write what an endpoint serves.

    format: by the path's ending for None: .zip, .onnx, or else a folder.
    Raises NotFound, NotAPackage when the path holds something else, NotInOnnx, OnnxDiffers,
    MissingLibrary, and what `Package.open` raises.
    """
    return _written(home, endpoint_package(home, name), path, format)


def export_pipeline(
    home: Home, graph: Graph, path: Path, *, name: str = "", format: ExportFormat | None = None
) -> Exported:
    """Write an inference pipeline that need not be deployed; as `export_endpoint` otherwise.

    Raises what `prepare` and `package.write` raise, too.
    """
    from modelwright.inference import package
    from modelwright.inference.prepare import prepare

    serving = prepare(
        graph,
        name=name or graph.name or "pipeline",
        library=home.library,
        assets=home.assets,
        load=home.store.get,
        save=home.store.put,
    )
    with temporary.passing(home.folder) as folder:
        made = package.write(serving, folder / "package", library=home.library)
        return _written(home, made, path, format)


def export_name(name: str, format: ExportFormat) -> str:
    """A name for the exported file."""
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:100] or "pipeline"
    return stem + {"folder": "", "zip": ".zip", "onnx": ".onnx"}[format]


def _written(home: Home, made: Package, path: Path, format: ExportFormat | None) -> Exported:
    from modelwright.inference.takeaway import export_package

    chosen = format or _by_ending(path)
    steps = len(made.plan.steps)
    if chosen == "onnx":
        from modelwright.inference.onnx_form.export import export

        model = export(made.serving(), library=home.library)
        with writing_to(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(model.content)
        return Exported(path, chosen, steps, len(model.content))
    with writing_to(path.parent):
        if chosen == "zip" and path.suffix != ".zip":
            export_package(made, path.with_name(f"{path.name}.zip")).replace(path)
        else:
            export_package(made, path)
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return Exported(path, chosen, steps, sum(p.stat().st_size for p in files))


def _by_ending(path: Path) -> ExportFormat:
    endings: dict[str, ExportFormat] = {".zip": "zip", ".onnx": "onnx"}
    return endings.get(path.suffix.lower(), "folder")
