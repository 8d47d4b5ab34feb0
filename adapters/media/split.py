"""Takes split into mono files: which file of a set is which channel of the poly file.

Recorders write one poly file a take, or a mono file for each input: `T01_1.WAV` (Sound Devices,
where the number is that of the input), `F8-001_Tr1.WAV` (Zoom), `12A-T03.A1.wav` (Avid),
`12A-T03.L.wav` (workstations).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from adapters.media.placing import preferred_track
from adapters.media.recorder import Recorder
from adapters.media.references import fold, slate
from core.media import MediaFile

_LEGS = (
    re.compile(
        r"^(?P<base>.+?)[ ._-]+(?:trk?|track|ch|chan|channel|iso)[ ._-]?(?P<mark>\d{1,2}|[lr])$"
    ),
    re.compile(r"^(?P<base>.+?)[._-]?a(?P<mark>\d{1,2})\.[0-9a-f]{6,}(?:[._].*)?$"),
    re.compile(r"^(?P<base>.+?)[._]a(?P<mark>\d{1,2})$"),
    re.compile(r"^(?P<base>.+)[._](?P<mark>\d{1,2})$"),
    re.compile(r"^(?P<base>.+)[._-](?P<mark>l|r|left|right)$"),
)
_WORD = re.compile(r"^(?P<base>.+?)[._-](?P<mark>[^\W\d_][^._-]*)$")
_MIXES_OF_A_ZOOM = 2
_SIDES = {"l": 1, "left": 1, "r": 2, "right": 2}
_FRAME = Fraction(1, 23)
"""Seconds that files of one take may differ in length: about a frame."""

RecorderOf = Callable[[MediaFile], Recorder]


@dataclass(frozen=True)
class Leg:
    """How a name may be read as one mono file of a take.

    base: the name without its mark, folded. number: of the input or channel from 1, or 0 where
    the mark is a word. word: the mark, folded.
    """

    base: str
    number: int
    word: str


def legs_in_name(stem: str) -> tuple[Leg, ...]:
    """The ways to read a file's stem as one of a split take, the surest first."""
    folded = fold(stem)
    found = []
    for pattern in _LEGS:
        match = pattern.match(folded)
        if match:
            mark = match["mark"]
            found.append(Leg(match["base"], _SIDES.get(mark) or int(mark), mark))
    match = _WORD.match(folded)
    if match:
        found.append(Leg(match["base"], 0, match["mark"]))
    return tuple(leg for leg in dict.fromkeys(found) if leg.number or leg.word)


def legs_of_file(media: MediaFile) -> tuple[Leg, ...]:
    """The ways to read a mono file's name as a numbered leg, but for a number that is its take."""
    if media.channels != 1:
        return ()
    own = slate(media.notes.scene, media.notes.take)
    return tuple(
        leg
        for leg in legs_in_name(media.path.stem)
        if leg.number and (own is None or slate(leg.base, leg.word) != own)
    )


def one_set(
    files: Sequence[MediaFile], recorder_of: RecorderOf
) -> tuple[tuple[int, MediaFile], ...]:
    """Mono files of one take by their number, sorted; empty where they are not one take's.

    They start at one timecode and last as long to the frame, and either share a base name under
    different numbers or, by iXML, a family whose inputs differ.
    """
    if not files or not all(_alike(files[0], media) for media in files):
        return ()
    bases = [{leg.base: leg.number for leg in legs_of_file(media)} for media in files]
    for base in bases[0]:
        numbers = [found.get(base) for found in bases]
        if None not in numbers and len(set(numbers)) == len(files):
            pairs = zip((number or 0 for number in numbers), files, strict=True)
            return tuple(sorted(pairs, key=lambda pair: pair[0]))
    told = [recorder_of(media) for media in files]
    inputs = [facts.inputs[0] if facts.inputs else 0 for facts in told]
    families = {facts.family for facts in told}
    if len(families) == 1 and families != {""} and len(set(inputs)) == len(files) and all(inputs):
        return tuple(sorted(zip(inputs, files, strict=True), key=lambda pair: pair[0]))
    return ()


