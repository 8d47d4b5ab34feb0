"""Claps, tone, pops and digital silence are found where they are, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from synthetic_voice import placed, synthetic_voice

from models.events.scan import Scan, Scanner

RATE = 48_000


def scanned(sound: NDArray[np.float64], rate: int = RATE, block: int = 65_536) -> Scan:
    scanner = Scanner(rate)
    for start in range(0, len(sound), block):
        scanner.add(sound[start : start + block])
    return scanner.finish()


def room(
    seconds: float, level: float = 0.001, seed: int = 1, rate: int = RATE
) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(scale=level, size=round(seconds * rate))


def clap(rate: int = RATE, seed: int = 2, level: float = 0.5) -> NDArray[np.float64]:
    """A burst of noise that falls by 60 dB in 0.2 s, as a slate in a room does."""
    size = rate // 5
    noise = np.random.default_rng(seed).normal(size=size)
    return np.asarray(level * noise * 10 ** (-3 * np.arange(size) / size))


def sine(hz: float, seconds: float, level_db: float, rate: int = RATE) -> NDArray[np.float64]:
    time = np.arange(round(seconds * rate)) / rate
    return np.asarray(10 ** (level_db / 20) * np.sin(2 * np.pi * hz * time))


def mixed(sound: NDArray[np.float64], part: NDArray[np.float64], at: int) -> NDArray[np.float64]:
    sound = sound.copy()
    sound[at : at + len(part)] += part
    return sound


def voice(seconds: float, seed: int = 5) -> NDArray[np.float64]:
    """A made voice in a room, at 48 kHz."""
    spoken = placed(synthetic_voice(seconds - 1, 120.0), 0.5, seconds, -90.0)
    return (
        np.repeat(spoken, 3)[: round(seconds * RATE)] * 0.3
        + room(seconds, seed=seed)[: round(seconds * RATE)]
    )


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("at_s", [1.5, 19.999, 20.0, 37.123])
def test_a_clap_is_found_at_the_sample_it_sets_in(rate: int, at_s: float) -> None:
    at = round(at_s * rate)
    found = scanned(mixed(room(45, rate=rate), clap(rate), at), rate)
    (only,) = found.claps
    assert abs(only.start - at) <= rate // 4000
    assert only.strength > 0.8
    assert (found.tones, found.zeros) == ((), ())


def test_two_slates_are_two_claps() -> None:
    sound = mixed(mixed(room(10), clap(), 96_000), clap(seed=3), 240_000)
    assert [round(found.start / RATE, 2) for found in scanned(sound).claps] == [2.0, 5.0]


def test_a_soft_clap_beside_loud_speech_is_none() -> None:
    sound = voice(6)
    assert scanned(mixed(sound, clap(level=0.01), 144_000)).claps == ()


def test_clicks_doors_and_speech_are_no_claps() -> None:
    click = np.array([0.5, -0.6, 0.4, -0.2])
    size = RATE // 4
    low = np.sin(2 * np.pi * 90 * np.arange(size) / RATE)
    door = 0.5 * low * np.minimum(1, np.arange(size) / 480) * 10 ** (-2 * np.arange(size) / size)
    for part in (click, door):
        assert scanned(mixed(room(6), part, 144_000)).claps == ()
    assert scanned(voice(8)).claps == ()
    assert scanned(room(8, level=0.1)).claps == ()


@given(
    hz=st.floats(300, 10_000),
    start=st.integers(0, 30 * RATE),
    seconds=st.floats(0.8, 12),
    level_db=st.floats(-30, -3),
    block=st.integers(5_000, 200_000),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_line_up_tone_is_measured_wherever_it_lies(
    hz: float, start: int, seconds: float, level_db: float, block: int
) -> None:
    tone = sine(hz, seconds, level_db)
    found = scanned(mixed(room(45, 0.0002), tone, start), block=block)
    (only,) = found.tones
    assert not only.pop
    assert abs(only.start - start) <= RATE // 1000
    assert abs(only.end - start - len(tone)) <= RATE // 1000
    assert abs(only.hz - hz) <= 3
    assert abs(only.level_db - level_db) <= 0.7
    assert found.claps == ()


@pytest.mark.parametrize("fps", [24_000 / 1001, 25, 30, 60])
def test_a_pop_of_a_frame_is_found_to_the_sample(fps: float) -> None:
    pop = sine(1000, 1 / fps, -20)
    found = scanned(mixed(room(6, 0.0003), pop, 96_001))
    (only,) = found.tones
    assert only.pop
    assert abs(only.start - 96_001) <= 4
    assert abs(only.end - 96_001 - len(pop)) <= 4
    assert abs(only.hz - 1000) <= 10
    assert found.claps == ()


def test_a_beep_amid_other_sound_is_no_pop() -> None:
    assert scanned(mixed(room(6, 0.05), sine(1000, 0.04, -20), 96_000)).tones == ()


def test_a_glide_is_no_tone() -> None:
    time = np.arange(4 * RATE) / RATE
    glide = 0.2 * np.sin(2 * np.pi * (600 * time + 150 * time**2))
    assert scanned(mixed(room(8), glide, RATE)).tones == ()


@given(
    start=st.integers(1, 200_000),
    length=st.integers(20_000, 60_000),
    block=st.integers(1_000, 100_000),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_digital_silence_of_half_a_second_is_found_exactly(
    start: int, length: int, block: int
) -> None:
    sound = room(6)
    sound[start : start + length] = 0
    expected = ((start, start + length),) if length >= RATE // 2 else ()
    assert scanned(sound, block=block).zeros == expected


def test_a_dead_channel_is_one_silence() -> None:
    assert scanned(np.zeros(90_000)).zeros == ((0, 90_000),)
    assert scanned(np.zeros(0)).zeros == ()


def test_blocks_make_no_difference() -> None:
    sound = mixed(mixed(room(50), clap(), 70 * RATE // 3), sine(1000, 2, -20), 38 * RATE)
    once = scanned(sound, block=len(sound))
    assert once == scanned(sound, block=1_777) == scanned(sound, block=480_000)
    assert (len(once.claps), len(once.tones)) == (1, 1)


def test_memory_does_not_grow_with_length() -> None:
    scanner = Scanner(8_000)
    held = set()
    for _ in range(40):
        scanner.add(room(10, rate=8_000))
        held.add(len(scanner._held))
    assert max(held) <= 8_000 * 40


@pytest.mark.shared
def test_a_recorders_tone_is_found_in_every_file(shared: Path) -> None:
    bursts = {}
    for name in ("A101_2", "A101_3", "A101_4"):
        sound, rate = sf.read(shared / "recorders" / "sounddevices" / f"{name}.WAV")
        loud = np.abs(sound[:, 0]) > 0.05
        found = scanned(sound[:, 0], rate)
        assert found.claps == ()
        covered = np.zeros(len(loud), dtype=bool)
        for tone in found.tones:
            assert (abs(tone.hz - 1000) <= 3, abs(tone.level_db + 20) <= 0.3) == (True, True)
            covered[tone.start : tone.end] = True
        bursts[name] = len(found.tones)
        assert not np.any(loud & ~covered)
    assert bursts == {"A101_2": 3, "A101_3": 1, "A101_4": 2}


@pytest.mark.shared
def test_real_speech_and_noise_raise_no_alarm(shared: Path) -> None:
    files = [
        *sorted((shared / "speech" / "clean48").glob("*.wav")),
        shared / "speech" / "transcribed" / "jfk.flac",
        shared / "speech" / "noise48" / "demand_ch03.wav",
        *sorted((shared / "speech" / "diarized").glob("*.wav"))[:3],
        shared / "production" / "harbour" / "sound" / "14-T04.wav",
        shared / "production" / "harbour" / "sound" / "12A-T01.wav",
    ]
    for path in files:
        sound, rate = sf.read(path, always_2d=True)
        found = scanned(sound[:, min(1, sound.shape[1] - 1)], rate)
        assert (found.claps, found.tones) == ((), ()), path.name


@pytest.mark.shared
def test_slates_mixed_into_real_takes_are_found(harbour: Path) -> None:
    for number, path in enumerate(sorted((harbour / "sound").glob("*.wav"))):
        sound, rate = sf.read(path)
        boom = sound[:, 1]
        loudest = 10 ** (36 / 20) * float(np.sqrt(np.mean(boom[:60_000] ** 2)))
        slate = clap(seed=number)
        at = 20_000 + 3_011 * number
        (only,) = scanned(mixed(boom, slate * loudest / np.abs(slate).max(), at), rate).claps
        assert abs(only.start - at) <= 24, path.name
