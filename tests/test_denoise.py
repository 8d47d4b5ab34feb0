"""Cleaning a channel: length, lag, limit and level are kept, and silence stays silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from config.recipes import load_recipe, recipe_names
from core.errors import EngineError, UsageError
from models.card import ModelCard
from models.denoise import rnnoise
from models.denoise.clean import DenoiseOptions, active_level, clean_channel
from models.denoise.protocol import Denoiser, DenoiseStream, passed_through
from models.denoise.two_pass import TwoPasses

Floats = NDArray[np.float64]
CARD = ModelCard("test", "1", "numpy", "", "MIT", "", "")


@dataclass
class Scaling:
    """A stream that keeps what it gets until its end, and then gives it back at a level."""

    factor: float
    lost: int
    heard: list[NDArray[np.float32]]

    def push(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        self.heard.append(block)
        return block[:0]

    def finish(self) -> NDArray[np.float32]:
        sound = np.concatenate(self.heard) * np.float32(self.factor)
        return sound[: len(sound) - self.lost]


@dataclass
class Scaled:
    """An engine that gives back what it got, at a level, and keeps what it heard.

    lost: samples that it swallows.
    """

    factor: float
    card: ModelCard = CARD
    sample_rate: int = 48_000
    lost: int = 0
    passages: list[list[NDArray[np.float32]]] = field(default_factory=list)

    def stream(self) -> DenoiseStream:
        self.passages.append([])
        return Scaling(self.factor, self.lost, self.passages[-1])

    def denoise(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        return passed_through(self.stream(), sound)


def reader(sound: Floats) -> Callable[[int, int], Floats]:
    def read(start: int, n: int) -> Floats:
        out = np.zeros(n)
        first, last = max(start, 0), min(start + n, len(sound))
        if last > first:
            out[first - start : last - start] = sound[first:last]
        return out

    return read


def cleaned(sound: Floats, rate: int, engine: Denoiser, options: DenoiseOptions) -> Floats:
    return np.concatenate(
        [np.zeros(0), *clean_channel(reader(sound), len(sound), rate, engine, options)]
    )


def level_db(sound: Floats) -> float:
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-30))


def voice(seconds: float, rate: int = 48_000) -> Floats:
    """Half-second syllables of a buzzing 120 Hz voice with two formants, pauses between."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.zeros(len(time))
    for harmonic in range(1, 40):
        hz = 120.0 * harmonic
        gain = np.exp(-(((hz - 600) / 300) ** 2)) + 0.5 * np.exp(-(((hz - 1500) / 400) ** 2))
        vibrato = 0.02 * harmonic * np.sin(2 * np.pi * 5 * time)
        sound += (gain + 0.01) * np.sin(2 * np.pi * hz * time + vibrato)
    syllables = np.clip(np.sin(2 * np.pi * time), 0, None) ** 0.5
    return 0.05 * sound * syllables


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_a_limit_of_nothing_gives_the_original_bit_for_bit(rate: int) -> None:
    sound = np.random.default_rng(1).standard_normal(3 * rate + 17) * 0.1
    out = cleaned(sound, rate, Scaled(0.0), DenoiseOptions(limit_db=0))
    assert np.array_equal(out, sound)


@settings(max_examples=40, deadline=None)
@given(frames=st.integers(0, 5 * 8_000), rate=st.sampled_from([8_000, 11_025, 16_000]))
def test_the_length_is_kept_and_nothing_moves(frames: int, rate: int) -> None:
    sound = np.sin(np.arange(frames) * 0.3) * np.linspace(0.1, 0.2, frames)
    options = DenoiseOptions(limit_db=None)
    out = cleaned(sound, rate, Scaled(1.0, sample_rate=rate), options)
    assert len(out) == frames
    assert frames == 0 or np.max(np.abs(out - sound)) < 1e-6
    assert len(cleaned(sound, rate, Scaled(1.0), options)) == frames


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 96_000])
def test_another_sample_rate_goes_there_and_back_without_lag(rate: int) -> None:
    time = np.arange(8 * rate + 123) / rate
    sound = 0.1 * np.sin(2 * np.pi * (300 + 400 * time) * time) * np.hanning(len(time))
    out = cleaned(sound, rate, Scaled(1.0), DenoiseOptions(limit_db=None))
    assert level_db(out - sound) < level_db(sound) - 90


@pytest.mark.parametrize("limit", [6.0, 12.0, 24.0])
def test_nothing_is_attenuated_beyond_the_limit(limit: float) -> None:
    sound = np.random.default_rng(2).standard_normal(100_000) * 0.1
    out = cleaned(sound, 48_000, Scaled(0.0), DenoiseOptions(limit_db=limit))
    assert np.allclose(out, sound * 10 ** (-limit / 20), rtol=1e-12)


