"""The full-text index over the lines: the only module that speaks SQLite's FTS5.

Another database needs its own `matches` (with PostgreSQL: a `tsvector` column, `ts_rank` and
`ts_headline`); everything else in `db` is plain SQLAlchemy.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.codec import storable

# Marks around a hit. Control characters, which `cleaned` keeps out of every stored text.
OPEN, CLOSE = "\x02", "\x03"

# Longer queries are cut here: FTS5's parser and SQLite's compound selects have limits.
MOST_TOKENS = 64


@dataclass(frozen=True)
class Match:
    """A line that a query found. marked: its text with OPEN and CLOSE around what matched.

    score: the higher, the better; comparable within one query only.
    """

    line: int
    marked: str
    score: float


def cleaned(word: str) -> str:
    """A word as it is stored and indexed: no control characters, no space at the ends or doubled.

    Lone surrogates become U+FFFD.
    """
    safe = storable(word)
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in safe).split())


def tokens(query: str) -> tuple[str, ...]:
    """What a query asks for: its words by white space, each once, those of punctuation dropped.

    A word with punctuation inside (`don't`, `well-known`) stays one: the index, which splits
    such words alike, then looks for their parts side by side.
    """
    words = (word for word in cleaned(query).split() if any(map(_is_indexed, word)))
    return tuple(words)[:MOST_TOKENS]


def matches(session: Session, query: str, limit: int) -> tuple[Match, ...]:
    """Lines that a query finds, best first: at most limit.

    First those that hold the query word for word, then those whose last word only begins with
    the query's, then those that hold all the words anywhere. Where there is none of all these,
    those that hold at least half of the words. Any text is a valid query.
    """
    asked = tokens(query)
    if not asked or limit < 1:
        return ()
    distinct = tuple(dict.fromkeys(asked))
    stages = (_phrase(asked), _phrase(asked) + "*", _all(distinct, asked[-1]))
    found: dict[int, Match] = {}
    for stage in stages:
        for match in _matching(session, stage, limit):
            found.setdefault(match.line, match)
        if len(found) >= limit:
            break
    if not found and len(distinct) > 1:
        found = {match.line: match for match in _at_least_half(session, distinct, limit)}
    return tuple(found.values())[:limit]


def _is_indexed(character: str) -> bool:
    """Whether FTS5's tokeniser `unicode61` takes a character for part of a word."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"


def _quoted(token: str) -> str:
    return '"' + token.replace('"', '""') + '"'


def _phrase(asked: Sequence[str]) -> str:
    return _quoted(" ".join(asked))


def _all(distinct: Sequence[str], last: str) -> str:
    rest = [_quoted(token) for token in distinct if token != last]
    return " AND ".join([*rest, _quoted(last) + "*"])


_MATCHING = text(
    "SELECT rowid, highlight(lines_fts, 0, :open, :close), rank FROM lines_fts"
    " WHERE lines_fts MATCH :query ORDER BY rank LIMIT :limit"
)


def _matching(session: Session, query: str, limit: int) -> list[Match]:
    values = {"query": query, "limit": limit, "open": OPEN, "close": CLOSE}
    return [Match(line, marked, -rank) for line, marked, rank in session.execute(_MATCHING, values)]


def _at_least_half(session: Session, distinct: Sequence[str], limit: int) -> list[Match]:
    """Lines that hold at least half of the words, by the index's rank (bm25)."""
    asked = [_quoted(token) for token in distinct[:-1]] + [_quoted(distinct[-1]) + "*"]
    one = "SELECT rowid AS line FROM lines_fts WHERE lines_fts MATCH :token{}"
    each = " UNION ALL ".join(one.format(number) for number in range(len(asked)))
    # The plus keeps SQLite from asking the index once for every line of the list.
    statement = text(
        "SELECT rowid, highlight(lines_fts, 0, :open, :close), rank FROM lines_fts"
        " WHERE lines_fts MATCH :query AND +rowid IN"
        f" (SELECT line FROM ({each}) GROUP BY line HAVING count(*) >= :least)"
        " ORDER BY rank LIMIT :limit"
    )
    values: dict[str, str | int] = {f"token{i}": token for i, token in enumerate(asked)}
    values |= {"query": " OR ".join(asked), "least": (len(asked) + 1) // 2}
    values |= {"limit": limit, "open": OPEN, "close": CLOSE}
    return [Match(line, told, -rank) for line, told, rank in session.execute(statement, values)]
