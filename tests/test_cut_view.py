"""Cuts are shown as they were cleaned: what each event plays, what became of it, its stems."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from production import CUT_START, PER_FRAME, V1, V2, Delivered, Home, tell, write_otio
from sqlalchemy import select

import db.tables
from config.settings import Settings
from core.errors import InputError, OfflineError, UsageError
from core.review import Review, ReviewedTake, ReviewKind
from core.versions import version_in
from db.judged import channels_from_text
from db.review import remember_review
from db.run_rows import RunRow
from flows.cut_again import clean_again
from flows.cut_changes import cut_changes
from flows.cut_events import CutEventView
from flows.cut_view import CutView, cut_list, cut_view, previous_version
from flows.delivered import read_delivery
from flows.workspace import Workspace, open_workspace


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("HARBOUR_cut_v2", ("HARBOUR_cut", "2")),
        ("REEL 1 V003", ("REEL 1", "3")),
        ("reel1.v12b", ("reel1", "12b")),
        ("Reel 2 version 4", ("Reel 2", "4")),
        ("Reel v2.1", ("Reel", "2.1")),
        ("v7", ("v7", "")),
        ("GAV1", ("GAV1", "")),
        ("Timeline 1", ("Timeline 1", "")),
    ],
)
def test_a_version_is_what_the_end_of_a_name_says(name: str, told: tuple[str, str]) -> None:
    assert version_in(name) == told


@pytest.fixture(scope="module")
def work(
    delivered: Delivered, film: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """A home with two versions of a cut; of the second one a take's media are not there."""
    folder = tmp_path_factory.mktemp("cuts")
    home = Home(folder / "home")
    shutil.copytree(delivered.home.folder, home.folder)
    shutil.copytree(film / "sound", folder / "film" / "sound")
    (folder / "film" / "sound" / "2-T01.wav").unlink()
    second = write_otio(folder / "film" / "v2.otio", V2)
    ran = home.run("clean", second, "--out", folder / "out2", "--direct")
    assert ran.code == 0, ran.err
    tell(home, {"1-T02": ((30, "never mind the suitcase"),)})
    with open_workspace(Settings(home=home.folder)) as opened:
        yield opened


def view(work: Workspace, name: str) -> CutView:
    """A cut by its name."""
    (found,) = (c for c in cut_list(work) if c.summary.name == name)
    return cut_view(work, found.summary.digest)


def events(found: CutView) -> list[CutEventView]:
    """All events of a cut."""
    return [event for track in found.tracks for event in track.events]


def test_cuts_are_listed_with_their_versions_and_deliveries(work: Workspace) -> None:
    listed = {item.summary.name: item for item in cut_list(work)}
    assert {(i.title, i.version) for i in listed.values()} == {("v1", ""), ("v2", "")}
    assert [item.summary.events for item in listed.values()] == [len(V2), len(V1)]
    assert [item.summary.offline for item in listed.values()] == [1, 0]
    assert listed["v2"].delivery is not None
    assert listed["v2"].delivery.folder.name == "out2"
    assert all(item.complete for item in listed.values())


def test_events_lie_where_the_cut_has_them_and_play_what_it_says(work: Workspace) -> None:
    found = view(work, "v1")
    assert (found.start, found.length) == (CUT_START * PER_FRAME, 150 * PER_FRAME)
    told = {(e.track, e.take.name if e.take else "", e.start, e.end) for e in events(found)}
    # A dissolve of twelve frames reaches six beyond the cut point, both ways.
    assert told == {
        ("A1 DX", "1-T01", 6 * PER_FRAME, 56 * PER_FRAME),
        ("A1 DX", "1-T02", 44 * PER_FRAME, 96 * PER_FRAME),
        ("A1 DX", "1-T01", 110 * PER_FRAME, 140 * PER_FRAME),
        ("A2 LAV", "1-T02", 20 * PER_FRAME, 70 * PER_FRAME),
        ("A2 LAV", "1-T01", 100 * PER_FRAME, 140 * PER_FRAME),
    }
    (lav,) = (e for e in events(found) if e.start == 20 * PER_FRAME)
    assert (lav.source_start, lav.source_end, lav.channels) == (
        25 * PER_FRAME,
        75 * PER_FRAME,
        (1,),
    )
    assert lav.speakers == ("REN",)
    assert [track.name for track in found.tracks] == ["A1 DX", "A2 LAV"]
    assert all(track.heard and track.cleaned for track in found.tracks)


