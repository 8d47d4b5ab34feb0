"""Which sound of a cut is dialogue, and why: by role, by track name, or as a person says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.cut import Cut, Event, Track
from core.errors import UsageError

DIALOGUE = "DX"
UNKNOWN = ""

_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    # What is not production sound is asked first: "ADR Dialogue" and "DX TEMP" are not.
    ("ADR", re.compile(r"\b(adr|loop|wallas?|vo|v/o|voice.?overs?|narration|temp|tmp)\b")),
    ("MX", re.compile(r"\b(mx|mus|music|score|songs?|source music|needle.?drops?)\b")),
    (
        "FX",
        re.compile(
            r"\b(fx|sfx|efx|effects?|foley|fol|amb|ambiences?|ambience|bgs?|backgrounds?|"
            r"atmos?|rt|room.?tone|m&e|pfx)\b"
        ),
    ),
    (
        DIALOGUE,
        re.compile(r"\b(dx|dia|dial|dialog|dialogue|dlg|prod|production|boom|lavs?|sync)\b"),
    ),
)


@dataclass(frozen=True)
class Choice:
    """What a track is taken for. role: DX, MX, FX, ADR, or empty. why: for people."""

    track: str
    dialogue: bool
    role: str
    why: str


def choose_tracks(cut: Cut, asked: Sequence[str] = ()) -> tuple[Choice, ...]:
    """What each audio track of a cut is taken for, in the cut's order.

    asked: names of the tracks that are dialogue, as the person gives them (case does not
    matter); they alone decide where any is given. Else the track's role, else its name; a track
    that says nothing is dialogue where no other track is named as dialogue.
    Raises UsageError for a track asked for that the cut does not have.
    """
    names = {track.name.casefold(): track.name for track in cut.audio_tracks}
    for name in asked:
        if name.casefold() not in names:
            raise UsageError(
                f"{cut.name} has no audio track {name!r} (it has {', '.join(names.values())}); "
                "correct --tracks."
            )
    if asked:
        wanted = {name.casefold() for name in asked}
        return tuple(
            Choice(track.name, True, DIALOGUE, "asked for")
            if track.name.casefold() in wanted
            else Choice(track.name, False, _of_track(track)[0], "not asked for")
            for track in cut.audio_tracks
        )
    said = {track.name: _of_track(track) for track in cut.audio_tracks}
    named = any(role == DIALOGUE for role, _ in said.values())
    choices = []
    for track in cut.audio_tracks:
        role, why = said[track.name]
        if role:
            choices.append(Choice(track.name, role == DIALOGUE, role, why))
        elif named:
            choices.append(Choice(track.name, False, UNKNOWN, "others are named as dialogue"))
        else:
            choices.append(Choice(track.name, True, DIALOGUE, "nothing says otherwise"))
    return tuple(choices)


def passes_through(event: Event, choice: Choice) -> bool:
    """Whether an event of a track stays untouched: its own role says more than the track's."""
    own = role_in(event.role)
    return own != DIALOGUE if own else not choice.dialogue


def role_in(words: str) -> str:
    """The role that words name (`Dialogue.Boom`, `SFX 2`, `A1_DX`): DX, MX, FX, ADR, or empty."""
    plain = re.sub(r"[_.\-:]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)", " ", words).casefold()
    return next((role for role, pattern in _WORDS if pattern.search(plain)), UNKNOWN)


def _of_track(track: Track) -> tuple[str, str]:
    by_role = role_in(track.role)
    if by_role:
        return by_role, f"by its role {track.role!r}"
    by_name = role_in(track.name)
    return (by_name, "by its name") if by_name else (UNKNOWN, "")
