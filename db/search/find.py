"""Finding lines, the closest first: as typed, by stem, with typing errors, by sound, in part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.filters import Filters
from core.phones import Phones
from core.query import Query, Term, TermKind, parse_query
from core.sounds import heard_in, sound_classes
from db.chunks import among, chunks
from db.search.analysis import (
    BREAK,
    SOUND_GRAM,
    Sound,
    grams,
    stem,
)
from db.search.candidates import holding_all, holding_most, near_words
from db.search.closeness import (
    Closeness,
    Marks,
    alike,
    all_terms,
    holds_any,
    in_a_row,
    side_by_side,
    some_terms,
)
from db.search.expression import AllOf, AnyOf, Expression, Phrase
from db.search.filters import condition
from db.search.fulltext import full_text
from db.search.postings import Index
from db.search.tables import LineSearch, VocabularyWord
from db.tables import LineRow, Listening

How = Literal["words", "fuzzy", "sound", "auto"]
"""How far a search goes: to words and stems, to typing errors, to what sounds alike, or from one
to the next while few lines are found and nothing but plain words was typed."""

_Marking = Callable[[Sequence[str]], Marks | None]

_ENOUGH = 10
_LONG = 5
_RAREST = 4
_NEWEST = 60
_CANDIDATES = 300
_LIKENESS = 0.62
_SHORTEST_SOUND = 5
_IN_A_ROW = 4
_PARTS = 2


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
class _Way:
    """A way in which a line may hold a query. marks: gives its marks, or None where it doesn't."""

    how: Closeness
    marks: _Marking


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
        if sound is not None and how != "fuzzy" and not search.found:
            search.by_sound_of_parts(sound)
    return search.ranked()


