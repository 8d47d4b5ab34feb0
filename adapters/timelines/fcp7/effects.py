"""Levels, pan and speed of a Final Cut Pro 7 clip, as its filters say them.

Levels are linear amplitudes; keyframes count in the clip's own frames, as its in point does.
Time remap maps the frames of the clip as it plays to those of the source; its speed changes
the pitch, and the format knows no other.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element

from adapters.timelines.fcp7.xml import MAX_FRAMES, flag, number, words

SILENCE_DB = -144.0
MAX_KEYFRAMES = 10_000
MAX_SPEED = 1000

_DENOMINATOR = 1_000_000
_LOUDEST_DB = 144.0

Points = tuple[tuple[Fraction, Fraction], ...]
"""Keyframes: when, in the clip's frames, and the value."""


@dataclass(frozen=True, slots=True)
class Remap:
    """A speed change. speed: mean, of the source by the record, negative backwards.

    graph: source frame for a frame of the clip as it plays, both from the clip's first.
    """

    speed: Fraction
    variable: bool
    graph: Points


@dataclass(frozen=True, slots=True)
class Sound:
    """What a clip's filters say of its sound. levels: keyframes, in dB.

    unread: names of effects that are not understood; faults: what was, but not wholly.
    """

    gain_db: float = 0.0
    levels: tuple[tuple[Fraction, float], ...] = ()
    pan: float | None = None
    remap: Remap | None = None
    unread: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


_UNTOUCHED = Sound()


def sound(clip: Element, audio: bool) -> Sound:
    """What the filters of a `clipitem` say. audio: whether it is on an audio track."""
    holders = clip.findall("filter")
    if not holders:
        return _UNTOUCHED
    gain_db, pan, remap = 0.0, None, None
    levels: tuple[tuple[Fraction, float], ...] = ()
    unread: list[str] = []
    faults: list[str] = []
    for holder in holders:
        effect = holder.find("effect")
        if effect is None or not flag(holder, "enabled", True) or flag(effect, "pproBypass", False):
            continue
        name = (words(effect, "effectid") or words(effect, "name")).casefold()
        if name == "timeremap":
            remap = _remap(effect, faults)
        elif not audio:
            continue
        elif name == "audiolevels":
            points = _keyframes(_parameter(effect, "level"), faults)
            if len(points) > 1 and levels:
                faults.append("a second level curve is left out")
            elif len(points) > 1:
                levels = tuple((when, decibels(value)) for when, value in points)
            else:
                gain_db += decibels(points[0][1] if points else _value(effect, "level", 1))
        elif name == "audiopan":
            pan = _pan(effect, faults)
        elif words(effect, "mediatype").casefold() != "video":
            unread.append(words(effect, "name") or name)
    return Sound(
        max(gain_db, SILENCE_DB), levels, pan, remap, tuple(unread), tuple(dict.fromkeys(faults))
    )


def decibels(level: Fraction) -> float:
    """A linear amplitude in dB, from -144 for silence."""
    if level <= 0:
        return SILENCE_DB
    exact = 20 * (math.log10(level.numerator) - math.log10(level.denominator))
    return min(max(exact, SILENCE_DB), _LOUDEST_DB)


def value_at(graph: Points, at: Fraction) -> Fraction:
    """A graph's value: straight between its points, and as steep as its ends beyond them.

    graph: two points or more, in order of time, no two at the same.
    """
    after = next((i for i, (when, _) in enumerate(graph) if when > at), len(graph) - 1)
    (when, value), (later, next_value) = graph[max(after - 1, 0)], graph[max(after, 1)]
    return value + (next_value - value) * (at - when) / (later - when)


def straight(graph: Points) -> bool:
    """Whether a graph is one straight line."""
    return all(value_at((graph[0], graph[-1]), when) == value for when, value in graph)


def _parameter(effect: Element, name: str) -> Element | None:
    for parameter in effect.findall("parameter"):
        if name in (
            words(parameter, "parameterid").casefold(),
            words(parameter, "name").casefold(),
        ):
            return parameter
    return None


def _value(effect: Element, name: str, default: int) -> Fraction:
    parameter = _parameter(effect, name)
    value = number(parameter.findtext("value")) if parameter is not None else None
    return Fraction(default) if value is None else value


def _keyframes(parameter: Element | None, faults: list[str]) -> Points:
    """The keyframes of a parameter, in order of time, the last of any at the same time."""
    found: dict[Fraction, Fraction] = {}
    for keyframe in parameter.findall("keyframe") if parameter is not None else ():
        when, value = number(keyframe.findtext("when")), number(keyframe.findtext("value"))
        if when is None or value is None or abs(when) > MAX_FRAMES or abs(value) > MAX_FRAMES:
            faults.append("a keyframe that is no number is left out")
        elif len(found) == MAX_KEYFRAMES:
            faults.append(f"keyframes beyond {MAX_KEYFRAMES} are left out")
            break
        else:
            found[when] = value
    return tuple(sorted(found.items()))


def _pan(effect: Element, faults: list[str]) -> float:
    parameter = _parameter(effect, "pan")
    points = _keyframes(parameter, faults)
    if len(points) > 1:
        faults.append("a pan that moves stays where it starts")
    value = points[0][1] if points else _value(effect, "pan", 0)
    # FCP7 and Premiere count to 1, some writers to 100, and say so.
    most = number(parameter.findtext("valuemax")) if parameter is not None else None
    return float(min(max(value / max(most or Fraction(1), Fraction(1)), Fraction(-1)), Fraction(1)))


def _remap(effect: Element, faults: list[str]) -> Remap | None:
    percent = _value(effect, "speed", 100)
    speed = (percent / 100).limit_denominator(_DENOMINATOR)
    if abs(speed) > MAX_SPEED:
        faults.append(f"a speed of {float(percent):g} % is taken for 100 %")
        return None
    if _truth(effect, "reverse"):
        speed = -abs(speed)
    graph = _keyframes(_parameter(effect, "graphdict"), faults)
    variable = _truth(effect, "variablespeed")
    if speed == 1 and not variable:
        return None
    return Remap(speed, variable, graph if len(graph) > 1 else ())


def _truth(effect: Element, name: str) -> bool:
    parameter = _parameter(effect, name)
    return parameter is not None and flag(parameter, "value", False)


def curve_at(points: Sequence[tuple[Fraction, float]], at: Fraction) -> float:
    """A level curve's value: straight between points, level beyond them. points: one or more."""
    after = bisect.bisect_right(points, at, key=lambda point: point[0])
    if after == 0:
        return points[0][1]
    if after == len(points):
        return points[-1][1]
    (when, level), (later, next_level) = points[after - 1], points[after]
    return level + (next_level - level) * float((at - when) / (later - when))
