"""Finding lines, the closest first: as typed, by stem, with typing errors, by sound, in part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.phones import Phones
from core.query import Query, Term, TermKind, parse_query
from core.sounds import heard_in, sound_classes
from db.chunks import chunks
from db.search.analysis import BREAK, SOUND_GRAM, Sound, grams, letter_grams, near, stem
from db.search.closeness import (
    Closeness,
    Marks,
    alike,
    all_terms,
    holds_any,
    side_by_side,
    some_terms,
)
from db.search.expression import AllOf, AnyOf, Expression, Phrase
from db.search.filters import Filters
from db.search.fulltext import full_text
from db.search.postings import Ids, Index, holding
from db.search.tables import LineSearch, VocabularyWord
from db.tables import LineRow, Listening, Take

How = Literal["words", "fuzzy", "sound", "auto"]
"""How far a search goes: to words and stems, to typing errors, to what sounds alike, or from one
to the next while few lines are found and nothing but plain words was typed."""

_Marking = Callable[[Sequence[str]], Marks | None]

_ENOUGH = 10
_LONG = 5
_RAREST = 4
_NEWEST = 60
_CANDIDATES = 300
_MOST_READ = 100_000
_TRIED = 2_000
_LIKENESS = 0.62
_SHORTEST_SOUND = 5
_NEAR_WORDS = 24


@dataclass(frozen=True)
class Found:
    """A line that a search found. marks: for each of its tokens, whether it was asked for.

    likeness: 0 to 1; how much of what was asked for is there, or sounds so. as_heard: a person
    corrected the line, and these are the tokens as heard.
    """

    line: int
    how: Closeness
    marks: Marks
    likeness: float = 1.0
    as_heard: bool = False


@dataclass(frozen=True)
class _Spoken:
    """A candidate: its row number, its tokens and its language.

    as_heard: a person corrected the line, and these are the tokens as heard.
    """

    line: int
    tokens: tuple[str, ...]
    language: str
    as_heard: bool = False


def find(
    session: Session,
    text: str,
    limit: int,
    filters: Filters = Filters(),
    sound: Sound | None = None,
    how: How = "auto",
) -> tuple[Found, ...]:
    """Lines that a query finds, the closest first: at most limit.

    Any text is a valid query; one without a word finds nothing. sound: how words sound; without
    it nothing is found by sound. A line that a person corrected is found by its words as corrected
    and as heard, and kept out by an excluded word in either.
    """
    query = parse_query(text)
    if not query.terms or limit < 1:
        return ()
    search = _Search(session, query, limit, filters)
    search.by_words()
    search.by_stems()
    wanted = min(_ENOUGH, limit)
    few = how == "auto" and query.plain and len(search.found) < wanted
    if few or how in ("fuzzy", "sound"):
        search.by_letters()
    few = few and len(search.found) < wanted
    if sound is not None and (few or how == "sound"):
        search.by_sound(sound)
    if how != "words" and query.plain and not search.found:
        search.by_some_words()
    return search.ranked()


class _Search:
    """One search: what it has found so far."""

    def __init__(self, session: Session, query: Query, limit: int, filters: Filters) -> None:
        self._session, self._query, self._limit = session, query, limit
        self._condition = filters.condition
        self._most = max(_NEWEST, 2 * limit)
        self._not = [_phrase(term) for term in query.excluded]
        self._lengths: dict[int, int] = {}
        self.found: dict[int, Found] = {}

    def ranked(self) -> tuple[Found, ...]:
        """What was found: the closest first, then the most alike, the shortest and the newest."""
        order = sorted(
            self.found.values(),
            key=lambda item: (
                item.how,
                -round(item.likeness, 3),
                self._lengths[item.line],
                -item.line,
            ),
        )
        return tuple(order[: self._limit])

    def by_words(self) -> None:
        """Lines that hold the words as they were typed."""
        query = self._query
        if query.plain and len(query.tokens) >= _LONG:
            self._by_rare_words()
            return
        if query.plain:
            asked = query.tokens
            self._words(Phrase(asked), lambda s: side_by_side(asked, s), Closeness.EXACT)
            if query.half_typed:
                self._words(
                    Phrase(asked, goes_on=True),
                    lambda s: side_by_side(asked, s, goes_on=True),
                    Closeness.GOES_ON,
                )
        exact = [_phrase(term) for term in query.terms]
        kind = Closeness.WORDS if query.plain else Closeness.EXACT
        self._words(AllOf(tuple(exact)), lambda s: all_terms(query, s, False), kind)
        if query.half_typed:
            exact[-1] = Phrase(query.terms[-1].tokens, goes_on=True)
            half = AllOf(tuple(exact))
            self._words(half, lambda s: all_terms(query, s, True), Closeness.WORDS)

    def _by_rare_words(self) -> None:
        """Lines that hold many words as they were typed, looked for by the rarest of them.

        Reading all the places of fifteen common words takes longer than comparing the few lines
        that hold the rare ones.
        """
        query, asked = self._query, self._query.tokens
        whole = asked[:-1] if query.half_typed else asked
        counts = self._lines_with(whole)
        if len(counts) < len(set(whole)):
            return
        rare = sorted(counts, key=lambda token: (counts[token], token))[:_RAREST]
        lines = self._holding_all(Index.WORDS, [{token} for token in rare], _CANDIDATES)
        ways: tuple[tuple[Closeness, _Marking], ...] = (
            (Closeness.EXACT, lambda s: side_by_side(asked, s)),
            (Closeness.GOES_ON, lambda s: side_by_side(asked, s, goes_on=query.half_typed)),
            (Closeness.WORDS, lambda s: all_terms(query, s, query.half_typed)),
        )
        for spoken in self._spoken(lines):
            for how, marks in ways:
                self._keep(spoken, marks(spoken.tokens), how, 1.0)

    def by_stems(self) -> None:
        """Lines that hold other forms of the words, unless there is enough that is closer."""
        if len(self.found) >= self._limit:
            return
        languages = self._languages()
        words = [t for term in self._query.terms if term.kind is TermKind.WORD for t in term.tokens]
        if not words:
            return
        stems = {word: {stem(word, language) for language in languages} for word in words}
        counts = self._lines_with(words)
        rare = sorted(stems, key=lambda word: (counts.get(word, 0), word))[:_RAREST]
        lines = self._holding_all(Index.STEMS, [stems[word] for word in rare], self._most)
        for spoken in self._spoken(lines):
            forms = [stem(word, spoken.language) for word in spoken.tokens]
            self._keep(
                spoken, alike(self._query, spoken.tokens, stems, forms), Closeness.STEMS, 1.0
            )

    def by_letters(self) -> None:
        """Lines that hold the words as they may have been meant."""
        words = [t for term in self._query.terms if term.kind is TermKind.WORD for t in term.tokens]
        forms = {word: {word, *self._near(word)} for word in dict.fromkeys(words)}
        if all(len(form) == 1 for form in forms.values()):
            return
        others = [_phrase(term) for term in self._query.terms if term.kind is not TermKind.WORD]
        asked = [AnyOf(tuple(Phrase((form,)) for form in sorted(forms[word]))) for word in forms]
        self._words(
            AllOf((*asked, *others)),
            lambda s: alike(self._query, s, forms, s),
            Closeness.FUZZY,
        )

    def by_some_words(self) -> None:
        """Lines that hold at least half of the words, the last of which may be half typed."""
        terms = len(set(self._query.terms))
        if terms < 2:
            return
        for spoken in self._spoken(self._holding_most(Index.WORDS, self._query.tokens)):
            count, marks = some_terms(self._query, spoken.tokens)
            if 2 * count >= terms:
                self._keep(spoken, marks, Closeness.SOME, count / terms)

    def by_sound(self, sound: Sound) -> None:
        """Lines in which something sounds like the query, whatever words were made of it."""
        asked = _joined(sound(token) for token in self._query.tokens)
        if len(asked) < _SHORTEST_SOUND:
            return
        wanted = grams(sound_classes(asked), SOUND_GRAM)
        candidates = self._spoken(self._holding_most(Index.SOUNDS, wanted))
        heard = [[sound(word) for word in spoken.tokens] for spoken in candidates]
        places = heard_in(asked, [_joined(words) for words in heard], _LIKENESS)
        for spoken, words, place in zip(candidates, heard, places, strict=True):
            if place.likeness >= _LIKENESS:
                marks = _covered(words, place.start, place.end)
                self._keep(spoken, marks, Closeness.SOUND, place.likeness)

    def _words(self, asked: Expression, marks: _Marking, how: Closeness) -> None:
        """Keeps what an expression finds in the words, unless there is enough that is closer."""
        if len(self.found) >= self._limit:
            return
        lines = full_text(self._session).lines(
            self._session, asked, self._not, self._most, self._condition
        )
        for spoken in self._spoken(lines):
            self._keep(spoken, marks(spoken.tokens), how, 1.0)

    def _keep(self, spoken: _Spoken, marks: Marks | None, how: Closeness, likeness: float) -> None:
        if marks is None or not any(marks):
            return
        self._lengths[spoken.line] = len(spoken.tokens)
        found = Found(spoken.line, how, marks, likeness, spoken.as_heard)
        known = self.found.setdefault(spoken.line, found)
        if (how, -likeness) < (known.how, -known.likeness):
            self.found[spoken.line] = found

    def _spoken(self, lines: Iterable[int]) -> list[_Spoken]:
        """The tokens of those lines that were not found yet, as corrected before as heard.

        Without lines that hold an excluded term in either.
        """
        found: list[_Spoken] = []
        for some in chunks(line for line in lines if line not in self.found):
            rows = self._session.execute(
                select(LineSearch.line, LineSearch.words, LineRow.language)
                .join(LineRow, LineRow.id == LineSearch.line)
                .where(LineSearch.line.in_(some))
            )
            for line, words, tongue in rows:
                parts = [tuple(part.split()) for part in words.split(BREAK)]
                if any(holds_any(self._query.excluded, part) for part in parts):
                    continue
                found += [
                    _Spoken(line, part, tongue, as_heard=place > 0)
                    for place, part in enumerate(parts)
                ]
        return found

    def _holding_all(self, index: Index, wanted: Sequence[Collection[str]], most: int) -> list[int]:
        """The newest lines that hold one of each group of tokens: at most so many."""
        lists = holding(self._session, index, (token for group in wanted for token in group))
        found: Ids | None = None
        groups = [[lists[token] for token in group if token in lists] for group in wanted]
        for group in sorted(groups, key=lambda group: sum(map(len, group))):
            if not group:
                return []
            rows = group[0] if len(group) == 1 else np.unique(np.concatenate(group))
            found = rows if found is None else found[_stand_in(found, rows)]
        return [] if found is None else self._fitting(found[::-1], most)

    def _holding_most(self, index: Index, tokens: Sequence[str]) -> list[int]:
        """Lines that hold the most of some tokens, rare ones counting for more.

        The rarest tokens count until they stand in so many lines that comparing more would take
        too long.
        """
        lists = holding(self._session, index, tokens)
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
        if self._condition is None and len(lines) > _CANDIDATES:
            # Whatever may be among the first, so that a few hundred are sorted, not all.
            first = held >= np.partition(held, -_CANDIDATES)[-_CANDIDATES]
            lines, held = lines[first], held[first]
        return self._fitting(lines[np.lexsort((-lines, -held))], _CANDIDATES)

    def _fitting(self, lines: Ids, most: int) -> list[int]:
        """The first of some lines that the filters let through: at most so many."""
        if self._condition is None:
            return [int(line) for line in lines[:most]]
        query = (
            select(LineRow.id).join(Take, Take.essence == LineRow.essence).where(self._condition)
        )
        found: list[int] = []
        for some in chunks(int(line) for line in lines[:_TRIED]):
            fits = set(self._session.scalars(query.where(LineRow.id.in_(some))))
            found += [line for line in some if line in fits]
            if len(found) >= most:
                return found[:most]
        if len(lines) > _TRIED:
            # The filters let few lines through: all of those are sooner read.
            allowed = np.fromiter(self._session.scalars(query), dtype=np.int64)
            rest = lines[_TRIED:]
            found += [int(line) for line in rest[np.isin(rest, allowed)]]
        return found[:most]

    def _lines_with(self, words: Sequence[str]) -> dict[str, int]:
        """How many lines hold each of some words; without those that none holds."""
        query = select(VocabularyWord.word, VocabularyWord.lines)
        rows = self._session.execute(query.where(VocabularyWord.word.in_(set(words))))
        return dict(rows.tuples().all())

    def _near(self, word: str) -> tuple[str, ...]:
        """Words of the vocabulary that a typing error or two could have made of this one."""
        wanted = letter_grams(word)
        lists = holding(self._session, Index.LETTERS, wanted)
        if not lists:
            return ()
        numbers, counts = np.unique(np.concatenate(list(lists.values())), return_counts=True)
        # Each error spoils at most three runs of letters.
        enough = counts >= max(1, len(wanted) - 6)
        numbers, counts = numbers[enough], counts[enough]
        rows = [int(row) for row in numbers[np.lexsort((numbers, -counts))][:_CANDIDATES]]
        words: list[str] = []
        for some in chunks(rows):
            words += self._session.scalars(
                select(VocabularyWord.word).where(VocabularyWord.id.in_(some))
            )
        return near(word, sorted(words))[:_NEAR_WORDS]

    def _languages(self) -> list[str]:
        """The languages of what was heard."""
        return sorted(set(self._session.scalars(select(Listening.language).distinct())) | {"en"})


def _phrase(term: Term) -> Phrase:
    return Phrase(term.tokens, term.kind is TermKind.PREFIX)


def _stand_in(rows: Ids, others: Ids) -> NDArray[np.bool_]:
    """For each of some rows in order, whether it is among others in order."""
    at = np.minimum(np.searchsorted(others, rows), len(others) - 1)
    same: NDArray[np.bool_] = others[at] == rows
    return same


def _joined(words: Iterable[Phones]) -> Phones:
    return tuple(phone for word in words for phone in word)


def _covered(words: Sequence[Phones], start: int, end: int) -> Marks:
    """The words of which at least half sounds within a stretch of the line's sounds."""
    marks = []
    at = 0
    for word in words:
        inside = min(at + len(word), end) - max(at, start)
        marks.append(bool(word) and 2 * inside >= len(word))
        at += len(word)
    return tuple(marks)
