"""Microphones: delays to a tenth of a sample, polarity, what a sum loses, and fair proposals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from production import BOOM_TRACK, LAV_TRACK, RATE, STEP, Home, Play, write_otio
from synthetic_voice import synthetic_voice
from typer.testing import CliRunner

from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from cli import microphones as cli_microphones
from config.settings import load_settings
from core.media import MediaFile, SoundNotes
from flows.microphones import check_microphones, microphones
from flows.mono_sum import as_json, cut_microphones, take_json
from flows.progress import Silent
from flows.turnover import read_turnover
from flows.workspace import Workspace, open_workspace
from models.alignment import Alignment, align, delayed
from models.microphones import Kind, Microphone, Quality, c50, choose, hear_line, noise_of
from models.mono_sum import mono_sum, notch_hz

Samples = NDArray[np.float64]
PAUSE = RATE
VOICE_S = 4


def reader(sound: Samples) -> Callable[[int, int], Samples]:
    def read(start: int, frames: int) -> Samples:
        out = np.zeros(frames)
        low, high = max(start, 0), min(start + frames, len(sound))
        if low < high:
            out[low - start : high - start] = sound[low:high]
        return out

    return read


def voice(seconds: float = VOICE_S, pitch: float = 120.0) -> Samples:
    """A voice at 48 kHz between a second of silence before and after it."""
    sound = soxr.resample(synthetic_voice(seconds, pitch).astype(np.float64), 16_000, RATE)
    return np.pad(sound, PAUSE)


def shifted(sound: Samples, delay: float) -> Samples:
    """A sound `delay` samples later, by the phase of its spectrum."""
    size = 2 * len(sound)
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size * delay)
    return np.fft.irfft(np.fft.rfft(sound, size) * turn, size)[: len(sound)]


def noisy(sound: Samples, snr_db: float, seed: int) -> Samples:
    """White noise of its own under a sound, so far below the voice's mean power."""
    spoken = sound[PAUSE:-PAUSE]
    level = np.sqrt(np.mean(spoken**2)) * 10 ** (-snr_db / 20)
    return sound + np.random.default_rng(seed).normal(size=len(sound)) * level


def found(first: Samples, second: Samples) -> Alignment | None:
    lines = [(PAUSE, len(first) - PAUSE)]
    pauses = [(0, PAUSE - 4800), (len(first) - PAUSE + 4800, len(first))]
    return align(reader(first), reader(second), lines, pauses, RATE)


@pytest.mark.parametrize("delay", [0.0, 0.5, 37.3, -211.8, 1234.56])
def test_a_delay_is_found_to_a_tenth_of_a_sample_at_20_db(delay: float) -> None:
    sound = voice()
    got = found(noisy(sound, 20, 1), noisy(shifted(sound, delay), 20, 2))
    assert got is not None
    assert abs(got.delay - delay) <= 0.1
    assert not got.inverted


@pytest.mark.parametrize("delay", [0.25, -64.4, 700.7])
def test_a_delay_is_found_to_a_sample_at_5_db(delay: float) -> None:
    sound = voice()
    got = found(noisy(sound, 5, 3), noisy(-shifted(sound, delay), 5, 4))
    assert got is not None
    assert abs(got.delay - delay) <= 1.0
    assert got.inverted


def test_the_room_that_both_hear_does_not_decide() -> None:
    """Noise of one source reaches the second microphone 300 samples after the voice does."""
    sound = voice()
    traffic = np.random.default_rng(5).normal(size=len(sound))
    traffic *= np.std(sound[PAUSE:-PAUSE]) * 10 ** (-3 / 20)
    got = found(sound + traffic, shifted(sound, 12.5) + shifted(traffic, 312.5))
    assert got is not None
    assert abs(got.delay - 12.5) <= 1.0


def test_two_rooms_have_nothing_to_do_with_each_other() -> None:
    first = noisy(voice(pitch=120.0), 20, 6)
    rng = np.random.default_rng(7)
    assert found(first, 0.1 * rng.normal(size=len(first))) is None
    assert found(first, np.zeros(len(first))) is None
    assert found(np.zeros(len(first)), np.zeros(len(first))) is None


