"""A studio on one machine: PostgreSQL, a Prefect server on it, a work pool, workers, `serve`."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx

from bench.processes import Processes, processes
from bench.server import free_port, installed_postgres
from flows.deployments import CLEAN_CUT, NIGHT

ROOT = Path(__file__).resolve().parents[1]
POOL = "roomtone"
LOOK_S = 2
"""How often a Prefect worker asks for work; ten seconds where nobody sets it."""

NAMES = {NIGHT: "nightly-dailies", CLEAN_CUT: "cut"}
"""The flow of each deployment."""


@dataclass(frozen=True)
class FlowRun:
    """A run as the Prefect server tells it. began, ended: None where it hasn't.

    cut: that it was asked to clean, or empty.
    """

    id: str
    state: str
    began: datetime | None
    ended: datetime | None
    told: str
    cut: str

    @property
    def final(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True)
class Studio:
    """What was started. page: the address of `roomtone serve`. token: of an editor there."""

    started: Processes
    server: str
    page: str
    token: str
    workers: tuple[str, ...]

    def ask(self, deployment: str, parameters: Mapping[str, Any]) -> None:
        """Ask for a run by the server's REST API."""
        self._post(
            f"deployments/{self._id(deployment)}/create_flow_run", {"parameters": parameters}
        )

    def schedule(self, deployment: str, at: datetime, parameters: Mapping[str, Any]) -> None:
        """Give a deployment a further schedule, whose first run is at that moment."""
        every = {"interval": timedelta(days=1).total_seconds(), "anchor_date": at.isoformat()}
        wanted = {"active": True, "schedule": every, "parameters": parameters}
        self._post(f"deployments/{self._id(deployment)}/schedules", [wanted])

    def runs(self, deployment: str) -> tuple[FlowRun, ...]:
        """The runs of a deployment that are due or were."""
        due = {"before_": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
        wanted = {
            "deployments": {"id": {"any_": [self._id(deployment)]}},
            "flow_runs": {"expected_start_time": due},
        }
        return tuple(_flow_run(row) for row in self._post("flow_runs/filter", wanted))

    def worker_of(self, run: FlowRun) -> str:
        """The worker that took a run, by its own log."""
        for name in self.workers:
            # Two may have wanted it; whoever got it says where it is to be seen.
            if f"/runs/flow-run/{run.id}" in self.started.said(name):
                return name
        return ""

    def _id(self, deployment: str) -> str:
        return _deployment_id(self.server, deployment)

    def _post(self, path: str, wanted: Any) -> Any:
        answer = httpx.post(f"{self.server}/{path}", json=wanted, timeout=60)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def studio(
    scratch: Path, environment: Mapping[str, str], serving: Mapping[str, str], workers: int
) -> Iterator[Studio]:
    """All of it, on the loopback, until the block ends.

    environment: roomtone's settings on every machine. serving: those of `roomtone serve` beside
    them. workers: how many Prefect workers, with a run at a time each. Raises EngineError where
    something does not start.
    """
    with installed_postgres("prefect", "roomtone") as database:
        port = free_port()
        known = {
            **{name: value for name, value in os.environ.items() if _kept(name)},
            **environment,
            "PYTHONPATH": str(ROOT),
            "ROOMTONE_DATABASE": f"postgresql+psycopg://{database}/roomtone",
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_HOME": str(scratch / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_CLI_PROMPT": "false",
            "PREFECT_CLI_COLORS": "false",
            "PREFECT_WORKER_QUERY_SECONDS": str(LOOK_S),
            "DO_NOT_TRACK": "1",
        }
        own = {
            "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{database}/prefect",
            # How often it makes runs of schedules; those are made far ahead.
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
        }
        with processes(scratch / "processes", known) as started:
            prefect = str(_program("prefect"))
            serve = [prefect, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
            started.start("prefect server", serve, own)
            server = known["PREFECT_API_URL"]
            started.wait("The Prefect server's start", lambda: answers(f"{server}/health"), 300)
            started.run([prefect, "work-pool", "create", POOL, "--type", "process"])
            started.run([prefect, "--no-prompt", "deploy", "--all"], ROOT)
            names = tuple(f"worker {number + 1}" for number in range(workers))
            for name in names:
                started.start(
                    name, [prefect, "worker", "start", "-p", POOL, "-n", name, "--limit", "1"]
                )
            for name in names:
                started.wait(f"The start of {name}", partial(_begun, started, name), 300)
            page, token = _served(started, serving)
            yield Studio(started, server, page, token, names)


@cache
def _deployment_id(server: str, deployment: str) -> str:
    answer = httpx.get(f"{server}/deployments/name/{NAMES[deployment]}/{deployment}", timeout=60)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _kept(name: str) -> bool:
    return not name.startswith(("ROOMTONE_", "PREFECT_"))


def _program(name: str) -> Path:
    return Path(sysconfig.get_path("scripts")) / name


def answers(url: str) -> bool | None:
    """True where something answers at a URL that all is well; None where not."""
    try:
        return True if httpx.get(url, timeout=2).status_code == 200 else None
    except httpx.HTTPError:
        return None


def _begun(started: Processes, name: str) -> bool | None:
    return True if f"Worker '{name}' started" in started.said(name) else None


def _served(started: Processes, serving: Mapping[str, str]) -> tuple[str, str]:
    """Start the page with its worker and watched folders; its address, and a token for it."""
    roomtone = [sys.executable, "-m", "cli.main"]
    made = started.run([*roomtone, "tokens", "add", "BENCH", "--role", "editor"])
    started.start("serve", [*roomtone, "serve", "--port", "0", "--json", "--log-json"], serving)

    page = started.wait("The start of roomtone serve", lambda: _address(started), 300)
    started.wait("The page's first answer", lambda: answers(f"{page}health"), 30)
    return page, made.strip()


def _address(started: Processes) -> str | None:
    """Where `serve` says that it is; its JSON may be printed over several lines."""
    said = re.search(r'"address":\s*"([^"]+)"', started.said("serve"))
    return None if said is None else said[1]


def _flow_run(row: Mapping[str, Any]) -> FlowRun:
    state = row["state"] or {}
    began, ended = (
        None if row[name] is None else datetime.fromisoformat(row[name])
        for name in ("start_time", "end_time")
    )
    return FlowRun(
        id=row["id"],
        state=row["state_type"] or "",
        began=began,
        ended=ended,
        told=str(state.get("message", "")),
        cut=str(row["parameters"].get("cut", "")),
    )
