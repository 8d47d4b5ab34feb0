"""Work is done once: what is there is left alone, and what was broken off is gone on with."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import time
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
import soundfile as sf
from production import (
    RATE,
    TAKES,
    Delivered,
    Home,
    ended,
    files_of,
    record_take,
    sound_of,
    stems,
    steps,
)

from adapters.media.whole import part_path
from config.recipes import GateLimits
from flows.lock import NAME, only_writer
from flows.progress import Silent

NOBODY = 5_000_000
"""The number of a process that has ended: higher than any system gives."""

KILLED_AT = (("home/store", 0.6), ("out/stems", 0.3))
"""Where a run is writing when it is killed, and how many seconds later at the most."""


@pytest.fixture
def own(delivered: Delivered, tmp_path: Path) -> Delivered:
    """A copy of the session's delivery with its home and production, to work on."""
    shutil.copytree(delivered.home.folder, tmp_path / "home")
    shutil.copytree(delivered.out, tmp_path / "out")
    shutil.copytree(delivered.film, tmp_path / "film")
    made = Delivered(tmp_path / "film", Home(tmp_path / "home"), tmp_path / "out")
    ran = made.home.run("clean", made.film / "v1.otio", "--out", made.out, "--direct", "--json")
    assert (ran.code, ran.json["takes_cleaned"]) == (0, 0), ran.err
    return made


def test_a_second_run_does_nothing_but_clear_away(own: Delivered) -> None:
    before, store = files_of(own.out), files_of(own.home.folder / "store")
    for place in (own.out / "report.html", own.out / "stems" / "a.wav"):
        half = part_path(place)
        half.with_name(half.name.replace(f".{os.getpid()}-", f".{NOBODY}-")).touch()
    ran = own.home.run("clean", own.film / "v1.otio", "--out", own.out, "--direct", "--json")
    assert ran.code == 0
    outcome = ran.json
    assert (outcome["takes_cleaned"], outcome["takes_heard"]) == (0, 0)
    assert outcome["rendered_now"] is False
    assert files_of(own.out) == before
    assert files_of(own.home.folder / "store") == store


def test_a_named_speaker_is_in_the_next_delivery_and_then_all_is_done(own: Delivered) -> None:
    words = ("clean", own.film / "v1.otio", "--out", own.out, "--direct", "--json")
    named = own.home.run("speakers", "name", "REN", "RENATE")
    assert named.code == 0, named.err
    outcome = own.home.run(*words).json
    assert (outcome["takes_cleaned"], outcome["takes_heard"]) == (0, 0)
    assert outcome["rendered_now"] is True
    assert "RENATE" in (own.out / "report.html").read_text(encoding="utf-8")
    people = {name for name in stems(own.out) if name.startswith("CHAR")}
    assert people == {"CHAR.MARA", "CHAR.RENATE"}
    assert own.home.run(*words).json["rendered_now"] is False


def test_another_folder_only_conforms_again(own: Delivered, tmp_path: Path) -> None:
    store = files_of(own.home.folder / "store")
    words = ("clean", own.film / "v1.otio", "--out", tmp_path / "other", "--direct", "--json")
    outcome = own.home.run(*words).json
    assert (outcome["takes_cleaned"], outcome["takes_heard"]) == (0, 0)
    assert outcome["rendered_now"] is True
    assert files_of(own.home.folder / "store") == store
    assert sound_of(tmp_path / "other") == sound_of(own.out)


def test_a_damaged_delivery_is_made_again(own: Delivered) -> None:
    before = sound_of(own.out)
    stems(own.out)["DX"].unlink()
    (own.out / "clips" / "1_1_BOOM.wav").write_bytes(b"RIFF")
    outcome = own.home.run("clean", own.film / "v1.otio", "--out", own.out, "--direct", "--json")
    assert outcome.json["takes_cleaned"] == 0
    assert sound_of(own.out) == before


def test_a_lost_cleaned_take_is_cleaned_again(own: Delivered, tmp_path: Path) -> None:
    lost = next((own.home.folder / "store").rglob("*.wav"))
    content = lost.read_bytes()
    lost.unlink()
    words = ("clean", own.film / "v1.otio", "--out", tmp_path / "other", "--direct", "--json")
    assert own.home.run(*words).json["takes_cleaned"] == 1
    assert lost.read_bytes() == content


def test_a_changed_cut_cleans_what_is_new_and_sounds_as_if_made_afresh(
    own: Delivered, tmp_path: Path
) -> None:
    words = ("clean", own.film / "v2.otio", "--direct", "--json", "--out")
    ran = own.home.run(*words, own.out)
    assert (ran.json["takes"], ran.json["takes_cleaned"], ran.json["takes_heard"]) == (3, 1, 1)
    fresh = Home(tmp_path / "fresh")
    assert fresh.run(*words, tmp_path / "fresh out").json["takes_cleaned"] == 3
    assert sound_of(own.out) == sound_of(tmp_path / "fresh out")
    assert list(stems(own.out)) == list(stems(tmp_path / "fresh out"))