def test_a_drifting_clock_is_said_and_a_steady_one_is_not() -> None:
    sound = np.concatenate([voice(3.0, pitch) for pitch in (110, 130, 150, 120, 140, 160)])
    starts = [number * 5 * RATE + PAUSE for number in range(6)]
    lines = [(start, start + 3 * RATE) for start in starts]
    pauses = [(start - 40_000, start - 5_000) for start in starts]
    at = np.arange(len(sound)) / 1.00005
    fast = np.interp(at, np.arange(len(sound)), shifted(sound, 20.0))
    steady = align(
        reader(noisy(sound, 30, 8)), reader(noisy(shifted(sound, 20), 30, 9)), lines, pauses, RATE
    )
    drifting = align(reader(noisy(sound, 30, 8)), reader(noisy(fast, 30, 9)), lines, pauses, RATE)
    assert steady is not None
    assert steady.drift_ppm == 0.0
    assert steady.spread < 0.2
    assert drifting is not None
    assert abs(drifting.drift_ppm - 50) < 3
    # Fifty millionths over the 25 s between the middles of the first line and the last.
    assert abs(drifting.spread - 60) < 3


@settings(max_examples=25, deadline=None)
@given(
    delay=st.integers(-500, 500),
    start=st.integers(-600, 2000),
    frames=st.integers(1, 700),
)
def test_whole_samples_are_moved_bit_for_bit(delay: int, start: int, frames: int) -> None:
    sound = np.random.default_rng(10).normal(size=1500)
    got = delayed(reader(sound), float(delay))(start, frames)
    np.testing.assert_array_equal(got, reader(sound)(start - delay, frames))


@pytest.mark.parametrize("delay", [0.5, -3.3, 47.01])
def test_parts_of_a_sample_are_moved_as_theory_has_it(delay: float) -> None:
    rng = np.random.default_rng(11)
    spectrum = np.zeros(4001, np.complex128)
    inside = slice(20, 3600)  # up to 0.9 of half the sample rate
    spectrum[inside] = rng.normal(size=3580) + 1j * rng.normal(size=3580)
    sound = np.pad(np.fft.irfft(spectrum), 2000)
    got, due = delayed(reader(sound), delay)(0, len(sound)), shifted(sound, delay)
    middle = slice(3000, -3000)
    error = np.sqrt(np.mean((got - due)[middle] ** 2) / np.mean(due[middle] ** 2))
    assert 20 * np.log10(error) < -60
    parts = [delayed(reader(sound), delay)(at, 777) for at in range(0, len(sound), 777)]
    np.testing.assert_array_equal(np.concatenate(parts)[: len(sound)], got)


def test_a_comb_has_its_first_notch_at_half_a_period() -> None:
    assert notch_hz(0.001, inverted=False) == pytest.approx(500)
    assert notch_hz(-0.002, inverted=False) == pytest.approx(250)
    assert notch_hz(0.00001, inverted=False) is None
    assert notch_hz(0.001, inverted=True) == 0.0


def test_a_sum_loses_what_a_comb_takes() -> None:
    """The mean of |1 + e^jx|² is 2 against 4 in step: 3.01 dB; an octave in phase, 6 dB there."""
    noise = np.random.default_rng(12).normal(size=4 * RATE)
    late = shifted(noise, 48.0)
    lost = mono_sum(reader(noise), reader(late), 0, 3 * RATE, RATE, 48.0, inverted=False)
    assert lost.level_db == pytest.approx(-3.01, abs=0.15)
    assert lost.notch_hz == pytest.approx(500)
    # About 500 Hz the third from 446 to 561 keeps the mean of cos² of π f/1000 there: 1.3 %.
    assert lost.worst_hz == pytest.approx(500, rel=0.13)
    assert lost.worst_db < -14
    whole = mono_sum(reader(noise), reader(noise), 0, 3 * RATE, RATE, 0.0, inverted=False)
    assert whole.level_db == pytest.approx(0.0, abs=1e-9)
    gone = mono_sum(reader(noise), reader(-0.99 * noise), 0, 3 * RATE, RATE, 0.0, inverted=True)
    assert gone.level_db == pytest.approx(20 * np.log10(0.01 / 1.99), abs=0.1)


