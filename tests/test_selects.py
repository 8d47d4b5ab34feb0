"""Selects play what was picked, from the frame it begins in, and never beyond a take."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.media import MediaFile, SoundNotes
from core.selects import Pick, rate_of, selects, span
from core.time import RATES


def media(
    frames: int, reference: int | None, rate: str | None = "23.976", hertz: int = 48_000
) -> MediaFile:
    notes = SoundNotes(
        scene="1",
        take="2",
        tape="SR1",
        time_reference=reference,
        timecode_rate=None if rate is None else RATES[rate],
    )
    return MediaFile(Path("/takes/1-T02.wav"), "WAV", "PCM_24", hertz, 2, frames, 1, 1, notes)


def test_a_line_is_played_with_its_handles() -> None:
    # 10:00:00:00 at 23.976 is 36,000 s of timecode: 864,000 frames of 2,002 samples.
    take = media(2002 * 500, 864_000 * 2002)
    picks = [
        Pick(take, 2002 * 100 + 5, 2002 * 120 + 5, (1,), "REN: here"),
        Pick(take, 0, 1, (0,), "x"),
    ]
    cut = selects("found", picks, RATES["23.976"], 24)
    first, second = cut.tracks[0].events
    assert (first.source_start, first.record_length) == (864_000 + 100 - 24, 21 + 48)
    assert (second.source_start, second.record_length) == (864_000, 1 + 24)
    assert (first.record_start, second.record_start, cut.length) == (0, 69, 94)
    assert first.channels == (1,)
    assert [(marker.at, marker.name) for marker in cut.markers] == [(24, "REN: here"), (69, "x")]
    assert cut.start == 3600 * 24
    assert first.handles == (76, 500 - 121 - 24)


def test_most_of_the_takes_give_the_rate() -> None:
    picks = [Pick(media(9000, 0, rate), 0, 9, (0,), "") for rate in (None, "25", "24", "25")]
    assert rate_of(picks) == RATES["25"]
    assert rate_of(picks[:1]) == RATES["24"]


@given(
    st.integers(0, 48_000 * 86_400),
    st.integers(5_000, 500_000),
    st.integers(0, 500_000),
    st.integers(1, 200_000),
    st.sampled_from(sorted(RATES)),
    st.sampled_from([44_100, 48_000, 96_000]),
    st.integers(0, 100),
)
@settings(deadline=None)
def test_what_was_picked_is_inside_and_nothing_lies_outside_the_take(
    reference: int, frames: int, start: int, length: int, name: str, hertz: int, handles: int
) -> None:
    rate = RATES[name]
    start = min(start, frames - 1)
    end = min(start + length, frames)
    take = media(frames, reference, name, hertz)
    first, last = span(Pick(take, start, end, (0,), ""), rate, handles)
    per_frame = Fraction(hertz) / rate.fps
    # A file rarely begins or ends on a frame: what is played is whole frames within it.
    assert reference <= first * per_frame
    assert last * per_frame <= reference + frames
    assert first <= last
    begins, ends = -(-reference // per_frame), (reference + frames) // per_frame
    assert first * per_frame <= reference + start or first == begins
    assert last * per_frame >= reference + end or last == ends
    if handles == 0:
        assert (last - first) * per_frame < end - start + 2 * per_frame