def test_a_file_that_somebody_else_put_there_survives_the_next_version(own: Delivered) -> None:
    note = own.out / "stems" / "mixer's note.txt"
    note.write_text("louder, please")
    assert own.home.run("clean", own.film / "v2.otio", "--out", own.out, "--direct").code == 0
    assert note.read_text() == "louder, please"


def test_a_timeline_that_somebody_changed_is_put_aside_not_written_over(own: Delivered) -> None:
    timeline = next((own.out / "timelines").glob("*.otio"))
    words = ("clean", own.film / "v1.otio", "--out", own.out, "--direct", "--json")
    for edit in ("first", "second"):
        timeline.write_text(timeline.read_text("utf-8") + f"\n# {edit}\n", "utf-8")
        notes = own.home.run(*words).json["notes"]
        assert any(f"{timeline.name} was changed since it was delivered" in note for note in notes)
        assert f"# {edit}" not in timeline.read_text("utf-8")
    kept = sorted(path for path in timeline.parent.iterdir() if ".edited" in path.name)
    assert [path.read_text("utf-8").splitlines()[-1] for path in kept] == ["# first", "# second"]


def test_another_recipe_cleans_again(own: Delivered, tmp_path: Path) -> None:
    words = ("clean", own.film / "v1.otio", "--out", tmp_path / "other", "--direct", "--json")
    recipe = tmp_path / "mine.toml"
    recipe.write_text("limit_db = 9\n")
    outcome = own.home.run(*words, "--recipe", recipe).json
    assert (outcome["takes_cleaned"], outcome["takes_heard"]) == (4, 0)
    assert sound_of(tmp_path / "other") != sound_of(own.out)


