"""The RT stem fills the holes between the clips of a scene, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, welch
from turnovers import (
    STEP,
    Played,
    cleaned_takes,
    event,
    half,
    media_of,
    stems_of,
    turnover_of,
    workspace,
)

from adapters.media.relink import Offline
from config.deliveries import load_delivery
from core.cut import Fade, FadeShape
from core.media import MediaFile, SoundNotes
from core.speech import Line
from flows.desk import Desk
from flows.listen import Heard
from flows.progress import Silent
from flows.room_tone import FillOptions, RoomToneFill
from flows.stems import render_stems
from flows.turnover import Turnover

RATE = 48_000
FRAME = 1920
OCTAVES = [125.0 * 2**n for n in range(8)]


def air(
    seconds: float, seed: int, channels: int = 1, level_db: float = -40.0
) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((round(seconds * RATE), channels))
    dark = sosfilt(butter(1, 300, fs=RATE, output="sos"), white, axis=0)
    sound = dark + 0.05 * white
    return np.asarray(sound / np.std(sound) * 10 ** (level_db / 20), np.float64)


def take(
    folder: Path,
    name: str,
    sound: NDArray[np.float64],
    scene: str = "7",
    names: Sequence[str] = ("BOOM", "REN"),
) -> MediaFile:
    tracks = tuple(enumerate(names[: sound.shape[1]]))
    return media_of(folder, name, sound, RATE, SoundNotes(scene=scene, track_names=tracks))


def two_clips(
    media: MediaFile, other: MediaFile, hole: int = 50, **changes: object
) -> dict[str, list[Played]]:
    """Two clips of 50 frames and the hole between them, on A1."""
    return {
        "A1": [
            (event("A1/001", 0, 50, **changes), media, RATE, (0,)),
            (event("A1/002", 50 + hole, 50), other, RATE, (0,)),
        ]
    }


@contextmanager
def fill_of(
    turnover: Turnover,
    folder: Path,
    options: FillOptions | None = None,
    heard: Mapping[str, Heard] | None = None,
    clean: Callable[[NDArray[np.float64]], NDArray[np.float64]] = half,
) -> Iterator[RoomToneFill]:
    with workspace(folder / "home") as work, ExitStack() as stack:
        cleaned = cleaned_takes(turnover, folder, clean)
        desk = Desk(
            work, turnover, cleaned, heard or {}, "silence", options or FillOptions(), stack
        )
        yield desk.tone


def octaves(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    hertz, density = welch(sound, RATE, nperseg=min(len(sound), RATE // 8), detrend=False)
    bands = [(hertz >= hz / 2**0.5) & (hertz < hz * 2**0.5) for hz in OCTAVES]
    return np.array([10 * np.log10(density[band].sum()) for band in bands])


def level(sound: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.square(sound).mean()))


def usual_levels(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """What real noise, which moves, is as a rule: the median over frames of 85 ms.

    Of the level and of each octave from 125 Hz on, in dB.
    """
    frames = [sound[at : at + 4096] for at in range(0, len(sound) - 4096, 2048)]
    return np.median([[level(frame), *octaves(frame)] for frame in frames], axis=0)


def assert_no_step(sound: NDArray[np.float64], join: int, seconds: float = 1.0) -> None:
    """No step of more than 1 dB, or 1.5 dB in an octave, from one side of a join to the other."""
    reach = round(seconds * RATE)
    before, after = sound[join - reach : join], sound[join : join + reach]
    assert abs(level(before) - level(after)) < 1.0
    assert np.abs(octaves(before) - octaves(after)).max() < 1.5


def test_a_hole_is_filled_without_a_step_at_its_joins(tmp_path: Path) -> None:
    media = take(tmp_path, "take", air(8, 1))
    turnover = turnover_of(two_clips(media, media))
    rendered, found = stems_of(turnover, tmp_path)
    start, end = 50 * FRAME, 100 * FRAME
    tone = found["RT"][:, 0]
    assert not tone[:start].any()
    assert not tone[end:].any()
    assert (tone[start:end] != 0).mean() > 0.99
    heard = (found["DX"][:, 0] + tone) * STEP
    for join in (start, end):
        assert_no_step(heard, join)
        # The take itself goes on for a moment: not a sample steps.
        usual = np.abs(np.diff(heard[join - 4800 : join - 1])).max()
        assert abs(heard[join] - heard[join - 1]) < usual
    stem = next(stem for stem in rendered.stems if stem.name.role == "RT")
    assert stem.takes == (turnover.takes[0].id,)
    assert {use.take for use in stem.tone} == set(stem.takes)
    assert all(0 <= use.first < use.last <= media.frames for use in stem.tone)
    assert {(use.start, use.end) for use in stem.tone} == {(start, end)}
    assert (stem.frames, stem.subtype) == (150 * FRAME, "PCM_24")


def test_the_other_stems_are_the_same_bytes_with_and_without_it(tmp_path: Path) -> None:
    media = take(tmp_path, "take", air(8, 2))
    turnover = turnover_of(two_clips(media, media))
    files = []
    for on in (True, False):
        folder = tmp_path / str(on)
        folder.mkdir()
        with workspace(tmp_path / "home") as work:
            cleaned = cleaned_takes(turnover, tmp_path)
            spec = load_delivery("r128")
            rendered = render_stems(
                work, turnover, cleaned, {}, spec, folder, Silent(), fill=FillOptions(on=on)
            )
        files.append({stem.name.label: stem.path.read_bytes() for stem in rendered.stems})
    assert set(files[0]) - set(files[1]) == {"RT"}
    assert files[1] == {label: data for label, data in files[0].items() if label != "RT"}


def test_only_holes_between_clips_of_one_scene_are_filled(tmp_path: Path) -> None:
    sounds = [air(6, seed) for seed in (3, 4, 5)]
    one = take(tmp_path, "one", sounds[0], "12A")
    setup = take(tmp_path, "setup", sounds[1], "12B")
    other = take(tmp_path, "other", sounds[2], "13")
    places = (("A1/001", 0, one), ("A1/002", 75, setup), ("A1/003", 150, other))
    tracks = {"A1": [(event(name, at, 50), media, 0, (0,)) for name, at, media in places]}
    with fill_of(turnover_of(tracks, length=250), tmp_path) as fill:
        assert {(voice.hole.start, voice.hole.end) for voice in fill.voices} == {
            (50 * FRAME, 75 * FRAME)
        }
        assert fill.notes == ()
        # Nothing before the first clip or after the last.
        assert not fill.block(200 * FRAME, 50 * FRAME, 1).any()


def test_without_scenes_only_holes_within_one_file_are_filled(tmp_path: Path) -> None:
    one, other = (take(tmp_path, f"take{seed}", air(6, seed), "") for seed in (6, 7))
    with fill_of(turnover_of(two_clips(one, one)), tmp_path) as fill:
        assert fill.voices
    with fill_of(turnover_of(two_clips(one, other)), tmp_path) as fill:
        assert not fill.voices


@pytest.mark.parametrize(
    ("hole", "options", "filled"),
    [
        (250, FillOptions(), True),
        (251, FillOptions(), False),
        (51, FillOptions(most_s=2.0), False),
        (50, FillOptions(on=False), False),
    ],
)
def test_a_long_hole_stays_empty(
    tmp_path: Path, hole: int, options: FillOptions, filled: bool
) -> None:
    media = take(tmp_path, "take", air(4, 8))
    with fill_of(turnover_of(two_clips(media, media, hole)), tmp_path, options) as fill:
        assert bool(fill.voices) == filled


def test_where_another_track_or_an_offline_clip_is_there_is_no_hole(tmp_path: Path) -> None:
    media = take(tmp_path, "take", air(8, 9))
    tracks = two_clips(media, media)
    tracks["A2"] = [(event("A2/001", 40, 50), media, 0, (0,))]
    with fill_of(turnover_of(tracks), tmp_path) as fill:
        # A2 plays up to frame 90: what is left is between it and A1's second clip.
        assert {(v.hole.start, v.hole.end) for v in fill.voices} == {(90 * FRAME, 100 * FRAME)}
    turnover = turnover_of(tracks)
    links = {name: link for name, link in turnover.links.items() if name != "A2/001"}
    offline = replace(turnover, links=links, offline=(Offline("A2/001", "gone", ()),))
    with fill_of(offline, tmp_path) as fill:
        assert not fill.voices


def test_each_side_has_the_tone_of_its_own_clips(tmp_path: Path) -> None:
    loud = take(tmp_path, "loud", air(8, 10, level_db=-30))
    soft = take(tmp_path, "soft", air(8, 11, level_db=-45)[:, ::-1])
    tracks = two_clips(loud, soft, 200, gain_db=-5.0)
    # A lav ends with the first clip: what is heard there is both.
    lav = take(tmp_path, "lav", air(8, 12, 2, level_db=-36))
    tracks["A2"] = [(event("A2/001", 0, 50), lav, RATE, (1,))]
    rendered, found = stems_of(turnover_of(tracks), tmp_path)
    heard = (found["DX"] + found["RT"])[:, 0] * STEP
    for join in (50 * FRAME, 250 * FRAME):
        assert_no_step(heard, join, 0.8)
    takes = next(stem.takes for stem in rendered.stems if stem.name.role == "RT")
    assert len(takes) == 3


@pytest.mark.parametrize("shape", list(FadeShape))
def test_the_tone_comes_in_as_a_clip_fades(tmp_path: Path, shape: FadeShape) -> None:
    media = take(tmp_path, "take", air(8, 13))
    fade = Fade(Fraction(10), shape)
    _, found = stems_of(turnover_of(two_clips(media, media, fade_out=fade)), tmp_path)
    faded = 40 * FRAME
    tone = found["RT"][:, 0]
    assert not tone[:faded].any()
    assert tone[faded + 480 : 50 * FRAME].any()
    heard = (found["DX"][:, 0] + tone) * STEP
    for start in range(faded - RATE // 2, 55 * FRAME, RATE // 20):
        assert abs(level(heard[start : start + RATE // 2]) - level(heard[: 40 * FRAME])) < 1.0


def test_the_tone_reaches_under_a_long_fade_by_half_a_second_at_the_most(tmp_path: Path) -> None:
    media = take(tmp_path, "take", air(8, 14))
    tracks = two_clips(media, media, fade_out=Fade(Fraction(40)))
    _, found = stems_of(turnover_of(tracks), tmp_path)
    assert not found["RT"][: 50 * FRAME - RATE // 2].any()
    assert found["RT"][50 * FRAME - RATE // 4 : 50 * FRAME].any()


def test_what_is_said_past_the_cut_is_not_heard_in_the_hole(tmp_path: Path) -> None:
    sound = air(8, 15)
    t = np.arange(RATE) / RATE
    word = slice(RATE + 50 * FRAME - RATE // 4, RATE + 50 * FRAME + RATE // 2)
    sound[word, 0] += 0.3 * np.sin(2 * np.pi * 440 * t[: word.stop - word.start])
    media = take(tmp_path, "take", sound)
    turnover = turnover_of(two_clips(media, media))
    heard = Heard(media, (Line("REN", word.start, word.stop, (), "test"),), "", False, "", True)
    with fill_of(turnover, tmp_path, heard={media.essence: heard}) as fill:
        tone = fill.block(50 * FRAME, 50 * FRAME, 1)[:, 0]
    quiet = level(sound[4 * RATE :, 0] / 2)
    for start in range(0, 40 * FRAME, FRAME):
        assert abs(level(tone[start : start + 10 * FRAME]) - quiet) < 1.5


def test_a_take_that_talks_throughout_borrows_from_its_setup(tmp_path: Path) -> None:
    talk, calm = take(tmp_path, "talk", air(5, 16)), take(tmp_path, "calm", air(5, 17))
    said = Heard(talk, (Line("REN", 0, talk.frames, (), "test"),), "", False, "", True)
    with fill_of(turnover_of(two_clips(talk, calm)), tmp_path, heard={talk.essence: said}) as fill:
        assert fill.takes == (f"{calm.essence}:0",)
        assert fill.notes == ()
    with fill_of(turnover_of(two_clips(talk, talk)), tmp_path, heard={talk.essence: said}) as fill:
        assert not fill.voices
        assert fill.notes == (
            "The hole at 0:02.000 is not filled with room tone: A1/001 has no noise without "
            "speech to match.",
        )


def test_a_wild_track_gives_the_texture_where_the_takes_pauses_are_too_short(
    tmp_path: Path,
) -> None:
    media = take(tmp_path, "take", air(8, 18))
    t = np.arange(6 * RATE) / RATE
    whistle = 0.02 * np.sin(2 * np.pi * 1000 * t)[:, None]
    wild = take(tmp_path, "7 wild", air(6, 19) * 3 + whistle)
    elsewhere = take(tmp_path, "8 wild", air(6, 20) * 3 + whistle, "8")
    # A quarter of a second before the cut is all that is not speech.
    said = Line("REN", 0, RATE + 50 * FRAME - RATE // 2, (), "test")
    more = Line("REN", RATE + 50 * FRAME, media.frames, (), "test")
    talks = Heard(media, (said, more), "", False, "", True)
    lines = []
    for found, heard in ((wild, talks), (elsewhere, talks), (wild, None)):
        told = {media.essence: heard} if heard is not None else {}
        turnover = turnover_of(two_clips(media, media))
        with fill_of(turnover, tmp_path, FillOptions(wild=(found,)), told) as fill:
            tone = fill.block(50 * FRAME, 20 * FRAME, 1)[:, 0]
            assert [name for name, _, _ in fill.from_wild] == [wild] * len(fill.from_wild)
            assert bool(fill.from_wild) == (found is wild and heard is talks)
            assert len(fill.notes) == bool(fill.from_wild)
        # Its level stays that of the take: half of 4 dB and more below the wild track.
        np.testing.assert_allclose(octaves(tone)[2:], octaves(air(8, 18)[:, 0] / 2)[2:], atol=2.5)
        spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone))))
        hertz = np.fft.rfftfreq(len(tone), 1 / RATE)
        near = (hertz > 900) & (hertz < 1100)
        line = (hertz > 995) & (hertz < 1005)
        lines.append(20 * np.log10(spectrum[line].max() / np.median(spectrum[near])))
    assert lines[0] > lines[1] + 8
    assert lines[0] > lines[2] + 8


def test_a_side_without_noise_has_that_of_the_other(tmp_path: Path) -> None:
    talk, calm = take(tmp_path, "talk", air(5, 22)), take(tmp_path, "calm", air(6, 23), "7B")
    said = Heard(talk, (Line("REN", 0, talk.frames, (), "test"),), "", False, "", True)
    with fill_of(turnover_of(two_clips(talk, calm)), tmp_path, heard={talk.essence: said}) as fill:
        assert {voice.leaves for voice in fill.voices} == {True, False}
        assert fill.takes == (f"{calm.essence}:0",)
        tone = fill.block(50 * FRAME, 50 * FRAME, 1)[:, 0]
    assert level(tone[:RATE]) == pytest.approx(level(calm_half(calm)), abs=2.0)


def calm_half(media: MediaFile) -> NDArray[np.float64]:
    return np.asarray(sf.read(media.path)[0] / 2, np.float64)


def test_a_hole_is_nowhere_louder_than_its_louder_neighbour(tmp_path: Path) -> None:
    loud, soft = take(tmp_path, "loud", air(8, 24)), take(tmp_path, "soft", air(8, 25) / 4)
    with fill_of(turnover_of(two_clips(loud, soft, 200)), tmp_path) as fill:
        tone = fill.block(50 * FRAME, 200 * FRAME, 1)[:, 0]
    levels = [level(tone[at : at + RATE]) for at in range(0, 200 * FRAME - RATE, RATE // 2)]
    assert max(levels) < level(air(8, 24) / 2) + 1.0
    assert min(levels) > level(air(8, 25) / 8) - 1.0
    assert levels[0] - levels[-1] == pytest.approx(12.0, abs=1.5)


@pytest.fixture(scope="module")
def stereo_fill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoomToneFill]:
    folder = tmp_path_factory.mktemp("blocks")
    media = take(folder, "take", air(5, 21, 2))
    items = [
        (event("A1/001", 0, 20, fade_out=Fade(Fraction(4))), media, 0, (0, 1)),
        (event("A1/002", 40, 20), media, RATE, (0, 1)),
    ]
    with fill_of(turnover_of({"A1": items}), folder) as fill:
        yield fill


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 60 * FRAME), st.integers(1, 30_000))
def test_the_stem_is_the_same_in_any_blocks(
    stereo_fill: RoomToneFill, first: int, count: int
) -> None:
    whole = stereo_fill.block(0, 60 * FRAME + 30_000, 2)
    assert whole[20 * FRAME : 40 * FRAME].all(axis=1).mean() > 0.99
    part = stereo_fill.block(first, count, 2)
    np.testing.assert_array_equal(part, whole[first : first + count])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["12A-T01", "12A-T03", "14-T02", "14-T04", "27B-T01", "27B-T02"])
def test_real_noise_goes_on_as_it_was(harbour: Path, tmp_path: Path, name: str) -> None:
    truth = json.loads((harbour / "truth" / "takes.json").read_text())["takes"][name]
    sound = sf.read(harbour / "sound" / f"{name}.wav")[0][:, 1]
    media = take(tmp_path, name, sound[:, None], truth["scene"], ("BOOM",))
    # Both clips play the quiet before the first line: up to its end, and from its start.
    frames = truth["turns"][0]["start"] // FRAME - 2
    items = [
        (event("A1/001", 0, frames), media, 0, (0,)),
        (event("A1/002", frames + 100, frames), media, 0, (0,)),
    ]
    _, found = stems_of(turnover_of({"A1": items}), tmp_path)
    noise = (sound - sf.read(harbour / "truth" / f"{name}.boom-clean.flac")[0]) / 2
    seconds = range(0, len(noise) - RATE, RATE // 2)
    usual = np.array([usual_levels(noise[at : at + RATE]) for at in seconds])
    tone = found["RT"][frames * FRAME : (frames + 100) * FRAME, 0] * STEP
    # Real noise moves: the tone is like some second of it, in level and in every octave.
    allowed = np.array([1.0, *[1.5] * len(OCTAVES)])
    for at in range(0, 100 * FRAME - RATE, RATE // 2):
        found_here = usual_levels(tone[at : at + RATE])
        assert (found_here > usual.min(axis=0) - allowed).all()
        assert (found_here < usual.max(axis=0) + allowed).all()
