"""What a person corrects is theirs: kept beside what was heard, found, placed and never lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production import Home, tell
from sqlalchemy import select
from test_catalogue import hear, line, take

from config.settings import Settings
from core.correction import Correction, aligned, with_corrections
from core.errors import InputError, UsageError
from core.privacy import Mark
from core.speech import Line, Word
from db.catalogue import TakeLine, lines_of
from db.engine import Database
from db.forget import forget_people, forget_takes, people_named
from db.tables import Activity, LineCorrection
from flows.corrections import correct_line, line_at, list_corrections, undo_correction
from flows.export import Request, export
from flows.privacy import Marking, mark_production
from flows.progress import Silent
from flows.search import find_lines
from flows.workspace import Workspace, open_workspace

WORDS = st.lists(st.sampled_from(["what", "joy", "in", "living", "no", "leaving"]), max_size=9)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


def only(database: Database) -> TakeLine:
    with database.read() as session:
        (found,) = lines_of(session)
    return found


def hit(work: Workspace, query: str) -> list[tuple[str, bool]]:
    """Each hit's marked words, and whether they are those as heard."""
    return [
        (" ".join(text.strip() for text, marked in item.marked if marked), item.as_heard)
        for item in find_lines(work.database, query, 10, how="words")
    ]


def correction(start: int, end: int, text: str, number: int = 1) -> Correction:
    return Correction(number, "e", start, end, text, "jo", "2026-11-27T10:00:00+00:00")


def test_corrected_and_heard_words_are_both_found_and_the_hit_says_which(work: Workspace) -> None:
    hear(work.database, take("1", "1", "a" * 64), line("what toy there is in leaving", 48_000))
    number = only(work.database).number
    now = correct_line(work, number, "what joy there is in living", "jo")
    assert (now.line.text, now.line.heard_text, now.line.corrected_by) == (
        "what joy there is in living",
        "what toy there is in leaving",
        "jo",
    )
    assert now.line.corrected_at
    assert hit(work, "joy there") == [("joy there", False)]
    assert hit(work, "toy there") == [("toy there", True)]
    assert hit(work, '"joy there is in leaving"') == []
    (found,) = find_lines(work.database, "living", 10, how="words")
    assert found.start == 53_000


def test_undoing_brings_back_what_was_there_before(work: Workspace) -> None:
    hear(work.database, take("1", "1", "a" * 64), line("what toy"))
    number = only(work.database).number
    correct_line(work, number, "what boy", "jo")
    correct_line(work, number, "what joy", "ann")
    assert undo_correction(work, number, "jo").line.text == "what boy"
    assert hit(work, "joy") == []
    assert hit(work, "boy") == [("boy", False)]
    back = undo_correction(work, number, "jo").line
    assert (back.text, back.heard, back.corrected_by) == ("what toy", None, "")
    assert hit(work, "boy") == []
    with pytest.raises(InputError, match="Nobody corrected"):
        undo_correction(work, number, "jo")
    assert [(item.correction.text, item.undone_by) for item in list_corrections(work)] == [
        ("what boy", "jo"),
        ("what joy", "jo"),
    ]


def test_a_correction_outlives_a_new_listening(work: Workspace) -> None:
    media = take("1", "1", "a" * 64)
    hear(work.database, media, line("what toy there is", 48_000, engine="draft"))
    correct_line(work, only(work.database).number, "what joy there is", "jo")
    assert not only(work.database).line.draft
    hear(work.database, media, line("hot toy there was", 47_500), key="k2")
    now = only(work.database).line
    assert (now.text, now.heard_text) == ("what joy there is", "hot toy there was")
    assert hit(work, "joy") == [("joy", False)]
    assert hit(work, "hot") == [("hot", True)]


