"""Room tone is harvested from noise alone, and what is made of it matches and never loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt, welch

from models.noise_only import HarvestOptions, nearest, noise_only
from models.octaves import frame_size, octaves
from models.roomtone import Grains, Tone, grains_of

RATE = 48_000
OCTAVES = [31.25 * 2**n for n in range(10)]
OPTIONS = HarvestOptions()


def air(seconds: float, seed: int, rate: int = RATE, channels: int = 1) -> NDArray[np.float64]:
    """Noise as of a quiet room: falling by about 3 dB an octave, -45 dBFS."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((round(seconds * rate), channels))
    dark = sosfilt(butter(1, 300, fs=rate, output="sos"), white, axis=0)
    sound = dark + 0.05 * white
    return np.asarray(sound / np.std(sound) * 10 ** (-45 / 20), np.float64)


def octave_levels(sound: NDArray[np.float64], rate: int = RATE) -> NDArray[np.float64]:
    """dB in the octaves from 31.25 Hz on, by scipy's Welch."""
    hertz, density = welch(sound, rate, nperseg=min(len(sound), rate // 4), detrend=False)
    edges = [(hz / 2**0.5, hz * 2**0.5) for hz in OCTAVES]
    return np.array(
        [10 * np.log10(density[(hertz >= a) & (hertz < b)].sum()) for a, b in edges]
    ) + 10 * np.log10(hertz[1])


def tone_of(sound: NDArray[np.float64], seed: int = 7, rate: int = RATE) -> Tone:
    grains = grains_of([sound], rate)
    assert grains is not None
    return Tone(grains, grains.level, rate, seed)


@pytest.fixture(scope="module")
def minute() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Three seconds of noise, and a minute of tone made of them."""
    noise = air(3, 1)
    return noise, tone_of(noise).read(0, 60 * RATE)


def test_what_is_no_noise_is_left_out() -> None:
    sound = air(12, 2)
    rng = np.random.default_rng(3)
    breath = sosfilt(butter(2, (800, 6000), "band", fs=RATE, output="sos"), rng.normal(size=14_400))
    events = {"breath": 2.0, "click": 4.0, "step": 6.0, "silence": 8.0, "speech": 10.0}
    ends = {"breath": 0.3, "click": 0.001, "step": 0.08, "silence": 0.5, "speech": 0.7}
    at = {name: round(second * RATE) for name, second in events.items()}
    sound[at["breath"] : at["breath"] + 14_400, 0] += breath * 0.01 / np.std(breath)
    sound[at["click"] : at["click"] + 5, 0] += 0.08
    t = np.arange(round(0.15 * RATE)) / RATE
    sound[at["step"] : at["step"] + len(t), 0] += (
        0.1 * np.exp(-t / 0.03) * np.sin(2 * np.pi * 250 * t)
    )
    sound[at["silence"] : at["silence"] + RATE // 2] = 0
    spoken = [(at["speech"], at["speech"] + round(0.7 * RATE))]
    found = noise_only(sound, RATE, spoken, OPTIONS)
    kept = np.zeros(len(sound), dtype=bool)
    for start, end in found:
        kept[start:end] = True
    for name, start in at.items():
        part = kept[start : start + max(240, round(ends[name] * RATE * 0.7))]
        assert not part.any(), name
    assert not kept[spoken[0][0] - round(0.06 * RATE) : spoken[0][1] + round(0.2 * RATE)].any()
    assert kept.mean() > 0.6


def test_silence_and_talk_without_a_pause_give_nothing() -> None:
    assert noise_only(np.zeros((RATE, 1)), RATE, [], OPTIONS) == ()
    assert noise_only(air(2, 4), RATE, [(0, 2 * RATE)], OPTIONS) == ()
    assert noise_only(air(0.01, 4), RATE, [], OPTIONS) == ()
    assert grains_of([np.zeros((RATE, 1))], RATE) is None
    assert grains_of([], RATE) is None


def test_the_tone_keeps_level_and_spectrum_at_every_moment(
    minute: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    noise, tone = minute
    wanted = octave_levels(noise[:, 0])
    power = np.square(noise).mean()
    for start in range(0, 59 * RATE, RATE // 2):
        part = tone[start : start + RATE, 0]
        assert abs(10 * np.log10(np.square(part).mean() / power)) < 1.0
        # In a second, the octaves from 125 Hz on; noise in narrower ones is not so even.
        assert np.abs(octave_levels(part) - wanted)[2:].max() < 1.5
    for start in range(0, 52 * RATE, 4 * RATE):
        part = tone[start : start + 8 * RATE, 0]
        assert np.abs(octave_levels(part) - wanted).max() < 1.5


def repeats(sound: NDArray[np.float64]) -> float:
    """The highest peak of the autocorrelation past 100 ms, its spectrum flattened first."""
    size = 2 * len(sound)
    power = np.square(np.abs(np.fft.rfft(sound, size)))
    flat = power / np.maximum(uniform_filter1d(power, 4001), 1e-12)
    found = np.fft.irfft(flat, size)[: len(sound)]
    return float(np.abs(found[RATE // 10 :]).max() / found[0])


def test_a_minute_of_tone_has_no_loop(
    minute: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    noise, tone = minute
    looped = np.tile(noise[:, 0], 20)
    assert repeats(looped) > 0.5
    # A minute of independent noise reaches 0.003 to 0.005.
    assert repeats(tone[:, 0]) < 0.01


def test_no_stretch_of_the_harvest_is_played(
    minute: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    noise, tone = minute
    piece = noise[RATE : RATE + RATE // 4, 0]
    size = 2**22
    against = np.fft.irfft(np.fft.rfft(tone[:, 0], size) * np.conj(np.fft.rfft(piece, size)), size)
    power = np.sqrt(np.square(piece).sum() * np.square(tone).mean() * len(piece))
    assert np.abs(against).max() / power < 0.6


@pytest.fixture(scope="module")
def small() -> tuple[Tone, NDArray[np.float64]]:
    tone = tone_of(air(0.5, 5, 8000), rate=8000)
    return tone, tone.read(0, 20_000)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 20_000), st.integers(0, 9000))
def test_the_tone_is_the_same_in_any_blocks(
    small: tuple[Tone, NDArray[np.float64]], first: int, count: int
) -> None:
    tone, whole = small
    count = min(count, 20_000 - first)
    np.testing.assert_array_equal(tone.read(first, count), whole[first : first + count])


def test_a_seed_names_a_tone() -> None:
    noise = air(1, 6)
    one, same, other = (tone_of(noise, seed).read(RATE, RATE)[:, 0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_channels_keep_what_they_have_in_common() -> None:
    both, apart = air(5, 7), air(5, 8, channels=2)
    noise = both + 0.5 * apart
    noise[:, 1] *= 0.5
    tone = tone_of(noise).read(0, 20 * RATE)
    wanted = np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]
    assert np.corrcoef(tone[:, 0], tone[:, 1])[0, 1] == pytest.approx(wanted, abs=0.05)
    levels = [20 * np.log10(np.std(sound, axis=0)) for sound in (noise, tone)]
    np.testing.assert_allclose(levels[1], levels[0], atol=0.5)


def test_hum_stays_what_and_where_it_is() -> None:
    t = np.arange(4 * RATE) / RATE
    noise = air(4, 9)[:, 0] + 0.005 * np.sin(2 * np.pi * 120 * t)
    tone = tone_of(noise[:, None]).read(0, 20 * RATE)[:, 0]
    levels = []
    for sound in (noise, tone):
        hertz, power = welch(sound, RATE, nperseg=RATE // 2, scaling="density")
        near = (hertz > 110) & (hertz < 130)
        assert hertz[near][np.argmax(power[near])] == pytest.approx(120, abs=2)
        levels.append(10 * np.log10(power[near].sum()))
    assert levels[1] == pytest.approx(levels[0], abs=1.0)


def test_another_texture_is_held_to_the_level_that_is_asked_for() -> None:
    wild, take = air(4, 10) * 4, air(2, 11)
    grains, level = grains_of([wild], RATE), tone_of(take).grains.level
    assert isinstance(grains, Grains)
    tone = Tone(grains, level, RATE, 3).read(0, 8 * RATE)
    # Two seconds tell too little of the lowest octave.
    got, wanted = octave_levels(tone[:, 0]), octave_levels(take[:, 0])
    np.testing.assert_allclose(got[1:], wanted[1:], atol=1.5)


def test_the_noise_nearest_to_a_place_is_taken() -> None:
    stretches = [(0, 100), (400, 500), (900, 1000)]
    assert nearest(stretches, 480, 100) == ((400, 500),)
    assert nearest(stretches, 600, 150) == ((50, 100), (400, 500)) or nearest(
        stretches, 600, 150
    ) == ((400, 500), (900, 950))
    assert nearest(stretches, 90, 40) == ((60, 100),)
    assert nearest(stretches, 890, 40) == ((900, 940),)
    assert nearest([], 5, 10) == ()


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000, 88_200, 96_000])
def test_octaves_cover_every_bin_once_at_any_rate(rate: int) -> None:
    size = frame_size(rate)
    bands = octaves(size, rate)
    assert [n for band in bands for n in range(band.start, band.stop)] == list(range(size // 2 + 1))
    assert 0.2 < size / rate < 0.5
    noise = air(2, 12, rate)
    tone = tone_of(noise, rate=rate).read(0, 4 * rate)
    assert 20 * np.log10(np.std(tone) / np.std(noise)) == pytest.approx(0, abs=0.3)
