"""Processes of scripts: one for a single use, or one that stays for the next request."""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from modelwright.data.file_bundle import FileBundle
from modelwright.data.scripting.environment import packages_for
from modelwright.data.scripting.process import ScriptProcess

_MOST = 8

_Key = tuple[int, str, str, str, float | None, int]

# The bundle is kept with the process, so that its place in memory names it for as long.
_staying: OrderedDict[_Key, tuple[ScriptProcess, FileBundle | None]] = OrderedDict()
_lock = threading.Lock()


@contextmanager
def borrowed(
    source: str,
    *,
    entry: str,
    requirements: str = "",
    bundle: FileBundle | None = None,
    memory_gb: float | None = None,
    time_s: float | None = None,
    scratch: Path | None = None,
    log: Callable[[str], None] = lambda line: None,
    keep: bool = False,
    prepare: Callable[[ScriptProcess], None] = lambda process: None,
) -> Iterator[ScriptProcess]:
    """The process of a script, for a while.

    keep: it stays for the next one who wants the same; nobody else has it meanwhile.  prepare: done
    once with a new process.  Raises what ScriptProcess, `packages_for` and `prepare` raise.
    """
    key = (os.getpid(), source, entry, requirements, memory_gb, id(bundle))
    found = _taken(key) if keep else None
    if found is None:
        found = ScriptProcess(
            source,
            entry=entry,
            bundle=bundle,
            packages=packages_for(requirements, log=log),
            memory_gb=memory_gb,
            time_s=time_s,
            # What stays must outlive the step's own folder.
            scratch=None if keep else scratch,
            log=log,
        )
        try:
            prepare(found)
        except BaseException:
            found.close()
            raise
    found.log = log
    try:
        yield found
    finally:
        if keep and found.is_there:
            _put_back(key, found, bundle)
        else:
            found.close()


def _taken(key: _Key) -> ScriptProcess | None:
    with _lock:
        process, _ = _staying.pop(key, (None, None))
    return process if process is not None and process.is_there else None


def _put_back(key: _Key, process: ScriptProcess, bundle: FileBundle | None) -> None:
    with _lock:
        former = _staying.pop(key, None)
        _staying[key] = (process, bundle)
        gone = [former] if former else []
        while len(_staying) > _MOST:
            gone.append(_staying.popitem(last=False)[1])
    for closed, _ in gone:
        closed.close()


@atexit.register
def _end_all() -> None:
    with _lock:
        own = [k for k in _staying if k[0] == os.getpid()]
        gone = [_staying.pop(k) for k in own]
    for process, _ in gone:
        process.close()
