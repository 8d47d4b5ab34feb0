"""Which channel of a take is whose microphone."""

from __future__ import annotations

import re

from core.media import MediaFile

_NOT_A_PERSON = re.compile(
    r"^(mix[lr]?|mono|boom|bm|stereo|left|right|l|r|ms|mid|side|iso|plant|amb|wild|tc|ltc|"
    r"timecode|slate|comms|ifb|aux|cam|"
    r"(tr|trk|track|ch|chan|channel|lav|rf|wl|radio|a|bm|boom|mix|iso|plant|in|input)"
    r"[ _#-]*\d+[lr]?)$",
    re.IGNORECASE,
)


def person_channels(media: MediaFile) -> dict[int, str]:
    """Channels that carry one named person's microphone: channel from 0 to the name."""
    return {
        channel: name.strip()
        for channel, name in media.notes.track_names
        if channel < media.channels and _is_person(name)
    }


def people_named(media: MediaFile) -> frozenset[str]:
    """Who wears a microphone in the take, also one whose track is not in this file."""
    names = (*(name for _, name in media.notes.track_names), *media.notes.absent_tracks)
    return frozenset(name.strip().casefold() for name in names if _is_person(name))


def _is_person(name: str) -> bool:
    return bool(name.strip()) and not _NOT_A_PERSON.match(name.strip())


def listening_channel(media: MediaFile) -> int:
    """The channel that is transcribed: the boom, else the mix, else the first."""
    names = {name.strip().upper(): channel for channel, name in media.notes.track_names}
    for wanted in ("BOOM", "MIX"):
        for name, channel in names.items():
            if name.startswith(wanted) and channel < media.channels:
                return channel
    return 0