class _Search:
    """One search: what it has found so far."""

    def __init__(self, session: Session, query: Query, limit: int, filters: Filters) -> None:
        self._session, self._query, self._limit = session, query, limit
        self._condition = condition(filters)
        self._most = max(_NEWEST, 2 * limit)
        self._not = [_phrase(term) for term in query.excluded]
        self._lengths: dict[int, int] = {}
        self._counts: dict[str, int] = {}
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
        exact = tuple(_phrase(term) for term in query.terms)
        ways: list[tuple[Expression, _Way]] = []
        if query.plain:
            ways.append((Phrase(query.tokens), _Way(Closeness.EXACT, self._side_by_side)))
            if query.half_typed:
                goes_on = Phrase(query.tokens, goes_on=True)
                ways.append((goes_on, _Way(Closeness.GOES_ON, self._side_by_side_half)))
        kind = Closeness.WORDS if query.plain else Closeness.EXACT
        ways.append((AllOf(exact), _Way(kind, self._all_terms)))
        if query.half_typed:
            half = AllOf((*exact[:-1], Phrase(query.terms[-1].tokens, goes_on=True)))
            ways.append((half, _Way(Closeness.WORDS, self._all_terms_half)))
        # Where it finds few lines, the last of these finds all that the closer ones find.
        if self._expected() < self._most:
            lines = self._lines(ways[-1][0])
            if len(lines) < self._most:
                self._keep_by(lines, [way for _, way in ways])
                return
        for expression, way in ways:
            if len(self.found) < self._limit:
                self._keep_by(self._lines(expression), [way])

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
        ways = [_Way(Closeness.EXACT, self._side_by_side)]
        if query.half_typed:
            ways.append(_Way(Closeness.GOES_ON, self._side_by_side_half))
        ways.append(
            _Way(Closeness.WORDS, self._all_terms_half if query.half_typed else self._all_terms)
        )
        self._keep_by(
            holding_all(
                self._session,
                Index.WORDS,
                [{token} for token in rare],
                _CANDIDATES,
                self._condition,
            ),
            ways,
        )

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
        lines = holding_all(
            self._session, Index.STEMS, [stems[word] for word in rare], self._most, self._condition
        )
        for spoken in self._spoken(lines):
            forms = [stem(word, spoken.language) for word in spoken.tokens]
            self._keep(
                spoken, alike(self._query, spoken.tokens, stems, forms), Closeness.STEMS, 1.0
            )

    def by_letters(self) -> None:
        """Lines that hold the words as they may have been meant."""
        words = [t for term in self._query.terms if term.kind is TermKind.WORD for t in term.tokens]
        forms = {word: {word, *alike} for word, alike in near_words(self._session, words).items()}
        if len(self.found) >= self._limit or all(len(form) == 1 for form in forms.values()):
            return
        others = [_phrase(term) for term in self._query.terms if term.kind is not TermKind.WORD]
        asked = [AnyOf(tuple(Phrase((form,)) for form in sorted(forms[word]))) for word in forms]
        fuzzy = _Way(Closeness.FUZZY, lambda spoken: alike(self._query, spoken, forms, spoken))
        self._keep_by(self._lines(AllOf((*asked, *others))), [fuzzy])

    def by_some_words(self) -> None:
        """Lines that hold at least half of the words, or a few of them in a row.

        The last word may be half typed.
        """
        terms = len(set(self._query.terms))
        if terms < 2:
            return
        for spoken in self._spoken(
            holding_most(
                self._session, Index.WORDS, self._query.tokens, _CANDIDATES, self._condition
            )
        ):
            count, marks = some_terms(self._query, spoken.tokens)
            if 2 * count >= terms or in_a_row(self._query.tokens, spoken.tokens) >= _IN_A_ROW:
                self._keep(spoken, marks, Closeness.SOME, count / terms)

    def by_sound(self, sound: Sound) -> None:
        """Lines in which something sounds like the query, whatever words were made of it."""
        self._sounding(sound, self._query.tokens, Closeness.SOUND, 1.0)

    def by_sound_of_parts(self, sound: Sound) -> None:
        """Lines in which something sounds like the first or the last half of a long query.

        The other half was misheard beyond recognition, or is remembered wrongly.
        """
        asked = self._query.tokens
        if len(asked) < _PARTS * _IN_A_ROW:
            return
        half = len(asked) // _PARTS
        for part in (asked[:half], asked[half:]):
            self._sounding(sound, part, Closeness.PART, len(part) / len(asked))

    def _sounding(self, sound: Sound, words: Sequence[str], how: Closeness, share: float) -> None:
        """Keeps lines in which something sounds like some words. share: their part of the query."""
        asked = _joined(sound(token) for token in words)
        if len(asked) < _SHORTEST_SOUND:
            return
        wanted = grams(sound_classes(asked), SOUND_GRAM)
        candidates = self._spoken(
            holding_most(self._session, Index.SOUNDS, wanted, _CANDIDATES, self._condition)
        )
        heard = [[sound(word) for word in spoken.tokens] for spoken in candidates]
        places = heard_in(asked, [_joined(words) for words in heard], _LIKENESS)
        for spoken, words_heard, place in zip(candidates, heard, places, strict=True):
            if place.likeness >= _LIKENESS:
                marks = _covered(words_heard, place.start, place.end)
                self._keep(spoken, marks, how, share * place.likeness)

    def _side_by_side(self, spoken: Sequence[str]) -> Marks:
        return side_by_side(self._query.tokens, spoken)

    def _side_by_side_half(self, spoken: Sequence[str]) -> Marks:
        return side_by_side(self._query.tokens, spoken, goes_on=True)

    def _all_terms(self, spoken: Sequence[str]) -> Marks | None:
        return all_terms(self._query, spoken, False)

    def _all_terms_half(self, spoken: Sequence[str]) -> Marks | None:
        return all_terms(self._query, spoken, True)

    def _lines(self, asked: Expression) -> list[int]:
        """The newest lines whose words an expression finds."""
        return full_text(self._session, self._counts).lines(
            self._session, asked, self._not, self._most, self._condition
        )

    def _keep_by(self, lines: Iterable[int], ways: Sequence[_Way]) -> None:
        """Keeps those lines that hold the query in one of some ways."""
        for spoken in self._spoken(lines):
            for way in ways:
                self._keep(spoken, way.marks(spoken.tokens), way.how, 1.0)

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
                .where(among(self._session, LineSearch.line, some))
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

    def _expected(self) -> int:
        """How many lines hold all the words that were typed, at the most."""
        whole = [
            token
            for term in self._query.terms
            for token in (term.tokens[:-1] if term.kind is TermKind.PREFIX else term.tokens)
        ]
        counts = self._lines_with(whole)
        return min((counts.get(token, 0) for token in whole), default=self._most)

    def _lines_with(self, words: Sequence[str]) -> dict[str, int]:
        """How many lines hold each of some words; without those that none holds."""
        new = set(words) - self._counts.keys()
        if new:
            query = select(VocabularyWord.word, VocabularyWord.lines)
            rows = self._session.execute(
                query.where(among(self._session, VocabularyWord.word, new))
            ).tuples()
            self._counts |= dict.fromkeys(new, 0) | dict(rows.all())
        return {word: self._counts[word] for word in words if self._counts[word]}

    def _languages(self) -> list[str]:
        """The languages of what was heard."""
        return sorted(set(self._session.scalars(select(Listening.language).distinct())) | {"en"})


def _phrase(term: Term) -> Phrase:
    return Phrase(term.tokens, term.kind is TermKind.PREFIX)


def _joined(words: Iterable[Phones]) -> Phones:
    return tuple(chain.from_iterable(words))


def _covered(words: Sequence[Phones], start: int, end: int) -> Marks:
    """The words of which at least half sounds within a stretch of the line's sounds."""
    marks = []
    at = 0
    for word in words:
        inside = min(at + len(word), end) - max(at, start)
        marks.append(bool(word) and 2 * inside >= len(word))
        at += len(word)
    return tuple(marks)
