"""A clip in its place in time, and what trims, fades, levels and speeds do to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from adapters.timelines.aaf.effects import Lane, Speed
from adapters.timelines.aaf.sources import Material
from adapters.timelines.aaf.statements import Reference
from core.cut import Fade, FadeShape


@dataclass(frozen=True, slots=True)
class Laid:
    """A clip in its place.

    at, length: seconds of the slot. position: second of the file that `at` plays. gain: dB. lane:
    a level beside it that changes, in seconds from `at`. Lengths of fades are seconds.
    """

    at: Fraction
    length: Fraction
    material: Material
    position: Fraction
    speed: Fraction = Fraction(1)
    variable: bool = False
    fade_in: Fade | None = None
    fade_out: Fade | None = None
    gain: float = 0.0
    lane: Lane | None = None
    pan: float | None = None
    muted: bool = False

    @property
    def end(self) -> Fraction:
        """Second just past the clip."""
        return self.at + self.length


def trimmed(laid: Iterable[Laid], start: Fraction, length: Fraction, at: Fraction) -> list[Laid]:
    """The clips between start and start + length, moved so that start falls on `at`.

    A fade that is cut into keeps what is left of its length.
    """
    kept = []
    for one in laid:
        first, last = max(one.at, start), min(one.end, start + length)
        if first >= last:
            continue
        head, tail = first - one.at, one.end - last
        lane = one.lane
        if lane is not None and (head or tail):
            lane = lane.within(head, head + last - first)
        kept.append(
            replace(
                one,
                at=at + first - start,
                length=last - first,
                position=one.position + head * one.speed,
                fade_in=_shorter(one.fade_in, head),
                fade_out=_shorter(one.fade_out, tail),
                lane=lane,
            )
        )
    return kept


def _shorter(fade: Fade | None, cut: Fraction) -> Fade | None:
    if fade is None or cut >= fade.length:
        return None
    return replace(fade, length=fade.length - cut)


def faded(one: Laid, reference: Reference, rate: Fraction) -> Laid:
    """With the fades that a source clip carries itself."""
    if reference.fade_in:
        length = min(Fraction(reference.fade_in) / rate, one.length)
        one = replace(one, fade_in=Fade(length, _fade_shape(reference.fade_in_type)))
    if reference.fade_out:
        length = min(Fraction(reference.fade_out) / rate, one.length)
        one = replace(one, fade_out=Fade(length, _fade_shape(reference.fade_out_type)))
    return one


def _fade_shape(kind: int) -> FadeShape:
    return FadeShape.EQUAL_POWER if kind == 2 else FadeShape.LINEAR


def ending(one: Laid, end: Fraction, fade: Fade) -> Laid:
    """With a fade-out where the clip reaches the end of a dissolve."""
    if one.end < end:
        return one
    return replace(one, fade_out=replace(fade, length=min(fade.length, one.length)))


def beginning(one: Laid, start: Fraction, fade: Fade) -> Laid:
    """With a fade-in where the clip begins with a dissolve."""
    if one.at > start:
        return one
    return replace(one, fade_in=replace(fade, length=min(fade.length, one.length)))


def louder(one: Laid, lane: Lane, at: Fraction, seconds: Fraction) -> Laid:
    """With the level of a gain effect that begins at `at` and lasts so many seconds."""
    level = lane.constant
    if level is not None:
        return replace(one, gain=one.gain + level)
    if (one.at, one.length) != (at, seconds):
        lane = lane.within(one.at - at, one.end - at)
    if (level := lane.constant) is not None:
        return replace(one, gain=one.gain + level)
    return replace(one, lane=one.lane.plus(lane) if one.lane is not None else lane)


def at_speed(
    laid: list[Laid], speed: Speed, seconds: Fraction, at: Fraction, rate: Fraction
) -> list[Laid]:
    """What a motion effect of some length plays of its input, which may be written too short."""
    offset, factor = speed.offset / rate, speed.factor
    if len(laid) == 1 and laid[0].at == at:
        only = laid[0]
        return [
            replace(
                only,
                at=at,
                length=seconds,
                position=only.position + offset * only.speed,
                speed=only.speed * factor,
                variable=only.variable or speed.variable,
            )
        ]
    if factor == 0:
        return []
    stretched = []
    for one in laid:
        ends = sorted((one.at - at - offset, one.end - at - offset))
        first, last = sorted(end / factor for end in ends)
        begin = one.position if factor > 0 else one.position + one.length * one.speed
        stretched.append(
            replace(
                one,
                at=at + first,
                length=last - first,
                position=begin,
                speed=one.speed * factor,
                variable=one.variable or speed.variable,
                fade_in=_scaled(one.fade_in, factor),
                fade_out=_scaled(one.fade_out, factor),
            )
        )
    return trimmed(stretched, at, seconds, at)


def _scaled(fade: Fade | None, factor: Fraction) -> Fade | None:
    return replace(fade, length=fade.length / abs(factor)) if fade is not None else None


def joined(legs: list[Laid]) -> list[Laid]:
    """Legs of one clip as one, where they are channels of one file; else side by side."""
    joined: list[Laid] = []
    for leg in sorted(legs, key=lambda one: one.at):
        same = next((i for i, one in enumerate(joined) if _legs_of_one(one, leg)), None)
        if same is None:
            joined.append(leg)
            continue
        one = joined[same]
        channels = (*one.material.channels, *leg.material.channels)
        joined[same] = replace(one, material=replace(one.material, channels=channels), pan=None)
    return joined


def _legs_of_one(one: Laid, leg: Laid) -> bool:
    return (
        (one.at, one.length, one.position, one.speed, one.muted)
        == (leg.at, leg.length, leg.position, leg.speed, leg.muted)
        and (one.material.mob, one.material.url) == (leg.material.mob, leg.material.url)
        and not set(one.material.channels) & set(leg.material.channels)
    )
