"""Inference clusters: where endpoints run."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from modelwright.actions import clusters
from modelwright.actions.endpoints import start_waiting
from modelwright.api.here import HereDep
from modelwright.api.shapes.deployments import Cluster, ClusterAsked, ClusterKind, ClusterSize
from modelwright.api.shapes.shape import Done, Listed

router = APIRouter(prefix="/clusters", tags=["clusters"])


@router.get("")
def list_clusters(here: HereDep) -> Listed[Cluster]:
    """Every inference cluster as it is now, by name; the one called default is always there."""
    return Listed[Cluster](items=[Cluster.of(c) for c in clusters.list_clusters(here.home)])


@router.get("/kinds")
def list_cluster_kinds() -> Listed[ClusterKind]:
    """Every kind of inference cluster that can be made."""
    return Listed[ClusterKind](items=ClusterKind.all())


@router.post("", status_code=HTTPStatus.CREATED)
def create_cluster(asked: ClusterAsked, here: HereDep) -> Cluster:
    """Add an inference cluster; it is ready at once."""
    made = clusters.create_cluster(
        here.home,
        asked.name,
        kind=asked.kind,
        cpu_cores=asked.cpu_cores,
        memory_gb=asked.memory_gb,
        options=asked.options,
        description=asked.description,
    )
    return Cluster.of(made)


@router.get("/{cluster}")
def get_cluster(cluster: str, here: HereDep) -> Cluster:
    """One inference cluster as it is now."""
    return Cluster.of(clusters.show_cluster(here.home, cluster))


@router.patch("/{cluster}")
def resize_cluster(cluster: str, size: ClusterSize, here: HereDep) -> Cluster:
    """Change how much of a cluster may be reserved; not below what is.

    Endpoints that wait for room there are started.
    """
    clusters.resize_cluster(here.home, cluster, cpu_cores=size.cpu_cores, memory_gb=size.memory_gb)
    start_waiting(here.home, cluster)
    return Cluster.of(clusters.show_cluster(here.home, cluster))


@router.delete("/{cluster}")
def delete_cluster(cluster: str, here: HereDep) -> Done:
    """Forget a cluster where nothing is deployed, and delete what was kept for it."""
    clusters.delete_cluster(here.home, cluster)
    return Done()


@router.post("/{cluster}/detach")
def detach_cluster(cluster: str, here: HereDep) -> Done:
    """Forget a cluster where nothing is deployed, and leave alone what it is made of."""
    clusters.detach_cluster(here.home, cluster)
    return Done()
