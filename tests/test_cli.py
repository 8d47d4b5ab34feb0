"""The command line as people and programs read it."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile as sf
from production import PER_FRAME, RATE, ROOT, TAKES, Delivered, Home, stems

from core.speech import Line, Word
from db.catalogue import store_listening
from db.engine import open_database
from db.memory import asset_at, recall_media

SAID = (
    ("REN", 0.3, ("Bring", "the", "blue", "suitcase,", "don't", "wait.")),
    ("MARA", 2.0, ("It", "is", "<already>", "[here]", "\u2014", "Müller's.")),
)


def a_line(speaker: str, seconds: float, words: tuple[str, ...]) -> Line:
    """A line whose words last 4800 samples each."""
    start = round(seconds * RATE)
    return Line(
        speaker,
        start,
        start + 4800 * len(words),
        tuple(
            Word(text, start + 4800 * n, start + 4800 * (n + 1), 0.9)
            for n, text in enumerate(words)
        ),
        "written by hand",
    )


@pytest.fixture(scope="module")
def told(delivered: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which two lines of 1-T01 have words."""
    home = Home(tmp_path_factory.mktemp("told") / "home")
    shutil.copytree(delivered.home.folder, home.folder)
    path = delivered.film / "sound" / "1-T01.wav"
    stat = path.stat()
    database = open_database(home.folder / "roomtone.db")
    try:
        with database.write() as session:
            media = recall_media(session, path, stat.st_size, stat.st_mtime_ns)
            assert media is not None
            lines = [a_line(*said) for said in SAID]
            store_listening(
                session, media.essence, "by hand", "hand", False, None, "en", lines, "SMALL FILM"
            )
    finally:
        database.close()
    return home


def test_the_outcome_of_a_cut_as_json(delivered: Delivered, own_home: Home) -> None:
    ran = own_home.run(
        "clean", delivered.film / "v1.otio", "--out", delivered.out, "--direct", "--json"
    )
    assert (ran.code, ran.err) == (0, "")
    assert set(ran.json) == {
        "out",
        "takes",
        "takes_cleaned",
        "tracks",
        "takes_heard",
        "rendered_now",
        "repaired",
        "files",
        "offline",
        "flagged",
        "approved",
        "engines",
        "notes",
        "loudness",
        "true_peak",
        "gain_db",
    }
    assert ran.json["out"] == str(delivered.out)
    assert ran.json["takes"] == 4
    assert ran.json["files"] == len(delivered.list["files"]) == 18
    assert ran.json["loudness"] == pytest.approx(delivered.list["loudness"]["measured_lufs"])


def test_two_cuts_are_two_deliveries_and_a_list(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    cuts = [delivered.film / "v1.otio", delivered.film / "v2.otio"]
    ran = own_home.run("clean", *cuts, "--out", tmp_path / "out", "--direct", "--json")
    assert ran.code == 0, ran.err
    assert [item["out"] for item in ran.json] == [str(tmp_path / "out" / n) for n in ("v1", "v2")]
    assert all(stems(tmp_path / "out" / name) for name in ("v1", "v2"))


def test_silence_is_null_in_json(tmp_path: Path) -> None:
    sf.write(tmp_path / "silence.wav", [0.0] * RATE, RATE, subtype="PCM_24")
    words = (tmp_path / "silence.wav", "--out", tmp_path / "out", "--json")
    ran = Home(tmp_path / "home").run("clean", *words)
    assert ran.code == 0, ran.err
    assert ran.json["loudness"] is None
    assert "silent" in Home(tmp_path / "home").run("clean", *words[:-1]).out


def test_quiet_prints_nothing(delivered: Delivered, tmp_path: Path, own_home: Home) -> None:
    words = ("clean", delivered.film / "v1.otio", "--out", tmp_path / "out", "--direct", "--quiet")
    ran = own_home.run(*words)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_summary_for_people_has_no_escape_codes(delivered: Delivered, own_home: Home) -> None:
    run = own_home.start("clean", delivered.film / "v1.otio", "--out", delivered.out, "--direct")
    out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, "")
    assert "\x1b" not in out
    rows = [line.split(maxsplit=1) for line in out.splitlines()[1:]]
    assert [row[0] for row in rows if row[0] not in ("Listen", "Note")] == [
        "Dialogue",
        "Takes",
        "Engines",
        "Loudness",
        "Delivery",
        "Report",
    ]
    assert out.splitlines()[0] == str(delivered.out)
    assert "18 files, already as it should be" in out
    assert Path(rows[-1][1]).is_file()


