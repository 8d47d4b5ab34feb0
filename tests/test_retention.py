"""What has expired by a production's rules is forgotten for good, by the clock of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from production import Home
from scribe import ENGINE, scribe_for
from sqlalchemy import select

from adapters.media.probe import probe
from config.settings import Settings
from core.errors import UsageError
from core.media import MediaFile
from core.retention import Kept, age_words, days_asked
from db.catalogue import lines_of, search
from db.tables import Activity
from db.voices import voices_of_project
from flows.listen import listen_take, recall_lines
from flows.nightly import run_night
from flows.progress import Silent
from flows.retention import apply_retention, due, set_rules
from flows.turnover import hash_media
from flows.workspace import Workspace, open_workspace

FILM = "SMALL FILM"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    scribe_for(monkeypatch)
    (tmp_path / "dailies").mkdir()
    settings = Settings(
        home=tmp_path / "home",
        denoiser="rnnoise",
        recogniser="none",
        watched=(tmp_path / "dailies",),
        nightly_settle_s=0,
    )
    with open_workspace(settings) as opened:
        yield opened


@pytest.fixture
def media(work: Workspace, film: Path) -> MediaFile:
    found = hash_media(work, probe(film / "sound" / "1-T01.wav"))
    listen_take(work, found, ENGINE, None)
    return found


def after(days: int) -> datetime:
    """A moment so many days from now."""
    return datetime.now(UTC) + timedelta(days=days)


def words(work: Workspace) -> list[str]:
    with work.database.read() as session:
        return [found.line.text for found in lines_of(session) if found.line.text]


def prints(work: Workspace) -> list[bool]:
    with work.database.read() as session:
        return [bool(known.heard.print) for known in voices_of_project(session, FILM)]


def test_words_end_with_their_rule_and_are_not_written_down_again(
    work: Workspace, media: MediaFile
) -> None:
    set_rules(work, "small film", {Kept.TRANSCRIPTS: 180}, "jo")
    set_rules(work, "another film", {Kept.TRANSCRIPTS: 1}, "jo")
    assert due(work, after(179)) == ()
    assert apply_retention(work, after(179), "jo") == ()
    assert len(words(work)) == 2
    told = apply_retention(work, after(181), "jo")
    assert told == (
        "Expired and forgotten: small film: the words of 2 lines in 1-T01 (transcripts are kept "
        "for 180d).",
    )
    assert words(work) == []
    assert prints(work) == [True, True]
    with work.database.read() as session:
        assert search(session, "quicksilver") == ()
        (row,) = session.scalars(select(Activity).where(Activity.kind == "forget")).all()
    assert row.parameters["what"] == "retention"
    assert (row.parameters["of"], row.parameters["days"]) == ("transcripts", 180)
    assert (row.parameters["takes"], row.parameters["lines"]) == (["1-T01"], 2)
    files = [path for path in work.settings.home.rglob("*") if path.is_file()]
    assert not [path for path in files if b"quicksilver" in path.read_bytes()]
    # The next run finds the take heard, and does not hear it again.
    again = recall_lines(work, media, ENGINE, None)
    assert again is not None
    assert [line.text for line in again.lines] == ["", ""]
    assert apply_retention(work, after(181), "jo") == ()


def test_voices_and_takes_end_with_theirs(work: Workspace, media: MediaFile) -> None:
    set_rules(work, FILM, {Kept.VOICES: 30, Kept.TAKES: 730}, "jo")
    assert [item.rule.kept for item in due(work, after(31))] == [Kept.VOICES]
    apply_retention(work, after(31), "jo")
    assert prints(work) == [False, False]
    assert len(words(work)) == 2
    apply_retention(work, after(731), "jo")
    assert words(work) == []
    assert listen_take(work, media, ENGINE, None).lines == ()
    assert apply_retention(work, after(800), "jo") == ()


def test_a_night_forgets_what_has_expired(work: Workspace, media: MediaFile) -> None:
    class Later:
        """A clock that is a year ahead."""

        def now(self) -> datetime:
            return after(365).astimezone()

        def sleep(self, seconds: float) -> None:
            del seconds

    set_rules(work, FILM, {Kept.TRANSCRIPTS: 180}, "jo")
    night = run_night(work, Silent(), Later()).night
    assert [note for note in night.notes if note.startswith("Expired and forgotten: SMALL FILM")]
    assert words(work) == []


def test_people_set_rules_see_them_and_take_them_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert "until it is forgotten by hand" in home.run("retention").out
    told = home.run("retention", "set", "Harbour", "--transcripts", "180d", "--takes", "2y")
    assert told.out.splitlines() == [
        "Harbour: transcripts are kept for 180d from now on.",
        "Harbour: takes are kept for 2y from now on.",
    ]
    listed = home.run("retention", "--json").json
    assert [(row["kept"], row["days"]) for row in listed] == [("takes", 730), ("transcripts", 180)]
    assert home.run("retention", "apply", "--dry-run").out.strip() == "Nothing has expired."
    assert home.run("retention", "set", "Harbour", "--takes", "forever").code == 0
    assert [row["kept"] for row in home.run("retention", "--json").json] == ["transcripts"]
    assert home.run("retention", "set", "Harbour", "--takes", "soon").code == 2
    assert home.run("retention", "set", "Harbour").code == 2


def test_lengths_of_time_are_read_as_people_write_them() -> None:
    assert [days_asked(text) for text in ("180d", " 8W", "6 m", "2y", "forever")] == [
        180,
        56,
        180,
        730,
        None,
    ]
    assert [age_words(days) for days in (730, 56, 180)] == ["2y", "8w", "180d"]
    for wrong in ("", "0d", "d", "-3d", "1.5y"):
        with pytest.raises(UsageError):
            days_asked(wrong)
