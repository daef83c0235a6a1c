"""A model in a file, whatever its format; nothing in the file is ever run as a program."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from modelwright import temporary
from modelwright.components.foreign.described import Said
from modelwright.components.foreign.errors import PickledModel, UnknownModelFormat, UnreadableModel
from modelwright.components.foreign.lightgbm_text import read_lightgbm
from modelwright.components.foreign.mlflow_folder import MLMODEL, read_mlflow
from modelwright.components.foreign.onnx_file import read_onnx
from modelwright.components.foreign.skops_file import read_skops
from modelwright.data.fitted import Model

LARGEST = 4 << 30
"""Bytes that a zipped folder may have unpacked."""


def read_model(path: Path, said: Said | None = None, *, name: str = "") -> Model:
    """The model in a file or folder: LightGBM text, ONNX, skops, or an MLflow folder, zipped or not.

    name: of the file where its path does not tell it.  Raises UnknownModelFormat, PickledModel,
    UntrustedModel, UnreadableModel, MissingExtra and, for a column that the sample lacks, MissingColumn.
    """
    said, shown = said or Said(), Path(name).name or path.name
    if shown != path.name and path.is_file():
        with tempfile.TemporaryDirectory(prefix="model-", dir=temporary.place()) as folder:
            # Under its own name, which tells the format and stands in messages.
            named = Path(folder) / shown
            named.symlink_to(path.resolve())
            return read_model(named, said)
    if path.is_dir():
        if not (path / MLMODEL).is_file():
            raise UnknownModelFormat(shown)
        return read_mlflow(path, said)
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise UnreadableModel(shown, error.strerror or str(error), "Check the path.") from error
    if zipfile.is_zipfile(path):
        return _zipped(path, said, shown)
    if head.startswith(b"tree\n"):
        return read_lightgbm(path, said)
    if head.startswith(b"\x80") or Path(shown).suffix in (".pkl", ".pickle", ".joblib"):
        raise PickledModel(shown)
    if Path(shown).suffix == ".onnx":
        return read_onnx(path, said)
    raise UnknownModelFormat(shown)


def _zipped(path: Path, said: Said, shown: str) -> Model:
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        if "schema.json" in names:
            return read_skops(path, said)
        heads = [n for n in names if n == MLMODEL or n.endswith(f"/{MLMODEL}")]
        if len(heads) != 1:
            raise UnknownModelFormat(shown)
        if sum(entry.file_size for entry in packed.infolist()) > LARGEST:
            raise UnreadableModel(shown, "it is too large unpacked", "Leave out what is no model.")
        with tempfile.TemporaryDirectory(prefix="model-", dir=temporary.place()) as folder:
            # extractall leaves no entry outside of the folder.
            packed.extractall(folder)
            return read_mlflow(Path(folder) / Path(heads[0]).parent, said)
