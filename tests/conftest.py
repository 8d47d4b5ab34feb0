"""Fixtures that more than one test file needs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Server, postgres_server
from object_storage import Bucket, ObjectStorage, object_storage
from production import HARSH, Delivered, Home, build

from bench.remembered import compiled_once
from db.engine import Database, open_database

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the shared data where that folder is absent."""
    if SHARED.is_dir():
        return
    skip = pytest.mark.skip(reason=f"needs the shared data, and {SHARED} is absent")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> Iterator[None]:
    """Statements are compiled once for all the small databases that tests open."""
    with compiled_once():
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data folder (mark the test `shared`)."""
    return SHARED


@pytest.fixture(scope="session")
def harbour() -> Path:
    """The small production with its truth (mark the test `shared`)."""
    return SHARED / "production" / "harbour"


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The production of tests/production.py. Nobody writes into it."""
    return build(tmp_path_factory.mktemp("production") / "film")


@pytest.fixture(scope="session")
def delivered(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """Its first cut, cleaned once for the whole session. Nobody writes into the delivery."""
    folder = tmp_path_factory.mktemp("delivered")
    home = Home(folder / "home")
    ran = home.run("clean", film / "v1.otio", "--out", folder / "out", "--direct")
    assert ran.code == 0, ran.err
    return Delivered(film, home, folder / "out")


@pytest.fixture(scope="session")
def bypassed(harbour: Path, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """The first cut of the harbour, delivered uncleaned (mark the test `shared`)."""
    folder = tmp_path_factory.mktemp("bypassed")
    home = Home(folder / "home")
    words = ("clean", harbour / "cuts" / "cut_v1.otio", "--media", harbour / "sound")
    ran = home.run(*words, "--recipe", "bypass", "--out", folder / "out", "--direct")
    assert ran.code == 0, ran.err
    return Delivered(harbour, home, folder / "out")


@pytest.fixture(scope="session")
def held(delivered: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """The same cut under limits that nothing keeps (`harsh.toml` beside its home). To be copied."""
    folder = tmp_path_factory.mktemp("held")
    shutil.copytree(delivered.home.folder, folder / "home")
    (folder / "harsh.toml").write_text(HARSH, "utf-8")
    made = Delivered(delivered.film, Home(folder / "home"), folder / "out" / "v1")
    words = ("--recipe", folder / "harsh.toml", "--out", made.out, "--direct")
    ran = made.home.run("clean", made.film / "v1.otio", *words)
    assert ran.code == 0, ran.err
    return made


@pytest.fixture
def own_home(delivered: Delivered, tmp_path: Path) -> Home:
    """A copy of the home that the first cut was cleaned in, to work with."""
    shutil.copytree(delivered.home.folder, tmp_path / "own home")
    return Home(tmp_path / "own home")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; what needs it is skipped where none can be started."""
    with postgres_server() as found:
        if isinstance(found, str):
            pytest.skip(found)
        yield found


@pytest.fixture(scope="session")
def storage() -> Iterator[ObjectStorage]:
    """An S3-compatible server; what needs it is skipped where none can be started."""
    with object_storage() as found:
        if isinstance(found, str):
            pytest.skip(found)
        yield found


@pytest.fixture
def bucket(storage: ObjectStorage) -> Bucket:
    """An empty bucket."""
    return storage.bucket()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where an empty database can be opened: every test runs with both kinds."""
    if request.param == "sqlite":
        return tmp_path / "roomtone.db"
    server: Server = request.getfixturevalue("server")
    return server.ready()


@pytest.fixture
def database(place: Path | str) -> Iterator[Database]:
    """An empty database of either kind."""
    opened = open_database(place)
    yield opened
    opened.close()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A working folder with no setting around it; the home is below it."""
    for name in [name for name in os.environ if name.startswith("ROOMTONE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path
