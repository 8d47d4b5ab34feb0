"""What goes wrong by a person's hand ends in one sentence with a file and a remedy, and a code."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
from production import RATE, V1, Delivered, Home, Ran, files_of, stems, write_otio

from adapters.media.write import WaveWriter
from core.errors import ExitCode


def assert_told(ran: Ran, code: ExitCode, *parts: str | Path) -> None:
    """One sentence on the error stream that has these parts, the code, and nothing else."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.startswith("roomtone: ")
    assert ran.err.count("\n") == 1
    assert ran.err.endswith((".\n", "?\n"))
    assert "Traceback" not in ran.err
    for part in parts:
        assert str(part) in ran.err


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def clean(home: Home, cut: Path, *words: str | Path) -> Ran:
    return home.run("clean", cut, "--direct", *words)


def test_a_cut_that_is_not_there(home: Home, tmp_path: Path) -> None:
    assert_told(clean(home, tmp_path / "no.otio"), ExitCode.INPUT, tmp_path / "no.otio")


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("broken.otio", b"{ not json", "export it again"),
        ("noise.otio", bytes(range(1, 256)) * 9, "export it again"),
        ("empty.otio", b"", "is empty; export the cut again"),
        ("blank.edl", b" \n\n", "is empty; export the cut again"),
        ("noise.edl", bytes(range(256)) * 9, "no EDL"),
        ("title.edl", b"TITLE: NOTHING\nFCM: NON-DROP FRAME\n", "no events"),
        ("list.otio", b'{"OTIO_SCHEMA": "SerializableCollection.1", "children": []}', "timeline"),
    ],
)
def test_a_cut_that_is_none(
    home: Home, tmp_path: Path, name: str, content: bytes, remedy: str
) -> None:
    cut = tmp_path / name
    cut.write_bytes(content)
    assert_told(clean(home, cut, "--media", tmp_path), ExitCode.INPUT, cut, remedy)


def test_a_cut_with_no_clips(home: Home, tmp_path: Path) -> None:
    cut = write_otio(tmp_path / "bare.otio", ())
    assert_told(clean(home, cut), ExitCode.INPUT, cut)


def test_a_cut_with_no_sound(home: Home, film: Path, tmp_path: Path) -> None:
    timeline = otio.adapters.read_from_file(str(film / "v1.otio"))
    for track in timeline.tracks:
        track.kind = otio.schema.TrackKind.Video
    cut = tmp_path / "picture.otio"
    cut.write_text(timeline.to_json_string())
    ran = clean(home, cut, "--media", film)
    assert_told(ran, ExitCode.INPUT, cut, "export it with its audio tracks")


def test_all_media_offline(home: Home, tmp_path: Path) -> None:
    cut = write_otio(tmp_path / "lost.otio", V1)
    ran = clean(home, cut, "--out", tmp_path / "out")
    assert_told(ran, ExitCode.OFFLINE, cut, "1-T01", "--media")
    assert not (tmp_path / "out").exists()


def without(film: Path, folder: Path, spoil: Callable[[Path], object] = Path.unlink) -> Path:
    """A copy of the production whose second take is spoilt, by default gone."""
    shutil.copytree(film, folder)
    spoil(folder / "sound" / "1-T02.wav")
    return folder / "v1.otio"


def test_some_media_offline_are_listed_and_the_rest_goes_on(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    cut, out = without(delivered.film, tmp_path / "film"), tmp_path / "out"
    ran = clean(own_home, cut, "--out", out)
    assert (ran.code, ran.err) == (0, "")
    told = [line.split() for line in ran.out.splitlines() if "Offline" in line]
    assert [words[1:3] for words in told] == [["A1", "DX/002:"], ["A2", "LAV/001:"]]
    listed = json.loads((out / "delivery.json").read_text("utf-8"))["offline"]
    assert [item["event"] for item in listed] == ["A1 DX/002", "A2 LAV/001"]
    report = (out / "report.html").read_text("utf-8")
    for item in listed:
        assert "1-T02" in item["reason"]
        assert item["reason"].split(":")[0] in report.replace("&#39;", "'")
    sound, length = sf.read(stems(out)["A1_DX.PROD"])[0], 150 * 2002
    assert len(sound) == length
    assert not sound[60 * 2002 : 90 * 2002].any()
    assert sound[10 * 2002 : 40 * 2002].any()


def truncate(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def lie(path: Path) -> None:
    raw = path.read_bytes()
    at = raw.index(b"data") + 4
    path.write_bytes(raw[:at] + struct.pack("<I", 900) + raw[at + 4 :])


def spoil_a_sample(path: Path) -> None:
    sound = sf.read(path)[0]
    sound[1000, 1] = np.nan
    sf.write(path, sound, RATE, subtype="FLOAT")


def test_relink_says_which_file_is_there_and_can_not_be_read(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    cut = without(delivered.film, tmp_path / "film", lambda path: path.write_bytes(b"RIFF"))
    found = own_home.run("relink", cut, "--media", cut.parent / "sound", "--json").json
    told = [event["reason"] for event in found["events"] if event["file"] is None]
    assert len(told) == 2
    assert all("1-T02.wav" in reason and "Errno" not in reason for reason in told)


BROKEN = pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate, "is cut short"),
        (lie, "can't be trusted"),
        (spoil_a_sample, "is no number at sample 1000 of channel 2"),
        (lambda path: path.write_bytes(b""), "is empty"),
    ],
)