GOOD = Quality(25.0, 12_000.0, 15.0, 0.0, 0, -20.0, 0.0)
LAV = Microphone(1, "REN", Kind.LAV, "REN")
BOOM = Microphone(0, "BOOM", Kind.BOOM)


@pytest.mark.parametrize(
    ("spoiled", "word"),
    [
        (replace(GOOD, snr_db=15.0), "15"),
        (replace(GOOD, bandwidth_hz=4_000.0), "4.0"),
        (replace(GOOD, c50_db=2.0), "C50"),
        (replace(GOOD, rustle=0.2), "rustles in 20 %"),
        (replace(GOOD, clipped=40), "clips"),
        (replace(GOOD, bleed_db=0.0, overlap=0.5), "other voices"),
    ],
)
def test_what_spoils_a_microphone_loses_it_the_line_and_is_the_reason(
    spoiled: Quality, word: str
) -> None:
    other = replace(LAV, channel=2, name="PLANT", kind=Kind.OTHER)
    for order in ([(LAV, spoiled), (other, GOOD)], [(other, GOOD), (LAV, spoiled)]):
        chosen = choose(order)
        assert chosen.channel == 2
        assert word in chosen.reason
        assert chosen.margin_db > 0


def test_of_equals_the_boom_is_proposed() -> None:
    assert choose([(LAV, GOOD), (BOOM, GOOD)]).channel == BOOM.channel
    assert choose([(LAV, GOOD)]).reason == "the only microphone"


def heard(sound: Samples, reference: Samples | None = None) -> Quality:
    pauses = [(0, PAUSE - 4800)]
    noise = noise_of(reader(sound), pauses, RATE)
    other = None
    if reference is not None:
        other = (reader(reference), noise_of(reader(reference), pauses, RATE))
    line = (PAUSE, len(sound) - PAUSE)
    return hear_line(reader(sound), line, noise, RATE, None, other, -99.0, 0.0)


@pytest.mark.parametrize("snr_db", [5.0, 15.0, 30.0])
def test_the_voice_is_measured_over_the_noise(snr_db: float) -> None:
    """White noise has 7850 of 24000 Hz in the band; the made voice all of its power."""
    got = heard(noisy(voice(), snr_db, 13))
    assert got.snr_db == pytest.approx(snr_db + 10 * np.log10(24_000 / 7_850), abs=1.5)


def test_cloth_that_the_boom_does_not_hear_is_rustle() -> None:
    sound = voice()
    boom, lav = noisy(0.5 * sound, 20, 14), noisy(sound, 25, 15)
    rustling = lav.copy()
    rng = np.random.default_rng(16)
    for start in range(PAUSE + 4_000, PAUSE + VOICE_S * RATE, RATE // 2):
        rustling[start : start + 7_200] += 0.6 * np.std(sound) * rng.normal(size=7_200) * 4
    assert heard(lav, boom).rustle < 0.02
    # 150 ms in every half second; frames of 43 ms reach over the ends of a burst.
    assert 0.15 < heard(rustling, boom).rustle < 0.45


def test_a_room_is_heard_as_less_clarity() -> None:
    """Rooms whose early energy (50 ms) over late is known from the impulse response itself."""
    sound = voice()
    rng = np.random.default_rng(17)
    time = np.arange(int(0.6 * RATE)) / RATE
    tail = rng.normal(size=len(time)) * 10 ** (-3 * time / 0.5) * (time > 0.004)
    early, late = (np.sum(part**2) for part in np.split(tail, [int(0.05 * RATE)]))
    quiet = noise_of(reader(1e-5 * rng.normal(size=RATE)), [(0, RATE)], RATE)
    read = []
    for due in (15.0, 10.0, 6.0):
        ratio = 10 ** (due / 10)
        room = tail * np.sqrt(1 / (ratio * late - early))
        room[0] = 1.0
        size = len(sound) + len(room)
        wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)
        got = c50(wet + 1e-5 * rng.normal(size=size), RATE, quiet)
        assert got is not None
        assert abs(got - due) < 7
        read.append(got)
    dry = c50(sound + 1e-5 * rng.normal(size=len(sound)), RATE, quiet)
    assert dry is not None
    assert dry > read[0] > read[1] > read[2]


