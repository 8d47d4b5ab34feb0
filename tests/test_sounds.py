"""Speech is found by its sound, however a recogniser spelled it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.phones import PHONES, Phones
from core.sounds import heard_in, sound_classes


def said(phones: str) -> Phones:
    return tuple(phones.split())


LIVING = said("L IH V IH NG")
STRINGS = st.lists(st.sampled_from(PHONES), max_size=12).map(tuple)
QUERIES = st.lists(st.sampled_from(PHONES), min_size=1, max_size=12).map(tuple)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_phones_of_one_place_share_a_class_and_others_do_not() -> None:
    assert sound_classes(["P", "T", "K"]) == sound_classes(["B", "D", "G"]) == "bdg"
    assert len(set(sound_classes(["M", "N", "L", "R", "W", "Y", "HH"]))) == 7
    assert all(len(sound_classes([phone])) == 1 for phone in PHONES)


def test_the_stretch_that_was_meant_is_found() -> None:
    # joy there is in | leaving, for `living`
    spoken = said("JH OY DH EH R IH Z IH N L IY V IH NG N AW")
    (heard,) = heard_in(LIVING, [spoken])
    assert spoken[heard.start : heard.end] == said("L IY V IH NG")
    assert 0.85 < heard.likeness < 1.0


def test_what_sounds_otherwise_is_unlike() -> None:
    near, far = heard_in(LIVING, [said("L IY V IH NG"), said("T OW S T")])
    assert near.likeness > 0.85
    assert far.likeness < 0.4


def test_nothing_is_like_nothing() -> None:
    assert [item.likeness for item in heard_in((), [LIVING])] == [0.0]
    assert heard_in(LIVING, []) == ()
    assert [item.likeness for item in heard_in(LIVING, [()])] == [0.0]


@given(QUERIES, STRINGS, STRINGS)
@PATIENT
def test_a_query_is_found_where_it_stands_whole(
    asked: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    (heard,) = heard_in(asked, [(*before, *asked, *after)])
    assert heard.likeness == 1.0
    assert (*before, *asked, *after)[heard.start : heard.end] == asked


@given(QUERIES, st.lists(STRINGS, min_size=1, max_size=5))
@PATIENT
def test_each_string_is_judged_as_it_would_be_alone(
    asked: tuple[str, ...], spoken: list[tuple[str, ...]]
) -> None:
    together = heard_in(asked, spoken)
    for string, heard in zip(spoken, together, strict=True):
        (alone,) = heard_in(asked, [string])
        assert abs(heard.likeness - alone.likeness) < 1e-9
        assert 0 <= heard.start <= heard.end <= len(string)
