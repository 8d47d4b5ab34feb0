"""A worker has each run done in a process of its own, ends it when asked, and loses none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from production import ROOT, Delivered, Home, sound_of
from stub_jobs import STUBS

import flows.heartbeat
import flows.jobs
import flows.run_job
import flows.run_process
import flows.worker
from config.settings import Settings
from core.run import Run, RunState, Wanted
from db.engine import Database
from flows.runs import ask_for_run, cancel_run, list_runs, run_numbered
from flows.worker import start_worker, work_until
from flows.workspace import Workspace, open_workspace

TESTS = str(Path(__file__).parent)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A home whose workers do the jobs of `stub_jobs`."""
    monkeypatch.setenv("PYTHONPATH", TESTS)
    monkeypatch.setattr(flows.jobs, "JOBS", STUBS)
    monkeypatch.setattr(flows.worker, "JOBS", STUBS)
    monkeypatch.setattr(flows.run_process, "_MODULE", "stub_jobs")
    monkeypatch.setattr(flows.worker, "LOOK_S", 0.1)
    monkeypatch.setattr(flows.heartbeat, "_TELL", timedelta(seconds=0.1))
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


def ask(work: Workspace, kind: str, name: str = "out", **settings: object) -> Run:
    folder = work.settings.home.parent
    return ask_for_run(work, kind, Wanted((folder / name,), (), folder / name, settings), "jo")


def do_all(work: Workspace, **more: object) -> None:
    work_until(threading.Event(), work.settings.model_copy(update=more), until_idle=True)


def until(what: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # One that has ended stays in the table until its parent, or the system's first, asks for it.
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip().startswith("Z")


def test_a_run_is_done_with_its_own_settings_and_its_outcome_kept(work: Workspace) -> None:
    run = ask(work, "work", recipe="gentle")
    do_all(work)
    done = run_numbered(work.database, run.id)
    assert (done.state, done.fault) == (RunState.DONE, "")
    out = work.settings.home.parent / "out"
    assert done.outcome == {"recipe": "gentle", "loudness": None, "out": str(out)}
    assert out.read_text() == "out\n"


def test_a_fault_of_the_input_is_told_and_not_tried_again(work: Workspace) -> None:
    run = ask(work, "refuse", "no.wav")
    do_all(work)
    failed = run_numbered(work.database, run.id)
    assert (failed.state, failed.exit_code, failed.tries) == (RunState.FAILED, 3, 1)
    assert failed.fault.endswith("no.wav is no sound file.")


def test_a_mistake_of_the_program_is_not_tried_again_and_its_traceback_kept(
    work: Workspace,
) -> None:
    run = ask(work, "stumble")
    do_all(work)
    failed = run_numbered(work.database, run.id)
    assert (failed.state, failed.exit_code) == (RunState.FAILED, 1)
    assert failed.fault == "An internal fault (AssertionError: a mistake of ours)."
    log = work.settings.home / "log" / f"run-{run.id}.log"
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    ("kind", "told"),
    [("die", "ended without a word"), ("unplug", "OSError: the share went away")],
)
def test_what_another_try_may_help_is_tried_again_later(
    work: Workspace, kind: str, told: str
) -> None:
    run = ask(work, kind)
    do_all(work)
    waits = run_numbered(work.database, run.id)
    assert (waits.state, waits.tries) == (RunState.WAITING, 1)
    assert told in waits.fault
    assert waits.not_before > waits.asked


def test_a_run_with_no_progress_is_ended_and_tried_again(work: Workspace) -> None:
    run = ask(work, "wait")
    do_all(work, run_silent_min=0.05)
    waits = run_numbered(work.database, run.id)
    assert (waits.state, waits.fault) == (
        RunState.WAITING,
        "It made no progress for 0.05 minutes.",
    )


def test_a_run_that_takes_too_long_has_failed(work: Workspace) -> None:
    run = ask(work, "wait")
    do_all(work, run_most_h=0.001)
    failed = run_numbered(work.database, run.id)
    assert failed.state is RunState.FAILED
    assert "run_most_h" in failed.fault


@pytest.mark.parametrize(("kind", "tidied"), [("wait", True), ("sulk", False)])
def test_a_cancelled_run_ends_with_all_its_processes(
    work: Workspace, kind: str, tidied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.run_process, "GRACE_S", 1.0)
    run = ask(work, kind)
    note = work.settings.home.parent / "out"
    handle = start_worker(work.settings)
    until(note.exists)
    until(lambda: run_numbered(work.database, run.id).step.name == "Waiting")
    cancel_run(work.database, run.id, "mara")
    until(lambda: run_numbered(work.database, run.id).state.ended)
    handle.stop()
    assert run_numbered(work.database, run.id).state is RunState.CANCELLED
    assert note.with_suffix(".tidied").exists() is tidied
    assert all(ended(int(pid)) for pid in note.read_text().split())


