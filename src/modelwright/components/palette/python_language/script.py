"""Running a user's Python source: its files, its prints, and its mistakes by line."""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from modelwright.components.context import Context
from modelwright.components.errors import ComponentError
from modelwright.data.file_bundle import FileBundle

SCRIPT = "script.py"
"""The name under which the script stands in a traceback."""

BUNDLE_FOLDER = "Script Bundle"
"""Where the files of a bundle lie, below the folder in which the script runs."""

# Working folder, standard output and loaded modules belong to the process, not to a thread.
_ONE_AT_A_TIME = threading.Lock()


class ScriptError(ComponentError):
    """The user's script does not parse, raises an error, or gives back what is no result.

    line: of the script, from 1; None when no line of it is to blame.
    """

    code = "script-failed"

    def __init__(self, why: str, *, line: int | None = None, remedy: str = "") -> None:
        place = f"Line {line} of the script" if line else "The script"
        super().__init__(
            f"{place}: {why}.",
            remedy=remedy or "Correct the script; the log holds what it printed until then.",
            line=line,
            why=why,
        )


def compiled(source: str, *, entry: str) -> CodeType:
    """The script, ready to run.  Raises ScriptError when it does not parse or defines no `entry`."""
    code, names = _compiled(source)
    if entry not in names and "*" not in names:
        raise ScriptError(
            f'it defines no "{entry}"',
            remedy=f"Write a function or class called exactly {entry}.",
        )
    return code


@contextlib.contextmanager
def running(
    source: str, *, entry: str, bundle: FileBundle | None, context: Context
) -> Iterator[Any]:
    """Runs the top of the script and gives what it calls `entry`, while its files are in place.

    Within, the working folder is a fresh one with the bundle's files in it, the bundle can be
    imported from, and what is printed goes to the log, a line at a time.
    """
    code = compiled(source, entry=entry)
    printed = _Lines(context.log)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_ONE_AT_A_TIME)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=context.scratch)))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(_modules_of(folder / BUNDLE_FOLDER))
        if bundle is not None:
            bundle.unpack(folder / BUNDLE_FOLDER)
        stack.callback(printed.close)
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(printed))
        lines = source.splitlines(keepends=True)
        linecache.cache[SCRIPT] = (len(source), None, lines, SCRIPT)
        stack.callback(linecache.cache.pop, SCRIPT, None)
        module = ModuleType("script")
        module.__file__ = SCRIPT
        sys.modules["script"] = module
        call(exec, code, vars(module))
        if entry not in vars(module):
            raise ScriptError(f'it defines no "{entry}" when it is run')
        yield vars(module)[entry]


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the user's code.  Raises ScriptError, with the line of the script, for whatever it raises."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:  # a user's code may raise anything
        line = _line(error.__traceback__)
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        text = "".join(traceback.format_exception(type(error), error, trace))
        print(text, file=sys.stderr)  # noqa: T201  # standard error is the step's log here
        first = next(iter(str(error).strip().splitlines()), "")
        why = f"{type(error).__name__}: {first}" if first else type(error).__name__
        raise ScriptError(why.rstrip("."), line=line) from error


@lru_cache(maxsize=32)
def _compiled(source: str) -> tuple[CodeType, frozenset[str]]:
    try:
        tree = ast.parse(source, SCRIPT)
        code = compile(tree, SCRIPT, "exec")
    except SyntaxError as error:
        raise ScriptError(f"{error.msg}", line=error.lineno) from None
    except ValueError as error:
        raise ScriptError(str(error)) from None
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=alias):
                names.add(alias or name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
    return code, frozenset(names)


def _line(trace: TracebackType | None) -> int | None:
    frames = traceback.extract_tb(trace)
    return next((f.lineno for f in reversed(frames) if f.filename == SCRIPT), None)


@contextlib.contextmanager
def _modules_of(folder: Path) -> Iterator[None]:
    """Lets modules be imported from the folder, and forgets them afterwards.

    Another run may bring other files under the same names.
    """
    place = str(folder)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(place)
        sys.path_importer_cache.pop(place, None)
        sys.modules.pop("script", None)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.startswith(place + os.sep):
                del sys.modules[name]


class _Lines(io.TextIOBase):
    """Hands on what is printed, a line at a time."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._log(line)
        return len(text)

    def close(self) -> None:
        if self._rest:
            self._log(self._rest)
            self._rest = ""
        super().close()
