"""What is forgotten is gone to the last byte, is not learned again, and takes nobody else along."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production import Delivered, Home, files_of
from sqlalchemy import func, select

from config.settings import Settings
from core.forgetting import Tombstone, joined, remaining_lines, remaining_turns, without
from core.media import MediaFile
from core.privacy import Mark
from core.readings import State
from core.script_marks import LineMark
from core.speech import Line, Turn, Word
from db.catalogue import lines_of, search, store_listening
from db.memory import remembered_media
from db.provenance import record
from db.scripts import marks_in_force, remember_mark
from db.tables import Activity, Speaker, WordRow
from db.voices import HeardVoice, store_voices, voices_of_project
from flows.forget import Asked, allow_again, forget, plan_forgetting, purge
from flows.listen import listen_take, recall_lines
from flows.privacy import Marking, mark_production, without_forgotten
from flows.speakers import name_speaker
from flows.workspace import Workspace, activity, open_workspace
from models.card import ModelCard
from models.speech import draft
from models.speech.engines import EngineChoice
from models.speech.protocol import Transcript

ENGINE = EngineChoice("pocketsphinx", "", None, True, "", key="forget test")
SECRETS = ("quicksilver", "marmalade")
OTHERS = ("lighthouse", "tramway")
spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=6).map(
    lambda rows: [(start, start + length) for start, length in rows]
)


class Scribe:
    """A recogniser that hears REN say the secrets, and MARA the other words."""

    draft = True
    card = ModelCard("Scribe", "1", "", "MIT", "", "", "")

    def transcribe(
        self, sound: object, spoken: Sequence[tuple[int, int]], *_: object
    ) -> Transcript:
        said = []
        for pair, first in ((SECRETS, 8_000), (OTHERS, 36_000)):
            said += [
                Word(word, first + 4_000 * k, first + 4_000 * k + 3_000)
                for k, word in enumerate(pair)
            ]
        return Transcript(tuple(said), "en")


@pytest.fixture(autouse=True)
def scribe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "PocketSphinx", Scribe)


@pytest.fixture
def work(own_home: Home) -> Iterator[Workspace]:
    """A home in which a cut was delivered and its takes were heard by the scribe."""
    with open_workspace(Settings(home=own_home.folder)) as opened:
        for media in takes(opened):
            listen_take(opened, media, ENGINE, None)
        yield opened


def takes(work: Workspace) -> tuple[MediaFile, ...]:
    with work.database.read() as session:
        return remembered_media(session)


def said(work: Workspace) -> dict[str, set[str]]:
    """The words of each speaker."""
    with work.database.read() as session:
        lines = [found.line for found in lines_of(session)]
    found: dict[str, set[str]] = {}
    for line in lines:
        found.setdefault(line.speaker, set()).update(line.text.split())
    return found


def bytes_with(folder: Path, *needles: str) -> list[str]:
    """The files below a folder in whose bytes one of the needles is."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(needle.encode() in path.read_bytes() for needle in needles)
    ]


def test_a_forgotten_speakers_words_are_in_no_byte_of_the_home(work: Workspace) -> None:
    home = work.settings.home
    (home / "log").mkdir(exist_ok=True)
    (home / "log" / "roomtone.log").write_text("fault at ('quicksilver marmalade',)")
    (home / "prefect").mkdir(exist_ok=True)
    with sqlite3.connect(home / "prefect" / "prefect.db") as prefect:
        prefect.execute("CREATE TABLE runs (said TEXT)")
        prefect.execute("INSERT INTO runs VALUES ('quicksilver marmalade')")
    prefect.close()
    assert said(work)["REN"] >= set(SECRETS)
    assert bytes_with(home, *SECRETS)
    forget(work, plan_forgetting(work, Asked("ren")), "jo")
    assert bytes_with(home, *SECRETS) == []
    assert said(work)["MARA"] >= set(OTHERS)
    assert "REN" not in said(work)
    with work.database.read() as session:
        assert search(session, "quicksilver") == ()
        assert len(search(session, "lighthouse")) == len(takes(work))
        assert session.scalars(select(Speaker).where(Speaker.name == "REN")).first() is None
        orphans = select(func.count()).where(WordRow.text.in_(SECRETS))
        assert session.scalars(orphans).one() == 0


def test_the_fact_is_recorded_and_not_the_words(work: Workspace) -> None:
    plan = plan_forgetting(work, Asked("REN"))
    forget(work, plan, "jo")
    with work.database.read() as session:
        (row,) = session.scalars(select(Activity).where(Activity.kind == "forget")).all()
    assert row.agent == "jo"
    assert row.parameters == {
        "what": "speaker",
        "lines": plan.known.lines,
        "words": plan.known.words,
        "takes": len(plan.takes),
    }
    assert plan.known.words == 2 * len(plan.takes)


