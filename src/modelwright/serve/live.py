"""A deployment that is ready to answer."""

from __future__ import annotations

from typing import Any

import orjson

from modelwright.inference.openapi import openapi, swagger
from modelwright.inference.package import Package
from modelwright.serve.lanes import FormulaLane, Lane
from modelwright.serve.settings import DeploymentSettings


class Live:
    """A packaged pipeline with the lane that scores for it.

    name: that of the endpoint, for its documents.  at_once: gives the reply to rows as objects, if it can
    be had without waiting for anybody, else None; raises InputDataError and StepFailed.  all_at_once: the
    same for small requests that came at the same time; None where that is no gain.
    """

    def __init__(
        self, name: str, package: Package, lane: Lane, settings: DeploymentSettings
    ) -> None:
        self.name = name
        self.package = package
        self.lane = lane
        self.settings = settings
        # No method: a call less for every request.
        self.at_once = lane.at_once if isinstance(lane, FormulaLane) else _never
        self.all_at_once = lane.all_at_once if isinstance(lane, FormulaLane) else None
        self._documents: dict[tuple[str, bool], bytes] = {}

    def change(self, settings: DeploymentSettings) -> None:
        """Take other settings from now on."""
        self.settings = settings
        self.lane.change(settings)

    def openapi(self, *, keys: bool) -> bytes:
        """The OpenAPI 3.1 document."""
        return self._document("openapi", openapi, keys=keys)

    def swagger(self, *, keys: bool) -> bytes:
        """The Swagger 2 document."""
        return self._document("swagger", swagger, keys=keys)

    def _document(self, kind: str, make: Any, *, keys: bool) -> bytes:
        if (kind, keys) not in self._documents:
            package = self.package
            found = make(
                self.name,
                package.inputs,
                package.outputs,
                description=package.description,
                keys=keys,
            )
            self._documents[kind, keys] = orjson.dumps(found)
        return self._documents[kind, keys]


def _never(body: bytes) -> bytes | None:
    """What has to wait for others cannot answer at once."""
    del body
    return None
