"""What the studio's benchmark stands on: PostgreSQL with its extensions, processes that end."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from test_worker import ended

from bench.processes import processes
from bench.server import has_installed_postgres, installed_postgres
from core.errors import EngineError

ESCAPED = """
import subprocess, sys, time
words = [sys.executable, "-c", "import time; time.sleep(60)"]
child = subprocess.Popen(words, start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not has_installed_postgres(), reason="no PostgreSQL is installed")
def test_the_systems_postgresql_has_what_prefect_needs_and_is_gone_afterwards() -> None:
    psycopg = pytest.importorskip("psycopg")
    with installed_postgres("prefect") as address:
        with psycopg.connect(f"postgresql://{address}/prefect") as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
            shown = connection.execute("SHOW listen_addresses").fetchone()
        assert shown == ("127.0.0.1",)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://{address}/prefect")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="strays are found by /proc")
def test_whatever_was_started_has_ended_with_the_block(tmp_path: Path) -> None:
    with processes(tmp_path / "logs", {}) as started:
        parent = started.start("parent", [sys.executable, "-c", ESCAPED])
        child = started.wait("The child", lambda: started.said("parent").strip() or None, 30)
        assert not ended(int(child))
    assert parent.poll() is not None
    end = time.monotonic() + 10
    while not ended(int(child)):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_process_that_ends_meanwhile_is_told_with_what_it_said(tmp_path: Path) -> None:
    with processes(tmp_path / "logs", {}) as started:
        program = "import sys; sys.exit('no such pool')"
        started.start("worker 1", [sys.executable, "-c", program])
        with pytest.raises(EngineError, match="worker 1 ended meanwhile: no such pool"):
            started.wait("A start", lambda: None, 30)
        with pytest.raises(EngineError, match="no such pool"):
            started.run([sys.executable, "-c", program])
        assert started.run([sys.executable, "-c", "print('made')"]) == "made\n"


def test_a_system_without_postgresql_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("bench.server._WHERE", "/nowhere/*/bin")
    assert not has_installed_postgres()
    with pytest.raises(EngineError, match="apt-get install postgresql"), installed_postgres():
        pass
