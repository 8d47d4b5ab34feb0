"""What fuzzing found, each by its smallest case."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from adapters.media.probe import probe
from bench.fuzz_http import answered, recorded, requests
from config.settings import Settings
from core.errors import InputError
from db.engine import open_database
from db.memory import paths_of, remember_media
from db.portable import dump_rows, load_rows
from db.provenance import finished
from flows.check import check
from flows.delivery import is_current, read_list
from flows.progress import Silent
from flows.workspace import open_workspace
from web.access import Access
from web.app import create_app

ENTRY = {"path": "stems/a.wav", "role": "DX", "sha256": "0" * 64, "bytes": 1}


@pytest.mark.parametrize(
    "files",
    [3, [3], [{}], *([{**ENTRY, name: None}] for name in ENTRY), [{**ENTRY, "path": "a\0b"}]],
)
def test_a_list_with_an_entry_that_is_none_is_none_of_ours(tmp_path: Path, files: Any) -> None:
    text = {"roomtone": "1", "state": "complete", "key": "k", "files": files}
    (tmp_path / "delivery.json").write_text(json.dumps(text))
    assert read_list(tmp_path) == {}
    assert not is_current(tmp_path, "k")


def test_a_database_of_an_unknown_format_is_told(tmp_path: Path) -> None:
    path = tmp_path / "roomtone.db"
    open_database(path).close()
    data = bytearray(path.read_bytes())
    data[47] = 99
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"roomtone\.db is damaged.*roomtone restore"):
        open_database(path)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE activities SET parameters = '{\"a\": '",
        "UPDATE activities SET started = 'yesterday'",
        "UPDATE activities SET tool = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_value_that_is_none_is_told(tmp_path: Path, change: str) -> None:
    with open_workspace(Settings(home=tmp_path)) as work, work.database.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO activities VALUES ('1', 'read', 'k', 't', NULL, '{}', '1', 'm', 'a',"
            " '2026-11-28T00:00:00+00:00', '2026-11-28T00:00:00+00:00', 'done')"
        )
    with closing(sqlite3.connect(tmp_path / "roomtone.db")) as connection, connection:
        connection.execute(change)
    database = open_database(tmp_path / "roomtone.db")
    with pytest.raises(InputError, match="is damaged"), database.read() as session:
        finished(session, "read", "k")
    database.close()


def test_a_check_tells_of_a_value_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "roomtone.db"
    database = open_database(path)
    with database.write() as session:
        remember_media(session, recorded(tmp_path / "1-T01.wav"))
    database.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE assets SET first_seen = 'yesterday'")
    settings = Settings(home=tmp_path)
    for read, kinds in ((False, ["database"]), (True, ["seal", "database"])):
        report = check(settings, Silent(), read=read, originals=False)
        assert [item.kind for item in report.findings] == kinds


def test_every_line_about_damage_is_a_sentence_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "roomtone.db"
    database = open_database(path)
    with database.write() as session:
        remember_media(session, recorded(tmp_path / "1-T01.wav"))
    database.close()
    data = bytearray(path.read_bytes())
    data[52:56] = b"\0\0\x08\x6d"  # the largest root page, of a database that vacuums itself
    path.write_bytes(data)
    database = open_database(path)
    said = database.damage(deep=False)
    database.close()
    assert 1 < len(said) <= 20
    assert not [clause for clause in said if "\n" in clause or clause.startswith("***")]


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes", "bytes=", "bytes=9-3", "bytes=a-b"])
def test_a_range_that_asks_for_no_bytes_is_passed_over(tmp_path: Path, asked: str) -> None:
    path = tmp_path / "1-T01.wav"
    media = recorded(path)
    with open_workspace(Settings(home=tmp_path / "home")) as work:
        with work.database.write() as session:
            remember_media(session, media)
            assert paths_of(session, media.sha256) == (path,)
        app = create_app(work, Access(work.settings.home, open_to_all=True))
        browser = TestClient(app, "http://localhost")
        address = f"/api/v1/takes/{media.essence}/audio"
        whole = browser.get(address)
        answer = browser.get(address, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, whole.content)


def test_whole_requests_are_answered_and_broken_ones_refused(tmp_path: Path) -> None:
    media = recorded(tmp_path / "1-T01.wav")
    first, *_ = requests(media.essence)
    assert answered(first) == 200
    with pytest.raises(InputError):
        answered(first[:-3])
    with pytest.raises(InputError, match="421"):
        answered(first.replace(b"localhost", b"elsewhere"))


def test_sound_that_ffmpeg_can_not_describe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "1-T01.wav"
    recorded(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"fmt ") + 10
    data[at : at + 2] = b"\xd0\x07"  # 2,000 channels
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"1-T01\.wav has sound of a kind that nothing here knows"):
        probe(path)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("assets", 0, "0" * 64),
        ("assets", 2, [1]),
        ("assets", -2, "2026-11-28T00:00:00"),
        ("media", 1, 10**30),
        ("media", 3, None),
    ],
)
def test_rows_that_do_not_fit_are_no_dump(
    tmp_path: Path, table: str, column: int, value: Any
) -> None:
    source = open_database(tmp_path / "one.db")
    with source.write() as session:
        remember_media(session, recorded(tmp_path / "1-T01.wav"))
    with source.read() as session:
        lines = list(dump_rows(session))
    source.close()
    at = next(n for n, line in enumerate(lines) if line.startswith(f'{{"table":"{table}"')) + 1
    row = json.loads(lines[at])
    row[column] = value
    lines[at] = json.dumps(row)
    target = open_database(tmp_path / "two.db")
    with pytest.raises(InputError, match="rows is no dump"), target.write() as session:
        load_rows(session, lines, "rows")
    target.close()
