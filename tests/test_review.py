"""What the gates hold back waits for a person, who decides; the next run obeys."""

from __future__ import annotations

import getpass
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production import (
    HARSH,
    PER_FRAME,
    V1,
    Delivered,
    Home,
    files_of,
    naive_track,
    sound_of,
    stems,
    steps,
    tell,
)
from sqlalchemy import select

from config.settings import Settings
from core.errors import ExitCode
from core.review import (
    GateState,
    Review,
    ReviewedTake,
    ReviewKind,
    ReviewState,
    acceptance,
    ruling,
    state_of,
    worst,
)
from db.engine import open_database
from db.review import gate_state_is
from db.tables import Activity, Take
from flows.review_queue import queue
from flows.workspace import open_workspace

ME = getpass.getuser()


def review(number: int, kind: ReviewKind, **more: Any) -> Review:
    here = {"recipe": "", "amount_db": None, "text": "", "by": "mk", "at": "2026-11-27T18:00:00"}
    return Review(number, 1, kind, **{**here, "whole": True, **more})


BOOM = ReviewedTake("e", (0,), "key")
OTHER = ReviewedTake("f", (0,), "else")


def test_the_latest_decision_in_force_counts() -> None:
    gentler, bypass = review(1, ReviewKind.GENTLER), review(2, ReviewKind.BYPASS)
    undone = review(3, ReviewKind.GENTLER, undone_at="2026-11-27T19:00:00")
    comment, approval = review(4, ReviewKind.COMMENT), review(5, ReviewKind.APPROVE)
    assert ruling([comment, bypass, approval, gentler, undone], "e", (0,)) == bypass
    assert ruling([comment, approval, undone], "e", (0,)) is None


def test_a_decision_for_some_takes_holds_for_no_other() -> None:
    one = review(2, ReviewKind.BYPASS, whole=False, takes=(BOOM,))
    assert ruling([one], "e", (0,)) == one
    assert ruling([one], "e", (1,)) is None
    assert ruling([one], "f", (0,)) is None


def test_a_lock_holds_for_what_was_there_and_not_for_later_takes() -> None:
    gentler, lock = review(1, ReviewKind.GENTLER), review(2, ReviewKind.LOCK, takes=(BOOM,))
    assert ruling([gentler, lock], "e", (0,)) == lock
    assert ruling([gentler, lock], "f", (0,)) == gentler


def test_only_the_sound_that_was_approved_is_accepted() -> None:
    approval = review(1, ReviewKind.APPROVE, takes=(BOOM, OTHER))
    assert acceptance([approval], "key") == approval
    assert acceptance([approval], "another") is None
    assert acceptance([review(1, ReviewKind.GENTLER, takes=(BOOM,))], "key") is None


def test_a_setup_stands_as_the_take_that_asks_most() -> None:
    waiting = state_of(failed=True, accepted=False, obeyed=True)
    assert waiting is ReviewState.WAITING
    assert state_of(failed=True, accepted=True, obeyed=True) is ReviewState.APPROVED
    assert state_of(failed=True, accepted=True, obeyed=False) is ReviewState.DECIDED
    assert worst([ReviewState.PASSED, waiting, ReviewState.APPROVED]) is waiting


