"""Registered models of a server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from modelwright import temporary
from modelwright.client.connection import Connection, segment


@dataclass(frozen=True)
class RegisteredModel:
    """One version of a model or transformation.  metrics: how good it was when it was registered."""

    name: str
    version: int
    kind: str
    digest: str
    description: str
    metrics: Mapping[str, float | None]


class Models:
    """The registered models of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self, *, search: str = "") -> tuple[RegisteredModel, ...]:
        """The latest version of each, by name.  search: words of the name or description."""
        found = self._server.get("/api/models", search=search)["items"]
        return tuple(_model(m) for m in found)

    def get(self, name: str, *, version: int | None = None) -> RegisteredModel:
        """One version of a model, the latest unless given.  Raises NotFound."""
        return _model(self._server.get(f"/api/models/{segment(name)}", version=version))

    def versions(self, name: str) -> tuple[RegisteredModel, ...]:
        """Every version, latest first.  Raises NotFound."""
        found = self._server.get(f"/api/models/{segment(name)}/versions")["items"]
        return tuple(_model(m) for m in found)

    def uses(self, name: str) -> tuple[dict[str, Any], ...]:
        """The drafts, runs and endpoints that name it, those that need it now first, as JSON."""
        return tuple(self._server.get(f"/api/models/{segment(name)}/uses")["items"])

    def delete(self, name: str, *, version: int | None = None, force: bool = False) -> None:
        """Hide a version, or all of them.  Raises InUse while something needs it, unless forced."""
        self._server.delete(f"/api/models/{segment(name)}", version=version, force=force)

    def restore(self, name: str, *, version: int | None = None) -> RegisteredModel:
        """Bring back a deleted version, or all that the last deletion hid."""
        address = f"/api/models/{segment(name)}/restore"
        return _model(self._server.post(address, version=version))

    def export(
        self,
        name: str,
        path: Path,
        *,
        version: int | None = None,
        format: Literal["zip", "onnx"] = "zip",
    ) -> Path:
        """Write a model to a file: a package that scores alone, or one ONNX model.

        Raises NotFound, NotInOnnx, OnnxDiffers and MissingLibrary.
        """
        address = f"/api/models/{segment(name)}/export"
        path.write_bytes(self._server.content(address, version=version, format=format))
        return path

    def learnt(self, name: str, *, version: int | None = None) -> dict[str, Any]:
        """What a model learnt, as JSON: see docs/howto/explain-a-model.md.  Raises NotFound."""
        digest = self.get(name, version=version).digest
        found: dict[str, Any] = self._server.get(f"/api/artifacts/{digest}")["content"]["learnt"]
        return found

    def add(
        self,
        path: Path,
        *,
        name: str,
        label: str = "label",
        features: Sequence[str] = (),
        classes: Sequence[str | int | bool] = (),
        sample_dataset: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> RegisteredModel:
        """Upload a model that was trained elsewhere and register it, or its next version.

        path: LightGBM text, ONNX, scikit-learn saved with skops, or an MLflow folder.  label, features,
        classes: what the file does not tell.  sample_dataset: name of a dataset such as it was
        trained on.  Raises what is wrong with the file.
        """
        with tempfile.TemporaryDirectory(dir=temporary.place()) as folder:
            if path.is_dir():
                packed = shutil.make_archive(
                    str(Path(folder) / path.name), "zip", path.parent, path.name
                )
                path = Path(packed)
            upload = self._server.post(
                "/api/uploads", {"name": path.name, "size": path.stat().st_size}
            )["id"]
            with path.open("rb") as file:
                self._server.send_file(f"/api/uploads/{upload}/content", file)
        body = {
            "name": name,
            "upload": upload,
            "label": label,
            "features": list(features),
            "classes": list(classes),
            "sample_dataset": sample_dataset,
            "description": description,
            "tags": dict(tags or {}),
        }
        return _model(self._server.post("/api/models", body))


def _model(body: Mapping[str, Any]) -> RegisteredModel:
    return RegisteredModel(
        body["name"],
        body["version"],
        body["kind"],
        body["digest"],
        body["description"],
        body["metrics"],
    )
