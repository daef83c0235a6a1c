"""The actor that keeps requests and replies of all replicas of an endpoint on a Ray cluster."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.serve.collected_files import lacking
from modelwright.serve.copies import Copy
from modelwright.serve.keeping import HandOn, Keeper, Settings
from modelwright.serve.settings import DeploymentSettings

NAMESPACE = "modelwright"
"""Where Ray knows what is Modelwright's by name."""

_ANSWER_S = 30.0


class Keeping:
    """Writes what replicas hand on, until it is brought to where it belongs."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kept-", dir=temporary.place())
        self._place = Path(self._folder.name)
        self._keeper = Keeper(self._place)
        self._settings: Settings | None = None

    def want(self, told: Mapping[str, Any]) -> None:
        """Keep the requests of these deployments, by number, and no others.  told: their settings."""
        self._settings = {int(n): DeploymentSettings.read(one) for n, one in told.items()}
        self._keeper.keep(self._settings, (), False)

    def keep(self, settings: Settings, copies: Sequence[Copy]) -> None:
        """Take copies in.  settings: what the replica was told; one that has begun anew knows no other."""
        self._settings = settings if self._settings is None else self._settings
        self._keeper.keep(self._settings, copies, False)

    def lacking(self, wished: Mapping[str, Any]) -> dict[str, Any]:
        """What somebody else does not have yet, see `collected_files.lacking`."""
        if self._settings is not None:
            self._keeper.keep(self._settings, (), bool(wished.get("over")))
        return lacking(self._place, wished)


def keeper_of(name: str) -> str:
    """What Ray calls the actor of an endpoint."""
    return f"modelwright-kept-{name}"


def found(name: str) -> Any:
    """The actor of an endpoint; None where there is none."""
    import ray

    try:
        return ray.get_actor(keeper_of(name), namespace=NAMESPACE)
    except ValueError:
        return None


def made(name: str, told: Mapping[str, Any]) -> None:
    """Have an actor that keeps requests of these deployments; the one that is there goes on."""
    ray: Any = __import__("ray")
    kind = ray.remote(Keeping)
    actor = kind.options(
        name=keeper_of(name),
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        num_cpus=0,
        max_restarts=-1,
    ).remote()
    ray.get(actor.want.remote(dict(told)), timeout=_ANSWER_S)


def sent_to(name: str) -> HandOn:
    """Who keeps the copies of a replica on Ray."""
    actor: Any = None

    async def hand_on(settings: Settings, copies: Sequence[Copy], over: bool) -> None:
        nonlocal actor
        if not copies:
            return
        if actor is None:
            actor = found(name)
        try:
            await actor.keep.remote(dict(settings), list(copies))
        except BaseException:
            # Another may have taken its place.
            actor = None
            raise

    return hand_on