@BROKEN
def test_a_broken_take_is_offline_with_the_reason_and_the_rest_goes_on(
    delivered: Delivered,
    tmp_path: Path,
    spoil: Callable[[Path], object],
    reason: str,
    own_home: Home,
) -> None:
    cut = without(delivered.film, tmp_path / "film", spoil)
    ran = clean(own_home, cut, "--out", tmp_path / "out", "--json")
    assert ran.code == 0, ran.err
    assert [item["event_id"] for item in ran.json["offline"]] == ["A1 DX/002", "A2 LAV/001"]
    for item in ran.json["offline"]:
        assert reason in item["reason"]
        assert "1-T02.wav" in item["reason"]


@BROKEN
def test_a_broken_sound_file(
    home: Home, film: Path, tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    cut = without(film, tmp_path / "film", spoil)
    path = cut.parent / "sound" / "1-T02.wav"
    ran = home.run("clean", path, "--out", tmp_path / "out")
    assert_told(ran, ExitCode.INPUT, path, reason)
    assert not list((tmp_path / "out").rglob("*.wav"))


def test_an_input_that_is_no_sound(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("nothing to hear")
    assert_told(home.run("clean", path, "--out", tmp_path / "out"), ExitCode.INPUT, path)


def test_cuts_and_sounds_at_once(home: Home, film: Path) -> None:
    ran = home.run("clean", film / "v1.otio", film / "sound" / "1-T01.wav")
    assert_told(ran, ExitCode.USAGE, "cuts or sound files")


def test_a_media_folder_that_is_not_there(home: Home, film: Path, tmp_path: Path) -> None:
    ran = clean(home, film / "v1.otio", "--media", tmp_path / "gone")
    assert_told(ran, ExitCode.INPUT, tmp_path / "gone")


def test_no_original_is_overwritten(home: Home, film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "film"
    shutil.copytree(film, folder)
    shutil.copytree(folder / "sound", folder / "old" / "clips")
    before = files_of(folder)
    sound = folder / "sound"
    cut = folder / "v1.otio"
    for ran in (
        clean(home, cut, "--media", sound, "--out", sound),
        clean(home, cut, "--media", sound, "--out", folder),
        clean(home, cut, "--media", sound, "--out", sound / ".." / "sound"),
        clean(home, cut, "--media", folder / "old" / "clips", "--out", folder / "old"),
        home.run("clean", sound / "1-T01.wav", "--out", sound),
        home.run("clean", sound / "1-T01.wav", "--out", folder / "old" / "clips"),
    ):
        assert_told(ran, ExitCode.OUTPUT, folder, "choose another --out")
    assert {name: found for name, found in files_of(folder).items() if name in before} == before
    assert not [name for name in files_of(folder) if name not in before]


def test_a_link_to_an_original_is_not_written_through(
    delivered: Delivered, film: Path, tmp_path: Path, own_home: Home
) -> None:
    folder, out = tmp_path / "film", tmp_path / "out"
    shutil.copytree(film, folder)
    before = files_of(folder / "sound")
    clean(own_home, folder / "v1.otio", "--out", out)
    clip = next((out / "clips").glob("*.wav"))
    clip.unlink()
    clip.symlink_to(folder / "sound" / "1-T01.wav")
    assert clean(own_home, folder / "v1.otio", "--out", out).code == 0
    assert files_of(folder / "sound") == before
    assert not clip.is_symlink()


@pytest.mark.parametrize("name", ["stems/theirs.wav", "clips/theirs.wav", "report.html"])
def test_somebody_elses_files_stay(
    delivered: Delivered, tmp_path: Path, name: str, own_home: Home
) -> None:
    theirs = tmp_path / "out" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    ran = clean(own_home, delivered.film / "v1.otio", "--out", tmp_path / "out")
    assert_told(ran, ExitCode.OUTPUT, theirs, "choose another --out")
    assert theirs.read_text() == "mine"


def test_somebody_elses_sound_stays(home: Home, film: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "1-T01.wav"
    theirs.write_bytes(b"mine")
    ran = home.run("clean", film / "sound" / "1-T01.wav", "--out", tmp_path)
    assert_told(ran, ExitCode.OUTPUT, theirs, "choose another --out")
    assert theirs.read_bytes() == b"mine"


def test_an_output_below_a_file(home: Home, film: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    assert_told(clean(home, film / "v1.otio", "--out", out), ExitCode.OUTPUT, out)
    ran = home.run("clean", film / "sound" / "1-T01.wav", "--out", out)
    assert_told(ran, ExitCode.OUTPUT, out)


def test_an_output_without_permission(
    delivered: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Home
) -> None:
    out, allowed = tmp_path / "out", os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != out and allowed(path, mode))
    ran = clean(own_home, delivered.film / "v1.otio", "--out", out)
    assert_told(ran, ExitCode.OUTPUT, out, "no permission")


class FullDisk:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, handle: Any, room: int) -> None:
        self.handle, self.room = handle, room

    def write(self, data: bytes) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(self.handle.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handle, name)


@pytest.mark.parametrize("folder", ["store", "stems", "clips"])
def test_a_full_disk_leaves_nothing_under_a_final_name(
    delivered: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    home, out = Home(tmp_path / "home"), tmp_path / "out"
    enter = WaveWriter.__enter__

    def entered(writer: WaveWriter) -> WaveWriter:
        enter(writer)
        if folder in writer.final.parts[-3:]:
            writer._handle = FullDisk(writer._handle, 20_000)  # type: ignore[assignment]
        return writer

    monkeypatch.setattr(WaveWriter, "__enter__", entered)
    ran = clean(home, delivered.film / "v1.otio", "--out", out)
    assert_told(ran, ExitCode.OUTPUT, tmp_path, "the disk has no room", "free some space")
    made = [path for path in tmp_path.rglob("*") if folder in path.parts and path.is_file()]
    assert made == []
    monkeypatch.undo()
    assert clean(home, delivered.film / "v1.otio", "--out", out).code == 0
    assert set(stems(out)) == set(stems(delivered.out))


def test_no_weights(film: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"ROOMTONE_DENOISER": "deepfilternet3"})
    ran = clean(home, film / "v1.otio", "--out", tmp_path / "out")
    assert_told(ran, ExitCode.ENGINE, "deepfilternet3", "roomtone models fetch", "--stand-in")
    assert not (tmp_path / "out").exists()


def test_corrupt_weights(film: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"ROOMTONE_DENOISER": "deepfilternet3"})
    weights = tmp_path / "home" / "weights" / "deepfilternet3"
    weights.mkdir(parents=True)
    for name in ("enc.onnx", "erb_dec.onnx", "df_dec.onnx", "config.ini"):
        (weights / name).write_bytes(b"not a network")
    ran = clean(home, film / "v1.otio", "--out", tmp_path / "out")
    assert_told(ran, ExitCode.ENGINE, weights, "roomtone models fetch deepfilternet3")


def test_a_recogniser_that_is_not_installed(film: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"ROOMTONE_RECOGNISER": "faster-whisper:small"})
    ran = clean(home, film / "v1.otio", "--out", tmp_path / "out")
    assert_told(ran, ExitCode.ENGINE, "faster-whisper", "small", tmp_path / "home" / "weights")


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("--recipe", "spotless", "standard"),
        ("--recipe", "missing.toml", "standard"),
        ("--loudness", "louder", "r128"),
        ("--edl-rate", "quick", "23.976"),
    ],
)
def test_a_value_that_there_is_not(
    home: Home, film: Path, option: str, value: str, remedy: str
) -> None:
    assert_told(clean(home, film / "v1.otio", option, value), ExitCode.USAGE, value, remedy)