def test_a_line_that_is_heard_as_two_shares_the_words(work: Workspace) -> None:
    media = take("1", "1", "a" * 64)
    hear(work.database, media, line("what toy there is in leaving", 48_000))
    correct_line(work, only(work.database).number, "what joy there is in living", "jo")
    hear(work.database, media, line("what toy", 48_000), line("is in living", 51_000), key="k2")
    with work.database.read() as session:
        assert [item.line.text for item in lines_of(session)] == [
            "what joy there",
            "is in living",
        ]


def test_a_line_that_is_heard_with_another_keeps_the_others_words() -> None:
    heard = line("what toy and who is that over there", 0, engine="draft")
    (now,) = with_corrections([heard], [correction(0, 1_950, "what joy")])
    assert now.text == "what joy and who is that over there"
    assert now.draft


def test_somebody_who_speaks_at_the_same_time_is_not_corrected() -> None:
    ren, mara = line("what toy there is", 0, "REN"), line("no", 1_000, "MARA")
    now = with_corrections([ren, mara], [correction(ren.start, ren.end, "what joy there is")])
    assert [item.text for item in now] == ["what joy there is", "no"]
    assert now[1].heard is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(heard=WORDS, said=WORDS, length=st.integers(1, 2000))
def test_words_follow_each_other_within_the_line(
    heard: list[str], said: list[str], length: int
) -> None:
    words = tuple(Word(word, k * length, (k + 1) * length - 1) for k, word in enumerate(heard))
    end = max(1, len(heard)) * length
    made = aligned(words, " ".join(said), 0, end)
    assert [word.text for word in made] == said
    places = [0, *(at for word in made for at in (word.start, word.end)), end]
    assert places == sorted(places)


def test_equal_words_keep_their_places_and_others_share_the_stretch_by_letters() -> None:
    heard = (Word("What", 0, 900), Word("toys,", 1000, 3000), Word("there", 3000, 4000))
    assert aligned(heard, "what a joy there", 0, 5000) == (
        Word("what", 0, 900),
        Word("a", 1000, 1500),
        Word("joy", 1500, 3000),
        Word("there", 3000, 4000),
    )


def test_a_word_that_nobody_heard_gets_room_of_its_neighbour() -> None:
    heard = (Word("what", 0, 1000), Word("joy", 1000, 2000))
    made = aligned(heard, "what a joy", 0, 2000)
    assert made == (Word("what", 0, 800), Word("a", 800, 1000), Word("joy", 1000, 2000))


def test_who_corrected_is_recorded_and_not_the_words(work: Workspace) -> None:
    hear(work.database, take("1", "1", "a" * 64), line("what toy"))
    number = only(work.database).number
    correct_line(work, number, "quicksilver", "jo")
    undo_correction(work, number, "ann")
    with work.database.read() as session:
        rows = session.scalars(select(Activity).where(Activity.kind == "correct")).all()
    assert sorted(row.agent for row in rows) == ["ann", "jo"]
    assert all(row.parameters["take"] == "1-T1" for row in rows)
    assert "quicksilver" not in str([row.parameters for row in rows])


@pytest.mark.parametrize("text", ["", "  ", "…", "\x00\x1b", "word " * 500])
def test_what_are_no_words_of_a_line_is_refused(work: Workspace, text: str) -> None:
    hear(work.database, take("1", "1", "a" * 64), line("what toy"))
    with pytest.raises(UsageError):
        correct_line(work, only(work.database).number, text, "jo")


def test_no_word_is_written_down_where_that_is_forbidden(work: Workspace) -> None:
    hear(work.database, take("1", "1", "a" * 64), line("what toy"))
    mark_production(work, Marking("harbour", (Mark.NO_TRANSCRIPTION,), ()), "jo")
    with pytest.raises(UsageError, match="no transcription"):
        correct_line(work, only(work.database).number, "what joy", "jo")


def test_a_line_of_before_is_refused_in_a_sentence(work: Workspace) -> None:
    with pytest.raises(InputError, match="heard anew"):
        correct_line(work, 17, "what joy", "jo")


