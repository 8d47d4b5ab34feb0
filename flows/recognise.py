"""Which asset a file is: by its content, by what it says of itself, or as an excerpt of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from adapters.media.bwf import read_block
from adapters.media.essence import file_sha256
from adapters.media.excerpt import Excerpt, Match, is_readable, same_sound
from core.errors import InputError
from core.words import some
from db.memory import AssetRecord, asset_at, paths_of, sounds_like
from db.provenance import UnknownAssetError, Use, find, made_named
from db.tables import AssetKind
from flows.progress import Progress

_KINDS: tuple[AssetKind, ...] = ("stem", "clip", "clean", "original")
STEP = "Looking for the sound"


@dataclass(frozen=True)
class Recognised:
    """What a file is. said: how it was recognised where its content is not known, a sentence.

    excerpt: the file itself as an asset, and which samples of `asset` it holds; None where it is
    the asset.
    """

    asset: AssetRecord
    said: str = ""
    excerpt: tuple[AssetRecord, Use] | None = None


def recognise(session: Session, path: Path, progress: Progress) -> Recognised:
    """The asset that a file is, or was made from by another program.

    By its content; else by the block that we write into its iXML; else by looking for its samples
    in the stems, clips, takes and originals that are at hand. Raises UnknownAssetError.
    """
    sha256 = file_sha256(path)
    asset = asset_at(session, sha256)
    if asset is not None:
        return Recognised(asset)
    claimed = next(iter(_claimed(session, path)), None)
    excerpt = Excerpt(path) if is_readable(path) else None
    if claimed is not None:
        place = next((there for there in _places(session, claimed) if is_readable(there)), None)
        if place is not None and excerpt is not None:
            if same_sound(path, place):
                return Recognised(
                    claimed,
                    f"{path.name} is {claimed.name} with another header: its sound is the same, "
                    "sample for sample.",
                )
            found = excerpt.found_in(place)
            if found is not None:
                return _cut_from(path, sha256, excerpt, [(claimed, found)])
        why = (
            "its sound is another now"
            if place is not None
            else "that file is not at hand, so the sounds can't be compared"
        )
        return Recognised(
            claimed,
            f"{path.name} says that it is {claimed.name}, but it was changed: {why}. "
            f"This is the history of {claimed.name}.",
        )
    if excerpt is None:
        return Recognised(find(session, path, sha256))
    hits = _hits(session, excerpt, progress)
    if hits:
        return _cut_from(path, sha256, excerpt, hits)
    with suppress(UnknownAssetError):
        return Recognised(find(session, path, sha256))
    told = "" if excerpt.telling else "; it is silent, so nothing tells where it comes from"
    raise UnknownAssetError(
        f"{path} is not known to this roomtone: neither by its content, nor by what it says of "
        f"itself, nor as an excerpt of any sound at hand{told}."
    )


def _claimed(session: Session, path: Path) -> list[AssetRecord]:
    """The assets that a file may be by what it says, those first that sound the same."""
    name = read_block(path).get("ID", "")
    uses = made_named(session, name) if name else ()
    found = [asset for use in uses if (asset := asset_at(session, use.asset)) is not None]
    return sorted(found, key=lambda asset: not _sounds_as(path, session, asset))


def _sounds_as(path: Path, session: Session, asset: AssetRecord) -> bool:
    for place in _places(session, asset):
        with suppress(InputError):
            return same_sound(path, place)
    return False


def _hits(
    session: Session, excerpt: Excerpt, progress: Progress
) -> list[tuple[AssetRecord, Match]]:
    """Where an excerpt is found, in the first kind of sound that has it."""
    if not excerpt.telling:
        return []
    for kind in _KINDS:
        found = []
        candidates = sounds_like(session, kind, excerpt.sample_rate, excerpt.frames)
        progress.step(STEP, len(candidates))
        for asset in candidates:
            match = _found(session, asset, excerpt)
            found += [(asset, match)] if match is not None else []
            progress.advance(STEP)
        if found:
            return found
    return []


def _found(session: Session, asset: AssetRecord, excerpt: Excerpt) -> Match | None:
    for place in _places(session, asset):
        with suppress(InputError):
            return excerpt.found_in(place)
    return None


def _places(session: Session, asset: AssetRecord) -> Iterator[Path]:
    """Where an asset still lies, unchanged in size."""
    for path in paths_of(session, asset.sha256):
        with suppress(OSError):
            if path.stat().st_size == asset.bytes:
                yield path


def _cut_from(
    path: Path, sha256: str, excerpt: Excerpt, hits: list[tuple[AssetRecord, Match]]
) -> Recognised:
    asset, match = hits[0]
    agree = "bit for bit" if match.bits == 24 else f"as far as its {match.bits} bits tell"
    others = [other.name for other, _ in hits[1:]]
    also = f"; so are stretches of {some(others)}" if others else ""
    own = AssetRecord(
        sha256=sha256,
        kind="clip",
        name=path.name,
        bytes=path.stat().st_size,
        sample_rate=excerpt.sample_rate,
        channels=excerpt.channels,
        frames=excerpt.frames,
    )
    channels = (match.channel,) if excerpt.channels == 1 and (asset.channels or 1) > 1 else ()
    whole = (0, excerpt.frames)
    use = Use(asset.sha256, "excerpt", match.start, match.end, whole, channels=channels)
    return Recognised(
        asset,
        f"{path.name} is samples {match.start}-{match.end} of {asset.name}, {agree}{also}.",
        (own, use),
    )
