"""The gates on breaths, warble, loudness range and what is left: each fails on its own damage."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from models.gates_speech import k_weights
from models.quality import Gate, GateLimits, judge, regraded
from models.spectra import Read, frame_size

Floats = NDArray[np.float64]
RATE = 48_000
LIMITS = GateLimits()


def noise(level_db: float, seed: int, length: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(length) * 10 ** (level_db / 20)


def turns(seconds: float, spans: list[tuple[float, float]], levels_db: list[float]) -> Floats:
    """A made voice that speaks syllables of vowel and hiss in the spans, each at its own level."""
    time = np.arange(round(seconds * RATE)) / RATE
    vowel = sum(
        np.sin(2 * np.pi * 130 * k * time + 0.1 * k * np.sin(20 * time)) / k for k in range(1, 25)
    )
    sos = scipy.signal.butter(6, (4_500, 16_000), "bandpass", fs=RATE, output="sos")
    hiss = scipy.signal.sosfiltfilt(sos, noise(0, 1, len(time)))
    syllables = np.where((time * 4 % 1) < 0.7, 0.1 * np.asarray(vowel), 0.08 * hiss)
    spoken = np.zeros(len(time))
    for (start, end), level in zip(spans, levels_db, strict=True):
        turn = slice(round(start * RATE), round(end * RATE))
        spoken[turn] = syllables[turn] * 10 ** (level / 20)
    return spoken


def reader(sound: Floats) -> Read:
    def read(start: int, n: int) -> Floats:
        out = np.zeros(n)
        first, last = max(start, 0), min(start + n, len(sound))
        if last > first:
            out[first - start : last - start] = sound[first:last]
        return out

    return read


def gates(raw: Floats, clean: Floats, spans: list[tuple[float, float]]) -> dict[str, Gate]:
    speech = [(round(start * RATE), round(end * RATE)) for start, end in spans]
    judged = judge(reader(raw), reader(clean), len(raw), RATE, speech, LIMITS, len(clean))
    return {gate.name: gate for gate in judged}


def failing(judged: dict[str, Gate]) -> set[str]:
    return {name for name, gate in judged.items() if not gate.passed}


SPANS = [(1.0, 3.0), (4.0, 6.0)]
VOICE = turns(7.0, SPANS, [0, 0])
FLOOR = noise(-66, 2, len(VOICE))
RAW, GENTLE = VOICE + FLOOR, VOICE + 0.25 * FLOOR


def breaths() -> Floats:
    """Two breaths, a third of a second each, 26 dB above the noise in their band."""
    sound = np.zeros(len(VOICE))
    sos = scipy.signal.butter(4, (700, 6_000), "bandpass", fs=RATE, output="sos")
    for at in (3.4, 6.3):
        length = round(0.35 * RATE)
        breath = scipy.signal.sosfiltfilt(sos, noise(-42, int(at), length)) * np.hanning(length)
        sound[round(at * RATE) : round(at * RATE) + length] = breath
    return sound


def test_breaths_that_stay_pass_and_breaths_that_go_fail() -> None:
    breath = breaths()
    kept = gates(RAW + breath, GENTLE + 0.7 * breath, SPANS)
    assert failing(kept) == set()
    assert kept["breaths"].value == pytest.approx(3.1, abs=0.7)
    lost = gates(RAW + breath, GENTLE + 0.1 * breath, SPANS)
    assert failing(lost) == {"breaths"}
    assert lost["breaths"].value > 15


def test_noise_between_the_words_is_no_breath() -> None:
    assert gates(RAW, VOICE + 0.05 * FLOOR, SPANS)["breaths"].value == 0


@pytest.mark.parametrize("hertz", [4.0, 8.0, 14.0])
def test_a_gain_that_flutters_fails_as_warble(hertz: float) -> None:
    flutter = 1 + 0.45 * np.sin(2 * np.pi * hertz * np.arange(len(VOICE)) / RATE)
    judged = gates(RAW, GENTLE * flutter, SPANS)
    assert not judged["warble"].passed
    assert gates(RAW, GENTLE, SPANS)["warble"].value < 0.3


def test_a_slow_fade_is_no_warble() -> None:
    slow = 10 ** (0.9 * np.sin(2 * np.pi * 0.2 * np.arange(len(VOICE)) / RATE) / 20)
    assert gates(RAW, GENTLE * slow, SPANS)["warble"].value < 0.3


def test_levelled_speech_fails_as_a_change_of_the_loudness_range() -> None:
    spans = [(0.5, 6.5), (8.0, 14.0)]
    raw = turns(15.0, spans, [0.0, -10.0])
    floor = noise(-70, 3, len(raw))
    loud = slice(round(8.0 * RATE), round(14.0 * RATE))
    gentle = raw + 0.25 * floor
    assert gates(raw + floor, gentle, spans)["loudness range"].value == pytest.approx(0, abs=0.2)
    levelled = gentle.copy()
    levelled[loud] *= 10 ** (6 / 20)
    judged = gates(raw + floor, levelled, spans)["loudness range"]
    assert judged.value == pytest.approx(-6, abs=0.5)
    assert not judged.passed


def test_what_noise_is_left_is_told_and_holds_nothing_back() -> None:
    spans = [(1.0, 3.0)]
    tone = np.zeros(4 * RATE)
    time = np.arange(2 * RATE) / RATE
    tone[RATE : 3 * RATE] = 0.1 * np.sin(2 * np.pi * 1_000 * time)
    floor = noise(-60, 4, len(tone))
    judged = gates(tone + floor, tone + floor, spans)["noise left"]
    # A sine of 0.1 has -23.0 dB; white noise has 15.9 of its 24 kHz in the band.
    assert judged.value == pytest.approx(-60 + 10 * np.log10(15.9 / 24) + 23.0, abs=0.3)
    assert judged.passed


def test_every_sample_is_read_once_but_for_the_lag() -> None:
    asked = {"raw": 0, "clean": 0}

    def counted(sound: Floats, name: str) -> Read:
        plain = reader(sound)

        def read(start: int, n: int) -> Floats:
            asked[name] += n
            return plain(start, n)

        return read

    length = 60 * RATE
    raw = np.tile(RAW, 9)[:length]
    judge(counted(raw, "raw"), counted(raw, "clean"), length, RATE, [(0, length)], LIMITS, length)
    overlap = length // (250 * frame_size(RATE)) * frame_size(RATE)
    lag = 8 * 0.5 * RATE
    assert max(asked.values()) <= length + overlap + lag


def test_gates_measured_before_are_held_against_other_limits_without_the_sound() -> None:
    measured = tuple(gates(RAW, GENTLE * 10 ** (-0.8 / 20), SPANS).values())
    strict = {gate.name: gate for gate in regraded(measured, GateLimits(level_change_db=0.5))}
    assert not strict["speech level"].passed
    assert regraded(measured, LIMITS) == measured


def test_the_weighting_is_the_standards() -> None:
    """ITU-R BS.1770-5, annex 1, tables 1 and 2: the coefficients for 48 kHz."""
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285]
    below = [1.0, -1.69065929318241, 0.73248077421585]
    high = [1.0, -1.99004745483398, 0.99007225036621]
    hertz = np.array([100.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0])
    _, one = scipy.signal.freqz(shelf, below, hertz, fs=RATE)
    _, two = scipy.signal.freqz([1.0, -2.0, 1.0], high, hertz, fs=RATE)
    expected = 20 * np.log10(np.abs(one * two))
    weights = 10 * np.log10(k_weights(RATE, 24_001)[hertz.astype(int)])
    np.testing.assert_allclose(weights, expected, atol=0.1)
