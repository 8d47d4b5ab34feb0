"""After forgetting, what went is looked for in every row and byte, and a trace of it is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from production import Delivered, Home
from pydantic import SecretStr
from scribe import ENGINE, scribe_for

from adapters.media.probe import probe
from config.settings import Settings
from core.needles import needles_of
from db.contents import rows_of, table_names
from db.engine import Database
from db.provenance import record
from flows.forget import Asked, forget, plan_forgetting
from flows.listen import listen_take
from flows.proof import needles_for, prove
from flows.turnover import hash_media
from flows.workspace import Workspace, activity, open_workspace


@pytest.fixture
def work(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, place: Path | str
) -> Iterator[Workspace]:
    """A home with a take that was heard, in a database of either kind."""
    scribe_for(monkeypatch)
    url = SecretStr(place if isinstance(place, str) else "")
    with open_workspace(Settings(home=tmp_path / "home", database=url)) as opened:
        media = hash_media(opened, probe(film / "sound" / "1-T01.wav"))
        listen_take(opened, media, ENGINE, None)
        yield opened


def test_nothing_is_left_and_the_proof_says_where_it_looked(work: Workspace) -> None:
    plan = plan_forgetting(work, Asked("REN"))
    needles = needles_for(work, plan)
    assert needles.by_kind["line"] == {"quicksilver marmalade"}
    assert needles.by_kind["word"] == {"quicksilver", "marmalade"}
    before = prove(work, plan, needles)
    places = {item.where for item in before.found}
    assert {"table lines", "table words", "table vocabulary", "table voices"} <= places
    if work.database.path is not None:
        assert places & {"roomtone.db", "roomtone.db-wal"}
    forget(work, plan, "jo")
    proof = prove(work, plan, needles)
    assert proof.holds, proof.words
    assert (proof.sought["line"], proof.sought["word"], proof.sought["voiceprint"]) == (1, 2, 8)
    assert proof.rows > 50
    assert proof.bytes > 100_000 or work.database.path is None
    assert proof.copies == 0
    assert proof.words.endswith("nothing of it is left.")


def test_a_trace_anywhere_is_found(work: Workspace) -> None:
    plan = plan_forgetting(work, Asked("REN"))
    needles = needles_for(work, plan)
    forget(work, plan, "jo")
    (work.cache / "left.bin").write_bytes(b"\0" * 5_000_000 + b"QUICKSILVER" + b"\0" * 9)
    with work.database.write() as session:
        told = activity("tag", "left", datetime.now(UTC), {"said": "marmalade"})
        record(session, told, used=[], generated=[])
    proof = prove(work, plan, needles)
    assert not proof.holds
    found = {(item.where, item.what, item.count) for item in proof.found}
    assert {("cache/left.bin", "word", 1), ("table activities", "word", 1)} <= found
    assert proof.words.startswith("Not all is gone.")


def test_a_word_that_others_say_too_is_no_trace() -> None:
    needles = needles_of(
        ["the harbour lights tonight", "yes"],
        ["lights out"],
        {"harbour", "wav"},
        [(0.123456789, 0.5)],
    )
    assert needles.by_kind["line"] == {"the harbour lights tonight"}
    assert needles.by_kind["phrase"] == {"the harbour lights", "harbour lights tonight"}
    assert needles.by_kind["word"] == {"tonight"}
    assert needles.by_kind["voiceprint"] == {"0.123456789"}
    assert needles.kinds_in(b"xTONIGHTLY") == frozenset()
    assert needles.kinds_in(b"x TONIGHT\x01") == {"word"}
    assert needles.kinds_in(b"the Harbour Lights xx") == {"phrase"}
    assert needles.found_in(b"\x02[0.123456789, \xff") == {"voiceprint": 1}


def test_every_table_is_looked_through_in_either_database(database: Database) -> None:
    with database.write() as session:
        told = activity("tag", "k", datetime.now(UTC), {"said": "quicksilver"})
        record(session, told, used=[], generated=[])
    with database.read() as session:
        names = table_names(session)
        held = [
            name for name in names if any(b"quicksilver" in row for row in rows_of(session, name))
        ]
    assert {"activities", "lines", "words", "voices", "consents"} <= set(names)
    assert held == ["activities"]


def test_a_person_is_shown_the_proof(delivered: Delivered, own_home: Home) -> None:
    done = own_home.run("forget", "--speaker", "REN", "--yes", "--json").json
    assert done["proof"]["found"] == []
    assert done["proof"]["tables"] > 30
