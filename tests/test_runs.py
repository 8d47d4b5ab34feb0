"""A run is remembered, taken by exactly one worker, and ends in a state that says what happened."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production import Delivered, Home, standing_in
from sqlalchemy import delete

from config.settings import Settings
from core.errors import InputError, OutputError, UsageError
from core.run import Claim, Run, RunState, Step, Wanted, Worker
from db import runs as rows
from db.engine import Database, open_database
from db.forget import Person, forget_people
from db.run_rows import RunRow
from db.tables import Speaker
from flows.jobs import CUT, SOUND, settings_of_run
from flows.own_run import as_run
from flows.progress import Progress, Silent
from flows.run_job import question
from flows.runs import ask_for_run, cancel_run, list_runs, reconcile, retry_run, run_numbered
from flows.workspace import Workspace, open_workspace

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
ONE, OTHER = Worker("desk", 100), Worker("shed", 200)
KINDS = (CUT, SOUND)


def wanted(name: str = "reel1.otio", **more: object) -> Wanted:
    told: dict[str, object] = {"out": Path(f"/out/{name}"), **more}
    return Wanted((Path("/cuts") / name,), **told)  # type: ignore[arg-type]


def ask(database: Database, name: str = "reel1.otio", at: datetime = AT, **more: object) -> Run:
    with database.write() as session:
        return rows.add_run(session, CUT, wanted(name, **more), "jo", at)


def claim(database: Database, worker: Worker = ONE, at: datetime = AT) -> Claim | None:
    with database.write() as session:
        return rows.claim_run(session, worker, at, KINDS)


def claimed(database: Database, worker: Worker = ONE, at: datetime = AT) -> Claim:
    found = claim(database, worker, at)
    assert found is not None
    return found


def state(database: Database, number: int) -> RunState:
    return run_numbered(database, number).state


def test_a_run_comes_back_as_it_was_asked_for(database: Database) -> None:
    odd = Path("/cuts/caf\udce9.otio")
    asked = Wanted(
        (odd,), (Path("/media"),), Path("/out/a"), {"recipe": "gentle", "tracks": ("A1",)}
    )
    with database.write() as session:
        number = rows.add_run(session, CUT, asked, "jo", AT).id
    run = run_numbered(database, number)
    assert (run.wanted.inputs, run.wanted.media, run.wanted.out) == (
        (odd,),
        (Path("/media"),),
        Path("/out/a"),
    )
    assert run.wanted.settings == {"recipe": "gentle", "tracks": ["A1"]}
    assert (run.by, run.state, run.asked, run.tries) == ("jo", RunState.WAITING, AT, 0)


def test_runs_are_done_in_the_order_in_which_they_were_asked_for(database: Database) -> None:
    numbers = [ask(database, name).id for name in ("b", "a", "c")]
    assert [claimed(database).run.id for _ in numbers] == numbers
    assert claim(database) is None


def test_a_run_waits_while_another_writes_to_its_folder(database: Database) -> None:
    first, second = ask(database, "a"), ask(database, "a", settings={"recipe": "gentle"})
    other = ask(database, "b")
    mine = claimed(database)
    assert (mine.run.id, claimed(database, OTHER).run.id) == (first.id, other.id)
    assert claim(database, OTHER) is None
    with database.write() as session:
        assert rows.end_run(session, mine, AT, RunState.DONE, {"files": 3})
    assert claimed(database, OTHER).run.id == second.id


def test_what_this_program_does_not_know_is_left_to_one_that_does(database: Database) -> None:
    with database.write() as session:
        rows.add_run(session, "dream", wanted(), "jo", AT)
    assert claim(database) is None


def test_a_worker_that_is_heard_of_keeps_its_run_and_tells_how_far_it_is(
    database: Database,
) -> None:
    ask(database)
    mine = claimed(database)
    late = AT + rows.LEASE * 0.9
    with database.write() as session:
        assert rows.beat_run(session, mine, late, Step("Cleaning takes", 2, 5, "Two are there."))
        assert rows.reconcile_runs(session, AT + rows.LEASE * 1.5, "desk", lambda _: True) == ()
    assert run_numbered(database, mine.run.id).step == Step(
        "Cleaning takes", 2, 5, "Two are there."
    )


def test_whoever_lost_a_run_can_change_it_no_more(database: Database) -> None:
    ask(database)
    slow = claimed(database)
    later = AT + rows.LEASE + timedelta(seconds=1)
    with database.write() as session:
        (run,) = rows.reconcile_runs(session, later, "desk", lambda _: True)
    assert (run.state, run.tries, run.fault) == (RunState.WAITING, 1, rows.CRASHED)
    assert claim(database, OTHER, later) is None  # not before the back-off is over
    taken = claimed(database, OTHER, later + timedelta(seconds=30))
    with database.write() as session:
        assert rows.beat_run(session, slow, later, Step()) is None
        assert not rows.end_run(session, slow, later, RunState.DONE)
        assert not rows.crash_run(session, slow, later, "late")
        assert not rows.release_run(session, slow, later)
        assert rows.end_run(session, taken, later, RunState.DONE, {"takes": 2})
    run = run_numbered(database, slow.run.id)
    assert (run.state, run.outcome, run.fault) == (RunState.DONE, {"takes": 2}, "")


def test_a_run_is_begun_three_times_at_the_most_and_later_each_time(database: Database) -> None:
    at = AT
    ask(database)
    waits = []
    for _ in range(3):
        mine = claimed(database, at=at)
        with database.write() as session:
            rows.crash_run(session, mine, at, "It died.")
        run = run_numbered(database, mine.run.id)
        waits.append((run.not_before - at).total_seconds())
        at = max(at, run.not_before)
    assert waits[:2] == [30, 60]
    assert (run.state, run.fault, run.tries) == (RunState.CRASHED, "It died.", 3)
    assert claim(database, at=AT + timedelta(days=1)) is None


def test_a_dead_process_of_this_host_is_seen_before_its_lease_ends(database: Database) -> None:
    ask(database, "a")
    ask(database, "b")
    here, there = claimed(database, ONE), claimed(database, OTHER)
    with database.write() as session:
        taken = rows.reconcile_runs(session, AT, "desk", lambda pid: pid != 100)
    assert [run.id for run in taken] == [here.run.id]
    assert state(database, there.run.id) is RunState.RUNNING


def test_a_run_given_back_costs_no_try(database: Database) -> None:
    ask(database)
    for _ in range(5):
        mine = claimed(database)
        with database.write() as session:
            assert rows.release_run(session, mine, AT)
    assert run_numbered(database, mine.run.id).tries == 0


def test_a_run_that_waits_is_cancelled_at_once(database: Database) -> None:
    run = ask(database)
    assert cancel_run(database, run.id, "mara").state is RunState.CANCELLED
    assert claim(database) is None
    with pytest.raises(UsageError, match="has ended"):
        cancel_run(database, run.id, "mara")


@pytest.mark.parametrize("end", ["crash", "release", "reconcile"])
def test_a_run_that_was_to_end_is_not_begun_again(database: Database, end: str) -> None:
    run = ask(database)
    mine = claimed(database)
    assert cancel_run(database, run.id, "mara").state is RunState.RUNNING
    with database.write() as session:
        beat = rows.beat_run(session, mine, AT, Step())
        assert beat is not None
        assert beat.cancelled_by == "mara"
        if end == "crash":
            rows.crash_run(session, mine, AT, "It died.")
        elif end == "release":
            rows.release_run(session, mine, AT)
        else:
            rows.reconcile_runs(session, AT, "desk", lambda _: False)
    ended = run_numbered(database, run.id)
    assert (ended.state, ended.cancelled_by) == (RunState.CANCELLED, "mara")


def test_a_run_that_has_ended_can_be_done_again(database: Database) -> None:
    run = ask(database)
    mine = claimed(database)
    with pytest.raises(UsageError, match="has not ended"):
        retry_run(database, run.id)
    with database.write() as session:
        rows.end_run(session, mine, AT, RunState.FAILED, fault="No.", exit_code=3)
    again = retry_run(database, run.id)
    assert (again.state, again.fault, again.exit_code, again.tries) == (
        RunState.WAITING,
        "",
        None,
        0,
    )
    assert claimed(database, at=again.not_before).run.id == run.id


def test_numbers_that_there_are_not_are_told(database: Database) -> None:
    for do in (run_numbered, retry_run):
        with pytest.raises(InputError, match="There is no run 7"):
            do(database, 7)
    with pytest.raises(InputError, match="There is no run 7"):
        cancel_run(database, 7, "jo")


def test_the_latest_runs_come_first_page_by_page(database: Database) -> None:
    numbers = [ask(database, str(n)).id for n in range(5)]
    cancel_run(database, numbers[1], "jo")
    assert [run.id for run in list_runs(database, limit=2)] == numbers[:2:-1]
    assert [run.id for run in list_runs(database, before=numbers[3])] == numbers[2::-1]
    cancelled = list_runs(database, [RunState.CANCELLED])
    assert [run.id for run in cancelled] == [numbers[1]]


def test_eight_workers_at_once_take_each_run_once(place: Path | str) -> None:
    database = open_database(place)
    numbers = {ask(database, f"reel{n % 3}", settings={"reel": n}).id for n in range(24)}
    taken: list[int] = []
    clashes: list[set[Path | None]] = []
    writing: set[Path | None] = set()
    lock = threading.Lock()

    def work(worker: Worker) -> None:
        own = open_database(place)
        while True:
            mine = claim(own, worker)
            if mine is None:
                with own.read() as session:
                    if not rows.latest_runs(session, [RunState.WAITING]):
                        break
                continue
            with lock:
                if mine.run.wanted.out in writing:
                    clashes.append({mine.run.wanted.out})
                writing.add(mine.run.wanted.out)
                taken.append(mine.run.id)
            with own.write() as session:
                with lock:
                    writing.remove(mine.run.wanted.out)
                assert rows.end_run(session, mine, AT, RunState.DONE)
        own.close()

    threads = [threading.Thread(target=work, args=(Worker("desk", n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == sorted(numbers)
    assert clashes == []
    with database.read() as session:
        assert {run.state for run in rows.latest_runs(session)} == {RunState.DONE}
    database.close()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=st.lists(st.sampled_from(["claim", "beat", "crash", "release", "cancel", "gone"])))
def test_no_order_of_events_loses_a_run_or_begins_it_too_often(
    events: list[str], database: Database
) -> None:
    with database.write() as session:
        session.execute(delete(RunRow))
    run, held, at, begun = ask(database), None, AT, 0
    for event in events:
        at += timedelta(minutes=2 if event in ("claim", "gone") else 0)
        with database.write() as session:
            match event, held:
                case "claim", None:
                    held = rows.claim_run(session, ONE, at, KINDS)
                    begun += held is not None
                case "cancel", _:
                    rows.cancel_run(session, run.id, at, "mara")
                case "gone", _:
                    if rows.reconcile_runs(session, at, "desk", lambda _: True):
                        held = None
                case "beat", Claim():
                    rows.beat_run(session, held, at, Step())
                case "crash", Claim():
                    held = None if rows.crash_run(session, held, at, "It died.") else held
                case "release", Claim():
                    begun -= rows.release_run(session, held, at)
                    held = None
    now = run_numbered(database, run.id)
    assert now.tries <= 3
    assert (now.state is RunState.RUNNING) == (held is not None)
    assert (now.state is RunState.CRASHED) <= (begun >= 3)


def test_a_forgotten_name_is_gone_from_what_runs_say(database: Database) -> None:
    run = ask(database, settings={"tracks": ["REN lav"]})
    mine = claimed(database)
    with database.write() as session:
        rows.beat_run(session, mine, AT, Step("Listening", said="REN speaks alone."))
        rows.end_run(session, mine, AT, RunState.FAILED, {"notes": ["No stem of REN."]}, "REN?")
        speaker = Speaker(project="FILM", name="REN")
        session.add(speaker)
        session.flush()
        forget_people(session, [Person(speaker.id, "REN", "FILM")], "jo")
    kept = run_numbered(database, run.id)
    assert "REN" not in f"{kept.wanted.settings} {kept.step} {kept.outcome} {kept.fault}"
    assert kept.outcome == {"notes": ["No stem of (forgotten)."]}


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    path = tmp_path / "reel1.otio"
    path.write_text("{}")
    return path


def test_asking_twice_for_the_same_is_asking_once(work: Workspace, cut: Path) -> None:
    asked = Wanted((cut,), out=cut.parent / "out", settings={"recipe": "gentle"})
    first, second = (ask_for_run(work, CUT, asked, by) for by in ("jo", "mara"))
    assert first == second
    claimed(work.database, at=first.asked)
    assert ask_for_run(work, CUT, asked, "jo").id != first.id  # the cut may have changed


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("dream", {}, "no kind of run 'dream'"),
        (CUT, {"inputs": (Path("no.otio"),)}, "no.otio does not exist"),
        (CUT, {"inputs": (Path("no.wav"),)}, "no.wav is no cut"),
        (CUT, {"out": None}, "into a folder"),
        (SOUND, {"inputs": ()}, "sound files"),
        (CUT, {"settings": {"recipe": "wild"}}, "no recipe 'wild'"),
        (CUT, {"settings": {"loudness": "loud"}}, "no delivery specification"),
        (CUT, {"settings": {"timelines": ["doc"]}}, "timelines"),
    ],
)
def test_what_could_not_be_begun_is_told_when_it_is_asked_for(
    work: Workspace, cut: Path, kind: str, change: dict[str, object], told: str
) -> None:
    asked = Wanted(**{"inputs": (cut,), "out": cut.parent / "out", **change})  # type: ignore[arg-type]
    with pytest.raises((UsageError, InputError), match=told):
        ask_for_run(work, kind, asked, "jo")
    assert list_runs(work.database) == ()


@pytest.mark.parametrize("name", ["home", "database", "media", "no_transcription", "denoiser"])
def test_a_run_may_not_set_what_is_secret_a_place_or_forbids(work: Workspace, name: str) -> None:
    with pytest.raises(UsageError, match=f"can't have its own '{name}'"):
        settings_of_run(work.settings, Wanted((), settings={name: "x"}))


def test_no_secret_is_kept_with_a_run_but_the_job_gets_it(cut: Path, tmp_path: Path) -> None:
    secret = Settings(
        home=tmp_path / "home",
        database=f"sqlite:///{tmp_path}/swordfish.db",  # type: ignore[arg-type]
    )
    asked = Wanted((cut,), out=cut.parent / "out")
    with open_workspace(secret) as work:
        ask_for_run(work, CUT, asked, "jo")
    assert b"swordfish" not in (tmp_path / "swordfish.db").read_bytes()
    assert b"swordfish" in question(1, CUT, asked, secret)


def own(work: Workspace, do: object, cut: Path) -> object:
    return as_run(
        work.settings,
        CUT,
        Wanted((cut,), out=cut.parent / "out"),
        Silent(),
        do,  # type: ignore[arg-type]
        lambda made: {"made": made},
    )


def test_a_job_of_the_command_line_is_a_run_as_well(work: Workspace, cut: Path) -> None:
    def do(progress: Progress) -> int:
        (run,) = list_runs(work.database)
        assert (run.state, run.most_tries) == (RunState.RUNNING, 1)
        return 5

    assert own(work, do, cut) == 5
    (run,) = list_runs(work.database)
    assert (run.state, run.outcome) == (RunState.DONE, {"made": 5})


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [
        (OutputError("The disk is full."), RunState.FAILED, 6),
        (ValueError("oh"), RunState.FAILED, 1),
        (KeyboardInterrupt(), RunState.CANCELLED, None),
    ],
)
def test_how_a_job_of_the_command_line_ends_is_noted(
    work: Workspace, cut: Path, fault: BaseException, state: RunState, code: int | None
) -> None:
    def do(_: Progress) -> int:
        raise fault

    with pytest.raises(type(fault)):
        own(work, do, cut)
    (run,) = list_runs(work.database)
    assert (run.state, run.exit_code) == (state, code)


def test_a_job_is_done_where_it_can_not_be_noted(tmp_path: Path, cut: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    asked = Wanted((cut,), out=cut.parent / "out")
    done = as_run(Settings(home=tmp_path / "home"), CUT, asked, Silent(), lambda _: 5, lambda _: {})
    assert done == 5


def test_the_command_line_lists_shows_cancels_and_retries(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    with standing_in(tmp_path):
        asked = own_home.run("clean", delivered.film / "v2.otio", "--queue", "--json").json[0]
    assert asked["out"] == str(tmp_path / "v2_roomtone")
    listed = own_home.run("runs", "--json").json
    assert [(run["id"], run["state"]) for run in listed] == [(2, "waiting"), (1, "done")]
    first = own_home.run("runs", "show", "1", "--json").json
    assert first["outcome"]["files"] == len(delivered.list["files"])
    assert first["step"]["name"]
    assert own_home.run("runs", "cancel", "2").out.split()[:2] == ["2", "cancelled"]
    assert own_home.run("runs", "cancel", "2").code == 2
    assert own_home.run("runs", "retry", "2").out.split()[:2] == ["2", "waiting"]
    assert [run["id"] for run in own_home.run("runs", "--state", "waiting", "--json").json] == [2]
    assert own_home.run("runs", "show", "9").err == (
        "roomtone: There is no run 9; `roomtone runs` lists them.\n"
    )


def test_a_run_of_a_process_that_is_gone_is_seen_when_runs_are_listed(work: Workspace) -> None:
    with work.database.write() as session:
        rows.add_run(session, CUT, wanted(), "jo", AT, most_tries=1)
        rows.claim_run(session, ONE, AT, KINDS)
    (run,) = list_runs(work.database)
    assert (run.state, run.fault) == (RunState.CRASHED, rows.CRASHED)
    assert reconcile(work.database) == ()
