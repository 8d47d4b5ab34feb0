"""Keeping the indexes in step with the lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from db.chunks import chunks
from db.corrections import corrected_lines
from db.search.analysis import BREAK, INDEX_VERSION, Sound, analysed, letter_grams
from db.search.tables import LineSearch, VocabularyWord
from db.tables import LineRow


def add_lines(session: Session, lines: Sequence[LineRow], sound: Sound | None, by: str) -> None:
    """Indexes lines that are stored. by: names what says how words sound; empty where nobody."""
    if not lines:
        return
    said = corrected_lines(session, {line.essence for line in lines})
    found = [
        (line.id, analysed(line.text, line.language, sound, said[line.id].text))
        if line.id in said
        else (line.id, analysed(line.text, line.language, sound))
        for line in lines
    ]
    rows = [
        {"line": line, "version": INDEX_VERSION, "sounds_by": by, **asdict(item)}
        for line, item in found
    ]
    session.execute(insert(LineSearch), rows)
    _count_words(session, (item.words for _, item in found))


def remove_lines(session: Session, lines: Sequence[int]) -> None:
    """Takes lines out of the indexes, and words that no other line holds out of the vocabulary."""
    gone: Counter[str] = Counter()
    for some in chunks(lines):
        rows = session.scalars(select(LineSearch.words).where(LineSearch.line.in_(some)))
        gone.update(word for row in rows for word in _vocabulary(row))
        session.execute(delete(LineSearch).where(LineSearch.line.in_(some)))
    if gone:
        _add_to_counts(session, {word: -count for word, count in gone.items()})
        session.execute(delete(VocabularyWord).where(VocabularyWord.lines <= 0))


def index_again(session: Session, essence: str, sound: Sound | None, by: str) -> None:
    """Indexes the lines of a take anew, since other words are theirs now."""
    lines = session.scalars(select(LineRow).where(LineRow.essence == essence)).all()
    remove_lines(session, [line.id for line in lines])
    add_lines(session, lines, sound, by)


def stale(session: Session, by: str) -> int:
    """How many lines are not indexed as they would be now."""
    return session.scalar(_stale(by).with_only_columns(func.count())) or 0


def refresh(session: Session, sound: Sound | None, by: str) -> int:
    """Indexes anew what is not indexed as it would be now; how many lines that were."""
    lines = list(session.scalars(_stale(by)))
    for some in chunks(lines):
        remove_lines(session, [line.id for line in some])
        add_lines(session, some, sound, by)
    return len(lines)


def _stale(by: str) -> Select[tuple[LineRow]]:
    """Lines without a row in the index, or with one of another analysis."""
    return (
        select(LineRow)
        .outerjoin(LineSearch, LineSearch.line == LineRow.id)
        .where(
            or_(
                LineSearch.line.is_(None),
                LineSearch.version != INDEX_VERSION,
                LineSearch.sounds_by != by,
            )
        )
    )


def _count_words(session: Session, lines: Iterable[str]) -> None:
    """Adds the words of some lines to the vocabulary."""
    counts = Counter(word for line in lines for word in _vocabulary(line))
    known: set[str] = set()
    for some in chunks(sorted(counts)):
        known.update(
            session.scalars(select(VocabularyWord.word).where(VocabularyWord.word.in_(some)))
        )
    if known:
        _add_to_counts(session, {word: counts[word] for word in sorted(known)})
    new = [
        {"word": word, "lines": counts[word], "grams": " ".join(letter_grams(word))}
        for word in sorted(counts.keys() - known)
    ]
    if new:
        session.execute(insert(VocabularyWord), new)


def _vocabulary(words: str) -> set[str]:
    return set(words.split()) - {BREAK}


def _add_to_counts(session: Session, more: Mapping[str, int]) -> None:
    """Adds to the number of lines that hold each of some known words."""
    table = VocabularyWord.__table__
    statement = (
        update(VocabularyWord)
        .where(table.c.word == bindparam("known"))
        .values(lines=table.c.lines + bindparam("more"))
    )
    # On the connection: the session would load a row for each.
    session.connection().execute(
        statement, [{"known": word, "more": count} for word, count in more.items()]
    )
