"""Running a user's Python source in this process: its files, and its mistakes by line."""

from __future__ import annotations

import ast
import contextlib
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from modelwright.data.scripting.errors import ScriptError, ScriptOutOfMemory

SCRIPT = "script.py"
"""The name under which the script stands in a traceback."""

BUNDLE_FOLDER = "Script Bundle"
"""Where the files of a bundle lie, below the folder in which the script runs."""


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
def running(source: str, *, entry: str, folder: Path) -> Iterator[Any]:
    """Runs the top of the script and gives what it calls `entry`, while it stands in a traceback.

    folder: becomes the working folder; modules are imported from its folder "Script Bundle".  The
    process is taken over for good: nothing of it is put back.
    """
    code = compiled(source, entry=entry)
    with contextlib.chdir(folder):
        sys.path.insert(0, str(folder / BUNDLE_FOLDER))
        linecache.cache[SCRIPT] = (len(source), None, source.splitlines(keepends=True), SCRIPT)
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
        print(text, file=sys.stderr, flush=True)  # noqa: T201  # the step's log
        if isinstance(error, MemoryError):
            raise ScriptOutOfMemory(None, line=line) from error
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
