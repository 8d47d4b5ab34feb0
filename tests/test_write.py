"""A file is there whole or not at all, and holds exactly the integers that were given."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adapters.media.bwf import read_notes
from adapters.media.probe import probe
from adapters.media.whole import part_path
from adapters.media.write import WaveWriter, sweep, write_bytes, write_text
from core.errors import OutputError
from core.media import SoundNotes

FULL = 1 << 23
NOTES = SoundNotes(scene="12A", time_reference=172_972_800)


def grid(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(1).integers(-FULL, FULL, (frames, channels))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    blocks=st.lists(
        hnp.arrays(np.int32, st.tuples(st.integers(0, 40), st.just(3)),
                   elements=st.integers(-FULL, FULL - 1)),
        max_size=4,
    )
)  # fmt: skip
def test_24_bit_files_hold_the_very_integers(tmp_path: Path, blocks: list[np.ndarray]) -> None:
    path = tmp_path / "x.wav"
    with WaveWriter(path, 48000, 3, "PCM_24", NOTES) as out:
        for block in blocks:
            out.write(block)
    found, rate = sf.read(path, dtype="int32", always_2d=True)
    wanted = np.concatenate([np.zeros((0, 3), np.int32), *blocks])
    assert rate == 48000
    assert np.array_equal(found >> 8, wanted)
    assert path.stat().st_size % 2 == 0


def test_the_bytes_are_little_endian_twos_complement(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with WaveWriter(path, 48000, 1, "PCM_24", NOTES) as out:
        out.write(np.array([1, -1, FULL - 1, -FULL, 0x123456]))
    sound = path.read_bytes().split(b"data", 1)[1]
    assert sound[:4] == struct.pack("<I", 15)
    assert sound[4:].hex() == "010000ffffffffff7f00008056341200"


def test_float_files_pass_full_scale(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with WaveWriter(path, 96000, 1, "FLOAT", NOTES) as out:
        out.write(np.array([3 * FULL, -FULL // 2, 1]))
    found, rate = sf.read(path)
    assert rate == 96000
    assert found.tolist() == [3.0, -0.5, 2**-23]
    assert sf.info(path).subtype == "FLOAT"


@pytest.mark.parametrize("bad", [FULL, -FULL - 1])
def test_what_does_not_fit_24_bits_is_refused(tmp_path: Path, bad: int) -> None:
    path = tmp_path / "x.wav"
    with (
        pytest.raises(ValueError, match="do not fit"),
        WaveWriter(path, 48000, 1, "PCM_24", NOTES) as out,
    ):
        out.write(np.array([0, bad]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [np.zeros((4, 3), int), np.zeros((4, 2)), np.zeros(4, int)])
def test_wrong_shapes_and_types_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    with (
        pytest.raises(ValueError, match=r"shape|whole numbers"),
        WaveWriter(tmp_path / "x.wav", 48000, 2, "PCM_24", NOTES) as out,
    ):
        out.write(wrong)


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_a_file_past_the_limit_is_rf64_with_the_same_sound(tmp_path: Path, subtype: str) -> None:
    samples = grid(1001, 3)
    path = tmp_path / "x.wav"
    with WaveWriter(path, 48000, 3, subtype, NOTES, riff_limit=5000) as out:
        out.write(samples[:500])
        out.write(samples[500:])
    width = 3 if subtype == "PCM_24" else 4
    head = path.read_bytes()[:48]
    assert head[:16] == b"RF64\xff\xff\xff\xffWAVEds64"
    riff, data, frames = struct.unpack("<QQQ", head[20:44])
    assert (riff, data, frames) == (path.stat().st_size - 8, 1001 * 3 * width, 1001)
    assert sf.info(path).format == "RF64"
    assert np.array_equal(sf.read(path)[0] * FULL, samples)
    assert probe(path).warnings == ()
    assert read_notes(path).time_reference == NOTES.time_reference


def test_an_ordinary_file_is_riff_and_its_sizes_are_right(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with WaveWriter(path, 48000, 2, "FLOAT", NOTES) as out:
        out.write(grid(100))
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert data[12:16] == b"JUNK"
    fact = data.index(b"fact")
    assert struct.unpack("<II", data[fact + 4 : fact + 12]) == (4, 100)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"the old one")

    def fail_halfway() -> None:
        with WaveWriter(path, 48000, 2, "PCM_24", NOTES) as out:
            out.write(grid(100))
            assert path.read_bytes() == b"the old one"
            raise RuntimeError("engine died")

    with pytest.raises(RuntimeError, match="engine died"):
        fail_halfway()
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("a.wav", "b.wav"):
        with WaveWriter(tmp_path / name, 48000, 2, "PCM_24", NOTES, {"RECIPE": "film"}) as out:
            out.write(grid(100))
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


def test_a_full_disk_is_one_sentence_and_no_file(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    script = f"""
import resource, signal, sys
import numpy as np
from pathlib import Path
from adapters.media.write import WaveWriter
from core.errors import OutputError
from core.media import SoundNotes
import soundfile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with WaveWriter(Path({str(tmp_path / "x.wav")!r}), 48000, 1, "PCM_24", SoundNotes()) as out:
        for _ in range(100):
            out.write(np.zeros(10_000, int))
except OutputError as fault:
    print(fault)
"""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert "x.wav can't be written, the disk has no room" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "x.wav" / "kept").mkdir(parents=True)
    with (
        pytest.raises(OutputError, match=r"x\.wav"),
        WaveWriter(tmp_path / "x.wav", 48000, 2, "PCM_24", NOTES) as out,
    ):
        out.write(grid(10))
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OutputError, match="in the way"):
        write_text(file / "report.html", "x")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_without_permission_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="not allowed"):
        write_bytes(tmp_path / "x", b"")


def test_text_and_bytes_replace_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "report.json"
    write_text(path, "é\r\n")
    assert path.read_bytes() == b"\xc3\xa9\r\n"
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_very_long_name_still_gets_a_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 120 + ".json")
    write_text(path, "x")
    assert path.read_text() == "x"


def test_a_sweep_takes_what_crashes_left_and_nothing_else(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    mine = part_path(tmp_path / "x.wav")
    dead = mine.with_name(mine.name.replace(f".{os.getpid()}-", f".{ended.pid}-"))
    deep = tmp_path / "stems" / dead.name
    host = mine.name.split("-")[1][:4]
    other = "0000" if host != "0000" else "1111"
    foreign = dead.with_name(dead.name.replace(f"-{host}", f"-{other}"))
    old = foreign.with_name(foreign.name.replace("x.wav", "y.wav"))
    innocent = [tmp_path / name for name in ("x.wav", "take.part", ".x.wav.12.part", ".x.part")]
    deep.parent.mkdir()
    for path in (mine, dead, deep, foreign, old, *innocent):
        path.touch()
    long_ago = time.time() - 2 * 24 * 3600
    for path in (old, *innocent):
        os.utime(path, (long_ago, long_ago))
    assert sweep(tmp_path, deep=False) == 2
    assert sweep(tmp_path) == 1
    assert not any(path.exists() for path in (dead, deep, old))
    assert all(path.exists() for path in (mine, foreign, *innocent))
    assert sweep(tmp_path) == 0
