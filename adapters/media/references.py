"""What a timeline's words say about a file: URLs as systems write them, slates, reels, names."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from core.cut import MediaReference
from core.media import MediaFile

Slate = tuple[str, str]
"""Scene and take, folded for comparison."""

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):(?=//)")
_DRIVE = re.compile(r"^[A-Za-z]:")
_SLATE = re.compile(
    r"^(?P<scene>[A-Za-z]{0,2}\d{1,4}[A-Za-z]{0,3})\s*[-_/ ]\s*"
    r"[Tt]?(?P<take>\d{1,3}[A-Za-z]?)(?:\..*)?$"
)
_NO_REEL = ("", "ax", "bl", "black", "unknown")
_EDL_REEL = 8
_SERVERS = ("smb", "afp", "nfs", "cifs")
_HFS = re.compile(r"^[^/\\:]+(:[^/\\:]+){2,}$")
_HEX = frozenset("0123456789abcdef")
_UMID, _MATERIAL, _SHORTEST_ID = 64, 32, 8


@dataclass(frozen=True)
class Location:
    """Where a URL points. paths: as they might exist on this machine. parts: of the path, from
    folder to file name. foreign: the scheme of a URL that is no file, else empty.
    """

    paths: tuple[Path, ...]
    parts: tuple[str, ...]
    foreign: str = ""


def fold(name: str) -> str:
    """A name for comparison: letters' case and ways to compose accents don't count."""
    return unicodedata.normalize("NFC", name).casefold()


def locate(url: str, folder: Path) -> Location:
    """Read a reference's URL; relative paths count from `folder`.

    Understands `file:///…`, `file://localhost/D%3a/…`, `file://Z:/…`, bare paths with or without
    percent signs, Windows separators, shares (`//server/share/…`, `smb://…`) and a Mac's colons
    (`Show HD:Sound:take.wav`). Paths of another system, and every share, give parts only: a name
    in a cut never makes this machine ask a server.
    """
    text = url.strip()
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() in _SERVERS:
        return Location((), _parts(unquote(text[len(scheme[1]) + 1 :])))
    if scheme and scheme[1].lower() != "file":
        return Location((), (), scheme[1])
    if _HFS.match(text) and not _DRIVE.match(text):
        return Location((), _parts(text.replace(":", "/")))
    if text.lower().startswith("file:"):
        spellings = [unquote(_without_host(text[5:]))]
    else:
        spellings = [text, unquote(text)]
    spellings = [s[1:] if _DRIVE.match(s[1:]) and s[:1] == "/" else s for s in spellings]
    spellings += [s.replace("\\", "/") for s in spellings]
    paths = [path for s in dict.fromkeys(spellings) if (path := _path(s, folder)) is not None]
    return Location(tuple(paths), _parts(spellings[-1]))


def _without_host(rest: str) -> str:
    """The path of a file URL after `file:`; a drive given as the host belongs to the path."""
    if not rest.startswith("//"):
        return rest
    host, _, path = rest[2:].partition("/")
    host = unquote(host)
    if host.lower() in ("", "localhost"):
        return f"/{path}"
    return f"{host}/{path}" if _DRIVE.match(host) else f"//{host}/{path}"


def _path(text: str, folder: Path) -> Path | None:
    share = text.startswith(("//", "\\\\"))
    if not text or "\0" in text or share or (_DRIVE.match(text) and os.name != "nt"):
        return None
    return folder / text


def _parts(text: str) -> tuple[str, ...]:
    parts = [part for part in PurePosixPath(text.replace("\\", "/")).parts if part.strip("/")]
    while ".." in parts:
        parts = parts[parts.index("..") + 1 :]
    return tuple(part for part in parts if not _DRIVE.fullmatch(part))


def shared_tail(path: Path, parts: tuple[str, ...]) -> int:
    """How many components, from the file name upwards, a path has in common with a URL's."""
    count = 0
    for ours, theirs in zip(reversed(path.parts), reversed(parts), strict=False):
        if fold(ours) != fold(theirs):
            break
        count += 1
    return count


def slate(scene: str, take: str) -> Slate | None:
    """Scene and take for comparison (`012a`, `T03` is `12A`, `3`), or None without both."""
    scene, take = fold(scene.strip()).lstrip("0"), fold(take.strip())
    take = take.removeprefix("t") if take[1:].isdigit() else take
    take = take.lstrip("0") or ("0" if take else "")
    return (scene, take) if scene and take else None


def slate_in_name(name: str) -> Slate | None:
    """Scene and take in a clip's or file's name: `12A-T03`, `12A-3`, `12A_T03.wav`, `27B/2`."""
    match = _SLATE.match(name.strip())
    return None if match is None else slate(match["scene"], match["take"])


def reference_names(media: MediaReference) -> tuple[str, ...]:
    """Names that a reference gives for its file, best first: source file, URL, clip."""
    url_name = (locate(media.url, Path()).parts or ("",))[-1]
    file_name = re.split(r"[\\/]", media.file_name.strip())[-1]
    names = (file_name, url_name, media.name.strip())
    return tuple(dict.fromkeys(name for name in names if name))


def reference_slate(media: MediaReference) -> Slate | None:
    """Scene and take of a reference: as the format gives them, else read from its names."""
    given = slate(media.scene, media.take)
    if given is not None:
        return given
    names = (media.name, *reference_names(media))
    return next((found for name in names if (found := slate_in_name(name)) is not None), None)


def file_slate(media: MediaFile) -> Slate | None:
    """Scene and take of a file: the recorder's, else read from its name."""
    given = slate(media.notes.scene, media.notes.take)
    return slate_in_name(media.path.name) if given is None else given


def stems(name: str) -> tuple[str, ...]:
    """A name, and the name without its suffix, for comparison with a file's stem."""
    folded = fold(name)
    return tuple(dict.fromkeys((folded, folded.rpartition(".")[0] or folded)))


def reel_keys(reel: str) -> tuple[str, ...]:
    """Keys under which a reel or tape is looked up, none for an EDL's `AX` or black.

    Letters and digits only; also their first eight, which is all that a CMX3600 EDL keeps.
    """
    plain = "".join(character for character in fold(reel) if character.isalnum())
    if plain in _NO_REEL:
        return ()
    return tuple(dict.fromkeys((plain, plain[:_EDL_REEL])))


def material_keys(text: str) -> tuple[str, ...]:
    """Keys under which the identity of a recording is looked up, the strictest first.

    text: a UMID (SMPTE ST 330) or AAF mob id in any spelling (`urn:smpte:umid:…`, hex with dots,
    dashes or braces), or a recorder's own file id. Of a UMID also its basic half, and its
    material number, the part that a copy keeps. Empty for what is too short to name anything.
    """
    plain = "".join(character for character in fold(text) if character.isalnum())
    plain = plain.removeprefix("urn").removeprefix("smpte").removeprefix("umid")
    if len(plain) < _SHORTEST_ID or len(set(plain)) < 3:
        return ()
    keys = [plain]
    if len(plain) >= _UMID and set(plain[:_UMID]) <= _HEX:
        keys.append(plain[:_UMID])
        material = plain[_MATERIAL:_UMID]
        if len(set(material)) >= 3:
            keys.append(material)
    return tuple(dict.fromkeys(keys))
