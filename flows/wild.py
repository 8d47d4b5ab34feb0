"""Wild tracks: which recordings are room tone, and of which scene or sound roll."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.media import MediaFile
from core.scenes import folded_scene

_WILD = re.compile(
    r"\b(wild|wild ?tracks?|wt ?\d*|room ?tone|rt ?\d*|atmos?(?:phere)?|ambien(?:ce|t)|amb"
    r"|buzz ?track)\b",
    re.IGNORECASE,
)
_TAKE_TYPE = re.compile(
    r"<(?:TAKE_TYPE)>[^<]*\bWILD_TRACK\b|<WILD_TRACK>\s*(?:TRUE|YES|1)\b", re.IGNORECASE
)


def is_wild(media: MediaFile) -> bool:
    """Whether a file says of itself that it is a wild track of room tone.

    By its name, scene, take or notes, or by the take type of iXML.
    """
    notes = media.notes
    text = " ".join((media.path.stem, notes.note, notes.description, notes.take, notes.scene))
    plain = re.sub(r"[_\-.]+", " ", text).replace("/", "")
    told = any(_TAKE_TYPE.search(element) for element in notes.ixml_rest)
    return told or _WILD.search(plain) is not None


def belongs(wild: MediaFile, scene: str, roll: str) -> bool:
    """Whether a wild track is of a scene (folded), or, where it names none, of a sound roll."""
    named = re.sub(r"[_\-.]+", " ", wild.notes.scene).replace("/", "")
    own = folded_scene(_WILD.sub("", named))
    return own == scene if own else bool(roll) and wild.notes.tape.strip() == roll.strip()


def wild_of(files: Iterable[MediaFile], linked: Iterable[MediaFile]) -> tuple[MediaFile, ...]:
    """The wild tracks among files that belong to a scene or a roll of the linked ones."""
    places = {(folded_scene(media.notes.scene), media.notes.tape) for media in linked}
    return tuple(
        media
        for media in files
        if is_wild(media) and any(belongs(media, scene, roll) for scene, roll in places)
    )