def test_sound_above_the_engines_band_stays_at_the_limit() -> None:
    time = np.arange(96_000 * 2) / 96_000
    ultrasonic = 0.1 * np.sin(2 * np.pi * 35_000 * time)
    out = cleaned(ultrasonic, 96_000, Scaled(1.0), DenoiseOptions(limit_db=12.0))
    middle = slice(10_000, -10_000)
    assert level_db(out[middle]) - level_db(ultrasonic[middle]) == pytest.approx(-12.0, abs=0.01)


def test_digital_silence_stays_digital_silence() -> None:
    engine = rnnoise.load()
    options = DenoiseOptions(limit_db=12.0)
    assert not np.any(cleaned(np.zeros(96_000), 48_000, engine, options))
    sound = np.random.default_rng(3).standard_normal(96_000) * 0.05
    sound[30_000:50_000] = 0.0
    sound[70_000] = 0.0
    out = cleaned(sound, 44_100, engine, options)
    assert not np.any(out[30_000:50_000])
    assert np.all(out[:30_000] != 0)
    assert out[70_000] != 0


def test_samples_that_are_no_numbers_do_not_spread() -> None:
    sound = np.random.default_rng(4).standard_normal(48_000) * 0.1
    sound[1000], sound[2000], sound[3000] = np.nan, np.inf, -np.inf
    for limit in (0.0, 12.0, None):
        out = cleaned(sound, 48_000, Scaled(0.5), DenoiseOptions(limit_db=limit))
        assert np.all(np.isfinite(out))
        assert np.max(np.abs(out)) < 1


def test_the_engine_hears_the_speech_at_its_level_and_the_output_does_not() -> None:
    engine = Scaled(1.0)
    for gain_db in (-40.0, -24.0, 0.0):
        sound = voice(6) * 10 ** (gain_db / 20)
        out = cleaned(sound, 48_000, engine, DenoiseOptions(limit_db=None))
        assert level_db(out - sound) < level_db(sound) - 100
    heard = [active_level(blocks, 48_000) for blocks in engine.passages]
    assert heard == pytest.approx([-26.0] * 3, abs=0.05)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_a_long_take_is_one_passage_in_short_blocks(rate: int) -> None:
    engine = Scaled(1.0)
    sound = np.tile(voice(2, rate), 10)
    options = DenoiseOptions(limit_db=None)
    out = cleaned(sound, rate, engine, options)
    assert len(engine.passages) == 1
    assert max(len(block) for block in engine.passages[0]) < 6.1 * 48_000
    assert sum(len(block) for block in engine.passages[0]) == pytest.approx(20 * 48_000, abs=160)
    assert level_db(out - sound) < level_db(sound) - 90


def test_blocks_come_alike_whatever_the_sound() -> None:
    engine = rnnoise.load()
    sounds = (np.zeros(700_001), np.random.default_rng(7).standard_normal(700_001) * 0.1)
    lengths = [
        [
            len(block)
            for block in clean_channel(reader(sound), 700_001, 44_100, engine, DenoiseOptions())
        ]
        for sound in sounds
    ]
    assert lengths[0] == lengths[1]
    assert len(lengths[0]) > 1


def test_an_engine_that_loses_samples_is_caught() -> None:
    with pytest.raises(EngineError, match="answered 48000 samples with 47999"):
        cleaned(voice(1), 48_000, Scaled(1.0, lost=1), DenoiseOptions())


def test_an_engine_that_answers_no_numbers_is_caught() -> None:
    with pytest.raises(EngineError, match="values that are no numbers"):
        cleaned(voice(1), 48_000, Scaled(float("nan")), DenoiseOptions())


def test_two_passes_take_half_of_the_limit_first_and_keep_the_length() -> None:
    sound = voice(3)
    options = DenoiseOptions(limit_db=12.0, two_pass=True)
    out = cleaned(sound, 48_000, Scaled(0.5), options)
    # The engine halves twice; 6 dB, or half of the sound, is all the first pass may take.
    half, quarter = 10 ** (-6 / 20), 10 ** (-12 / 20)
    first = half + (1 - half) * 0.5
    assert np.allclose(out, sound * (quarter + (1 - quarter) * 0.5 * first), atol=1e-7)


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, 6_000), max_size=6))
def test_the_second_pass_hears_the_first_in_step_for_any_blocks(cuts: list[int]) -> None:
    engine = rnnoise.load()
    sound = (np.random.default_rng(9).standard_normal(6_000) * 0.1).astype(np.float32)
    both = TwoPasses(engine.stream(), Scaled(1.0).stream(), None)
    parts = [both.push(block) for block in np.split(sound, sorted(cuts))]
    kept = 10 ** (-6 / 20)
    expected = kept * sound + (1 - kept) * engine.denoise(sound)
    assert np.allclose(np.concatenate([*parts, both.finish()]), expected, atol=1e-7)


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="0 to 120 dB"):
        DenoiseOptions(limit_db=-1)
    with pytest.raises(UsageError, match="0 to 120 dB"):
        DenoiseOptions(limit_db=121)


