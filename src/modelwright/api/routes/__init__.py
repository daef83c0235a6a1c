"""The routes, a file for each resource."""

from __future__ import annotations

from modelwright.api.routes import (
    artifacts,
    check,
    datasets,
    drafts,
    endpoints,
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
    endpoints.router,
    settings.router,
)
"""Those that ask who is calling."""
