"""The effects of a written AAF: gain, pan, speed, dissolves and mutes, with their definitions.

Identifiers, names and parameters are those of the AAF Edit Protocol and of the files that Avid
writes. Automation is straight in dB, which AAF calls logarithmic interpolation; an equal-power
dissolve has its power interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from core.cut import FadeShape

_INT32 = (1 << 31) - 1
_TIME_GRID = 1 << 30
_LINEAR = ("5b6c85a4-0ede-11d3-80a9-006008143e6f", "LinearInterp", "Linear keyframe interpolation")
_POWER = ("c09153f7-bd18-4e5a-ad09-cbdd654fa001", "PowerInterp", "Power interpolation")
_LOG = ("15829ec3-1f24-458a-960d-c65bb23c2aa1", "LogInterp", "Logarithmic interpolation")
_LEVEL = ("e4962320-2267-11d3-8a4c-0050040ef7d2", "Level")
_AMPLITUDE = ("e4962321-2267-11d3-8a4c-0050040ef7d2", "Amplitude")
_PAN = ("e4962322-2267-11d3-8a4c-0050040ef7d2", "Pan")
_SPEED_RATIO = ("72559a80-24d7-11d3-8a50-0050040ef7d2", "SpeedRatio")
_SPEED_MAP = ("8d56827c-847e-11d5-935a-50f857c10000", "PARAM_SPEED_MAP_U")
_OFFSET_MAP = ("8d56827d-847e-11d5-935a-50f857c10000", "PARAM_SPEED_OFFSET_MAP_U")


@dataclass(frozen=True)
class _Operation:
    auid: str
    name: str
    inputs: int
    warps: bool
    parameters: tuple[tuple[str, str], ...]


_DISSOLVE = _Operation(
    "0c3bea41-fc05-11d2-8a29-0050040ef7d2", "Audio Dissolve", 2, False, (_LEVEL,)
)
_GAIN_OPERATION = _Operation(
    "9d2ea894-0968-11d3-8a38-0050040ef7d2", "Audio Gain", 1, False, (_AMPLITUDE,)
)
_PAN_OPERATION = _Operation("9d2ea893-0968-11d3-8a38-0050040ef7d2", "Audio Pan", 1, False, (_PAN,))
_MOTION = _Operation(
    "9d2ea890-0968-11d3-8a38-0050040ef7d2", "Motion Control", 1, True, (_SPEED_RATIO,)
)


@dataclass
class Effects:
    """Makes effects in an open pyaaf2 file, defining each operation and parameter once.

    pyaaf2's factory forgets which class was asked for when another is made in between, so the
    arguments of a new object are made before it.
    """

    file: Any
    _known: dict[str, Any] = field(default_factory=dict)

    def dissolve(self, length: int, cut_point: int, shape: FadeShape) -> Any:
        """A transition between the two parts beside it."""
        group = self._group(_DISSOLVE, length)
        rule = _POWER if shape is FadeShape.EQUAL_POWER else _LINEAR
        ends = ((Fraction(0), Fraction(0)), (Fraction(1), Fraction(1)))
        group.parameters.append(self._varying(_LEVEL, ends, rule))
        made = self.file.create.Transition("sound", length)
        made["OperationGroup"].value = group
        made["CutPoint"].value = cut_point
        return made

    def gain(self, inner: Any, gain_db: float, length: int) -> Any:
        """A constant gain over a segment."""
        group = self._over(_GAIN_OPERATION, inner, length)
        group.parameters.append(self._constant(_AMPLITUDE, _amplitude(gain_db)))
        return group

    def automation(self, inner: Any, points: Sequence[tuple[Fraction, float]], length: int) -> Any:
        """A gain that moves: pairs of time (0 to 1 of the segment) and dB."""
        group = self._over(_GAIN_OPERATION, inner, length)
        levels = [(at, _amplitude(gain_db)) for at, gain_db in points]
        group.parameters.append(self._varying(_AMPLITUDE, levels, _LOG))
        return group

    def pan(self, inner: Any, pan: float, length: int) -> Any:
        """A pan that stays, as Avid writes it: with points at both ends."""
        group = self._over(_PAN_OPERATION, inner, length)
        side = Fraction((pan + 1) / 2).limit_denominator(1 << 15)
        ends = ((Fraction(0), side), (Fraction(1), side))
        group.parameters.append(self._varying(_PAN, ends, _LINEAR))
        return group

    def speed(self, inner: Any, speed: Fraction, length: int) -> Any:
        """A constant speed; negative backwards, 0 a freeze."""
        group = self._over(_MOTION, inner, length)
        ratio = 1 / speed if speed else Fraction(0)
        group.parameters.append(self._constant(_SPEED_RATIO, ratio))
        start = (Fraction(0), Fraction(0))
        moves = (start, (Fraction(length), speed * length))
        group.parameters.append(self._varying(_SPEED_MAP, ((Fraction(0), speed),), _LINEAR))
        group.parameters.append(self._varying(_OFFSET_MAP, moves, _LINEAR))
        return group

    def muted(self, inner: Any, length: int) -> Any:
        """A clip that is not heard: a selector whose choice is silence, as Avid has it."""
        made = self.file.create.Selector("sound", length)
        made["Selected"].value = self.file.create.Filler("sound", length)
        made["Alternates"].append(inner)
        return made

    def _over(self, operation: _Operation, inner: Any, length: int) -> Any:
        group = self._group(operation, length)
        group.segments.append(inner)
        return group

    def _group(self, operation: _Operation, length: int) -> Any:
        definition = self._operation(operation)
        return self.file.create.OperationGroup(definition, length, "sound")

    def _operation(self, operation: _Operation) -> Any:
        if operation.auid not in self._known:
            from aaf2.auid import AUID

            made = self.file.create.OperationDef(AUID(operation.auid), operation.name, "")
            made.media_kind = "sound"
            made["NumberInputs"].value = operation.inputs
            made["IsTimeWarp"].value = operation.warps
            made["Bypass"].value = operation.inputs - 1
            made["OperationCategory"].value = "OperationCategory_Effect"
            self.file.dictionary.register_def(made)
            for parameter in operation.parameters:
                made.parameters.append(self._parameter(parameter))
            self._known[operation.auid] = made
        return self._known[operation.auid]

    def _parameter(self, of: tuple[str, str]) -> Any:
        auid, name = of
        if auid not in self._known:
            from aaf2.auid import AUID

            rational = self.file.metadict.lookup_typedef("Rational")
            made = self.file.create.ParameterDef(AUID(auid), name, "", rational)
            self.file.dictionary.register_def(made)
            self._known[auid] = made
        return self._known[auid]

    def _interpolation(self, of: tuple[str, str, str]) -> Any:
        auid, name, text = of
        if auid not in self._known:
            from aaf2.auid import AUID

            made = self.file.create.InterpolationDef(AUID(auid), name, text)
            self.file.dictionary.register_def(made)
            self._known[auid] = made
        return self._known[auid]

    def _constant(self, parameter: tuple[str, str], value: Fraction) -> Any:
        definition = self._parameter(parameter)
        return self.file.create.ConstantValue(definition, _rational(value))

    def _varying(
        self,
        parameter: tuple[str, str],
        points: Sequence[tuple[Fraction, Fraction]],
        rule: tuple[str, str, str],
    ) -> Any:
        definitions = self._parameter(parameter), self._interpolation(rule)
        made = self.file.create.VaryingValue(*definitions)
        for at, value in points:
            made.add_keyframe(_rational(at), _rational(value))
        return made


def _amplitude(gain_db: float) -> Fraction:
    return Fraction(10 ** (gain_db / 20))


def _rational(value: Fraction) -> Any:
    """A fraction of two 32-bit numbers, the nearest where it does not fit."""
    from aaf2.rational import AAFRational

    most = max(1, min(_TIME_GRID, int(_INT32 // max(abs(value), Fraction(1)))))
    near = value.limit_denominator(most)
    return AAFRational(near.numerator, near.denominator)
