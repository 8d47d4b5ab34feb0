"""What FCPXML writes into attributes: rational seconds, levels, channels, roles, switches.

Final Cut holds a time as a 64-bit numerator over a 32-bit denominator, so `1001/24000s` is exact;
Resolve and others also write whole and decimal seconds. What can't be read is None, and the
caller says so.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from xml.etree.ElementTree import Element

from core.cut import FadeShape

SILENCE_DB = -144.0

_TIME = re.compile(r"(-?\d{1,20})(?:\.(\d{1,12}))?(?:/(\d{1,20}))?s?", re.ASCII)
_LEVEL = re.compile(r"([+-]?(?:\d{1,9}(?:\.\d{0,20})?|\.\d{1,20}))\s*(?:dB)?", re.ASCII | re.I)
_FLOOR_DB = -96.0
_LOUDEST_DB = 60.0
MAX_SECONDS = 10_000_000
_MAX_CHANNEL = 128
_MAX_DENOMINATOR = 10**15
_KEPT_DENOMINATOR = 10**9


def seconds(text: str | None) -> Fraction | None:
    """A time such as `1001/24000s`, `5s` or `2.5s`, exact; None for anything else.

    Times of more than 115 days are none.
    """
    match = _TIME.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    value = Fraction(f"{match[1]}.{match[2]}" if match[2] else match[1])
    if match[3]:
        if int(match[3]) == 0:
            return None
        value /= int(match[3])
    return value if abs(value) <= MAX_SECONDS else None


def tame(time: Fraction) -> Fraction:
    """The time, rounded to a billionth of a second where its denominator has grown absurd.

    Sums of a thousand odd denominators would otherwise grow to numbers of a thousand digits.
    """
    if time.denominator <= _MAX_DENOMINATOR:
        return time
    return Fraction(round(time * _KEPT_DENOMINATOR), _KEPT_DENOMINATOR)


def decibels(text: str | None) -> float | None:
    """A level such as `-6dB`; Final Cut's lowest (-96 dB) and `-inf` are silence, -144 dB."""
    plain = (text or "").strip()
    if plain.lower() in ("-inf", "-infdb", "-inf db"):
        return SILENCE_DB
    match = _LEVEL.fullmatch(plain)
    if match is None:
        return None
    value = float(match[1])
    return SILENCE_DB if value <= _FLOOR_DB else min(value, _LOUDEST_DB)


def channels(text: str | None) -> tuple[int, ...]:
    """Channels counted from 0 of a list such as `1, 2`, which counts from 1; each once."""
    found: dict[int, None] = {}
    for word in (text or "")[:1000].split(","):
        plain = word.strip()
        number = count(plain)
        if 1 <= number <= _MAX_CHANNEL:
            found[number - 1] = None
    return tuple(found)


def count(text: str | None) -> int:
    """A small whole number, or 0 where there is none."""
    plain = (text or "").strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 4 else 0


def lane(element: Element) -> int:
    """The lane of a story element, 0 for one that lies in its parent."""
    plain = element.get("lane", "").strip()
    digits = plain.removeprefix("-")
    return int(plain) if digits.isascii() and digits.isdigit() and len(digits) < 5 else 0


def pan_position(text: str | None) -> float | None:
    """A stereo position, -1 to 1, of an amount of -100 to 100."""
    try:
        value = float((text or "0").strip()) / 100
    except ValueError:
        return None
    return min(1.0, max(-1.0, value)) if math.isfinite(value) else None


def enabled(element: Element) -> bool:
    """Whether a clip or component is switched on (`enabled` and `active`)."""
    return element.get("enabled", "1") != "0" and element.get("active", "1") != "0"


def fade_shape(kind: str | None) -> FadeShape:
    """The shape of a fade by its `type`; Final Cut's own default is nearest to equal power."""
    return FadeShape.LINEAR if kind == "linear" else FadeShape.EQUAL_POWER


def main_role(role: str) -> str:
    """The role above a subrole: `dialogue` for `dialogue.Boom`."""
    return role.partition(".")[0].strip()


def plain_role(role: str) -> str:
    """A role for comparison: `dialogue` is what Final Cut also writes as `dialogue.dialogue-1`."""
    folded = " ".join(role.split()).casefold()
    main, _, sub = folded.partition(".")
    return main if sub in ("", f"{main}-1") else folded
