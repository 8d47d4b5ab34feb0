"""A file that left the house is recognised, or honestly said to be unknown; and says what it is."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile as sf
import wavinfo
from production import PER_FRAME, RATE, Delivered, Home, stems
from test_trace import assert_whole, sources

from adapters.media.bwf import read_block
from adapters.media.essence import file_sha256
from adapters.media.excerpt import Excerpt


def cut_by_ffmpeg(source: Path, target: Path, *how: str) -> Path:
    """Two seconds from the first second on."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", "1", "-t", "2"]
    subprocess.run([*command, "-i", str(source), *how, str(target)], check=True)
    return target


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (("-c:a", "pcm_s24le"), "bit for bit"),
        (("-c", "copy"), "bit for bit"),
        (("-c:a", "pcm_s16le"), "as far as its 16 bits tell"),
        (("-c:a", "flac", "-sample_fmt", "s32"), "bit for bit"),
    ],
)
def test_an_excerpt_cut_by_another_tool_is_traced_to_its_samples(
    delivered: Delivered, tmp_path: Path, how: tuple[str, ...], said: str
) -> None:
    stem = stems(delivered.out)["A1_DX.DX"]
    suffix = ".flac" if "flac" in how else ".wav"
    cut = cut_by_ffmpeg(stem, tmp_path / f"from an email{suffix}", *how)
    told = delivered.home.run("trace", cut)
    assert told.code == 0, told.err
    first = told.out.splitlines()[0]
    assert said in first
    assert stem.name in first
    start = int(first.split("samples ")[1].split("-")[0])
    # FFmpeg cuts copies at the packets of its reader.
    assert start == RATE if "copy" not in how else abs(start - RATE) < 2048
    prov = delivered.home.run("trace", cut, "--json").json
    assert_whole(prov)
    (quoted,) = [
        facts
        for facts in prov["wasDerivedFrom"].values()
        if facts["prov:generatedEntity"] == f"sha256:{file_sha256(cut)}"
    ]
    assert quoted["prov:type"]["$"] == "prov:Quotation"
    assert quoted["prov:usedEntity"] == f"sha256:{file_sha256(stem)}"
    # The first second of the cut is frame 24 of it: frame 38 of the first take.
    takes = {(item[0], item[1]) for item in sources(prov, file_sha256(stem))}
    if "copy" not in how:
        first_take = file_sha256(delivered.film / "sound" / "1-T01.wav")
        assert (first_take, 20 * PER_FRAME + RATE - 6 * PER_FRAME) in takes


def test_another_header_is_no_other_sound(delivered: Delivered, tmp_path: Path) -> None:
    stem, other = stems(delivered.out)["A1_DX.DX"], tmp_path / "tagged.wav"
    data = bytearray(stem.read_bytes())
    place = data.index(b"bext") + 8
    data[place : place + 6] = b"EDITED"
    other.write_bytes(data)
    told = delivered.home.run("trace", other)
    assert told.code == 0
    assert "its sound is the same, sample for sample" in told.out.splitlines()[0]
    data[-3000] ^= 1
    other.write_bytes(data)
    told = delivered.home.run("trace", other)
    assert told.code == 0
    first = told.out.splitlines()[0]
    assert f"says that it is {stem.name}" in first
    assert "its sound is another now" in first


def test_what_is_unknown_is_said_to_be(delivered: Delivered, tmp_path: Path) -> None:
    noise, silence = tmp_path / "noise.wav", tmp_path / "silence.wav"
    sf.write(noise, np.random.default_rng(5).normal(size=RATE) * 0.1, RATE, "PCM_24")
    sf.write(silence, np.zeros(RATE), RATE, "PCM_24")
    for path, said in ((noise, "nor as an excerpt"), (silence, "it is silent")):
        told = delivered.home.run("trace", path)
        assert told.code == 3
        assert said in told.err
        assert len(told.err.strip().splitlines()) == 1


