"""An endpoint that answers, as the client sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
Score = Callable[[Mapping[str, Sequence[Row]]], Mapping[str, Sequence[Row]]]
"""Sends rows by input, and gives the answer's rows by output."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it was when it was asked for.

    scoring_url: where requests are sent; empty when it answers nowhere.
    """

    name: str
    state: str
    scoring_url: str
    settings: Mapping[str, Any]
    send: Score = field(repr=False, compare=False)

    def score(self, inputs: Mapping[str, Sequence[Row]]) -> Mapping[str, Sequence[Row]]:
        """Send rows, by input, and give the rows of the reply, by output.

        Raises EndpointUnreachable and RequestRefused.
        """
        return self.send(inputs)
