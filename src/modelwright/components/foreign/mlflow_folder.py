"""MLflow model folders, read without MLflow: the `MLmodel` file says what lies beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from modelwright.components.foreign.described import Said
from modelwright.components.foreign.errors import PickledModel, UnreadableModel
from modelwright.components.foreign.lightgbm_text import read_lightgbm
from modelwright.components.foreign.onnx_file import read_onnx
from modelwright.components.foreign.skops_file import read_skops
from modelwright.data.fitted import Model

MLMODEL = "MLmodel"


def read_mlflow(folder: Path, said: Said) -> Model:
    """The model in a folder that MLflow wrote, of the flavours lightgbm, onnx, and sklearn with skops.

    Where the file inside has no names of its features, those of the signature's inputs are taken.
    Raises PickledModel, UnreadableModel and what reading the file beside raises.
    """
    try:
        about = yaml.safe_load((folder / MLMODEL).read_text(encoding="utf-8"))
        flavours: Mapping[str, Any] = about["flavors"]
        named = tuple(i["name"] for i in _inputs(about) if "name" in i)
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UnreadableModel(folder.name, f"its {MLMODEL} is not in order ({error})") from error
    said = replace(said, signed=named)
    if "lightgbm" in flavours:
        flavour = flavours["lightgbm"]
        return read_lightgbm(_beside(folder, flavour.get("data", "model.lgb")), said)
    if "onnx" in flavours:
        return read_onnx(_beside(folder, flavours["onnx"].get("data", "model.onnx")), said)
    if "sklearn" in flavours:
        flavour = flavours["sklearn"]
        path = _beside(folder, flavour.get("pickled_model", "model.pkl"))
        if flavour.get("serialization_format") != "skops":
            raise PickledModel(f"{folder.name}/{path.name}")
        return read_skops(path, said)
    known = ", ".join(sorted(flavours)) or "none"
    raise UnreadableModel(
        folder.name,
        f"its flavours are {known}",
        "Save it with the flavour lightgbm, onnx, or sklearn in the skops format.",
    )


def _inputs(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns that the signature names."""
    given = (about.get("signature") or {}).get("inputs")
    found: list[dict[str, Any]] = json.loads(given) if given else []
    return found


def _beside(folder: Path, name: str) -> Path:
    """A file in the folder.  Raises UnreadableModel for one that is not, or that lies elsewhere."""
    path = (folder / name).resolve()
    if path.is_dir():
        inside = sorted(p for p in path.iterdir() if p.is_file())
        path = inside[0] if len(inside) == 1 else path
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise UnreadableModel(folder.name, f'the file "{name}" that it names is not in it')
    return path
