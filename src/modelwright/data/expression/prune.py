"""Leaving out what the wanted columns do not need."""

from __future__ import annotations

from collections.abc import Sequence

from modelwright.data.expression.steps import Compute, Drop, Filter, Keep, Rename, Step


def pruned(steps: Sequence[Step], wanted: Sequence[str]) -> tuple[Step, ...]:
    """Steps that give exactly the wanted columns, as `steps` followed by a Keep of them would.

    Filters stay, since they decide about rows.
    """
    backwards: list[Step] = [Keep(wanted)]
    needed = set(wanted)
    for at, step in reversed([*enumerate(steps)]):
        if not needed:
            # Only the number of rows counts from here on, which some column has to carry.
            backwards += reversed(steps[: at + 1])
            break
        found, needed = _needed_of(step, needed)
        if not (isinstance(step, Keep) and isinstance(backwards[-1], Keep)):
            backwards += reversed(found)
    return tuple(reversed(backwards))


def _needed_of(step: Step, needed: set[str]) -> tuple[list[Step], set[str]]:
    """What stays of a step, and the columns needed before it, given those needed after it."""
    match step:
        case Compute(columns):
            live = {n: e for n, e in columns.items() if n in needed}
            before = (needed - live.keys()).union(*(e.columns() for e in live.values()))
            return ([Compute(live)] if live else []), before
        case Filter(condition):
            return [step], needed | condition.columns()
        case Drop():
            return [step], needed
        case Keep(names):
            return [Keep([n for n in names if n in needed])], needed
        case Rename(pairs):
            old_names = {new: old for old, new in pairs}
            dead = [old for old, new in pairs if new not in needed]
            alive = {old: new for old, new in pairs if new in needed}
            # Dropped, because a column left under its old name could be in another's way.
            found: list[Step] = [Drop(dead)] if dead else []
            return found + ([Rename(alive)] if alive else []), {old_names.get(n, n) for n in needed}
