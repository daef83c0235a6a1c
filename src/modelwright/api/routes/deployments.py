"""Deployments of an endpoint: what they would take, their shares, shadows, promotion, former ones."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from modelwright.actions import deployments, endpoints
from modelwright.api.here import HereDep
from modelwright.api.shapes.deployments import (
    DeploymentChange,
    DeploymentThoughtOf,
    PlannedDeployment,
    ShadowAsked,
    Traffic,
)
from modelwright.api.shapes.inference import Endpoint

router = APIRouter(prefix="/endpoints", tags=["deployments"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/plan")
def plan_deployment(asked: DeploymentThoughtOf, here: HereDep) -> PlannedDeployment:
    """What a deployment would take of its cluster: replicas that fit, and what is short."""
    plan = deployments.plan_deployment(
        here.home,
        name=asked.name,
        cluster=asked.cluster,
        settings=asked.settings,
        beside=asked.beside,
    )
    return PlannedDeployment.of(plan)


@router.put("/{name}/traffic")
def set_traffic(name: str, traffic: Traffic, here: HereDep) -> Endpoint:
    """Share the requests between deployments, present and former; not one is lost."""
    deployments.set_traffic(here.home, name, traffic.shares)
    return _endpoint(here, name)


@router.post("/{name}/rollback")
def rollback_endpoint(name: str, here: HereDep) -> Endpoint:
    """Give all requests to the deployment before the present one."""
    deployments.rollback_endpoint(here.home, name)
    return _endpoint(here, name)


@router.post("/{name}/deployments/{number}/activate")
def activate_deployment(name: str, number: Number, here: HereDep) -> Endpoint:
    """Give a deployment, a canary or a former one, all requests, with the settings it had."""
    deployments.promote_deployment(here.home, name, number)
    return _endpoint(here, name)


@router.put("/{name}/deployments/{number}/shadow")
def set_shadow(name: str, number: Number, asked: ShadowAsked, here: HereDep) -> Endpoint:
    """Have a deployment get copies of requests; its answers are compared and thrown away."""
    deployments.set_shadow(here.home, name, number, asked.percent)
    return _endpoint(here, name)


@router.patch("/{name}/deployments/{number}")
def change_deployment(
    name: str, number: Number, change: DeploymentChange, here: HereDep
) -> Endpoint:
    """Change settings or tags of one deployment, while it serves."""
    deployments.change_deployment(here.home, name, number, change.settings, tags=change.tags)
    return _endpoint(here, name)


@router.delete("/{name}/deployments/{number}")
def delete_deployment(name: str, number: Number, here: HereDep) -> Endpoint:
    """Forget a deployment that gets no requests, with its package."""
    deployments.delete_deployment(here.home, name, number)
    return _endpoint(here, name)


def _endpoint(here: HereDep, name: str) -> Endpoint:
    return Endpoint.of(endpoints.show_endpoint(here.home, name))
