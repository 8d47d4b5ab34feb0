"""What OpenTimelineIO has no field for, as systems and adapters say it in metadata and effects.

- Resolve: `Resolve_OTIO` with a clip's channels, a track's `Audio Type`, and an `Effect` for each
  of Fairlight's clip processors, whose parameters are listed where they differ from the default.
  The clip volume is in dB, its key frames count from the clip's start.
- Premiere and Final Cut 7 through otio-fcp-adapter: `fcp_xml` with the elements of the XML.
- CMX3600 and ALE adapters: `cmx_3600` with the reel, `ALE` with the columns of the list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from adapters.timelines.otio.items import Common, Reference, is_time_effect
from adapters.timelines.otio.json import Table, number, rows, table, text
from adapters.timelines.otio.trim import SILENCE_DB
from core.cut import FadeShape, GainPoint, MediaReference

_VOLUME = "Fairlight Clip Volume and Fades"
_PAN = "Fairlight Clip Pan"
_CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}
_LINEAR = re.compile(r"linear|constant gain|(?<![\d.])0 ?db", re.IGNORECASE)
_MAX_CHANNEL = 1024
_MAX_POINTS = 100_000
_LOUDEST_DB = 144.0


@dataclass(frozen=True)
class Level:
    """Gain, automation and pan of an item. unread: names of effects that are not applied.

    points count in frames from the start of the item's own range, before any fade.
    """

    gain_db: float = 0.0
    points: tuple[GainPoint, ...] = ()
    pan: float | None = None
    unread: tuple[str, ...] = ()


def shape(transition_name: str) -> FadeShape:
    """The curve of a fade by its transition's name; equal power where it does not say."""
    return FadeShape.LINEAR if _LINEAR.search(transition_name) else FadeShape.EQUAL_POWER


def channels(metadata: Table, *, legs: bool) -> tuple[int, ...]:
    """Channels of the media file that a clip plays, from 0; empty where no dialect says.

    legs: whether Premiere's stereo clips stand as two, a channel each, as its XML has them; what
    comes from Premiere by way of others may keep only the first for both.
    """
    listed = rows(table(metadata.get("Resolve_OTIO")).get("Channels"))
    found = [_index(table(entry).get("Source Channel ID")) for entry in listed]
    if found:
        return tuple(index for index in found if index is not None)
    fcp = table(metadata.get("fcp_xml"))
    source = table(fcp.get("sourcetrack"))
    first = _index(source.get("trackindex"))
    if text(source.get("mediatype")).lower() != "audio" or not first:
        return ()
    both = not legs and text(fcp.get("@premiereChannelType")).lower() == "stereo"
    return (first - 1, first) if both else (first - 1,)


def second_leg(metadata: Table) -> bool:
    """Whether a track is a further channel of a stereo track of Premiere's."""
    number = text(table(metadata.get("fcp_xml")).get("@currentExplodedTrackIndex"))
    return number not in ("", "0")


def track_channels(metadata: Table) -> int:
    """1 for a mono track, 2 for stereo, 6 and 8 for 5.1 and 7.1, 0 where no dialect says."""
    resolve = text(table(metadata.get("Resolve_OTIO")).get("Audio Type")).lower()
    premiere = text(table(metadata.get("fcp_xml")).get("@premiereTrackType")).lower()
    return _CHANNELS.get(resolve or premiere, 0)


def switched_off(metadata: Table) -> bool:
    """Whether an adapter kept a switch that says off, though the item itself does not."""
    return text(table(metadata.get("fcp_xml")).get("enabled")).upper() == "FALSE"


def soloed(metadata: Table) -> bool:
    """Whether a track is soloed in Resolve."""
    return table(metadata.get("Resolve_OTIO")).get("SoloOn") is True


def role(metadata: Table) -> str:
    """An item's role, where its metadata or a dialect in it names one."""
    for place in (metadata, *(table(value) for value in metadata.values())):
        for key in ("role", "audioRole", "audio_role"):
            if found := text(place.get(key)):
                return found
    return ""


