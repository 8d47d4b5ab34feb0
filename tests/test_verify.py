"""`roomtone verify` knows a file by its content, and says in a line what holds of it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
import soundfile as sf
from injuries import Patient, patient
from production import Delivered, Home

from core.errors import ExitCode


@pytest.fixture
def it(delivered: Delivered, tmp_path: Path) -> Patient:
    return patient(delivered, tmp_path)


def verified(home: Home, *files: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.run("verify", "--json", *files).json
    return found


def verdict(home: Home, file: Path) -> str:
    (found,) = verified(home, file)
    return str(found["verdict"])


def changed_byte(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_every_file_of_a_delivery_is_what_it_was(it: Patient) -> None:
    ran = it.home.run("verify", *it.listed, *it.store)
    assert ran.code == ExitCode.OK
    assert ran.out.count(": unchanged since 2") == len(it.listed) + len(it.store)


def test_a_renamed_and_moved_stem_is_known(it: Patient, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "music.wav"
    moved.parent.mkdir()
    shutil.move(it.out / "stems" / "v1.A1_DX.NR.wav", moved)
    (found,) = verified(it.home, moved)
    assert (found["verdict"], found["by"]) == ("unchanged", "database")
    assert "NR A1 DX of v1" in found["what"]
    assert "known as v1.A1_DX.NR.wav" in found["said"]


def test_an_original_is_known_and_so_is_its_sound_in_another_container(
    it: Patient, delivered: Delivered, tmp_path: Path
) -> None:
    original = delivered.film / "sound" / "1-T01.wav"
    assert verdict(it.home, original) == "unchanged"
    sound, rate = sf.read(original, dtype="int32")
    sf.write(tmp_path / "copy.flac", sound, rate, subtype="PCM_24")
    (found,) = verified(it.home, tmp_path / "copy.flac")
    assert found["verdict"] == "sound unchanged"
    assert "original 1-T01.wav" in found["said"]


def test_a_header_that_changed_leaves_the_sound_known(it: Patient) -> None:
    stem = it.out / "stems" / "v1.DX.wav"
    at = stem.read_bytes().index(b"bext") + 8
    changed_byte(stem, at + 3)  # in the description
    (found,) = verified(it.home, stem)
    assert found["verdict"] == "sound unchanged"
    assert "header changed: stem DX of v1" in found["said"]


def test_a_stem_that_was_moved_in_time_is_told(it: Patient) -> None:
    stem = it.out / "stems" / "v1.DX.wav"
    data = stem.read_bytes()
    low = data.index(b"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>") + 37
    stem.write_bytes(data[:low] + b"9" + data[low + 1 :])
    (found,) = verified(it.home, stem)
    assert found["verdict"] == "sound unchanged"
    assert "was delivered at 01:00:00:00" in found["said"]


def test_a_sample_that_changed_is_told_where_the_file_lay(it: Patient, tmp_path: Path) -> None:
    stem = it.out / "stems" / "v1.DX.wav"
    changed_byte(stem, 500_000)
    ran = it.home.run("verify", stem)
    assert ran.code == ExitCode.CHECK
    assert "sound differs from what roomtone left here: stem DX of v1" in ran.out
    shutil.move(stem, tmp_path / "x.wav")
    (found,) = verified(it.home, tmp_path / "x.wav")
    assert found["verdict"] == "unknown"
    assert "roomtone had a hand in it (v1 DX)" in found["said"]


def test_an_excerpt_by_ffmpeg_is_not_known_and_said_so(it: Patient, tmp_path: Path) -> None:
    excerpt = tmp_path / "excerpt.wav"
    ffmpeg, stem = imageio_ffmpeg.get_ffmpeg_exe(), it.out / "stems" / "v1.DX.wav"
    cut = ["-ss", "1", "-t", "2", "-i", stem, "-c", "copy", excerpt]
    subprocess.run([ffmpeg, "-v", "error", *cut], check=True)
    (found,) = verified(it.home, excerpt)
    assert found["verdict"] == "unknown"


def test_without_a_home_the_list_beside_a_file_knows_it(it: Patient, tmp_path: Path) -> None:
    nobody = Home(tmp_path / "nobody")
    found = verified(nobody, *it.listed)
    assert {item["verdict"] for item in found} == {"unchanged"}
    assert {item["by"] for item in found} == {"delivery.json"}
    stem = it.out / "stems" / "v1.A1_DX.DX.wav"
    at = stem.read_bytes().index(b"bext") + 8
    changed_byte(stem, at)
    assert verdict(nobody, stem) == "sound unchanged"
    changed_byte(stem, 500_000)
    (found,) = verified(nobody, stem)
    assert found["verdict"] == "changed"
    assert "DX A1 DX of v1" in found["said"]
    assert not (tmp_path / "nobody").exists()


def test_a_file_of_nobodys_is_unknown_and_one_that_is_not_there_stops_nothing(
    it: Patient, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "broken.wav").write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0")
    names = ("gone.wav", "notes.txt", "empty.wav", "broken.wav")
    found = verified(it.home, *(tmp_path / name for name in names))
    assert [item["verdict"] for item in found] == ["unreadable", *["unknown"] * 3]


def test_a_cleaned_take_of_the_store_is_told_by_its_original(it: Patient) -> None:
    take = it.store[0]
    (found,) = verified(it.home, take)
    assert found["what"].startswith("cleaned take of 1-T0")
    assert "recipe standard" in found["what"]
    at = take.read_bytes().index(b"iXML") + 8
    changed_byte(take, at + 60)
    assert verdict(it.home, take) == "sound unchanged"


def test_a_stem_of_before_sound_was_noted_is_not_said_to_sound_different(it: Patient) -> None:
    with closing(sqlite3.connect(it.database)) as connection, connection:
        connection.execute("UPDATE assets SET sound = ''")
    (it.out / "delivery.json").unlink()
    stem = it.out / "stems" / "v1.DX.wav"
    changed_byte(stem, stem.read_bytes().index(b"bext") + 8)
    (found,) = verified(it.home, stem)
    assert (found["verdict"], found["said"].startswith("bytes differ")) == ("changed", True)


def test_a_report_that_was_edited_is_changed(it: Patient) -> None:
    report = it.out / "report.html"
    report.write_text(report.read_text("utf-8") + "<!-- mine -->", "utf-8")
    (found,) = verified(it.home, report)
    assert found["verdict"] == "changed"
    assert found["said"].startswith("bytes differ")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_byte_is_flipped_a_stem_is_not_unchanged(it: Patient, seed: int) -> None:
    stem = it.out / "stems" / "v1.DX.wav"
    size = stem.stat().st_size
    changed_byte(stem, (seed * 7919 * 131) % size)
    assert verdict(it.home, stem) in ("sound unchanged", "changed", "unreadable")