@dataclass(frozen=True)
class Desk:
    """A production of which the gates let nothing through, with the commands of its editor."""

    film: Path
    home: Home
    recipe: Path
    out: Path

    def clean(self, version: str = "v1") -> Any:
        """Clean a cut; what the command tells."""
        cut = self.film / f"{version}.otio"
        words = ("--recipe", self.recipe, "--out", self.out / version, "--direct", "--json")
        ran = self.home.run("clean", cut, *words)
        assert ran.code == 0, ran.err
        return ran.json

    def review(self, *words: str) -> Any:
        """`roomtone review …` as JSON."""
        ran = self.home.run("review", *words, "--json")
        assert ran.code == 0, ran.err
        return ran.json

    def number(self, name: str) -> str:
        """The number of a setup."""
        return next(str(item["number"]) for item in self.review("--all") if item["name"] == name)

    def listed(self, version: str = "v1") -> Any:
        """`delivery.json`."""
        return json.loads((self.out / version / "delivery.json").read_text("utf-8"))

    def removed(self, first: int, last: int) -> int:
        """The largest step of noise taken from the boom track between two record frames."""
        sound = steps(stems(self.out / "v1")["A1_DX.NR"])
        return int(np.abs(sound[first * PER_FRAME : last * PER_FRAME]).max())

    def gate_states(self) -> dict[GateState, set[str]]:
        """The names of the takes in each state, as search can ask for them."""
        database = open_database(self.home.folder / "roomtone.db")
        with database.read() as session:
            names = {
                state: set(
                    session.scalars(select(Take.name).where(Take.essence.in_(gate_state_is(state))))
                )
                for state in GateState
            }
        database.close()
        return names


@pytest.fixture
def desk(held: Delivered, tmp_path: Path) -> Desk:
    """A production whose first cut was cleaned under limits that nothing keeps."""
    shutil.copytree(held.home.folder.parent, tmp_path / "desk")
    folder = tmp_path / "desk"
    return Desk(held.film, Home(folder / "home"), folder / "harsh.toml", folder / "out")


def test_what_a_gate_holds_back_waits_grouped_by_setup(desk: Desk) -> None:
    found = desk.review()
    assert [item["name"] for item in found] == ["Scene 1 BOOM", "Scene 1 MARA", "Scene 1 REN"]
    assert {item["state"] for item in found} == {"waiting"}
    boom = found[0]
    assert [take["name"] for take in boom["takes"]] == ["1-T01", "1-T02"]
    (gate,) = boom["takes"][0]["gates"]
    assert (gate["microphone"], gate["name"], gate["limit"]) == ("BOOM", "speech level", 0)
    assert boom["takes"][0]["recipe"].startswith("gentle, at most ")
    # V1 plays the boom of 1-T01 from frame 6 (with no dissolve at its start) and from frame 110.
    played = boom["takes"][0]["played"]
    assert [(at["cut"], at["event"]) for at in played] == [
        ("v1.otio", "A1 DX/001"),
        ("v1.otio", "A1 DX/003"),
    ]
    assert (played[1]["start"], played[1]["end"]) == ("01:00:04:14", "01:00:05:20")
    assert played[1]["source_start"] == V1[2].source * PER_FRAME


def test_an_approved_setup_is_no_longer_flagged_and_says_who(desk: Desk) -> None:
    before, flagged = sound_of(desk.out / "v1"), desk.listed()["flagged"]
    assert len(flagged) == 4
    number = desk.number("Scene 1 BOOM")
    desk.review("approve", number, "--note", "sounds right")
    assert [item["name"] for item in desk.review()] == ["Scene 1 MARA", "Scene 1 REN"]
    ran = desk.clean()
    assert ran["takes_cleaned"] == 0
    listed = desk.listed()
    assert listed["flagged"] == [text for text in flagged if " BOOM: " not in text]
    assert len(listed["approved"]) == 2
    assert f"approved by {ME} on " in listed["approved"][0]
    assert listed["approved"][0].endswith("(sounds right)")
    report = (desk.out / "v1" / "report.html").read_text("utf-8")
    assert ">Approved<" in report
    assert f"approved by {ME} on " in report
    assert sound_of(desk.out / "v1") == before
    told = desk.home.run("trace", stems(desk.out / "v1")["A1_DX.DX"]).out
    assert f"decided by {ME} for 1-T01.wav, 1-T02.wav: approve" in told
    assert "decided by" not in desk.home.run("trace", stems(desk.out / "v1")["A2_LAV.DX"]).out
    desk.review("undo", number)
    assert len(desk.review()) == 3
    desk.clean()
    assert (desk.listed()["flagged"], desk.listed()["approved"]) == (flagged, [])