def media_of(name: str, reference: Reference | None, metadata: Table) -> MediaReference:
    """The media that a reference stands for. metadata: of the clip that plays it, else empty."""
    theirs = reference.metadata if reference else {}
    ale = table(metadata.get("ALE"))
    logged = table(table(metadata.get("fcp_xml")).get("logginginfo"))
    tape = table(table(table(theirs.get("fcp_xml")).get("timecode")).get("reel"))
    available = reference.available if reference else None
    return MediaReference(
        name=name,
        url=reference.url if reference else "",
        reel=_first(
            table(metadata.get("cmx_3600")).get("reel"),
            tape.get("name"),
            ale.get("Soundroll"),
            ale.get("Tape"),
        ),
        scene=_first(ale.get("Scene"), logged.get("scene")),
        take=_first(ale.get("Take"), logged.get("shottake")),
        available_start=available.start if available else None,
        available_length=available.length if available else None,
    )


def level(common: Common) -> Level:
    """What an item's effects do to its level, and the names of those that are not applied."""
    gain, pan = 0.0, None
    points: tuple[GainPoint, ...] = ()
    unread: list[str] = []
    for effect in common.effects:
        if is_time_effect(effect):
            continue
        metadata = table(effect.get("metadata"))
        resolve, fcp = table(metadata.get("Resolve_OTIO")), table(metadata.get("fcp_xml"))
        name = _first(resolve.get("Effect Name"), effect.get("effect_name"), effect.get("name"))
        known = False
        if resolve:
            if resolve.get("Enabled") is False or not _altered(resolve):
                continue
            for parameter in _altered(resolve):
                if name == _VOLUME and parameter.get("Parameter ID") == "volume":
                    points = _key_frames(parameter) or points
                    gain += 0.0 if points else _decibels(number(parameter.get("Parameter Value")))
                    known = True
                elif name == _PAN and (found := _position(parameter)) is not None:
                    pan, known = found, True
        elif fcp:
            linear = _fcp_value(fcp, "audiolevels", "level")
            side = _fcp_value(fcp, "audiopan", "pan")
            if linear is not None:
                gain += _linear_db(linear)
            if side is not None:
                pan = max(-1.0, min(1.0, side))
            known = linear is not None or side is not None
        if not known:
            unread.append(name or "without a name")
    return Level(_decibels(gain), points, pan, tuple(dict.fromkeys(unread)))


def _first(*values: object) -> str:
    return next((found for value in values if (found := text(value).strip())), "")


def _index(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < _MAX_CHANNEL else None


def _altered(resolve: Table) -> list[Table]:
    """The parameters of an effect of Resolve that are not at their default."""
    parameters = (table(entry) for entry in rows(resolve.get("Parameters")))
    return [
        parameter
        for parameter in parameters
        if table(parameter.get("Key Frames"))
        or parameter.get("Parameter Value") != parameter.get("Default Parameter Value")
    ]


def _key_frames(parameter: Table) -> tuple[GainPoint, ...]:
    found: dict[Fraction, float] = {}
    for place, entry in list(table(parameter.get("Key Frames")).items())[:_MAX_POINTS]:
        value = number(table(entry).get("Value"))
        if re.fullmatch(r"-?\d{1,12}", place) and value is not None:
            found[Fraction(int(place))] = _decibels(value)
    return tuple(GainPoint(at, found[at]) for at in sorted(found))


def _position(parameter: Table) -> float | None:
    """A pan of -1 to 1 from a parameter that gives its own range, alike to both sides."""
    value, lowest, highest = (
        number(parameter.get(key)) for key in ("Parameter Value", "minValue", "maxValue")
    )
    if text(parameter.get("Parameter ID")).lower() != "pan" or table(parameter.get("Key Frames")):
        return None
    if value is None or lowest is None or highest is None or highest <= 0 or lowest != -highest:
        return None
    return max(-1.0, min(1.0, value / highest))


def _fcp_value(fcp: Table, effect: str, parameter_id: str) -> float | None:
    """A filter's constant value; None for another filter or one with key frames."""
    if text(fcp.get("effectid")).lower() != effect:
        return None
    for parameter in _parameters(fcp.get("parameter")):
        if text(parameter.get("parameterid")).lower() == parameter_id:
            if parameter.get("keyframe"):
                return None
            try:
                value = float(text(parameter.get("value")) or "nan")
            except ValueError:
                return None
            return value if math.isfinite(value) else None
    return None


def _parameters(value: object) -> Iterator[Table]:
    entries: Iterable[object] = value if isinstance(value, list) else [value]
    yield from (table(entry) for entry in entries)


def _linear_db(gain: float) -> float:
    return 20 * math.log10(gain) if gain > 0 else SILENCE_DB


def _decibels(value: float | None) -> float:
    return max(SILENCE_DB, min(_LOUDEST_DB, value or 0.0))