def test_a_worker_that_is_to_end_gives_its_run_back(work: Workspace) -> None:
    run = ask(work, "wait")
    note = work.settings.home.parent / "out"
    handle = start_worker(work.settings)
    until(note.exists)
    begun = time.monotonic()
    handle.stop()
    assert time.monotonic() - begun < flows.run_job.GRACE_S
    waits = run_numbered(work.database, run.id)
    assert (waits.state, waits.tries) == (RunState.WAITING, 0)
    assert all(ended(int(pid)) for pid in note.read_text().split())


STUBBED_WORKER = """
import sys, flows.jobs, flows.worker, flows.run_process, cli.main
from stub_jobs import STUBS
flows.jobs.JOBS = flows.worker.JOBS = STUBS
flows.run_process._MODULE = "stub_jobs"
flows.worker.LOOK_S = 0.1
sys.argv = ["roomtone", "work"]
cli.main.main()
"""


@pytest.fixture
def stubbed_worker(work: Workspace) -> Iterator[subprocess.Popen[str]]:
    """`roomtone work` in a process of its own, with the jobs of `stub_jobs`."""
    known = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{ROOT}"}
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBED_WORKER],
        env={**known, "ROOMTONE_HOME": str(work.settings.home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_a_worker_that_is_killed_takes_its_job_along_and_the_run_is_done_by_another(
    work: Workspace, stubbed_worker: subprocess.Popen[str]
) -> None:
    run = ask(work, "wait")
    note = work.settings.home.parent / "out"
    until(note.exists)
    pids = [int(pid) for pid in note.read_text().split()]
    stubbed_worker.kill()
    stubbed_worker.wait()
    until(lambda: all(map(ended, pids)), flows.run_job.GRACE_S + 10)
    (found,) = list_runs(work.database)
    assert (found.id, found.state, found.tries) == (run.id, RunState.WAITING, 1)
    assert found.fault == "The process that did it ended without a word."


def test_a_job_that_is_killed_is_seen_at_once(
    work: Workspace, stubbed_worker: subprocess.Popen[str]
) -> None:
    run = ask(work, "wait")
    note = work.settings.home.parent / "out"
    until(note.exists)
    os.kill(int(note.read_text().split()[0]), signal.SIGKILL)
    until(lambda: run_numbered(work.database, run.id).tries == 1)
    until(lambda: run_numbered(work.database, run.id).state is RunState.WAITING)
    assert all(ended(int(pid)) for pid in note.read_text().split())
    assert stubbed_worker.poll() is None


def test_sigterm_ends_a_worker_and_gives_its_run_back(
    work: Workspace, stubbed_worker: subprocess.Popen[str]
) -> None:
    run = ask(work, "wait")
    until((work.settings.home.parent / "out").exists)
    stubbed_worker.terminate()
    assert stubbed_worker.wait(flows.run_job.GRACE_S) == 0
    assert run_numbered(work.database, run.id).tries == 0


def test_a_worker_does_what_the_command_line_does(delivered: Delivered, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"ROOMTONE_WORKERS": "2"})
    out = tmp_path / "out"
    asked = home.run("clean", delivered.film / "v1.otio", "--out", out, "--queue", "--json")
    assert asked.code == 0, asked.err
    assert home.run("work", "--once").out == "Did 1 run.\n"
    (run,) = home.run("runs", "--json").json
    assert (run["state"], run["outcome"]["takes_cleaned"]) == ("done", 4)
    assert sound_of(out) == sound_of(delivered.out)
    again = home.run("runs", "retry", "1", "--json").json
    assert again["state"] == "waiting"
    home.run("work", "--once")
    (run,) = home.run("runs", "--json").json
    assert (run["outcome"]["takes_cleaned"], run["outcome"]["rendered_now"]) == (0, False)


def test_a_database_that_is_away_for_a_while_is_waited_for(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ask(work, "work")
    real, calls = flows.worker.claim_next, []

    def away(database: Database) -> object:
        calls.append(1)
        if len(calls) < 3:
            raise flows.worker.RoomtoneError("The database is away.")
        return real(database)

    monkeypatch.setattr(flows.worker, "claim_next", away)
    monkeypatch.setattr(flows.worker, "_AWAY_S", 0.01)
    do_all(work)
    assert run_numbered(work.database, run.id).state is RunState.DONE


def test_the_work_is_not_lost_where_its_end_can_not_be_written_at_once(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ask(work, "work")
    real, calls = flows.worker.rows.end_run, []

    def locked(*given: object, **more: object) -> bool:
        calls.append(1)
        if len(calls) < 3:
            raise flows.worker.RoomtoneError("The database is locked.")
        return real(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(flows.worker.rows, "end_run", locked)
    monkeypatch.setattr(flows.worker, "_AWAY_S", 0.01)
    do_all(work)
    assert run_numbered(work.database, run.id).state is RunState.DONE
