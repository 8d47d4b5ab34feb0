"""How the values of `core` become columns, and come back equal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator

from core.media import MediaFile, SoundNotes
from core.time import FrameRate

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"

LARGEST = 2**63 - 1

# A byte that is no UTF-8 reaches Python as U+DC80 to U+DCFF, which no database takes as text.
# In a path it is kept, as a private-use character of the last plane.
_SURROGATE = 0xDC80
_PRIVATE = 0x10FF80
_STORED = {_SURROGATE + i: _PRIVATE + i for i in range(128)}
_GIVEN = {stored: given for given, stored in _STORED.items()}


class DamagedValueError(ValueError):
    """A value of the database is none that its column can have."""


def storable(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD and each NUL by a space."""
    if text.isascii():
        return text.replace("\0", " ")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", " ")


def cleaned(word: str) -> str:
    """A word as it is stored: no control characters, no space at the ends or doubled.

    Lone surrogates become U+FFFD.
    """
    safe = storable(word)
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in safe).split())


class SafeText(TypeDecorator[str]):
    """Text of people and files, which may hold what no database takes (see `storable`)."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, _: Dialect) -> str | None:
        """The text as it is stored."""
        return None if value is None else storable(value)


def path_text(path: Path) -> str:
    """An absolute path as it is stored, also where its name is not valid UTF-8."""
    return str(path.absolute()).translate(_STORED)


def text_path(text: str) -> Path:
    """The path that `path_text` made a text of."""
    return Path(text.translate(_GIVEN))


class PathText(TypeDecorator[Path]):
    """An absolute path. Names that are not valid UTF-8 come back as they were."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Path | None, _: Dialect) -> str | None:
        """The path as it is stored."""
        return None if value is None else path_text(value)

    def process_result_value(self, value: str | None, _: Dialect) -> Path | None:
        """The path as it was given."""
        return None if value is None else text_path(value)


class UtcText(TypeDecorator[datetime]):
    """A moment as ISO 8601 text in UTC, always to the microsecond, so that text sorts as time."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> str | None:
        """The moment as it is stored. Raises ValueError for one without a time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone.")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, _: Dialect) -> datetime | None:
        """The moment, in UTC. Raises DamagedValueError for what is none."""
        try:
            return None if value is None else datetime.fromisoformat(value)
        except (TypeError, ValueError) as fault:
            raise DamagedValueError(f"{value!r} is no moment") from fault


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def whole(value: int | None) -> int | None:
    """A count that fits a column; None for one no recorder can mean (beyond 63 bits)."""
    return value if value is not None and abs(value) <= LARGEST else None


def plain(value: JSON) -> Any:
    """The value built of dict, list and scalars only, whatever mappings and sequences it had."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def rate_to_text(rate: FrameRate | None) -> str | None:
    """A frame rate as an exact fraction: `24000/1001`, `30000/1001 DF`."""
    if rate is None:
        return None
    return f"{rate.fps} DF" if rate.drop else str(rate.fps)


def rate_from_text(text: str | None) -> FrameRate | None:
    """The frame rate that `rate_to_text` wrote."""
    if not text:
        return None
    fps, _, drop = text.partition(" ")
    return FrameRate(Fraction(fps), drop=drop == "DF")


_NOTES = frozenset(field.name for field in fields(SoundNotes))
_MEDIA = frozenset(field.name for field in fields(MediaFile)) - {"path"}


def media_to_json(media: MediaFile) -> dict[str, Any]:
    """Everything of a probed file but its path."""
    facts = asdict(media)
    del facts["path"]
    facts["notes"]["timecode_rate"] = rate_to_text(media.notes.timecode_rate)
    facts["warnings"] = list(media.warnings)
    return facts


def media_from_json(facts: Mapping[str, Any], path: Path) -> MediaFile | None:
    """The file that `media_to_json` wrote.

    None where it was written by a version of the program that noted other things about a file
    than this one does: then the file has to be probed again.
    """
    if frozenset(facts) != _MEDIA or frozenset(facts["notes"]) != _NOTES:
        return None
    notes = dict(facts["notes"])
    notes["timecode_rate"] = rate_from_text(notes["timecode_rate"])
    notes["track_names"] = tuple((channel, name) for channel, name in notes["track_names"])
    for name in ("ixml_rest", "absent_tracks"):
        notes[name] = tuple(notes[name])
    rest = {**facts, "notes": SoundNotes(**notes), "warnings": tuple(facts["warnings"])}
    return MediaFile(path=path, **rest)
