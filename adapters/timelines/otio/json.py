"""OpenTimelineIO's JSON as plain tables, safely, and its times as exact frames.

The file is read with Python's own JSON reader and not with the OpenTimelineIO library: the
library's recurses without a limit, so that a deeply nested file ends the process, and it refuses
objects newer than itself (Premiere writes `Marker.3`), although a newer version only adds fields.
What is read is checked against the library in the tests.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from adapters.json_file import values_in
from core.errors import InputError
from core.time import exact_fps

MAX_BYTES = 256 * 1024 * 1024
"""Of an `.otio` file, or of the one in a bundle. Resolve writes some 10 kB a clip."""

MAX_VALUES = 8_000_000
"""Commas and brackets in it: what bounds the memory that it takes. Written with line breaks, 256 MB
of it have five million."""

MAX_SECONDS = 10_000_000
"""Longest stretch, and farthest position, that is taken for a time (four months)."""

Table = Mapping[str, object]

_SLOWEST, _FASTEST = 0.1, 1e9
_DENOMINATOR = 1_000_000
_DIGITS = 300
_FRACTION = re.compile(r"^-?\d{1,40}(/\d{1,40})?$")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Span:
    """A TimeRange in frames of the cut's rate."""

    start: Fraction
    length: Fraction


def parse(data: bytes, path: Path) -> object:
    """The JSON in `data`; `path` is for messages.

    NaN and Infinity, which OpenTimelineIO writes for broken times, become None. Raises
    InputError where it is no JSON, or too large or too deeply nested for a timeline.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is over 256 MB, too large for a timeline; export one reel.")
    if values_in(data) > MAX_VALUES:
        raise InputError(
            f"{path} holds over {MAX_VALUES:,} values, too many for a timeline; export one reel."
        )
    try:
        return json.loads(_text(data), parse_constant=lambda _: None, parse_int=_whole)
    except RecursionError as fault:
        raise InputError(f"{path} is nested too deeply for a timeline; export it again.") from fault
    except ValueError as fault:
        reason = str(fault).splitlines()[0][:120]
        raise InputError(
            f"{path} can't be read as OpenTimelineIO ({reason}); export it again."
        ) from fault


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def table(value: object) -> Table:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[object]:
    """The value where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The value where it is text that can be written as UTF-8, else an empty one."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else _SURROGATES.sub("\ufffd", value)


def number(value: object) -> float | None:
    """The value where it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def fraction(value: object) -> Fraction | None:
    """A fraction written as text (`1001/24000`), or None."""
    if not isinstance(value, str) or not _FRACTION.match(value):
        return None
    try:
        return Fraction(value)
    except ZeroDivisionError:
        return None


def schema(value: object) -> tuple[str, int]:
    """Name and version of an object's schema (`Clip`, 2); an empty name where it has none."""
    name, dot, version = text(table(value).get("OTIO_SCHEMA")).rpartition(".")
    if not dot or not version.isdecimal() or len(version) > 6:
        return "", 0
    return name, int(version)


def near(value: float) -> Fraction:
    """The fraction that a double in a file most likely stands for."""
    return Fraction(value).limit_denominator(_DENOMINATOR)


class Clock:
    """Turns OpenTimelineIO's times into exact frames of one rate.

    fps: the cut's. A time whose object carries the exact fraction that its double stands for
    (`metadata["roomtone"]["exact"]`) becomes that fraction.
    """

    def __init__(self, fps: Fraction) -> None:
        self.fps = fps
        self._factors: dict[float, Fraction | None] = {float(fps): Fraction(1)}
        self._farthest = MAX_SECONDS * fps

    def frames(self, time: object, exact: Mapping[float, Fraction]) -> Fraction | None:
        """A RationalTime in frames; None where it is none, or absurd."""
        value, rate = number(table(time).get("value")), number(table(time).get("rate"))
        factor = None if rate is None else self._factor(rate)
        if value is None or factor is None:
            return None
        if value in exact:
            found = exact[value]
        else:
            found = Fraction(int(value)) if value.is_integer() else near(value)
        found *= factor
        return found if abs(found) <= self._farthest else None

    def span(self, time_range: object, exact: Mapping[float, Fraction]) -> Span | None:
        """A TimeRange in frames; its two times may count at different rates."""
        start = self.frames(table(time_range).get("start_time"), exact)
        length = self.frames(table(time_range).get("duration"), exact)
        if start is None or length is None or length < 0:
            return None
        return Span(start, length)

    def _factor(self, rate: float) -> Fraction | None:
        """Frames of the cut in a unit of a time's rate."""
        if rate not in self._factors:
            possible = _SLOWEST <= rate <= _FASTEST
            self._factors[rate] = self.fps / exact_fps(rate) if possible else None
        return self._factors[rate]


def exact_times(metadata: Table) -> dict[float, Fraction]:
    """Doubles of an object's times that stand for fractions only roomtone's metadata gives."""
    found: dict[float, Fraction] = {}
    for entry in rows(table(metadata.get("roomtone")).get("exact")):
        value = fraction(entry)
        if value is not None and abs(value) < 2**53:
            found[float(value)] = value
    return found
