"""What every request passes before any of it is looked at, and what every answer carries.

The host that is asked for must be ours (a page elsewhere could point its own name here); bodies
and headers have limits; a change must come from our own page, or carry a token of its own.
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web.access import SESSION_DAYS, Access, Person
from web.faults import answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOG = logging.getLogger("roomtone.web")
COOKIE = "roomtone"
PROOF = "x-csrf-token"
MOST_BODY = 1 << 20
_MOST_TARGET = 8192
_MOST_RANGES = 4
_RANGE = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = ("/static/", "/login", "/health")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Guard:
    """The outermost layer of the application (ASGI)."""

    def __init__(self, app: App, access: Access, hosts: frozenset[str]) -> None:
        """hosts: names that this server may be asked for, beside the loopback's; `*`: any."""
        self._app, self._access = app, access
        self._hosts = frozenset(host.lower() for host in hosts) | _LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the person in the request's state."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        _drop_no_ranges(scope)
        headers = Headers(scope=scope)
        nonce = secrets.token_urlsafe(16)
        state = scope.setdefault("state", {})
        state["nonce"] = nonce
        person, cookie, bare = self._who(headers)
        state["person"] = person
        refused = self._refused(scope, headers, person, bare)

        begun = False

        async def answered(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                _protect(MutableHeaders(scope=message), nonce, scope["path"])
                if cookie:
                    secure = scope["scheme"] == "https"
                    MutableHeaders(scope=message).append("set-cookie", cookie_text(cookie, secure))
            await send(message)

        if refused is not None:
            await refused(scope, receive, answered)
            return
        try:
            await self._app(scope, _limited(receive), answered)
        except Exception as fault:
            LOG.exception("internal fault: %s %s", scope["method"], scope["path"])
            if begun:
                # Half of an answer is out already; the connection ends.
                raise
            said = f"An internal fault ({type(fault).__name__}); the details are in the log."
            await answer(Request(scope), 500, said)(scope, receive, answered)

    def _who(self, headers: Headers) -> tuple[Person | None, str, bool]:
        """Who asks, a cookie to be set, and whether they showed a bare token."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._access.by_token(token), "", True
        jar = SimpleCookie()
        with contextlib.suppress(CookieError):
            jar.load(headers.get("cookie", "")[:4096])
        if COOKIE in jar:
            person = self._access.by_cookie(jar[COOKIE].value)
            if person is not None:
                return person, "", False
        person = self._access.anybody()
        return person, "" if person is None else self._access.cookie(person), False

    def _refused(
        self, scope: Scope, headers: Headers, person: Person | None, bare: bool
    ) -> Response | None:
        path, method = scope["path"], scope["method"]
        fault = partial(answer, Request(scope))
        host = headers.get("host", "").lower()
        if "*" not in self._hosts and _without_port(host) not in self._hosts:
            return fault(421, "This roomtone does not answer to that name; see --host-name.")
        if len(scope["raw_path"] or b"") + len(scope["query_string"]) > _MOST_TARGET:
            return fault(414, "The address is too long.")
        if _length(headers.get("content-length")) > MOST_BODY:
            return fault(413, "A request is 1 MB at the most.")
        if headers.get("range", "").count(",") >= _MOST_RANGES:
            return fault(416, "Ask for four ranges at the most.")
        if method not in _SAFE:
            forged = self._forged(headers, host, scope["scheme"], person, bare, path)
            if forged:
                return fault(403, forged)
        if person is None and not path.startswith(_OPEN):
            if path.startswith("/api/"):
                return fault(401, "Send a token: `Authorization: Bearer …`.")
            if headers.get("hx-request"):
                return Response(status_code=401, headers={"HX-Redirect": "/login"})
            return RedirectResponse("/login", status_code=303)
        return None

    def _forged(
        self,
        headers: Headers,
        host: str,
        scheme: str,
        person: Person | None,
        bare: bool,
        path: str,
    ) -> str:
        """Why a change is none that a page of ours asked for; empty where it is one."""
        if bare:
            # Browsers never send this header of their own accord.
            return ""
        origin = headers.get("origin")
        if origin is not None and not _same_origin(origin, host, scheme):
            return "The request comes from another page."
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "The request comes from another page."
        if path == "/login":
            return ""
        if person is None or not self._access.proves(person.session, headers.get(PROOF, "")):
            return "The page is too old; load it again."
        return ""


def _drop_no_ranges(scope: Scope) -> None:
    """Take away a Range header that asks for no bytes, which the standard has ignored."""
    scope["headers"] = [
        (name, value) for name, value in scope["headers"] if name != b"range" or _is_ranges(value)
    ]


def _is_ranges(value: bytes) -> bool:
    unit, _, parts = value.decode("latin-1").partition("=")
    return unit.strip().lower() == "bytes" and all(map(_is_range, parts.split(",")))


def _is_range(part: str) -> bool:
    found = _RANGE.fullmatch(part.strip())
    if found is None or not any(found.groups()):
        return False
    return not all(found.groups()) or int(found[1]) <= int(found[2])


def cookie_text(value: str, secure: bool) -> str:
    """The Set-Cookie header of a session."""
    kept = f"Max-Age={SESSION_DAYS * 86_400}" if value else "Max-Age=0"
    parts = [f"{COOKIE}={value}", "Path=/", "HttpOnly", "SameSite=Strict", kept]
    return "; ".join([*parts, "Secure"] if secure else parts)


def _protect(headers: MutableHeaders, nonce: str, path: str) -> None:
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": f"'self' 'nonce-{nonce}'",
        "img-src": "'self' data:",
        "media-src": "'self' blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    # What is shown as it is, such as a report, brings a stricter one.
    said = "; ".join(f"{k} {v}" for k, v in policy.items())
    headers.setdefault("content-security-policy", said)
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "same-origin"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["cross-origin-resource-policy"] = "same-origin"
    if not path.startswith("/static/"):
        headers.setdefault("cache-control", "no-store")


def _limited(receive: Receive) -> Receive:
    """Receive that ends a body which is longer than it may be."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BODY:
            # Whoever reads on hears that the client went away.
            return {"type": "http.disconnect"}
        return message

    return limited


def _without_port(host: str) -> str:
    if host.startswith("["):
        return "".join(host.partition("]")[:2])
    return host.partition(":")[0]


def _same_origin(origin: str, host: str, scheme: str) -> bool:
    parts = urlsplit(origin)
    return (parts.scheme, parts.netloc.lower()) == (scheme, host)


def _length(text: str | None) -> int:
    """The length that a request says it has; too much where it says nonsense."""
    if text is None:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else MOST_BODY + 1