def test_what_is_offline_keeps_its_place(work: Workspace) -> None:
    lost = [e for e in events(view(work, "v2")) if e.state == "offline"]
    assert [(e.id, e.start, e.end) for e in lost] == [("A1 DX/002", 32 * PER_FRAME, 76 * PER_FRAME)]
    assert lost[0].take is None
    assert lost[0].why


def _gentler(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "recipe": "gentle"}


def _bypassed(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "recipe": "bypass", "limit_db": 0.0}


def _held(told: dict[str, Any]) -> dict[str, Any]:
    gates = [[{**gate, "value": 99.0} for gate in channel] for channel in told["gates"]]
    return {**told, "gates": gates}


@pytest.mark.parametrize(
    ("became", "state"), [(_gentler, "gentler"), (_bypassed, "bypassed"), (_held, "flagged")]
)
def test_what_became_of_an_event_is_what_its_take_went_through(
    own_home: Home, became: Callable[[dict[str, Any]], dict[str, Any]], state: str
) -> None:
    with open_workspace(Settings(home=own_home.folder)) as work:
        with work.database.write() as session:
            for row in session.scalars(
                select(db.tables.Activity).where(db.tables.Activity.kind == "clean")
            ):
                row.parameters = became(dict(row.parameters))
        found = events(view(work, "v1"))
    assert {event.state for event in found} == {state}
    assert all(event.why for event in found)


def test_what_a_person_approved_is_not_flagged_and_what_they_decided_is_told(
    own_home: Home,
) -> None:
    with open_workspace(Settings(home=own_home.folder)) as work:
        with work.database.write() as session:
            for row in session.scalars(
                select(db.tables.Activity).where(db.tables.Activity.kind == "clean")
            ):
                row.parameters = _held(dict(row.parameters))
            judged = session.scalars(select(db.tables.JudgedTake).order_by("id")).all()
            one, other = judged[0], next(row for row in judged if row.setup != judged[0].setup)
            heard = ReviewedTake(one.essence, channels_from_text(one.channels), one.key)
            for number, kind, takes in (
                (one.setup, ReviewKind.APPROVE, (heard,)),
                (other.setup, ReviewKind.BYPASS, ()),
            ):
                remember_review(
                    session,
                    Review(0, number, kind, "", None, "fine", "Mara", "", not takes, takes),
                )
            keys = {r.event: r.take_key for r in session.scalars(select(db.tables.CutEvent))}
        found = {event.id: event for event in events(view(work, "v1"))}
    for name, event in found.items():
        assert event.state == ("approved" if keys[name] == one.key else "flagged")
    assert any("by Mara" in event.why for event in found.values())
    assert {e.decided[:16] for n, e in found.items() if keys[n] == other.key} == {
        "left as recorded"
    }


def test_a_lock_shows_as_one_and_other_decisions_beside_the_state(
    own_home: Home, film: Path
) -> None:
    for words in (["A1 DX/003", "--lock"], ["A2 LAV/002", "--bypass", "--note", "her breath"]):
        ran = own_home.run("override", film / "v1.otio", *words)
        assert ran.code == 0, ran.err
    with open_workspace(Settings(home=own_home.folder)) as work:
        found = {event.id: event for event in events(view(work, "v1"))}
    assert found["A1 DX/003"].state == "locked"
    # Decided, but not cleaned again yet.
    assert found["A2 LAV/002"].state != "bypassed"
    assert "her breath" in found["A2 LAV/002"].decided
    assert found["A2 LAV/001"].decided == ""


def test_a_delivery_that_is_gone_leaves_the_cut_known(own_home: Home) -> None:
    with open_workspace(Settings(home=own_home.folder)) as work:
        with work.database.write() as session:
            for row in session.scalars(select(db.tables.Location)):
                if row.path.name == "report.html":
                    row.path = Path("/nowhere/report.html")
        found = view(work, "v1")
    assert found.listed.delivery is None
    assert found.stems == ()
    assert len(events(found)) == len(V1)


