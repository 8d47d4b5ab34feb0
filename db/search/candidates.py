"""Lines that may be meant, by the lists of rows that hold their tokens, and words that may be."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db.chunks import among, chunks
from db.search.analysis import errors_in, letter_grams, near, spoilt_by
from db.search.postings import Ids, Index, holding
from db.search.tables import VocabularyWord
from db.tables import LineRow, Take

_MOST_READ = 100_000
_TRIED = 2_000
_COMPARED = 300
_NEAR_WORDS = 24


def holding_all(
    session: Session,
    index: Index,
    wanted: Sequence[Collection[str]],
    most: int,
    condition: ColumnElement[bool] | None,
) -> list[int]:
    """The newest lines that hold one of each group of tokens: at most so many.

    condition: on LineRow and Take, if any.
    """
    lists = holding(session, index, (token for group in wanted for token in group))
    found: Ids | None = None
    groups = [[lists[token] for token in group if token in lists] for group in wanted]
    for group in sorted(groups, key=lambda group: sum(map(len, group))):
        if not group:
            return []
        rows = group[0] if len(group) == 1 else np.unique(np.concatenate(group))
        found = rows if found is None else found[_stand_in(found, rows)]
    return [] if found is None else _fitting(session, found[::-1], most, condition)


def holding_most(
    session: Session,
    index: Index,
    tokens: Sequence[str],
    most: int,
    condition: ColumnElement[bool] | None,
) -> list[int]:
    """Lines that hold the most of some tokens, rare ones counting for more: at most so many.

    The rarest tokens count until they stand in so many lines that comparing more would take
    too long. condition: on LineRow and Take, if any.
    """
    lists = holding(session, index, tokens)
    ids: list[Ids] = []
    weights = []
    read = 0
    for token in sorted(lists, key=lambda token: (len(lists[token]), token)):
        rows = lists[token]
        if ids and read + len(rows) > _MOST_READ:
            break
        read += len(rows)
        ids.append(rows)
        weights.append(np.full(len(rows), 1.0 / np.log2(2.0 + len(rows))))
    if not ids:
        return []
    lines, place = np.unique(np.concatenate(ids), return_inverse=True)
    held = np.bincount(place, np.concatenate(weights), len(lines))
    if condition is None and len(lines) > most:
        # Whatever may be among the first, so that a few hundred are sorted, not all.
        first = held >= np.partition(held, -most)[-most]
        lines, held = lines[first], held[first]
    return _fitting(session, lines[np.lexsort((-lines, -held))], most, condition)


def _fitting(
    session: Session, lines: Ids, most: int, condition: ColumnElement[bool] | None
) -> list[int]:
    """The first of some lines that the filters let through: at most so many."""
    if condition is None:
        return [int(line) for line in lines[:most]]
    query = select(LineRow.id).join(Take, Take.essence == LineRow.essence).where(condition)
    found: list[int] = []
    for some in chunks(int(line) for line in lines[:_TRIED]):
        fits = set(session.scalars(query.where(among(session, LineRow.id, some))))
        found += [line for line in some if line in fits]
        if len(found) >= most:
            return found[:most]
    if len(lines) > _TRIED:
        # The filters let few lines through: all of those are sooner read.
        allowed = np.fromiter(session.scalars(query), dtype=np.int64)
        rest = lines[_TRIED:]
        found += [int(line) for line in rest[np.isin(rest, allowed)]]
    return found[:most]


def near_words(session: Session, asked: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Words of the vocabulary that a typing error or two could have made of each of some."""
    wanted = {word: letter_grams(word) for word in asked}
    lists = holding(session, Index.LETTERS, (run for runs in wanted.values() for run in runs))
    rows: dict[str, list[int]] = {}
    for word, runs in wanted.items():
        held = [lists[run] for run in runs if run in lists]
        if held and errors_in(word):
            numbers, counts = np.unique(np.concatenate(held), return_counts=True)
            enough = counts >= max(1, len(runs) - spoilt_by(errors_in(word)))
            numbers, counts = numbers[enough], counts[enough]
            first = numbers[np.lexsort((numbers, -counts))][:_COMPARED]
            rows[word] = [int(row) for row in first]
    known: dict[int, str] = {}
    for some in chunks(sorted({row for of_word in rows.values() for row in of_word})):
        words = select(VocabularyWord.id, VocabularyWord.word)
        known |= (
            session.execute(words.where(among(session, VocabularyWord.id, some))).tuples().all()
        )
    return {
        word: near(word, sorted(known[row] for row in rows.get(word, ())))[:_NEAR_WORDS]
        for word in wanted
    }


def _stand_in(rows: Ids, others: Ids) -> NDArray[np.bool_]:
    """For each of some rows in order, whether it is among others in order."""
    at = np.minimum(np.searchsorted(others, rows), len(others) - 1)
    same: NDArray[np.bool_] = others[at] == rows
    return same
