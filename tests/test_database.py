"""The database opens fast and whole, keeps writers apart, and says what is wrong in a sentence."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from databases import Server
from sqlalchemy import Connection, create_engine, inspect, select
from sqlalchemy.exc import IntegrityError

import db.backend
import db.engine
import db.run_rows
import db.sqlite
from core.errors import InputError, OutputError, PassingError
from db.engine import Database, alembic_config, open_database, revisions
from db.schema import SCHEMA, create_tables, migrated_text, schema_text
from db.tables import Location, Speaker, Table


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where there is nothing yet, in either kind of database."""
    if request.param == "sqlite":
        return tmp_path / "roomtone.db"
    server: Server = request.getfixturevalue("server")
    return server.empty()


def address(place: Path | str) -> str:
    return f"sqlite:///{place}" if isinstance(place, Path) else place


def add_speaker(database: Database, name: str) -> None:
    with database.write() as session:
        session.add(Speaker(project="HARBOUR", name=name))


def speakers(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Speaker.name).order_by(Speaker.name)))


def tables(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


def test_migrations_make_the_tables_that_the_code_knows(empty: Path | str) -> None:
    open_database(empty).close()
    engine = create_engine(address(empty))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _, name, *__: (
                    not re.search("_(fts|terms|vector)", str(name))
                ),
            },
        )
        assert compare_metadata(context, Table.metadata) == []
        made = set(inspect(connection).get_table_names())
    assert set(Table.metadata.tables) <= made
    if isinstance(empty, Path):
        assert {"words_fts"} <= made
    engine.dispose()


def test_the_revision_read_from_file_names_is_alembics(tmp_path: Path) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
    assert scripts.get_heads() == [revisions()[-1]]
    assert [script.revision for script in scripts.walk_revisions()] == list(revisions())[::-1]


def test_migrations_can_be_undone(empty: Path | str) -> None:
    open_database(empty).close()
    engine = create_engine(address(empty))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    first = open_database(tmp_path / "deep" / "er" / "roomtone.db")
    add_speaker(first, "STELLA")
    first.close()
    second = open_database(tmp_path / "deep" / "er" / "roomtone.db")
    assert speakers(second) == ["STELLA"]
    second.close()


@pytest.mark.parametrize("new", [True, False])
def test_opening_a_database_that_is_not_older_does_not_load_alembic(
    new: bool, tmp_path: Path
) -> None:
    path = tmp_path / "roomtone.db"
    if not new:
        open_database(path).close()
    code = (
        "import sys; from pathlib import Path; from db.engine import open_database;"
        "open_database(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    house = Path(db.sqlite.__file__).parents[1]
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=house, capture_output=True, check=True
    )
    assert told.stdout.strip() == b"False"


def test_an_exception_in_write_leaves_nothing(database: Database) -> None:
    add_speaker(database, "STELLA")

    def fail() -> None:
        with database.write() as session:
            session.add(Speaker(project="HARBOUR", name="JOHN"))
            session.flush()
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        fail()
    assert speakers(database) == ["STELLA"]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "roomtone.db"
    open_database(path).close()
    engine = create_engine(address(path))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0014")
    engine.dispose()
    before = tables(path)
    real = command.upgrade

    def upgrade(*arguments: object) -> None:
        real(*arguments)
        raise RuntimeError("the power went")

    monkeypatch.setattr(command, "upgrade", upgrade)
    with pytest.raises(RuntimeError, match="the power went"):
        open_database(path)
    assert tables(path) == before
    monkeypatch.undo()
    opened = open_database(path)
    add_speaker(opened, "STELLA")
    opened.close()


