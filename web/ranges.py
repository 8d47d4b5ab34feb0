"""Ranges of bytes of sound that lies in no file of its own (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from fastapi import HTTPException, Request
from starlette.responses import Response, StreamingResponse

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def ranged(
    request: Request,
    size: int,
    mark: str,
    media_type: str,
    read: Callable[[int, int], Iterator[bytes]],
) -> Response:
    """The answer to whoever asks for `size` bytes, or one range of them.

    mark: changes where the bytes do. read: gives bytes first … last (without it) in pieces. What
    is no range of bytes, or several, gets all, as the standard allows. Raises HTTPException 416
    for a range that is not there.
    """
    headers = {"accept-ranges": "bytes", "etag": f'"{mark}"'}
    first, last = 0, size
    status = 200
    asked = _ONE.fullmatch(request.headers.get("range", "").strip())
    current = request.headers.get("if-range", headers["etag"]) == headers["etag"]
    if asked is not None and any(asked.groups()) and current:
        first, last = _within(asked[1], asked[2], size)
        status = 206
        headers["content-range"] = f"bytes {first}-{last - 1}/{size}"
    headers["content-length"] = str(last - first)
    return StreamingResponse(read(first, last), status, headers, media_type)


def _within(start: str, end: str, size: int) -> tuple[int, int]:
    """First byte and one past the last."""
    if not start:
        first, last = max(0, size - int(end)), size
    else:
        first, last = int(start), min(int(end) + 1, size) if end else size
    if first >= last:
        raise HTTPException(
            416, "There are no such bytes.", headers={"content-range": f"bytes */{size}"}
        )
    return first, last
