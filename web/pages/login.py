"""Logging in: a token is entered once."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from web.guard import cookie_text
from web.pages.shown import page
from web.site import AtSite

router = APIRouter()


@router.get("/login", response_class=HTMLResponse)
def login(request: Request, at: AtSite) -> HTMLResponse:
    """The form for a token."""
    return page(request, at, request.state.person, "login.html", {"wrong": ""})


@router.post("/login")
async def enter(request: Request, at: AtSite) -> Response:
    """Check a token; five wrong ones a minute and address."""
    address = request.client.host if request.client else ""
    wait = at.access.tries.wait_s(address)
    if wait:
        said = f"Too many wrong tokens; try again in {wait} seconds."
        answer = page(request, at, None, "login.html", {"wrong": said})
        answer.status_code, answer.headers["retry-after"] = 429, str(wait)
        return answer
    given = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=5)
    who = at.access.by_token(given.get("token", [""])[0])
    if who is None:
        at.access.tries.failed(address)
        answer = page(request, at, None, "login.html", {"wrong": "This token is not known."})
        answer.status_code = 403
        return answer
    gone = RedirectResponse("/", status_code=303)
    cookie = at.access.signed_in(who)[1]
    gone.headers.append("set-cookie", cookie_text(cookie, request.url.scheme == "https"))
    return gone


@router.post("/logout")
def leave(request: Request) -> Response:
    """Forget the session in this browser."""
    answer = Response(headers={"HX-Redirect": "/login"})
    answer.headers.append("set-cookie", cookie_text("", request.url.scheme == "https"))
    return answer