def test_a_new_file_whose_making_fails_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "roomtone.db"

    def made(connection: Connection) -> str:
        create_tables(connection)
        raise RuntimeError("the power went")

    monkeypatch.setattr(db.sqlite, "create_tables", made)
    with pytest.raises(RuntimeError, match="the power went"):
        open_database(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    monkeypatch.undo()
    opened = open_database(path)
    add_speaker(opened, "STELLA")
    opened.close()


def test_a_new_file_is_what_all_migrations_make(tmp_path: Path) -> None:
    written = SCHEMA.read_text("utf-8")
    assert migrated_text(tmp_path) == written, "run: python -m db.schema"
    path = tmp_path / "new.db"
    open_database(path).close()
    assert schema_text(path) == written


def test_four_threads_read_modify_write_without_a_loss(database: Database) -> None:
    with database.write() as session:
        session.add(Speaker(project="0", name="COUNTER"))
    faults: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(50):
                with database.write() as session:
                    row = session.scalars(select(Speaker)).one()
                    row.project = str(int(row.project) + 1)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with database.read() as session:
        assert session.scalars(select(Speaker.project)).one() == "200"


def test_a_reader_does_not_wait_for_a_writer_and_sees_what_was_committed(
    database: Database,
) -> None:
    add_speaker(database, "STELLA")
    with database.write() as session:
        session.add(Speaker(project="HARBOUR", name="JOHN"))
        session.flush()
        assert speakers(database) == ["STELLA"]
    assert speakers(database) == ["JOHN", "STELLA"]


def test_a_fresh_database_opened_by_four_at_once_is_made_once(empty: Path | str) -> None:
    opened: list[Database] = []
    faults: list[Exception] = []
    together = threading.Barrier(4)

    def start() -> None:
        together.wait()
        try:
            opened.append(open_database(empty))
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    for number, database in enumerate(opened):
        add_speaker(database, str(number))
    assert speakers(opened[0]) == ["0", "1", "2", "3"]
    for database in opened:
        database.close()


def test_read_refuses_to_write(database: Database) -> None:
    def write() -> None:
        with database.read() as session:
            session.add(Speaker(project="HARBOUR", name="JOHN"))
            session.flush()

    with pytest.raises(OutputError, match=r"readonly|read-only"):
        write()
    add_speaker(database, "STELLA")
    assert speakers(database) == ["STELLA"]


def test_references_are_kept(database: Database) -> None:
    from db.codec import now

    def dangle() -> None:
        with database.write() as session:
            path = Path("/dailies/12A-T01.wav")
            session.add(Location(path=path, asset="00", size=1, mtime_ns=1, seen_at=now()))

    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        dangle()


@pytest.mark.parametrize(("on_share", "journal"), [(False, "wal"), (True, "delete")])
def test_the_write_ahead_log_is_kept_off_network_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_share: bool, journal: str
) -> None:
    monkeypatch.setattr(db.sqlite, "_on_network_share", lambda _: on_share)
    opened = open_database(tmp_path / "roomtone.db")
    add_speaker(opened, "STELLA")
    with opened.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA journal_mode").scalar() == journal
    opened.close()


@pytest.mark.parametrize(
    ("path", "on_share"),
    [
        ("/Volumes/Dailies 1/roomtone.db", True),
        ("/Users/ann/roomtone.db", False),
        ("/mnt/nas/home/roomtone.db", True),
        ("/mnt/nas2/roomtone.db", False),
    ],
)
def test_a_network_share_is_known_by_its_mount(
    monkeypatch: pytest.MonkeyPatch, path: str, on_share: bool
) -> None:
    mounted = [
        ("/", "apfs"),
        ("/Volumes/Dailies 1", "smbfs"),
        ("/mnt/nas", "nfs4"),
        ("/mnt", "ext4"),
    ]
    monkeypatch.setattr(db.sqlite, "_mounted", lambda: mounted)
    assert db.sqlite._on_network_share(Path(path)) is on_share


def test_what_mount_prints_on_macos_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = (
        b"/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n"
        b"//ann@nas/dailies on /Volumes/Dailies (day 1) (smbfs, nodev, nosuid, mounted by ann)\n"
    )
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, printed)
    )
    assert db.sqlite._mounted() == [("/", "apfs"), ("/Volumes/Dailies (day 1)", "smbfs")]


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "roomtone.db"
    path.write_bytes(b"This is a shopping list, and long enough to be taken for a header." * 20)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"roomtone\.db is damaged or no database"):
        open_database(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "roomtone.db"
    open_database(path).close()
    content = bytearray(path.read_bytes())
    content[100:3000] = b"\xff" * 2900
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"roomtone\.db is damaged"):
        open_database(path)


def test_another_programs_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "prefect.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE alembic_version (version_num TEXT)")
        raw.execute("INSERT INTO alembic_version VALUES ('0001')")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="another program's database"):
        open_database(path)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_roomtone_is_told(tmp_path: Path) -> None:
    path = tmp_path / "roomtone.db"
    open_database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(InputError, match=r"made by a newer roomtone \(schema 9999"):
        open_database(path)


def test_a_folder_in_the_place_of_the_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        open_database(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    with pytest.raises(OutputError, match="can't be used for the database"):
        open_database(tmp_path / "home" / "roomtone.db")


def test_a_database_locked_for_too_long_is_told(
    place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.backend, "BUSY_MS", 50)
    opened = open_database(place)
    with opened.write(), pytest.raises(OutputError, match="in use by another program"):
        add_speaker(opened, "JOHN")
    opened.close()


def test_whoever_opens_a_new_database_waits_for_another_that_is_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "roomtone.db"
    monkeypatch.setattr("db.backend.BUSY_MS", 200)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, other.rollback)
    timer.start()
    open_database(path).close()
    timer.join()
    other.execute("BEGIN IMMEDIATE")
    open_database(path).close()  # nothing is left to do, so nobody is waited for
    other.rollback()
    other.close()
    held = sqlite3.connect(tmp_path / "held.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    with pytest.raises(PassingError, match="in use by another program"):
        open_database(tmp_path / "held.db")
    held.rollback()
    held.close()
