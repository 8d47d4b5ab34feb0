"""Values of Final Cut Pro 7 XML: numbers, rates and words as its elements write them."""

from __future__ import annotations

import re
from fractions import Fraction
from xml.etree.ElementTree import Element

from core.errors import InputError
from core.time import FrameRate, exact_fps, timecode_to_frames

TICKS = 254_016_000_000
"""Premiere's ticks in a second."""

MAX_FRAMES = 10**9
"""No position of a timeline lies further out (over a year at 24 frames a second)."""

_NUMBER = re.compile(r"[+-]?\d{1,25}(\.\d{0,25})?([eE][+-]?\d{1,2})?")
_MAX_RATE = 200_000
_LONGEST = 400


def words(element: Element, path: str) -> str:
    """The text under a path on one line, empty where there is none."""
    return " ".join((element.findtext(path) or "").split())[:_LONGEST]


def number(text: str | None) -> Fraction | None:
    """A number as written, exactly, or None where it is none or is absurd."""
    given = (text or "").strip()
    return Fraction(given) if _NUMBER.fullmatch(given) else None


def frames(element: Element, path: str) -> Fraction | None:
    """A frame count under a path, or None where there is none within reason."""
    text = element.findtext(path) or ""
    if len(text) < 10 and text.isascii() and text.isdecimal():
        return Fraction(int(text))
    value = number(text)
    return value if value is not None and abs(value) <= MAX_FRAMES else None


def flag(element: Element, path: str, default: bool) -> bool:
    """A truth value under a path."""
    text = words(element, path).upper()
    return {"TRUE": True, "1": True, "FALSE": False, "0": False}.get(text, default)


def rate(element: Element | None) -> Fraction | None:
    """Frames a second of the `rate` in an element: a time base, by 1000/1001 where NTSC."""
    found = element.find("rate") if element is not None else None
    base = number(found.findtext("timebase")) if found is not None else None
    if found is None or base is None or not 1 <= base <= _MAX_RATE:
        return None
    if base.denominator != 1:
        return exact_fps(base)
    return base * 1000 / 1001 if flag(found, "ntsc", False) else base


def timecode(element: Element | None, fps: Fraction) -> Fraction | None:
    """Seconds since midnight of an element's `timecode`, or None where it has none.

    fps: the rate where the timecode names none. Its frame count is preferred to its text.
    """
    found = element.find("timecode") if element is not None else None
    if found is None:
        return None
    own = rate(found) or fps
    count = frames(found, "frame")
    if count is None:
        try:
            count = Fraction(timecode_to_frames(words(found, "string"), drop_rate(found, own)))
        except InputError:
            return None
    return count / own


def drop_rate(timecode_element: Element | None, fps: Fraction) -> FrameRate:
    """A rate that counts as a `timecode` element says, drop-frame where that can be."""
    says = words(timecode_element, "displayformat").upper() if timecode_element is not None else ""
    can = fps in (Fraction(30000, 1001), Fraction(60000, 1001))
    return FrameRate(fps, drop=can and says == "DF")
