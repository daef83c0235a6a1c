"""A home, opened: its database, its store, its components and its workers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from modelwright.actions.compute_settings import LOCAL, ComputeSettings
from modelwright.actions.registered import RegisteredAssets
from modelwright.components.library import Library, library
from modelwright.data.store import Store
from modelwright.run.history import FolderHistory
from modelwright.workspace import Workspace
from modelwright.workspace.errors import NotFound

if TYPE_CHECKING:
    from modelwright.serve.endpoint import Endpoints
    from modelwright.targets.contract import Target


class Home:
    """What every action works on, opened by `Home.open`.

    Safe to use from several threads.  Workers start when the first run needs them and end with
    `close`, so that a program that stays keeps them warm.
    """

    def __init__(
        self, workspace: Workspace, store: Store, *, start_workers: Callable[[], Target] | None
    ) -> None:
        self.workspace = workspace
        self.store = store
        self.assets = RegisteredAssets(workspace.datasets, store, bring=self._bring)
        self.history = FolderHistory(self.folder / "history")
        self._start_workers = start_workers
        self._targets: dict[str, Target] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        database_url: str | None = None,
        store_url: str | None = None,
        start_workers: Callable[[], Target] | None = None,
    ) -> Self:
        """Open a home folder; make it, with the sample datasets, when it is not there.

        database_url and store_url: as `Workspace.open` has them; MODELWRIGHT_DATABASE_URL and
        MODELWRIGHT_STORE_URL unless given.  start_workers: makes the target that steps run on, when the
        first run needs it; processes on this machine unless given.  Raises what `Workspace.open` and
        `Store.open` raise.
        """
        from modelwright.actions.datasets import add_samples
        from modelwright.actions.interrupted import end_interrupted_runs

        workspace = Workspace.open(
            folder,
            database_url=database_url or os.environ.get("MODELWRIGHT_DATABASE_URL") or None,
            store_url=store_url or os.environ.get("MODELWRIGHT_STORE_URL") or None,
        )
        try:
            home = cls(workspace, Store.open(workspace.store_url), start_workers=start_workers)
            add_samples(home)
            end_interrupted_runs(home)
        except BaseException:
            workspace.close()
            raise
        return home

    def _bring(self, name: str) -> bool:
        from modelwright.actions.datasets import bring_sample

        return bring_sample(self, name)

    @property
    def folder(self) -> Path:
        """The home folder."""
        return self.workspace.home

    @property
    def library(self) -> Library:
        """The installed components."""
        return library()

    def workers(self) -> Target:
        """Where steps run on this machine, started when first asked for."""
        return self.target(LOCAL)

    def target(self, name: str) -> Target:
        """The workers of a compute cluster, started when first asked for.  Raises UnknownTarget."""
        from modelwright.actions.compute import compute_settings

        settings = compute_settings(self, name)
        with self._lock:
            if name not in self._targets:
                plain = settings == ComputeSettings(name=LOCAL)
                given = self._start_workers if plain else None
                self._targets[name] = given() if given else start_target(settings)
            return self._targets[name]

    def started_target(self, name: str) -> Target | None:
        """The workers of a compute cluster, if this program has had need of them."""
        with self._lock:
            return self._targets.get(name)

    def end_target(self, name: str) -> None:
        """End the workers of a compute cluster; they are started anew when they are needed."""
        with self._lock:
            target = self._targets.pop(name, None)
        if target is not None:
            target.close()

    @cached_property
    def replicas(self) -> Endpoints:
        """The processes that answer for this home's endpoints."""
        from modelwright.serve.endpoint import Endpoints

        return Endpoints(self.folder / "endpoints")

    @property
    def run_logs(self) -> Path:
        """Folder with a folder for each run, and in it a log for each step."""
        return self.folder / "logs" / "runs"

    def reveal_secret(self, name: str) -> str | None:
        """The value of a secret, named "secret" when it has one value, or else "secret.key".

        Steps ask here for connections and for what they may reach, too.
        """
        from modelwright.actions.connections import told_to_steps

        if (told := told_to_steps(self, name)) is not None:
            return told
        secret, _, key = name.partition(".")
        try:
            values = self.workspace.secrets.reveal(secret)
        except NotFound:
            return None
        if key:
            return values.get(key)
        return next(iter(values.values())) if len(values) == 1 else None

    def close(self) -> None:
        """End the workers and close the database."""
        with self._lock:
            targets, self._targets = self._targets, {}
        for target in targets.values():
            target.close()
        self.workspace.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def start_target(settings: ComputeSettings) -> Target:
    """The workers of a compute cluster as it was defined."""
    if settings.kind == "ray":
        from modelwright.run.ray_workers import ray_workers

        return ray_workers(
            name=settings.name,
            address=settings.address,
            least=settings.min_workers,
            most=settings.max_workers,
            idle_s=settings.idle_s,
            memory=settings.worker_memory,
            retries=settings.retries,
            longest_step_s=settings.longest_step_s,
        )
    from modelwright.run.workers import local_workers

    return local_workers(
        name=settings.name,
        least=settings.min_workers,
        most=settings.max_workers,
        idle_s=settings.idle_s,
        memory=settings.worker_memory,
        retries=settings.retries,
        longest_step_s=settings.longest_step_s,
    )