@pytest.mark.parametrize("whole_take", [False, True])
def test_forgetting_takes_the_corrections_along(work: Workspace, whole_take: bool) -> None:
    media = take("1", "1", "a" * 64)
    hear(work.database, media, line("what toy", 0, "REN"), line("which other", 9_000, "MARA"))
    with work.database.read() as session:
        ren, mara = (item.number for item in lines_of(session))
    correct_line(work, ren, "quicksilver", "jo")
    undo_correction(work, ren, "jo")
    correct_line(work, ren, "marmalade", "jo")
    correct_line(work, mara, "lighthouse", "jo")
    with work.database.write() as session:
        if whole_take:
            forget_takes(session, [media.essence], "jo")
        else:
            forget_people(session, people_named(session, "REN", None), "jo")
    work.database.scrub()
    assert hit(work, "marmalade") == []
    with work.database.read() as session:
        left = [row.text for row in session.scalars(select(LineCorrection))]
    assert left == ([] if whole_take else ["lighthouse"])
    stored = b"".join(path.read_bytes() for path in work.settings.home.glob("*.db*"))
    assert b"quicksilver" not in stored
    assert b"marmalade" not in stored


def test_a_line_is_meant_by_its_timecode_or_its_number(work: Workspace) -> None:
    ren, mara = line("what toy", 0, "REN"), line("which other", 96_096, "MARA")
    hear(work.database, take("12A", "03", "a" * 64), ren, mara)
    assert line_at(work, "12A-3", 2).line == mara
    with work.database.read() as session:
        first = lines_of(session)[0]
    assert (first.time_reference, first.sample_rate) == (1764562800, 48000)
    # 1764562800 samples at 23.976 are 881399 1/3 frames: 10:12:04:23, and 48 frames are 2 s.
    assert line_at(work, "12A-3", "10:12:05:00").line == ren
    assert line_at(work, "12A-3", "10:12:07:00").line == mara
    with pytest.raises(InputError, match="is spoken at"):
        line_at(work, "12A-3", "11:00:00:00")
    with pytest.raises(InputError, match="lines 1 to 2"):
        line_at(work, "12A-3", 3)


def test_exports_have_the_corrected_words_and_mark_them(work: Workspace) -> None:
    hear(work.database, take("1", "1", "a" * 64), line("what toy"), line("it is", 9_000))
    with work.database.read() as session:
        number = lines_of(session)[0].number
    correct_line(work, number, "what joy", "jo")
    text = export(work, Request(("json",)), Silent()).text
    assert '"text": "what joy"' in text
    assert "toy" not in text
    assert text.count('"corrected": true') == 1


def test_the_command_corrects_lists_and_undoes(own_home: Home) -> None:
    tell(own_home, {"1-T02": [(30, "what toy there is")]})
    # The take starts at 11:00:00:07.
    ran = own_home.run("correct", "1-T02", "11:00:01:13", "what joy there is", "--json")
    assert (ran.code, ran.json["text"], ran.json["heard_text"]) == (
        0,
        "what joy there is",
        "what toy there is",
    )
    assert [one["text"] for one in own_home.run("lines", "1-T02", "--json").json] == [
        "what joy there is"
    ]
    heard = own_home.run("lines", "1-T02", "--heard", "--json").json
    assert [one["text"] for one in heard] == ["what toy there is"]
    assert "what joy there is" in own_home.run("correct", "--list").out
    (found,) = own_home.run("search", "toy", "--json").json
    assert found["found_in"] == "heard"
    ran = own_home.run("correct", "1-T02", "--line", "1", "--undo")
    assert "as heard again" in ran.out
    assert own_home.run("correct", "1-T02").code == 2
    assert own_home.run("correct", "1-T02", "--line", "9", "words").code == 3


def test_lines_without_words_can_be_given_some() -> None:
    silent = Line("REN", 1000, 5000, (), "none")
    (now,) = with_corrections([silent], [correction(1000, 5000, "oh no")])
    assert now.words == (Word("oh", 1000, 3000), Word("no", 3000, 5000))
