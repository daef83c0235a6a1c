"""Why a run cannot begin on a cluster, told before its first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelwright.data.errors import ModelwrightError


class ClusterUnreachable(ModelwrightError):
    """Nothing that is a cluster answers at the address."""

    code = "cluster-unreachable"

    def __init__(self, name: str, address: str, why: str) -> None:
        place = f"at {address}" if address else "that was started on this machine"
        super().__init__(
            f'The Ray cluster {place} of compute "{name}" cannot be joined: {why}.',
            remedy="Start it, or give the compute cluster the address of one that runs: "
            f"modelwright compute change {name} --address HOST:PORT.",
            name=name,
            address=address,
            why=why,
        )


class ClusterVersionsDiffer(ModelwrightError):
    """A cluster has other versions of what results depend on."""

    code = "cluster-versions-differ"

    def __init__(
        self, name: str, differing: Sequence[Mapping[str, str]], *, text: str = ""
    ) -> None:
        listed = "; ".join(
            f"{d['package']} is {d['there']} on {d['node']} and {d['here']} here" for d in differing
        )
        super().__init__(
            f'The cluster of compute "{name}" has other versions: {listed or text}.',
            remedy="Install the same versions on every node as here, or the other way round: "
            "results could differ otherwise.",
            name=name,
            differing=[dict(d) for d in differing],
        )


class ClusterNotReady(ModelwrightError):
    """A node of a cluster cannot run steps."""

    code = "cluster-not-ready"

    def __init__(self, name: str, node: str, why: str) -> None:
        super().__init__(
            f'Node {node} of compute "{name}" cannot run steps: {why}.',
            remedy='Install Modelwright there with: pip install "modelwright[learn,ray]".',
            name=name,
            node=node,
            why=why,
        )


class StoreOutOfReach(ModelwrightError):
    """The nodes of a cluster do not see the store."""

    code = "store-out-of-reach"

    def __init__(self, name: str, store: str, node: str, why: str) -> None:
        super().__init__(
            f'Node {node} of compute "{name}" does not see the store {store}: {why}.',
            remedy="Keep the store in a folder that every node has at the same path, or behind a URL "
            "such as s3://bucket/folder: set MODELWRIGHT_STORE_URL.",
            name=name,
            store=store,
            node=node,
            why=why,
        )


class NoSuchResources(ModelwrightError):
    """A step needs more than any machine of a cluster has."""

    code = "no-such-resources"

    def __init__(self, name: str, step: str, needs: str, most: str) -> None:
        super().__init__(
            f'Node "{step}" needs {needs}; no machine of compute "{name}" has that: {most} at most.',
            remedy="Take less under resources in the node's settings, choose another compute for it, "
            "or add a larger machine to the cluster.",
            name=name,
            step=step,
            needs=needs,
            most=most,
        )


class RayMissing(ModelwrightError):
    """Ray is not installed."""

    code = "ray-missing"

    def __init__(self, name: str) -> None:
        super().__init__(
            f'Compute "{name}" is a Ray cluster, and Ray is not installed here.',
            remedy='Install it with: pip install "modelwright[ray]".',
            name=name,
        )
