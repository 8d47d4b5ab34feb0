"""A second try in the cleaned sound: only where the first understood nothing or hardly anything."""

from __future__ import annotations

from dataclasses import replace

from core.speech import Word
from models.speech.protocol import Span, Transcript

_BETTER = 0.1


def with_second_try(first: Transcript, second: Transcript) -> tuple[Transcript, frozenset[Word]]:
    """The words of a first try, completed by a second one in its doubtful spans.

    second: of the same sound cleaned, asked about first.doubtful only. Gives the transcript and
    the words that are the second's. A span without a word takes the second's words; a span with
    words keeps them unless the second is surer of its own by 0.1 and more. Everything outside
    the doubtful spans stays as it was. The result's doubtful spans are those of both.
    """
    kept, taken = list(first.words), list[Word]()
    for span in first.doubtful:
        old = [word for word in kept if _inside(word, span)]
        new = [word for word in second.words if _inside(word, span) and word not in taken]
        if new and (not old or _sure(new) >= _sure(old) + _BETTER):
            kept = [word for word in kept if word not in old]
            taken += new
    words = sorted([*kept, *taken], key=lambda word: (word.start, word.end))
    still = tuple(span for span in first.doubtful if span in second.doubtful)
    return replace(
        first,
        words=tuple(words),
        language=first.language or second.language,
        warnings=tuple(dict.fromkeys((*first.warnings, *second.warnings))),
        doubtful=still,
    ), frozenset(taken)


def _inside(word: Word, span: Span) -> bool:
    """Whether the middle of a word lies in a span."""
    return span[0] <= (word.start + word.end) / 2 <= span[1]


def _sure(words: list[Word]) -> float:
    """The mean confidence of some words."""
    return sum(word.confidence for word in words) / len(words)
