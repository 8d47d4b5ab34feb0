"""The day of a take is read as recorders write it, remembered, and asked for as people write it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine
from test_catalogue import hear, line, take

from adapters.media.ixml import merge_ixml, parse_ixml
from core.days import day_asked, day_of
from core.errors import UsageError
from core.filters import Filters
from core.media import SoundNotes
from core.review import GateState
from core.setup import Setup
from db.catalogue import search
from db.engine import Database, alembic_config, open_database, revisions
from db.judged import Judgement, remember_judged
from db.provenance import ActivityRecord, Use, record
from db.tables import Activity


# EBU Tech 3285, OriginationDate: year, month, day with one of five signs between them.
@pytest.mark.parametrize("sign", ["-", "_", ":", " ", ".", "/", ""])
def test_a_recorders_day_is_read_with_any_sign(sign: str) -> None:
    assert day_of(sign.join(("2026", "11", "27"))) == "2026-11-27"


@pytest.mark.parametrize("written", ["", "0000-00-00", "2026-13-01", "27-11-2026", "2026-1-1", "x"])
def test_what_is_no_day_is_none(written: str) -> None:
    assert day_of(written) == ""


def test_a_person_is_told_what_is_no_day() -> None:
    assert day_asked("2026/11/27") == "2026-11-27"
    assert day_asked(" ") == ""
    with pytest.raises(UsageError, match="yesterday"):
        day_asked("yesterday")


def test_the_day_in_ixml_wins_over_that_in_bext() -> None:
    body = b"<BWFXML><BEXT><BWF_ORIGINATION_DATE>2026-11-26</BWF_ORIGINATION_DATE></BEXT></BWFXML>"
    written = SoundNotes(origination_date="2026-11-27")
    assert merge_ixml(written, parse_ixml(body), 1).origination_date == "2026-11-26"
    assert merge_ixml(written, parse_ixml(b"<BWFXML/>"), 1).origination_date == "2026-11-27"


def on_days(database: Database) -> None:
    """Three takes: of two days, and of none."""
    for number, day in enumerate(("2026:11:26", "2026-11-27", ""), 1):
        media = take("1", str(number), str(number) * 64)
        notes = replace(media.notes, origination_date=day)
        hear(database, replace(media, notes=notes), line("the dog"))


def takes(database: Database, filters: Filters) -> list[str]:
    with database.read() as session:
        return sorted(hit.found.take for hit in search(session, "dog", filters=filters))


def test_lines_are_found_by_the_day_of_their_take(database: Database) -> None:
    on_days(database)
    assert takes(database, Filters(recorded_from="2026-11-27")) == ["2"]
    assert takes(database, Filters(recorded_to="2026-11-26")) == ["1"]
    assert takes(database, Filters(recorded_from="2026-11-26", recorded_to="2026-11-27")) == [
        "1",
        "2",
    ]
    assert takes(database, Filters(recorded_from="2027-01-01")) == []


def test_days_of_takes_that_are_known_already_are_filled_in(place: Path | str) -> None:
    url = f"sqlite:///{place}" if isinstance(place, Path) else place
    engine = create_engine(url)
    before = open_database(place)
    on_days(before)
    before.close()
    at = revisions().index("0016")
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), revisions()[at - 1])
    engine.dispose()
    database = open_database(place)
    assert takes(database, Filters(recorded_from="2026-01-01")) == ["1", "2"]
    database.close()


def clean(database: Database, essence: str, channels: tuple[int, ...], failed: bool) -> None:
    """Let a take be cleaned, and judged."""
    hour = datetime(2026, 11, 27, tzinfo=UTC)
    name = f"{essence[:8]} {channels}"
    done = ActivityRecord(
        id=name,
        kind="clean",
        key=name,
        tool="roomtone clean",
        card=None,
        parameters={},
        code_version="1",
        started=hour,
        ended=hour,
        machine="test",
        agent="roomtone",
    )
    judged = Judgement(
        essence=essence,
        channels=channels,
        key=name,
        in_cut=False,
        recipe="standard",
        limit_db=20,
        gentler="gentle",
        gates=(),
        failed=failed,
        review=None,
    )
    with database.write() as session:
        if not session.get(Activity, name):
            record(session, done, used=[Use(essence, "original")], generated=[])
        remember_judged(session, [(Setup("F", "1", "BOOM"), judged)])


def test_lines_are_found_by_how_the_gates_stand(database: Database) -> None:
    on_days(database)
    first, second = "1" * 64, "2" * 64
    clean(database, first, (0,), failed=True)
    clean(database, first, (1,), failed=False)
    clean(database, second, (0,), failed=False)
    assert takes(database, Filters(gates=GateState.FAILED)) == ["1"]
    assert takes(database, Filters(gates=GateState.WAITING)) == ["1"]
    assert takes(database, Filters(gates=GateState.PASSED)) == ["2"]
    assert takes(database, Filters(gates=GateState.UNCLEANED)) == ["3"]
    clean(database, first, (0,), failed=False)
    assert takes(database, Filters(gates=GateState.PASSED)) == ["1", "2"]
