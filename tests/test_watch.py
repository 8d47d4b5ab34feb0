"""Saving a cut in a watched folder asks for one run, once it is whole."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from production import Delivered

from config.settings import Settings
from core.run import RunState, Wanted
from db import runs as rows
from db.codec import now
from flows import watch as watching
from flows.jobs import CUT
from flows.run_inputs import clean_cut_wanted
from flows.runs import list_runs
from flows.watch import SETTLED_S, WHO, Watch, watch_until
from flows.workspace import Workspace, open_workspace

OLD, NEW = Path("/cuts/old.otio"), Path("/cuts/new.otio")


def test_what_was_there_at_first_is_not_new() -> None:
    watch = Watch()
    assert watch.look({OLD: (1, 1)}, 0) == ()
    assert watch.look({OLD: (1, 1)}, 100) == ()


def test_a_cut_that_appears_or_changes_is_told_once_it_has_settled() -> None:
    watch = Watch()
    watch.look({OLD: (1, 1)}, 0)
    seen = {OLD: (1, 1), NEW: (0, 5)}
    assert watch.look(seen, 10) == ()
    seen[NEW] = (700, 6)  # still being written
    assert watch.look(seen, 10 + SETTLED_S) == ()
    assert watch.look(seen, 10 + 2 * SETTLED_S) == (NEW,)
    watch.tell(NEW)
    assert watch.look(seen, 100) == ()
    seen[OLD] = (1, 9)
    assert watch.look(seen, 200) == ()
    assert watch.look(seen, 200 + SETTLED_S) == (OLD,)


def test_saving_again_and_again_is_one_saving() -> None:
    watch = Watch()
    watch.look({}, 0)
    told = [watch.look({NEW: (9, n)}, n * SETTLED_S / 2) for n in range(1, 9)]
    assert told == [()] * 8
    assert watch.look({NEW: (9, 8)}, 100) == (NEW,)


def test_what_could_not_be_asked_for_is_told_again() -> None:
    watch = Watch()
    watch.look({}, 0)
    watch.look({NEW: (9, 1)}, 1)
    assert watch.look({NEW: (9, 1)}, 50) == watch.look({NEW: (9, 1)}, 60) == (NEW,)


@pytest.fixture
def work(delivered: Delivered, tmp_path: Path) -> Iterator[Workspace]:
    """A home with a watched folder that has a cut in it."""
    (tmp_path / "cuts").mkdir()
    shutil.copy(delivered.film / "v1.otio", tmp_path / "cuts" / "v1.otio")
    settings = Settings(home=tmp_path / "home", cut_folders=(tmp_path / "cuts",))
    with open_workspace(settings) as opened:
        yield opened


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.05)
    monkeypatch.setattr(watching, "SETTLED_S", 0.2)


def watched(work: Workspace, save: object, runs: int) -> list[Wanted]:
    """What was asked for after something was saved."""
    stop = threading.Event()
    thread = threading.Thread(target=watch_until, args=(stop, work.settings))
    thread.start()
    time.sleep(0.6)
    save()  # type: ignore[operator]
    end = time.monotonic() + 10
    while len(list_runs(work.database)) < runs and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(1)
    stop.set()
    thread.join(10)
    found = list_runs(work.database, [RunState.WAITING])
    assert {run.by for run in found} <= {WHO}
    return [run.wanted for run in found]


@pytest.mark.usefixtures("quick")
def test_a_saved_version_is_asked_for_and_delivered_beside_it(
    work: Workspace, tmp_path: Path
) -> None:
    cuts = tmp_path / "cuts"
    asked = watched(work, lambda: shutil.copy(cuts / "v1.otio", cuts / "v2.otio"), 1)
    assert asked == [Wanted((cuts / "v2.otio",), (), cuts / "v2_roomtone")]


@pytest.mark.usefixtures("quick")
def test_other_files_and_the_timelines_of_deliveries_ask_for_nothing(
    work: Workspace, tmp_path: Path
) -> None:
    cuts = tmp_path / "cuts"

    def save() -> None:
        (cuts / "notes.txt").write_text("no cut")
        (cuts / ".v3.otio").write_text("{}")
        (cuts / "v1_roomtone" / "timelines").mkdir(parents=True)
        (cuts / "v1_roomtone" / "delivery.json").write_text("{}")
        shutil.copy(cuts / "v1.otio", cuts / "v1_roomtone" / "timelines" / "v1.otio")

    assert watched(work, save, 0) == []


@pytest.mark.usefixtures("quick")
def test_a_cut_that_was_saved_while_nobody_watched_is_made_up_for(
    work: Workspace, tmp_path: Path
) -> None:
    cut = tmp_path / "cuts" / "v1.otio"
    with work.database.write() as session:
        wanted = clean_cut_wanted(work.settings, cut, {})
        run = rows.add_run(session, CUT, wanted, "jo", now())
        rows.cancel_run(session, run.id, now(), "jo")
    later = time.time() + 5
    os.utime(cut, (later, later))
    assert watched(work, lambda: None, 2) == [wanted]