@pytest.mark.parametrize("channels", [1, 2])
def test_an_excerpt_is_found_at_its_place_in_any_channel(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(channels)
    whole = np.rint(rng.normal(size=(3 * RATE, 2)) * 2**18).astype(np.int32)
    sf.write(tmp_path / "whole.wav", whole / 2**23, RATE, "FLOAT")
    for number, (start, end) in enumerate(((0, 3 * RATE), (17, 300), (RATE, 3 * RATE))):
        part = (whole if channels == 2 else whole[:, 1])[start:end].copy()
        path = tmp_path / f"part{number}.wav"
        sf.write(path, part << 8, RATE, "PCM_24")  # left-justified, so that nothing is rounded
        match = Excerpt(path).found_in(tmp_path / "whole.wav")
        assert match is not None
        assert (match.start, match.end, match.channel) == (start, end, 2 - channels)
        part[-1] += 1
        sf.write(path, part << 8, RATE, "PCM_24")
        assert Excerpt(path).found_in(tmp_path / "whole.wav") is None


def test_every_file_tells_its_steps_as_r_98_asks(delivered: Delivered) -> None:
    files = {entry["path"]: entry for entry in delivered.list["files"]}
    for path, entry in files.items():
        if not path.endswith(".wav"):
            continue
        history = wavinfo.WavInfoReader(delivered.out / path).bext.coding_history
        lines = history.rstrip("\0").split("\r\n")
        assert lines.pop() == ""
        for line in lines:
            fields = dict(part.split("=", 1) for part in line.split(","))
            assert fields["A"] == "PCM"
            assert fields["F"] == str(RATE)
            assert fields["M"] == "mono"
        last = {"CLIP": "clip", "MIX": "mix"}.get(entry["role"], "conform")
        assert f" {last}" in lines[-1]
        assert f"W={24 if entry['subtype'] == 'PCM_24' else 32}," in lines[-1]
        cleaned = [line for line in lines if "clean standard; RNNoise 0.2" in line]
        assert len(cleaned) == (entry["role"] != "PROD")


def test_a_clip_keeps_the_fields_of_its_recorder(delivered: Delivered) -> None:
    for entry in (entry for entry in delivered.list["files"] if entry["role"] == "CLIP"):
        clip = ET.fromstring(_ixml(delivered.out / entry["path"]))
        name = f"{clip.findtext('SCENE')}-T0{clip.findtext('TAKE')}.wav"
        recorded = ET.fromstring(_ixml(delivered.film / "sound" / name))
        for field in ("PROJECT", "SCENE", "TAKE", "TAPE", "CIRCLED", "SPEED/TIMECODE_RATE"):
            assert clip.findtext(field) == recorded.findtext(field)
        block = {child.tag: child.text for child in clip.find("ROOMTONE") or ()}
        assert block["ORIGINAL_SHA256"] == file_sha256(delivered.film / "sound" / name)
        assert block["EVENT"] == entry["event"]


def _ixml(path: Path) -> bytes:
    data = path.read_bytes()
    place = data.index(b"iXML")
    size = int.from_bytes(data[place + 4 : place + 8], "little")
    return data[place + 8 : place + 8 + size].rstrip(b"\0")


def test_what_a_model_touched_says_so_unless_that_is_switched_off(
    own_home: Home, delivered: Delivered, tmp_path: Path
) -> None:
    for name, path in stems(delivered.out).items():
        block = read_block(path)
        touched = not name.endswith("PROD")
        assert block["AI_PROCESSED"] == ("TRUE" if touched else "FALSE")
        assert ("algorithmicallyEnhanced" in block.get("DIGITAL_SOURCE_TYPE", "")) is touched
        assert block.get("RECIPE", "") == ("standard" if touched else "")
        assert block.get("MODEL", "").startswith("RNNoise 0.2; weights sha256 ") is touched
        assert len(block["ID"]) == 64
    shutil.copytree(delivered.film, tmp_path / "film")
    quiet = Home(own_home.folder, {"ROOMTONE_AI_MARK": "false"})
    ran = quiet.run("clean", tmp_path / "film" / "v1.otio", "--out", tmp_path / "out", "--direct")
    assert ran.code == 0, ran.err
    unmarked = stems(tmp_path / "out")["DX"]
    assert "AI_PROCESSED" not in read_block(unmarked)
    marked = stems(delivered.out)["DX"]
    np.testing.assert_array_equal(sf.read(unmarked)[0], sf.read(marked)[0])


def test_what_is_bypassed_was_not_touched_by_a_model(
    own_home: Home, delivered: Delivered, tmp_path: Path
) -> None:
    words = ("clean", delivered.film / "sound" / "2-T01.wav", "--out", tmp_path / "out")
    ran = own_home.run(*words, "--recipe", "bypass")
    assert ran.code == 0, ran.err
    made = tmp_path / "out" / "2-T01.wav"
    assert read_block(made)["AI_PROCESSED"] == "FALSE"
    assert "RNNoise" not in wavinfo.WavInfoReader(made).bext.coding_history
    assert own_home.run("trace", made).code == 0
