"""Workers on a Ray cluster that run steps, and what is looked at before the first of them."""

from __future__ import annotations

import os
import platform
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modelwright.data.store import Store
from modelwright.graph.graph import NodeId
from modelwright.run.cluster_errors import (
    ClusterNotReady,
    ClusterUnreachable,
    ClusterVersionsDiffer,
    NoSuchResources,
    RayMissing,
    StoreOutOfReach,
)
from modelwright.run.messages import Begin, Forget, unpacked
from modelwright.targets.contract import Delivery, Needs, Session, TargetError
from modelwright.targets.ray import RayCluster, Reading
from modelwright.targets.ray_room import has_room, largest

# What results depend on; ours too, as its components are the work itself.
_PACKAGES = ("modelwright", "ray", "polars", "numpy", "pyarrow", "pydantic")
_LEARNING = ("scikit-learn", "scipy", "lightgbm", "pandas", "duckdb", "imbalanced-learn", "torch")
# Where libraries look for the address and the keys of a store.
_HANDED_DOWN = ("AWS_", "FSSPEC_", "GOOGLE_", "AZURE_", "MODELWRIGHT_STORE")
_LARGEST_SHARE = 0.4


class RayWorkers(RayCluster):
    """A Ray cluster whose workers run steps.

    retries: how often a step is begun again after its worker crashed.  A step whose machine is lost is
    begun again elsewhere up to three times in any case, and one ended for want of memory is not.
    """

    def __init__(
        self, *, retries: int, longest_step_s: float | None = None, **options: Any
    ) -> None:
        super().__init__("modelwright.run.ray_program:StepProgram", read=reading, **options)
        self.retries = retries
        self.longest_step_s = longest_step_s
        self._seen: set[tuple[str, ...]] = set()

    def join(self) -> None:
        """Join the cluster.  Raises ClusterUnreachable, ClusterVersionsDiffer and RayMissing."""
        try:
            super().join()
        except TargetError as error:
            if error.kind == "missing":
                raise RayMissing(self.name) from error
            if error.kind == "version":
                raise ClusterVersionsDiffer(self.name, (), text=str(error)) from error
            raise ClusterUnreachable(self.name, self._address, str(error)) from error

    def _before_workers(self) -> None:
        stores = [n["object_store"] for n in self.nodes if n["object_store"]]
        self._options["largest"] = int(min(stores, default=0) * _LARGEST_SHARE)
        self._options["width"] = self.most

    def session(self, deliver: Callable[[Delivery], None]) -> Session:
        """Begin to use the cluster; raises as `join` does."""
        return super().session(deliver)

    def prepare(self, store: Store, needs: Mapping[NodeId, Needs]) -> None:
        """See that steps with these needs can run there on that store.

        Raises what `join` raises, NoSuchResources, ClusterNotReady, ClusterVersionsDiffer and
        StoreOutOfReach.
        """
        with self.staying():
            self._check_needs(needs)
            nodes = tuple(sorted(n["id"] for n in self.nodes))
            if (*nodes, store.url) not in self._seen:
                self._check_versions()
                self._check_store(store)
                self._seen.add((*nodes, store.url))

    def _check_needs(self, needs: Mapping[NodeId, Needs]) -> None:
        if self.grows:
            return
        for node_id, needed in needs.items():
            if not has_room(self.nodes, (), needed):
                raise NoSuchResources(self.name, node_id, str(needed), str(largest(self.nodes)))

    def _check_versions(self) -> None:
        here = versions()
        for node, found in self._asked("versions").items():
            differing = [
                {"package": p, "here": here[p], "there": found.get(p, "missing"), "node": node}
                for p in here
                if found.get(p) != here[p]
            ]
            if differing:
                raise ClusterVersionsDiffer(self.name, differing)

    def _check_store(self, store: Store) -> None:
        from modelwright.data.file_bundle import FileBundle

        mark = FileBundle({"mark": secrets.token_bytes(16)})
        digest = store.put(mark)
        try:
            for node, why in self._asked("out_of_reach", store.url, digest).items():
                if why:
                    raise StoreOutOfReach(self.name, store.url, node, why)
        finally:
            store.delete(digest)

    def _asked(self, function: str, *arguments: Any) -> Mapping[str, Any]:
        """What a function of this module gives on each node.  Raises ClusterNotReady."""
        try:
            found = self.probe(f"{__name__}:{function}", *arguments)
        except TargetError as error:
            raise ClusterUnreachable(self.name, self._address, str(error)) from error
        for node, (worked, value) in found.items():
            if not worked:
                raise ClusterNotReady(self.name, node, str(value))
        return {node: value for node, (_, value) in found.items()}


def ray_workers(
    *,
    name: str = "ray",
    address: str = "",
    least: int = 0,
    most: int | None = None,
    idle_s: float = 120.0,
    memory: int | None = None,
    threads: int | None = None,
    retries: int = 0,
    longest_step_s: float | None = None,
) -> RayWorkers:
    """Workers on a Ray cluster; arguments as `RayCluster` and `local_workers` have them.

    threads: the same on every node by default as here, so that results are equal to the bit.
    """
    cores = threads or os.cpu_count() or 1
    handed_down = {k: v for k, v in os.environ.items() if k.startswith(_HANDED_DOWN)}
    return RayWorkers(
        name=name,
        address=address,
        least=least,
        most=most,
        idle_s=idle_s,
        retries=retries,
        longest_step_s=longest_step_s,
        options={"threads": cores, "memory": memory or 0, "largest": 0},
        environment={
            **handed_down,
            "POLARS_MAX_THREADS": str(cores),
            "PYTHONPATH": os.pathsep.join(["${PYTHONPATH}", *own_paths()]),
        },
    )


def own_paths() -> list[str]:
    """Folders of the user's modules: what Python searches beside itself and its packages."""
    apart = {str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix)}
    paths = [p or str(Path.cwd()) for p in sys.path]
    return [
        p
        for p in dict.fromkeys(paths)
        if Path(p).is_dir() and not any(str(Path(p).resolve()).startswith(a) for a in apart)
    ]


def reading(body: bytes) -> Reading:
    """Which values a message to a worker speaks of."""
    message = unpacked(body)
    if isinstance(message, Begin):
        return Reading(wants=tuple(given.token for given in message.inputs.values()))
    return Reading(drops=message.names) if isinstance(message, Forget) else Reading()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages here that results depend on; those that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in (*_PACKAGES, *_LEARNING):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def out_of_reach(store: str, digest: str) -> str | None:
    """Why this machine does not see a value in a store, as half a sentence; None when it does."""
    from modelwright.data.artifact import Digest
    from modelwright.data.errors import ModelwrightError

    try:
        found = Store.open(store).has(Digest(digest))
    except ModelwrightError as error:
        return error.happened.rstrip(".")
    except OSError as error:
        return error.strerror or str(error)
    return None if found else "what was just stored is not there"
