"""A/B: the raw sound to the bit, a fair level, sums that hold, and nobody's file overwritten."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import typer
from numpy.typing import NDArray
from PIL import Image
from production import PER_FRAME, RATE, STEP, TAKES, Home, files_of, steps
from typer.testing import CliRunner

from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from cli import ab as cli_ab
from config.recipes import load_recipe
from config.settings import load_settings
from core.errors import InputError, OutputError, UsageError
from core.media import SoundNotes
from flows.ab import AbOutcome, AbRequest, ab
from flows.ab_picture import HEIGHT, WIDTH, Plate, ab_picture
from flows.place import position
from flows.progress import Silent
from flows.workspace import Workspace, open_workspace
from models.level_match import match_db
from models.quality import Gate

TAKE = TAKES[0]
Samples = NDArray[np.float64]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    overrides = {"home": tmp_path / "home", "denoiser": "rnnoise", "recogniser": "none"}
    with open_workspace(load_settings(overrides, tmp_path)[0]) as opened:
        yield opened


@pytest.fixture
def take(film: Path) -> Path:
    return film / "sound" / f"{TAKE.name}.wav"


def request(take: Path, out: Path, **asked: str) -> AbRequest:
    return AbRequest(take, load_recipe("standard"), out, **asked)


def run(work: Workspace, take: Path, out: Path, **asked: str) -> AbOutcome:
    return ab(work, request(take, out, **asked), Silent())


def grids(outcome: AbOutcome) -> list[NDArray[np.int64]]:
    return [steps(path)[:, 0] for path in (outcome.raw, outcome.cleaned, outcome.removed)]


def test_raw_is_the_original_to_the_bit_and_the_rest_adds_up(
    work: Workspace, take: Path, tmp_path: Path
) -> None:
    before = files_of(take.parent)
    got = run(work, take, tmp_path / "out")
    raw, cleaned, removed = grids(got)
    np.testing.assert_array_equal(raw, steps(take)[:, 0])
    gain = 10 ** (got.gain_db / 20)
    np.testing.assert_array_equal(cleaned + removed, np.rint(raw * gain).astype(np.int64))
    assert np.any(cleaned != raw)
    assert got.microphone == "BOOM"
    assert files_of(take.parent) == before
    history = probe(got.removed).notes.coding_history
    assert "RNNoise" in history
    assert "RNNoise" not in probe(got.raw).notes.coding_history


def test_a_stretch_is_cut_from_the_whole_take_and_keeps_its_timecode(
    work: Workspace, take: Path, tmp_path: Path
) -> None:
    whole = run(work, take, tmp_path / "whole", channel="REN")
    part = run(work, take, tmp_path / "part", channel="2", start="10:00:00:10", end="10:00:02:00")
    first, last = 10 * PER_FRAME, 48 * PER_FRAME
    assert (part.start, part.end) == (first, last)
    assert part.microphone == "REN"
    assert not part.cleaned_now
    assert probe(part.cleaned).notes.time_reference == TAKE.start * PER_FRAME + first
    assert part.where == ("10:00:00:10", "10:00:02:00")
    undone = [10 ** (-item.gain_db / 20) for item in (whole, part)]
    np.testing.assert_allclose(
        grids(part)[1] * undone[1], (grids(whole)[1] * undone[0])[first:last], atol=1.5
    )
    np.testing.assert_array_equal(grids(part)[0], steps(take)[first:last, 1])


def test_speech_is_matched_whatever_became_of_the_noise() -> None:
    """Speech down by 3 dB, noise by 30: the gain that is due is 3 dB."""
    rng = np.random.default_rng(1)
    time = np.arange(6 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 30))
    voice *= 0.05 * ((time > 2) & (time < 5)) * (1 + 0.8 * np.sin(2 * np.pi * 4 * time))
    noise = 0.004 * rng.normal(size=len(time))
    raw, clean = voice + noise, 10 ** (-3 / 20) * voice + 10 ** (-30 / 20) * noise
    speech, pauses = [(2 * RATE, 5 * RATE)], [(0, 2 * RATE - 4800)]
    got = match_db(_reader(raw), _reader(clean), speech, pauses, RATE)
    assert got == pytest.approx(3.0, abs=0.1)
    assert match_db(_reader(noise), _reader(0.1 * noise), speech, pauses, RATE) is None


def _reader(sound: Samples) -> Callable[[int, int], Samples]:
    return lambda start, frames: sound[start : start + frames]


@pytest.mark.shared
def test_the_gain_is_what_the_clean_voice_of_harbour_lost(
    harbour: Path, work: Workspace, tmp_path: Path
) -> None:
    """What the voice lost, by projection of the cleaned sound on the voice that is known."""
    name = "14-T04"
    got = run(work, harbour / "sound" / f"{name}.wav", tmp_path / "out", start="1.5", end="4.1")
    voice = sf.read(harbour / "truth" / f"{name}.boom-clean.flac")[0][got.start : got.end]
    cleaned = grids(got)[1] * STEP
    left = 20 * np.log10(np.dot(cleaned, voice) / np.dot(voice, voice))
    assert abs(left) < 0.5


def test_a_stretch_without_speech_is_said_to_be_unmatched(work: Workspace, tmp_path: Path) -> None:
    noise = 0.01 * np.random.default_rng(2).normal(size=2 * RATE)
    sf.write(tmp_path / "hiss.wav", noise, RATE, "PCM_24")
    got = run(work, tmp_path / "hiss.wav", tmp_path / "out")
    assert got.gain_db == 0.0
    assert any("too little clear speech" in note for note in got.notes)


def test_a_second_run_does_no_work_and_mends_what_was_touched(
    work: Workspace, take: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(work, take, out).written_now
    made = files_of(out)
    again = run(work, take, out)
    assert not again.written_now
    assert files_of(out) == made
    again.picture.unlink()
    mended = run(work, take, out)
    assert mended.written_now
    assert {name: item[0] for name, item in files_of(out).items()} == {
        name: item[0] for name, item in made.items()
    }


def test_nobody_elses_file_is_overwritten(work: Workspace, take: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    stranger = out / f"{TAKE.name}.BOOM.cleaned.wav"
    stranger.write_bytes(b"somebody's work")
    with pytest.raises(OutputError, match=r"cleaned\.wav exists and is not roomtone's"):
        run(work, take, out)
    assert [path.name for path in out.iterdir()] == [stranger.name]
    assert stranger.read_bytes() == b"somebody's work"


def test_what_another_home_left_behind_is_taken_over_only_as_it_was(
    work: Workspace, take: Path, tmp_path: Path
) -> None:
    """So is what a run left that broke off before it was remembered."""
    out = tmp_path / "out"
    run(work, take, out)
    made = files_of(out)
    overrides = {"home": tmp_path / "home 2", "denoiser": "rnnoise", "recogniser": "none"}
    with open_workspace(load_settings(overrides, tmp_path)[0]) as other:
        got = run(other, take, out)
        assert {name: item[0] for name, item in files_of(out).items()} == {
            name: item[0] for name, item in made.items()
        }
        sound = sf.read(got.removed)[0]
        sf.write(got.removed, 0.5 * sound, RATE, "PCM_24")
        with pytest.raises(OutputError, match=r"removed\.wav exists and is not roomtone's"):
            run(other, take, out)


def test_a_file_that_can_not_be_finished_leaves_no_half(
    work: Workspace, take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise OutputError("no room")

    monkeypatch.setattr("flows.ab_sounds._grids", broken)
    with pytest.raises(OutputError):
        run(work, take, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("0", 0),
        ("1.5", 72_000),
        ("0:01.25", 60_000),
        ("00:01:01", 61 * RATE),
        ("1.00001041667", 48_001),
        ("10:00:00:01", PER_FRAME),
        ("10:00:01:00", 24 * PER_FRAME),
    ],
)
def test_a_place_is_named_by_time_or_by_timecode(take: Path, text: str, sample: int) -> None:
    assert position(probe(take), text) == sample


def test_timecode_past_midnight_belongs_to_the_end_of_the_take(take: Path) -> None:
    media = probe(take)
    day = 24 * 3600 * 24 * PER_FRAME
    notes = replace(media.notes, time_reference=day - 10 * PER_FRAME)
    assert position(replace(media, notes=notes), "00:00:00:05") == 15 * PER_FRAME


@pytest.mark.parametrize(
    ("asked", "fault", "word"),
    [
        ({"channel": "PLANT"}, UsageError, "BOOM, REN, MARA"),
        ({"channel": "4"}, UsageError, "1 to 3"),
        ({"start": "3", "end": "2"}, UsageError, "no stretch of it"),
        ({"end": "1:00:00"}, UsageError, "10:00:04:14"),
        ({"start": "09:00:00:00"}, UsageError, "no stretch of it"),
        ({"start": "soon"}, UsageError, "no place"),
        ({"start": "10:00:00:24"}, InputError, "does not exist"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    work: Workspace, take: Path, tmp_path: Path, asked: dict[str, str], fault: type, word: str
) -> None:
    with pytest.raises(fault, match=word) as told:
        run(work, take, tmp_path / "out", **asked)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "out").exists()


def test_a_file_without_timecode_asks_for_seconds(work: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "plain.wav"
    sf.write(path, np.zeros(RATE), RATE, "PCM_16")
    with pytest.raises(InputError, match=r"plain\.wav has no timecode; give places"):
        run(work, path, tmp_path / "out", start="10:00:00:00")


def test_an_original_is_never_in_the_way_of_an_output(work: Workspace, tmp_path: Path) -> None:
    sound = np.zeros(RATE, np.int64)
    path = tmp_path / "a.BOOM.raw.wav"
    with WaveWriter(path, RATE, 1, "PCM_24", SoundNotes(track_names=((0, "BOOM"),))) as writer:
        writer.write(sound)
    link = tmp_path / "a.wav"
    link.symlink_to(path)
    with pytest.raises(OutputError, match="is an original"):
        run(work, link, tmp_path)


GATES = (
    Gate("lag", 0.0, "samples", 0.0, True, "x"),
    Gate("air", 4.8, "dB", 4.0, False, "x"),
    Gate("over-suppressed", 0.125, "share", 0.2, True, "x"),
)


def test_the_picture_has_three_panels_on_one_scale() -> None:
    noise = 0.1 * np.random.default_rng(3).normal(size=4 * RATE)

    def reads(gain: float) -> Callable[[int, int], Samples]:
        def read(start: int, frames: int) -> Samples:
            return gain * np.take(noise, range(start, start + frames), mode="clip")

        return read

    plate = Plate("a.wav BOOM", "x", 0.0, 0, 4 * RATE, RATE, GATES)
    data = ab_picture((reads(1.0), reads(0.01), reads(0.0)), plate)
    assert data == ab_picture((reads(1.0), reads(0.01), reads(0.0)), plate)
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("L"), np.float64)
    lefts = [24 + 46 + number * (46 + WIDTH + 20) for number in range(3)]
    panels = [picture[114 : 114 + HEIGHT, left : left + WIDTH] for left in lefts]
    means = [float(panel.mean()) for panel in panels]
    assert means[0] > 2 * means[1] > 2 * means[2]
    # Forty dB of the eighty of the scale.
    assert np.ptp(panels[2]) == 0


def test_the_command_says_the_gain_and_where_the_files_are(take: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(cli_ab.command)
    home = Home(tmp_path / "home")
    words = [str(take), "--out", str(tmp_path / "out"), "--from", "0.2", "--to", "2"]
    told = CliRunner().invoke(app, words, env=home.variables)
    assert told.exit_code == 0, told.output
    assert "dB on cleaned and removed" in told.output
    machine = json.loads(CliRunner().invoke(app, [*words, "--json"], env=home.variables).output)
    assert not machine["written_now"]
    assert all(Path(machine[name]).is_file() for name in ("raw", "cleaned", "removed", "picture"))
