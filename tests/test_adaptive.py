"""The adaptive limit: deep in noise, shallow where sound belongs, never beyond what was asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from test_denoise import Scaled, cleaned, level_db, reader, voice

from adapters.media.decode import Sound
from config.recipes import load_recipe
from models.denoise import dfn3_stream
from models.denoise.adaptive import AHEAD, BATCH, AdaptiveLimit, NoiseFloor, bands_of
from models.denoise.clean import DenoiseOptions, clean_channel, clean_group
from models.denoise.dfn3_stream import DeepFilterNet3

Floats = NDArray[np.float64]

RATE = 48_000
ADAPTIVE = DenoiseOptions(limit_db=26.0, adaptive=True)


def limited(raw: Floats, wet: Floats, limit_db: float = 26.0, rate: int = RATE) -> Floats:
    """One channel, X and Y, through a new limit."""
    limit = AdaptiveLimit(rate, 1, limit_db)
    return np.concatenate([limit.push(raw[:, None], wet[:, None]), limit.finish()])[:, 0]


def noise(seconds: float, seed: int = 1, slope: float = 0.0, rate: int = RATE) -> Floats:
    """Noise with a mean square of 0.01 whose amplitude falls with frequency to the `slope`."""
    frames = round(seconds * rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(frames))
    spectrum /= np.maximum(np.fft.rfftfreq(frames, 1 / rate), 100) ** slope
    sound = np.fft.irfft(spectrum, frames)
    return np.asarray(0.1 * sound / np.std(sound))


def octave(sound: Floats, hz: float, rate: int = RATE) -> float:
    """Level of an octave around `hz` in dB."""
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate)
    inside = (frequencies >= hz / 2**0.5) & (frequencies < hz * 2**0.5)
    return float(10 * np.log10(np.sum(np.square(np.abs(np.fft.rfft(sound)[inside]))) + 1e-30))


def slam(gain: float) -> Floats:
    """A door: a short burst and the ring of its panel and frame."""
    time = np.arange(round(0.8 * RATE)) / RATE
    sound = np.random.default_rng(2).standard_normal(len(time)) * np.exp(-time / 0.03)
    for hz, seconds, part in ((72, 0.15, 2), (118, 0.12, 1.5), (205, 0.08, 1), (610, 0.04, 0.5)):
        sound += part * np.exp(-time / seconds) * np.sin(2 * np.pi * hz * time)
    sound *= np.minimum(1, time / 0.002)
    return np.asarray(gain * sound / np.max(np.abs(sound)))


def step(gain: float) -> Floats:
    """A footstep on a hard floor."""
    time = np.arange(round(0.3 * RATE)) / RATE
    sound = np.random.default_rng(3).standard_normal(len(time)) * np.exp(-time / 0.012)
    for hz, seconds, part in ((95, 0.03, 1.5), (180, 0.025, 1), (420, 0.02, 0.6)):
        sound += part * np.exp(-time / seconds) * np.sin(2 * np.pi * hz * time)
    sound *= np.minimum(1, time / 0.002)
    return np.asarray(gain * sound / np.max(np.abs(sound)))


@settings(max_examples=12, deadline=None)
@given(length=st.integers(0, 5 * 8_000), cuts=st.lists(st.integers(0, 40_000), max_size=6))
def test_the_blocks_change_no_sample(length: int, cuts: list[int]) -> None:
    both = noise(10, rate=8_000)[: 2 * length].reshape(2, length)
    whole = limited(both[0], 0.3 * both[1], rate=8_000)
    limit = AdaptiveLimit(8_000, 1, 26.0)
    at = sorted(cuts)
    parts = [
        limit.push(raw[:, None], 0.3 * wet[:, None])
        for raw, wet in zip(np.split(both[0], at), np.split(both[1], at), strict=True)
    ]
    out = np.concatenate([*parts, limit.finish()])[:, 0]
    assert out.shape == (length,)
    assert np.array_equal(out, whole)


@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100, 48_000, 96_000])
def test_what_the_engine_keeps_whole_stays_whole_at_any_rate(rate: int) -> None:
    sound = noise(3.3, rate=rate)
    out = limited(sound, sound, rate=rate)
    assert len(out) == len(sound)
    assert np.max(np.abs(out - sound)) < 1e-6


@pytest.mark.parametrize("limit_db", [6.0, 12.0, 26.0])
def test_no_octave_of_the_noise_is_taken_deeper_than_the_limit(limit_db: float) -> None:
    sound = noise(10, slope=0.7)
    out = limited(sound, np.zeros_like(sound), limit_db)
    taken = [octave(sound, hz) - octave(out, hz) for hz in (63, 250, 1000, 4000, 16_000)]
    assert max(taken) <= limit_db + 0.01
    assert min(taken) >= 0.15 * limit_db - 0.5
    assert level_db(sound) - level_db(out) > 0.5 * limit_db


def test_strong_noise_goes_deeper_than_weak_so_that_the_rest_is_more_even() -> None:
    sound = noise(10, slope=0.5)
    out = limited(sound, np.zeros_like(sound))
    before = octave(sound, 500) - octave(sound, 8000)
    after = octave(out, 500) - octave(out, 8000)
    assert after < before - 4


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_the_depth_is_the_same_at_every_rate(rate: int) -> None:
    usual, other = noise(8, slope=0.5), noise(8, slope=0.5, rate=rate)
    out, same = limited(other, 0 * other, rate=rate), limited(usual, 0 * usual)
    for hz in (250, 1000, 4000, 12_000):
        taken = octave(other, hz, rate) - octave(out, hz, rate)
        assert taken == pytest.approx(octave(usual, hz) - octave(same, hz), abs=0.7)


def test_above_the_engines_band_the_gain_of_the_highest_band_holds() -> None:
    sound = noise(8, slope=0.5, rate=96_000)
    out = cleaned(sound, 96_000, Scaled(0.0), ADAPTIVE)
    frequencies = np.fft.rfftfreq(len(sound), 1 / 96_000)
    power = [np.square(np.abs(np.fft.rfft(part))) for part in (sound, out)]

    def taken(low: float, high: float) -> float:
        inside = (frequencies > low) & (frequencies < high)
        return float(10 * np.log10(power[0][inside].sum() / power[1][inside].sum()))

    assert 3 < taken(30_000, 45_000) < 26
    assert taken(30_000, 45_000) == pytest.approx(taken(19_300, 19_900), abs=0.3)


def test_a_slam_and_steps_that_the_engine_took_come_back_and_the_noise_does_not() -> None:
    sound = noise(12, slope=0.5) * 0.1
    effects = np.zeros_like(sound)
    places = [(3.0, slam(0.5)), (5.0, step(0.3)), (5.6, step(0.3)), (8.0, slam(0.4))]
    for at, effect in places:
        effects[round(at * RATE) : round(at * RATE) + len(effect)] += effect
    out = limited(sound + effects, np.zeros_like(sound))
    for at, effect in places:
        span = slice(round(at * RATE), round(at * RATE) + len(effect))
        survived = 20 * np.log10(np.dot(out[span], effect) / np.dot(effect, effect))
        assert survived == pytest.approx(0.0, abs=2.0)
    pause = slice(10 * RATE, 12 * RATE)
    assert level_db(out[pause]) < level_db(sound[pause]) - 15


def test_noise_that_swells_like_traffic_is_no_burst() -> None:
    time = np.arange(20 * RATE) / RATE
    sound = noise(20, slope=0.7) * 10 ** (6 * np.sin(2 * np.pi * 0.1 * time) / 20)
    out = limited(sound, np.zeros_like(sound))
    halves = [
        level_db(sound[span]) - level_db(out[span])
        for span in (slice(480_000), slice(480_000, None))
    ]
    assert min(halves) > 15


def test_sibilants_that_the_engine_cut_come_back_while_it_hears_speech_there() -> None:
    hiss = np.zeros(8 * RATE)
    spoken = noise(0.2, seed=5) - np.roll(noise(0.2, seed=5), 1)
    for second in range(2, 8):
        hiss[second * RATE : second * RATE + len(spoken)] = spoken
    room = noise(8, slope=0.5) * 0.05
    out = limited(hiss + room, 0.4 * hiss)
    said = slice(2 * RATE, 2 * RATE + len(spoken))
    assert octave(0.4 * hiss[said], 8000) == pytest.approx(octave(hiss[said], 8000) - 8, abs=0.1)
    assert octave(out[said], 8000) > octave(hiss[said], 8000) - 3.0


def test_the_room_does_not_pump_with_the_words() -> None:
    words = voice(12)
    room = noise(12, slope=0.5) * 0.03
    out = limited(words + room, words)
    left = out - words
    low = [
        octave(left[at : at + 9_600], 250) - octave(room[at : at + 9_600], 250)
        for at in range(2 * RATE, 11 * RATE, 9_600)
    ]
    assert np.ptp(low) < 1.5
    assert np.mean(low) < -15


def test_a_burst_is_not_taken_for_the_room() -> None:
    floor = NoiseFloor(1)
    raw = np.ones((600, 1), np.float32)
    raw[400:420] = 1000.0
    found = floor.after(raw, np.zeros_like(raw))
    assert found[399, 0] == pytest.approx(1.0, abs=1e-3)
    assert found[419, 0] < 2.0
    assert found[599, 0] == pytest.approx(1.0, abs=0.2)


def test_bands_share_out_every_bin_once() -> None:
    for rate in (8_000, 44_100, 48_000, 96_000):
        bands = bands_of(rate)
        assert np.allclose(bands.spread.sum(0), 1, atol=1e-6)
        assert np.allclose(bands.mean.sum(0), 1, atol=1e-6)
        assert bands.centres[-1] < 20_000
        assert np.all(np.diff(bands.centres) > 0)


def test_only_some_seconds_wait_inside() -> None:
    limit = AdaptiveLimit(RATE, 1, 26.0)
    block = noise(1)[:, None]
    given_out = sum(len(limit.push(block, block)) for _ in range(20))
    assert 20 * RATE - given_out <= (2 * BATCH + 1) * RATE // 100
    assert AHEAD < BATCH - 20


def test_a_group_of_one_is_a_channel() -> None:
    sound = noise(5) + voice(5)
    read = reader(sound)
    for options in (ADAPTIVE, DenoiseOptions(limit_db=12.0), DenoiseOptions(limit_db=None)):
        one = np.concatenate(list(clean_channel(read, len(sound), RATE, Scaled(0.3), options)))
        group = np.concatenate(list(clean_group((read,), len(sound), RATE, Scaled(0.3), options)))
        assert np.array_equal(group[:, 0], one)


@pytest.mark.parametrize("options", [ADAPTIVE, DenoiseOptions(limit_db=12.0)])
def test_the_image_of_a_group_does_not_move(options: DenoiseOptions) -> None:
    words, room = voice(6), noise(6, seed=7) * 0.2
    left, right = words + room, 0.25 * words - 0.25 * room
    pair = (reader(left), reader(right), reader(-0.25 * left))
    out = np.concatenate(list(clean_group(pair, len(left), RATE, Scaled(0.2), options)))
    assert out.shape == (len(left), 3)
    # A channel that is another at a level stays just that.
    assert np.max(np.abs(out[:, 2] + 0.25 * out[:, 0])) < 1e-5
    assert level_db(out[:, 0]) < level_db(left) - 6
    width = level_db(left) - level_db(right)
    assert level_db(out[:, 0]) - level_db(out[:, 1]) == pytest.approx(width, abs=0.5)


def test_groups_of_any_size_come_in_the_same_blocks() -> None:
    sound = noise(12)
    lengths = set()
    for options in (ADAPTIVE, DenoiseOptions(limit_db=None), DenoiseOptions(limit_db=0)):
        for rate in (44_100, 48_000):
            for reads in ((reader(sound),), (reader(sound), reader(0.5 * sound))):
                blocks = clean_group(reads, len(sound), rate, Scaled(0.5), options)
                lengths.add(tuple(len(block) for block in blocks))
    assert len(lengths) == 1
    assert sum(lengths.pop()) == len(sound)


def test_a_group_at_no_limit_and_in_silence_is_left_alone() -> None:
    sound = noise(2)
    sound[30_000:50_000] = 0.0
    pair = (reader(sound), reader(-sound))
    nothing = DenoiseOptions(limit_db=0, adaptive=True)
    out = np.concatenate(list(clean_group(pair, len(sound), RATE, Scaled(0.1), nothing)))
    assert np.array_equal(out, np.stack([sound, -sound], axis=1))
    out = np.concatenate(list(clean_group(pair, len(sound), RATE, Scaled(0.1), ADAPTIVE)))
    assert not np.any(out[30_000:50_000])
    assert np.all(np.isfinite(out))


@pytest.fixture(scope="module")
def engine(shared: Path) -> DeepFilterNet3:
    return dfn3_stream.load(shared / "weights" / "deepfilternet3", "")


def standard() -> DenoiseOptions:
    recipe = load_recipe("standard")
    return DenoiseOptions(recipe.limit_db, recipe.target_level_dbfs, recipe.adaptive)


@pytest.mark.shared
def test_a_slam_and_steps_in_a_take_survive_the_standard_recipe(
    harbour: Path, engine: DeepFilterNet3
) -> None:
    with Sound(harbour / "sound" / "14-T02.wav") as sound:
        take = sound.read(0, 12 * RATE, [1])[:, 0]
    with Sound(harbour / "truth" / "14-T02.boom-clean.flac") as sound:
        clean = sound.read(0, 12 * RATE, [0])[:, 0]
    peak = float(np.max(np.abs(take)))
    effects = np.zeros_like(take)
    places = [(3.1, slam(1.6 * peak)), (5.0, step(0.5 * peak)), (9.3, slam(1.2 * peak))]
    for at, effect in places:
        effects[round(at * RATE) : round(at * RATE) + len(effect)] += effect
    before = cleaned(take, RATE, engine, standard())
    after = cleaned(take + effects, RATE, engine, standard())
    for at, effect in places:
        span = slice(round(at * RATE), round(at * RATE) + len(effect))
        survived = np.dot((after - before)[span], effect) / np.dot(effect, effect)
        assert 20 * np.log10(survived) == pytest.approx(0.0, abs=2.0)
    pauses = np.convolve(np.abs(clean), np.ones(4_800) / 4_800, "same") < 3e-4 * np.max(clean)
    assert np.sum(pauses) > RATE
    assert level_db(before[pauses]) < level_db(take[pauses]) - 10


@pytest.mark.shared
@pytest.mark.parametrize("peak_dbfs", [-6, -46])
def test_clean_speech_keeps_its_level_and_spectrum(
    shared: Path, engine: DeepFilterNet3, peak_dbfs: int
) -> None:
    with Sound(sorted((shared / "speech" / "clean48").glob("*.wav"))[0]) as file:
        sound = file.read(0, file.frames, [0])[:, 0]
    sound *= 10 ** (peak_dbfs / 20) / np.max(np.abs(sound))
    out = cleaned(sound, RATE, engine, standard())
    assert level_db(out) == pytest.approx(level_db(sound), abs=0.5)
    for hz in (63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000):
        assert octave(out, hz) == pytest.approx(octave(sound, hz), abs=0.5)


@pytest.mark.shared
def test_babble_does_not_come_back_as_an_effect(shared: Path, engine: DeepFilterNet3) -> None:
    clips = []
    for path in sorted((shared / "speech" / "clean48").glob("*.wav")):
        with Sound(path) as file:
            clips.append(file.read(0, file.frames, [0])[:, 0])
    frames = 10 * RATE
    crowd = sum(
        np.resize(np.roll(clip / np.std(clip), 7_919 * turn)[::-1], frames)
        for turn, clip in enumerate(clips * 3)
    )
    words = np.resize(clips[0] / np.std(clips[0]), frames)
    words[5 * RATE :] = 0.0
    take = 0.05 * (words + 0.3 * crowd / np.std(crowd))
    out = cleaned(take, RATE, engine, standard())
    pause = slice(6 * RATE, 10 * RATE)
    assert level_db(out[pause]) < level_db(take[pause]) - 10
