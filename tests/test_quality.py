"""Each gate fails on the damage it is there for, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from models.quality import Gate, GateLimits, judge

Floats = NDArray[np.float64]
RATE = 48_000
SPAN = (RATE, 3 * RATE)


def reader(sound: Floats) -> Callable[[int, int], Floats]:
    def read(start: int, n: int) -> Floats:
        out = np.zeros(n)
        first, last = max(start, 0), min(start + n, len(sound))
        if last > first:
            out[first - start : last - start] = sound[first:last]
        return out

    return read


def gates(raw: Floats, clean: Floats, *spans: tuple[int, int]) -> dict[str, Gate]:
    judged = judge(
        reader(raw), reader(clean), len(raw), RATE, spans or (SPAN,), GateLimits(), len(clean)
    )
    return {gate.name: gate for gate in judged}


def failed(raw: Floats, clean: Floats) -> set[str]:
    return {name for name, gate in gates(raw, clean).items() if not gate.passed}


def noise(level_db: float, seed: int, length: int = 4 * RATE) -> Floats:
    return np.random.default_rng(seed).standard_normal(length) * 10 ** (level_db / 20)


def band(sound: Floats, low: float, high: float) -> Floats:
    sos = scipy.signal.butter(6, (low, high), "bandpass", fs=RATE, output="sos")
    return np.asarray(scipy.signal.sosfiltfilt(sos, sound))


def speech() -> Floats:
    """A second of pause, two of vowels and sibilants in turn, a second of pause."""
    time = np.arange(4 * RATE) / RATE
    vowel = sum(
        np.sin(2 * np.pi * 130 * k * time + 0.1 * k * np.sin(20 * time)) / k for k in range(1, 25)
    )
    hiss = band(noise(0, 1), 4_500, 16_000)
    turn = (time * 4 % 1) < 0.7
    spoken = np.where(turn, 0.1 * np.asarray(vowel), 0.08 * hiss)
    spoken[: SPAN[0]] = spoken[SPAN[1] :] = 0
    return spoken


VOICE = speech()
HUM = noise(-66, 2)
RAW = VOICE + HUM
GOOD = VOICE + HUM * 0.25


def test_a_passthrough_passes_every_gate() -> None:
    judged = gates(RAW, RAW)
    assert [name for name, gate in judged.items() if not gate.passed] == []
    changes = {name: gate.value for name, gate in judged.items() if name != "noise left"}
    assert changes == {name: pytest.approx(0, abs=1e-6) for name in changes}
    assert len(changes) == 12


def test_noise_taken_and_nothing_else_passes() -> None:
    judged = gates(RAW, GOOD)
    assert all(gate.passed for gate in judged.values())
    assert judged["noise"].value == pytest.approx(20 * np.log10(0.25), abs=0.1)
    assert abs(judged["speech level"].value) < 0.1


@pytest.mark.parametrize("shift", [1, -3, 960])
def test_a_lag_of_even_one_sample_fails(shift: int) -> None:
    judged = gates(RAW, np.roll(GOOD, shift))
    assert judged["lag"].value == shift
    assert not judged["lag"].passed


def test_a_lost_or_added_sample_fails() -> None:
    assert gates(RAW, GOOD[:-1])["length"].value == -1
    assert "length" in failed(RAW, GOOD[:-1])
    assert "length" in failed(RAW, np.append(GOOD, 0.0))


@pytest.mark.parametrize("gain_db", [-2.0, 2.0])
def test_a_change_of_the_speech_level_fails(gain_db: float) -> None:
    judged = gates(RAW, GOOD * 10 ** (gain_db / 20))
    assert judged["speech level"].value == pytest.approx(gain_db, abs=0.1)
    assert not judged["speech level"].passed


def test_duller_sibilants_fail_and_the_vowels_do_not_hide_it() -> None:
    dull = GOOD - (1 - 10 ** (-5 / 20)) * band(GOOD, 4_000, 10_000)
    judged = gates(RAW, dull)
    assert not judged["sibilants"].passed
    assert judged["sibilants"].value == pytest.approx(5, abs=1)
    assert judged["speech level"].passed


def test_lost_air_fails() -> None:
    sos = scipy.signal.butter(8, 8_000, "lowpass", fs=RATE, output="sos")
    judged = gates(RAW, np.asarray(scipy.signal.sosfiltfilt(sos, GOOD)))
    assert not judged["air"].passed
    assert judged["air"].value > 6


def test_a_voice_without_air_has_none_to_lose() -> None:
    sos = scipy.signal.butter(8, 7_000, "lowpass", fs=RATE, output="sos")
    telephone = np.asarray(scipy.signal.sosfiltfilt(sos, VOICE))
    assert gates(telephone + HUM, telephone + HUM * 0.1)["air"].passed


def test_holes_in_the_speech_fail_as_over_suppression() -> None:
    holed = GOOD.copy()
    for start in range(SPAN[0], SPAN[1], RATE // 5):
        holed[start : start + RATE // 15] *= 0.03
    judged = gates(RAW, holed)
    assert not judged["over-suppressed"].passed
    assert judged["over-suppressed"].value == pytest.approx(1 / 3, abs=0.1)


def test_isolated_tones_in_the_pauses_fail_as_musical_noise() -> None:
    size = 1536
    _, _, spectrum = scipy.signal.stft(HUM, RATE, nperseg=size)
    kept = np.random.default_rng(3).random(spectrum.shape) < 0.05
    _, musical = scipy.signal.istft(np.where(kept, spectrum, spectrum * 0.05), RATE, nperseg=size)
    judged = gates(RAW, VOICE + musical[: len(RAW)])
    assert not judged["musical noise"].passed
    assert judged["noise"].passed


def test_noise_that_was_added_fails() -> None:
    judged = gates(RAW, RAW + noise(-66, 4))
    assert judged["noise"].value == pytest.approx(3, abs=0.2)
    assert not judged["noise"].passed


def test_samples_that_clip_fail_unless_they_did_before() -> None:
    hot = GOOD.copy()
    hot[SPAN[0] + 100 : SPAN[0] + 103] = 1.0
    assert gates(RAW, hot)["clipping"].value == 3
    assert "clipping" in failed(RAW, hot)
    assert "clipping" not in failed(hot, hot)


def test_a_take_without_pauses_is_judged_by_its_quietest_moments() -> None:
    whole = (0, len(RAW))
    assert all(gate.passed for gate in gates(RAW, GOOD, whole).values())
    assert not gates(RAW, RAW + noise(-60, 4), whole)["noise"].passed


def test_silence_and_no_speech_are_no_fault() -> None:
    silent = np.zeros(RATE)
    judged = judge(reader(silent), reader(silent), RATE, RATE, (), GateLimits(), RATE)
    assert all(gate.passed and np.isfinite(gate.value) for gate in judged)
    nobody = judge(reader(HUM), reader(HUM * 0.2), len(HUM), RATE, (), GateLimits(), len(HUM))
    assert all(gate.passed for gate in nobody)
    nothing = judge(reader(silent[:0]), reader(silent[:0]), 0, RATE, (), GateLimits(), 0)
    assert all(gate.passed for gate in nothing)


def test_the_limits_decide() -> None:
    strict = GateLimits(level_change_db=0.5)
    quieter = GOOD * 10 ** (-0.8 / 20)
    for limits, passes in ((GateLimits(), True), (strict, False)):
        judged = judge(reader(RAW), reader(quieter), len(RAW), RATE, (SPAN,), limits, len(quieter))
        assert {g.name: g.passed for g in judged}["speech level"] is passes
