"""How many replicas there should be: a pure function of what was seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelwright.serve.settings import DeploymentSettings


@dataclass(frozen=True, slots=True)
class Policy:
    """What is wanted of the number of replicas.

    target: share of the places that should be taken, above 0 to 1.  concurrency: places of a replica.
    calm_s: how long less must have been enough before replicas are taken away.
    """

    minimum: int = 1
    maximum: int = 10
    target: float = 0.7
    concurrency: int = 1
    calm_s: float = 60.0

    @classmethod
    def of(cls, settings: DeploymentSettings) -> Policy:
        """The policy that the settings state; without autoscaling there is the minimum, but some."""
        fixed = max(1, settings.min_replicas)
        return cls(
            settings.min_replicas if settings.autoscale else fixed,
            settings.max_replicas if settings.autoscale else fixed,
            settings.target_utilization / 100,
            settings.max_concurrent_requests,
            settings.calm_s,
        )


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to do: requests in work, on average since the last look, and waiting now."""

    busy: float = 0.0
    queued: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Replicas wanted at the last decision, and what was needed when: pairs of time and number.

    Only needs that can still matter are kept: each is later and smaller than the one before.
    """

    replicas: int
    needs: tuple[tuple[float, int], ...] = ()


def utilization(load: Load, replicas: int, policy: Policy) -> float:
    """Share of the places that are taken or waited for; infinite where there are none."""
    places = replicas * policy.concurrency
    wanted = load.busy + load.queued
    return wanted / places if places else (math.inf if wanted > 0 else 0.0)


def needed(load: Load, policy: Policy) -> int:
    """The fewest replicas that keep utilization at the target, within the bounds."""
    wanted = (load.busy + load.queued) / (policy.concurrency * policy.target)
    # A hair above a whole number is rounding, not work.
    return min(max(math.ceil(wanted - 1e-9), policy.minimum), policy.maximum)


def decide(seen: Seen, load: Load, policy: Policy, now: float) -> Seen:
    """The number of replicas from now on: up at once, down to what the last calm time needed.

    now: seconds of a clock that never goes back; one that did starts the calm time anew.
    """
    need = needed(load, policy)
    since = now - policy.calm_s
    # What was needed longer ago than the calm time, or after now, says nothing any more.
    past = tuple((at, n) for at, n in seen.needs if since < at <= now and n > need)
    if not seen.needs or seen.needs[-1][0] > now:
        # Nothing is known of the time before, so what there is counts as needed until now.
        bounded = min(max(seen.replicas, policy.minimum), policy.maximum)
        past = ((now, bounded),) if bounded > need else ()
    needs = (*past, (now, need))
    most = max(n for _, n in needs)
    return Seen(min(max(most, policy.minimum), policy.maximum), needs)
