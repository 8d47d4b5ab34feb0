"""Tags find takes: put on and off by a person, recorded, and gone where a take is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from heard import SAID, take_heard
from production import Home
from sqlalchemy import select
from test_catalogue import hear, line, take

from config.settings import Settings
from core.errors import UsageError
from core.filters import Filters
from core.tags import MOST_LETTERS, tag_of
from db.forget import forget_people, forget_takes, people_named
from db.tables import Activity, TakeTag
from flows.search import find_lines
from flows.tags import tag_takes, tagged, tags_known
from flows.workspace import Workspace, open_workspace

FIRST, SECOND = "a" * 64, "b" * 64


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        hear(opened.database, take("12A", "1", FIRST), line("the dog", speaker="REN"))
        hear(opened.database, take("14", "2", SECOND), line("the dog", speaker="STELLA"))
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    take_heard(home, "7A-T01", SAID)
    take_heard(home, "7B-T02", SAID[2:])
    return home


@pytest.mark.parametrize(
    ("written", "kept"), [("Good", "good"), (" best   of\tall ", "best of all"), ("ÉTÉ 2", "été 2")]
)
def test_tags_are_compared_in_small_letters_with_single_spaces(written: str, kept: str) -> None:
    assert tag_of(written) == kept
    assert tag_of(tag_of(written)) == kept


@pytest.mark.parametrize("text", ["", "  ", "!!", "+good", "-good", "x" * (MOST_LETTERS + 1)])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        tag_of(text)


def test_lines_are_found_by_all_tags_that_are_asked_for(work: Workspace) -> None:
    tag_takes(work, [FIRST, SECOND], ["Good"], [], "jo")
    tag_takes(work, [SECOND], ["noisy"], [], "jo")

    def who(*tags: str) -> list[str]:
        hits = find_lines(work.database, "dog", 9, Filters(tags=tags))
        return sorted(hit.found.line.speaker for hit in hits)

    assert who("good") == ["REN", "STELLA"]
    assert who("good", "noisy") == ["STELLA"]
    assert who("nois") == []
    assert tags_known(work) == {"good": 2, "noisy": 1}


def test_each_change_is_recorded_with_who_made_it_and_no_change_is_not(work: Workspace) -> None:
    tag_takes(work, [FIRST], ["good", "GOOD"], ["noisy"], "jo")
    tag_takes(work, [FIRST], ["good"], [], "ann")
    tag_takes(work, [FIRST], [], ["good"], "ann")
    assert tagged(work, [FIRST])[0].tags == ()
    with work.database.read() as session:
        done = session.scalars(select(Activity).where(Activity.kind == "tag")).all()
        told = [(row.agent, row.parameters["on"], row.parameters["off"]) for row in done]
    assert sorted(told) == [("ann", [], ["good"]), ("jo", ["good"], [])]


def test_forgetting_a_take_leaves_no_tag_of_it_anywhere(work: Workspace) -> None:
    tag_takes(work, [FIRST, SECOND], ["secret"], [], "jo")
    with work.database.write() as session:
        forget_takes(session, [FIRST], "jo")
    assert [len(item.tags) for item in tagged(work, [FIRST, SECOND])] == [0, 1]
    with work.database.read() as session:
        done = session.scalars(select(Activity).where(Activity.kind == "tag")).all()
        told = {row.parameters["essence"]: row.parameters["on"] for row in done}
    assert told == {FIRST: [], SECOND: ["secret"]}


def test_forgetting_a_person_takes_tags_with_their_name_off(work: Workspace) -> None:
    tag_takes(work, [SECOND], ["Ren cries", "rent", "good"], [], "jo")
    with work.database.write() as session:
        forget_people(session, people_named(session, "REN", None), "jo")
        assert sorted(session.scalars(select(TakeTag.tag))) == ["good", "rent"]
        done = session.scalars(select(Activity).where(Activity.kind == "tag")).one()
        assert not any(re.search(r"\bren\b", tag) for tag in done.parameters["on"])


def test_a_person_tags_on_the_command_line(home: Home) -> None:
    told = home.run("tag", "7A-1", "7B-T02.wav", "+good", "+Best of all")
    assert (told.code, told.err) == (0, "")
    assert told.out == "7A-T01  best of all, good\n7B-T02  best of all, good\n"
    assert home.run("tag", "7a-1", "-good", "+-", "x").code == 3
    assert home.run("tag", "7a-1", "+-").code == 2
    assert home.run("tag", "7a-1", "-good", "--json").json[0]["tags"] == ["best of all"]
    assert home.run("tag", "7a-1").out == "7A-T01  best of all\n"
    assert home.run("tag", "--json").json == {"best of all": 2, "good": 1}
    found = home.run("search", "you never told me", "--tag", "GOOD", "--json").json
    assert {hit["take"] for hit in found} == {"7B-T02"}
    assert "near it: good" in home.run("search", "you", "--tag", "goood").err


@pytest.mark.parametrize("words", [("+good",), ("-noisy",), ("7A-1", "--nosiy")])
def test_what_can_not_be_meant_is_told(home: Home, words: tuple[str, ...]) -> None:
    ran = home.run("tag", *words)
    assert ran.code == 2
    assert ran.err.startswith("roomtone: ")
