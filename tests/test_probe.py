"""Headers are held against the bytes: what is read is right, and what lies is refused."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import struct
import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.media.containers import check_plausible
from adapters.media.decode import Sound, blocks, sound_file
from adapters.media.essence import essence_sha256, file_sha256
from adapters.media.probe import probe, scan
from core.errors import InputError

FRAMES = 30011


def tone(frames: int = FRAMES) -> np.ndarray:
    """Two channels of noise that a lossy codec keeps, quiet enough not to clip."""
    noise = np.random.default_rng(7).standard_normal((frames + 200, 2))
    smooth = np.apply_along_axis(lambda x: np.convolve(x, np.hanning(60), "same"), 0, noise)
    return (smooth[:frames] * 0.03).astype(np.float64)


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wav") / "take.wav"
    sf.write(path, tone(), 48000, subtype="PCM_24")
    return path


def ffmpeg(*arguments: object) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


def patched(wav: Path, folder: Path, changes: dict[int, bytes], tail: bytes = b"") -> Path:
    data = bytearray(wav.read_bytes())
    for at, value in changes.items():
        data[at : at + len(value)] = value
    path = folder / "patched.wav"
    path.write_bytes(bytes(data) + tail)
    return path


def data_size_at(wav: Path) -> int:
    return wav.read_bytes().index(b"data") + 4


@pytest.mark.shared
def test_the_production_is_read_as_its_truth_says(harbour: Path) -> None:
    takes = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    assert len(takes) == 6
    for name, take in takes.items():
        media = probe(harbour / "sound" / f"{name}.wav")
        assert (media.container, media.subtype) == ("WAV", "PCM_24")
        assert (media.sample_rate, media.channels) == (48000, 4)
        assert media.frames == take["frames"]
        assert media.notes.time_reference == take["time_reference"]
        assert media.warnings == ()


@pytest.mark.shared
def test_recorders_files_are_whole_and_without_warnings(shared: Path) -> None:
    files = scan([shared / "recorders"])
    assert len(files) == 8
    for path in files:
        assert probe(path).frames == sf.info(path).frames
        assert probe(path).warnings == ()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.floats(0, 1, exclude_max=True))
def test_a_wav_cut_anywhere_in_its_sound_is_refused(wav: Path, tmp_path: Path, kept: float) -> None:
    start = data_size_at(wav) + 4
    whole = wav.read_bytes()
    path = tmp_path / "cut.wav"
    path.write_bytes(whole[: start + int(kept * (len(whole) - start))])
    with pytest.raises(InputError, match=r"cut\.wav"):
        probe(path)


@pytest.mark.parametrize("size", [0, 600, 0xFFFFFFFF, FRAMES * 6 + 6, 0x7FFFFFFF])
def test_a_data_chunk_that_lies_about_its_size_is_refused(
    wav: Path, tmp_path: Path, size: int
) -> None:
    path = patched(wav, tmp_path, {data_size_at(wav): struct.pack("<I", size)})
    with pytest.raises(InputError, match=r"patched\.wav"):
        probe(path)


def test_an_unclosed_rf64_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    sf.write(path, tone(), 48000, format="RF64", subtype="PCM_24")
    assert probe(path).frames == FRAMES
    data = bytearray(path.read_bytes())
    ds64 = data.index(b"ds64") + 8
    data[ds64 : ds64 + 24] = bytes(24)
    path.write_bytes(data)
    with pytest.raises(InputError, match="never closed"):
        probe(path)


def test_a_wrong_outer_length_is_harmless(wav: Path, tmp_path: Path) -> None:
    media = probe(patched(wav, tmp_path, {4: struct.pack("<I", 36)}))
    assert media.frames == FRAMES
    assert len(media.warnings) == 1
    assert "outer length" in media.warnings[0]


def test_a_short_tail_after_the_sound_is_harmless(wav: Path, tmp_path: Path) -> None:
    media = probe(patched(wav, tmp_path, {}, tail=b"TAG" + bytes(range(125))))
    assert media.frames == FRAMES
    assert any("128 bytes" in warning for warning in media.warnings)


def test_zeros_after_the_sound_are_harmless(wav: Path, tmp_path: Path) -> None:
    assert probe(patched(wav, tmp_path, {}, tail=bytes(100_000))).frames == FRAMES


def test_a_notes_chunk_cut_short_after_whole_sound_is_harmless(wav: Path, tmp_path: Path) -> None:
    tail = b"iXML" + struct.pack("<I", 20_000) + b"<BWFXML><SCENE>1</SCENE>" + bytes(9_000)
    media = probe(patched(wav, tmp_path, {}, tail=tail))
    assert media.frames == FRAMES
    assert any("iXML" in warning for warning in media.warnings)


@pytest.mark.parametrize(("suffix", "kind"), [("w64", "W64"), ("aiff", "AIFF"), ("flac", "FLAC")])
def test_other_formats_are_read_and_refused_when_cut(
    tmp_path: Path, suffix: str, kind: str
) -> None:
    path = tmp_path / f"take.{suffix}"
    sf.write(path, tone(), 48000, format=kind, subtype="PCM_24")
    media = probe(path)
    assert (media.container, media.frames, media.channels) == (kind, FRAMES, 2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match="take"):
        probe(path)


def test_what_is_no_sound_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("roll SR014 is lost\n")
    empty = tmp_path / "empty.wav"
    empty.touch()
    silent = tmp_path / "no-samples.wav"
    sf.write(silent, np.zeros((0, 1)), 48000)
    for path in (tmp_path / "missing.wav", tmp_path, text, empty, silent):
        with pytest.raises(InputError) as fault:
            probe(path)
        sentence = str(fault.value)
        assert str(path) in sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence


def test_a_playlist_under_a_media_name_is_not_followed(wav: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{wav}\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError, match=r"list\.mp4"):
        probe(path)
    shutil.copy(wav, tmp_path / "take.wav")
    path.write_text("ffconcat version 1.0\nfile take.wav\n")
    with pytest.raises(InputError, match=r"list\.mp4"):
        probe(path)


@pytest.mark.parametrize(
    ("name", "codec", "floor_db"),
    [
        ("x.mov", ["pcm_s24le"], None),
        ("x.m4a", ["alac"], None),
        ("x.m4a", ["aac", "-b:a", "192k"], -20),
        ("x.mp3", ["libmp3lame", "-b:a", "192k"], -20),
        ("x.ogg", ["libvorbis"], -15),
        ("x.mka", ["libopus", "-b:a", "192k"], -15),
    ],
)
def test_containers_have_the_source_s_samples_and_length(
    wav: Path, tmp_path: Path, name: str, codec: list[str], floor_db: float | None
) -> None:
    path = tmp_path / name
    ffmpeg("-i", wav, "-c:a", *codec, path)
    media = probe(path)
    found, _ = sf.read(sound_file(media, tmp_path / "cache"))
    assert media.frames == len(found) == FRAMES
    wanted = sf.read(wav)[0]
    if floor_db is None:
        assert np.array_equal(found, wanted)
    else:
        # The error would be as loud as the sound if they were a few samples apart.
        middle = slice(4000, len(wanted) - 4000)
        error = np.mean((found[middle] - wanted[middle]) ** 2) / np.mean(wanted[middle] ** 2)
        assert 10 * math.log10(error) < floor_db


def test_an_mxf_has_the_source_s_samples(wav: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.mxf"
    picture = "testsrc=size=64x64:rate=25:duration=0.6"
    ffmpeg(
        *("-f", "lavfi", "-i", picture, "-i", wav, "-map", "0:v", "-map", "1:a"),
        *("-c:v", "mpeg2video", "-c:a", "pcm_s24le", "-timecode", "01:00:00:00", path),
    )
    media = probe(path)
    found, _ = sf.read(sound_file(media, tmp_path))
    assert media.notes.time_reference == 3600 * 48000
    assert media.frames == len(found) == 28800
    assert np.array_equal(found, sf.read(wav)[0][:28800])


def test_mono_streams_of_a_camera_file_are_its_channels(wav: Path, tmp_path: Path) -> None:
    path = tmp_path / "camera.mov"
    picture = "testsrc=size=64x64:rate=24000/1001:duration=0.5"
    split = "[1:a]channelsplit=channel_layout=stereo[l][r]"
    ffmpeg(
        *("-f", "lavfi", "-i", picture, "-i", wav, "-filter_complex", split),
        *("-map", "0:v", "-map", "[l]", "-map", "[r]", "-c:a", "pcm_s24le", "-c:v", "mpeg4"),
        *("-metadata", "timecode=10:00:00:00", path),
    )
    media = probe(path)
    assert (media.channels, media.frames) == (2, FRAMES)
    # 36,000 seconds of 23.976 timecode are 36,000 × 1.001 seconds of sound.
    assert media.notes.time_reference == 36000 * 48048
    found, _ = sf.read(sound_file(media, tmp_path))
    assert np.array_equal(found, sf.read(wav)[0])


def test_a_late_sound_track_starts_with_silence(wav: Path, tmp_path: Path) -> None:
    path = tmp_path / "late.mov"
    picture = "testsrc=size=64x64:rate=25:duration=1"
    ffmpeg(
        *("-f", "lavfi", "-i", picture, "-itsoffset", "0.25", "-i", wav),
        *("-map", "0:v", "-map", "1:a", "-c:a", "pcm_s24le", "-c:v", "mpeg4", path),
    )
    media = probe(path)
    found, _ = sf.read(sound_file(media, tmp_path))
    assert len(found) == media.frames == 12000 + FRAMES
    assert not found[:12000].any()
    assert np.array_equal(found[12000:], sf.read(wav)[0])


def test_a_container_cut_short_leaves_nothing_in_the_cache(wav: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mov"
    ffmpeg("-i", wav, "-c:a", "pcm_s24le", "-movflags", "faststart", path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match=r"cut\.mov"):
        sound_file(probe(path), cache)
    assert list(cache.iterdir()) == []


def test_essence_is_the_samples_and_nothing_else(wav: Path, tmp_path: Path) -> None:
    flac, mov, other = tmp_path / "x.flac", tmp_path / "x.mov", tmp_path / "other.wav"
    samples, rate = sf.read(wav)
    sf.write(flac, samples, rate, subtype="PCM_24")
    ffmpeg("-i", wav, "-c:a", "pcm_s24le", mov)
    samples[-1, -1] += 2**-23
    sf.write(other, samples, rate, subtype="PCM_24")
    found = []
    for path in (wav, flac, mov, other):
        media = probe(path)
        found.append(essence_sha256(media, sound_file(media, tmp_path)))
    assert found[0] == found[1] == found[2] != found[3]
    raw = np.frombuffer(wav.read_bytes()[data_size_at(wav) + 4 :], np.uint8).reshape(-1, 3)
    whole = np.pad(raw, ((0, 0), (1, 0))).copy().view("<i4")[:, 0] / 2.0**31
    hashed = hashlib.sha256(b"roomtone essence 1\n48000 2\n" + whole.astype("<f8").tobytes())
    assert found[0] == hashed.hexdigest()
    assert file_sha256(wav) == hashlib.sha256(wav.read_bytes()).hexdigest() != file_sha256(flac)


def test_the_sign_of_silence_is_no_part_of_essence(tmp_path: Path) -> None:
    found = []
    for name, zero in (("plus", 0.0), ("minus", -0.0)):
        path = tmp_path / f"{name}.wav"
        sf.write(path, np.full(100, zero), 48000, subtype="FLOAT")
        found.append(essence_sha256(probe(path), path))
    assert file_sha256(tmp_path / "plus.wav") != file_sha256(tmp_path / "minus.wav")
    assert found[0] == found[1]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_sample_that_is_no_number_is_named(tmp_path: Path, bad: float) -> None:
    samples = tone(100_000).astype(np.float32)
    samples[70_001, 1] = bad
    path = tmp_path / "nan.wav"
    sf.write(path, samples, 48000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"nan\.wav .* sample 70001 of channel 2 \(0:01\.458\)"):
        essence_sha256(probe(path), path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(-70_000, FRAMES + 10), frames=st.integers(0, 90_000), swap=st.booleans())
def test_reading_is_exact_inside_and_silent_outside(
    wav: Path, start: int, frames: int, swap: bool
) -> None:
    channels = (1, 0) if swap else (0,)
    whole = sf.read(wav, dtype="int32")[0] / 2.0**31
    padded = np.zeros((70_000 + FRAMES + 90_010, 2))
    padded[70_000 : 70_000 + FRAMES] = whole
    with Sound(wav) as sound:
        found = sound.read(start, frames, channels)
    wanted = padded[70_000 + start : 70_000 + start + frames, list(channels)]
    assert found.dtype == np.float64
    assert np.array_equal(found, wanted)


def test_blocks_make_the_whole_file_and_unknown_channels_are_refused(wav: Path) -> None:
    assert np.array_equal(np.concatenate(list(blocks(wav, (0, 1), 4096))), sf.read(wav)[0])
    with Sound(wav) as sound, pytest.raises(InputError, match="2 channel"):
        sound.read(0, 10, (2,))


def test_a_scan_stays_under_its_roots(tmp_path: Path) -> None:
    root, outside = tmp_path / "media", tmp_path / "outside.wav"
    (root / "day1").mkdir(parents=True)
    (root / ".trash").mkdir()
    for name in ("b.WAV", "day1/a.mov", "._b.wav", ".trash/c.wav", "day1/notes.txt", "d.wav.part"):
        (root / name).touch()
    outside.touch()
    (root / "escape.wav").symlink_to(outside)
    (root / "again.wav").symlink_to(root / "b.WAV")
    (root / "loop").symlink_to(root, target_is_directory=True)
    real = root.resolve()
    assert scan([root, root / "day1"]) == (real / "b.WAV", real / "day1" / "a.mov")
    with pytest.raises(InputError, match="nowhere"):
        scan([tmp_path / "nowhere"])


@pytest.mark.parametrize("name", ["noise.mov", "noise.mp3", "noise.mxf"])
def test_a_container_that_is_none_is_told_without_numbers_of_the_system(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 64)
    with pytest.raises(InputError) as told:
        probe(path)
    assert str(told.value).count(name) == 1
    assert "Errno" not in str(told.value)


def test_a_clock_that_jumps_by_a_year_is_told_and_not_filled_with_silence(tmp_path: Path) -> None:
    path = tmp_path / "jump.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for position in (0, 48_000 * 3600 * 24 * 365):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, position
            container.mux(stream.encode(frame))
    with pytest.raises(InputError, match=r"jump\.mkv has a gap of hours"):
        probe(path)


@pytest.mark.parametrize(
    ("at", "value", "told"),
    [
        (24, struct.pack("<I", 1), "sample rate of 1 Hz"),
        (24, struct.pack("<I", 2_000_000_000), "sample rate of 2000000000 Hz"),
        (22, struct.pack("<H", 1000), "1000 channels"),
    ],
)
def test_a_rate_or_a_number_of_channels_that_no_recorder_has_is_told(
    tmp_path: Path, at: int, value: bytes, told: str
) -> None:
    path = tmp_path / "x.wav"
    sf.write(path, np.zeros(96_000), 48_000, "PCM_16")
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    if at == 22:
        data[32:34] = struct.pack("<H", 2000)
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"x\.wav claims .*{told}"):
        probe(path)


def test_a_file_that_claims_years_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.flac claims to be over 30 days long"):
        check_plausible(tmp_path / "x.flac", 48_000, 1, 48_000 * 3600 * 24 * 31)
