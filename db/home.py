"""The database that the settings name: the one door for commands and flows."""

from __future__ import annotations

from config.settings import Settings
from db.engine import Database, open_database

FILE = "roomtone.db"


def open_remembered(settings: Settings) -> Database:
    """The database of the setting `database`, or the one in the home where that is empty.

    Raises what `db.engine.open_database` does.
    """
    url = settings.database.get_secret_value()
    return open_database(url or settings.home / FILE)
