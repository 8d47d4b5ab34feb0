"""Stretching keeps pitch, length and place, and is one linear process for raw and cleaned."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from models.stretch import Read, StretchPlan, plan_stretch, stretched

RATE = 48_000


def reader(sound: NDArray[np.float64]) -> Read:
    def read(start: int, count: int) -> NDArray[np.float64]:
        index = np.arange(start, start + count)
        inside = (index >= 0) & (index < len(sound))
        return np.where(inside[:, None], sound[np.clip(index, 0, len(sound) - 1)], 0.0)

    return read


def laid(sound: NDArray[np.float64], plan: StretchPlan) -> NDArray[np.float64]:
    return np.concatenate(list(stretched(reader(sound), plan, sound.shape[1])))


def planned(sound: NDArray[np.float64], speed: Fraction) -> StretchPlan:
    return plan_stretch(reader(sound), len(sound), RATE, speed)


def voice(seconds: float, pitch: float = 140.0) -> NDArray[np.float64]:
    """Pulses of a glottis at a steady pitch through one formant, from the formula."""
    t = np.arange(round(seconds * RATE)) / RATE
    phase = t * pitch % 1.0 / pitch
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)
    return (swell * np.exp(-120 * phase) * np.sin(2 * np.pi * 700 * phase))[:, None]


@pytest.mark.parametrize(
    "speed", [Fraction(24, 25), Fraction(25, 24), Fraction(3, 2), Fraction(1, 2)]
)
def test_the_pitch_stays(speed: Fraction) -> None:
    sound = voice(3.0)
    made = laid(sound, planned(sound, speed))[:, 0]
    middle = made[len(made) // 2 - RATE // 2 : len(made) // 2 + RATE // 2]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 4 * len(middle)))
    around = slice(4 * 100, 4 * 200)
    found = (100 * 4 + int(np.argmax(spectrum[around]))) / 4
    assert found == pytest.approx(140.0, abs=1.0)


@pytest.mark.parametrize("frames", [1, 1142, 1143, 48_001, 100_000])
@pytest.mark.parametrize("speed", [Fraction(1001, 1000), Fraction(7, 5), Fraction(1, 3)])
def test_the_length_is_exact(frames: int, speed: Fraction) -> None:
    sound = np.random.default_rng(1).standard_normal((frames, 1))
    made = laid(sound, planned(sound, speed))
    # Halves up, on whole numbers.
    length = (2 * frames * speed.denominator + speed.numerator) // (2 * speed.numerator)
    assert made.shape == (length, 1)


@pytest.mark.parametrize("speed", [Fraction(4, 5), Fraction(5, 4)])
def test_what_happens_at_a_time_happens_at_that_time_over_the_speed(speed: Fraction) -> None:
    sound = np.zeros((4 * RATE, 1))
    bursts = np.arange(RATE // 2, 4 * RATE - RATE // 2, RATE // 2)
    noise = 0.3 * np.random.default_rng(2).standard_normal(480)
    for at in bursts:
        sound[at - 240 : at + 240, 0] = noise
    made = laid(sound, planned(sound, speed))[:, 0]
    for at in bursts:
        due = round(at / speed)
        window = np.abs(made[due - 2400 : due + 2400]) ** 2
        centre = np.average(np.arange(-2400, 2400), weights=window)
        # Segments move by 12 ms at most.
        assert abs(centre) < 0.013 * RATE
        assert window.sum() > 0.5 * np.sum(noise**2)


def test_at_its_own_speed_a_sound_stays_as_it_is() -> None:
    sound = np.random.default_rng(3).uniform(-1, 1, (50_000, 2))
    np.testing.assert_allclose(laid(sound, planned(sound, Fraction(1))), sound, atol=1e-12)


def test_one_plan_makes_a_linear_process() -> None:
    rng = np.random.default_rng(4)
    raw = voice(2.0) + 0.05 * rng.standard_normal((2 * RATE, 1))
    clean = 0.7 * raw + 0.01 * rng.standard_normal(raw.shape)
    plan = planned(raw, Fraction(24, 25))
    removed = laid(raw, plan) - laid(clean, plan)
    np.testing.assert_allclose(removed, laid(raw - clean, plan), atol=1e-12)


def test_blocks_leave_no_trace() -> None:
    sound = voice(8.0)
    plan = planned(sound, Fraction(9, 10))
    blocks = list(stretched(reader(sound), plan, 1))
    assert len(blocks) > 2
    window = np.sin(np.pi * (np.arange(2 * plan.hop) + 0.5) / (2 * plan.hop)) ** 2
    wanted = np.zeros(len(plan.centres) * plan.hop + plan.hop)
    read = reader(sound)
    for k, centre in enumerate(plan.centres):
        at = (k - 1) * plan.hop
        part = read(int(centre) - plan.hop, 2 * plan.hop)[:, 0] * window
        wanted[max(at, 0) : at + 2 * plan.hop] += part[max(-at, 0) :]
    np.testing.assert_allclose(np.concatenate(blocks)[:, 0], wanted[: plan.frames], atol=1e-12)


def test_silence_stays_silent() -> None:
    sound = np.zeros((RATE, 1))
    assert not laid(sound, planned(sound, Fraction(2, 3))).any()
