"""Captions can be read, and no word is ever lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.captions import CaptionOptions, captions
from core.errors import UsageError
from core.speech import Word
from core.spotting import Spot, SpottingList, Wanted, cleaned
from core.time import RATES

RATE = 48_000
PLAIN = Wanted(speakers=False, drafts="plain")


def listed(*spots: Spot, length: int = 60 * RATE) -> SpottingList:
    return cleaned(SpottingList("x", "record", spots, RATE, length, RATES["25"], 0))


def spoken(text: str, start: float, end: float, speaker: str = "") -> Spot:
    words = text.split()
    each = (end - start) / len(words)
    places = [round((start + n * each) * RATE) for n in range(len(words) + 1)]
    return Spot(
        places[0],
        places[-1],
        speaker,
        tuple(Word(w, places[n], places[n + 1]) for n, w in enumerate(words)),
    )


def test_rows_and_lengths_keep_the_limits() -> None:
    text = "He might even have been made amiable himself, " * 6
    made = captions(listed(spoken(text, 1, 21)), CaptionOptions(), PLAIN)
    assert len(made) >= 3
    for item in made:
        assert len(item.rows) <= 2
        assert max(map(len, item.rows)) <= 42
        assert item.end - item.start <= 7 * 25
    assert " ".join(row for item in made for row in item.rows).split() == text.split()


def test_a_break_falls_at_the_end_of_a_sentence() -> None:
    text = (
        "One two three four five six seven eight nine ten stop. Then it goes on for a while here."
    )
    made = captions(listed(spoken(text, 0, 6)), CaptionOptions(row_characters=34), PLAIN)
    assert [item.rows[-1].split()[-1] for item in made] == ["stop.", "here."]


def test_a_short_caption_stays_until_it_was_read_but_for_the_gap() -> None:
    alone, close, after = spoken("Yes.", 1, 1.2), spoken("No.", 10, 10.2), spoken("Why?", 10.4, 11)
    made = captions(listed(alone, close, after), CaptionOptions(), PLAIN)
    assert [(item.start, item.end) for item in made] == [(25, 46), (250, 258), (260, 281)]


def test_who_speaks_stands_in_the_first_caption_of_a_line() -> None:
    made = captions(
        listed(spoken("word " * 60, 0, 20, "MARA")), CaptionOptions(), Wanted(drafts="plain")
    )
    assert [item.rows[0].startswith("MARA:") for item in made] == [True] + [False] * (len(made) - 1)


def test_people_who_speak_at_once_keep_their_times() -> None:
    made = captions(
        listed(spoken("I never said that", 1, 3, "A"), spoken("You did", 2, 4, "B")),
        CaptionOptions(),
        PLAIN,
    )
    assert [(item.start, item.end) for item in made] == [(25, 75), (50, 100)]


@pytest.mark.parametrize(
    "wrong", [{"rows": 0}, {"most_s": 0.1}, {"characters_per_second": 0}, {"gap_frames": -1}]
)
def test_options_that_make_no_caption_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        CaptionOptions(**wrong)  # type: ignore[arg-type]


lines = st.lists(
    st.tuples(
        st.integers(0, 40 * RATE),
        st.lists(st.tuples(st.text(max_size=60), st.integers(0, RATE)), min_size=1, max_size=40),
        st.sampled_from(["", "REN", "A very long name of somebody " * 3]),
    ),
    max_size=6,
)


@given(lines, st.integers(1, 3), st.integers(1, 50), st.integers(0, 5))
@settings(max_examples=60)
def test_no_word_is_lost_and_none_is_shown_before_it_is_said(
    given_lines: list[tuple[int, list[tuple[str, int]], str]], rows: int, width: int, gap: int
) -> None:
    spots = []
    for start, said, speaker in given_lines:
        at, words = start, []
        for text, length in said:
            words.append(Word(text, at, at + length))
            at += length
        spots.append(Spot(start, at, speaker, tuple(words)))
    found = listed(*spots, length=90 * RATE)
    options = CaptionOptions(rows=rows, row_characters=width, gap_frames=gap)
    made = captions(found, options, PLAIN)
    by_spot: dict[int, list[str]] = {}
    for item in made:
        assert item.end > item.start
        assert len(item.rows) <= rows or len(" ".join(item.rows).split()) > rows
        by_spot.setdefault(id(item.spot), []).extend(" ".join(item.rows).split())
    for spot in found.lines:
        assert by_spot.get(id(spot), []) == spot.text.split()
    starts = [item.start for item in made]
    assert starts == sorted(starts)
