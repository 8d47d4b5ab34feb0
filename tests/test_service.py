"""What `serve` and `work` do beside the page: runs, counts for Prometheus, and lines of log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from production import Home
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from cli.logs import log_lines
from config.settings import Settings
from core.run import RunState, Wanted
from db import runs as rows
from db.codec import now
from flows.jobs import CUT, NIGHT
from flows.metrics import metrics
from flows.runs import list_runs
from flows.service import start_service
from flows.this_worker import this_worker
from flows.workspace import Workspace, open_workspace
from web.access import Access, Role, add_token
from web.app import create_app


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "cards").mkdir()
    settings = Settings(
        home=tmp_path / "home",
        watched=(tmp_path / "cards",),
        nightly_settle_s=0,
        denoiser="rnnoise",
        recogniser="none",
    )
    with open_workspace(settings) as opened:
        yield opened


def test_a_night_at_the_command_line_is_seen_on_the_page(work: Workspace, tmp_path: Path) -> None:
    home = Home(work.settings.home)
    (tmp_path / "cards" / "1-T01.wav").write_bytes(b"RIFF")
    ran = home.run("nightly", tmp_path / "cards", "--settle", "0", "--quiet")
    assert ran.code == 7, ran.err  # one file is broken
    (run,) = list_runs(work.database)
    assert (run.kind, run.state, run.wanted.inputs) == (
        NIGHT,
        RunState.DONE,
        (tmp_path / "cards",),
    )
    app = create_app(work, Access(work.settings.home, open_to_all=True))
    client = TestClient(app, "http://localhost")
    listed = client.get("/runs").text
    assert "Work through new dailies: cards" in listed
    assert "1 failed" in listed
    assert client.get(f"/runs/{run.id}/report").status_code == 200


def done(work: Workspace, state: RunState, seconds: float) -> None:
    at = now()
    with work.database.write() as session:
        run = rows.add_run(session, CUT, Wanted(()), "jo", at - timedelta(seconds=300))
        if state is RunState.WAITING:
            return
        claim = rows.begin_run(session, run.id, this_worker(), at)
        rows.end_run(session, claim, at + timedelta(seconds=seconds), state)


def test_the_counts_are_what_prometheus_reads(work: Workspace) -> None:
    for state, seconds in ((RunState.DONE, 5.0), (RunState.FAILED, 200.0), (RunState.WAITING, 0)):
        done(work, state, seconds)
    found = {
        (sample.name, *(text for _, text in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics(work.database, now()))
        for sample in family.samples
    }
    assert found["roomtone_runs", "cut", "done"] == 1
    assert found["roomtone_runs", "cut", "waiting"] == 1
    assert found["roomtone_runs", "cut", "crashed"] == 0
    assert found["roomtone_oldest_wait_seconds",] == pytest.approx(300, abs=30)
    name = "roomtone_run_duration_seconds"
    assert found[f"{name}_count", "cut"] == 2
    assert found[f"{name}_sum", "cut"] == pytest.approx(205)
    assert [found[f"{name}_bucket", "cut", most] for most in ("10", "60", "300")] == [1, 1, 2]
    assert found[f"{name}_bucket", "cut", "+Inf"] == 2


def test_counts_are_for_those_who_may_look(work: Workspace) -> None:
    token = add_token(work.settings.home, "prometheus", Role.VIEWER)
    app = create_app(work, Access(work.settings.home, open_to_all=False))
    client = TestClient(app, "http://localhost", follow_redirects=False)
    assert client.get("/metrics").status_code == 303
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_the_service_does_runs_until_it_is_stopped(work: Workspace, tmp_path: Path) -> None:
    handle = start_service(work.settings)
    with work.database.write() as session:
        asked = rows.add_run(
            session, CUT, Wanted((tmp_path / "no.otio",), out=tmp_path / "out"), "jo", now()
        )
    end = time.monotonic() + 60
    while not list_runs(work.database)[0].state.ended and time.monotonic() < end:
        time.sleep(0.1)
    handle.stop()
    (run,) = list_runs(work.database)
    assert (run.id, run.state, run.exit_code) == (asked.id, RunState.FAILED, 3)


def test_log_lines_for_programs_are_json_with_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    before = (logging.getLogger("roomtone").handlers, logging.getLogger("roomtone").level)
    log_lines(as_json=True, level=logging.INFO)
    logger = logging.getLogger("roomtone.runs")
    logger.info("run %d: %s", 3, 'said "so"\nand so', extra={"run": 3, "step": "Listening"})
    logger.debug("not this")
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert datetime.fromisoformat(told.pop("time")).tzinfo is not None
    assert told == {
        "level": "info",
        "logger": "roomtone.runs",
        "message": 'run 3: said "so"\nand so',
        "run": 3,
        "step": "Listening",
    }
    logging.getLogger("roomtone").handlers, logging.getLogger("roomtone").level = before


def test_a_worker_logs_its_runs_as_json(film: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (tmp_path / "bad.otio").write_text("{ not json")
    home.run("clean", tmp_path / "bad.otio", "--queue")
    ran = home.run("work", "--once", "--log-json")
    lines = [json.loads(line) for line in ran.err.splitlines()]
    assert [line["run"] for line in lines] == [1] * len(lines)
    assert lines[0]["message"] == "run 1 (cut) begins, try 1"
    assert "export it again" in lines[-1]["message"]
