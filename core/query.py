"""What a person types into a search, taken apart. Any text is a valid query."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

# Longer queries are cut here.
MOST_TOKENS = 64

# Longer words are cut here: databases index no text without end.
MOST_LETTERS = 100

_PIECE = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>\S+))')
# ASCII needs no folding but of capitals, and almost all text is ASCII.
_PLAIN = {code: " " for code in range(128) if not chr(code).isalnum()}
_QUOTES = str.maketrans(dict.fromkeys("“”„«»", '"'))


class TermKind(StrEnum):
    """How a term of a query is meant."""

    WORD = "word"
    PHRASE = "phrase"
    PREFIX = "prefix"


@dataclass(frozen=True)
class Term:
    """One thing that is asked for. tokens: folded, at least one; a word like `don't` has two."""

    kind: TermKind
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A query taken apart.

    terms: what a line must hold, in the order in which it was typed. excluded: what it must not.
    half_typed: the last term is a word that may go on.
    """

    terms: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    half_typed: bool = False

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every token that is asked for, in order."""
        return tuple(token for term in self.terms for token in term.tokens)

    @property
    def plain(self) -> bool:
        """Whether only words were typed: no phrase in quotes and no star."""
        return all(term.kind is TermKind.WORD for term in self.terms)


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: lower case, no accents, split at punctuation.

    Letters, digits and private-use characters make words, up to MOST_LETTERS. The same for
    queries and lines, so what one finds does not hang on a database's idea of a word.
    """
    if text.isascii():
        return tuple(word[:MOST_LETTERS] for word in text.lower().translate(_PLAIN).split())
    decomposed = text
    for _ in range(2):
        # Decomposing brings out new capitals, and folding these new compositions.
        decomposed = unicodedata.normalize("NFKD", decomposed).casefold()
    folded = "".join(
        "" if unicodedata.category(c) in ("Mn", "Me") else c if _in_word(c) else " "
        for c in decomposed
    )
    return tuple(word[:MOST_LETTERS] for word in folded.split())


def parse_query(text: str) -> Query:
    """A query from what was typed.

    Words; "words in quotes" stand side by side as they are; `begin*` begins so; `-word` and
    `-"some words"` must not occur. What else stands between the words is passed over.
    """
    terms: list[Term] = []
    excluded: list[Term] = []
    room = MOST_TOKENS
    half_typed = False
    for piece in _PIECE.finditer(text.translate(_QUOTES)):
        written = piece["word"] if piece["phrase"] is None else piece["phrase"]
        found = tokens(written)[:room]
        if not found:
            continue
        room -= len(found)
        if piece["phrase"] is not None:
            kind = TermKind.PHRASE
        else:
            kind = TermKind.PREFIX if written.endswith("*") else TermKind.WORD
        (excluded if piece["minus"] else terms).append(Term(kind, found))
        half_typed = kind is TermKind.WORD and not piece["minus"]
        if room <= 0:
            break
    return Query(tuple(terms), tuple(excluded), half_typed)


def _in_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"
