"""What the effects of an AAF do to sound: gain, pan, speed, and the shape of a dissolve.

The definitions are those of the AAF Edit Protocol. Gain is an amplitude factor; pan runs from 0
(left) to 1 (right); the level of a dissolve from 0 to 1. Avid adds its own: a clip gain beside
the keyframes (`AvidControlClipRatio`), and a speed and an offset map in frames. `SpeedRatio` is
the output's length over the input's, so twice as fast is 1/2.
"""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from adapters.timelines.aaf.statements import Blend, ControlPoint, Effect, Parameter
from core.cut import FadeShape

SILENCE_DB = -144.0
_LOUDEST_DB = 60.0
_STEP_DB = 2.0
"""A ramp that is straight in amplitude, cut into steps of 2 dB that are straight in dB, is off by
0.06 dB at most."""
_STEP_SECONDS = Fraction(1, 48000)

_AMPLITUDE = "e4962321-2267-11d3-8a4c-0050040ef7d2"
_CLIP_RATIO = "47c00f7d-fb55-11d3-9ff7-0004ac969f50"
_PAN = "e4962322-2267-11d3-8a4c-0050040ef7d2"
_LEVEL = "e4962320-2267-11d3-8a4c-0050040ef7d2"
_INCOMING = "48cea642-a8f9-455b-82b3-86c814b797c7"
_SPEED_RATIO = "72559a80-24d7-11d3-8a50-0050040ef7d2"
_SPEED_MAP = "8d56827c-847e-11d5-935a-50f857c10000"
_OFFSET_MAP = "8d56827d-847e-11d5-935a-50f857c10000"


class Kind(Enum):
    """What an effect does, as far as a cut of sound is concerned."""

    GAIN = "gain"
    PAN = "pan"
    SPEED = "speed"
    LEGS = "legs"
    LAYERS = "layers"
    OTHER = "other"


_OPERATIONS = {
    "9d2ea894-0968-11d3-8a38-0050040ef7d2": Kind.GAIN,
    "9d2ea895-0968-11d3-8a38-0050040ef7d2": Kind.GAIN,
    "9d2ea893-0968-11d3-8a38-0050040ef7d2": Kind.PAN,
    "9d2ea890-0968-11d3-8a38-0050040ef7d2": Kind.SPEED,
    "8d896ad0-2261-11d3-8a4c-0050040ef7d2": Kind.LEGS,
    "6b46dd7a-132d-4856-ab21-8b751d8462ec": Kind.LEGS,
}
_NAMES = (
    (Kind.SPEED, re.compile(r"motion control|time ?warp|speed", re.I)),
    (Kind.LEGS, re.compile(r"channel ?combiner|mixdown|interleave", re.I)),
    (Kind.LAYERS, re.compile(r"submaster", re.I)),
    (Kind.GAIN, re.compile(r"audio ?(gain|volume)", re.I)),
    (Kind.PAN, re.compile(r"audio ?pan", re.I)),
)


def kind_of(effect: Effect) -> Kind:
    """What an effect does: by its identifier, else by its name."""
    if effect.operation in _OPERATIONS:
        return _OPERATIONS[effect.operation]
    return next((kind for kind, name in _NAMES if name.search(effect.name)), Kind.OTHER)


@dataclass(frozen=True, slots=True)
class Lane:
    """A level that changes: pairs of seconds and dB in order, straight in dB between them."""

    points: tuple[tuple[Fraction, float], ...]

    def level(self, at: Fraction) -> float:
        """The level at a time; before the first point and after the last it stays."""
        index = bisect.bisect_right(self.points, at, key=lambda point: point[0])
        if index == 0:
            return self.points[0][1]
        if index == len(self.points):
            return self.points[-1][1]
        (start, low), (end, high) = self.points[index - 1], self.points[index]
        return low + (high - low) * float((at - start) / (end - start))

    def within(self, first: Fraction, last: Fraction) -> Lane:
        """The lane from one time to another, counted from the first, with points at both ends."""
        inside = [(at - first, level) for at, level in self.points if first < at < last]
        return Lane(((Fraction(0), self.level(first)), *inside, (last - first, self.level(last))))

    def plus(self, other: Lane) -> Lane:
        """Both lanes' levels added."""
        times = sorted({at for lane in (self, other) for at, _ in lane.points})
        return Lane(tuple((at, self.level(at) + other.level(at)) for at in times))

    @property
    def constant(self) -> float | None:
        """The level where it is the same everywhere."""
        first = self.points[0][1]
        return first if all(abs(level - first) < 1e-6 for _, level in self.points) else None


def decibels(amplitude: Fraction | float) -> float:
    """Amplitude factor to dB, between SILENCE_DB and 60 dB."""
    value = float(amplitude)
    if value <= 10 ** (SILENCE_DB / 20):
        return SILENCE_DB
    return min(_LOUDEST_DB, 20 * math.log10(value))


def gain_of(effect: Effect, seconds: Fraction) -> Lane:
    """The level of a gain effect over its length in seconds.

    Every amplitude that it carries counts (Avid writes clip gain and keyframes side by side).
    """
    whole: Lane | None = None
    for parameter in effect.parameters:
        named = re.search(r"amplitude|\bgain\b|ratio", parameter.name, re.I)
        if parameter.auid in (_AMPLITUDE, _CLIP_RATIO) or (named and "is" not in parameter.name):
            lane = _lane(parameter, seconds)
            whole = whole.plus(lane) if whole is not None and lane is not None else lane or whole
    return whole if whole is not None else Lane(((Fraction(0), 0.0),))


