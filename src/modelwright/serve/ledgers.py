"""Which ledger an endpoint's reservation stands in."""

from __future__ import annotations

from pathlib import Path

from modelwright.serve.capacity import Ledger
from modelwright.serve.endpoint_folder import EndpointFolder


def ledger_of(folder: EndpointFolder, cluster: str) -> Ledger:
    """What is reserved on the cluster of an endpoint."""
    return ledger_at(folder.clusters / cluster, folder.path.parent)


def ledger_at(cluster: Path, endpoints: Path) -> Ledger:
    """What is reserved on a cluster, by its folder and the one of all endpoints.

    An endpoint keeps what it has reserved for as long as it is wanted to run.
    """

    def wants_to_run(name: str) -> bool:
        folder = EndpointFolder(endpoints, name)
        return folder.exists and folder.wanted().running

    return Ledger(cluster, wants_to_run)
