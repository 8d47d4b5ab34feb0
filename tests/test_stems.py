"""Stems of any cut null, fit and start where they say: rates, speeds, what passes through, pops."""

from __future__ import annotations

import functools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray
from turnovers import STEP, event, media_of, stems_of, turnover_of
from wavinfo import WavInfoReader

from adapters.media.decode import OpenSounds
from adapters.media.write import WaveWriter
from core.cut import Cut, GainPoint
from core.errors import InputError
from core.media import SoundNotes
from core.reels import Leader, laid_out, leader_of, with_hour_start
from core.time import RATES, timecode_to_frames
from flows import stems
from flows.turnover import Turnover
from models.stretch import Read, plan_stretch, stretched


def noise(seed: int, seconds: float, rate: int, channels: int = 1) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    sound = rng.uniform(-0.2, 0.2, (round(seconds * rate), channels))
    return np.asarray(np.rint(sound / STEP) * STEP)


def pulses(rate: int, seconds: int) -> NDArray[np.float64]:
    """A smooth pulse of 2 ms at every whole second but the first sample's."""
    t = np.arange(seconds * rate) / rate
    near = t - np.maximum(np.round(t), 1)
    return (0.5 * np.exp(-((near / 0.001) ** 2)))[:, None]


def centre(sound: NDArray[np.int64], near: int, reach: int) -> float:
    part = sound[near - reach : near + reach, 0].astype(np.float64)
    return near - reach + float(np.average(np.arange(2 * reach), weights=np.abs(part)))


def assert_identities(found: dict[str, NDArray[np.int64]], inside: slice = slice(None)) -> None:
    tracks = [label.removesuffix(".NR") for label in found if label.endswith(".NR")]
    total = np.zeros_like(found["DX"])
    for track in tracks:
        dialogue = found[f"{track}.DX"]
        removed = found[f"{track}.PROD"] - dialogue
        np.testing.assert_array_equal(found[f"{track}.NR"][inside], removed[inside])
        total += dialogue
    np.testing.assert_array_equal(found["DX"][inside], total[inside])
    people = [grid for label, grid in found.items() if label.startswith("CHAR.")]
    if people:
        split = found["OTHER"] + sum(people)
        np.testing.assert_array_equal(split[inside], found["DX"][inside])


def mixed_rates(folder: Path) -> Turnover:
    """One cut of 25 frames with sources of three rates, each playing its second of a pulse."""
    tracks = []
    for number, rate in enumerate((44_100, 48_000, 96_000)):
        media = media_of(folder, f"take{rate}", pulses(rate, 5), rate)
        name = f"A1/{number + 1:03d}"
        tracks.append((event(name, 25 * number, 25), media, round(1.5 * rate), (0,)))
    return turnover_of({"A1": tracks})