def test_names_tell_booms_and_lavs_from_what_is_no_microphone() -> None:
    names = ("MIX", "BOOM", "STELLA", "Lav 1", "TC", "", "Boom 2", "MixL")
    media = MediaFile(
        Path("a.wav"),
        "WAV",
        "PCM_24",
        RATE,
        8,
        1,
        1,
        0,
        SoundNotes(track_names=tuple(enumerate(names))),
    )
    got = [(mic.channel, mic.kind, mic.owner) for mic in microphones(media)]
    assert got == [
        (1, Kind.BOOM, ""),
        (2, Kind.LAV, "STELLA"),
        (3, Kind.OTHER, ""),
        (5, Kind.OTHER, ""),
        (6, Kind.BOOM, ""),
    ]


def spoiled_film(film: Path, folder: Path, delay: float) -> Path:
    """The first take of the production, REN's microphone late and turned, with a cut of it."""
    (folder / "sound").mkdir(parents=True)
    original = film / "sound" / "1-T01.wav"
    sound = sf.read(original)[0]
    sound[:, 1] = -shifted(sound[:, 1], delay)
    with WaveWriter(
        folder / "sound" / "1-T01.wav", RATE, 3, "PCM_24", probe(original).notes
    ) as writer:
        writer.write(np.rint(sound / STEP).astype(np.int64))
    plays = (
        Play(BOOM_TRACK, "1-T01", 6, 6, 90),
        Play(LAV_TRACK, "1-T01", 10, 10, 60, channel=1),
        Play(LAV_TRACK, "1-T01", 110, 10, 30, channel=2),
    )
    return write_otio(folder / "cut.otio", plays)


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    overrides = {"home": tmp_path / "home", "denoiser": "rnnoise", "recogniser": "none"}
    with open_workspace(load_settings(overrides, tmp_path)[0]) as opened:
        yield opened


def test_a_take_is_reported_with_delay_and_polarity(
    film: Path, tmp_path: Path, work: Workspace
) -> None:
    cut = spoiled_film(film, tmp_path / "film", 40.4)
    take = cut.parent / "sound" / "1-T01.wav"
    (got,) = check_microphones(work, [take], Silent())
    by_name = {one.microphone.name: one for one in got.microphones}
    assert got.reference == 0
    assert by_name["BOOM"].alignment is None
    ren, mara = by_name["REN"].alignment, by_name["MARA"].alignment
    assert ren is not None
    assert ren.delay == pytest.approx(40.4, abs=0.1)
    assert ren.inverted
    assert mara is not None
    assert mara.delay == pytest.approx(0.0, abs=0.1)
    assert not mara.inverted
    assert [(line.speaker, got.name_of(line.channel)) for line in got.lines] == [
        ("REN", "REN"),
        ("MARA", "MARA"),
    ]
    assert got.notes == ("1-T01.wav: the polarity of REN is turned against BOOM.",)
    told = take_json(got)
    json.dumps(told, allow_nan=False)
    assert told["microphones"][1]["alignment"]["delay_ms"] == pytest.approx(40.4 / 48, abs=0.003)
    # Remembered: the same answer without the sound.
    assert check_microphones(work, [take], Silent()) == (got,)


def test_two_microphones_at_once_are_said_with_their_events(
    film: Path, tmp_path: Path, work: Workspace
) -> None:
    cut = spoiled_film(film, tmp_path / "film", 40.4)
    turnover = read_turnover(work, cut, (cut.parent,), Silent())
    got = cut_microphones(work, turnover, {}, Silent())
    (pair,) = got.doubled
    assert set(pair.events) == {f"{BOOM_TRACK}/001", f"{LAV_TRACK}/001"}
    assert pair.record == ("01:00:00:10", "01:00:02:22")
    assert pair.sum is not None
    assert pair.sum.inverted
    assert abs(pair.sum.delay) == pytest.approx(40.4, abs=0.1)
    assert pair.audible
    assert pair.sentence in got.notes
    for word in (*pair.events, "0.84 ms", "polarity turned", "01:00:00:10"):
        assert word in pair.sentence
    json.dumps(as_json(got), allow_nan=False)


