"""What licences allow, as far as it matters to whoever passes roomtone on.

A licence is named as SPDX names it (https://spdx.org/licenses/). An expression joins names with
`AND` (all hold) and `OR` (one may be chosen).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from enum import IntEnum


class Terms(IntEnum):
    """What a licence asks of whoever passes the work on, from the least to the most."""

    PERMISSIVE = 0
    LIBRARY_COPYLEFT = 1
    COPYLEFT = 2
    RESTRICTED = 3
    UNKNOWN = 4

    @property
    def words(self) -> str:
        """As a table says it."""
        return _WORDS[self]


_WORDS = {
    Terms.PERMISSIVE: "permissive",
    Terms.LIBRARY_COPYLEFT: "copyleft of the file or library",
    Terms.COPYLEFT: "copyleft",
    Terms.RESTRICTED: "restricted use",
    Terms.UNKNOWN: "unknown",
}

FORBIDDEN_KINDS = {
    "copyleft": Terms.COPYLEFT,
    "restricted": Terms.RESTRICTED,
    "unknown": Terms.UNKNOWN,
}
"""Words that stand for all licences of a kind where some are forbidden."""

# The first pattern that an SPDX name begins with decides; the longer ones stand first.
_FAMILIES: tuple[tuple[str, Terms], ...] = (
    ("LGPL", Terms.LIBRARY_COPYLEFT),
    ("MPL", Terms.LIBRARY_COPYLEFT),
    ("EPL", Terms.LIBRARY_COPYLEFT),
    ("AGPL", Terms.COPYLEFT),
    ("GPL", Terms.COPYLEFT),
    ("CC-BY-NC", Terms.RESTRICTED),
    ("LicenseRef-", Terms.RESTRICTED),
    ("CC-BY-SA", Terms.COPYLEFT),
    *(
        (name, Terms.PERMISSIVE)
        for name in (
            "MIT", "BSD", "0BSD", "Apache", "ISC", "PSF", "Python", "CNRI", "BSL-1.0", "Zlib",
            "CC0", "CC-BY-", "Unlicense", "Artistic", "HPND", "PostgreSQL",
        )
    ),
)  # fmt: skip

# How packages name licences in free words, and how licence texts begin; the first match decides.
_NAMES: tuple[tuple[str, str], ...] = (
    (r"affero", "AGPL-3.0-or-later"),
    (r"lesser general public|\blgpl", "LGPL-2.1-or-later"),
    (r"mozilla public|\bmpl\b", "MPL-2.0"),
    (r"artistic", "Artistic-1.0"),
    (r"apache", "Apache-2.0"),
    (r"python software foundation|\bpsfl?\b|matplotlib", "PSF-2.0"),
    (r"redistribution and use in source and binary|\bbsd\b|kiwi", "BSD-3-Clause"),
    (r"permission is hereby granted, free of charge|\bmit\b", "MIT"),
    (r"\bisc\b", "ISC"),
    (r"general public license|\bgpl", "GPL-3.0-or-later"),
    (r"proprietary|nvidia", "LicenseRef-Proprietary"),
)


def terms_of(expression: str) -> Terms:
    """What an SPDX expression asks: the most of what is joined by AND, the least of an OR.

    Brackets are read as SPDX does; an exception (`WITH …`) is left aside. An empty or broken
    expression is unknown.
    """
    return Terms(_weighed(expression, _terms))


def forbidden_by(expression: str, forbidden: Collection[str]) -> bool:
    """Whether a licence is forbidden: no choice that an SPDX expression leaves avoids it.

    forbidden: SPDX names, in any case, `*` at the end for all that begin so (`CC-BY-NC*`), and
    `copyleft`, `restricted` and `unknown` for what `terms_of` calls so.
    """
    asked = [item.strip().casefold() for item in forbidden]

    def weight(name: str) -> int:
        terms, own = _terms(name), name.casefold()
        kinds = {word for word, kind in FORBIDDEN_KINDS.items() if kind == terms}
        named = any(
            own.startswith(item[:-1]) if item.endswith("*") else own == item or item in kinds
            for item in asked
        )
        return Terms.UNKNOWN if named else Terms.PERMISSIVE

    if not expression.strip():
        return "unknown" in asked
    return _weighed(expression, weight) == Terms.UNKNOWN


def _terms(name: str) -> int:
    return next((terms for family, terms in _FAMILIES if name.startswith(family)), Terms.UNKNOWN)


Weight = Callable[[str], int]


def _weighed(expression: str, weight: Weight) -> int:
    """The least weight that an expression leaves a choice of; of a broken one the most there is."""
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    found, rest = _either(tokens, weight)
    return Terms.UNKNOWN if rest else found


def _either(tokens: list[str], weight: Weight) -> tuple[int, list[str]]:
    found, rest = _all(tokens, weight)
    while rest and rest[0] == "OR":
        other, rest = _all(rest[1:], weight)
        found = min(found, other)
    return found, rest


def _all(tokens: list[str], weight: Weight) -> tuple[int, list[str]]:
    found, rest = _one(tokens, weight)
    while rest and rest[0] == "AND":
        other, rest = _one(rest[1:], weight)
        found = max(found, other)
    return found, rest


def _one(tokens: list[str], weight: Weight) -> tuple[int, list[str]]:
    if not tokens:
        return Terms.UNKNOWN, []
    name, rest = tokens[0], tokens[1:]
    if name == "(":
        found, rest = _either(rest, weight)
        return (found, rest[1:]) if rest[:1] == [")"] else (Terms.UNKNOWN, rest)
    if rest[:1] == ["WITH"]:
        rest = rest[2:]
    return weight(name), rest


def named_in(words: str) -> str:
    """The SPDX name of the licence that free words or a licence's text speak of, or empty."""
    start = words[:2000].lower()
    return next((name for pattern, name in _NAMES if re.search(pattern, start)), "")


def expression_from(expression: str, words: str, classifiers: Iterable[str], text: str) -> str:
    """The SPDX expression of a package, from what it says of itself, or empty.

    expression: its `License-Expression`. words: its `License`. classifiers: its licence
    classifiers; where there are several, one may be chosen, as packages mean them. text: its
    licence file, asked last.
    """
    if expression.strip():
        return expression.strip()
    short = words.strip()
    if short and "\n" not in short and terms_of(short) is not Terms.UNKNOWN:
        return short
    named = [named_in(item) for item in classifiers]
    if any(named):
        return " OR ".join(dict.fromkeys(filter(None, named)))
    return named_in(words) or named_in(text)
