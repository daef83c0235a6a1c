"""The routes, a file for each resource."""

from __future__ import annotations

from modelwright.api.routes import (
    artifacts,
    check,
    cleaning,
    clusters,
    compute,
    datasets,
    deployments,
    drafts,
    endpoints,
    exports,
    inference,
    library,
    models,
    runs,
    session,
    settings,
    uploads,
)

ROUTERS = (
    session.router,
    library.router,
    drafts.router,
    check.router,
    runs.router,
    artifacts.router,
    uploads.router,
    datasets.router,
    inference.router,
    models.router,
    clusters.router,
    # Before the endpoints, one of which would have the name "plan".
    deployments.router,
    endpoints.router,
    exports.router,
    compute.router,
    cleaning.router,
    settings.router,
)
"""Those that ask who is calling."""
