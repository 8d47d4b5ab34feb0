"""Text from outside as one line of text that can't hurt the format it goes into."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_DROPPED = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Embeddings, overrides and isolates reorder what follows them where they stay open."""
_NO_CHARACTERS = frozenset("\ufffe\uffff")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def one_line(text: str) -> str:
    """The text with single spaces and without what no text format holds.

    Control characters and line ends become spaces; lone surrogates and what XML forbids become
    the replacement character; marks that reorder text are dropped. Nothing else is changed.
    """
    return " ".join("".join(map(_safe, text)).split())


def token(text: str) -> str:
    """One word for formats in which spaces part the fields; a space within it is an underscore.

    `;` at its start and angle brackets mean something in such formats and are replaced as well.
    """
    plain = one_line(text).replace(" ", "_").translate({ord("<"): "‹", ord(">"): "›"})
    return "_" + plain.lstrip(";") if plain.startswith(";") else plain


def cell(value: object) -> object:
    """A value of a table: a text that a spreadsheet would compute gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _safe(character: str) -> str:
    if character < "\x7f":
        return character if character >= " " else " "
    if character in _DROPPED:
        return ""
    kind = unicodedata.category(character)
    if kind in ("Cc", "Zl", "Zp"):
        return " "
    return REPLACEMENT if kind == "Cs" or character in _NO_CHARACTERS else character
