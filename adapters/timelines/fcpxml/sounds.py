"""Stretches of sound as FCPXML lays them, in exact seconds, and what containers do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from adapters.timelines.fcpxml.resources import Asset, Slate
from adapters.timelines.fcpxml.values import SILENCE_DB, tame
from core.cut import Fade, FadeShape

Curve = tuple[tuple[Fraction, float], ...]
"""Points of gain: seconds of the record and dB, in order of time."""

_EDGE = Fraction(1, 48000)
"""A mute closes and opens within a sample, for a curve can't jump."""


@dataclass(frozen=True)
class View:
    """How a container's local time lies in the record: `at + (local - start) / speed`.

    at: seconds of the record. start: seconds of local time there. speed: local seconds that pass
    in a second of the record, negative backwards, never 0.
    """

    at: Fraction
    start: Fraction
    speed: Fraction = Fraction(1)

    def record(self, local: Fraction) -> Fraction:
        """Seconds of the record of a local time."""
        away = local - self.start
        speed = self.speed
        # Nearly every view runs at speed 1, and dividing fractions is slow.
        if speed.numerator != speed.denominator:
            away /= speed
        return tame(self.at + away)

    def local(self, span: Span) -> Span:
        """A stretch of the record in local time."""
        one = self.start + (span.first - self.at) * self.speed
        other = self.start + (span.last - self.at) * self.speed
        return Span(min(one, other), max(one, other))

    def shifted(self, seconds: Fraction) -> View:
        """The view of a timeline that begins so many seconds later in this one."""
        return self if seconds == 0 else View(self.at, self.start - seconds, self.speed)


@dataclass(frozen=True)
class Span:
    """A stretch of the record, in seconds."""

    first: Fraction
    last: Fraction

    def within(self, other: Span | None) -> Span:
        """What lies in both; of no or negative length where nothing does."""
        if other is None:
            return self
        return Span(max(self.first, other.first), min(self.last, other.last))


@dataclass(frozen=True)
class Sound:
    """A stretch of an asset that plays.

    start, length: seconds of the record. source: seconds of the asset's timecode that `start`
    plays. speed: seconds of the asset that pass in a second of the record. channels: from 0.
    lane: of the timeline's element that it comes from. fade_in, fade_out: lengths in seconds.
    connected: anchored to the primary storyline of the clip that holds it. effects: names.
    """

    start: Fraction
    length: Fraction
    source: Fraction
    speed: Fraction
    asset: Asset
    name: str
    role: str
    lane: int
    slate: Slate
    channels: tuple[int, ...] = ()
    enabled: bool = True
    muted: bool = False
    gain_db: float = 0.0
    curve: Curve = ()
    fade_in: Fade | None = None
    fade_out: Fade | None = None
    pan: float | None = None
    keeps_pitch: bool = False
    variable: bool = False
    connected: bool = False
    effects: tuple[str, ...] = ()

    @property
    def end(self) -> Fraction:
        """Seconds of the record just past it."""
        return self.start + self.length


@dataclass(frozen=True)
class Mix:
    """What a clip or component does to the sound in it.

    rise, fall: the fades of its volume, at the ends of its range, lengths in seconds.
    silent: stretches that are muted; None in it mutes everything.
    """

    gain_db: float = 0.0
    curve: Curve = ()
    rise: Fade | None = None
    fall: Fade | None = None
    pan: float | None = None
    silent: tuple[Span | None, ...] = ()
    effects: tuple[str, ...] = ()


def ranged(sound: Sound, span: Span) -> Sound | None:
    """The sound from and to other places of the record, None where no length is left.

    What is cut off a fade is gone; a sound that becomes longer plays more of its asset.
    """
    if span.last <= span.first:
        return None
    head, tail = span.first - sound.start, sound.end - span.last
    if head == 0 and tail == 0:
        return sound
    return replace(
        sound,
        start=span.first,
        length=span.last - span.first,
        source=tame(sound.source + head * sound.speed),
        fade_in=_shorter(sound.fade_in, head),
        fade_out=_shorter(sound.fade_out, tail),
    )


