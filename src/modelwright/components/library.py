"""The library: every component that is installed, by id."""

from __future__ import annotations

import logging
import pkgutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Self

from modelwright.components.contract import Component, ComponentSpec
from modelwright.components.errors import ComponentError, UnknownComponent
from modelwright.data.errors import nearest

_log = logging.getLogger("modelwright.components")

ENTRY_POINTS = "modelwright.components"
"""Group of entry points under which another package names modules that define components."""


class NewerComponent(ComponentError):
    """A file holds a component of a version newer than the installed one."""

    code = "newer-component"

    def __init__(self, component: str, version: int, installed: int) -> None:
        super().__init__(
            f'The file holds version {version} of "{component}"; version {installed} is installed.',
            remedy="Update Modelwright, or the package that brings the component.",
            component=component,
            version=version,
            installed=installed,
        )


@dataclass(frozen=True, slots=True)
class Unusable:
    """A module of components that cannot be imported; the others are there without it.

    package: that brings it; empty for this one.  why: the error in one line.
    """

    module: str
    package: str
    why: str


class Library:
    """Component classes by id; former ids lead to their successors.

    A component of `later` is imported when it is asked for, and all of them by whatever needs all.
    """

    def __init__(
        self,
        components: Iterable[type[Component]],
        *,
        later: Mapping[str, str] | None = None,
        unusable: list[Unusable] | None = None,
    ) -> None:
        """Later: the module of each component that is not given, by id.

        unusable: modules whose components are missing; those of `later` are added when it is known.
        """
        self._by_id: dict[str, type[Component]] = {}
        self._former: dict[str, str] = {}
        self._unusable = [] if unusable is None else unusable
        for component in components:
            self._add(component)
        # What another package brings goes before what has the same id here.
        self._later = {id_: name for id_, name in (later or {}).items() if id_ not in self._by_id}
        self._lock = threading.RLock()

    def __iter__(self) -> Iterator[type[Component]]:
        """By category, then title."""
        specs = self.load()._by_id.values()
        return iter(sorted(specs, key=lambda c: (c.__component__.category, c.__component__.title)))

    def __contains__(self, component_id: str) -> bool:
        return self._known(component_id) is not None

    def __len__(self) -> int:
        return len(self.load()._by_id)

    @property
    def unusable(self) -> Sequence[Unusable]:
        """Modules that cannot be imported."""
        return self.load()._unusable

    def load(self) -> Self:
        """Import what was left for later."""
        for component_id in tuple(self._later):
            self._bring(component_id)
        return self

    def find(self, component_id: str) -> type[Component]:
        """The class for an id, or for a former id.  Raises UnknownComponent with the nearest ids."""
        known = self._known(component_id)
        if known is None:
            raise UnknownComponent(component_id, nearest(component_id, list(self._by_id)))
        return known

    def spec(self, component_id: str) -> ComponentSpec:
        """The description for an id.  Raises UnknownComponent."""
        return self.find(component_id).__component__

    def make(self, component_id: str, version: int, parameters: Mapping[str, Any]) -> Component:
        """The configured component, with parameters of an older version upgraded step by step.

        Raises UnknownComponent, NewerComponent and InvalidParameter.
        """
        component = self.find(component_id)
        return component.parse(self.upgrade(component_id, version, parameters))

    def upgrade(
        self, component_id: str, version: int, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Parameters of a stored version as those of the installed one.

        A component of version n brings class methods `from_v1` … `from_v{n-1}`, each taking the
        parameters of that version to the next.  Raises UnknownComponent and NewerComponent.
        """
        component = self.find(component_id)
        spec = component.__component__
        if version > spec.version:
            raise NewerComponent(spec.id, version, spec.version)
        values = dict(parameters)
        for step in range(version, spec.version):
            values = getattr(component, f"from_v{step}")(values)
        return values

    def _known(self, component_id: str) -> type[Component] | None:
        self._bring(component_id)
        if component_id not in self._by_id:
            # It may be a former id, which only its successor knows.
            self.load()
        return self._by_id.get(self._former.get(component_id, component_id))

    def _bring(self, component_id: str) -> None:
        with self._lock:
            module = self._later.get(component_id)
            if module is not None:
                for component in _components([(module, "")], self._unusable):
                    self._add(component)
                del self._later[component_id]

    def _add(self, component: type[Component]) -> None:
        spec = component.__component__
        self._by_id[spec.id] = component
        self._former.update(dict.fromkeys(spec.replaces, spec.id))


@cache
def library() -> Library:
    """The components of this package and of every installed package that announces some.

    A module that cannot be imported is logged and listed under `unusable`; the rest is there.
    """
    unusable: list[Unusable] = []
    points = entry_points(group=ENTRY_POINTS)
    others = ((p.value, p.dist.name if p.dist else p.name) for p in points)
    return Library(_components(others, unusable), later=_palette(), unusable=unusable)


def _palette() -> dict[str, str]:
    """The modules of this package's components: each is named after the id of its component."""
    from modelwright.components import palette

    found = pkgutil.walk_packages(palette.__path__, palette.__name__ + ".")
    names = (module.name for module in found if not module.ispkg)
    return {name.rpartition(".")[2].replace("_", "-"): name for name in names}


def _components(
    modules: Iterable[tuple[str, str]], unusable: list[Unusable]
) -> Iterator[type[Component]]:
    """The components of modules, each module with the package that brings it."""
    for name, package in modules:
        try:
            yield from _defined_in(name)
        except Exception as error:  # noqa: BLE001  # the code of others may raise anything
            why = f"{type(error).__name__}: {error}".partition("\n")[0]
            unusable.append(Unusable(name, package, why))
            _log.warning("the components of %s cannot be used: %s", name, why)


def _defined_in(name: str) -> Iterator[type[Component]]:
    module = import_module(name)
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Component)
            and value.__module__ == module.__name__
            and "__component__" in value.__dict__
        ):
            yield value
