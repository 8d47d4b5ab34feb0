"""The page and the JSON interface under requests that a fuzzer injured.

A request is its bytes as they come over the wire. They pass the same parser as uvicorn's, and then
the application of a home with a take, its lines and a cut.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import h11
import numpy as np

from adapters.media.essence import essence_sha256, file_sha256
from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from config.settings import Settings
from core.cut import Cut, Event, MediaReference, Track
from core.errors import InputError
from core.media import MediaFile, SoundNotes
from core.speech import Line, Word
from core.time import RATES
from db.catalogue import store_listening
from db.memory import CutEventRecord, remember_cut, remember_media
from flows.workspace import Workspace, open_workspace
from web.access import Access, Role, add_token
from web.app import create_app

TOKEN = b"@token"
"""Stands for a token of the home, which is another each time."""

CUT = "c" * 64
RATE = 48_000
_FRAMES = 24_000
_BROKEN = 500
_NO_SUCH_RANGE = 416


@dataclass(frozen=True)
class _Served:
    app: Any
    token: bytes


def requests(take: str) -> Iterator[bytes]:
    """Whole requests, which are answered. take: the id of the home's take."""
    pages = ("/", "/takes", f"/takes/{take}", "/cuts", f"/cuts/{CUT}", "/review", "/speakers")
    told = ("/runs", "/login", "/metrics", "/health", "/static/js/player.js")
    asked = (
        "session",
        "tags",
        "takes",
        f"takes/{take}",
        f"takes/{take}/lines",
        f"takes/{take}/events",
        f"takes/{take}/sound?channel=0",
        f"takes/{take}/excerpt?start=100&end=9000&channel=0",
        f"takes/{take}/peaks?points=20",
        f"takes/{take}/spectrogram?kind=raw",
        "search?q=joy+in&scene=1&circled=true&min_confidence=0.1&from=2026-11-01&limit=5",
        "search?q=%22what+joy%22+-blue+liv*&tag=good&event=slate&by=sound",
        "cuts",
        f"cuts/{CUT}",
        "review",
        "speakers?production=P",
        "runs?state=waiting&limit=3&before=9",
        "runs/cuts",
        "openapi.json",
    )
    for path in (*pages, *told, *(f"/api/v1/{name}" for name in asked)):
        yield _asked("GET", path)
    yield _asked("GET", f"/api/v1/takes/{take}/audio", more=b"Range: bytes=100-900,1000-\r\n")
    for method, path, body in (
        ("POST", f"takes/{take}/tags", b'{"on": ["good", "blue"], "off": ["bad"]}'),
        ("PUT", "lines/1/correction", b'{"text": "what joy there was"}'),
        ("PATCH", "speakers/1", b'{"name": "REN"}'),
    ):
        yield _asked(method, f"/api/v1/{path}", body)
    yield _asked("GET", "/?q=joy", more=b"HX-Request: true\r\nCookie: roomtone=W10.abc.def\r\n")


def answered(data: bytes) -> int:
    """The status of the answer to a request; refusals are raised as InputError.

    Raises AssertionError where the answer is an internal fault, or a refusal without a sentence.
    """
    connection = h11.Connection(h11.SERVER)
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        asked = connection.next_event()
        if not isinstance(asked, h11.Request):
            raise InputError("The request is cut short.")
        body = b""
        while isinstance(event := connection.next_event(), h11.Data):
            body += bytes(event.data)
    except h11.RemoteProtocolError as fault:
        raise InputError(f"The request is none ({fault}).") from fault
    status, answer = asyncio.run(_called(_served(), asked, body))
    if status >= _BROKEN:
        raise AssertionError(f"{status}: {answer[:200]!r}")
    bare = status == _NO_SUCH_RANGE and not answer
    if (
        status >= 400
        and not bare
        and asked.target.startswith(b"/api/")
        and b'"fault"' not in answer
    ):
        raise AssertionError(f"{status} without a sentence: {answer[:200]!r}")
    if status >= 400:
        raise InputError(f"The request is refused ({status}).")
    return status


def _asked(method: str, path: str, body: bytes = b"", more: bytes = b"") -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ".encode()
        + TOKEN
        + b"\r\nAccept: */*\r\n"
        + more
    )
    if body:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return head + b"\r\n" + body


async def _called(served: _Served, asked: h11.Request, body: bytes) -> tuple[int, bytes]:
    """Ask the application as uvicorn would."""
    raw, _, query = asked.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": asked.http_version.decode("ascii"),
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
        "method": asked.method.decode("ascii"),
        "root_path": "",
        "path": unquote(raw.decode("ascii")),
        "raw_path": raw,
        "query_string": query,
        "headers": [(name, value.replace(TOKEN, served.token)) for name, value in asked.headers],
        "state": {},
    }
    came = iter([{"type": "http.request", "body": body, "more_body": False}])
    status, parts = 0, []

    async def receive() -> dict[str, Any]:
        return next(came, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await served.app(scope, receive, send)
    return status, b"".join(parts)


@cache
def _served() -> _Served:
    """The application of a home that lies in the system's temporary folder as long as we run."""
    stack = ExitStack()
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="roomtone-fuzz-"))
    work = stack.enter_context(open_workspace(Settings(home=Path(folder, "home"))))
    _fill(work, Path(folder))
    token = add_token(work.settings.home, "fuzzer", Role.ADMIN).encode()
    served = _Served(create_app(work, Access(work.settings.home, open_to_all=True)), token)
    _KEPT.append(stack)
    return served


_KEPT: list[ExitStack] = []


def _fill(work: Workspace, folder: Path) -> None:
    path = folder / "1-T01.wav"
    media = recorded(path)
    words = tuple(Word(text, 100 * n, 100 * n + 90) for n, text in enumerate(["what", "joy"]))
    said = Line("REN", 0, 190, words, "told")
    length = Fraction(24)
    source = MediaReference(name="1-T01", url=path.as_uri())
    event = Event("A1/001", Fraction(0), length, Fraction(0), source)
    cut = Cut("reel", RATES["24"], 86_400, length, (Track("A1", (event,)),))
    linked = CutEventRecord("A1/001", "A1", 0, 9_000, media.sha256, 0, 9_000, (0,), "name", "key")
    with work.database.write() as session:
        remember_media(session, media)
        store_listening(session, media.essence, "told", "told", False, None, "en", [said], "P")
        remember_cut(session, cut, CUT, folder / "cut.otio", [linked])


def recorded(path: Path) -> MediaFile:
    """Half a second of a take, written to a path; always the same."""
    sound = np.random.default_rng(1).integers(-9_000, 9_000, size=(_FRAMES, 1))
    notes = SoundNotes(scene="1", take="1", project="P", track_names=((0, "REN"),))
    with WaveWriter(path, RATE, 1, "PCM_24", notes) as writer:
        writer.write(sound)
    media = probe(path)
    return replace(media, essence=essence_sha256(media, path), sha256=file_sha256(path))
