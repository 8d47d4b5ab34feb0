"""The gates on a microphone group: the image stays where it was, and the sum in mono sounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from test_gates_damage import FLOOR, LIMITS, RATE, SPANS, VOICE, noise, reader

from models.quality import Gate, Judged, judge_group

Floats = NDArray[np.float64]
OTHER_FLOOR = noise(-66, 9, len(VOICE))
LEFT, RIGHT = VOICE + FLOOR, 0.7 * VOICE + OTHER_FLOOR
CLEAN_LEFT, CLEAN_RIGHT = VOICE + 0.25 * FLOOR, 0.7 * VOICE + 0.25 * OTHER_FLOOR
SPEECH = [(round(start * RATE), round(end * RATE)) for start, end in SPANS]


def judged(raw: tuple[Floats, Floats], clean: tuple[Floats, Floats]) -> dict[str, Gate]:
    """The gates of the second channel."""
    group = [Judged(reader(a), reader(b), SPEECH) for a, b in zip(raw, clean, strict=True)]
    first, second = judge_group(group, len(VOICE), RATE, LIMITS, len(VOICE))
    assert {gate.name for gate in second} - {gate.name for gate in first} == {"phase", "mono sum"}
    return {gate.name: gate for gate in second}


def test_noise_taken_from_both_channels_leaves_the_image() -> None:
    gates = judged((LEFT, RIGHT), (CLEAN_LEFT, CLEAN_RIGHT))
    assert all(gate.passed for gate in gates.values())
    assert gates["phase"].value == pytest.approx(0, abs=0.01)
    assert gates["mono sum"].value == pytest.approx(0, abs=0.05)


def test_a_channel_turned_round_fails() -> None:
    gates = judged((LEFT, RIGHT), (CLEAN_LEFT, -CLEAN_RIGHT))
    assert not gates["phase"].passed
    assert gates["phase"].value == pytest.approx(2, abs=0.02)
    # In phase the sum of 1 and 0.7 has 2.89 of 1.49; turned round 0.09.
    assert gates["mono sum"].value == pytest.approx(10 * np.log10(0.09 / 2.89), abs=0.3)
    assert not gates["mono sum"].passed


def test_a_channel_that_is_delayed_fails() -> None:
    late = np.roll(CLEAN_RIGHT, 24)
    assert not judged((LEFT, RIGHT), (CLEAN_LEFT, late))["phase"].passed


def test_a_pair_recorded_in_opposite_phase_may_stay_so() -> None:
    gates = judged((LEFT, -RIGHT), (CLEAN_LEFT, -CLEAN_RIGHT))
    assert gates["phase"].passed
    assert gates["mono sum"].passed


def test_microphones_that_hear_different_things_have_no_image() -> None:
    stranger = OTHER_FLOOR + np.where(VOICE != 0, noise(-20, 5, len(VOICE)), 0.0)
    gates = judged((LEFT, stranger), (CLEAN_LEFT, -stranger))
    assert (gates["phase"].value, gates["mono sum"].value) == (0, 0)


def test_the_limits_decide() -> None:
    group = [
        Judged(reader(LEFT), reader(CLEAN_LEFT), SPEECH),
        Judged(reader(RIGHT), reader(-CLEAN_RIGHT), SPEECH),
    ]
    loose = replace(LIMITS, correlation_lost=2.1, mono_change_db=40.0)
    for limits, passed in ((LIMITS, False), (loose, True)):
        _, second = judge_group(group, len(VOICE), RATE, limits, len(VOICE))
        image = {gate.name: gate.passed for gate in second}
        assert (image["phase"], image["mono sum"]) == (passed, passed)
