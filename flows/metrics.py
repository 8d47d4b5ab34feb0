"""Counts of runs as Prometheus reads them (its text format, version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.run import RunState
from db.engine import Database
from db.runs import RunTimes, run_times
from flows.workspace import code_version

TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (10, 60, 300, 900, 3600, 14_400, 43_200)


def metrics(database: Database, now: datetime) -> str:
    """How many runs are in which state, how long they took, and how long one has waited."""
    with database.read() as session:
        runs = run_times(session)
    kinds = sorted({run.kind for run in runs})
    waits = [(now - run.asked).total_seconds() for run in runs if run.state is RunState.WAITING]
    lines = [
        *_head("roomtone_info", "gauge", "The version that answers."),
        f'roomtone_info{{version="{_text(code_version())}"}} 1',
        *_head("roomtone_runs", "gauge", "Runs by kind and state."),
        *(
            f'roomtone_runs{{kind="{_text(kind)}",state="{state}"}} '
            f"{sum(run.kind == kind and run.state is state for run in runs)}"
            for kind in kinds
            for state in RunState
        ),
        *_head("roomtone_oldest_wait_seconds", "gauge", "How long the first in the queue waits."),
        f"roomtone_oldest_wait_seconds {max(waits, default=0):.3f}",
        *_head("roomtone_run_duration_seconds", "histogram", "How long runs took that ended."),
    ]
    for kind in kinds:
        lines += _histogram(kind, [run.seconds for run in _ended(runs) if run.kind == kind])
    return "\n".join(lines) + "\n"


def _ended(runs: Iterable[RunTimes]) -> list[RunTimes]:
    return [run for run in runs if run.state.ended and run.began is not None]


def _histogram(kind: str, seconds: list[float]) -> list[str]:
    name, label = "roomtone_run_duration_seconds", f'kind="{_text(kind)}"'
    return [
        *(
            f'{name}_bucket{{{label},le="{most}"}} {sum(s <= most for s in seconds)}'
            for most in BUCKETS_S
        ),
        f'{name}_bucket{{{label},le="+Inf"}} {len(seconds)}',
        f"{name}_sum{{{label}}} {sum(seconds):.3f}",
        f"{name}_count{{{label}}} {len(seconds)}",
    ]


def _head(name: str, kind: str, told: str) -> tuple[str, str]:
    return f"# HELP {name} {told}", f"# TYPE {name} {kind}"


def _text(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
