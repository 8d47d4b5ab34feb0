"""Elements of Final Cut Pro 7 XML as Premiere and Resolve read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from adapters.timelines.fcp7.effects import SILENCE_DB
from core.cut import Event, FadeShape, Marker
from core.time import FrameRate, frames_to_timecode, round_half_up

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOUDEST = 3.98109
_FADES = {
    FadeShape.EQUAL_POWER: ("Cross Fade (+3dB)", "KGAudioTransCrossFade3dB"),
    FadeShape.LINEAR: ("Cross Fade ( 0dB)", "KGAudioTransCrossFade0dB"),
}


@dataclass(frozen=True)
class WrittenFile:
    """A media file as a timeline names it.

    start, length: frames of the cut's rate, in the source's timecode, or None where not known.
    sample_rate: Hz, and width: channels, 0 where not known.
    """

    name: str
    url: str
    reel: str
    start: Fraction | None
    length: Fraction | None
    sample_rate: int
    width: int


def add(parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
    """A new child with a text, without the characters that XML can't hold."""
    element = SubElement(parent, tag, attributes)
    if text is not None:
        element.text = plain(str(text))
    return element


def plain(text: str) -> str:
    """A text without the characters that XML can't hold."""
    return _UNWRITABLE.sub("", text)


def truth(value: bool) -> str:
    """A truth value as the format writes it."""
    return "TRUE" if value else "FALSE"


def has_rate(rate: FrameRate) -> bool:
    """Whether the format can name a frame rate: a whole number, or that by 1000/1001."""
    return 1 in (rate.fps.denominator, (rate.fps * 1001 / 1000).denominator)


def add_rate(parent: Element, rate: FrameRate) -> None:
    """A `rate`."""
    ntsc = rate.fps.denominator != 1
    element = add(parent, "rate")
    add(element, "timebase", rate.fps * 1001 / 1000 if ntsc else rate.fps)
    add(element, "ntsc", truth(ntsc))


def add_timecode(parent: Element, frame: int, rate: FrameRate, reel: str = "") -> None:
    """A `timecode`. frame: frames since midnight."""
    element = add(parent, "timecode")
    add_rate(element, rate)
    add(element, "string", frames_to_timecode(frame, rate))
    add(element, "frame", frame)
    add(element, "displayformat", "DF" if rate.drop else "NDF")
    if reel:
        add(add(element, "reel"), "name", reel)


def add_file(parent: Element, name: str, file: WrittenFile | None, rate: FrameRate) -> None:
    """A `file` of an id; file is None where an earlier element says what it is."""
    element = add(parent, "file", id=name)
    if file is None:
        return
    if file.name:
        add(element, "name", file.name)
    if file.url:
        add(element, "pathurl", file.url)
    add_rate(element, rate)
    if file.length is not None:
        add(element, "duration", int(file.length))
    if file.start is not None or file.reel:
        add_timecode(element, (file.start or Fraction(0)).__floor__(), rate, file.reel)
    audio = add(add(element, "media"), "audio")
    if file.sample_rate:
        add(add(audio, "samplecharacteristics"), "samplerate", file.sample_rate)
    if file.width:
        add(audio, "channelcount", file.width)


def add_marker(parent: Element, marker: Marker) -> None:
    """A `marker`; its colour only where it is one of Premiere's."""
    element = add(parent, "marker")
    add(element, "comment", marker.note)
    add(element, "name", marker.name)
    first = round_half_up(marker.at)
    add(element, "in", first)
    length = round_half_up(marker.length)
    add(element, "out", first + length if length else -1)
    if marker.color.isdecimal():
        add(element, "pproColor", marker.color)


def add_fade(
    parent: Element, start: int, end: int, alignment: str, shape: FadeShape, rate: FrameRate
) -> None:
    """A `transitionitem` from start to end, in frames of the sequence."""
    name, identity = _FADES[shape]
    element = add(parent, "transitionitem")
    add(element, "start", start)
    add(element, "end", end)
    add(element, "alignment", alignment)
    add_rate(element, rate)
    effect = add(element, "effect")
    add(effect, "name", name)
    add(effect, "effectid", identity)
    add(effect, "effecttype", "transition")
    add(effect, "mediatype", "audio")
    add(effect, "wipecode", 0)
    add(effect, "wipeaccuracy", 100)
    add(effect, "startratio", 0)
    add(effect, "endratio", 1)
    add(effect, "reverse", "FALSE")


def add_levels(parent: Element, event: Event, first: int) -> None:
    """The level and pan filters of a clip. first: its in point, which keyframes count with."""
    if event.gain_db or event.automation:
        static = 0.0 if event.automation else event.gain_db
        keyframes = [
            (first + round_half_up(point.at), _amplitude(event.gain_db + point.gain_db))
            for point in event.automation
        ]
        values = [_amplitude(static), *(value for _, value in keyframes)]
        effect = _filter(parent, "Audio Levels", "audiolevels", "audiolevels")
        level = _parameter(effect, "level", "Level", 0, max(_LOUDEST, *values), values[0])
        for when, value in keyframes:
            _keyframe(level, when, value)
    if event.pan is not None:
        effect = _filter(parent, "Audio Pan", "audiopan", "audiopan")
        _parameter(effect, "pan", "Pan", -1, 1, event.pan)


def add_speed(parent: Element, speed: Fraction, graph: Sequence[tuple[Fraction, Fraction]]) -> None:
    """The time remap filter of a clip at constant speed. graph: source frame for clip frame."""
    effect = _filter(parent, "Time Remap", "timeremap", "motion")
    _parameter(effect, "variablespeed", "variablespeed", 0, 1, 0)
    _parameter(effect, "speed", "speed", -100000, 100000, float(speed * 100))
    reverse = add(effect, "parameter")
    add(reverse, "parameterid", "reverse")
    add(reverse, "name", "reverse")
    add(reverse, "value", truth(speed < 0))
    most = max(float(value) for _, value in graph)
    curve = _parameter(effect, "graphdict", "graphdict", 0, most, 0)
    for when, value in graph:
        _keyframe(curve, float(when), float(value))
    add(add(curve, "interpolation"), "name", "FCPCurve")


def _filter(parent: Element, name: str, identity: str, category: str) -> Element:
    effect = add(add(parent, "filter"), "effect")
    add(effect, "name", name)
    add(effect, "effectid", identity)
    add(effect, "effectcategory", category)
    add(effect, "effecttype", category)
    add(effect, "mediatype", "audio")
    return effect


def _parameter(
    effect: Element, identity: str, name: str, least: float, most: float, value: float
) -> Element:
    element = add(effect, "parameter", authoringApp="PremierePro")
    add(element, "parameterid", identity)
    add(element, "name", name)
    add(element, "valuemin", _decimal(least))
    add(element, "valuemax", _decimal(most))
    add(element, "value", _decimal(value))
    return element


def _keyframe(parameter: Element, when: float, value: float) -> None:
    element = add(parameter, "keyframe")
    add(element, "when", _decimal(when))
    add(element, "value", _decimal(value))


def _amplitude(level_db: float) -> float:
    return 0.0 if level_db <= SILENCE_DB else float(10 ** (level_db / 20))


def _decimal(value: float) -> str:
    """A number without an exponent and without trailing zeros."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
