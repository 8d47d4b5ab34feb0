"""Every word lands in exactly one line, with who spoke it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.speech import Line, Turn, Word
from models.speech.lines import lines

RATE = 1_000


def made(words: list[Word], turns: list[Turn], pause_s: float = 1.0) -> tuple[Line, ...]:
    return lines(words, turns, "test", False, RATE, "en", pause_s)


def told(found: tuple[Line, ...]) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for line in found]


def test_a_word_goes_to_the_turn_it_overlaps_most() -> None:
    words = [Word("please", 0, 400), Word("call", 450, 1_100), Word("her", 1_150, 1_300)]
    turns = [Turn("STELLA", 0, 1_000), Turn("JOHN", 1_000, 2_000)]
    assert told(made(words, turns)) == [("STELLA", "please call"), ("JOHN", "her")]


def test_a_word_outside_all_turns_goes_to_the_nearest_within_half_a_second() -> None:
    words = [Word("late", 1_400, 1_500), Word("lost", 1_501, 1_600)]
    assert told(made([words[0]], [Turn("REN", 0, 1_000)])) == [("REN", "late")]
    assert told(made([words[1]], [Turn("REN", 0, 1_000)])) == [("REN", ""), ("", "lost")]
    nearer = [Turn("REN", 0, 1_000), Turn("MARTA", 1_700, 2_000)]
    assert told(made([words[0]], nearer)) == [("REN", ""), ("MARTA", "late")]


def test_a_pause_splits_and_a_shorter_one_does_not() -> None:
    words = [Word("wait", 0, 100), Word("for", 1_100, 1_200), Word("me", 2_201, 2_300)]
    turns = [Turn("REN", 0, 3_000)]
    assert told(made(words, turns)) == [("REN", "wait for"), ("REN", "me")]
    assert told(made(words, turns, pause_s=0.5)) == [("REN", "wait"), ("REN", "for"), ("REN", "me")]


def test_a_new_turn_of_the_same_speaker_is_a_new_line() -> None:
    words = [Word("yes", 0, 100), Word("no", 300, 400)]
    turns = [Turn("REN", 0, 150), Turn("REN", 250, 500)]
    assert told(made(words, turns)) == [("REN", "yes"), ("REN", "no")]


def test_in_overlapping_turns_a_speaker_goes_on() -> None:
    words = [Word("i", 0, 100), Word("never", 600, 700), Word("said", 750, 850)]
    turns = [Turn("STELLA", 0, 1_000), Turn("REN", 500, 1_500)]
    assert told(made(words, turns)) == [("STELLA", "i never said"), ("REN", "")]


def test_a_turn_without_words_is_a_line_without_words() -> None:
    assert made([], [Turn("REN", 0, 1_000)]) == (Line("REN", 0, 1_000, (), "test", confidence=0.0),)


def test_words_without_turns_are_lines_of_nobody() -> None:
    words = [Word("hello", 0, 100), Word("again", 1_200, 1_300)]
    assert told(made(words, [])) == [("", "hello"), ("", "again")]


def test_the_lines_of_a_turn_cover_it_and_meet_in_the_pause() -> None:
    words = [Word("wait", 200, 400), Word("now", 1_800, 1_900)]
    found = made(words, [Turn("REN", 0, 3_000)])
    assert [(line.start, line.end) for line in found] == [(0, 1_100), (1_100, 3_000)]


def test_a_line_carries_extent_engine_draft_language_and_mean_confidence() -> None:
    words = [Word("ça", 10, 300, 0.5), Word("va", 200, 250, 1.0)]
    found = lines(words, [Turn("REN", 0, 400)], "whisper small", True, RATE, "fr")
    assert found == (Line("REN", 0, 400, tuple(words), "whisper small", True, 0.75, "fr"),)


spans = st.tuples(st.integers(0, 20_000), st.integers(0, 2_000))


@given(st.lists(spans, max_size=30), st.lists(st.tuples(spans, st.sampled_from("AB")), max_size=8))
def test_no_word_is_lost_or_doubled(words: list[tuple[int, int]], turns: list) -> None:
    given_words = [Word(str(i), at, at + long) for i, (at, long) in enumerate(words)]
    given_turns = [Turn(name, at, at + long) for (at, long), name in turns]
    found = made(given_words, given_turns)
    assert sorted(int(word.text) for line in found for word in line.words) == list(
        range(len(words))
    )
    assert [line.start for line in found] == sorted(line.start for line in found)
    for line in found:
        assert all(line.start <= word.start for word in line.words)
        assert line.speaker in {"", *(turn.speaker for turn in given_turns)}