def test_an_approval_is_for_the_sound_that_was_heard(desk: Desk) -> None:
    number = desk.number("Scene 1 BOOM")
    desk.review("approve", number)
    desk.recipe.write_text(HARSH.replace("20", "6").replace('"gentle"', '""'))
    desk.clean()
    assert "Scene 1 BOOM" in [item["name"] for item in desk.review()]


def test_asking_for_gentler_is_obeyed_again_and_again(desk: Desk) -> None:
    number, first = desk.number("Scene 1 BOOM"), desk.removed(6, 30)
    once = desk.review("gentler", number, "--note", "her breath")
    assert (once["state"], once["decisions"][-1]["amount_db"]) == ("decided", 6)
    early = desk.home.run("review", "approve", number)
    assert (early.code, "run roomtone clean" in early.err) == (ExitCode.USAGE, True)
    ran = desk.clean()
    assert ran["takes_cleaned"] == 2
    assert any(
        note.startswith(f"Scene 1 BOOM: gentler, recipe gentle, at most 6 dB, as decided by {ME}")
        for note in ran["notes"]
    )
    second = desk.removed(6, 30)
    assert second < first
    # The gates still hold it back, so it waits again.
    assert desk.review("show", number)["state"] == "waiting"
    twice = desk.review("gentler", number)
    assert twice["decisions"][-1]["amount_db"] == 3
    desk.clean()
    assert desk.removed(6, 30) < second
    again = files_of(desk.home.folder / "store")
    assert desk.clean()["takes_cleaned"] == 0
    assert files_of(desk.home.folder / "store") == again


def test_a_later_take_of_the_setup_follows_the_decision(desk: Desk) -> None:
    desk.review("gentler", desk.number("Scene 1 BOOM"), "--amount", "2")
    notes = desk.clean("v2")["notes"]
    assert any(note.startswith("Scene 1 BOOM: gentler") for note in notes)
    assert not any(note.startswith("Scene 2 BOOM: gentler") for note in notes)


def test_a_bypassed_setup_is_played_as_recorded_until_that_is_undone(desk: Desk) -> None:
    before = sound_of(desk.out / "v1" / "stems")
    number = desk.number("Scene 1 BOOM")
    desk.review("bypass", number)
    desk.clean()
    dx = steps(stems(desk.out / "v1")["A1_DX.DX"])[:, 0]
    np.testing.assert_array_equal(dx, naive_track(desk.film, V1, "A1 DX"))
    assert desk.removed(0, 150) == 0
    assert desk.review("show", number)["state"] == "passed"
    assert desk.review("undo", number)["state"] == "decided"
    desk.clean()
    assert sound_of(desk.out / "v1" / "stems") == before
    assert desk.review("show", number)["state"] == "waiting"


def test_a_locked_setup_keeps_its_sound_under_another_recipe(desk: Desk) -> None:
    before = sound_of(desk.out / "v1" / "stems")
    locked = desk.review("lock", desk.number("Scene 1 BOOM"), "--note", "as mixed")
    assert locked["state"] == "approved"
    desk.recipe.write_text("limit_db = 30\n")
    desk.clean()
    after = sound_of(desk.out / "v1" / "stems")
    assert after["v1.A1_DX.DX.wav"] == before["v1.A1_DX.DX.wav"]
    assert after["v1.A2_LAV.DX.wav"] != before["v1.A2_LAV.DX.wav"]
    assert any("locked" in note and "as mixed" in note for note in desk.listed()["notes"])