def test_names_with_brackets_are_printed_as_they_are(
    delivered: Delivered, tmp_path: Path, own_home: Home
) -> None:
    film = tmp_path / "reel [/red] [b]"
    shutil.copytree(delivered.film, film)
    ran = own_home.run("clean", film / "v1.otio", "--out", film / "out", "--direct")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == str(film / "out")
    (film / "sound" / "1-T02.wav").unlink()
    ran = own_home.run("clean", film / "v1.otio", "--out", film / "out", "--direct")
    assert "Offline" in ran.out
    ran = own_home.run("clean", film / "none.otio")
    assert str(film / "none.otio") in ran.err


def test_lines_of_a_take_with_their_words_in_samples(told: Home, film: Path) -> None:
    for name in ("1-T01", "1-1", "1-T01.wav"):
        ran = told.run("lines", "--take", name, "--json")
        assert ran.code == 0, ran.err
        assert [line["speaker"] for line in ran.json] == ["REN", "MARA"]
    first = ran.json[0]
    assert (first["start"], first["end"]) == (14_400, 14_400 + 6 * 4800)
    assert [word["text"] for word in first["words"]] == list(SAID[0][2])
    assert first["words"][2]["start"] == 14_400 + 2 * 4800
    assert (first["take"], first["scene"], first["take_number"], first["tape"]) == (
        "1-T01",
        "1",
        "1",
        "SR7",
    )
    assert first["file"] == str(film / "sound" / "1-T01.wav")
    assert first["sample_rate"] == RATE
    # 14,400 samples are 7.19 frames of 2,002 samples after 10:00:00:00.
    assert first["timecode"] == "10:00:00:07"
    assert 14_400 // PER_FRAME == 7
    text = told.run("lines", "--take", "1-T01").out
    assert "10:00:00:07  REN        Bring the blue suitcase, don't wait." in text
    assert "[here]" in text


def test_search_marks_what_was_asked_for(told: Home) -> None:
    ran = told.run("search", "suitcase", "blue")
    assert ran.out.splitlines() == [
        "1-T01  scene 1 take 1",
        "  10:00:00:11  REN        Bring the >blue suitcase,< don't wait.  all words",
    ]
    (hit,) = told.run("search", "don't", "--json").json
    assert hit["hit_word"] == 4
    assert hit["hit_start"] == 14_400 + 4 * 4800
    assert [text.strip() for text, marked in hit["marked"] if marked] == ["don't"]
    assert "".join(text for text, _ in hit["marked"]) == " ".join(SAID[0][2])
    assert hit["hit_timecode"] == "10:00:00:16"  # (14,400 + 19,200) / 2,002 = 16.8


@pytest.mark.parametrize(
    "query",
    ['"', "'", "*", "AND OR NOT (", "", " ", "%_\\", "\x00", "é 😀", "[/bold]", "-x", "NEAR(a b)",
     "col:umn", "a" * 5000, ";DROP TABLE lines", "\u202e\ufeff"],
)  # fmt: skip
def test_no_text_breaks_a_search(told: Home, query: str) -> None:
    ran = told.run("search", "--", query)
    assert (ran.code, ran.err) == (0, "")
    assert told.run("search", "--json", "--", query).code == 0


@pytest.mark.parametrize("query", ["müller", "[here]", "<already>", "suitcas"])
def test_odd_words_are_found_and_printed_as_they_are(told: Home, query: str) -> None:
    ran = told.run("search", query)
    assert ran.code == 0
    assert any(text in ran.out.replace(">", "").replace("<", "") for text in ("[here]", "suitcase"))


