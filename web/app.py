"""The application: guard, pages, JSON interface and the files that the pages need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

import web.api.consents
import web.api.corrections
import web.api.cuts
import web.api.review
import web.api.runs
import web.api.search
import web.api.session
import web.api.speakers
import web.api.tags
import web.api.takes
import web.pages.cuts
import web.pages.login
import web.pages.review
import web.pages.runs
import web.pages.search
import web.pages.speakers
import web.pages.takes
from db.codec import now
from flows.metrics import TYPE, metrics
from flows.workspace import Workspace, code_version
from web.access import Access
from web.faults import tell_faults
from web.guard import Guard
from web.site import HERE, AtSite, Site, Viewer

API = (
    web.api.session,
    web.api.search,
    web.api.takes,
    web.api.tags,
    web.api.corrections,
    web.api.cuts,
    web.api.review,
    web.api.runs,
    web.api.speakers,
    web.api.consents,
)
PAGES = (
    web.pages.login,
    web.pages.search,
    web.pages.takes,
    web.pages.cuts,
    web.pages.review,
    web.pages.speakers,
    web.pages.runs,
)


def create_app(work: Workspace, access: Access, hosts: Sequence[str] = ()) -> FastAPI:
    """The application for a home.

    hosts: names that it may be asked for beside the loopback's. The workspace stays open as long
    as the application runs; whoever opened it closes it.
    """

    app = FastAPI(
        title="roomtone",
        version=code_version(),
        summary="The dialogue of a production: every take, every line, raw and cleaned.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.site = Site(work, access)
    tell_faults(app)
    app.router.routes.extend(_routes().routes)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    app.add_middleware(Guard, access=access, hosts=frozenset(hosts))
    return app


@cache
def _routes() -> APIRouter:
    """All routes, put together once a process: they know nothing of the home that is served."""
    routes = APIRouter()
    api = APIRouter(prefix="/api/v1")
    for part in API:
        api.include_router(part.router)
    routes.include_router(api)
    for part in PAGES:
        routes.include_router(part.router, include_in_schema=False)

    @routes.get("/metrics", include_in_schema=False)
    def counts(at: AtSite, who: Viewer) -> Response:
        del who
        return Response(metrics(at.work.database, now()), media_type=TYPE)

    @routes.get("/health", include_in_schema=False)
    def health() -> dict[str, str]:
        return {"roomtone": code_version()}

    return routes
