"""Keeping the indexes in step with the lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from db.chunks import chunks
from db.corrections import corrected_lines
from db.search.analysis import BREAK, INDEX_VERSION, Sound, analysed, letter_grams
from db.search.postings import Index, add, append, by_token, remove
from db.search.tables import LineSearch, VocabularyWord
from db.tables import LineRow

_LISTED = (Index.WORDS, Index.STEMS, Index.SOUNDS)


def add_lines(session: Session, lines: Sequence[LineRow], sound: Sound | None, by: str) -> None:
    """Indexes lines that are stored. by: names what says how words sound; empty where nobody."""
    if not lines:
        return
    said = corrected_lines(session, {line.essence for line in lines})
    found = [
        (line.id, analysed(line.text, line.language, sound, said[line.id].text))
        if line.id in said
        else (line.id, analysed(line.text, line.language, sound))
        for line in sorted(lines, key=lambda line: line.id)
    ]
    rows = [
        {"line": line, "version": INDEX_VERSION, "sounds_by": by, **asdict(item)}
        for line, item in found
    ]
    put = add if _newer_are_indexed(session, found[0][0]) else append
    session.execute(insert(LineSearch), rows)
    for index in _LISTED:
        texts = ((line, _tokens(getattr(item, index.name.lower()))) for line, item in found)
        put(session, index, by_token(texts))
    _count_words(session, [item.words for _, item in found])


def remove_lines(session: Session, lines: Sequence[int]) -> None:
    """Takes lines out of the indexes, and words that no other line holds out of the vocabulary."""
    gone: Counter[str] = Counter()
    for some in chunks(lines):
        rows = session.execute(
            select(LineSearch.line, LineSearch.words, LineSearch.stems, LineSearch.sounds).where(
                LineSearch.line.in_(some)
            )
        ).all()
        for index in _LISTED:
            texts = ((row.line, _tokens(getattr(row, index.name.lower()))) for row in rows)
            remove(session, index, by_token(texts))
        gone.update(word for row in rows for word in _tokens(row.words))
        session.execute(delete(LineSearch).where(LineSearch.line.in_(some)))
    if gone:
        _add_to_counts(session, {word: -count for word, count in gone.items()})
        _drop_unheard(session)


def index_again(session: Session, essence: str, sound: Sound | None, by: str) -> None:
    """Indexes the lines of a take anew, since other words are theirs now."""
    lines = session.scalars(select(LineRow).where(LineRow.essence == essence)).all()
    remove_lines(session, [line.id for line in lines])
    add_lines(session, lines, sound, by)


def stale(session: Session, by: str) -> bool:
    """Whether a line is not indexed as it would be now."""
    order = (LineSearch.version, LineSearch.sounds_by)
    # The index gives its two ends at once; counting a million lines takes a second.
    for ends in (order, [column.desc() for column in order]):
        end = session.execute(select(*order).order_by(*ends).limit(1)).tuples().first()
        if end is not None and end != (INDEX_VERSION, by):
            return True
    return False


def count_stale(session: Session, by: str) -> int:
    """How many lines are not indexed as they would be now. Reads all of the index's table."""
    return session.scalar(select(func.count()).where(_stale(by))) or 0


def refresh(session: Session, sound: Sound | None, by: str, most: int, after: int = 0) -> list[int]:
    """Indexes anew the oldest lines that are not indexed as they would be now; their row numbers.

    most: lines at once. More at once cost less each, and hold up other writers for longer.
    after: only lines with higher row numbers.
    """
    query = select(LineRow).join(LineSearch, LineSearch.line == LineRow.id).where(_stale(by))
    query = query.where(LineSearch.line > after).order_by(LineSearch.line).limit(most)
    lines = session.scalars(query).all()
    numbers = [line.id for line in lines]
    remove_lines(session, numbers)
    add_lines(session, lines, sound, by)
    return numbers


def _stale(by: str) -> ColumnElement[bool]:
    """The condition that a line is indexed by another analysis, or was not yet."""
    return or_(LineSearch.version != INDEX_VERSION, LineSearch.sounds_by != by)


def _newer_are_indexed(session: Session, line: int) -> bool:
    """Whether the lists of rows may hold one behind a line."""
    newer = select(LineSearch.line).where(LineSearch.line > line, LineSearch.version > 0)
    return session.scalars(newer.limit(1)).first() is not None


def _count_words(session: Session, lines: Sequence[str]) -> None:
    """Adds the words of some lines to the vocabulary."""
    counts = Counter(word for line in lines for word in _tokens(line))
    known: set[str] = set()
    for some in chunks(sorted(counts)):
        known.update(
            session.scalars(select(VocabularyWord.word).where(VocabularyWord.word.in_(some)))
        )
    if known:
        _add_to_counts(session, {word: counts[word] for word in sorted(known)})
    new = [VocabularyWord(word=word, lines=counts[word]) for word in sorted(counts.keys() - known)]
    if new:
        session.add_all(new)
        session.flush()
        append(session, Index.LETTERS, by_token((row.id, letter_grams(row.word)) for row in new))


def _drop_unheard(session: Session) -> None:
    """Takes words that no line holds any more out of the vocabulary."""
    unheard = select(VocabularyWord.id, VocabularyWord.word).where(VocabularyWord.lines <= 0)
    rows = session.execute(unheard).tuples().all()
    if rows:
        remove(
            session, Index.LETTERS, by_token((number, letter_grams(word)) for number, word in rows)
        )
        session.execute(delete(VocabularyWord).where(VocabularyWord.lines <= 0))


def _tokens(text: str) -> set[str]:
    """Each token of an indexed text once."""
    return set(text.split()) - {BREAK}


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
