"""What a speaker does not consent to is not done for them alone, and others lose nothing by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from production import Delivered, Home
from prov.model import ProvDocument
from scribe import ENGINE, Encoder, scribe_for
from starlette.testclient import TestClient

from adapters.media.probe import probe
from config.settings import Settings
from core.errors import UsageError
from core.media import MediaFile
from core.privacy import Mark
from db.catalogue import lines_of, search
from db.memory import media_by_essence, remembered_media
from db.voices import voices_of_project
from flows.corrections import correct_line
from flows.forget import Asked, forget, kept_of, plan_forgetting, purge_speaker
from flows.listen import listen_take, recall_lines
from flows.privacy import Marking, consents_known, mark_production, privacy_notes
from flows.settle import settle_speakers
from flows.speakers import enrol_speaker, name_speaker
from flows.spotting import spots_of
from flows.turnover import hash_media
from flows.withheld import stretches
from flows.workspace import Workspace, open_workspace
from web.access import Access
from web.app import create_app

FILM = "SMALL FILM"


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> Encoder:
    return scribe_for(monkeypatch)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def media(work: Workspace, film: Path) -> MediaFile:
    return hash_media(work, probe(film / "sound" / "1-T01.wav"))


def forbid(work: Workspace, *marks: Mark, speaker: str = "REN") -> tuple[str, ...]:
    return mark_production(work, Marking(FILM, marks, (), speaker, "contract 17"), "jo")


def words(work: Workspace) -> dict[str, str]:
    """What each speaker is known to have said."""
    with work.database.read() as session:
        lines = [found.line for found in lines_of(session)]
    return {
        speaker: " ".join(line.text for line in lines if line.speaker == speaker).strip()
        for speaker in {line.speaker for line in lines}
    }


BOTH = {"REN": "quicksilver marmalade", "MARA": "lighthouse tramway"}
ONE = {"REN": "", "MARA": "lighthouse tramway"}


def test_only_the_speakers_words_are_not_written_down_until_they_may(
    work: Workspace, media: MediaFile
) -> None:
    listen_take(work, media, ENGINE, None)
    assert words(work) == BOTH
    assert forbid(work, Mark.NO_TRANSCRIPTION) == (
        "REN in SMALL FILM is marked no transcription from now on.",
    )
    assert recall_lines(work, media, ENGINE, None) is None
    listen_take(work, media, ENGINE, None)
    assert words(work) == ONE
    assert recall_lines(work, media, ENGINE, None)
    assert privacy_notes(work, [media]) == ("No word was written down of REN: not allowed.",)
    mark_production(work, Marking(FILM, (), (Mark.NO_TRANSCRIPTION,), "ren"), "jo")
    assert recall_lines(work, media, ENGINE, None) is None
    listen_take(work, media, ENGINE, None)
    assert words(work) == BOTH


def test_what_was_written_down_before_is_purged_to_the_last_byte(
    work: Workspace, media: MediaFile
) -> None:
    listen_take(work, media, ENGINE, None)
    forbid(work, Mark.NO_TRANSCRIPTION)
    assert kept_of(work, FILM, [Mark.NO_TRANSCRIPTION], "Ren") == 1
    assert purge_speaker(work, FILM, [Mark.NO_TRANSCRIPTION], "jo", "REN") == 1
    assert words(work) == ONE
    with work.database.read() as session:
        assert search(session, "quicksilver") == ()
        assert len(search(session, "lighthouse")) == 1
    held = [path for path in work.settings.home.rglob("*") if path.is_file()]
    assert not [path for path in held if b"quicksilver" in path.read_bytes()]


def test_a_mark_follows_a_speaker_through_names(work: Workspace, media: MediaFile) -> None:
    listen_take(work, media, ENGINE, None)
    name_speaker(work, FILM, "REN", "Renaldo", "jo")
    forbid(work, Mark.NO_TRANSCRIPTION, speaker="renaldo")
    name_speaker(work, FILM, "Renaldo", "R. Smith", "jo")
    listen_take(work, media, ENGINE, None)
    settle_speakers(work, FILM)
    assert words(work) == {"R. Smith": "", "MARA": "lighthouse tramway"}


def test_who_turns_out_to_be_marked_loses_the_words_when_it_is_known(
    work: Workspace, media: MediaFile
) -> None:
    notes = replace(media.notes, track_names=((0, "BOOM"), (1, "LAV 1"), (2, "LAV 2")))
    nameless = replace(media, notes=notes)
    forbid(work, Mark.NO_TRANSCRIPTION, speaker="JOHN")
    listen_take(work, nameless, ENGINE, None)
    settle_speakers(work, FILM)
    assert "quicksilver" in words(work)["SPEAKER 1"]
    name_speaker(work, FILM, "SPEAKER 1", "John", "jo")
    assert words(work) == {"John": ""}
    assert recall_lines(work, nameless, ENGINE, None) is None
    listen_take(work, nameless, ENGINE, None)
    settle_speakers(work, FILM)
    assert words(work) == {"John": ""}
    assert recall_lines(work, nameless, ENGINE, None)


def test_no_voice_is_measured_kept_or_compared_of_who_forbids_it(
    work: Workspace, media: MediaFile, encoder: Encoder
) -> None:
    def prints() -> dict[str, bool]:
        with work.database.read() as session:
            return {
                known.heard.label: bool(known.heard.print)
                for known in voices_of_project(session, FILM)
            }

    listen_take(work, media, ENGINE, None)
    assert prints() == {"REN": True, "MARA": True}
    assert "1 kept voiceprint removed." in forbid(work, Mark.NO_VOICE_PROFILE)
    assert prints() == {"REN": False, "MARA": True}
    encoder.asked.clear()
    listen_take(work, media, ENGINE, None)
    settle_speakers(work, FILM)
    assert prints() == {"REN": False, "MARA": True}
    assert encoder.asked
    with work.database.read() as session:
        (mine,) = [f.line for f in lines_of(session) if f.line.speaker == "REN"]
    at_16k = (mine.start // 3, mine.end // 3)
    assert not [span for span in encoder.asked if span[0] < at_16k[1] and at_16k[0] < span[1]]
    assert words(work) == BOTH


def test_a_voice_known_by_sound_alone_stays_whose_it_was_without_its_print(
    work: Workspace, media: MediaFile
) -> None:
    notes = replace(media.notes, track_names=((0, "BOOM"), (1, "LAV 1"), (2, "LAV 2")))
    nameless = replace(media, notes=notes)
    listen_take(work, nameless, ENGINE, None)
    settle_speakers(work, FILM)
    name_speaker(work, FILM, "SPEAKER 1", "John", "jo")
    forbid(work, Mark.NO_VOICE_PROFILE, speaker="JOHN")
    for engine in (ENGINE, replace(ENGINE, key="another engine")):
        assert recall_lines(work, nameless, engine, None) is None
        listen_take(work, nameless, engine, None)
        settle_speakers(work, FILM)
        assert set(words(work)) == {"John"}
        with work.database.read() as session:
            assert [k.heard.print for k in voices_of_project(session, FILM)] == [()]
        assert recall_lines(work, nameless, engine, None)


def test_lines_that_may_not_leave_are_in_no_list_and_the_sound_is_known(
    work: Workspace, media: MediaFile
) -> None:
    listen_take(work, media, ENGINE, None)
    with work.database.read() as session:
        files = media_by_essence(session, {media.essence})
    forbid(work, Mark.NO_EXPORT)
    spoken = [spot.speaker for spot in spots_of(work, files)[media.essence] if spot.words]
    assert spoken == ["MARA"]
    (held,) = stretches(work, media.essence, media)
    with work.database.read() as session:
        (mine,) = [f.line for f in lines_of(session) if f.line.speaker == "REN"]
    assert (held.whose, held.start, held.end) == ("REN", mine.start, mine.end)
    assert words(work) == BOTH


def test_who_wears_a_microphone_and_was_never_heard_is_withheld_with_the_whole_take(
    work: Workspace, media: MediaFile
) -> None:
    forbid(work, Mark.NO_EXPORT)
    assert [(s.start, s.end) for s in stretches(work, media.essence, media)] == [(0, media.frames)]


def test_a_cut_that_plays_who_may_not_leave_is_not_delivered(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    told = own_home.run("privacy", FILM, "--speaker", "Ren", "--no-export", "--note", "letter")
    assert told.out.splitlines() == [
        "Ren in SMALL FILM is marked no export from now on.",
        told.out.splitlines()[1],
    ]
    assert "letter" in told.out
    out = tmp_path / "out"
    ran = own_home.run("clean", delivered.film / "v1.otio", "--out", out, "--direct")
    assert ran.code == 2
    assert "v1.otio is not delivered: export is not allowed for REN, heard in" in ran.err
    assert not out.exists()
    exported = own_home.run("export", "--format", "rttm", "--take", "1-T01")
    assert exported.code == 0, exported.err
    assert "MARA" in exported.out
    assert "REN" not in exported.out
    assert "Lines of Ren left out: export is not allowed." in exported.err.replace("\n", " ")
    allowed = own_home.run("privacy", FILM, "--speaker", "REN", "--export", "--by", "her agent")
    assert allowed.code == 0
    ran = own_home.run("clean", delivered.film / "v1.otio", "--out", out, "--direct")
    assert ran.code == 0, ran.err
    listed = own_home.run("privacy", FILM, "--history", "--json").json["marks"]
    assert [(m["allowed"], m["note"], m["ended_by"]) for m in listed] == [
        (False, "letter", "her agent"),
        (True, "", ""),
    ]


def test_a_production_that_may_not_leave_is_refused_before_any_work(
    film: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    assert home.run("privacy", FILM, "--no-export").code == 0
    ran = home.run("clean", film / "v1.otio", "--out", tmp_path / "out", "--direct")
    assert ran.code == 2
    assert "export is not allowed for its production (SMALL FILM)" in ran.err
    assert not any((home.folder / "store").rglob("*.wav"))
    whole = home.run("clean", film / "sound" / "1-T01.wav", "--out", tmp_path / "out")
    assert (whole.code, "export is not allowed" in whole.err) == (2, True)


def test_the_page_and_the_interface_give_out_neither_lines_nor_sound(
    own_home: Home,
) -> None:
    with open_workspace(Settings(home=own_home.folder)) as work:
        with work.database.read() as session:
            take = next(m for m in remembered_media(session) if m.path.stem == "1-T01")
        client = TestClient(
            create_app(work, Access(own_home.folder, open_to_all=True)), "http://localhost"
        )
        before = client.get(f"/api/v1/takes/{take.essence}/lines").json()
        assert {line["speaker"] for line in before} == {"REN", "MARA"}
        mine = next(line for line in before if line["speaker"] == "REN")
        other = next(line for line in before if line["speaker"] == "MARA")
        forbid(work, Mark.NO_EXPORT)
        after = client.get(f"/api/v1/takes/{take.essence}/lines").json()
        assert {line["speaker"] for line in after} == {"MARA"}
        excerpt = f"/api/v1/takes/{take.essence}/excerpt"
        refused = client.get(excerpt, params={"start": mine["start"], "end": mine["end"]})
        assert refused.status_code == 422
        assert "export is not allowed for REN" in refused.text
        span = {"start": other["start"], "end": other["end"]}
        assert client.get(excerpt, params=span).status_code == 200
        cuts = client.get("/api/v1/cuts").json()
        assert client.get(f"/api/v1/cuts/{cuts[0]['id']}/audio").status_code == 422
        assert "export of REN not allowed" in client.get("/speakers").text
        said = client.get("/api/v1/consents").json()
        assert [(c["speaker"], c["mark"], c["allowed"], c["note"]) for c in said] == [
            ("REN", "no export", False, "contract 17")
        ]


def test_what_was_forbidden_holds_when_the_person_is_forgotten(
    work: Workspace, media: MediaFile
) -> None:
    listen_take(work, media, ENGINE, None)
    said = Marking(FILM, (Mark.NO_EXPORT,), (), "REN", "contract 17")
    mark_production(work, said, "Ren's agent")
    forget(work, plan_forgetting(work, Asked("REN")), "jo")
    (held,) = stretches(work, media.essence, media)
    assert held.whose == "somebody who was forgotten"
    files = [path for path in work.settings.home.rglob("*") if path.is_file()]
    for trace in (b"contract 17", b"Ren's agent"):
        assert not [path for path in files if trace in path.read_bytes()]
    (kept,) = consents_known(work, history=True)
    assert (kept.speaker, kept.by, kept.in_force()) == ("(forgotten)", "(forgotten)'s agent", False)


def test_nobody_writes_the_words_or_learns_the_voice_by_hand_either(
    work: Workspace, media: MediaFile
) -> None:
    listen_take(work, media, ENGINE, None)
    forbid(work, Mark.NO_TRANSCRIPTION, Mark.NO_VOICE_PROFILE)
    with work.database.read() as session:
        (line,) = [found for found in lines_of(session) if found.line.speaker == "REN"]
    with pytest.raises(UsageError, match="No word of REN may be written down"):
        correct_line(work, line.number, "other words", "jo")
    with pytest.raises(UsageError, match="A voice profile of Ren is not allowed"):
        enrol_speaker(work, FILM, "Ren", media.path, None, None, "jo")


def test_a_trace_tells_the_consent_that_is_and_was_in_force(
    delivered: Delivered, own_home: Home
) -> None:
    stem = delivered.out / "stems" / "v1.DX.wav"
    said = ("--speaker", "REN", "--no-export", "--by", "ann", "--note", "letter of 3 March")
    assert own_home.run("privacy", FILM, *said).code == 0
    (line,) = [x for x in own_home.run("trace", stem).out.splitlines() if x.startswith("consent")]
    assert line.startswith("consent in SMALL FILM: export of REN not allowed, since 20")
    assert line.endswith("by ann (letter of 3 March)")
    prov = own_home.run("trace", stem, "--json").json
    ((name, told),) = [(n, e) for n, e in prov["entity"].items() if n.startswith("consent:")]
    assert (told["rt:allowed"], told["rt:speaker"], told["rt:subject"]) == (False, "REN", "export")
    bound = {r["prov:influencee"] for r in prov["wasInfluencedBy"].values()}
    kinds = {n: e["prov:type"]["$"] for n, e in prov["entity"].items()}
    assert bound == {n for n, kind in kinds.items() if kind == "rt:Original"}
    assert {r["prov:influencer"] for r in prov["wasInfluencedBy"].values()} == {name}
    # It was said after the work was done.
    assert not [r for r in prov["used"].values() if r.get("prov:role") == "consent"]
    ProvDocument.deserialize(content=json.dumps(prov))
