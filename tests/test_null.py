"""Stems null: what was taken plus what is left is the production track, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.conform import Placement
from core.speech import Line
from core.stems import (
    FULL_SCALE,
    Span,
    character_mask,
    character_spans,
    split_characters,
    to_grid,
)

grids = arrays(np.int64, (200, 1), elements=st.integers(-FULL_SCALE, FULL_SCALE - 1))


@given(st.integers(-FULL_SCALE, FULL_SCALE - 1))
def test_a_24_bit_sample_is_on_the_grid_as_it_is(value: int) -> None:
    assert to_grid(np.array([value / FULL_SCALE]))[0] == value


@given(grids, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=4))
def test_characters_and_other_sum_to_the_dialogue(
    dialogue: np.ndarray, bounds: list[tuple[int, int]]
) -> None:
    spans = [
        Span("A1", "REN" if i % 2 else "MARTA", min(pair), max(pair))
        for i, pair in enumerate(bounds)
    ]
    masks = {
        name: character_mask([s for s in spans if s.character == name], 0, 200, 1000)
        for name in ("REN", "MARTA")
    }
    stems, other = split_characters(dialogue, masks)
    np.testing.assert_array_equal(sum(stems.values()) + other, dialogue)


def placed(take: str, channel: int) -> Placement:
    return Placement("A1/1", "A1", take, (channel,), 1000, 500, 200)


def line(speaker: str, start: int, end: int) -> Line:
    return Line(speaker, start, end, (), "test")


def test_a_line_is_moved_from_the_take_to_the_record() -> None:
    spans = character_spans(
        [placed("t", 1)], {"t": [line("REN", 300, 400)]}, {"t": 48000}, {}, 48000
    )
    assert spans == (Span("A1", "REN", 1100, 1200),)


def test_lines_are_trimmed_to_what_the_cut_plays() -> None:
    spans = character_spans(
        [placed("t", 1)],
        {"t": [line("REN", 0, 250), line("REN", 900, 950)]},
        {"t": 48000},
        {},
        48000,
    )
    assert spans == (Span("A1", "REN", 1000, 1050),)


def test_where_two_speak_at_once_the_sound_is_nobodys() -> None:
    spans = character_spans(
        [placed("t", 1)],
        {"t": [line("REN", 300, 400), line("MARTA", 350, 450)]},
        {"t": 48000},
        {},
        48000,
    )
    assert spans == (Span("A1", "REN", 1100, 1150), Span("A1", "MARTA", 1200, 1250))


def test_a_lav_belongs_to_its_character_throughout() -> None:
    spans = character_spans([placed("t", 2)], {}, {}, {("t", 2): "STELLA"}, 48000)
    assert spans == (Span("A1", "STELLA", 1000, 1500),)


@given(st.integers(1, 400), st.integers(0, 300))
def test_masks_do_not_depend_on_blocks(split: int, start: int) -> None:
    spans = [Span("A1", "REN", start, start + 90)]
    whole = character_mask(spans, 0, 400, 1000)
    parts = [character_mask(spans, 0, split, 1000), character_mask(spans, split, 400 - split, 1000)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
