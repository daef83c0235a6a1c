"""Columns that the folders of a table's files tell, as in sales/year=2026/month=7/part-0.parquet."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import unquote

import polars as pl

from modelwright.components.places.storage import Place

Told = Mapping[str, int | str | None]

_FOLDER = re.compile(r"([^=/]+)=([^/]*)")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
# What Hive calls the folder of rows without a value.
_MISSING = "__HIVE_DEFAULT_PARTITION__"


def told_by_folders(place: Place, files: Sequence[str]) -> list[Told]:
    """For each file what its folders tell, below the folder that was asked for; the same columns each.

    Values are whole numbers where all of their column are written as such, and otherwise text.
    """
    found = [_told(_below(place, file)) for file in files]
    names = list(dict.fromkeys(name for one in found for name in one))
    whole = {
        name
        for name in names
        if all(_WHOLE.fullmatch(v) for one in found if (v := one.get(name)) is not None)
    }
    return [
        {n: int(v) if (v := one.get(n)) is not None and n in whole else v for n in names}
        for one in found
    ]


def dtypes_of(told: Sequence[Told], *, besides: Collection[str]) -> dict[str, pl.DataType]:
    """The type of each column that folders tell, but for those `besides`."""
    return {
        name: pl.Int64() if any(isinstance(one[name], int) for one in told) else pl.String()
        for name in told[0]
        if name not in besides
    }


def _below(place: Place, file: str) -> str:
    """The path of a file below the folder that was asked for, or that wildcards begin in."""
    asked = re.split(r"[*?\[]", place.path, maxsplit=1)[0]
    folder = f"{asked.rstrip('/')}/"
    if not file.startswith(folder):
        folder = asked[: asked.rfind("/") + 1]
    return file[len(folder) :] if file.startswith(folder) else ""


def _told(path: str) -> dict[str, str | None]:
    pairs = [pair for folder in path.split("/")[:-1] for pair in _FOLDER.findall(folder)]
    return {unquote(n): None if v in ("", _MISSING) else unquote(v) for n, v in pairs}