def test_the_next_run_does_not_learn_them_again_until_it_may(work: Workspace) -> None:
    forget(work, plan_forgetting(work, Asked("REN")), "jo")
    left = said(work)
    assert all(recall_lines(work, media, ENGINE, None) for media in takes(work))
    other = replace(ENGINE, key="another engine")
    for media in takes(work):
        assert recall_lines(work, media, other, None) is None
        listen_take(work, media, other, None)
    assert said(work) == left
    assert bytes_with(work.settings.home, *SECRETS) == []
    assert allow_again(work, Asked("Ren"), "jo") == len(takes(work))
    for media in takes(work):
        listen_take(work, media, ENGINE, None)
    assert said(work)["REN"] >= set(SECRETS)


def test_no_name_is_kept_of_the_forgotten(work: Workspace) -> None:
    forget(work, plan_forgetting(work, Asked("REN")), "jo")
    with sqlite3.connect(work.database.path) as database:
        for table in ("forgotten", "forgotten_stretches", "lines", "words", "speakers"):
            rows = repr(database.execute(f"SELECT * FROM {table}").fetchall())
            assert "REN" not in rows, table
    database.close()


def test_a_forgotten_take_is_gone_from_database_store_and_cache(
    work: Workspace, delivered: Delivered
) -> None:
    plan = plan_forgetting(work, Asked(take="1-T01"))
    essence = plan.takes[0][1]
    assert plan.store
    assert all(path.is_relative_to(work.store.folder) for path in plan.store)
    forget(work, plan, "jo")
    assert not any(path.exists() for path in plan.store)
    assert not any(work.cache.iterdir())
    with work.database.read() as session:
        assert lines_of(session, essence=essence) == ()
        assert lines_of(session, "1-T02")
    (media,) = [item for item in takes(work) if item.essence == essence]
    heard = listen_take(work, media, ENGINE, None)
    assert (heard.lines, heard.engine) == ((), "")
    assert any(delivered.out in item.path.parents for item in plan.remains)


def test_voices_and_decisions_about_a_speaker_go_with_all_their_names(work: Workspace) -> None:
    for media in takes(work):
        voice = HeardVoice("REN", "microphone", 3.0, (0.123456789,) * 8, "sha", ((0, 48_000),))
        with work.database.write() as session:
            store_voices(session, "SMALL FILM", media.essence, [voice])
    name_speaker(work, "SMALL FILM", "REN", "Renaldo", "jo")
    assert bytes_with(work.settings.home, "0.123456789", "Renaldo")
    forget(work, plan_forgetting(work, Asked("renaldo")), "jo")
    assert bytes_with(work.settings.home, "0.123456789", "Renaldo", *SECRETS) == []
    other = replace(ENGINE, key="another engine")
    for media in takes(work):
        listen_take(work, media, other, None)
    assert "REN" not in said(work)
    with work.database.read() as session:
        assert voices_of_project(session, "SMALL FILM") == () or all(
            known.heard.label != "REN" for known in voices_of_project(session, "SMALL FILM")
        )


@pytest.mark.parametrize("asked", [Asked("ren"), Asked(take="1-T01")])
def test_marks_in_scripts_go_too(work: Workspace, asked: Asked) -> None:
    essences = {media.path.stem: media.essence for media in takes(work)}
    with work.database.write() as session:
        for character, take in (("Ren", "1-T01"), ("MARA", "1-T02")):
            mark = LineMark(
                key=f"key of {character}",
                scene="1",
                character=character,
                text=f"words of {character}",
                take=essences[take],
                state=State.CHANGED,
                start=0,
                end=1,
                note=f"{character} coughs",
                by="jo",
            )
            remember_mark(session, mark)
            told = {"line": mark.key, "note": mark.note, "state": "changed"}
            done = activity("mark", f"mark {character}", datetime.now(UTC), told)
            record(session, done, used=[], generated=[])
    forget(work, plan_forgetting(work, asked), "jo")
    with work.database.read() as session:
        assert [mark.character for mark in marks_in_force(session, essences.values())] == ["MARA"]
    home = work.settings.home
    assert bytes_with(home, "words of Ren", "Ren coughs", "key of Ren") == []
    assert bytes_with(home, "MARA coughs")


def test_who_is_only_numbered_is_known_by_the_stretches(work: Workspace) -> None:
    media = takes(work)[0]
    lines = [
        Line(f"SPEAKER {k}", start, start + 1000, (Word("x", start, start + 900),), "e")
        for k, start in ((1, 0), (2, 5000))
    ]
    with work.database.write() as session:
        store_listening(session, media.essence, "x", "e", False, None, "en", lines, "FILM 2")
    forget(work, plan_forgetting(work, Asked("SPEAKER 2", "FILM 2")), "jo")
    again = [replace(lines[1], speaker="SPEAKER 1"), replace(lines[0], speaker="SPEAKER 2")]
    assert without_forgotten(work, media, again) == (again[1],)


