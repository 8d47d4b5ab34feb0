"""Any text is a query, and is taken apart as the person meant it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.query import MOST_TOKENS, Term, TermKind, parse_query, tokens

WORD, PHRASE, PREFIX = TermKind.WORD, TermKind.PHRASE, TermKind.PREFIX


@pytest.mark.parametrize(
    ("typed", "terms", "excluded", "half_typed"),
    [
        ("", [], [], False),
        ('- -- * "" \'', [], [], False),
        ("Joy living", [(WORD, "joy"), (WORD, "living")], [], True),
        ("don't", [(WORD, "don t")], [], True),
        ('"what joy" there', [(PHRASE, "what joy"), (WORD, "there")], [], True),
        ('there "what joy"', [(WORD, "there"), (PHRASE, "what joy")], [], False),
        ("“what joy” «is»", [(PHRASE, "what joy"), (PHRASE, "is")], [], False),
        ('"never closed', [(PHRASE, "never closed")], [], False),
        ("liv* joy", [(PREFIX, "liv"), (WORD, "joy")], [], True),
        ("joy liv*", [(WORD, "joy"), (PREFIX, "liv")], [], False),
        ("joy -pain", [(WORD, "joy")], [(WORD, "pain")], False),
        ('joy -"great pain" now', [(WORD, "joy"), (WORD, "now")], [(PHRASE, "great pain")], True),
        ("well-known", [(WORD, "well known")], [], True),
        ("À bientôt ZOË", [(WORD, "a"), (WORD, "bientot"), (WORD, "zoe")], [], True),
        ("Straße", [(WORD, "strasse")], [], True),
    ],
)
def test_a_query_is_taken_apart(
    typed: str,
    terms: list[tuple[TermKind, str]],
    excluded: list[tuple[TermKind, str]],
    half_typed: bool,
) -> None:
    query = parse_query(typed)
    assert [(term.kind, " ".join(term.tokens)) for term in query.terms] == terms
    assert [(term.kind, " ".join(term.tokens)) for term in query.excluded] == excluded
    assert query.half_typed is half_typed


def test_a_long_query_is_cut() -> None:
    query = parse_query("a b " * MOST_TOKENS)
    assert len(query.tokens) == MOST_TOKENS
    assert query.terms[-1] == Term(WORD, ("b",))


@given(st.text())
@settings(deadline=None)
def test_tokens_hold_nothing_that_an_index_would_split(text: str) -> None:
    found = tokens(text)
    assert tokens(" ".join(found)) == found
    assert all(token and token == "".join(token.split()) and '"' not in token for token in found)
    assert parse_query(text).tokens == parse_query(text + " ").tokens
