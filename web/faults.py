"""Faults as answers: one sentence, as JSON for programs and as a page for people."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core.errors import ExitCode, RoomtoneError
from web.site import TEMPLATES

STATUS = {
    ExitCode.USAGE: 422,
    ExitCode.INPUT: 404,
    ExitCode.OFFLINE: 409,
    ExitCode.ENGINE: 503,
    ExitCode.OUTPUT: 507,
    ExitCode.CHECK: 409,
}


def tell_faults(app: FastAPI) -> None:
    """Make every fault of the application end in one sentence."""

    @app.exception_handler(RoomtoneError)
    def ours(request: Request, fault: RoomtoneError) -> Response:
        return answer(request, STATUS.get(fault.exit_code, 500), str(fault))

    @app.exception_handler(HTTPException)
    def http(request: Request, fault: HTTPException) -> Response:
        said = str(fault.detail)
        if fault.status_code == 404 and said == "Not Found":
            said = "There is nothing at this address."
        return answer(request, fault.status_code, said, dict(fault.headers or {}))

    @app.exception_handler(RequestValidationError)
    def wrong(request: Request, fault: RequestValidationError) -> Response:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return answer(request, 422, f"{where or 'The request'}: {first['msg']}.")


def answer(
    request: Request, status: int, sentence: str, headers: dict[str, str] | None = None
) -> Response:
    """A fault's sentence, as whoever asks reads it."""
    headers = headers or {}
    if request.url.path.startswith("/api/"):
        return JSONResponse({"fault": sentence}, status, headers)
    if request.headers.get("hx-request"):
        # Shown by the page's own script, wherever the person is.
        return JSONResponse({"fault": sentence}, status, headers)
    return TEMPLATES.TemplateResponse(
        request, "fault.html", {"sentence": sentence, "status": status}, status, headers
    )
