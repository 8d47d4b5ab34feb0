"""What a person names: found, or told that it is not known, with the names that are near it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

from sqlalchemy.orm import Session

from core.errors import InputError
from core.filters import Filters
from core.words import near, some
from db.catalogue import TakeLine, lines_of
from db.engine import Database
from db.take_list import known_names
from db.takes import essences_of, knows_take

_LISTED = "roomtone lines lists them"


def takes_named(session: Session, asked: str) -> tuple[str, ...]:
    """The sound (its sha256) of the takes that a person names; see `db.takes.is_take`.

    Raises InputError where no take is called so.
    """
    found = essences_of(session, asked)
    if not found:
        raise unknown_take(session, asked)
    return found


def lines_of_take(session: Session, asked: str) -> tuple[TakeLine, ...]:
    """The lines of the takes that a person names, in order.

    Raises InputError where no take is called so, or nothing was heard in it.
    """
    takes_named(session, asked)
    found = lines_of(session, asked)
    if not found:
        raise InputError(f"No lines are known of take {asked!r}; clean a cut that uses it first.")
    return found


def unknown_take(session: Session, asked: str) -> InputError:
    """The fault that no take is called so."""
    return InputError(_unknown("take", asked, known_names(session).takes, _LISTED))


def check_filters(database: Database, filters: Filters) -> None:
    """Raises InputError where nothing here bears a name that is in a search's filters."""
    told = unknown_filters(database, filters)
    if told:
        raise InputError(" ".join(told))


def unknown_filters(database: Database, filters: Filters) -> tuple[str, ...]:
    """The names in a search's filters that nothing here bears, a sentence each."""
    with database.read() as session:
        known = known_names(session)
        told = [
            _unknown(what, asked, names, remedy)
            for what, asked, names, remedy in (
                ("speaker", filters.speaker, known.speakers, "roomtone speakers list names them"),
                ("scene", filters.scene, known.scenes, _LISTED),
                ("production", filters.project, known.productions, "roomtone lines lists all"),
                *(("tag", tag, known.tags, "roomtone tag lists them") for tag in filters.tags),
                ("cut", PurePath(filters.cut.strip()).name, known.cuts, "clean it first"),
            )
            if asked.strip() and asked.strip().lower() not in {name.lower() for name in names}
        ]
        if filters.take.strip() and not knows_take(session, filters.take):
            told.append(str(unknown_take(session, filters.take)))
    return tuple(told)


def _unknown(what: str, asked: str, names: Collection[str], remedy: str) -> str:
    close = near(asked, names)
    hint = f"near it: {some(close)}" if close else remedy
    return f"No {what} {asked.strip()!r} is known here; {hint}."