def test_a_decision_for_one_take_leaves_the_other_waiting(desk: Desk) -> None:
    item = desk.review("bypass", desk.number("Scene 1 BOOM"), "--take", "1-t02")
    assert {take["name"]: take["state"] for take in item["takes"]} == {
        "1-T01": "waiting",
        "1-T02": "decided",
    }
    assert item["decisions"][0]["takes"] == ["1-T02"]
    desk.clean()
    assert desk.removed(60, 90) == 0
    assert desk.removed(6, 30) > 0


def test_a_decision_for_a_clip_goes_before_its_setups(desk: Desk) -> None:
    cut = desk.film / "v1.otio"
    assert desk.home.run("override", cut, "A1 DX/003", "--bypass").code == 0
    number = desk.number("Scene 1 BOOM")
    desk.review("gentler", number, "--amount", "4")
    desk.clean()
    assert desk.removed(110, 140) == 0
    assert desk.removed(6, 30) > 0
    played = desk.review("show", number)["takes"][0]["played"]
    assert [at["other"] for at in played] == [False, True]


def test_search_can_ask_how_takes_stand(desk: Desk) -> None:
    everything = {"1-T01", "1-T02"}
    assert desk.gate_states() == {
        GateState.PASSED: set(),
        GateState.FAILED: everything,
        GateState.WAITING: everything,
        GateState.APPROVED: set(),
        GateState.UNCLEANED: set(),
    }
    for name in ("Scene 1 BOOM", "Scene 1 MARA"):
        desk.review("approve", desk.number(name))
    # 1-T01 is played from BOOM and MARA, 1-T02 from BOOM and REN.
    states = desk.gate_states()
    assert (states[GateState.APPROVED], states[GateState.WAITING]) == ({"1-T01"}, {"1-T02"})
    desk.review("bypass", desk.number("Scene 1 REN"))
    assert desk.gate_states()[GateState.WAITING] == set()
    desk.clean()
    assert desk.gate_states()[GateState.APPROVED] == everything


def test_an_approved_take_is_no_reason_to_record_a_line_again(desk: Desk) -> None:
    tell(desk.home, {"1-T01": [(30, "what joy there is in living")]})
    words = ("adr", desk.film / "v1.otio", "--out", desk.out / "adr")
    assert desk.home.run(*words).code == 0
    sheet = desk.out / "adr.csv"
    assert "fails the gate speech level" in sheet.read_text("utf-8")
    for name in ("Scene 1 BOOM", "Scene 1 MARA", "Scene 1 REN"):
        desk.review("approve", desk.number(name))
    assert desk.home.run(*words).code == 0
    assert "fails the gate" not in sheet.read_text("utf-8")


def test_a_take_that_no_cut_plays_any_more_does_not_wait(desk: Desk, tmp_path: Path) -> None:
    shutil.copytree(desk.film, tmp_path / "film")
    own = replace(desk, film=tmp_path / "film", home=Home(tmp_path / "home"))
    own.clean()
    assert [item["name"] for item in own.review()] == [
        "Scene 1 BOOM",
        "Scene 1 MARA",
        "Scene 1 REN",
    ]
    shutil.copy(own.film / "v2.otio", own.film / "v1.otio")
    own.clean()
    assert [item["name"] for item in own.review()] == [
        "Scene 1 BOOM",
        "Scene 1 REN",
        "Scene 2 BOOM",
    ]


def test_sound_files_without_a_cut_wait_as_well(desk: Desk, tmp_path: Path) -> None:
    sound = desk.film / "sound" / "2-T01.wav"
    words = ("--recipe", desk.recipe, "--out", tmp_path / "files", "--json")
    assert desk.home.run("clean", sound, *words).json["flagged"]
    number = desk.number("Scene 2 BOOM+REN+MARA")
    assert desk.review("show", number)["takes"][0]["played"] == []
    desk.review("approve", number)
    told = desk.home.run("clean", sound, *words).json
    assert (told["flagged"], len(told["approved"]) > 0) == ([], True)


