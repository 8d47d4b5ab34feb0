"""Exports of takes and cuts: on the right frames, into the right files, over nobody's work."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import srt
from production import PER_FRAME, RATE, Delivered, Home

from adapters.media.relink import build_index, relink
from adapters.timelines.read import read_cut
from adapters.transcripts import avid
from adapters.transcripts import srt as srt_format
from adapters.transcripts.write import FORMATS
from config.settings import TRANSCRIPTS
from core.captions import CaptionOptions
from core.cut import Cut, Event, MediaReference, Track, with_distinct_tracks
from core.media import MediaFile
from core.speech import Line, Word
from core.spotting import Spot, Wanted
from core.time import RATES
from db.catalogue import store_listening
from db.engine import open_database
from db.memory import recall_media
from flows.spotting import Linked, record_list

EXACT = CaptionOptions(
    rows=9, row_characters=200, most_s=60, least_s=0, characters_per_second=1e6, gap_frames=0
)


def words_of(turn: dict[str, Any]) -> tuple[Word, ...]:
    """The words of a turn of the truth, each as long as the others."""
    texts = turn["text"].split()
    each = (turn["end"] - turn["start"]) // len(texts)
    starts = [turn["start"] + n * each for n in range(len(texts))]
    return tuple(Word(text, at, at + each) for text, at in zip(texts, starts, strict=True))


def expected(cut: dict[str, Any], takes: dict[str, Any]) -> set[tuple[str, int, int]]:
    """Text, first frame and last of every line that the truth's events play, by its numbers."""
    found: dict[tuple[str, str, int], tuple[str, int, int]] = {}
    for event in cut["events"]:
        first, source = event["record_start_sample"], event["source_in_sample"]
        length = event["record_end_sample"] - first
        take = takes[event["take"]]
        lav = take["tracks"][event["channel"] - 1]
        for turn in take["turns"]:
            if lav not in ("MIX", "BOOM", turn["speaker"]):
                continue
            inside = []
            for word in words_of(turn):
                start, end = max(word.start, source), min(word.end, source + length)
                if 2 * (end - start) >= word.end - word.start:
                    inside.append((word.text, start - source + first, end - source + first))
            if inside:
                text = " ".join(part[0] for part in inside)
                span = (inside[0][1] // PER_FRAME, -(-inside[-1][2] // PER_FRAME))
                found[event["take"], turn["text"], first - source] = (text, *span)
    return set(found.values())


@pytest.mark.shared
@pytest.mark.parametrize("version", ["cut_v1", "cut_v2"])
@pytest.mark.parametrize("suffix", ["otio", "edl"])
def test_lines_of_a_cut_sit_on_the_record_frames_of_the_truth(
    harbour: Path, version: str, suffix: str
) -> None:
    truth = json.loads((harbour / "truth" / f"{version}.json").read_text())
    takes = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    path = harbour / "cuts" / f"{version}.{suffix}"
    cut = with_distinct_tracks(read_cut(path, RATES["23.976"]))
    index, _ = build_index([harbour / "sound"], lambda *_: None)
    found, offline = relink(cut, index, path.parent)
    assert not offline
    files: dict[str, MediaFile] = {link.media.path.stem: _named(link.media) for link in found}
    links = {
        link.event_id: Linked(files[link.media.path.stem], link.source_start, link.channels)
        for link in found
    }
    spots = {
        name: [
            Spot(turn["start"], turn["end"], turn["speaker"], words_of(turn))
            for turn in takes[name]["turns"]
        ]
        for name in files
    }
    listed = record_list(cut, links, spots, RATE)
    text = srt_format.serialise(listed, EXACT, Wanted(speakers=False))
    back = {
        (" ".join(item.content.split()), _frame(item.start), _frame(item.end))
        for item in srt.parse(text)
    }
    if suffix == "edl":  # it has the boom's track alone, and no dissolve
        truth["events"] = [event for event in truth["events"] if event["channel"] == 2]
    assert back == expected(truth, takes)
    assert len(back) > 8


def test_a_drop_frame_cut_counts_as_its_timecode_does() -> None:
    media = MediaFile(Path("x.wav"), "WAV", "PCM_24", RATE, 1, 99_999, 0, 0, essence="x")
    # Numbers 00:01:00;00 and ;01 are left out: frame 1800 is ;02. Frame 1801 begins at sample
    # 1801 x 1601.6 = 2884481.6, the cut at 1798 x 1601.6 = 2879676.8: 4805 samples on.
    event = Event("A1/001", Fraction(0), Fraction(30), Fraction(0), MediaReference())
    cut = Cut("c", RATES["29.97 DF"], 1798, Fraction(30), (Track("A1", (event,)),))
    spots = [
        Spot(start, start + 100, "REN", (Word(str(start), start, start + 100),))
        for start in (4804, 4805)
    ]
    found = record_list(cut, {"A1/001": Linked(media, 0, (0,))}, {"x": spots}, RATE)
    rows = avid.serialise(found, Wanted(speakers=False)).splitlines()
    assert [row.split("\t")[1] for row in rows] == ["00:01:00;02", "00:01:00;03"]
    assert found.timecode(0) == "00:00:59;28"


def _named(media: MediaFile) -> MediaFile:
    """The file with its name in place of the hash that nobody needs here."""
    return replace(media, essence=media.path.stem)


def _frame(at: timedelta) -> int:
    return round(Fraction(round(at.total_seconds() * 1000), 1000) * 24_000 / 1001)


def a_line(speaker: str, start: int, *words: str) -> Line:
    each = 4800
    made = tuple(
        Word(text, start + n * each, start + (n + 1) * each, 0.9) for n, text in enumerate(words)
    )
    return Line(speaker, start, start + each * len(words), made, "by hand", draft=False)


@pytest.fixture(scope="module")
def spoken(delivered: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which the takes of the first cut have words."""
    home = Home(tmp_path_factory.mktemp("spoken") / "home")
    shutil.copytree(delivered.home.folder, home.folder)
    lines = {
        "1-T01": [a_line("REN", 30 * PER_FRAME, "Bring", "the", "blue", "suitcase.")],
        "1-T02": [a_line("MARA", 40 * PER_FRAME, "It", "is", "Müller's.")],
    }
    database = open_database(home.folder / "roomtone.db")
    try:
        with database.write() as session:
            for name, said in lines.items():
                path = delivered.film / "sound" / f"{name}.wav"
                stat = path.stat()
                media = recall_media(session, path, stat.st_size, stat.st_mtime_ns)
                assert media is not None
                store_listening(
                    session, media.essence, name, "hand", False, None, "en", said, "SMALL FILM"
                )
    finally:
        database.close()
    return home


def test_a_cut_that_was_cleaned_is_exported_without_its_media(
    spoken: Home, delivered: Delivered
) -> None:
    ran = spoken.run("export", delivered.film / "v1.otio", "--format", "srt")
    assert (ran.code, ran.err) == (0, "")
    told = [(_frame(item.start), item.content.replace("\n", " ")) for item in srt.parse(ran.out)]
    # Frame 20 of 1-T01 plays at 6, frame 30 of 1-T02 at 50; the lavs' tracks carry others' voices.
    assert told == [(16, "REN: Bring the blue suitcase."), (60, "MARA: It is Müller's.")]
    same = spoken.run("export", delivered.out, "--format", "srt")
    assert same.out == ran.out
    inside = next((delivered.out / "timelines").glob("*.otio"))
    assert spoken.run("export", inside, "--format", "srt").out == ran.out


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ({"roomtone": "1", "state": "in progress", "files": []}, "not finished"),
        ({"roomtone": "1", "cut": [], "files": 3}, "is damaged"),
        ({"roomtone": "1", "cut": {"sha256": "0", "file": "v9.otio"}}, "not where it was"),
    ],
)
def test_a_delivery_that_names_no_known_cut_is_told(
    spoken: Home, tmp_path: Path, listed: dict[str, Any], told: str
) -> None:
    (tmp_path / "delivery.json").write_text(json.dumps(listed))
    ran = spoken.run("export", tmp_path, "--format", "srt")
    assert ran.code == 3
    assert told in " ".join(ran.err.split())


def test_a_cut_with_markers_finds_its_media_from_any_folder(
    spoken: Home, delivered: Delivered, tmp_path: Path
) -> None:
    out = tmp_path / "elsewhere" / "v1.otio"
    ran = spoken.run("export", delivered.film / "v1.otio", "--format", "otio", "--out", out)
    assert ran.code == 0, ran.err
    cut = read_cut(out, RATES["24"])
    urls = {event.media.url for _, event in cut.sounding()}
    assert {Path(url.removeprefix("file://")).is_file() for url in urls} == {True}
    assert [marker.name for marker in cut.markers] == [
        "REN: Bring the blue suitcase.",
        "MARA: It is Müller's.",
    ]


def test_a_take_is_exported_in_source_timecode(spoken: Home) -> None:
    ran = spoken.run("export", "--take", "1-1", "--format", "avid")
    assert ran.out == "roomtone\t10:00:01:06\tV1\tgreen\tREN: Bring the blue suitcase.\t10\n"
    words = spoken.run("export", "--take", "1-T01", "--format", "json").json["lists"][0]
    assert words["entries"][0]["heard_in"] == "original"
    assert [word["start"] for word in words["entries"][0]["words"]] == [
        30 * PER_FRAME + n * 4800 for n in range(4)
    ]


def test_all_takes_go_into_a_folder_in_every_format(spoken: Home, tmp_path: Path) -> None:
    out = tmp_path / "day"
    ran = spoken.run("export", "--format", ",".join(FORMATS), "--out", out, "--json")
    assert ran.code == 0, ran.err
    names = {path.name for path in out.iterdir()}
    assert {Path(path).name for path in ran.json["files"]} == names
    for item in FORMATS.values():
        stems = ["SMALL_FILM"] if item.many else ["1-T01", "1-T02"]
        assert {f"{stem}{item.suffix}" for stem in stems} <= names
    traced = spoken.run("trace", out / "1-T01.srt")
    assert "1-T01.wav" in traced.out


def test_what_a_person_changed_is_not_overwritten(spoken: Home, tmp_path: Path) -> None:
    out = tmp_path / "1.srt"
    asked = ("export", "--take", "1-T01", "--format", "srt", "--out", out)
    assert spoken.run(*asked).code == 0
    assert spoken.run(*asked).code == 0
    out.write_text(out.read_text() + "mine")
    ran = spoken.run(*asked)
    assert ran.code == 6
    assert "1.srt exists and is not as roomtone wrote it" in ran.err.replace("\n", " ")
    assert out.read_text().endswith("mine")


def test_nothing_is_written_over_the_cut(
    spoken: Home, delivered: Delivered, tmp_path: Path
) -> None:
    cut = delivered.film / "v1.otio"
    before = cut.read_bytes()
    ran = spoken.run("export", cut, "--format", "otio", "--out", cut)
    assert ran.code == 6
    assert cut.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--format", "doc"), 2, "no format doc"),
        ((), 2, "--format"),
        (("--take", "99", "--format", "srt"), 3, "No take '99' is known"),
        (("--format", "srt"), 2, "name one with --take"),
        (("--format", "srt,vtt"), 2, "--out"),
        (("--format", "midi", "--take", "1-T01"), 2, "--out"),
        (("--format", "srt", "--take", "1-T01", "--what", "events"), 2, "no events"),
        (("--day", "1999-01-01", "--format", "csv"), 3, "1999-01-01"),
        (("missing.otio", "--format", "srt"), 3, "does not exist"),
    ],
)
def test_faults_are_told_in_a_sentence(
    spoken: Home, words: tuple[str, ...], code: int, told: str
) -> None:
    ran = spoken.run("export", *words)
    assert ran.code == code
    assert told in " ".join(ran.err.split())
    assert "Traceback" not in ran.err


def test_the_formats_are_listed(spoken: Home) -> None:
    ran = spoken.run("export", "--list-formats")
    assert [row.split()[0] for row in ran.out.splitlines()] == list(FORMATS)


def test_a_delivery_has_the_transcripts_that_were_asked_for(
    own_home: Home, delivered: Delivered, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ("clean", delivered.film / "v1.otio", "--out", out, "--direct", "--json")
    ran = own_home.run(*asked, "--transcripts", ",".join(TRANSCRIPTS))
    assert ran.code == 0, ran.err
    listed = json.loads((out / "delivery.json").read_text())["files"]
    told = {x["path"]: x["sha256"] for x in listed if x["role"] == "TRANSCRIPT"}
    assert set(told) == {f"transcripts/v1{item.suffix}" for item in FORMATS.values()}
    for path, sha256 in told.items():
        assert hashlib.sha256((out / path).read_bytes()).hexdigest() == sha256
    again = own_home.run(*asked, "--transcripts", "rttm")
    assert again.json["rendered_now"]
    assert [path.name for path in (out / "transcripts").iterdir()] == ["v1.rttm"]
    same = own_home.run("export", delivered.film / "v1.otio", "--format", "rttm")
    assert same.out == (out / "transcripts" / "v1.rttm").read_text() != ""
    assert not (delivered.out / "transcripts").exists()


def test_the_settings_name_the_formats_that_there_are() -> None:
    assert set(FORMATS) == set(TRANSCRIPTS)
