"""What a production forbids is not done, is said, and is made up for when it is allowed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from production import Home

from adapters.media.probe import probe
from config.settings import Settings
from core.media import MediaFile
from core.privacy import Mark, Privacy
from core.speech import Word
from db.catalogue import search
from db.engine import Database, open_database
from db.privacy import consents, decide, privacy_of
from flows import who_speaks
from flows.listen import Heard, listen_take, recall_lines
from flows.privacy import Marking, mark_production, privacy_in, privacy_notes
from flows.turnover import hash_media
from flows.workspace import Workspace, open_workspace
from models.card import ModelCard
from models.speech import draft
from models.speech.engines import EngineChoice
from models.speech.protocol import Transcript

ENGINE = EngineChoice("pocketsphinx", "", None, True, "", key="privacy test")
WORDS = ("harbour", "lights", "tonight")


class Scribe:
    """A recogniser that writes the same words into whatever speech there is."""

    asked = 0
    draft = True
    card = ModelCard("Scribe", "1", "", "MIT", "", "", "")

    def __init__(self) -> None:
        Scribe.asked += 1

    def transcribe(self, sound: object, spans: Sequence[tuple[int, int]], *_: object) -> Transcript:
        Scribe.asked += 1
        start, end = spans[0]
        step = (end - start) // len(WORDS)
        words = (
            Word(word, start + k * step, start + (k + 1) * step) for k, word in enumerate(WORDS)
        )
        return Transcript(tuple(words), "en")


@pytest.fixture(autouse=True)
def scribe(monkeypatch: pytest.MonkeyPatch) -> None:
    Scribe.asked = 0
    monkeypatch.setattr(draft, "PocketSphinx", Scribe)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def media(work: Workspace, film: Path) -> MediaFile:
    return hash_media(work, probe(film / "sound" / "1-T01.wav"))


def forbid(work: Workspace, *forbidden: Mark, project: str = "SMALL FILM") -> None:
    mark_production(work, Marking(project, forbidden, ()), "jo")


def texts(heard: Heard) -> str:
    return " ".join(line.text for line in heard.lines).strip()


def test_no_transcription_leaves_turns_without_words_and_loads_no_recogniser(
    work: Workspace, media: MediaFile
) -> None:
    forbid(work, Mark.NO_TRANSCRIPTION)
    heard = listen_take(work, media, ENGINE, None)
    assert Scribe.asked == 0
    assert {line.speaker for line in heard.lines} == {"REN", "MARA"}
    assert (texts(heard), heard.engine, heard.draft) == ("", "", False)
    with work.database.read() as session:
        assert search(session, "harbour") == ()


def test_a_mark_replaces_what_was_heard_and_lifting_it_makes_up_for_it(
    work: Workspace, media: MediaFile
) -> None:
    assert "harbour lights tonight" in texts(listen_take(work, media, ENGINE, None))
    forbid(work, Mark.NO_TRANSCRIPTION)
    assert recall_lines(work, media, ENGINE, None) is None
    listen_take(work, media, ENGINE, None)
    again = recall_lines(work, media, ENGINE, None)
    assert again is not None
    assert texts(again) == ""
    mark_production(work, Marking("small film", (), (Mark.NO_TRANSCRIPTION,)), "jo")
    assert recall_lines(work, media, ENGINE, None) is None
    assert "harbour lights tonight" in texts(listen_take(work, media, ENGINE, None))
    kept = recall_lines(work, media, ENGINE, None)
    assert kept is not None
    assert "harbour lights tonight" in texts(kept)


def test_no_voice_profile_loads_no_encoder_and_names_nobody(
    work: Workspace, media: MediaFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("a voice was measured")

    monkeypatch.setattr(who_speaks, "voice_encoder", refuse)
    forbid(work, Mark.NO_VOICE_PROFILE)
    nameless = replace(media, notes=replace(media.notes, track_names=((0, "BOOM"),)))
    heard = listen_take(work, nameless, ENGINE, None)
    assert heard.lines
    assert {line.speaker for line in heard.lines} == {""}
    again = listen_take(work, media, ENGINE, None)
    assert {line.speaker for line in again.lines} >= {"REN", "MARA"}


def test_the_settings_forbid_for_all_and_allow_nothing(work: Workspace, media: MediaFile) -> None:
    strict = replace(work, settings=Settings(home=work.settings.home, no_voice_profile=True))
    assert privacy_in(work, media) == Privacy()
    assert privacy_in(strict, media) == Privacy(no_voice_profile=True)
    forbid(work, Mark.NO_TRANSCRIPTION)
    assert privacy_in(strict, media) == Privacy(no_transcription=True, no_voice_profile=True)


def test_a_rule_holds_for_the_settings_production_and_for_the_recorders(
    work: Workspace, media: MediaFile
) -> None:
    forbid(work, Mark.NO_TRANSCRIPTION, project=" Working  Title")
    renamed = replace(work, settings=Settings(home=work.settings.home, project="working title"))
    assert not privacy_in(work, media).no_transcription
    assert privacy_in(renamed, media).no_transcription
    assert privacy_notes(renamed, [media, media]) == (
        "The takes of working title were not transcribed: it is forbidden for this production.",
    )


def test_marks_are_kept_with_who_set_them_first(tmp_path: Path) -> None:
    database: Database = open_database(tmp_path / "roomtone.db")
    with database.write() as session:
        forbid = partial(decide, session, allowed=False)
        assert forbid("Harbour", Mark.NO_TRANSCRIPTION, by="ann")
        assert not forbid("HARBOUR ", Mark.NO_TRANSCRIPTION, by="bob")
        assert forbid("Quay", Mark.NO_VOICE_PROFILE, by="bob")
    with database.read() as session:
        first, second = consents(session)
        assert (first.project, first.mark, first.by) == ("Harbour", Mark.NO_TRANSCRIPTION, "ann")
        assert (second.project, second.mark, second.by) == ("Quay", Mark.NO_VOICE_PROFILE, "bob")
        assert privacy_of(session, {"harbour"}) == Privacy(no_transcription=True)
        assert privacy_of(session, {"other"}) == Privacy()
        assert privacy_of(session, {"harbour", "quay"}) == Privacy(True, True)
    with database.write() as session:
        allow = partial(decide, session, allowed=True)
        assert allow("harbour", Mark.NO_TRANSCRIPTION, by="cat")
        assert not allow("harbour", Mark.NO_TRANSCRIPTION, by="dan")
    with database.read() as session:
        assert privacy_of(session, {"harbour"}) == Privacy()
        told = [(i.allowed, i.by, i.ended_by) for i in consents(session, ["HARBOUR"], history=True)]
        assert told == [(False, "ann", "cat"), (True, "cat", "")]
    database.close()


def test_a_person_marks_a_production_and_sees_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert home.run("privacy").out.strip() == "Nothing is forbidden."
    assert home.run("privacy", "--no-transcription").code == 2
    marked = home.run("privacy", "HARBOUR", "--no-transcription", "--json").json
    assert marked["told"][0] == "HARBOUR is marked no transcription from now on."
    assert [item["production"] for item in home.run("privacy", "--json").json["marks"]] == [
        "HARBOUR"
    ]
    lifted = home.run("privacy", "harbour", "--transcription")
    assert "no longer marked no transcription" in lifted.out


def test_a_cut_of_a_marked_production_says_so(film: Path, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    home = Home(tmp_path / "home", {"ROOMTONE_RECOGNISER": "pocketsphinx"})
    assert home.run("privacy", "SMALL FILM", "--no-transcription").code == 0
    ran = home.run("clean", film / "v2.otio", "--out", tmp_path / "out", "--direct", "--json")
    assert ran.code == 0, ran.err
    sentence = "The takes of SMALL FILM were not transcribed: it is forbidden for this production."
    assert sentence in ran.json["notes"]
    assert sentence in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert Scribe.asked == 0
