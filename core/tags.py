"""Tags: words that people put on takes to find them by."""

from __future__ import annotations

import unicodedata

from core.errors import UsageError

MOST_LETTERS = 40


def tag_of(text: str) -> str:
    """A tag as it is kept and compared: small letters, single spaces.

    Raises UsageError for one without a letter or digit, beyond MOST_LETTERS, or that begins with
    the signs by which tags are put on and taken off.
    """
    printable = "".join(c if c.isprintable() else " " for c in text)
    tag = " ".join(unicodedata.normalize("NFC", printable).casefold().split())
    if not any(letter.isalnum() for letter in tag):
        raise UsageError(f"{text!r} is no tag; write a word, as in +good.")
    if len(tag) > MOST_LETTERS:
        raise UsageError(f"A tag has at most {MOST_LETTERS} characters; this has {len(tag)}.")
    if tag[0] in "+-":
        raise UsageError(f"{text!r} is no tag; it begins with a sign.")
    return tag
