"""Search: what is indexed is brought up to date, then lines are found, also by their sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from sqlalchemy.orm import Session

from core.filters import Filters
from core.phones import Phones
from db.catalogue import Hit, search
from db.corrections import corrected_whole
from db.engine import Database
from db.events import TakeEvent, events_of
from db.search.filters import of_events
from db.search.find import How
from db.search.index import count_stale, refresh, stale
from flows.progress import Progress, Silent
from models.speech.pronunciation import english_dictionary, pronouncer

SOUNDS_VERSION = "1"
AT_ONCE = 5_000
INDEXING = "indexing lines"
Found = TypeVar("Found")


def find_lines(
    database: Database,
    query: str,
    limit: int,
    filters: Filters = Filters(),
    how: How = "auto",
    progress: Progress = Silent(),
) -> tuple[Hit, ...]:
    """Lines that a query finds, the closest first; see `db.search.find`.

    Lines that were stored by an older program, or not indexed by sound yet, are indexed first.
    """
    index_lines(database, progress)
    with database.read() as session:
        return search(session, query, limit, _in_full(session, filters), sound_of, how)


def find_events(database: Database, limit: int, filters: Filters) -> tuple[TakeEvent, ...]:
    """What happens in the takes where the filters let it through, by scene, take and start."""
    with database.read() as session:
        return events_of(session, condition=of_events(_in_full(session, filters)))[:limit]


def _in_full(session: Session, filters: Filters) -> Filters:
    """The filters with what they need to know of corrections."""
    if filters.draft is None and not filters.min_confidence:
        return filters
    return replace(filters, corrected=corrected_whole(session))


def index_lines(database: Database, progress: Progress = Silent()) -> None:
    """Indexes the lines that are not indexed as they would be now, some thousands at once."""
    by = sounds_by()
    with database.read() as session:
        if not stale(session, by):
            return
        progress.step(INDEXING, count_stale(session, by))
    last = 0
    while True:
        with database.write() as session:
            done = refresh(session, sound_of, by, AT_ONCE, last)
        progress.advance(INDEXING, len(done))
        if len(done) < AT_ONCE:
            return
        last = done[-1]


def by_take(found: Sequence[Found], essence: Callable[[Found], str]) -> list[list[Found]]:
    """What a search found by the takes that it is in, these in the order of their best hit."""
    takes: dict[str, list[Found]] = {}
    for item in found:
        takes.setdefault(essence(item), []).append(item)
    return list(takes.values())


@lru_cache(maxsize=1 << 16)
def sound_of(word: str) -> Phones:
    """How a folded word is usually said; no phones for one without a letter that sounds."""
    return pronouncer("en").phones(word)[0]


def sounds_by() -> str:
    """Names what says how words sound: another dictionary makes another index."""
    return f"english {SOUNDS_VERSION}, {len(english_dictionary())} words"
