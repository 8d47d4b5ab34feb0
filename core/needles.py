"""What must not be found any more, and looking for it in bytes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

SHORTEST_LINE = 8
SHORTEST_WORD = 5


@dataclass(frozen=True)
class Needles:
    """What is looked for, by kind. Never to be stored.

    line: texts as they were spoken, of at least 8 letters. phrase: three words one after another
    that nobody else says so. word: those that nobody else says and that are written nowhere else.
    voiceprint: the first numbers of a print as they are written.
    """

    by_kind: Mapping[str, frozenset[str]]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self.by_kind.values()))

    def kinds_in(self, haystack: bytes | memoryview) -> frozenset[str]:
        """The kinds of which something is in some bytes, in either case of letters."""
        return frozenset(kind for kind, pattern in self._patterns if pattern.search(haystack))

    def found_in(self, haystack: bytes | memoryview) -> dict[str, int]:
        """How many different needles of each kind are in some bytes."""
        return {
            kind: len({bytes(match).lower() for match in pattern.findall(haystack)})
            for kind, pattern in self._patterns
            if pattern.search(haystack)
        }

    @property
    def longest(self) -> int:
        """The bytes of the longest."""
        texts = (text.encode() for some in self.by_kind.values() for text in some)
        return max(map(len, texts), default=0)

    @cached_property
    def _patterns(self) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
        return tuple(
            (kind, re.compile(_either(kind, texts), re.IGNORECASE))
            for kind, texts in self.by_kind.items()
            if texts
        )


def needles_of(
    texts: Iterable[str],
    others: Iterable[str],
    elsewhere: Collection[str],
    prints: Iterable[Iterable[float]],
) -> Needles:
    """What to look for of somebody.

    texts: of their lines. others: of what everybody else says. elsewhere: words, in small letters,
    that are written for other reasons, so that one is no trace. prints: of their voice.
    """
    said = {" ".join(text.split()) for text in texts}
    rest = "\n".join(" ".join(text.split()) for text in others).casefold()
    phrases = {
        " ".join(words[k : k + 3])
        for text in said
        if len(words := text.casefold().split()) > 3
        for k in range(len(words) - 2)
    }
    own = {word for text in said for word in re.findall(r"\w+", text.casefold())}
    known = {*re.findall(r"\w+", rest), *elsewhere}
    return Needles(
        {
            "line": frozenset(
                text for text in said if len(text) >= SHORTEST_LINE and text.casefold() not in rest
            ),
            "phrase": frozenset(
                phrase for phrase in phrases if len(phrase) >= SHORTEST_LINE and phrase not in rest
            ),
            "word": frozenset(w for w in own - known if len(w) >= SHORTEST_WORD),
            "voiceprint": frozenset(
                repr(value) for print_ in prints for value in [*print_][:8] if len(repr(value)) > 8
            ),
        }
    )


def _either(kind: str, texts: Iterable[str]) -> bytes:
    forms = {form.encode() for text in texts for form in (text, text.casefold(), text.upper())}
    either = b"|".join(map(re.escape, sorted(forms, key=lambda form: (-len(form), form))))
    # A word of its own: `later` is not what somebody said who said `late`.
    return rb"(?<![A-Za-z])(?:" + either + rb")(?![A-Za-z])" if kind == "word" else either