def _lane(parameter: Parameter, seconds: Fraction) -> Lane | None:
    if parameter.constant is not None:
        return Lane(((Fraction(0), decibels(parameter.constant)),))
    points: list[tuple[Fraction, float]] = []
    for point in parameter.points:
        at, level = point.at * seconds, decibels(point.value)
        if points:
            if at <= points[-1][0]:
                at = points[-1][0] + _STEP_SECONDS
            points += _between(points[-1], (at, level), parameter.interpolation)
        points.append((at, level))
    return Lane(tuple(points)) if points else None


def _between(
    before: tuple[Fraction, float], after: tuple[Fraction, float], interpolation: str
) -> list[tuple[Fraction, float]]:
    """Points that make a ramp straight in dB follow one that is not."""
    (start, low), (end, high) = before, after
    if interpolation == "constant":
        edge = end - min(_STEP_SECONDS, (end - start) / 2)
        return [(edge, low)] if low != high else []
    if interpolation in ("log", "power"):
        return []
    count = math.ceil(abs(high - low) / _STEP_DB)
    first, last = 10 ** (low / 20), 10 ** (high / 20)
    made = []
    for step in range(1, count):
        level = low + (high - low) * step / count
        share = (10 ** (level / 20) - first) / (last - first)
        made.append((start + (end - start) * Fraction(share).limit_denominator(1 << 20), level))
    return made


def pan_of(effect: Effect) -> tuple[tuple[Fraction, float], ...]:
    """Pairs of time (0 to 1 of the effect) and pan (−1 left to 1 right), in order; may be empty."""
    for parameter in effect.parameters:
        if parameter.auid == _PAN or (parameter.name.casefold() == "pan" and not parameter.auid):
            if parameter.constant is not None:
                return ((Fraction(0), _side(parameter.constant)),)
            return tuple((point.at, _side(point.value)) for point in parameter.points)
    return ()


def _side(value: Fraction) -> float:
    return max(-1.0, min(1.0, float(2 * value - 1)))


@dataclass(frozen=True, slots=True)
class Speed:
    """source units consumed by a unit of the effect, the source unit it begins with, and whether
    the speed changes (then `factor` is its mean)."""

    factor: Fraction
    offset: Fraction
    variable: bool


def speed_of(effect: Effect) -> Speed | None:
    """The speed of a motion effect, None where no parameter says it."""
    known = {parameter.auid: parameter for parameter in effect.parameters}
    speeds, offsets = known.get(_SPEED_MAP), known.get(_OFFSET_MAP)
    offset = offsets.points[0].value if offsets is not None and offsets.points else Fraction(0)
    if speeds is not None and speeds.points:
        values = {point.value for point in speeds.points}
        if len(values) == 1:
            return Speed(_plain(values.pop()), offset, variable=False)
        mean = _mean_slope(offsets.points if offsets is not None else (), effect.length)
        return Speed(mean or _mean(speeds.points), offset, variable=True)
    if offsets is not None and len(offsets.points) > 1:
        slopes = _slopes(offsets.points)
        mean = _mean_slope(offsets.points, effect.length) or Fraction(0)
        return Speed(mean, offset, variable=len(set(slopes)) > 1)
    ratio = known.get(_SPEED_RATIO)
    if ratio is None or ratio.constant is None:
        return None
    return Speed(1 / ratio.constant if ratio.constant else Fraction(0), Fraction(0), variable=False)


def _plain(value: Fraction) -> Fraction:
    """666666667/1000000000 as 2/3: the fraction that a decimal of nine places stands for."""
    near = value.limit_denominator(10_000)
    return near if abs(near - value) <= Fraction(1, 10**8) else value


def _slopes(points: Sequence[ControlPoint]) -> list[Fraction]:
    pairs = itertools.pairwise(points)
    return [(b.value - a.value) / (b.at - a.at) for a, b in pairs if b.at > a.at]


def _mean_slope(points: Sequence[ControlPoint], length: int) -> Fraction | None:
    inside = [point for point in points if 0 <= point.at <= max(length, 1)]
    if len(inside) < 2 or inside[-1].at == inside[0].at:
        return None
    return (inside[-1].value - inside[0].value) / (inside[-1].at - inside[0].at)


def _mean(points: Sequence[ControlPoint]) -> Fraction:
    span = points[-1].at - points[0].at
    pairs = list(itertools.pairwise(points))
    if span <= 0:
        return points[0].value
    return sum(((a.value + b.value) / 2 * (b.at - a.at) for a, b in pairs), Fraction(0)) / span


def shape_of(blend: Blend) -> FadeShape:
    """The curve of a dissolve: straight where nothing says otherwise."""
    for parameter in blend.parameters:
        if parameter.auid in (_LEVEL, _INCOMING) or parameter.name == "Level":
            curved = parameter.interpolation in ("power", "log") or _bulges(parameter)
            return FadeShape.EQUAL_POWER if curved else FadeShape.LINEAR
    return FadeShape.LINEAR


def _bulges(parameter: Parameter) -> bool:
    """Whether a drawn curve is nearer to equal power (0.71 half way) than to straight (0.5)."""
    middle = [point.value for point in parameter.points if abs(point.at - Fraction(1, 2)) < 0.1]
    return bool(middle) and float(middle[0]) > 0.6