def test_a_room_turned_down_is_other_sound_and_is_remembered(
    own: Delivered, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('gentler = ""\n[room]\namount_db = 6\n')
    words = ("clean", own.film / "v1.otio", "--out", tmp_path / "other", "--direct", "--json")
    outcome = own.home.run(*words, "--recipe", recipe).json
    assert outcome["takes_cleaned"] == 4
    assert any("reverberation is turned down by up to 6 dB" in note for note in outcome["notes"])
    assert sound_of(tmp_path / "other") != sound_of(own.out)
    assert own.home.run(*words, "--recipe", recipe).json["takes_cleaned"] == 0
    # The room is none of the noise: without it, the takes of the first run are those of the recipe.
    recipe.write_text('gentler = ""\n[room]\namount_db = 0\n')
    assert own.home.run(*words, "--recipe", recipe).json["takes_cleaned"] == 0


def test_other_limits_judge_again_without_cleaning(own: Delivered, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    gates = [field.name for field in fields(GateLimits) if not field.name.endswith("_samples")]
    counts = {}
    for limit in (100, 0):
        lines = [
            f"{gate} = {min(limit, 1) if gate == 'over_suppressed' else limit}" for gate in gates
        ]
        recipe.write_text("\n".join(["limit_db = 26", 'gentler = ""', "[gates]", *lines]))
        words = ("clean", own.film / "v1.otio", "--out", tmp_path / f"other{limit}", "--direct")
        outcome = own.home.run(*words, "--recipe", recipe, "--json").json
        assert outcome["takes_cleaned"] == 0
        counts[limit] = len(outcome["flagged"])
    assert counts[100] == 0
    assert counts[0] > 4


def test_new_words_in_a_files_metadata_do_not_clean_it_again(own: Delivered) -> None:
    path = own.film / "sound" / "1-T01.wav"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    record_take(path, TAKES[0], description="sNOTE=wind on the second line")
    assert hashlib.sha256(path.read_bytes()).hexdigest() != before
    ran = own.home.run("clean", own.film / "v1.otio", "--out", own.out, "--direct", "--json")
    assert (ran.json["takes_cleaned"], ran.json["takes_heard"]) == (0, 0)
    clip = own.out / "clips" / "1_1_BOOM.wav"
    assert b"wind on the second line" in clip.read_bytes()


def test_changed_sound_under_an_old_name_is_cleaned_again(own: Delivered) -> None:
    path = own.film / "sound" / "1-T01.wav"
    raw = bytearray(path.read_bytes())
    raw[-300:] = bytes(300)
    path.write_bytes(raw)
    ran = own.home.run("clean", own.film / "v1.otio", "--out", own.out, "--direct", "--json")
    assert (ran.json["takes_cleaned"], ran.json["takes_heard"]) == (2, 1)


@pytest.mark.shared
def test_the_work_of_a_stand_in_is_done_again_by_the_real_engine(
    own: Delivered, shared: Path
) -> None:
    real = Home(own.home.folder, {"ROOMTONE_DENOISER": "deepfilternet3"})
    words = ("clean", own.film / "v1.otio", "--out", own.out, "--direct", "--json")
    stood_in = real.run(*words, "--stand-in")
    assert stood_in.json["takes_cleaned"] == 0
    assert any("RNNoise stands in" in note for note in stood_in.json["notes"])
    assert real.run("models", "import", shared / "weights" / "deepfilternet3").code == 0
    outcome = real.run(*words, "--stand-in").json
    assert outcome["takes_cleaned"] == 4
    assert not any("stands in" in note for note in outcome["notes"])
    assert [engine for engine in outcome["engines"] if engine.startswith("DeepFilterNet3")]
    assert real.run(*words).json["takes_cleaned"] == 0


def test_a_delivery_made_by_another_home_is_remembered_by_this_one_too(
    own: Delivered, tmp_path: Path
) -> None:
    fresh = Home(tmp_path / "fresh")
    before = sound_of(own.out)
    assert fresh.run("clean", own.film / "v1.otio", "--out", own.out, "--direct").code == 0
    assert sound_of(own.out) == before
    assert fresh.run("trace", stems(own.out)["DX"]).code == 0


def assert_whole(folder: Path) -> None:
    """Every sound file under a final name has the frames that its header and its size say."""
    for path in folder.rglob("*.wav"):
        info = sf.info(path)
        raw = path.read_bytes()
        (declared,) = struct.unpack("<I", raw[4:8])
        assert declared + 8 == len(raw), path
        with sf.SoundFile(path) as sound:
            assert len(sound.read()) == info.frames, path


def kill_at_work(run: subprocess.Popen[str], folder: Path, delay_s: float) -> None:
    """Kill a run some time after it began to write a file below a folder."""
    deadline = time.monotonic() + 30
    while run.poll() is None and not list(folder.rglob("*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(delay_s)
    run.kill()
    run.communicate()


def test_a_killed_run_is_finished_by_the_next_with_the_same_audio(
    delivered: Delivered, tmp_path: Path
) -> None:
    rng = random.Random(1)
    home, out = Home(tmp_path / "home"), tmp_path / "out"
    originals = {name: digest for name, (digest, _) in files_of(delivered.film).items()}
    words = ("clean", delivered.film / "v1.otio", "--out", out, "--direct")
    for folder, longest_s in KILLED_AT:
        # What the last kill left behind must not be taken for this run's work.
        for part in tmp_path.rglob("*.part"):
            part.rename(part.with_suffix(".left"))
        run = home.start(*words)
        kill_at_work(run, tmp_path / folder, rng.uniform(0, longest_s))
        assert_whole(tmp_path)
    for left in tmp_path.rglob("*.left"):
        left.rename(left.with_suffix(".part"))
    ran = home.run(*words)
    assert ran.code == 0, ran.err
    assert sound_of(out) == sound_of(delivered.out)
    assert_whole(out)
    assert not [*out.rglob("*.part"), *home.folder.rglob("*.part"), *out.rglob(NAME)]
    assert {name: digest for name, (digest, _) in files_of(delivered.film).items()} == originals
    with closing(sqlite3.connect(home.folder / "roomtone.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_run_waits_for_the_one_that_writes_to_its_folder(own: Delivered) -> None:
    words = ("clean", own.film / "v2.otio", "--out", own.out, "--direct")
    before = files_of(own.out)
    with only_writer(own.out, Silent()):
        run = own.home.start(*words)
        deadline = time.monotonic() + 30
        # The new take in the store is the sign that it will soon stand before the door.
        while len(list((own.home.folder / "store").rglob("*.wav"))) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.7)
        assert run.poll() is None
        held = files_of(own.out)
        held.pop(NAME)
        assert held == before
    assert ended(run).code == 0
    assert files_of(own.out) != before


def test_a_lock_left_by_a_killed_run_holds_nobody_up(own: Delivered) -> None:
    (own.out / NAME).write_text("")
    ran = own.home.run("clean", own.film / "v2.otio", "--out", own.out, "--direct")
    assert ran.code == 0
    assert not (own.out / NAME).exists()


def test_a_run_that_is_broken_off_by_hand_says_what_to_do(
    delivered: Delivered, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    words = ("clean", delivered.film / "v1.otio", "--out", tmp_path / "out", "--direct")
    run = home.start(*words)
    deadline = time.monotonic() + 30
    while not (home.folder / "roomtone.db").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    ran = ended(run)
    # Python may end by the signal itself, which shells show as 130 as well.
    assert ran.code in (130, -signal.SIGINT)
    assert ran.out == ""
    assert ran.err == "Stopped. What was finished is kept; run the same command to go on.\n"
    assert home.run(*words).code == 0
    assert sf.info(stems(tmp_path / "out")["DX"]).samplerate == RATE


def test_media_under_another_name_are_known_by_their_sound(own: Delivered, tmp_path: Path) -> None:
    for number, path in enumerate(sorted((own.film / "sound").glob("*.wav"))):
        sound, rate = sf.read(path, dtype="int32", always_2d=True)
        # Nothing but the sound stays: no timecode, no scene, another name.
        sf.write(path.with_name(f"sound {number}.wav"), sound, rate, subtype="PCM_24")
        path.unlink()
    words = ("clean", own.film / "v1.otio", "--out", tmp_path / "again", "--direct", "--json")
    outcome = own.home.run(*words).json
    assert (outcome["offline"], outcome["takes_cleaned"]) == ([], 0)
    again, before = stems(tmp_path / "again"), stems(own.out)
    assert steps(again["A1_DX.DX"]).tolist() == steps(before["A1_DX.DX"]).tolist()
