"""The source text that a component's results depend on, as a digest.

The rule: the component's own module, and every module that it leads to inside `modelwright.components`
and `modelwright.data`, or inside the package that the component comes from.  Left out are the modules
that describe components and keep values without making any; a change there would rerun every step.
Releases of other libraries change nothing here.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import modelwright
from modelwright.components.contract import Component

_OUR_PACKAGE = "modelwright"
_OURS = ("modelwright.components.", "modelwright.data.")
_MAKES_NO_VALUES = frozenset(
    {
        *(f"modelwright.components.{name}" for name in ("contract", "context", "errors")),
        *(f"modelwright.components.{name}" for name in ("library", "outline", "parameters")),
        *(f"modelwright.data.{name}" for name in ("artifact", "errors", "store")),
    }
)
_FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Source:
    """The source of a component.

    digest: over all of it, 64 hexadecimal digits.  modules: the digest of each module's text, by
    name, so that it can be told which one changed.
    """

    digest: str
    modules: Mapping[str, str]


@cache
def source_of(component: type[Component]) -> Source | None:
    """The source a component's results depend on; None when it is nowhere to be read.

    Read once in a process: what has been imported does not change with its file.
    """
    name = component.__module__
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None or name == "__main__":
        return None
    own = (_top(name), _root(name, Path(file).resolve()))
    modules: dict[str, str] = {}
    waiting = [(name, Path(file))]
    while waiting:
        module, path = waiting.pop()
        if module in modules:
            continue
        try:
            modules[module], _ = _read(path)
        except OSError:
            return None
        waiting.extend(_led_to(module, path, own))
    whole = hashlib.sha256("".join(f"{m}={modules[m]}\n" for m in sorted(modules)).encode())
    return Source(whole.hexdigest(), modules)


def _top(module: str) -> str:
    return module.partition(".")[0]


def _root(module: str, file: Path) -> Path:
    """The folder in which a module's first package stands."""
    depth = module.count(".") + (file.name == "__init__.py")
    return file.parents[min(depth, len(file.parents) - 1)]


@cache
def _read(path: Path) -> tuple[str, str]:
    content = path.read_bytes()
    return hashlib.sha256(content).hexdigest(), content.decode("utf-8", "replace")


@cache
def _led_to(module: str, path: Path, own: tuple[str, Path]) -> tuple[tuple[str, Path], ...]:
    """Modules of interest that a module's text names, wherever it names them.

    own: the package that the component comes from, and the folder in which that stands.
    """
    roots = {own[0]: own[1], _OUR_PACKAGE: Path(modelwright.__file__).resolve().parent.parent}
    found: list[tuple[str, Path]] = []
    for name in sorted(_named_in(module, path, roots)):
        ours = name.startswith(_OURS) and name not in _MAKES_NO_VALUES
        if ours or (_top(name) == own[0] != _OUR_PACKAGE):
            file = _file(roots[_top(name)], name)
            found += [(name, file)] if file else []
    return tuple(found)


@cache
def _dotted(top: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(top)}(?:\.\w+)*(?:\.\{{)?")


def _named_in(module: str, path: Path, roots: Mapping[str, Path]) -> set[str]:
    _, text = _read(path)
    names: set[str] = set()
    for top, root in roots.items():
        for dotted in set(_dotted(top).findall(text)):
            if dotted.endswith(".{"):
                # A module chosen at run time: any of the package may be the one.
                names.update(_all_of(root, dotted[:-2]))
            else:
                names.update(_modules(root, dotted))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for origin, imported in _FROM.findall(text):
        parent = _absolute(origin, package)
        if _top(parent) in roots:
            root = roots[_top(parent)]
            for name in ("", *_NAME.findall(imported)):
                names.update(_modules(root, f"{parent}.{name}".rstrip(".")))
    names.discard(module)
    return names


def _absolute(origin: str, package: str) -> str:
    dots = len(origin) - len(origin.lstrip("."))
    if not dots:
        return origin
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - dots + 1], *filter(None, [origin[dots:]])])


def _modules(root: Path, dotted: str) -> Iterator[str]:
    """The longest beginning of a dotted name that is a module."""
    while dotted:
        if _file(root, dotted):
            yield dotted
            return
        dotted = dotted.rpartition(".")[0]


def _all_of(root: Path, package: str) -> Iterator[str]:
    for file in sorted(root.joinpath(*package.split(".")).glob("*.py")):
        yield package if file.stem == "__init__" else f"{package}.{file.stem}"


@cache
def _file(root: Path, module: str) -> Path | None:
    place = root.joinpath(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return file
    return None
