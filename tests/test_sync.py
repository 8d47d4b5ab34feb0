"""A mixdown tells which events of a conform are out, by how much, and which are missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from production import BOOM_TRACK, CUT_START, LAV_TRACK, PER_FRAME, RATE, V1, Home, naive_track
from scipy.signal import butter, lfilter, resample_poly
from typer.testing import CliRunner

from adapters.media.write import WaveWriter
from cli.sync import command
from core.media import SoundNotes
from models.sync import ENVELOPE_HZ, SyncOptions, envelope, find, rough_offset, without

Samples = NDArray[np.float64]
REACH = 4800
OPTIONS = SyncOptions(window_s=REACH / RATE)


def voice(seconds: float, seed: int) -> Samples:
    """Something like speech: noise in a voice's spectrum, in syllables."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    numerator, denominator = butter(2, [150 / 24_000, 3500 / 24_000], "band")
    noise = lfilter(numerator, denominator, rng.normal(size=count))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(count) / RATE)
    return np.asarray(0.1 * noise * syllables**2 + 0.001 * rng.normal(size=count))


def music(count: int, seed: int) -> Samples:
    """Chords and drums."""
    rng = np.random.default_rng(seed)
    out = np.zeros(count)
    for start in range(0, count, RATE // 2):
        time = np.arange(min(RATE // 2, count - start)) / RATE
        for note in rng.integers(0, 30, size=3):
            base = 110 * 2 ** (note / 12)
            tones = [np.sin(2 * np.pi * base * k * time) / k for k in range(1, 10)]
            out[start : start + len(time)] += np.sum(tones, axis=0) * np.exp(-2 * time)
        out[start : start + len(time)] += 2 * rng.normal(size=len(time)) * np.exp(-40 * time)
    return out


def in_guide(sound: Samples, lag: int) -> Samples:
    """A guide that holds a sound so many samples late, and silence about it."""
    guide = np.zeros(len(sound) + 2 * REACH)
    guide[REACH + lag : REACH + lag + len(sound)] = sound
    return guide


@given(st.integers(-REACH, REACH), st.floats(-40, 20), st.booleans())
@example(lag=13, gain_db=0.0, turned=False)  # one sample beyond the tolerance
@example(lag=-13, gain_db=0.0, turned=True)
@settings(max_examples=15, deadline=None)
def test_any_lag_is_found_at_any_level_and_polarity(lag: int, gain_db: float, turned: bool) -> None:
    sound = voice(0.5, 1)
    factor = 10 ** (gain_db / 20) * (-1 if turned else 1)
    match = find(sound, in_guide(factor * sound, lag), RATE, OPTIONS)
    assert match.lag == pytest.approx(lag, abs=0.1)
    assert match.inverted is turned
    assert match.confidence > 0.9


def test_a_lag_between_samples_is_told_to_a_tenth() -> None:
    fine = resample_poly(voice(0.5, 2), 4, 1)
    sound, late = fine[::4], np.roll(fine, 3)[::4]
    assert find(sound, in_guide(late, 37), RATE, OPTIONS).lag == pytest.approx(37.75, abs=0.1)


def test_music_as_loud_and_an_equaliser_hide_nothing() -> None:
    sound = voice(2.0, 3)
    numerator, denominator = butter(1, 3000 / 24_000)
    guide = in_guide(lfilter(numerator, denominator, sound), -250)
    score = music(len(guide), 4)
    guide += score * np.sqrt(np.mean(sound**2) / np.mean(score**2))
    match = find(sound, guide, RATE, OPTIONS)
    # A filter of first order delays by 1 / (2 π 3000 Hz), 2.5 samples, at low frequencies.
    assert match.lag == pytest.approx(-250, abs=3)
    assert match.sharpness > 2 * OPTIONS.least_sharpness


@pytest.mark.parametrize("other", [voice(1.2, 6), music(57_600, 7), np.zeros(57_600)])
def test_what_is_not_there_is_not_found(other: Samples) -> None:
    sound = voice(1.0, 5)
    match = find(sound, other, RATE, OPTIONS)
    assert match.sharpness < OPTIONS.least_sharpness


def test_a_filtered_sound_is_taken_out_and_the_rest_stays() -> None:
    mine, other = voice(2.0, 8), voice(2.0, 9)
    echoes = 0.8 * other + 0.4 * np.concatenate([np.zeros(96), other[:-96]])
    rest = without(mine + echoes, other)
    inside = slice(RATE // 4, -RATE // 4)
    error = np.mean((rest - mine)[inside] ** 2) / np.mean(echoes[inside] ** 2)
    assert 10 * np.log10(error) < -12


def test_a_guide_that_starts_elsewhere_is_found_by_its_level() -> None:
    rng = np.random.default_rng(10)
    pieces = [voice(rng.uniform(0.4, 1.5), 20 + k) for k in range(20)]
    gaps = [np.zeros(int(rng.uniform(0.2, 2) * RATE)) for _ in pieces]
    sound = np.concatenate([part for pair in zip(pieces, gaps, strict=True) for part in pair])
    guide = np.concatenate([np.zeros(8 * RATE), 0.2 * sound])
    steps, sharpness = rough_offset(envelope(sound, RATE), envelope(guide, RATE))
    assert steps == pytest.approx(8 * ENVELOPE_HZ, abs=1)
    assert sharpness > 8


def run(home: Home, *words: str | Path) -> tuple[int, Any]:
    """`roomtone sync` with JSON, in this process."""
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, [*map(str, words), "--json"], env=dict(home.variables))
    assert done.exit_code in (0, 7), (done.output, done.exception)
    return done.exit_code, json.loads(done.stdout)


def verdicts(told: Any) -> dict[str, tuple[str, float]]:
    """What came of the events that are not in sync, with the samples that they are out."""
    return {
        event["event_id"]: (event["verdict"], event["samples"])
        for event in told["events"]
        if event["verdict"] != "in sync"
    }


QUIET = {"A2 LAV/002": ("not judged", 0.0)}
"""Of the small production: where this microphone is heard its owner does not speak yet."""


def film_guide(film: Path) -> NDArray[np.int64]:
    """The first cut of the small production, mixed by hand."""
    return naive_track(film, V1, BOOM_TRACK) + naive_track(film, V1, LAV_TRACK)


def test_a_mixdown_of_the_cut_is_in_sync(film: Path, tmp_path: Path) -> None:
    guide = tmp_path / "guide.wav"
    notes = SoundNotes(time_reference=CUT_START * PER_FRAME - 500)
    with WaveWriter(guide, RATE, 1, "PCM_24", notes) as writer:
        writer.write(np.concatenate([np.zeros(500, np.int64), film_guide(film)]))
    home = Home(tmp_path / "home")
    code, told = run(home, film / "v1.otio", "--guide", guide)
    assert (code, told["in_sync"], verdicts(told)) == (0, True, QUIET)
    assert (told["placed"], told["offset"]) == ("time reference", pytest.approx(0, abs=0.1))
    assert len(told["events"]) == len(V1)


def test_a_mixdown_that_lies_elsewhere_as_a_whole_is_said_first(film: Path, tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(1234), film_guide(film) / 2**23 / 4])
    sf.write(tmp_path / "guide.wav", np.stack([late, late], axis=1), RATE, subtype="PCM_24")
    home = Home(tmp_path / "home")
    code, told = run(home, film / "v1.otio", "--guide", tmp_path / "guide.wav")
    # Nothing says where the guide starts, so where it does is no fault.
    assert (code, told["placed"]) == (0, "start of the cut")
    assert told["offset"] == pytest.approx(1234, abs=0.1)
    assert verdicts(told) == QUIET


def harbour_guide(harbour: Path) -> Samples:
    """The production tracks of the shared cut's truth, mixed; two events are altered.

    The third of the boom is 37 samples late, the seventh is missing.
    """
    boom, lav = (
        sf.read(harbour / "truth" / f"cut_v1.{track}.prod.flac")[0]
        for track in ("A1_DX", "A2_DX_LAV")
    )
    known = json.loads((harbour / "truth" / "cut_v1.json").read_text())["events"]
    events = [item for item in known if item["track"] == "A1 DX"]
    slipped, missing = (
        slice(item["record_start_sample"], item["record_end_sample"])
        for item in (events[2], events[6])
    )
    moved = boom[slipped].copy()
    boom[slipped] = 0
    boom[slipped.start + 37 : slipped.stop + 37] += moved
    boom[missing] = 0
    return np.asarray(boom + lav)


@pytest.mark.shared
def test_a_real_production_is_in_sync_with_its_truth(harbour: Path, tmp_path: Path) -> None:
    tracks = [
        sf.read(harbour / "truth" / f"cut_v1.{track}.prod.flac")[0]
        for track in ("A1_DX", "A2_DX_LAV")
    ]
    sf.write(tmp_path / "guide.wav", sum(tracks) / 2, RATE, subtype="PCM_24")
    words = (harbour / "cuts" / "cut_v1.otio", "--media", harbour / "sound")
    code, told = run(Home(tmp_path / "home"), *words, "--guide", tmp_path / "guide.wav")
    assert (code, verdicts(told), len(told["events"])) == (0, {}, len(tracks) * 5)


@pytest.mark.shared
@pytest.mark.parametrize("disguised", [False, True])
def test_just_the_slipped_and_the_missing_event_are_found(
    harbour: Path, tmp_path: Path, disguised: bool
) -> None:
    mix, rate = harbour_guide(harbour), RATE
    if disguised:
        # As a mixdown comes: music as loud as the voices, 16 bit, stereo, 44.1 kHz.
        score = music(len(mix), 11)
        voices = mix[np.abs(mix) > 0.003]
        mix = mix + score * np.sqrt(np.mean(voices**2) / np.mean(score**2))
        mix, rate = resample_poly(mix, 147, 160), 44_100
    sound = np.stack([mix, 0.7 * mix], axis=1) / 2
    sf.write(tmp_path / "guide.wav", sound, rate, subtype="PCM_16" if disguised else "PCM_24")
    words = (harbour / "cuts" / "cut_v1.otio", "--media", harbour / "sound")
    code, told = run(Home(tmp_path / "home"), *words, "--guide", tmp_path / "guide.wav")
    assert code == 7
    assert verdicts(told) == {
        "A1 DX/003": ("out", pytest.approx(37, abs=0.2)),
        "A1 DX/007": ("absent", 0.0),
    }
