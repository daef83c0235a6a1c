"""Compute clusters for runs: list, define, change, forget."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from modelwright.actions import compute
from modelwright.api.here import HereDep
from modelwright.api.shapes.compute import Compute, ComputeAsked, ComputeChange, Target
from modelwright.api.shapes.shape import Done

router = APIRouter(prefix="/compute", tags=["compute"])


@router.get("")
def get_compute(here: HereDep) -> Compute:
    """Where runs can be worked on, and what this server works on."""
    targets = [Target.of(t) for t in compute.list_targets(here.home)]
    return Compute(targets=targets, runs=list(here.runs.ids()))


@router.post("", status_code=HTTPStatus.CREATED)
def create_compute(asked: ComputeAsked, here: HereDep) -> Target:
    """Define a compute cluster; nothing is started before a run needs it."""
    return Target.of(compute.create_compute(here.home, asked.settings()))


@router.get("/{name}")
def show_compute(name: str, here: HereDep) -> Target:
    """A compute cluster as it is now, with what runs there and what waits and why."""
    return Target.of(compute.show_compute(here.home, name))


@router.patch("/{name}")
def change_compute(name: str, change: ComputeChange, here: HereDep) -> Target:
    """Change a compute cluster that no run is worked on at; the one called local, too."""
    values = change.model_dump(exclude_unset=True)
    return Target.of(compute.change_compute(here.home, name, values))


@router.delete("/{name}")
def delete_compute(name: str, here: HereDep) -> Done:
    """Forget a compute cluster that no run is worked on at, and stop what was started for it."""
    compute.delete_compute(here.home, name)
    return Done()
