"""Sound files given by themselves come back whole: same length, rate, timecode and words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from production import CHANNELS, PER_FRAME, RATE, TAKES, Home, files_of, steps
from wavinfo import WavInfoReader
from yardstick import libebur128


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("audio") / "home")


@pytest.fixture(scope="module")
def out(home: Home, film: Path) -> Path:
    folder = home.folder.parent / "out"
    files = [film / "sound" / f"{take.name}.wav" for take in TAKES[:2]]
    ran = home.run("clean", *files, "--out", folder, "--json")
    assert ran.code == 0, ran.err
    assert [item["cleaned_now"] for item in ran.json] == [True, True]
    return folder


def test_length_rate_timecode_and_notes_are_kept(film: Path, out: Path) -> None:
    assert sorted(path.name for path in out.iterdir()) == ["1-T01.wav", "1-T02.wav"]
    for take in TAKES[:2]:
        info = WavInfoReader(str(out / f"{take.name}.wav"))
        assert (info.data.frame_count, info.fmt.sample_rate) == (take.samples, RATE)
        assert info.bext.time_reference == take.start * PER_FRAME
        assert (info.ixml.scene, info.ixml.take, info.ixml.tape) == ("1", take.name[-1], "SR7")
        assert [track.name for track in info.ixml.track_list] == list(CHANNELS)
        assert "T=roomtone" in info.bext.coding_history


def test_noise_goes_and_the_voice_does_not_move(film: Path, out: Path) -> None:
    raw, clean = (sf.read(folder / "1-T01.wav")[0][:, 0] for folder in (film / "sound", out))
    pause = slice(int(3.6 * RATE), int(4.4 * RATE))
    taken = 20 * np.log10(raw[pause].std() / clean[pause].std())
    assert 10 < taken < 26  # the limit of the standard recipe
    voice = slice(int(0.4 * RATE), int(1.5 * RATE))
    spectrum = np.fft.rfft(clean[voice], 1 << 17) * np.conj(np.fft.rfft(raw[voice], 1 << 17))
    assert np.argmax(np.abs(np.fft.irfft(spectrum))) == 0


def test_a_second_run_leaves_the_files_alone(home: Home, film: Path, out: Path) -> None:
    before = files_of(out)
    files = [film / "sound" / f"{take.name}.wav" for take in TAKES[:2]]
    ran = home.run("clean", *files, "--out", out, "--json")
    assert [(item["cleaned_now"], item["written_now"]) for item in ran.json] == [(False, False)] * 2
    assert files_of(out) == before
    told = home.run("clean", *files, "--out", out).out
    assert told.count("from the store") == told.count("already as it should be") == 2


@pytest.mark.usefixtures("out")
def test_a_file_can_be_asked_for_at_a_loudness(home: Home, film: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path, "--loudness", "r128", "--json")
    ran = home.run("clean", film / "sound" / "1-T02.wav", *words)
    assert ran.json["cleaned_now"] is False
    sound = sf.read(tmp_path / "1-T02.wav")[0]
    assert libebur128(sound, RATE)[0] == pytest.approx(-23.0, abs=0.1)


def test_a_bypassed_flac_comes_back_bit_for_bit_as_a_wave(home: Home, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    sound = rng.integers(-(2**20), 2**20, (44_100, 2)) / 2**23
    sf.write(tmp_path / "scene.flac", sound, 44_100, subtype="PCM_24")
    ran = home.run(
        "clean", tmp_path / "scene.flac", "--recipe", "bypass", "--out", tmp_path / "out"
    )
    assert ran.code == 0, ran.err
    made = tmp_path / "out" / "scene.wav"
    assert sf.info(made).samplerate == 44_100
    np.testing.assert_array_equal(steps(made), np.rint(sound * 2**23))


def test_two_files_of_one_name_need_two_folders(home: Home, film: Path, tmp_path: Path) -> None:
    twin = tmp_path / "1-T01.flac"
    sf.write(twin, np.zeros((4_800, 1)), RATE)
    ran = home.run("clean", film / "sound" / "1-T01.wav", twin, "--out", tmp_path / "out")
    assert ran.code == 6
    assert "two folders" in ran.err
    assert not list((tmp_path / "out").iterdir())


def test_where_a_cleaned_file_came_from_is_known_after_it_moved(
    home: Home, film: Path, out: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "who knows.wav"
    moved.write_bytes((out / "1-T01.wav").read_bytes())
    told = home.run("trace", moved)
    assert told.code == 0
    assert str(film / "sound" / "1-T01.wav") in told.out
    assert json.dumps(str(film / "sound" / "1-T01.wav")) in home.run("trace", moved, "--json").out


def test_what_was_cleaned_is_not_cleaned_twice_unless_asked(
    home: Home, out: Path, tmp_path: Path
) -> None:
    cleaned = out / "1-T01.wav"
    ran = home.run("clean", cleaned, "--out", tmp_path / "twice", "--json")
    assert "left as it is" in " ".join(ran.json["notes"])
    before, after = sf.read(cleaned)[0], sf.read(tmp_path / "twice" / "1-T01.wav")[0]
    np.testing.assert_array_equal(after, before)
    again = home.run("clean", cleaned, "--out", tmp_path / "again", "--again", "--json")
    assert "left as it is" not in " ".join(again.json["notes"])
    assert np.abs(sf.read(tmp_path / "again" / "1-T01.wav")[0] - before).max() > 1e-4