def test_who_decided_what_is_in_the_provenance_and_the_words_are_not(desk: Desk) -> None:
    number = desk.number("Scene 1 BOOM")
    desk.review("comment", number, "ask MARA")
    desk.review("approve", number, "--note", "the mixer likes it")
    desk.review("undo", number)
    database = open_database(desk.home.folder / "roomtone.db")
    with database.read() as session:
        done = session.scalars(
            select(Activity).where(Activity.kind == "review").order_by(Activity.started)
        ).all()
        told = [row.parameters for row in done]
        assert {row.agent for row in done} == {ME}
    database.close()
    assert [entry.get("what", "undo") for entry in told] == ["comment", "approve", "undo"]
    assert told[1]["setup"] == "Scene 1 BOOM"
    assert told[1]["takes"] == ["1-T01", "1-T02"]
    assert "mixer" not in json.dumps(told)


def test_a_forgotten_take_leaves_the_queue(desk: Desk) -> None:
    desk.review("approve", desk.number("Scene 1 BOOM"), "--take", "1-T01")
    ran = desk.home.run("forget", "--take", "1-T01", "--yes")
    assert ran.code == 0, ran.err
    with open_workspace(Settings(home=desk.home.folder)) as work:
        names = {take.take.name for item in queue(work, everything=True) for take in item.takes}
    assert names == {"1-T02"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "99"), ExitCode.INPUT, "no setup 99"),
        (("approve", "BOOM", "--take", "9-T09"), ExitCode.INPUT, "has no take '9-T09'"),
        (("gentler", "BOOM", "--amount", "40"), ExitCode.USAGE, "40 dB is not gentler"),
        (("comment", "BOOM", " "), ExitCode.USAGE, "can't be empty"),
        (("undo", "BOOM"), ExitCode.INPUT, "nothing to take back"),
        (("lock", "BOOM", "--note", "x" * 2001), ExitCode.USAGE, "at most 2000 characters"),
    ],
)
def test_what_can_not_be_decided_is_said(
    desk: Desk, words: tuple[str, ...], code: ExitCode, said: str
) -> None:
    named = [desk.number("Scene 1 BOOM") if word == "BOOM" else word for word in words]
    ran = desk.home.run("review", *named)
    assert ran.code == code, ran.err
    assert said in ran.err


def test_a_person_reads_the_queue(desk: Desk) -> None:
    out = desk.home.run("review").out
    assert "Scene 1 BOOM  waiting" in out
    assert "speech level" in out
    assert "in v1.otio A1 DX/001 01:00:00:06 and 1 more" in out
    number = desk.number("Scene 1 BOOM")
    desk.home.run("review", "comment", number, "[bold]loud[/bold]\x1b[31m")
    shown = desk.home.run("review", "show", number).out
    assert "Change of level where speech stands 15 dB above the noise." in shown
    assert f"{ME}: [bold]loud[/bold] [31m" in shown
    for name in ("Scene 1 BOOM", "Scene 1 REN", "Scene 1 MARA"):
        desk.review("approve", desk.number(name))
    assert "Nothing waits for a person" in desk.home.run("review").out


KINDS = st.sampled_from(list(ReviewKind))


@given(st.lists(st.tuples(KINDS, st.booleans(), st.booleans()), max_size=8))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_undone_or_only_a_comment_never_rules(
    made: list[tuple[ReviewKind, bool, bool]],
) -> None:
    reviews = [
        review(
            number,
            kind,
            whole=whole,
            takes=(BOOM,),
            undone_at="2026-11-27T19:00:00" if undone else "",
        )
        for number, (kind, whole, undone) in enumerate(made, 1)
    ]
    found = ruling(reviews, "e", (0,))
    steering = [
        one
        for one in reviews
        if one.in_force and one.kind not in (ReviewKind.APPROVE, ReviewKind.COMMENT)
    ]
    assert found == (steering[-1] if steering else None)
    assert ruling(reviews, "e", (0,)) == ruling(list(reversed(reviews)), "e", (0,))