@pytest.mark.parametrize("rate", [44_100, 48_000, 88_200, 96_000])
def test_sources_of_mixed_rates_null_and_lie_on_their_samples(tmp_path: Path, rate: int) -> None:
    rendered, found = stems_of(mixed_rates(tmp_path), tmp_path, sample_rate=rate)
    assert (rendered.sample_rate, rendered.start) == (rate, 3600 * rate)
    assert_identities(found)
    for second in range(3):
        # Each event starts half a second before the pulse at 2 s of its file.
        due = round((second + 0.5) * rate)
        assert centre(found["A1.PROD"], due, rate // 100) == pytest.approx(due, abs=0.02)
    for stem in rendered.stems:
        info = sf.info(stem.path)
        assert (info.samplerate, info.frames) == (rate, 3 * rate)
        assert WavInfoReader(str(stem.path)).bext.time_reference == 3600 * rate


@pytest.mark.parametrize(
    ("source_rate", "rate"), [(48_000, 48_000), (44_100, 48_000), (48_000, 96_000)]
)
def test_a_constant_speed_moves_every_sample_to_its_place(
    tmp_path: Path, source_rate: int, rate: int
) -> None:
    speed = Fraction(25, 24)
    media = media_of(tmp_path, "take", pulses(source_rate, 8), source_rate)
    item = event("A1/001", 0, 100, speed=speed)
    turnover = turnover_of({"A1": [(item, media, source_rate // 2, (0,))]})
    _, found = stems_of(turnover, tmp_path, sample_rate=rate)
    for second in range(1, 5):
        due = float((second - Fraction(1, 2)) * rate / speed)
        assert centre(found["A1.PROD"], round(due), rate // 100) == pytest.approx(due, abs=0.05)
    assert_identities(found)


def test_a_pitch_follows_the_speed_unless_it_is_to_stay(tmp_path: Path) -> None:
    t = np.arange(6 * 48_000) / 48_000
    media = media_of(tmp_path, "tone", 0.3 * np.sin(2 * np.pi * 500 * t)[:, None], 48_000)
    speed = Fraction(6, 5)
    item = event("A1/001", 0, 50, speed=speed)
    kept = event("A2/001", 0, 50, speed=speed, keeps_pitch=True)
    turnover = turnover_of({"A1": [(item, media, 0, (0,))], "A2": [(kept, media, 0, (0,))]})
    _, found = stems_of(turnover, tmp_path)
    assert_identities(found)
    for track, hertz in (("A1", 600), ("A2", 500)):
        middle = found[f"{track}.PROD"][24_000:72_000, 0]
        assert int(np.argmax(np.abs(np.fft.rfft(middle * np.hanning(48_000))))) == hertz


@pytest.mark.parametrize("keeps_pitch", [False, True])
@pytest.mark.parametrize("source_rate", [44_100, 48_000])
def test_original_and_cleaned_take_the_same_way_to_another_speed(
    tmp_path: Path, source_rate: int, keeps_pitch: bool
) -> None:
    media = media_of(tmp_path, "take", noise(1, 4, source_rate, 2), source_rate)
    item = event("A1/001", 0, 60, speed=Fraction(24, 25), keeps_pitch=keeps_pitch)
    turnover = turnover_of({"A1": [(item, media, 0, (1,))]})
    _, found = stems_of(turnover, tmp_path)
    assert_identities(found)
    assert np.abs(found["A1.DX"]).max() > 100_000
    # Half of everything was taken; 32-bit float in the cache and the grid round by a step.
    assert np.abs(found["A1.NR"] - found["A1.DX"]).max() <= 2


def test_the_cleaned_sound_is_stretched_where_the_original_is(tmp_path: Path) -> None:
    raw = noise(10, 3, 48_000)
    speed = Fraction(24, 25)
    item = event("A1/001", 0, 60, speed=speed, keeps_pitch=True)
    media = media_of(tmp_path, "take", raw, 48_000)
    turnover = turnover_of({"A1": [(item, media, 0, (0,))]})
    # A cleaned sound that would be cut elsewhere if it were listened to itself.
    _, found = stems_of(turnover, tmp_path, clean=np.flipud)

    def reader(sound: NDArray[np.float64]) -> Read:
        padded = np.pad(sound, ((48_000, 48_000), (0, 0)))
        return lambda start, count: padded[start + 48_000 : start + 48_000 + count]

    plan = plan_stretch(reader(raw), len(raw), 48_000, speed)
    wanted = np.concatenate(list(stretched(reader(raw[::-1]), plan, 1)))[: 60 * 1920]
    assert np.abs(found["A1.DX"] - np.rint(wanted / STEP)).max() <= 1


def test_backwards_is_silent_or_the_original_as_the_recipe_says(tmp_path: Path) -> None:
    sound = noise(2, 4, 48_000)
    media = media_of(tmp_path, "take", sound, 48_000)
    item = event("A1/001", 0, 25, speed=Fraction(-1))
    turnover = turnover_of({"A1": [(item, media, 96_000, (0,))]})
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    _, silent = stems_of(turnover, tmp_path / "one")
    assert not silent["A1.PROD"].any()
    _, original = stems_of(turnover, tmp_path / "two", retimed="original")
    np.testing.assert_array_equal(original["A1.PROD"], np.rint(sound[48_000:96_000] / STEP))


def test_gain_and_automation_hold_for_every_stem(tmp_path: Path) -> None:
    media = media_of(tmp_path, "take", np.full((96_000, 1), 0.5), 48_000)
    points = (GainPoint(Fraction(0), -6.0), GainPoint(Fraction(25), -26.0))
    item = event("A1/001", 0, 25, gain_db=-4.0, automation=points)
    _, found = stems_of(turnover_of({"A1": [(item, media, 0, (0,))]}), tmp_path)
    assert_identities(found)
    levels = 20 * np.log10(found["A1.PROD"][[0, 24_000, 47_999], 0] * STEP / 0.5)
    np.testing.assert_allclose(levels, [-10, -20, -30], atol=1e-3)
    assert np.abs(found["A1.DX"] - found["A1.NR"]).max() <= 1


def scene(folder: Path) -> tuple[Turnover, dict[str, NDArray[np.float64]]]:
    """A line of REN's lav under a sound effect on A1, music on A3, another line on A2."""
    notes = SoundNotes(track_names=((0, "BOOM"), (1, "REN")))
    sounds = {
        "take": noise(3, 3, 48_000, 2),
        "door": noise(4, 3, 48_000),
        "song": noise(5, 3, 48_000),
    }
    media = {
        name: media_of(folder, name, sound, 48_000, notes if name == "take" else None)
        for name, sound in sounds.items()
    }
    tracks = {
        "A1": [
            (event("A1/001", 0, 20), media["take"], 0, (1,)),
            (event("A1/002", 10, 20), media["door"], 0, (0,)),
        ],
        "A2": [(event("A2/001", 5, 20), media["take"], 100, (0,))],
        "A3 MX": [(event("A3 MX/001", 0, 30), media["song"], 50, (0,))],
    }
    through = ("A1/002", "A3 MX/001")
    return turnover_of(tracks, through=through, no_dialogue=("A3 MX",)), sounds


def test_what_passes_through_is_untouched_in_its_stems(tmp_path: Path) -> None:
    turnover, sounds = scene(tmp_path)
    assert len(turnover.takes) == 2
    rendered, found = stems_of(turnover, tmp_path)
    assert_identities(found)
    door = np.rint(sounds["door"] / STEP)
    alone = slice(20 * 1920, 30 * 1920)
    for role in ("PROD", "DX"):
        np.testing.assert_array_equal(found[f"A1.{role}"][alone], door[10 * 1920 : 20 * 1920])
    assert not found["A1.NR"][alone].any()
    np.testing.assert_array_equal(found["OTHER"][25 * 1920 :], door[15 * 1920 : 20 * 1920])
    assert found["CHAR.REN"][: 20 * 1920].any()
    assert not found["CHAR.REN"][20 * 1920 :].any()
    song = np.rint(sounds["song"][50 : 50 + 30 * 1920] / STEP)
    np.testing.assert_array_equal(found["A3_MX.THRU"], song)
    assert not any(label.startswith("A3_MX.") and label != "A3_MX.THRU" for label in found)
    by_label = {stem.name.label: stem for stem in rendered.stems}
    assert len(by_label["A3_MX.THRU"].takes) == 1
    assert not set(by_label["A3_MX.THRU"].takes) & set(by_label["DX"].takes)
    history = {
        label: WavInfoReader(str(stem.path)).bext.coding_history for label, stem in by_label.items()
    }
    assert "; half" in history["DX"]
    assert ";" not in history["A3_MX.THRU"]


def test_an_effect_over_a_line_is_not_the_characters(tmp_path: Path) -> None:
    turnover, sounds = scene(tmp_path)
    _, found = stems_of(turnover, tmp_path)
    # From 10 ms after its start to 10 ms before its end the lav's line is REN's alone.
    line = slice(480, 20 * 1920 - 480)
    half_lav = np.rint(sounds["take"][: 20 * 1920, 1:] / 2 / STEP)
    assert np.abs(found["CHAR.REN"][line] - half_lav[line]).max() <= 1


def test_a_gain_for_loudness_leaves_the_identities_of_all_of_it_exact(tmp_path: Path) -> None:
    turnover, _ = scene(tmp_path)
    rendered, found = stems_of(turnover, tmp_path, loudness="r128", leader_s=1, pops=True)
    assert abs(rendered.gain.gain_db) > 0.5
    layout = laid_out(turnover.cut, rendered.leader, 48_000)
    assert_identities(found, slice(layout.head, layout.head + layout.programme))


@pytest.mark.parametrize(
    ("name", "rate"), [("23.976", 48_000), ("29.97 DF", 96_000), ("25", 44_100)]
)
def test_pops_sound_two_seconds_before_the_first_and_after_the_last_frame(
    tmp_path: Path, name: str, rate: int
) -> None:
    frame_rate = RATES[name]
    start = timecode_to_frames("01:00:00:00", frame_rate)
    media = media_of(tmp_path, "take", noise(6, 3, rate), rate)
    turnover = turnover_of({"A1": [(event("A1/001", 0, 40), media, 0, (0,))]}, frame_rate, start)
    rendered, found = stems_of(turnover, tmp_path, sample_rate=rate, leader_s=8, pops=True)
    first = timecode_to_frames("00:59:52:00", frame_rate)
    two = 2 * round(frame_rate.fps)

    def at(frame: int) -> int:
        return round(frame * rate / frame_rate.fps) - round(first * rate / frame_rate.fps)

    assert rendered.start == round(first * rate / frame_rate.fps)
    assert rendered.frames == at(start + 40 + two + 1)
    silent = np.ones(rendered.frames, dtype=bool)
    silent[at(start) : at(start + 40)] = False
    for frame in (start - two, start + 39 + two):
        here, end = at(frame), at(frame + 1)
        silent[here:end] = False
        tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(end - here) / rate) / STEP
        for grid in found.values():
            assert np.abs(grid[here:end, 0] - tone).max() <= 0.5
    for grid in found.values():
        assert len(grid) == rendered.frames
        assert not grid[silent].any()
    np.testing.assert_array_equal(
        found["A1.PROD"][at(start) : at(start + 40)],
        np.rint(noise(6, 3, rate)[: at(start + 40) - at(start)] / STEP),
    )
    for stem in rendered.stems:
        assert WavInfoReader(str(stem.path)).bext.time_reference == rendered.start


def test_pops_and_leader_leave_the_measured_loudness_alone(tmp_path: Path) -> None:
    media = media_of(tmp_path, "take", noise(7, 2, 48_000), 48_000)
    turnover = turnover_of({"A1": [(event("A1/001", 0, 40), media, 0, (0,))]})
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    plain, bare = stems_of(turnover, tmp_path / "one", loudness="netflix")
    popped, found = stems_of(turnover, tmp_path / "two", loudness="netflix", pops=True)
    assert (plain.loudness, plain.true_peak, plain.gain) == (
        popped.loudness,
        popped.true_peak,
        popped.gain,
    )
    assert popped.leader == Leader(51, 51, True)
    inside = slice(51 * 1920, 91 * 1920)
    for label, grid in bare.items():
        np.testing.assert_array_equal(found[label][inside], grid)


def test_a_leader_before_midnight_starts_on_the_day_before() -> None:
    cut = Cut("reel", RATES["25"], 25, Fraction(100), ())
    layout = laid_out(cut, leader_of(cut.rate, 8.0, False), 48_000)
    assert layout.reference == (24 * 3600 - 7) * 48_000
    assert (layout.head, layout.programme, layout.tail) == (8 * 48_000, 4 * 48_000, 0)


def test_a_leader_is_whole_frames_of_timecode() -> None:
    assert leader_of(RATES["23.976"], 8.0, False) == Leader(192)
    assert leader_of(RATES["25"], 0.1, False) == Leader(3)
    assert leader_of(RATES["29.97 DF"], 0.0, True) == Leader(61, 61, True)


@pytest.mark.parametrize("name", list(RATES))
def test_reel_n_starts_at_hour_n(name: str) -> None:
    cut = Cut("reel", RATES[name], 5, Fraction(100), ())
    moved = with_hour_start(cut, 3)
    assert moved == replace(cut, start=timecode_to_frames("03:00:00:00", cut.rate))
    with pytest.raises(InputError, match="reel 24"):
        with_hour_start(cut, 24)


def test_stems_above_the_limit_of_riff_are_rf64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stems, "WaveWriter", functools.partial(WaveWriter, riff_limit=100_000))
    media = media_of(tmp_path, "take", noise(8, 2, 48_000), 48_000)
    turnover = turnover_of({"A1": [(event("A1/001", 0, 40), media, 0, (0,))]})
    rendered, found = stems_of(turnover, tmp_path, leader_s=1)
    for stem in rendered.stems:
        assert stem.path.read_bytes()[:4] == b"RF64"
        assert sf.info(stem.path).frames == 48_000 + 40 * 1920
    assert_identities(found)


def test_a_cut_of_many_files_holds_few_open(tmp_path: Path) -> None:
    sound = noise(9, 0.1, 48_000)
    paths = []
    for number in range(9):
        paths.append(media_of(tmp_path, f"take{number}", sound + number * STEP, 48_000).path)
    with OpenSounds(most=4) as opened:
        for path in (*paths, *paths):
            block = opened.read(path, 5, 10, [0])
            np.testing.assert_array_equal(block, sf.read(path, always_2d=True)[0][5:15])
            assert len(opened) <= 4
    assert len(opened) == 0
