"""RTTM (NIST Rich Transcription): a line for each turn of a speaker, in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.plain_text import token
from core.spotting import SpottingList, cleaned
from core.time import seconds_text

NOBODY = "unknown"


def serialise(lists: Sequence[SpottingList]) -> str:
    """The lines of lists as `SPEAKER` records; also those without words.

    Names are one token: spaces become underscores, and a number parts two that become alike.
    """
    plain = [cleaned(found) for found in lists]
    names = distinct(spot.speaker for found in plain for spot in found.lines)
    files = distinct(found.name for found in plain)
    return "".join(
        f"SPEAKER {files[found.name]} 1 {seconds_text(max(0, spot.start), found.sample_rate)} "
        f"{seconds_text(spot.end - spot.start, found.sample_rate)} <NA> <NA> "
        f"{names[spot.speaker]} <NA> <NA>\n"
        for found in plain
        for spot in found.lines
    )


def distinct(names: Iterable[str]) -> dict[str, str]:
    """A token for each name, no two alike."""
    tokens: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        plain, number = token(name) or NOBODY, 1
        made = plain
        while made in taken:
            number += 1
            made = f"{plain}_{number}"
        taken.add(made)
        tokens[name] = made
    return tokens