def trimmed(sound: Sound, span: Span | None) -> Sound | None:
    """What of a sound lies in a stretch of the record."""
    if span is None or (span.first <= sound.start and sound.end <= span.last):
        return sound
    return ranged(sound, Span(sound.start, sound.end).within(span))


def mixed(sound: Sound, mix: Mix, span: Span) -> Sound:
    """The sound under a clip's mix; its fades reach what starts or ends where the clip does."""
    curve = summed(sound.curve, mix.curve)
    muted = sound.muted
    for quiet in mix.silent:
        if quiet is None or (quiet.first <= sound.start and sound.end <= quiet.last):
            muted = True
        elif quiet.first < sound.end and sound.start < quiet.last:
            curve = _dipped(curve, quiet)
    return replace(
        sound,
        gain_db=max(SILENCE_DB, sound.gain_db + mix.gain_db),
        curve=curve,
        muted=muted,
        pan=sound.pan if mix.pan is None else mix.pan,
        effects=sound.effects + mix.effects,
        fade_in=_fitted(mix.rise, sound)
        if sound.start == span.first and mix.rise
        else sound.fade_in,
        fade_out=_fitted(mix.fall, sound)
        if sound.end == span.last and mix.fall
        else sound.fade_out,
    )


def summed(one: Curve, other: Curve) -> Curve:
    """Two curves, heard one through the other: their levels in dB added."""
    if not one or not other:
        return one or other
    times = sorted({time for time, _ in one} | {time for time, _ in other})
    left, right = _levels(one, times), _levels(other, times)
    return tuple(
        (time, max(SILENCE_DB, a + b)) for time, a, b in zip(times, left, right, strict=True)
    )


def cropped(curve: Curve, first: Fraction, last: Fraction) -> Curve:
    """The points of a curve between two times, with its levels at the ends where it runs on."""
    if not curve:
        return ()
    inner = tuple(point for point in curve if first <= point[0] <= last)
    starts = curve[0][0] < first and (not inner or inner[0][0] > first)
    ends = curve[-1][0] > last and (not inner or inner[-1][0] < last)
    opening, closing = _levels(curve, [first, last])
    if not inner and not (starts and ends):
        return ((first, opening),)
    return (
        *(((first, opening),) if starts else ()),
        *inner,
        *(((last, closing),) if ends else ()),
    )


def _levels(curve: Curve, times: Sequence[Fraction]) -> list[float]:
    """Levels of a curve at times in order: straight in dB between points, level beyond them."""
    found = []
    index = 0
    for time in times:
        while index < len(curve) and curve[index][0] <= time:
            index += 1
        if index == 0 or index == len(curve):
            found.append(curve[0 if index == 0 else -1][1])
            continue
        (before, low), (after, high) = curve[index - 1], curve[index]
        found.append(low + (high - low) * float((time - before) / (after - before)))
    return found


def _dipped(curve: Curve, quiet: Span) -> Curve:
    """The curve, silent in a stretch."""
    edges = [quiet.first - _EDGE, quiet.last + _EDGE]
    before, after = _levels(curve, edges) if curve else (0.0, 0.0)
    return (
        *(point for point in curve if point[0] < edges[0]),
        (edges[0], before),
        (quiet.first, SILENCE_DB),
        (quiet.last, SILENCE_DB),
        (edges[1], after),
        *(point for point in curve if point[0] > edges[1]),
    )


def _shorter(fade: Fade | None, cut_off: Fraction) -> Fade | None:
    if fade is None or cut_off <= 0:
        return fade
    return Fade(fade.length - cut_off, fade.shape) if fade.length > cut_off else None


def _fitted(fade: Fade, sound: Sound) -> Fade:
    return Fade(min(fade.length, sound.length), fade.shape)


def shaped(length: Fraction, shape: FadeShape) -> Fade | None:
    """A fade, or None where it has no length."""
    return Fade(length, shape) if length > 0 else None
