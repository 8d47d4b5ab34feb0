"""Script and transcript write the same speech alike once both are spoken words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.spoken import cardinal, spoken, spoken_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Mr. Dashwood", "mister dashwood"),
        ("Dr. O'Hara's 27 dogs — don't!", "doctor oharas twenty seven dogs do not"),
        ("We can't; they won't, she'd", "we can not they will not she would"),
        ("It’s all right / alright", "it is all right all right"),
        ("$5.50 or £1", "five dollars fifty or one pound"),
        ("the 3rd, the 21st, the 40th", "the third the twenty first the fortieth"),
        (
            "in 1944 and 2005, the 1980s",
            "in nineteen forty four and two thousand five the nineteen eighties",
        ),
        ("at 10:05 or 7:00", "at ten o five or seven o clock"),
        ("1,000,000 men, 50%, 3.14", "one million men fifty percent three point one four"),
        ("007", "zero zero seven"),
        ("O.K., the U.S.A.", "okay the u s a"),
        ("I'm gonna go 'til dawn", "i am going to go until dawn"),
        ("well-known twenty-one", "well known twenty one"),
        ("Étienne & Ωmega", "étienne and ωmega"),
        ("... — !", ""),
    ],
)
def test_text_is_said_as_a_voice_would(written: str, said: str) -> None:
    assert " ".join(spoken_words(written)) == said


@given(st.integers(0, 10**12 - 1))
def test_a_number_in_words_is_the_number(number: int) -> None:
    values = {word: k for k in range(20) for word in cardinal(k)}
    values |= {cardinal(k)[0]: k for k in range(20, 100, 10)}
    scales = {"thousand": 1000, "million": 10**6, "billion": 10**9}
    total, part = 0, 0
    for word in cardinal(number):
        if word == "hundred":
            part *= 100
        elif word in scales:
            total, part = total + part * scales[word], 0
        else:
            part += values[word]
    assert total + part == number


@given(st.text(max_size=200))
def test_any_text_gives_words_that_say_themselves(text: str) -> None:
    for word in spoken_words(text):
        assert word
        assert not any(character.isspace() for character in word)


def test_a_word_without_a_sound_is_none() -> None:
    assert spoken("—") == spoken("'") == spoken("") == ()