def test_the_active_level_is_that_of_the_speech_not_of_the_pauses() -> None:
    rate = 48_000
    burst = 0.1 * np.sqrt(2) * np.sin(2 * np.pi * 1000 * np.arange(4 * rate) / rate)
    sound = np.concatenate([burst, np.zeros(6 * rate)] * 2)
    # P.56 counts 200 ms of hangover after each burst of 4 s as active: 0.2 dB.
    assert active_level([sound], rate) == pytest.approx(-20 - 10 * np.log10(4.2 / 4), abs=0.1)
    noise = np.random.default_rng(5).standard_normal(len(sound)) * 0.1 * 10 ** (-8 / 20)
    assert active_level([sound + noise], rate) == pytest.approx(-20.2, abs=1.0)
    rumble = 0.3 * np.sin(2 * np.pi * 12 * np.arange(len(sound)) / rate)
    assert active_level([sound + rumble], rate) == pytest.approx(-20.2, abs=0.5)
    assert active_level([np.zeros(rate)], rate) == float("-inf")
    assert active_level([], rate) == float("-inf")


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 48_000), max_size=6))
def test_the_active_level_does_not_depend_on_the_blocks(cuts: list[int]) -> None:
    sound = voice(1)
    whole = active_level([sound], 48_000)
    assert active_level(np.split(sound, sorted(cuts)), 48_000) == pytest.approx(whole, abs=1e-9)


def test_the_stand_in_takes_noise_out_of_the_pauses_without_lag() -> None:
    engine = rnnoise.load()
    assert engine.card.stand_in
    assert len(engine.card.weights_sha256) == 64
    speech = voice(8)
    noisy = speech + np.random.default_rng(6).standard_normal(len(speech)) * 0.004
    out = cleaned(noisy, 48_000, engine, DenoiseOptions(limit_db=None))
    assert len(out) == len(noisy)
    pauses = speech == 0
    pauses[: 4 * 48_000] = False
    assert level_db(out[pauses]) < level_db(noisy[pauses]) - 12
    size = 1 << 20
    product = np.fft.rfft(out, size) * np.conj(np.fft.rfft(speech, size))
    # Within half a period of the voice: its 960 samples of delay would show as 160.
    near = np.roll(np.fft.irfft(product, size), 190)[:380]
    assert abs(int(np.argmax(near)) - 190) <= 2


@settings(max_examples=20, deadline=None)
@given(length=st.integers(0, 6_000), cuts=st.lists(st.integers(0, 6_000), max_size=6))
def test_the_stand_in_gives_the_same_for_any_blocks(length: int, cuts: list[int]) -> None:
    engine = rnnoise.load()
    sound = (np.random.default_rng(8).standard_normal(length) * 0.1).astype(np.float32)
    stream = engine.stream()
    parts = [stream.push(block) for block in np.split(sound, sorted(cuts))]
    out = np.concatenate([*parts, stream.finish()])
    assert out.shape == (length,)
    assert np.array_equal(out, engine.denoise(sound))


def test_the_stand_in_does_not_wrap_around_on_loud_sound() -> None:
    loud = voice(2).astype(np.float32)
    loud *= 1.6 / np.max(np.abs(loud))
    out = rnnoise.load().denoise(loud)
    both = np.abs(loud) > 0.8
    assert np.mean(np.sign(out[both]) == np.sign(loud[both])) > 0.95


def test_the_recipes_say_what_they_take() -> None:
    assert recipe_names() == ("bypass", "gentle", "rescue", "standard")
    limits = {name: load_recipe(name).limit_db for name in recipe_names()}
    assert limits == {"bypass": 0, "rescue": None, "gentle": 12, "standard": 26}
    assert load_recipe("standard").adaptive
    assert not load_recipe("rescue").adaptive
    assert not any(load_recipe(name).two_pass for name in recipe_names())
    assert load_recipe("standard").gentler == "gentle"
    for name in recipe_names():
        gentler = load_recipe(name).gentler
        assert gentler == "" or gentler in recipe_names()


def test_a_recipe_of_ones_own_is_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "harsh.toml"
    mine.write_text('limit_db = 20\ngentler = "standard"\n[gates]\nair_loss_db = 8\n')
    recipe = load_recipe(str(mine))
    assert (recipe.adaptive, recipe.two_pass) == (True, False)
    assert (recipe.name, recipe.limit_db, recipe.gentler) == ("harsh", 20.0, "standard")
    assert recipe.limits.air_loss_db == 8
    for text, fault in (
        ("limit = 3", "a key 'limit'"),
        ("limit_db = 'much'", "must be a number"),
        ("limit_db = 900", "must be a number"),
        ("[gates]\nair = 3", "a key 'air'"),
        ("name = 'mine'", "a key 'name'"),
        ("adaptive = 1", "true or false"),
        ("limit_db =", "can't be read"),
    ):
        mine.write_text(text)
        with pytest.raises(UsageError, match=fault):
            load_recipe(str(mine))
    with pytest.raises(UsageError, match="bypass, gentle, rescue, standard"):
        load_recipe("nothing")
