"""What the process of a script is asked to do: run its top, call its function, train, predict."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import pickle
import secrets
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from modelwright.data.errors import ModelwrightError
from modelwright.data.scripting.errors import ScriptError, ScriptOutOfMemory
from modelwright.data.scripting.frames import from_pandas, to_pandas
from modelwright.data.scripting.script import SCRIPT, call, running
from modelwright.data.table import Table

MODEL_CLASS = "AzureMLModel"

_FUNCTION = "azureml_main"
_METHODS = {"__init__": 0, "train": 2, "predict": 1}


class Jobs:
    """Does one job after another, with the script that the first one opened."""

    def __init__(self) -> None:
        self._files = contextlib.ExitStack()
        self._entry: Any = None
        self._model: Any = None

    def do(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a message: what the job gave, or the error of the user's mistake."""
        work: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "open": self._open,
            "call": self._call,
            "train": self._train,
            "restore": self._restore,
            "predict": self._predict,
        }
        try:
            return {"gave": work[message["do"]](message)}
        except ModelwrightError as error:
            return {"error": error.to_json()}
        except MemoryError:
            return {"error": ScriptOutOfMemory(None).to_json()}
        except Exception:  # noqa: BLE001  # the rim of a process: whoever asked logs it
            return {"broke": traceback.format_exc()}

    def _open(self, message: Mapping[str, Any]) -> dict[str, Any]:
        if message["memory_gb"]:
            _limit_memory(message["memory_gb"])
        folder = Path(message["folder"])
        # What a script puts among the temporary files goes with its folder, however the script ends.
        own = folder.parent / "temporary"
        own.mkdir(exist_ok=True)
        os.environ["TMPDIR"], tempfile.tempdir = str(own), None
        script = running(message["source"], entry=message["entry"], folder=folder)
        self._entry = self._files.enter_context(script)
        return {}

    def _call(self, message: Mapping[str, Any]) -> dict[str, Any]:
        tables = [Table.load(Path(p)) if p else None for p in message["inputs"]]
        frames = [to_pandas(table) for table in tables]
        line = _line_of(self._entry)
        try:
            inspect.signature(self._entry).bind(*frames)
        except (TypeError, ValueError) as error:
            why = f"{_FUNCTION} cannot be called with two data frames ({error})"
            remedy = f"Declare it as {_FUNCTION}(dataframe1=None, dataframe2=None)."
            raise ScriptError(why, line=line, remedy=remedy) from None
        results = _results(call(self._entry, *frames), line)
        what = f"what {_FUNCTION} returns"
        gave: list[str | None] = []
        notes: list[str] = []
        for result, words in zip(results, (what, f"the second of {what}"), strict=True):
            if result is None and words != what:
                gave.append(None)
                continue
            notes += _of_index(result)
            table = from_pandas(result, what=words, line=line, like=tuple(tables))
            gave.append(_saved(table, Path(message["out"])))
        plots = _plots() if message["plots"] else {}
        for name, content in plots.items():
            (Path(message["out"]) / name).write_bytes(content)
        return {"tables": gave, "plots": list(plots), "notes": notes}

    def _train(self, message: Mapping[str, Any]) -> dict[str, Any]:
        features, label = (Table.load(Path(message[name])) for name in ("features", "label"))
        self._model = _made(self._entry)
        label_frame = to_pandas(label)
        assert label_frame is not None  # noqa: S101  # a table gives a frame
        call(self._model.train, to_pandas(features), label_frame)
        path = Path(message["out"])
        try:
            path.write_bytes(pickle.dumps(self._model))
        except Exception as error:  # a user's object may refuse in any way
            why = f"the trained {MODEL_CLASS} cannot be kept ({type(error).__name__}: {error})"
            remedy = "Keep in it only what pickle can store: no open files, locks or lambdas."
            raise ScriptError(why.rstrip("."), line=_line_of(self._entry), remedy=remedy) from error
        return {}

    def _restore(self, message: Mapping[str, Any]) -> dict[str, Any]:
        content = Path(message["model"]).read_bytes()
        # Made by `_train` from the same script, which may do anything as it is.
        self._model = call(pickle.loads, content)
        return {}

    def _predict(self, message: Mapping[str, Any]) -> dict[str, Any]:
        features = Table.load(Path(message["features"]))
        line = _line_of(type(self._model).predict)
        frame = call(self._model.predict, to_pandas(features))
        table = from_pandas(frame, what="what predict returns", line=line, like=())
        if table.rows != features.rows:
            why = f"predict returns {table.rows} rows for {features.rows}"
            raise ScriptError(why, line=line, remedy="Return one row of scores for each row.")
        return {"table": _saved(table, Path(message["out"]))}


def _made(entry: Any) -> Any:
    """An object of the user's class.  Raises ScriptError when it lacks a method."""
    line = _line_of(entry)
    if not isinstance(entry, type):
        raise ScriptError(f"{MODEL_CLASS} is no class", line=line)
    for name, count in _METHODS.items():
        method = getattr(entry, name, None)
        if not callable(method):
            raise ScriptError(f'{MODEL_CLASS} has no method "{name}"', line=line)
        try:
            inspect.signature(method).bind(None, *([None] * count))
        except (TypeError, ValueError) as error:
            why = f'"{name}" cannot be called with {count} data frames ({error})'
            raise ScriptError(why, line=_line_of(method)) from None
    return call(entry)


def _results(returned: Any, line: int | None) -> tuple[Any, Any]:
    """The one or two values that were returned.  Raises ScriptError for another number."""
    if not isinstance(returned, (tuple, list)):
        return returned, None
    if len(returned) not in (1, 2):
        raise ScriptError(
            f"{_FUNCTION} returns {len(returned)} values; one or two data frames are taken",
            line=line,
        )
    return returned[0], returned[1] if len(returned) == 2 else None


def _of_index(frame: Any) -> list[str]:
    names = [name for name in getattr(getattr(frame, "index", None), "names", ()) if name]
    return [
        f'The index "{name}" is left out of the table; reset_index() would keep it.'
        for name in names
    ]


def _line_of(entry: Any) -> int | None:
    code = getattr(entry, "__code__", None) or getattr(
        getattr(entry, "__init__", None), "__code__", None
    )
    return code.co_firstlineno if code is not None and code.co_filename == SCRIPT else None


def _saved(table: Table, folder: Path) -> str:
    place = folder / secrets.token_hex(4)
    place.mkdir()
    table.save(place)
    return str(place)


def _plots() -> dict[str, bytes]:
    """The open figures of matplotlib as PNG by file name; they are closed."""
    plt = sys.modules.get("matplotlib.pyplot")
    if plt is None:
        return {}
    found: dict[str, bytes] = {}
    for number in plt.get_fignums():
        content = io.BytesIO()
        # Without what tells of program and time, so that equal figures are equal files.
        call(
            lambda number=number, content=content: plt.figure(number).savefig(
                content, format="png", metadata={"Software": None}
            )
        )
        found[f"plot-{len(found) + 1:02}.png"] = content.getvalue()
    plt.close("all")
    return found


def _limit_memory(gigabytes: float) -> None:
    """Bound what the process may have beyond what the host had loaded."""
    import resource

    # What the libraries reserve at their first use is theirs.
    to_pandas(Table(pl.DataFrame({"a": [1], "b": ["x"]})))
    with open("/proc/self/status", encoding="ascii") as status:
        had = next(int(line.split()[1]) for line in status if line.startswith("VmData:"))
    most = had * 1024 + int(gigabytes * 1e9)
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
    if hardest == resource.RLIM_INFINITY or most < hardest:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hardest))