def test_a_renamed_stem_is_traced_to_its_originals(delivered: Delivered, tmp_path: Path) -> None:
    moved = tmp_path / "final final.wav"
    shutil.copy(stems(delivered.out)["A2_LAV.DX"], moved)
    text = delivered.home.run("trace", moved)
    assert text.code == 0, text.err
    for take in ("1-T01", "1-T02"):
        assert str(delivered.film / "sound" / f"{take}.wav") in text.out
    assert "2-T01" not in text.out
    assert "RNNoise" in text.out
    entities = delivered.home.run("trace", moved, "--json").json["entity"]
    found = {name for name, is_ in entities.items() if is_["prov:type"]["$"] == "rt:Original"}
    films = [delivered.film / "sound" / f"{take.name}.wav" for take in TAKES[:2]]
    assert found == {f"sha256:{hashlib.sha256(film.read_bytes()).hexdigest()}" for film in films}


def test_every_delivered_file_can_be_traced(delivered: Delivered) -> None:
    database = open_database(delivered.home.folder / "roomtone.db")
    try:
        with database.read() as session:
            for entry in delivered.list["files"]:
                assert asset_at(session, entry["sha256"]) is not None, entry["path"]
    finally:
        database.close()
    for name in ("report.html", "timelines/v1.cleaned.otio"):
        text = delivered.home.run("trace", delivered.out / name)
        assert text.code == 0
        assert "1-T01.wav" in text.out


def test_models_are_listed_with_their_licences(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    listed = home.run("models", "list", "--json").json
    assert listed["installed"] == []
    known = {item["name"]: item for item in listed["known"]}
    assert known["deepfilternet3"]["licence"] == "MIT OR Apache-2.0"
    assert "whisper-small" in known
    table = home.run("models", "list")
    assert all(name in table.out for name in known)
    assert str(tmp_path / "home" / "weights") in table.out


@pytest.mark.shared
def test_weights_are_imported_by_hand(shared: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"ROOMTONE_DENOISER": "deepfilternet3"})
    ran = home.run("models", "import", shared / "weights" / "deepfilternet3")
    assert ran.code == 0, ran.err
    assert str(tmp_path / "home" / "weights" / "deepfilternet3") in ran.out
    (installed,) = home.run("models", "list", "--json").json["installed"]
    assert installed["name"] == "deepfilternet3"
    ok = {check["check"]: check["ok"] for check in home.run("doctor", "--json").json}
    assert ok["denoiser"] is True


def test_what_is_no_weights_is_not_imported(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (tmp_path / "notes.txt").write_text("x")
    for source in (tmp_path / "notes.txt", tmp_path / "gone"):
        ran = home.run("models", "import", source)
        assert ran.code in (3, 5)
        assert str(source) in ran.err
    assert home.run("models", "fetch", "no-such-model").code == 2


def test_the_doctor_says_what_is_there_and_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"ROOMTONE_DENOISER": "deepfilternet3"})
    ran = home.run("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert re.search(r"^ok +python +3\.\d+", ran.out, re.MULTILINE)
    assert re.search(r"^missing denoiser .*roomtone models fetch", ran.out, re.MULTILINE)
    checks = {check["check"]: check for check in home.run("doctor", "--json").json}
    assert checks["soundfile"]["found"] == sf.__version__
    assert checks["database"]["ok"] is True


@pytest.mark.parametrize(
    "words", [("--help",), ("clean", "--help"), ("search", "--help"), ("models", "--help")]
)
def test_help_is_there(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = Home(tmp_path / "home").run(*words)
    assert ran.code == 0
    assert "Usage:" in ran.out
    assert not (tmp_path / "home").exists()


def test_an_unknown_option_is_wrong_usage(tmp_path: Path) -> None:
    ran = Home(tmp_path / "home").run("clean", "--loud")
    assert ran.code == 2
    assert "--loud" in ran.err


def test_help_loads_no_engine() -> None:
    heavy = (
        *("torch", "onnxruntime", "faster_whisper", "whisper", "scipy", "prefect", "av"),
        *("numpy", "sqlalchemy", "opentimelineio", "soundfile"),
    )
    code = (
        "import sys\nfrom cli.main import main\nsys.argv = ['roomtone', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.exit(', '.join(name for name in {heavy!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_leaves_early_is_no_fault(delivered: Delivered) -> None:
    run = delivered.home.start("lines", "--json")
    assert run.stdout is not None
    run.stdout.close()
    assert run.wait(timeout=30) in (0, 1)
    assert run.stderr is not None
    assert run.stderr.read() == ""
