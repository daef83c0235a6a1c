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

    scoring_url: where requests are sent; empty when it answers nowhere.  cluster: where it runs.
    deployments: the newest first, as JSON, each with its number and its traffic in percent.
    access: the settings of who may call it.
    """

    name: str
    state: str
    scoring_url: str
    settings: Mapping[str, Any]
    cluster: str
    deployments: Sequence[Mapping[str, Any]]
    send: Score = field(repr=False, compare=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    access: Mapping[str, Any] = field(default_factory=dict)

    @property
    def traffic(self) -> dict[int, int]:
        """Percent of the requests, by the number of each deployment that gets any."""
        return {d["number"]: d["traffic"] for d in self.deployments if d["traffic"]}

    def score(self, inputs: Mapping[str, Sequence[Row]]) -> Mapping[str, Sequence[Row]]:
        """Send rows, by input, and give the rows of the reply, by output.

        Raises EndpointUnreachable and RequestRefused.
        """
        return self.send(inputs)