def test_microphones_in_step_need_no_warning(film: Path, work: Workspace, tmp_path: Path) -> None:
    plays = (
        Play(BOOM_TRACK, "1-T01", 6, 6, 90),
        Play(LAV_TRACK, "1-T01", 10, 10, 60, channel=1),
        # The same voice two seconds on is another clip, and no comb.
        Play(LAV_TRACK, "1-T01", 80, 32, 30, channel=1),
    )
    cut = write_otio(tmp_path / "cut.otio", plays)
    turnover = read_turnover(work, cut, (film,), Silent())
    got = cut_microphones(work, turnover, {}, Silent())
    assert [item.audible for item in got.doubled] == [False]
    assert got.notes == ()


def test_a_clip_that_was_slipped_combs_however_well_the_take_is_aligned(
    film: Path, work: Workspace, tmp_path: Path
) -> None:
    """A frame of slip is 2002 samples: the first notch lies at 48000 / 4004 Hz."""
    plays = (
        Play(BOOM_TRACK, "1-T01", 6, 6, 90),
        Play(LAV_TRACK, "1-T01", 11, 10, 60, channel=1),
    )
    cut = write_otio(tmp_path / "cut.otio", plays)
    turnover = read_turnover(work, cut, (film,), Silent())
    (pair,) = cut_microphones(work, turnover, {}, Silent()).doubled
    assert pair.sum is not None
    assert abs(pair.sum.delay) == pytest.approx(2002, abs=0.1)
    assert pair.sum.notch_hz == pytest.approx(48_000 / 4004, rel=1e-3)


def test_the_command_prints_a_table_and_json(film: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(cli_microphones.command)
    home = Home(tmp_path / "home")
    take = str(film / "sound" / "1-T01.wav")
    told = CliRunner().invoke(app, [take], env=home.variables)
    assert told.exit_code == 0
    for word in ("1-T01.wav", "BOOM", "reference", "MARA", "same"):
        assert word in told.output
    machine = CliRunner().invoke(app, [take, "--json"], env=home.variables)
    assert json.loads(machine.output)["microphones"][2]["name"] == "MARA"
    missing = CliRunner().invoke(app, [str(tmp_path / "no.wav")], env=home.variables)
    assert "does not exist" in str(missing.exception)


def cross_correlated(first: Samples, second: Samples) -> float:
    """The delay by plain cross-correlation of the waveforms, with a parabola through its top."""
    size = 1 << (2 * len(first)).bit_length()
    curve = np.fft.irfft(
        np.fft.rfft(np.diff(second), size) * np.conj(np.fft.rfft(np.diff(first), size)), size
    )
    around = np.concatenate([curve[-480:], curve[:481]])
    best = int(np.argmax(around))
    before, at, after = around[best - 1 : best + 2]
    return best - 480 + 0.5 * (before - after) / (before - 2 * at + after)


@pytest.mark.shared
def test_harbour_agrees_with_a_plain_correlation_of_its_clean_sound(
    harbour: Path, work: Workspace
) -> None:
    truth = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    for name in ("12A-T03", "27B-T01"):
        (got,) = check_microphones(work, [harbour / "sound" / f"{name}.wav"], Silent())
        sound = sf.read(harbour / "sound" / f"{name}.wav")[0]
        clean = sf.read(harbour / "truth" / f"{name}.boom-clean.flac")[0]
        for one in got.microphones[1:]:
            channel = one.microphone.channel
            due = np.median(
                [
                    cross_correlated(
                        clean[turn["start"] : turn["end"]],
                        sound[turn["start"] : turn["end"], channel],
                    )
                    for turn in truth[name]["turns"]
                    if turn["speaker"] == one.microphone.owner
                ]
            )
            assert one.alignment is not None
            assert one.alignment.delay == pytest.approx(float(due), abs=0.1)
            assert not one.alignment.inverted