def test_changes_are_told_from_what_both_versions_play(work: Workspace) -> None:
    listed = {item.summary.name: item.summary for item in cut_list(work)}
    new, old = listed["v2"].digest, listed["v1"].digest
    found = cut_changes(work, new, old).found
    told = {str(c.kind): c for c in found.changes}
    assert sorted(str(c.kind) for c in found.changes) == sorted(
        ["trimmed", "removed", "removed", "added", "kept", "removed"]
    )
    # Counted at the cut points, in the middle of the dissolves.
    assert told["trimmed"].tail == 30 - 44
    with pytest.raises(UsageError, match="another"):
        cut_changes(work, new, new)
    with pytest.raises(InputError, match="No cut"):
        cut_changes(work, new, "0" * 64)


def test_the_delivery_has_the_cut_where_its_file_is_gone(work: Workspace, film: Path) -> None:
    listed = {item.summary.name: item.summary for item in cut_list(work)}
    path = listed["v2"].path
    text = path.read_bytes()
    whole = cut_changes(work, listed["v2"].digest, listed["v1"].digest).found
    try:
        path.write_bytes(text + b"\n")
        again = cut_changes(work, listed["v2"].digest, listed["v1"].digest).found
    finally:
        path.write_bytes(text)
    assert [c.kind for c in again.changes] == [c.kind for c in whole.changes]


def test_the_version_before_is_told_by_its_number(work: Workspace, film: Path) -> None:
    listed = {item.summary.name: item.summary for item in cut_list(work)}
    with work.database.write() as session:
        for row in session.scalars(select(db.tables.CutRow)):
            row.name = {"v1": "REEL 1 v10", "v2": "Reel_1_v9"}.get(row.name, row.name)
    try:
        found = previous_version(work, listed["v1"].digest)
        assert found is not None
        assert found.summary.digest == listed["v2"].digest
        assert previous_version(work, listed["v2"].digest) is None
    finally:
        with work.database.write() as session:
            for row in session.scalars(select(db.tables.CutRow)):
                row.name = {"REEL 1 v10": "v1", "Reel_1_v9": "v2"}[row.name]


def test_a_cut_is_cleaned_again_as_it_was_asked_for(own_home: Home, delivered: Delivered) -> None:
    film = delivered.film
    with open_workspace(Settings(home=own_home.folder)) as work:
        (known,) = cut_list(work)
        run = clean_again(work, known.summary.digest, "Mara")
        assert (run.kind, run.state.value, run.by) == ("cut", "waiting", "Mara")
        assert run.wanted.inputs == (film / "v1.otio",)
        assert run.wanted.out == delivered.out
        # Asked for twice while it waits, it is done once.
        assert clean_again(work, known.summary.digest, "Ren").id == run.id
        with work.database.write() as session:
            for row in session.scalars(select(RunRow)):
                session.delete(row)
        alone = clean_again(work, known.summary.digest, "Mara").wanted
        assert (alone.inputs, alone.media, alone.out) == (
            run.wanted.inputs, (film / "sound",), run.wanted.out,
        )  # fmt: skip
        assert alone.settings == {"recipe": "standard", "loudness": "none"}
        with work.database.write() as session:
            session.scalars(select(db.tables.CutRow)).one().path = film / "v2.otio"
        with pytest.raises(OfflineError, match="has changed since"):
            clean_again(work, known.summary.digest, "Mara")


def test_no_file_outside_the_delivery_is_ever_given(delivered: Delivered, tmp_path: Path) -> None:
    told = delivered.list
    (tmp_path / "secret.wav").write_bytes(b"secret")
    folder = tmp_path / "out"
    (folder / "stems").mkdir(parents=True)
    (folder / "stems" / "link.wav").symlink_to(tmp_path / "secret.wav")
    named = [
        "../secret.wav",
        str(tmp_path / "secret.wav"),
        "stems/link.wav",
        "stems/../../secret.wav",
    ]
    told["files"] = [{**told["files"][0], "path": path, "bytes": 6} for path in named]
    (folder / "delivery.json").write_text(json.dumps(told), encoding="utf-8")
    found = read_delivery(folder)
    assert found is not None
    for entry in found.files:
        with pytest.raises(InputError, match="outside"):
            found.path_of(entry)
    with pytest.raises(OfflineError, match="as it was written"):
        found.path_of(replace(found.files[0], path="stems/gone.wav"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"roomtone": 1}',
        '{"roomtone": "1", "state": "x", "files": [3]}',
        "[" * 99999,
    ],
)
def test_a_list_that_is_none_of_ours_is_no_delivery(tmp_path: Path, text: str) -> None:
    (tmp_path / "delivery.json").write_text(text, encoding="utf-8")
    assert read_delivery(tmp_path) is None
