"""A cut comes back as stems, clips and a timeline that null, fit and say what they are."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
from production import (
    BOOM_TRACK,
    CUT_START,
    LAV_TRACK,
    PER_FRAME,
    RATE,
    TAKES,
    V1,
    Delivered,
    Home,
    Play,
    build,
    naive_track,
    standing_in,
    stems,
    steps,
    write_otio,
)
from wavinfo import WavInfoReader
from yardstick import libebur128

FRAMES = 150 * PER_FRAME
DISSOLVE = (384 * PER_FRAME, 396 * PER_FRAME)
"""Of the shared production; the truth has a hard cut in the middle of it."""


def loudness(path: Path) -> tuple[float, float]:
    """Integrated LUFS and highest true peak in dBTP, by libebur128."""
    return libebur128(sf.read(path, always_2d=True)[0], RATE)


def assert_identities(out: Path, tracks: Sequence[str] = ("A1_DX", "A2_LAV")) -> None:
    """The sums that every delivery keeps, sample for sample."""
    files = stems(out)
    sound = {name: steps(path) for name, path in files.items()}
    for track in tracks:
        np.testing.assert_array_equal(
            sound[f"{track}.PROD"] - sound[f"{track}.DX"] - sound[f"{track}.NR"], 0
        )
    np.testing.assert_array_equal(sum(sound[f"{track}.DX"] for track in tracks), sound["DX"])
    people = sum(grid for name, grid in sound.items() if name.startswith("CHAR."))
    np.testing.assert_array_equal(people + sound["OTHER"], sound["DX"])


def test_production_is_dialogue_and_noise_and_dialogue_is_its_characters_and_the_rest(
    delivered: Delivered,
) -> None:
    assert_identities(delivered.out)
    heard = {name: np.abs(steps(path)).max() for name, path in stems(delivered.out).items()}
    assert {name for name in heard if name.startswith("CHAR")} == {"CHAR.REN", "CHAR.MARA"}
    assert all(peak > 100 for peak in heard.values())


def test_the_production_track_is_the_takes_laid_end_to_end(delivered: Delivered) -> None:
    for track, name in ((BOOM_TRACK, "A1_DX.PROD"), (LAV_TRACK, "A2_LAV.PROD")):
        expected = naive_track(delivered.film, V1, track)
        np.testing.assert_array_equal(steps(stems(delivered.out)[name])[:, 0], expected)


def test_a_dissolve_is_heard_from_both_sides(delivered: Delivered) -> None:
    middle = 50 * PER_FRAME
    around = slice(middle - 6 * PER_FRAME, middle + 6 * PER_FRAME)
    mixed = steps(stems(delivered.out)["A1_DX.PROD"])[around, 0]
    cut_hard = [Play(p.track, p.take, p.record, p.source, p.length, p.channel) for p in V1]
    hard = naive_track(delivered.film, cut_hard, BOOM_TRACK)[around]
    assert np.mean(mixed != hard) > 0.99


def test_every_stem_is_exactly_as_long_as_the_cut_and_starts_where_it_does(
    delivered: Delivered,
) -> None:
    for name, path in stems(delivered.out).items():
        info = WavInfoReader(str(path))
        assert info.data.frame_count == FRAMES, name
        assert info.fmt.sample_rate == RATE
        assert info.bext.time_reference == CUT_START * PER_FRAME
        assert "T=roomtone" in info.bext.coding_history
        assert ("RNNoise" in info.bext.coding_history) == (not name.endswith("PROD"))
        assert info.ixml.parsed.findtext("SPEED/TIMECODE_RATE") == "24000/1001"
        assert [track.name for track in info.ixml.track_list] == [name]


def test_noise_is_taken_and_speech_is_left(delivered: Delivered) -> None:
    files = stems(delivered.out)
    pause = slice(100 * PER_FRAME, 108 * PER_FRAME)
    voiced = steps(files["A1_DX.PROD"])
    assert not voiced[pause].any()  # nothing plays between the last two events
    quiet = slice(62 * PER_FRAME, 66 * PER_FRAME)  # frame 42 of 1-T02, before the second voice
    raw, clean = (steps(files[f"A1_DX.{role}"])[quiet].std() for role in ("PROD", "DX"))
    assert 10 < 20 * np.log10(raw / clean) < 26  # the limit of the standard recipe


def test_the_list_names_every_file_as_it_is(delivered: Delivered) -> None:
    listed = delivered.list
    files = {entry["path"]: entry for entry in listed["files"]}
    present = {
        path.relative_to(delivered.out).as_posix()
        for path in delivered.out.rglob("*")
        if path.is_file()
    }
    assert present == {*files, "delivery.json"}
    for name, entry in files.items():
        content = (delivered.out / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert len(content) == entry["bytes"]
        if name.endswith(".wav"):
            info = sf.info(delivered.out / name)
            assert (info.frames, info.channels, info.samplerate, info.subtype) == (
                entry["frames"],
                entry["channels"],
                entry["sample_rate"],
                entry["subtype"],
            )
    assert listed["state"] == "complete"
    assert (
        listed["cut"]["sha256"]
        == hashlib.sha256((delivered.film / "v1.otio").read_bytes()).hexdigest()
    )
    by_path = {name: entry["start_timecode"] for name, entry in files.items()}
    assert by_path["stems/v1.A1_DX.DX.wav"] == "01:00:00:00"
    assert by_path["clips/1_2_REN.wav"] == "11:00:00:08"


def test_the_timeline_has_original_and_cleaned_media_for_each_clip(delivered: Delivered) -> None:
    folder = delivered.out / "timelines"
    timeline = otio.adapters.read_from_file(str(folder / "v1.cleaned.otio"))
    clips = timeline.find_clips()
    assert len(clips) == len(V1)
    for clip in clips:
        assert set(clip.media_references()) == {"original", "cleaned"}
        assert clip.active_media_reference_key == "cleaned"
        for reference in clip.media_references().values():
            path = folder / otio.url_utils.filepath_from_url(reference.target_url)
            available = reference.available_range
            seconds = available.duration.to_seconds()
            assert sf.info(path.resolve()).frames == pytest.approx(seconds * RATE, abs=1)
            assert available.contains(clip.source_range)


def test_what_a_bypass_leaves_is_the_original(film: Path, tmp_path: Path) -> None:
    home, out = Home(tmp_path / "home"), tmp_path / "out"
    words = ("clean", film / "v1.otio", "--recipe", "bypass", "--out", out, "--direct")
    assert home.run(*words).code == 0
    files = stems(out)
    for track in ("A1_DX", "A2_LAV"):
        assert not steps(files[f"{track}.NR"]).any()
        np.testing.assert_array_equal(steps(files[f"{track}.DX"]), steps(files[f"{track}.PROD"]))
    # Event 2 of the boom: frames 24 to 82 of 1-T02 with its dissolves, and 24 frames each way.
    clip = out / "clips" / "1_2_BOOM.wav"
    first = max(0, (24 - 24) * PER_FRAME)
    last = min(TAKES[1].samples, (76 + 24) * PER_FRAME)
    take = steps(film / "sound" / "1-T02.wav")[first:last, :1]
    np.testing.assert_array_equal(steps(clip), take)
    info = WavInfoReader(str(clip))
    assert info.bext.time_reference == TAKES[1].start * PER_FRAME + first
    assert (info.ixml.scene, info.ixml.take, info.ixml.tape) == ("1", "2", "SR7")


def test_a_loudness_is_reached_by_one_gain_for_all_stems(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    out = tmp_path / "out"
    words = ("clean", delivered.film / "v1.otio", "--loudness", "r128", "--out", out)
    ran = own_home.run(*words, "--direct", "--json")
    assert ran.code == 0, ran.err
    integrated, peak = loudness(stems(out)["DX"])
    assert integrated == pytest.approx(-23.0, abs=0.1)
    assert peak < -1.0
    assert_identities(out)
    gain = 10 ** (ran.json["gain_db"] / 20)
    before, after = (steps(stems(at)["A1_DX.PROD"]) for at in (delivered.out, out))
    np.testing.assert_allclose(after, before * gain, rtol=0, atol=0.5 + 0.5 * gain)


def loud_film(folder: Path, level: float, clap: float) -> Path:
    """The production with its takes at another level, and a clap in the first."""
    build(folder)
    for take in TAKES:
        path = folder / "sound" / f"{take.name}.wav"
        sound = np.clip(sf.read(path)[0] * level, -0.99, 0.99)
        if take.name == "1-T01":
            sound[30 * PER_FRAME : 30 * PER_FRAME + 96] = clap * np.cos(np.arange(96))[:, None]
        sf.write(path, sound, RATE, subtype="PCM_24")
    return folder


def test_a_gain_that_would_pass_the_ceiling_is_lowered_and_says_so(tmp_path: Path) -> None:
    film = loud_film(tmp_path / "film", 1.0, 0.5)
    home, out = Home(tmp_path / "home"), tmp_path / "out"
    words = ("clean", film / "v1.otio", "--recipe", "bypass", "--loudness", "r128", "--direct")
    ran = home.run(*words, "--out", out)
    assert ran.code == 0, ran.err
    integrated, peak = loudness(stems(out)["DX"])
    assert peak == pytest.approx(-1.0, abs=0.3)
    assert peak <= -0.95
    assert integrated < -24
    listed = json.loads((out / "delivery.json").read_text("utf-8"))["loudness"]
    assert listed["limited_by_peak"] is True
    assert listed["delivered_lufs"] == pytest.approx(integrated, abs=0.1)
    assert f"stays {-23 - listed['delivered_lufs']:.1f} LU below the target" in ran.out
    assert listed["reason"] in (out / "report.html").read_text("utf-8").replace("&#39;", "'")
    assert_identities(out)


def test_a_stem_that_passes_full_scale_is_float_and_still_exact(tmp_path: Path) -> None:
    film = loud_film(tmp_path / "film", 40.0, 0.5)
    home, out = Home(tmp_path / "home"), tmp_path / "out"
    words = ("clean", film / "v1.otio", "--recipe", "bypass", "--out", out, "--direct")
    ran = home.run(*words)
    assert ran.code == 0
    assert "pass full scale, so 32-bit float files were written" in " ".join(ran.out.split())
    production = stems(out)["A1_DX.PROD"]
    expected = naive_track(film, V1, BOOM_TRACK)
    assert np.abs(expected).max() > 2**23
    assert sf.info(production).subtype == "FLOAT"
    np.testing.assert_array_equal(steps(production)[:, 0], expected)
    assert_identities(out)


def test_tracks_of_one_name_stay_apart(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    film = tmp_path / "film"
    shutil.copytree(delivered.film, film)
    timeline = otio.adapters.read_from_file(str(film / "v1.otio"))
    for track, name in zip(timeline.tracks, ("DX.", "dx"), strict=True):
        track.name = name
    (film / "v1.otio").write_text(timeline.to_json_string())
    out = tmp_path / "out"
    assert own_home.run("clean", film / "v1.otio", "--out", out, "--direct").code == 0
    files, earlier = stems(out), stems(delivered.out)
    for name, before in (("DX.PROD", "A1_DX.PROD"), ("dx_2.PROD", "A2_LAV.PROD")):
        np.testing.assert_array_equal(steps(files[name]), steps(earlier[before]))
    np.testing.assert_array_equal(steps(files["DX"]), steps(earlier["DX"]))


def test_a_delivery_among_the_media_is_not_taken_for_media(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "film"
    shutil.copytree(film, folder)
    # Without clip names only reel and timecode lead to the takes, and the clips have both.
    nameless = [line for line in (film / "v1.edl").read_text().splitlines() if line[0] != "*"]
    (folder / "v1.edl").write_text("\n".join(nameless) + "\n")
    home = Home(folder / "home")
    with standing_in(folder):
        first = home.run("clean", "v1.edl", "--direct", "--json").json
        shutil.copytree(folder / "v1_roomtone", folder / "copy")
        audio = home.run("clean", "sound/1-T01.wav", "--out", "cleaned sound")
        second = home.run("clean", "v1.edl", "--direct", "--json", "--out", "again").json
    assert audio.code == 0
    assert (first["offline"], second["offline"]) == ([], [])
    assert (first["takes_cleaned"], second["takes_cleaned"]) == (2, 0)
    for name, path in stems(folder / "again").items():
        np.testing.assert_array_equal(
            steps(path), steps(folder / "v1_roomtone" / "stems" / f"v1.{name}.wav")
        )


def test_an_edl_gives_the_same_production_track_as_the_otio(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    hard = [Play(p.track, p.take, p.record, p.source, p.length) for p in V1 if p.channel == 0]
    out = tmp_path / "out"
    # The boom is the first channel of the takes, which is what A means.
    words = ("clean", delivered.film / "v1.edl", "--out", out, "--direct", "--json")
    ran = own_home.run(*words)
    assert (ran.code, ran.json["takes_cleaned"]) == (0, 0)
    expected = naive_track(delivered.film, hard, BOOM_TRACK)
    (production,) = (path for name, path in stems(out).items() if name.endswith("PROD"))
    found = steps(production)[:, 0]
    assert "at 23.976 frames a second" in " ".join(ran.json["notes"])
    # The list has no leader: its record starts with the first event.
    lead = 6 * PER_FRAME if len(found) < 150 * PER_FRAME - 6 * PER_FRAME else 0
    np.testing.assert_array_equal(found, expected[lead : lead + len(found)])


def test_what_plays_backwards_is_silent_and_named(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    timeline = otio.adapters.read_from_file(str(delivered.film / "v1.otio"))
    clip = timeline.find_clips()[0]
    clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=-1.0))
    cut = tmp_path / "fast.otio"
    cut.write_text(timeline.to_json_string())
    words = ("clean", cut, "--media", delivered.film, "--out", tmp_path / "out", "--direct")
    ran = own_home.run(*words, "--json")
    assert ran.code == 0, ran.err
    assert [note for note in ran.json["notes"] if "A1 DX/001" in note and "silent" in note]


@pytest.mark.shared
def test_a_production_of_real_speech_conforms_to_its_truth(bypassed: Delivered) -> None:
    harbour, out = bypassed.film, bypassed.out
    assert bypassed.list["offline"] == []
    for track in ("A1_DX", "A2_DX_LAV"):
        truth = steps(harbour / "truth" / f"cut_v1.{track}.prod.flac")
        found = steps(stems(out)[f"{track}.PROD"])
        assert len(found) == len(truth)
        apart = np.flatnonzero(np.abs(found - truth) > 1)
        assert set(apart) <= (set(range(*DISSOLVE)) if track == "A1_DX" else set())
    assert_identities(out, ("A1_DX", "A2_DX_LAV"))


def test_a_cut_without_its_own_folder_of_media_is_told_where(tmp_path: Path) -> None:
    cut = write_otio(tmp_path / "lost.otio", V1)
    ran = Home(tmp_path / "home").run("clean", cut, "--out", tmp_path / "out", "--direct")
    assert ran.code == 4
    assert "--media" in ran.err
    assert not (tmp_path / "out").exists()
