"""A row form in parts, so that native values get many rows at a time instead of one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from struct import Struct
from typing import Any, NamedTuple

from modelwright.data.expression.row_source import Ask, compiled
from modelwright.data.native import Evaluator

_LOCAL = re.compile(r"\bv(\d+)\b")


class Stages(NamedTuple):
    """The parts of a row form, in turn.

    first: gives what the first native value is to get of a row, its numbers as they are in memory, and what
    later parts are to know.  widths: how many numbers each native value gets.
    rest: the native values, each with the part that follows on it; it gets the row, what it is to know
    and what the native value said, and gives the same as the first; the last part gives the reply.
    """

    first: Callable[[Any], Any]
    widths: tuple[int, ...]
    rest: tuple[tuple[Evaluator, Callable[[Any, Any, Any], Any]], ...]

    @property
    def steady(self) -> bool:
        """Whether a row gets the same reply, to the last bit, whatever rows it comes with."""
        return all(getattr(evaluator, "steady", False) for evaluator, _ in self.rest)

    def run(self, rows: Sequence[Any]) -> list[Any]:
        """What the last part gives for each row; unless one is dropped: then what dropped it is there."""
        import numpy as np

        found = list(map(self.first, rows))
        for width, (evaluator, part) in zip(self.widths, self.rest, strict=True):
            if set(map(type, found)) != {tuple}:
                return found
            given, known = zip(*found, strict=True)
            # Half the time of taking the numbers one by one; some libraries want an array that can be written.
            numbers = np.ndarray((len(rows), width), np.float64, bytearray().join(given))
            said = evaluator.batch(numbers).tolist()
            found = list(map(part, rows, known, said))
        return found


def staged(lines: Sequence[str], names: Mapping[str, object], asks: Sequence[Ask]) -> Stages:
    """The stages of a row form of these lines, in which native values are asked."""
    cuts = [0, *(a.line for a in asks), len(lines)]
    bodies = [list(lines[start:stop]) for start, stop in pairwise(cuts)]
    packed = {f"pack{at}": Struct(f"={len(ask.given)}d").pack for at, ask in enumerate(asks)}
    names = {**names, **packed}
    for pack, body, ask, after in zip(packed, bodies, asks, bodies[1:], strict=False):
        after.insert(0, f"{ask.found} = found")
        body.append(f"return {pack}({', '.join(ask.given)}), (")
    # From the last to the first: what a part is to know is what it and those behind it read.
    read: set[int] = set()
    for at in range(len(asks), 0, -1):
        ask = asks[at - 1]
        read |= {int(n) for line in bodies[at] for n in _LOCAL.findall(line)}
        known = "".join(f"v{n}, " for n in sorted(read) if n <= ask.locals)
        if known:
            bodies[at].insert(0, f"({known}) = known")
        bodies[at - 1][-1] += f"{known})"
    _, first = compiled(bodies[0], names)
    parts = [compiled(body, names, "row, known, found")[1] for body in bodies[1:]]
    widths = tuple(len(ask.given) for ask in asks)
    return Stages(first, widths, tuple(zip((a.evaluator for a in asks), parts, strict=True)))
