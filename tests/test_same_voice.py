"""One actor is one speaker in every take: whatever the order, never two of one take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.speech.same_voice import TakeVoice, same_voices


def voice(take: str, who: int, speaker: int | None = None, noise: float = 0.0) -> TakeVoice:
    """A voice of person `who`: persons are at right angles; noise turns the print."""
    print_ = np.zeros(8)
    print_[who] = 1.0
    print_[7] = noise
    return TakeVoice(take, speaker, 10.0, (print_ / np.linalg.norm(print_)).astype(np.float32))


def test_the_same_voice_is_one_group_in_every_take() -> None:
    groups = same_voices([voice("a", 0), voice("a", 1), voice("b", 1, noise=0.3), voice("b", 0)])
    assert groups[0] == groups[3]
    assert groups[1] == groups[2]
    assert groups[0] != groups[1]


def test_two_voices_of_one_take_stay_two() -> None:
    groups = same_voices([voice("a", 0), voice("a", 0)])
    assert groups[0] != groups[1]


def test_a_known_voice_is_met_again_and_two_known_ones_stay_two() -> None:
    groups = same_voices([voice("a", 0, speaker=5), voice("b", 0), voice("c", 0, speaker=6)])
    assert groups[0] != groups[2]
    # As close to the one as to the other: nobody's.
    assert groups[1] not in (groups[0], groups[2])
    groups = same_voices([voice("a", 0, speaker=5), voice("b", 0), voice("c", 1, speaker=6)])
    assert groups[1] == groups[0]


def test_known_voices_of_one_speaker_are_one_group_however_they_sound() -> None:
    groups = same_voices([voice("a", 0, speaker=5), voice("a", 3, speaker=5), voice("b", 3)])
    assert groups[0] == groups[1]


def test_a_voice_that_was_split_is_one_where_it_is_known_from_elsewhere() -> None:
    parts = [voice("a", 0, noise=0.4), voice("a", 0, noise=-0.4)]
    apart = same_voices(parts)
    assert apart[0] != apart[1]
    assert len(set(same_voices([voice("", 0, speaker=5), *parts]))) == 1
    # What is only known from the same take tells nothing about its other voice.
    only_here = same_voices([voice("a", 0, speaker=5), voice("a", 0, noise=0.4)])
    assert only_here[0] != only_here[1]
    stranger = same_voices([voice("", 0, speaker=5), voice("a", 0), voice("a", 1)])
    assert stranger[0] == stranger[1] != stranger[2]


def test_none_and_one() -> None:
    assert same_voices([]) == ()
    assert same_voices([voice("a", 0)]) == (0,)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.integers(0, 15), max_size=12), st.integers(0, 2**32 - 1))
def test_the_order_of_takes_does_not_matter(cells: set[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    items = [("abcd"[cell // 4], cell % 4, float(random.uniform(0, 0.4))) for cell in cells]
    voices = [voice(take, who, noise=noise) for take, who, noise in items]
    order = random.permutation(len(voices)).tolist()
    straight = same_voices(voices)
    shuffled = same_voices([voices[index] for index in order])
    # Persons are at right angles: the one right answer, in any order.
    for i, first in enumerate(order):
        for j, second in enumerate(order):
            together = items[first][1] == items[second][1] and (
                first == second or items[first][0] != items[second][0]
            )
            assert (straight[first] == straight[second]) == together
            assert (shuffled[i] == shuffled[j]) == together


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_how_alike_is_alike_enough(noise: float) -> None:
    groups = same_voices([voice("a", 0), voice("b", 0, noise=noise)])
    assert (groups[0] == groups[1]) == (noise == 0.0)
