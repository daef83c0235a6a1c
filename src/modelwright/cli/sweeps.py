"""What a step tried, as people read it: a line for each try, or a table with the best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.cli.printing import put, put_table, written

if TYPE_CHECKING:
    from modelwright.actions.sweeps import Sweep, Told

BEST = "*"


def so_far(told: Told) -> str:
    """How far a sweep has come, and its best so far."""
    best = told["best_value"]
    found = f", best {told['metric']} {best:.4g}" if best is not None else ""
    return f"{told['settled']} of {told['total']} settings{found}"


def line(told: Told) -> str:
    """One try: what was measured, with which settings, and how far the sweep has come."""
    settings = ", ".join(f"{name} {written(value)}" for name, value in told["settings"].items())
    return f"try {told['try'] + 1}, {_outcome(told)} with {settings}; {so_far(told)}"


def put_sweep(sweep: Sweep, *, most: int) -> None:
    """Write the tries of a step, the best first, and so many at the most."""
    told = sweep.last
    put()
    put(f"{sweep.node}: {told['learner']}, {so_far(told)}")
    ranked = sweep.ranked()
    settings = list(dict.fromkeys(name for one in ranked for name in one["settings"]))
    put_table(
        ("TRY", "", told["metric"].upper(), *(name.upper() for name in settings)),
        (
            (
                one["try"] + 1,
                BEST if one["try"] == told["best_try"] else "",
                _value(one),
                *(one["settings"].get(name) for name in settings),
            )
            for one in ranked[:most]
        ),
        right=("TRY", told["metric"].upper()),
    )
    if len(ranked) > most:
        put(f"{most} of {len(ranked)} tries; see more with --tries.")


def _outcome(told: Told) -> str:
    value = _value(told)
    return value if isinstance(value, str) else f"{told['metric']} {value:.4g}"


def _value(told: Told) -> Any:
    from modelwright.actions.sweeps import value_of

    if told["pruned"]:
        return "given up"
    value = value_of(told)
    return "cannot be trained" if value is None else value