def same_take(one: MediaFile, other: MediaFile) -> bool:
    """Whether two files start at one timecode, last as long to the frame, and agree in slate."""
    ours, theirs = one.notes, other.notes
    slates = slate(ours.scene, ours.take), slate(theirs.scene, theirs.take)
    if None not in slates and slates[0] != slates[1]:
        return False
    if (ours.time_reference is None) != (theirs.time_reference is None):
        return False
    starts = [
        Fraction(notes.time_reference or 0, media.sample_rate)
        for notes, media in ((ours, one), (theirs, other))
    ]
    lengths = [Fraction(media.frames, media.sample_rate) for media in (one, other)]
    return abs(starts[0] - starts[1]) <= _FRAME and abs(lengths[0] - lengths[1]) <= _FRAME


def _alike(one: MediaFile, other: MediaFile) -> bool:
    return other.channels == 1 and one.sample_rate == other.sample_rate and same_take(one, other)


def leg_for(
    legs: Sequence[tuple[int, MediaFile]], channels: tuple[int, ...], recorder_of: RecorderOf
) -> tuple[MediaFile, str]:
    """The mono file that plays a channel of the take's poly file, and a note.

    legs: as `one_set` gives them. channels: that the event names, from 0; empty: the boom is
    taken, else the mix. Raises ValueError (a sentence) where that can't be known.
    """
    names = ", ".join(media.path.name for _, media in legs)
    if not channels:
        tracks = tuple((i, media.notes.track_name(0)) for i, (_, media) in enumerate(legs))
        chosen, track = preferred_track(tracks, len(legs))
        if not track:
            raise ValueError(
                f"The cut names no channel of a take that is here as mono files ({names}), and "
                "none of them is a boom or a mix: link the clip in the cut."
            )
        media = legs[chosen][1]
        return media, f"The cut names none of {names}: {track} ({media.path.name}) is used."
    if len(channels) > 1:
        said = " and ".join(str(channel + 1) for channel in channels)
        raise ValueError(
            f"The cut plays channels {said} together, which are here as mono files ({names}): "
            "supply the poly file or lay each as a clip of its own."
        )
    wanted = channels[0]
    told = [recorder_of(media) for _, media in legs]
    inputs = [facts.inputs[0] for facts in told if facts.inputs]
    numbers = inputs if len(set(inputs)) == len(legs) else [number for number, _ in legs]
    by_order = legs[wanted][1] if wanted < len(legs) else None
    by_number = legs[numbers.index(wanted + 1)][1] if wanted + 1 in numbers else None
    whole = any(facts.total == len(legs) for facts in told)
    if by_order is not None and (by_order is by_number or whole):
        return by_order, f"Channel {wanted + 1} of the take is here as {by_order.path.name}."
    raise ValueError(
        f"The cut plays channel {wanted + 1} of a take that is here as mono files ({names}), and "
        "which of them that is can't be told: supply the poly file or link the clip in the cut."
    )


def channel_for(leg: Leg, poly: MediaFile, recorder: Recorder) -> int:
    """The channel of a poly file, from 0, that a leg of its take is.

    A word is the name of a track. A number is the recorder's input where iXML tells the inputs
    (a Zoom counts its two mixes before input 1), else the place in the file. Raises ValueError (a
    sentence) where the file has no such channel.
    """
    if not leg.number:
        for channel, track in poly.notes.track_names:
            if fold(track).replace(" ", "") == leg.word.replace(" ", ""):
                return channel
        raise ValueError(f"{poly.path.name} has no track named {leg.word}: supply the mono file.")
    number, inputs = leg.number, recorder.inputs
    if inputs:
        zoom = poly.notes.originator.upper().startswith("ZOOM")
        number += _MIXES_OF_A_ZOOM if zoom and leg.word.isdigit() else 0
        if number in inputs:
            return inputs.index(number)
    elif number <= poly.channels:
        return number - 1
    raise ValueError(
        f"The cut plays track {leg.number} of a take that is here as {poly.path.name}, which does "
        "not hold that track: supply the mono file."
    )


def leg_of_poly(names: Sequence[str], poly: MediaFile) -> Leg | None:
    """How one of a reference's names reads as a leg of a poly file, or None."""
    own = fold(poly.path.stem)
    tracks = {fold(track).replace(" ", "") for _, track in poly.notes.track_names}
    for name in names:
        for leg in legs_in_name(name):
            if leg.base == own and (leg.number or leg.word.replace(" ", "") in tracks):
                return leg
    return None
