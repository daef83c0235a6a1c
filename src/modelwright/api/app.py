"""The HTTP application over an opened home."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, FastAPI

from modelwright.actions.background import BackgroundRuns
from modelwright.actions.home import Home
from modelwright.actions.table_rows import TableRows
from modelwright.api.access import caller
from modelwright.api.errors import handle_errors
from modelwright.api.guard import Doors, Guard
from modelwright.api.here import Here
from modelwright.api.routes import ROUTERS, session
from modelwright.api.shapes.shape import ErrorReply
from modelwright.api.studio import BUILT, Studio
from modelwright.api.uploads import LARGEST, Uploads
from modelwright.workspace.sealing import Seal
from modelwright.workspace.workspace import KEY_FILE

_DESCRIPTION = """Build machine-learning pipelines, run them, and deploy them as endpoints.

Scripts send `Authorization: Bearer TOKEN` with an API token. Every answer that is not a success has the
shape `ErrorReply`; its `code` is stable."""


def create_app(
    home: Home,
    *,
    doors: Doors | None = None,
    studio: Path = BUILT,
    largest_upload: int = LARGEST,
) -> FastAPI:
    """The application; it ends the home's background runs when it is shut down, not the home.

    doors: under which names it may be called; this machine's loopback unless given.
    studio: the folder of the built studio.  largest_upload: bytes.
    """
    here = Here(
        home,
        doors or Doors.of("127.0.0.1"),
        BackgroundRuns(home),
        Uploads(home.folder / "uploads", largest=largest_upload),
        TableRows(home.store),
        Seal(home.folder / KEY_FILE),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        here.stopping.set()
        await run_sync(here.runs.stop)

    app = _described(lifespan)
    app.state.here = here
    # Not mounted, since that would take in the API's addresses with a wrong verb.
    app.router.default = Studio(studio)
    app.add_middleware(Guard, doors=here.doors)
    return app


def describe_api() -> dict[str, Any]:
    """The API as an OpenAPI document; the same for every home."""
    return _described(None).openapi()


def _described(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None) -> FastAPI:
    """The routes and their errors, without a home behind them."""
    app = FastAPI(
        title="Modelwright",
        version=version("modelwright"),
        description=_DESCRIPTION,
        # The pages of documentation load scripts from elsewhere; the document is behind the login.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # One shape for what is sent and what comes back, so that a type generator makes one type.
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
    )
    handle_errors(app)
    _add_routes(app)
    return app


def _add_routes(app: FastAPI) -> None:
    errors: dict[int | str, dict[str, Any]] = {
        "default": {"model": ErrorReply, "description": "What went wrong"},
        # Else the framework describes its own shape here.
        422: {"model": ErrorReply, "description": "What was sent is at fault"},
    }
    document = APIRouter()

    @document.get("/openapi.json", include_in_schema=False)
    def describe() -> dict[str, Any]:
        """The API as an OpenAPI document."""
        return app.openapi()

    app.include_router(session.open_router, prefix="/api", responses=errors)
    for router in (*ROUTERS, document):
        app.include_router(router, prefix="/api", responses=errors, dependencies=[Depends(caller)])
