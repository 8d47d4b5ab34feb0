"""The same work is done once, however many come to it, and is not lost with who was at it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from production import Delivered, Home, sound_of

from config.settings import Settings
from core.run import Worker
from db import claims as rows
from db.codec import now
from db.engine import Database, open_database
from db.run_rows import ClaimRow
from db.runs import LEASE
from db.tables import Activity
from flows import claims
from flows.claims import done_once
from flows.this_worker import this_worker
from flows.workspace import open_workspace

AT = datetime(2026, 3, 2, 22, tzinfo=UTC)
ONE, OTHER = Worker("desk", 100), Worker("shed", 200)


def take(database: Database, worker: Worker, at: datetime = AT, alive: bool = True) -> str | None:
    with database.write() as session:
        return rows.take_claim(session, "clean abc", worker, at, lambda _: alive)


def test_a_claim_is_one_workers_until_it_is_given_back(database: Database) -> None:
    token = take(database, ONE)
    assert token
    assert take(database, OTHER) is None
    assert take(database, ONE) is None  # nor another thread's of the same process
    with database.write() as session:
        rows.drop_claim(session, "clean abc", "not mine")
    assert take(database, OTHER) is None
    with database.write() as session:
        rows.drop_claim(session, "clean abc", token)
    assert take(database, OTHER)


def test_whoever_is_not_heard_of_loses_the_claim(database: Database) -> None:
    token = take(database, ONE)
    assert token
    late = AT + LEASE * 0.9
    with database.write() as session:
        rows.keep_claim(session, "clean abc", token, late)
    assert take(database, OTHER, AT + LEASE * 1.5) is None
    assert take(database, OTHER, AT + LEASE * 2)
    with database.write() as session:
        rows.drop_claim(session, "clean abc", token)  # the slow one comes back
    assert take(database, ONE, AT + LEASE * 2) is None


def test_a_dead_process_of_this_host_is_not_waited_for(database: Database) -> None:
    assert take(database, ONE)
    assert take(database, Worker("desk", 101), alive=False)


def test_what_the_dead_left_goes_when_a_home_is_opened(
    place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{place}" if isinstance(place, Path) else place
    settings = Settings(home=tmp_path / "home", database=url)  # type: ignore[arg-type]
    here = this_worker()
    with open_workspace(settings) as work:
        with work.database.write() as session:
            for key, worker, at in (
                ("mine", here, now()),
                ("its process ended", Worker(here.host, 100), now()),
                ("another machine's", OTHER, now()),
                ("another machine's, long ago", OTHER, AT),
            ):
                assert rows.take_claim(session, key, worker, at, lambda _: True)
        monkeypatch.setattr("flows.workspace.is_alive", lambda pid: pid != 100)
        with open_workspace(settings):
            pass
        with work.database.read() as session:
            left = sorted(row.key for row in session.query(ClaimRow))
    assert left == ["another machine's", "mine"]


def test_eight_who_come_at_once_do_it_once_and_all_get_it(
    place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LOOK_AGAIN_S", 0.02)
    url = f"sqlite:///{place}" if isinstance(place, Path) else place
    settings = Settings(home=tmp_path / "home", database=url)  # type: ignore[arg-type]
    made: list[int] = []
    got: list[int] = []

    def do() -> int:
        time.sleep(0.1)
        made.append(7)
        return 7

    def come() -> None:
        with open_workspace(settings) as work:
            got.append(done_once(work, "clean abc", lambda: made[0] if made else None, do))

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (got, made) == ([7] * 8, [7])


def test_work_that_fails_is_tried_by_the_next(tmp_path: Path) -> None:
    with open_workspace(Settings(home=tmp_path / "home")) as work:
        with pytest.raises(ValueError, match="oh"):
            done_once(work, "clean abc", lambda: None, lambda: int("oh"))
        assert done_once(work, "clean abc", lambda: None, lambda: 5) == 5


def test_runs_at_once_over_the_same_takes_clean_each_once(
    delivered: Delivered, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.run("runs")  # makes the home
    begun = [
        home.start("clean", delivered.film / f"{cut}.otio", "--out", tmp_path / out, "--direct")
        for cut, out in (("v1", "same"), ("v1", "same"), ("v2", "other"))
    ]
    for process in begun:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    database = open_database(home.folder / "roomtone.db")
    with database.read() as session:
        keys = [row.key for row in session.query(Activity).filter(Activity.kind == "clean")]
    database.close()
    assert len(keys) == len(set(keys)) == 5
    assert sound_of(tmp_path / "same") == sound_of(delivered.out)
    assert not list(tmp_path.rglob("*.part"))