def test_a_home_that_cannot_be_written(film: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    home = Home(tmp_path / "file" / "home")
    for ran in (clean(home, film / "v1.otio"), home.run("search", "x"), home.run("lines")):
        assert_told(ran, ExitCode.OUTPUT, home.folder, "ROOMTONE_HOME")


def test_a_database_that_is_not_ours(home: Home, film: Path) -> None:
    home.folder.mkdir()
    path = home.folder / "roomtone.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    for ran in (clean(home, film / "v1.otio"), home.run("search", "x")):
        assert_told(ran, ExitCode.INPUT, path, "ROOMTONE_HOME")
    path.write_bytes(b"not a database at all" * 99)
    assert_told(home.run("lines"), ExitCode.INPUT, path)


def test_a_file_that_nobody_knows(delivered: Delivered, tmp_path: Path) -> None:
    path = tmp_path / "stranger.wav"
    assert_told(delivered.home.run("trace", path), ExitCode.INPUT, path)
    path.write_bytes(b"x")
    assert_told(delivered.home.run("trace", path), ExitCode.INPUT, path, "not known")


def test_lines_of_a_take_that_nobody_knows(delivered: Delivered) -> None:
    ran = delivered.home.run("lines", "--take", "99-T09")
    assert_told(ran, ExitCode.INPUT, "99-T09")


def test_a_bug_is_told_briefly_and_logged(
    home: Home, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("something [odd]")

    monkeypatch.setattr("flows.clean_cut.read_turnover", fails)
    log = home.folder / "log" / "roomtone.log"
    ran = clean(home, film / "v1.otio")
    assert_told(ran, ExitCode.INTERNAL, "ZeroDivisionError: something [odd]", log)
    assert "Traceback" in log.read_text("utf-8")
