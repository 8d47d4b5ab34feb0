"""Random cuts for property tests."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from core.cut import Cut, Event, Fade, FadeShape, GainPoint, MediaReference, Track
from core.time import RATES, FrameRate

ALL_RATES = tuple(RATES.values())
UNDROPPED = tuple(FrameRate(rate.fps) for rate in RATES.values() if not rate.drop)


@st.composite
def cuts(
    draw: st.DrawFn,
    *,
    rates: tuple[FrameRate, ...] = UNDROPPED,
    tracks: int = 3,
    dissolves: bool = True,
    shapes: tuple[FadeShape, ...] = (FadeShape.EQUAL_POWER,),
    speeds: tuple[Fraction, ...] = (Fraction(1),),
    gains: bool = False,
    automation: bool = False,
    pans: bool = False,
    disabled: bool = False,
    channels: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (0, 1)),
    reels: tuple[str, ...] = ("", "SR001"),
) -> Cut:
    """A cut whose events do not overlap but in dissolves; its length is its last event's end.

    Its tracks are named A1, A2, …; every event has media with a URL and a range that holds it.
    """
    rate = draw(st.sampled_from(rates))
    made = tuple(
        Track(f"A{number}", tuple(_events(draw, f"A{number}", **kinds)))
        for number in range(1, draw(st.integers(1, tracks)) + 1)
        for kinds in [
            {
                "dissolves": dissolves,
                "shapes": shapes,
                "speeds": speeds,
                "gains": gains,
                "automation": automation,
                "pans": pans,
                "disabled": disabled,
                "channels": channels,
                "reels": reels,
            }
        ]
    )
    end = max(event.record_end for track in made for event in track.events)
    return Cut("random", rate, draw(st.integers(0, 100_000)), end, made)


def _events(draw: st.DrawFn, track: str, **kinds) -> list[Event]:
    events: list[Event] = []
    at = 0
    for number in range(1, draw(st.integers(1, 5)) + 1):
        gap = draw(st.integers(0, 30))
        length = draw(st.integers(30, 90))
        joins = kinds["dissolves"] and gap == 0 and bool(events) and draw(st.booleans())
        overlap = draw(st.integers(1, 12)) if joins else 0
        shape = draw(st.sampled_from(kinds["shapes"]))
        fade = Fade(Fraction(overlap), shape) if overlap else None
        if fade is not None:
            events[-1] = replace(events[-1], fade_out=fade)
        start = at + gap - overlap
        event = _event(draw, f"{track}/{number:03d}", start, length, kinds)
        events.append(replace(event, fade_in=fade))
        at = start + length
    return events


def _event(draw: st.DrawFn, name: str, start: int, length: int, kinds) -> Event:
    first = draw(st.integers(0, 1_000_000))
    points: tuple[GainPoint, ...] = ()
    if kinds["automation"] and draw(st.booleans()):
        places = sorted(draw(st.sets(st.integers(0, length), min_size=2, max_size=5)))
        levels = st.integers(-300, 60)
        points = tuple(GainPoint(Fraction(place), draw(levels) / 10) for place in places)
    stem = name.replace("/", "_")
    return Event(
        id=name,
        record_start=Fraction(start),
        record_length=Fraction(length),
        source_start=Fraction(first + 1000),
        media=MediaReference(
            name=f"clip {stem}",
            url=f"file:///sound/{stem}.wav",
            reel=draw(st.sampled_from(kinds["reels"])),
            available_start=Fraction(first),
            available_length=Fraction(3_000),
        ),
        channels=draw(st.sampled_from(kinds["channels"])),
        gain_db=draw(st.integers(-240, 120)) / 10 if kinds["gains"] else 0.0,
        automation=points,
        pan=draw(st.sampled_from([None, -1.0, 0.0, 0.5])) if kinds["pans"] else None,
        speed=draw(st.sampled_from(kinds["speeds"])),
        enabled=draw(st.booleans()) if kinds["disabled"] else True,
    )
