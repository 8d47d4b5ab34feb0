"""What a clip or an audio component of FCPXML says about its level, place and effects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from adapters.timelines.fcpxml.ledger import Ledger
from adapters.timelines.fcpxml.sounds import Curve, Mix, Sound, Span, View, mixed, ranged, shaped
from adapters.timelines.fcpxml.values import (
    channels,
    decibels,
    enabled,
    fade_shape,
    pan_position,
    plain_role,
    seconds,
)
from core.cut import Fade

_ENHANCEMENTS = {
    "adjust-loudness": "loudness",
    "adjust-noiseReduction": "noise reduction",
    "adjust-humReduction": "hum reduction",
    "adjust-EQ": "EQ",
    "adjust-matchEQ": "match EQ",
    "adjust-voiceIsolation": "voice isolation",
}
NEUTRAL = Mix()
"""A mix that changes nothing."""

_STEREO_PAN = ("", "0", "1", "stereo", "stereo left/right")


def read_mix(
    element: Element, local: View, media: View | None, length: Fraction, ledger: Ledger
) -> Mix:
    """The mix that an element carries.

    local: its own timeline, in which keyframes count. media: the time of the media in it, in
    which mutes count, or None for a freeze. length: of the element, in seconds of its timeline.
    """
    mix = NEUTRAL
    for item in element:
        if item.tag == "adjust-volume":
            mix = _volume(mix, item, element, local, length, ledger)
        elif item.tag == "adjust-panner":
            mix = replace(mix, pan=_pan(item, element, ledger))
        elif item.tag == "mute":
            mix = replace(mix, silent=(*mix.silent, _silent(item, media)))
        elif item.tag == "filter-audio" and item.get("enabled", "1") != "0":
            mix = replace(mix, effects=(*mix.effects, item.get("name", "") or "a filter"))
        elif item.tag in _ENHANCEMENTS:
            mix = replace(mix, effects=(*mix.effects, _ENHANCEMENTS[item.tag]))
    return mix


def _volume(
    mix: Mix, item: Element, owner: Element, local: View, length: Fraction, ledger: Ledger
) -> Mix:
    gain = decibels(item.get("amount", "0dB"))
    if gain is None:
        ledger.warn(f"{_named(owner)} has a volume that is no level ({item.get('amount')!r:.40}).")
    params = [param for param in item.iter("param") if param.get("name", "amount") == "amount"]
    ledger.step(len(params))
    rise, fall = mix.rise, mix.fall
    curve: Curve = ()
    for param in params:
        rise = _fade(param.find("fadeIn"), local) or rise
        fall = _fade(param.find("fadeOut"), local) or fall
        curve = curve or _curve(param, owner, local, length, ledger)
    return replace(mix, gain_db=0.0 if curve else gain or 0.0, curve=curve, rise=rise, fall=fall)


def _fade(element: Element | None, local: View) -> Fade | None:
    if element is None:
        return None
    length = seconds(element.get("duration")) or Fraction(0)
    return shaped(length / abs(local.speed), fade_shape(element.get("type")))


def _curve(param: Element, owner: Element, local: View, length: Fraction, ledger: Ledger) -> Curve:
    """Keyframes by the record. They replace the fixed amount: their values are the whole level."""
    points: dict[Fraction, float] = {}
    for frame in param.iterfind("keyframeAnimation/keyframe"):
        ledger.step()
        time, level = seconds(frame.get("time")), decibels(frame.get("value"))
        if time is None or level is None:
            ledger.warn(f"{_named(owner)} has a volume keyframe that can't be read, left out.")
            continue
        points[time] = level
    if not points:
        return ()
    inside = any(local.start <= time <= local.start + length for time in points)
    if not inside and all(0 <= time <= length for time in points):
        points = {local.start + time: level for time, level in points.items()}
    return tuple(sorted((local.record(time), level) for time, level in points.items()))


def _pan(item: Element, owner: Element, ledger: Ledger) -> float | None:
    mode = item.get("mode", "").strip().casefold()
    position = pan_position(item.get("amount"))
    if mode not in _STEREO_PAN or position is None:
        ledger.warn(f"{_named(owner)} is panned in a way that is not read (mode {mode!r:.40}).")
        return None
    return position


def _silent(item: Element, media: View | None) -> Span | None:
    start, length = seconds(item.get("start")), seconds(item.get("duration"))
    if start is None or length is None or media is None:
        return None
    one, other = media.record(start), media.record(start + length)
    return Span(min(one, other), max(one, other))


def components(
    sounds: list[Sound], element: Element, local: View, media: View | None, ledger: Ledger
) -> list[Sound]:
    """The sounds of a clip split into its channel components (`audio-channel-source`).

    A component sets role, level and switch of the channels it names; channels that none names
    stay as they were.
    """
    listed = [
        (item, channels(item.get("srcCh"))) for item in element.findall("audio-channel-source")
    ]
    if not listed:
        return sounds
    ledger.step(len(listed))
    named = {channel for _, chosen in listed for channel in chosen}
    split: list[Sound] = []
    for sound in sounds:
        for item, chosen in listed:
            ledger.step(4)
            own = tuple(c for c in chosen if not sound.channels or c in sound.channels)
            if own:
                part = replace(sound, channels=own, role=item.get("role", "") or sound.role)
                split += _component(part, item, local, media, ledger)
        rest = tuple(channel for channel in sound.channels if channel not in named)
        if rest:
            split.append(replace(sound, channels=rest))
    return split


def by_role(sounds: list[Sound], sources: list[Element], view: View, ledger: Ledger) -> list[Sound]:
    """The sounds under the role components of a clip (`audio-role-source`).

    What no component names stays as it was. view: of the time of what is in the clip.
    """
    if not sources:
        return sounds
    ledger.step(len(sources))
    listed: dict[str, Element] = {}
    for item in sources:
        listed.setdefault(plain_role(item.get("role", "")), item)
    heard: list[Sound] = []
    for sound in sounds:
        ledger.step(4)
        chosen = listed.get(plain_role(sound.role))
        heard += [sound] if chosen is None else _component(sound, chosen, view, view, ledger)
    return heard


def _component(
    sound: Sound, item: Element, local: View, media: View | None, ledger: Ledger
) -> Iterator[Sound]:
    start, length = seconds(item.get("start")), seconds(item.get("duration"))
    if item.tag == "audio-channel-source" and start is not None and length is not None:
        first, last = local.record(start), local.record(start) + length / abs(local.speed)
        part = ranged(sound, Span(first, last))
    else:
        part = sound
    if part is None:
        return
    part = replace(part, enabled=part.enabled and enabled(item))
    mix = read_mix(item, local, media, part.length * abs(local.speed), ledger)
    yield mixed(part, mix, Span(part.start, part.end))


def _named(element: Element) -> str:
    name = element.get("name") or element.get("role") or element.get("srcCh") or ""
    return f"{element.tag} {name[:80]!r}"
