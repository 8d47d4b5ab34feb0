"""One file over https, resumed where it broke off, and the named members of an archive."""

from __future__ import annotations

import http.client
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from core.errors import EngineError

Progress = Callable[[int, int], None]
"""progress(done, total): bytes; total is 0 where the server does not say."""

BLOCK = 1 << 18
TIMEOUT_S = 30
LARGEST_MEMBER = 1 << 28
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def download(url: str, target: Path, progress: Progress) -> None:
    """Fetch a URL into a file; what is already there is taken as its beginning.

    https only (plain http from this machine itself), also after a redirect. Raises EngineError
    where there is no network, the server refuses, or the answer breaks off; what has arrived stays
    for the next attempt.
    """
    _check(url)
    tag = target.with_name(f"{target.name}.etag")
    have = target.stat().st_size if target.exists() else 0
    headers = {"User-Agent": "roomtone", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        # Without this, a file that was published anew would be joined to the old one's beginning.
        if tag.exists():
            headers["If-Range"] = tag.read_text("utf-8")
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(_CheckedRedirects)
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            _keep_tag(answer, tag)
            _receive(answer, target, have, progress)
    except urllib.error.HTTPError as fault:
        if fault.code == 416 and have:
            if fault.headers.get("Content-Range", "") == f"bytes */{have}":
                return
            target.unlink()
            download(url, target, progress)
            return
        raise EngineError(
            f"{url} answered {fault.code} {fault.reason}; fetch it in a browser and bring it in "
            "with `roomtone models import FILE`."
        ) from fault
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, OSError) as fault:
        reason = getattr(fault, "reason", None) or fault
        raise EngineError(
            f"{url} could not be fetched ({reason}); check the network and run the command again, "
            "or bring the files in with `roomtone models import DIR`."
        ) from fault


def unpack(archive: Path, names: Collection[str], folder: Path) -> None:
    """Take the named files out of a `.tar.gz` into a folder, whatever folder they lie in there.

    Only regular files of these names, under these names, at most 256 MB each. Raises EngineError
    where one is missing, doubled or too large, or the archive is damaged.
    """
    taken: set[str] = set()
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                if name not in names or not member.isreg():
                    continue
                source = tar.extractfile(member)
                if name in taken or member.size > LARGEST_MEMBER or source is None:
                    raise EngineError(
                        f"{archive.name} holds {name} twice or too large; it is not the authors' "
                        "archive, so fetch that."
                    )
                _copy(source, folder / name)
                taken.add(name)
    except (tarfile.TarError, EOFError, OSError) as fault:
        raise EngineError(f"{archive.name} is damaged ({fault}); fetch it again.") from fault
    missing = sorted(set(names) - taken)
    if missing:
        raise EngineError(
            f"{archive.name} does not hold {', '.join(missing)}; fetch the authors' archive."
        )


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where a download may start."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str) -> None:
    """Refuse what is neither https nor http from this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        return
    raise EngineError(f"{url} is not an https address; weights are fetched over https only.")


def _keep_tag(answer: http.client.HTTPResponse, tag: Path) -> None:
    """Remember a strong ETag, by which the server tells whether the file is still the same."""
    value = answer.headers.get("ETag", "")
    if value.startswith('"'):
        tag.write_text(value, "utf-8")
    else:
        tag.unlink(missing_ok=True)


def _receive(answer: http.client.HTTPResponse, target: Path, have: int, progress: Progress) -> None:
    """Write the body behind what is there, or from the start where the server sends it all."""
    resumed = answer.status == 206 and _range_start(answer) == have
    if answer.status == 206 and not resumed:
        raise OSError("the server resumed at another place")
    done = have if resumed else 0
    length = int(answer.headers.get("Content-Length") or 0)
    total = done + length if length else 0
    with target.open("ab" if resumed else "wb") as file:
        while block := answer.read(BLOCK):
            file.write(block)
            done += len(block)
            progress(done, total)
    if total and done != total:
        raise OSError(f"the connection closed after {done} of {total} bytes")


def _range_start(answer: http.client.HTTPResponse) -> int:
    """The first byte of a partial answer, or -1."""
    value = answer.headers.get("Content-Range", "")
    start = value.removeprefix("bytes ").split("-")[0]
    return int(start) if start.isdigit() else -1


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        while block := source.read(BLOCK):
            file.write(block)