def test_what_still_holds_the_person_is_listed_and_others_stems_are_not(
    work: Workspace, delivered: Delivered
) -> None:
    plan = plan_forgetting(work, Asked("REN"))
    names = {item.path.name for item in plan.remains}
    assert all(item.path.is_file() for item in plan.remains)
    assert {"v1.A1_DX.PROD.wav", "v1.DX.wav", "v1.CHAR.REN.wav", "report.html"} <= names
    assert "v1.CHAR.MARA.wav" not in names
    assert plan.store == ()
    assert files_of(delivered.out)


def test_a_dry_run_changes_nothing_and_nobody_is_forgotten_without_a_yes(
    delivered: Delivered, own_home: Home
) -> None:
    listed = own_home.run("lines", "--json").json
    ran = own_home.run("forget", "--speaker", "REN", "--dry-run", "--json").json
    assert ran["lines"] > 0
    assert ran["forgotten"] is False
    assert own_home.run("forget", "--speaker", "REN").code == 2
    assert own_home.run("lines", "--json").json == listed
    assert own_home.run("forget", "--speaker", "NOBODY", "--yes").code == 3
    assert own_home.run("forget", "--take", "99-1", "--yes").code == 3
    assert own_home.run("forget", "--yes").code == 2
    done = own_home.run("forget", "--speaker", "REN", "--yes")
    assert (done.code, "Forgotten: " in done.out) == (0, True)
    assert {row["speaker"] for row in own_home.run("lines", "--json").json} == {"MARA"}
    assert own_home.run("forget", "--speaker", "REN", "--allow-again").code == 0


def test_a_run_after_forgetting_says_what_it_left_out(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    assert own_home.run("forget", "--take", "1-T01", "--yes").code == 0
    ran = own_home.run(
        "clean", delivered.film / "v1.otio", "--out", tmp_path / "again", "--direct", "--json"
    )
    assert ran.code == 0, ran.err
    sentence = "1-T01.wav was forgotten, so nothing in it is listened to."
    assert sentence in ran.json["notes"]
    assert own_home.run("lines", "--take", "1-T01").code == 3


def test_purging_removes_what_a_mark_forbids(work: Workspace) -> None:
    mark_production(work, Marking("Small Film", (Mark.NO_TRANSCRIPTION,), ()), "jo")
    assert purge(work, "SMALL FILM", [Mark.NO_TRANSCRIPTION], "jo") > 0
    assert said(work) == {}
    assert bytes_with(work.settings.home, *SECRETS, *OTHERS) == []
    assert purge(work, "SMALL FILM", [Mark.NO_VOICE_PROFILE], "jo") == 0


def test_one_name_in_two_productions_is_asked_for(work: Workspace) -> None:
    media = takes(work)[0]
    word = Word("hello", 0, 10)
    line = Line("REN", 0, 10, (word,), "engine")
    with work.database.write() as session:
        store_listening(session, media.essence, "x", "e", False, None, "en", [line], "OTHER FILM")
    with pytest.raises(Exception, match="--project"):
        plan_forgetting(work, Asked("REN"))
    assert plan_forgetting(work, Asked("REN", "other film")).known.lines == 1


def stone(*alone: tuple[int, int], name: str = "REN") -> Tombstone:
    return Tombstone(tuple(alone), lambda asked: asked == name)


def test_words_where_the_forgotten_spoke_alone_go_from_the_lines_of_others() -> None:
    words = tuple(
        Word(text, at, at + 8) for at, text in ((0, "mine"), (40, "theirs"), (90, "mine"))
    )
    kept = remaining_lines([Line("SPEAKER 1", 0, 100, words, "")], [stone((35, 60))])
    assert [line.text for line in kept] == ["mine mine"]
    assert remaining_lines([Line("SPEAKER 1", 30, 70, words, "")], [stone((35, 60))]) == ()
    assert remaining_lines([Line("REN", 500, 600, (), "")], [stone()]) == ()
    assert remaining_turns([Turn("MARA", 0, 10), Turn("REN", 0, 10)], [stone()]) == (
        Turn("MARA", 0, 10),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spans, spans)
def test_stretches_alone_are_those_a_count_of_every_sample_gives(
    mine: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    def covered(some: Sequence[tuple[int, int]]) -> set[int]:
        return {at for start, end in some for at in range(start, end)}

    found = without(mine, others)
    assert covered(found) == covered(mine) - covered(others)
    assert list(found) == sorted(found)
    assert covered(joined(mine)) == covered(mine)
