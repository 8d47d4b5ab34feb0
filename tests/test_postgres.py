"""PostgreSQL serves as SQLite does, says what is wrong in a sentence, and shows no secret."""

from __future__ import annotations

import builtins
import math
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from databases import Server
from sqlalchemy import create_engine, make_url, select, text

import db.backend
from config.settings import load_settings
from core.errors import ExitCode, InputError, OutputError, RoomtoneError, UsageError
from db.engine import Database, open_database
from db.home import open_remembered
from db.provenance import ActivityRecord, finished, record
from db.tables import LineRow, Speaker

SECRET = "swordfish"


def run(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def fault(url: str) -> RoomtoneError:
    with pytest.raises(RoomtoneError) as raised:
        open_database(url).close()
    assert SECRET not in str(raised.value)
    return raised.value


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = fault(f"postgresql+psycopg://ann:{SECRET}@/roomtone?host={tmp_path}")
    assert isinstance(told, OutputError)
    assert str(told).startswith("postgresql+psycopg://ann:***@/roomtone")
    assert "can't be reached" in str(told)
    assert told.exit_code is ExitCode.OUTPUT


def test_a_database_that_is_not_there_is_told(server: Server) -> None:
    gone = make_url(server.template).set(database="gone").render_as_string(hide_password=False)
    assert 'database "gone" does not exist' in str(fault(gone))


def test_a_password_in_the_query_is_not_shown(tmp_path: Path) -> None:
    told = fault(f"postgresql://ann@/roomtone?host={tmp_path}&password={SECRET}")
    assert "can't be reached" in str(told)


@pytest.mark.parametrize("url", [f"mysql://ann:{SECRET}@host/x", f"postgresql {SECRET}"])
def test_what_is_no_url_of_postgresql_is_told(url: str) -> None:
    assert isinstance(fault(url), UsageError)


def test_a_driver_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.partition(".")[0] == "psycopg":
            raise ModuleNotFoundError("No module named 'psycopg'")
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "psycopg", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    told = fault(f"postgresql://ann:{SECRET}@host/x")
    assert isinstance(told, UsageError)
    assert 'pip install "roomtone[postgres]"' in str(told)


def test_a_database_of_a_newer_roomtone_is_told(server: Server) -> None:
    url = server.ready()
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    assert "made by a newer roomtone (schema 9999" in str(fault(url))


def test_another_programs_database_is_told_and_left_alone(server: Server) -> None:
    url = server.empty()
    run(url, "CREATE TABLE alembic_version (version_num text)")
    assert "another program's database" in str(fault(url))
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = connection.execute(
            text("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname = 'takes'")
        )
        assert tables.scalar() == 0
    engine.dispose()


def test_a_database_in_another_encoding_is_told(server: Server) -> None:
    url = server.empty()
    run_alone = create_engine(url, isolation_level="AUTOCOMMIT")
    with run_alone.connect() as connection:
        connection.exec_driver_sql(
            "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        )
    run_alone.dispose()
    latin = make_url(url).set(database="latin").render_as_string(hide_password=False)
    assert "encoded in LATIN1" in str(fault(latin))


def test_a_user_who_may_not_make_tables_is_told(server: Server) -> None:
    url = server.empty()
    run(url, "CREATE ROLE guest LOGIN")
    guest = make_url(url).set(username="guest").render_as_string(hide_password=False)
    told = fault(guest)
    assert isinstance(told, OutputError)
    assert "permission denied" in str(told)


def test_a_migration_that_fails_leaves_the_database_empty(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command

    url = server.empty()
    real = command.upgrade

    def upgrade(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("the power went")

    monkeypatch.setattr(command, "upgrade", upgrade)
    with pytest.raises(RuntimeError, match="the power went"):
        open_database(url)
    monkeypatch.undo()
    opened = open_database(url)
    with opened.read() as session:
        assert session.scalars(select(Speaker)).all() == []
    opened.close()


def test_text_sorts_by_code_point_in_either_database(database: Database) -> None:
    names = ["b", "a", "B", "é", "_", "Z", "10", "9", "\U0010ffff", "\ufb01"]
    with database.write() as session:
        session.add_all([Speaker(project="HARBOUR", name=name) for name in names])
    with database.read() as session:
        found = session.scalars(select(Speaker.name).order_by(Speaker.name)).all()
    assert found == sorted(names)


def test_what_is_infinite_comes_back_so(database: Database) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    told = {"peak": -math.inf, "more": [1.5, math.inf], "note": "Infinity", "\0": "\ud800 \0"}
    done = ActivityRecord(
        "1", "clean", "k", "t", None, told, "1", moment, moment, "here", "ann", "done"
    )
    with database.write() as session:
        record(session, done, used=[], generated=[])
    with database.read() as session:
        found = finished(session, "clean", "k")
    assert found is not None
    assert found[0].parameters == told


def test_a_server_that_was_restarted_is_connected_anew(server: Server) -> None:
    opened = open_database(server.ready())
    with opened.read() as session:
        session.scalars(select(Speaker)).all()
    other = make_url(server.template).set(database="postgres")
    engine = create_engine(other, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND application_name = 'roomtone'"
        )
    engine.dispose()
    with opened.write() as session:
        session.add(Speaker(project="HARBOUR", name="STELLA"))
    opened.close()


def test_scrubbing_waits_for_who_still_sees_what_was_deleted(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.backend, "BUSY_MS", 100)
    opened = open_database(server.ready())
    with opened.write() as session:
        session.add(Speaker(project="HARBOUR", name="STELLA"))
    reads, may_end = threading.Event(), threading.Event()

    def read() -> None:
        with opened.read() as session:
            session.scalars(select(LineRow)).all()
            reads.set()
            may_end.wait(10)

    reader = threading.Thread(target=read)
    reader.start()
    assert reads.wait(10)
    with opened.write() as session:
        session.delete(session.scalars(select(Speaker)).one())
    with pytest.raises(OutputError, match="is read by another program"):
        opened.scrub()
    may_end.set()
    reader.join()
    opened.scrub()
    opened.close()


def test_the_setting_names_the_database(server: Server, bare: Path) -> None:
    url = server.ready()
    (bare / "roomtone.toml").write_text(f'home = "{bare}"\ndatabase = "{url}"\n')
    settings, _ = load_settings({}, bare)
    opened = open_remembered(settings)
    with opened.write() as session:
        session.add(Speaker(project="HARBOUR", name="STELLA"))
    opened.close()
    assert not (bare / "roomtone.db").exists()
    again = open_database(url)
    with again.read() as session:
        assert session.scalars(select(Speaker.name)).all() == ["STELLA"]
    again.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        (f"postgresql://ann:{SECRET}@nas/roomtone", "postgresql://ann:***@nas/roomtone"),
        (f"postgresql+psycopg://ann:{SECRET}/@:@nas:1/r", "postgresql+psycopg://ann:***@nas:1/r"),
        (f"postgresql://nas/r?user=ann&password={SECRET}", "postgresql://nas/r?***"),
        ("postgresql://ann@nas/roomtone", "postgresql://ann@nas/roomtone"),
        ("sqlite:////home/ann/roomtone.db", "sqlite:////home/ann/roomtone.db"),
    ],
)
def test_a_password_in_the_settings_is_not_shown(
    bare: Path, monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    monkeypatch.setenv("ROOMTONE_DATABASE", url)
    settings, origins = load_settings({}, bare)
    value = {origin.name: origin.value for origin in origins}["database"]
    assert value == shown
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    "url", [f"mysql://ann:{SECRET}@nas/r", f"{SECRET}", "sqlite:///here.db", f"ann:{SECRET}@nas"]
)
def test_a_setting_that_is_no_database_is_told(
    bare: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ROOMTONE_DATABASE", url)
    with pytest.raises(UsageError, match="setting database") as raised:
        load_settings({}, bare)
    assert SECRET not in str(raised.value)


def test_a_file_named_by_url_is_sqlites(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'own.db'}")
    assert opened.path == tmp_path / "own.db"
    opened.close()
    assert (tmp_path / "own.db").is_file()
    with pytest.raises(InputError, match="is a folder"):
        open_database(f"sqlite:///{tmp_path}")
