"""The tables of runs and of the work they are at; see `core.run`, `db.runs` and `db.claims`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from db.tables import Table


class RunRow(Table):
    """A job that somebody asked for.

    inputs, media: paths as `db.codec.path_text` writes them. host, pid: of the process that has
    it. token: that this process proves it by; empty where nobody has it.
    """

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    inputs: Mapped[list[str]]
    media: Mapped[list[str]]
    out: Mapped[Path | None]
    settings: Mapped[dict[str, Any]]
    by: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    asked: Mapped[datetime]
    not_before: Mapped[datetime]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    tries: Mapped[int]
    most_tries: Mapped[int]
    step: Mapped[str]
    step_done: Mapped[int]
    step_total: Mapped[int]
    said: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    token: Mapped[str]
    lease_until: Mapped[datetime | None]
    cancelled_by: Mapped[str]
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    fault: Mapped[str]
    exit_code: Mapped[int | None]


class ClaimRow(Table):
    """A piece of work that a process is at, by the key that names it."""

    __tablename__ = "claims"

    key: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    lease_until: Mapped[datetime]
