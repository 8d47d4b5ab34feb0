"""How close a line is to a query, and which of its words were meant: plain comparison of tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import IntEnum

from core.query import Query, Term, TermKind

Marks = tuple[bool, ...]
"""For each token of a line, whether it was asked for."""


class Closeness(IntEnum):
    """In what way a line holds a query, the closest first."""

    EXACT = 0
    GOES_ON = 1
    WORDS = 2
    STEMS = 3
    FUZZY = 4
    SOUND = 5
    SOME = 6
    PART = 7


def side_by_side(asked: Sequence[str], spoken: Sequence[str], goes_on: bool = False) -> Marks:
    """Marks every place where the tokens stand in their order, none between them.

    goes_on: the last one may be longer.
    """
    marks = [False] * len(spoken)
    for at in _places(asked, spoken, goes_on):
        marks[at : at + len(asked)] = [True] * len(asked)
    return tuple(marks)


def all_terms(query: Query, spoken: Sequence[str], goes_on: bool) -> Marks | None:
    """Marks what stands for each term; None where one is missing.

    goes_on: the last one may be longer.
    """
    found = [
        side_by_side(
            term.tokens,
            spoken,
            term.kind is TermKind.PREFIX or (goes_on and term is query.terms[-1]),
        )
        for term in query.terms
    ]
    return _together(found) if all(map(any, found)) else None


def alike(
    query: Query,
    spoken: Sequence[str],
    stands_for: Mapping[str, Collection[str]],
    compared: Sequence[str],
) -> Marks | None:
    """Marks what stands for each term in another form; None where one is missing.

    stands_for: for each token that was asked for, the forms that count. compared: the line's
    tokens in that form. Phrases in quotes and beginnings must be there as they are.
    """
    found = []
    for term in query.terms:
        if term.kind is TermKind.WORD:
            for token in term.tokens:
                forms = stands_for.get(token, ())
                found.append(tuple(form in forms for form in compared))
        else:
            found.append(side_by_side(term.tokens, spoken, term.kind is TermKind.PREFIX))
    return _together(found) if all(map(any, found)) else None


def some_terms(query: Query, spoken: Sequence[str]) -> tuple[int, Marks]:
    """How many different terms a line holds (the last one may be half typed), and where."""
    terms = tuple(dict.fromkeys(query.terms))
    last = query.terms[-1] if query.half_typed else None
    found = [
        side_by_side(term.tokens, spoken, term.kind is TermKind.PREFIX or term == last)
        for term in terms
    ]
    held = [marks for marks in found if any(marks)]
    return len(held), _together(held)


def in_a_row(asked: Sequence[str], spoken: Sequence[str]) -> int:
    """How many tokens stand side by side in both, at the most."""
    together = SequenceMatcher(None, asked, spoken, autojunk=False)
    return together.find_longest_match().size


def holds_any(terms: Sequence[Term], spoken: Sequence[str]) -> bool:
    """Whether a line holds one of the terms."""
    return any(
        any(side_by_side(term.tokens, spoken, term.kind is TermKind.PREFIX)) for term in terms
    )


def _places(asked: Sequence[str], spoken: Sequence[str], goes_on: bool) -> Iterator[int]:
    whole = list(asked[:-1])
    last = asked[-1]
    for at in range(len(spoken) - len(asked) + 1):
        end = spoken[at + len(asked) - 1]
        if list(spoken[at : at + len(asked) - 1]) == whole and (
            end == last or (goes_on and end.startswith(last))
        ):
            yield at


def _together(found: Sequence[Marks]) -> Marks:
    return tuple(map(any, zip(*found, strict=True)))
