"""`roomtone check` says what is wrong with a home, and leaves alone what is a person's own."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from injuries import Patient, patient, taken_for_right
from production import Delivered, Home, tell
from sqlalchemy import create_engine, delete, func, insert, make_url, select, text, update
from sqlalchemy.exc import IntegrityError

import db
from core.errors import ExitCode
from core.speech import Line, Word
from db.catalogue import store_listening
from db.engine import Database, alembic_config, open_database
from db.integrity import database_findings
from db.memory import AssetRecord, remember_asset
from db.mend import accept_counts
from db.tables import CutEvent, CutRow, Speaker, Table, Take
from db.tally import RowCount, counted


@pytest.fixture
def it(delivered: Delivered, tmp_path: Path) -> Patient:
    return patient(delivered, tmp_path)


def found(it: Patient, *options: str) -> list[tuple[str, str]]:
    ran = it.home.run("check", "--json", *options)
    return [(item["kind"], item["where"]) for item in ran.json["findings"]]


def notes(it: Patient, *options: str) -> str:
    return " ".join(it.home.run("check", "--json", *options).json["notes"])


def test_a_home_in_order_says_so_and_changes_nothing(it: Patient) -> None:
    before = {path: path.stat().st_mtime_ns for path in it.home.folder.rglob("*")}
    ran = it.home.run("check", "--read")
    assert ran.code == ExitCode.OK
    assert "All is in order: 22 files" in ran.out
    assert {path: path.stat().st_mtime_ns for path in before if path.is_file()} == {
        path: moment for path, moment in before.items() if path.is_file()
    }


def test_sizes_are_seen_without_reading_and_bytes_only_with_it(it: Patient) -> None:
    take, stem = it.store[0], it.out / "stems" / "v1.DX.wav"
    take.write_bytes(take.read_bytes()[:-1])
    data = bytearray(stem.read_bytes())
    data[-1] ^= 1
    stem.write_bytes(data)
    assert found(it) == [("size", str(take))]
    assert found(it, "--read") == [("size", str(take)), ("changed", str(stem))]
    ran = it.home.run("check", "--read")
    assert ran.code == ExitCode.CHECK
    assert "2 things are wrong" in ran.out
    assert "run roomtone repair" in ran.out


def test_a_file_that_no_row_knows_is_named_unless_a_run_may_be_at_work(it: Patient) -> None:
    stray = it.home.folder / "store" / "ab" / f"{'ab' * 32}.wav"
    stray.parent.mkdir()
    stray.write_bytes(b"RIFF")
    assert found(it) == []
    assert "a run may be at work" in notes(it)
    os.utime(stray, (time.time() - 7200,) * 2)
    assert found(it) == [("unknown", str(stray))]


def test_links_in_the_store_are_told_and_not_followed(it: Patient, tmp_path: Path) -> None:
    take = it.store[0]
    shutil.move(take, tmp_path / "elsewhere.wav")
    take.symlink_to(tmp_path / "elsewhere.wav")
    (it.home.folder / "store" / "zz").symlink_to(tmp_path)
    assert sorted(found(it, "--read")) == sorted(
        [("link", str(take)), ("link", str(it.home.folder / "store" / "zz"))]
    )


def test_a_home_that_moved_is_in_order(it: Patient, tmp_path: Path) -> None:
    shutil.move(it.home.folder, tmp_path / "moved")
    moved = Patient(Home(tmp_path / "moved", it.home.environment), it.out)
    assert found(moved, "--read") == []


def test_a_delivery_that_is_gone_is_told_once(it: Patient) -> None:
    shutil.rmtree(it.out)
    assert found(it) == [("missing", str(it.out))]


def test_files_of_an_earlier_delivery_into_the_same_folder_are_not_missed(
    it: Patient, delivered: Delivered
) -> None:
    cut = delivered.film / "v2.otio"
    assert it.home.run("clean", cut, "--out", it.out, "--direct").code == 0
    assert found(it, "--read") == []


def test_a_delivery_that_broke_off_is_named(it: Patient) -> None:
    path = it.out / "delivery.json"
    path.write_text(path.read_text("utf-8").replace('"complete"', '"in progress"'), "utf-8")
    assert found(it) == [("unfinished", str(it.out))]
    (it.out / ".roomtone.lock").touch()
    assert found(it) == []
    assert "just now" in notes(it)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"files": 1, "key": ""}',
        b'{"files": [{"path": "../../etc/passwd", "role": "DX", "sha256": "", "bytes": 1}]}',
        b'{"key": "", "files": [{"path": "/etc/passwd", "role": "DX", "sha256": 3, "bytes": 1}]}',
        b"[" * 100_000,
        b'{"state": "complete", "key": "", "files": [' + b"[]," * 2_500_000 + b"[]]}",
        b'{"state": "complete", "key": "", "files": [{"path": "a", "role": "DX", "sha256": "'
        + b"0" * 64
        + b'", "bytes": -1}]}',
    ],
)
def test_a_list_that_is_none_is_named_and_its_files_are_known_by_the_database(
    it: Patient, content: bytes
) -> None:
    (it.out / "delivery.json").write_bytes(content)
    (it.out / "stems" / "v1.DX.wav").unlink()
    assert found(it) == [
        ("unlisted", str(it.out / "delivery.json")),
        ("missing", str(it.out / "stems" / "v1.DX.wav")),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"key": "', '"key": "0'),
        ('"state": "complete"', '"state": "complfte"'),
        ('"sha256": "', '"sha256": "0'),
        ('"path": "stems/', '"path": "stams/'),
        ('"notes": [', '"notes": ["mine", '),
        ('"roomtone": "', '"roomtone": "1'),
        ('"bytes": ', '"bytes": 1'),
    ],
)
def test_a_list_that_somebody_edited_is_named_and_no_file_of_it(
    it: Patient, old: str, new: str
) -> None:
    path = it.out / "delivery.json"
    assert it.home.run("verify", path).code == ExitCode.OK
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert found(it, "--read") == [("unlisted", str(path))]
    assert it.home.run("verify", path).code == ExitCode.CHECK


def test_files_between_those_of_a_delivery_are_noted(it: Patient) -> None:
    theirs = it.out / "stems" / "music.wav"
    theirs.write_bytes(b"RIFF")
    assert found(it, "--read") == []
    assert f"not of the delivery that they lie in: {theirs}." in notes(it)


def test_originals_are_noted_where_they_are_away_and_compared_when_asked(
    it: Patient, delivered: Delivered, tmp_path: Path
) -> None:
    own = tmp_path / "sound"
    shutil.copytree(delivered.film / "sound", own)
    with closing(sqlite3.connect(it.database)) as connection, connection:
        for table in ("locations", "media"):
            connection.execute(
                f"UPDATE {table} SET path = replace(path, ?, ?)",
                (str(delivered.film / "sound"), str(own)),
            )
    taken_for_right(it.database)
    (own / "1-T01.wav").unlink()
    with (own / "1-T02.wav").open("r+b") as file:
        file.seek(5000)
        file.write(b"\0\1\2\3\4\5\6")
    assert found(it, "--read") == []
    assert "1 originals are not there now" in notes(it)
    assert found(it, "--read", "--originals") == [("changed", str(own / "1-T02.wav"))]


def test_an_empty_or_absent_database_is_not_made_anew(it: Patient) -> None:
    it.database.unlink()
    assert found(it) == [("database", str(it.database))]
    assert not it.database.exists()
    it.database.touch()
    assert found(it) == [("database", str(it.database))]
    assert it.database.stat().st_size == 0


def test_no_home_is_an_input_that_is_not_there(tmp_path: Path) -> None:
    ran = Home(tmp_path / "nowhere").run("check")
    assert ran.code == ExitCode.INPUT
    assert not (tmp_path / "nowhere").exists()


def test_an_index_that_lost_a_line_is_named_where_all_is_read(it: Patient) -> None:
    tell(it.home, {"1-T01": [(10, "what joy there is")]})
    assert found(it, "--read") == []
    with closing(sqlite3.connect(it.database)) as connection, connection:
        connection.execute("INSERT INTO words_fts (words_fts) VALUES ('delete-all')")
    assert found(it) == []
    assert ("database", str(it.database)) in found(it, "--read")


def test_weights_are_read_again(it: Patient) -> None:
    folder = it.home.folder / "weights" / "mine"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    (folder / "weights.json").write_text('{"files": {"model.bin": {"sha256": "' + "0" * 64 + '"}}}')
    assert found(it) == []
    assert found(it, "--read") == [("weights", str(folder))]


# --- the database by itself, of either kind ---


def kinds(database: Database) -> list[tuple[str, str]]:
    return [(item.kind, item.where) for item in database_findings(database, deep=True)]


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {row.table: row.rows for row in session.scalars(select(RowCount))}


@pytest.fixture
def heard(database: Database, tmp_path: Path) -> Database:
    """A database with a take of two lines."""
    with database.write() as session:
        session.add(
            Take(
                essence="e",
                name="1-T01",
                scene="1",
                take="1",
                tape="",
                project="P",
                sample_rate=48_000,
                frames=96_000,
                time_reference=None,
                timecode_rate=None,
            )
        )
        session.flush()
        lines = [
            Line("REN", at, at + 900, tuple(Word(word, at, at + 9, 1.0) for word in words), "told")
            for at, words in ((0, ("what", "joy")), (1000, ("there", "is")))
        ]
        store_listening(session, "e", "k", "told", False, None, "en", lines, "P")
    return database


def test_counts_follow_what_roomtone_writes(heard: Database) -> None:
    assert kinds(heard) == []
    assert (counts(heard)["lines"], counts(heard)["words"], counts(heard)["speakers"]) == (2, 4, 1)
    with heard.write() as session:
        store_listening(session, "e", "other", "told", False, None, "en", [], "P")
    assert counts(heard)["lines"] == 0
    assert kinds(heard) == []


def test_counts_follow_every_way_of_writing(database: Database) -> None:
    row = {"project": "P", "heard_as": ""}
    with database.write() as session:
        session.execute(insert(Speaker), [{**row, "name": name} for name in "abc"])
        session.execute(insert(Speaker).values([{**row, "name": name} for name in "de"]))
        session.execute(insert(Speaker).values(**row, name="f"))
        session.add_all(Speaker(**row, name=name) for name in "gh")
        session.merge(Speaker(**row, name="i"))
        session.flush()
        session.execute(
            insert(Speaker).from_select(
                ["project", "name", "heard_as"],
                select(Speaker.project, func.upper(Speaker.name), Speaker.heard_as),
            )
        )
    assert counts(database)["speakers"] == 18
    with database.write() as session:
        session.delete(session.scalars(select(Speaker).limit(1)).one())
        session.execute(delete(Speaker).where(Speaker.name.in_(("b", "c"))))
        session.execute(text("DELETE FROM speakers WHERE name = 'd'"))
        for speaker in session.scalars(select(Speaker).where(Speaker.name.in_(("e", "f")))):
            session.delete(speaker)
    assert counts(database)["speakers"] == 12
    with database.write() as session:
        plain = "INSERT INTO speakers (project, name, heard_as) VALUES ('P', 'z', '')"
        session.connection().exec_driver_sql(plain)
    assert counts(database)["speakers"] == 13
    assert kinds(database) == []


def test_counts_follow_rows_that_go_with_others(database: Database) -> None:
    with database.write() as session:
        cut = CutRow(
            name="c",
            digest="d",
            path=Path("/c"),
            rate="24",
            start=0,
            length="1",
            read_at=datetime.now(UTC),
        )
        session.add(cut)
        session.flush()
        event = {"event": "1", "track": "A", "record_start": 0, "record_length": 1, "asset": None}
        more = {"source_start": None, "source_end": None, "channels": [], "linked": ""}
        session.execute(
            insert(CutEvent), [{"cut": cut.id, **event, **more, "take_key": ""} for _ in range(3)]
        )
    assert counts(database)["cut_events"] == 3
    with database.write() as session:
        session.execute(delete(CutRow))
    assert counts(database)["cut_events"] == 0
    assert kinds(database) == []


def test_a_transaction_that_failed_leaves_the_counts(database: Database) -> None:
    taken = {"project": "P", "name": "a", "heard_as": ""}
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(insert(Speaker), [taken, taken])
    assert counts(database)["speakers"] == 0
    assert set(counts(database)) == set(counted())


@pytest.fixture
def by_another_hand(place: Path | str) -> Iterator[Any]:
    """Runs a statement on the database past roomtone."""
    engine = create_engine(f"sqlite:///{place}" if isinstance(place, Path) else place)

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    yield run
    engine.dispose()


def test_rows_that_another_hand_removed_are_missed(heard: Database, by_another_hand: Any) -> None:
    by_another_hand("DELETE FROM words WHERE position = 1 AND text = 'joy'")
    with heard.read() as session:
        line = session.scalars(text("SELECT id FROM lines WHERE text = 'what joy'")).one()
    assert kinds(heard) == [("count", "table words"), ("row", f"lines {line}")]


def test_a_row_that_another_hand_added_is_noticed(database: Database, by_another_hand: Any) -> None:
    by_another_hand("INSERT INTO speakers (project, name, heard_as) VALUES ('P', 'X', '')")
    (finding,) = database_findings(database, deep=False)
    assert finding.where == "table speakers"
    assert "1 row was added" in finding.what


def test_a_file_without_a_maker_is_named(database: Database) -> None:
    asset = AssetRecord(sha256="a" * 64, kind="stem", name="DX.wav", bytes=4)
    with database.write() as session:
        remember_asset(session, asset, None)
    assert kinds(database) == [("row", f"assets {'a' * 64} (DX.wav)")]


def test_a_value_that_another_hand_changed_is_noticed(
    heard: Database, by_another_hand: Any
) -> None:
    by_another_hand("UPDATE takes SET scene = '2'")
    assert kinds(heard) == [("seal", "table takes")]
    assert database_findings(heard, deep=False) == ()
    with heard.write() as session:
        session.execute(update(Take).values(scene="3"))
    assert kinds(heard) == [("seal", "table takes")]
    by_another_hand("UPDATE takes SET scene = '1' WHERE scene = '3'")
    assert kinds(heard) == [("seal", "table takes")]
    with heard.write() as session:
        accept_counts(session)
    assert kinds(heard) == []
    spoilt = "UPDATE row_counts SET seal = replace(seal, '-', '0-')"
    by_another_hand(f"{spoilt} WHERE \"table\" = 'takes'")
    assert kinds(heard) == [("seal", "row_counts")]


VALUES = [0, -1, 2**62, 0.1, 1e300, -0.0, None, "", "a\U0010ffffb", "'", b"", b"\0\xff", "1"]


def test_seals_follow_every_kind_of_value(place: Path | str, database: Database) -> None:
    file = isinstance(place, Path)
    put = "INSERT INTO postings (kind, token, block, rows) VALUES (?, ?, ?, ?)"
    more = (
        "INSERT INTO postings VALUES (1, '-1', 1, ?) ON CONFLICT (kind, token, block) DO UPDATE"
        " SET rows = CAST(postings.rows || excluded.rows AS BLOB)"
    )
    with database.write() as session:
        connection = session.connection()
        for number, value in enumerate(VALUES):
            # A server's column takes nothing but bytes.
            kept = value if file and value is not None else str(value).encode()
            row = (number, str(value), number, kept)
            connection.exec_driver_sql(put if file else put.replace("?", "%s"), row)
        if not file:
            more = more.replace("?", "%s").replace("BLOB", "BYTEA")
        connection.exec_driver_sql(more, (b"\1",))
    assert kinds(database) == []


def test_seals_do_not_depend_on_how_a_session_is_set(
    place: Path | str, heard: Database, by_another_hand: Any
) -> None:
    if isinstance(place, Path):
        pytest.skip("SQLite's sessions have no such settings")
    name = make_url(place).database
    for setting in (
        "extra_float_digits = -10",
        "bytea_output = 'escape'",
        "TimeZone = 'Asia/Tokyo'",
    ):
        by_another_hand(f'ALTER DATABASE "{name}" SET {setting}')
    again = open_database(place)
    assert kinds(again) == []
    with again.write() as session:
        session.execute(update(Take).values(scene="3"))
    again.close()
    assert kinds(heard) == []


def test_what_a_failed_transaction_wrote_is_not_in_the_seals(database: Database) -> None:
    row = {"project": "P", "name": "a", "heard_as": ""}

    def twice() -> None:
        with database.write() as session:
            session.execute(insert(Speaker), [row])
            session.execute(insert(Speaker), [row])

    with pytest.raises(IntegrityError):
        twice()
    with database.write() as session:
        session.execute(insert(Speaker), [row])
    assert kinds(database) == []


def test_a_database_of_before_is_counted_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "roomtone.db"
    opened = open_database(path)
    with opened.write() as session:
        session.add(Speaker(project="P", name="a"))
    opened.close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0014")
    engine.dispose()
    again = open_database(path)
    assert counts(again)["speakers"] == 1
    assert kinds(again) == []
    again.close()


def test_a_row_of_schema_that_is_gone_is_a_sentence(place: Path | str) -> None:
    opened = open_database(place)
    opened.close()
    engine = create_engine(f"sqlite:///{place}" if isinstance(place, Path) else place)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    engine.dispose()
    with pytest.raises(Exception, match="does not say any more which schema it has"):
        open_database(place)


def test_every_table_is_counted_whatever_was_imported() -> None:
    for module in pkgutil.walk_packages(db.__path__, "db."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    homes = {mapper.class_.__module__ for mapper in Table.registry.mappers}
    known = {"db.tables", "db.search.tables", "db.run_rows", "db.tally"}
    assert homes == known, "import it in db.tally, too"
