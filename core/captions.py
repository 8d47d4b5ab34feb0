"""Captions: lines split and timed so that they can be read, without losing a word.

The defaults follow common delivery rules: two rows of 42 characters, 5/6 to 7 seconds, two
frames between captions, 20 characters a second (Netflix Timed Text Style Guide, general
requirements and English).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from core.errors import UsageError
from core.speech import Word
from core.spotting import Spot, SpottingList, Wanted, before
from core.time import round_half_up


@dataclass(frozen=True)
class CaptionOptions:
    """How lines become captions.

    rows: at most, of row_characters each; a longer word stands in a row of its own, unbroken.
    most_s: a longer line is split. least_s: a shorter caption stays on longer where there is
    room before the next. characters_per_second: how fast people read; likewise, lower keeps
    captions on longer. gap_frames: kept free before the next caption, by ending earlier.
    """

    rows: int = 2
    row_characters: int = 42
    most_s: float = 7.0
    least_s: float = 5 / 6
    characters_per_second: float = 20.0
    gap_frames: int = 2

    def __post_init__(self) -> None:
        if self.rows < 1 or self.row_characters < 1:
            raise UsageError("Captions need at least one row of one character.")
        if not 0 <= self.least_s <= self.most_s or self.most_s <= 0:
            raise UsageError(
                "Captions can't be shorter than 0 seconds, or at least longer than most."
            )
        if self.characters_per_second <= 0 or self.gap_frames < 0:
            raise UsageError("Reading speed must be more than 0, and gaps not less.")


@dataclass(frozen=True)
class Caption:
    """Rows of text on screen from frame start to just before frame end, since midnight.

    first: whether it begins its line. spot: the line.
    """

    start: int
    end: int
    rows: tuple[str, ...]
    first: bool
    spot: Spot


def captions(found: SpottingList, options: CaptionOptions, wanted: Wanted) -> tuple[Caption, ...]:
    """The lines of a list that have words as captions, by start.

    wanted.speakers: whether a line's speaker stands in its first caption. A caption starts with
    the frame of its first word; it ends no earlier than its last word but for the gap.
    """
    made = []
    for spot in found.lines:
        marks = before(spot, wanted)
        for number, part in enumerate(split(spot.words, marks, found, options)):
            tokens = [*(marks if number == 0 else ()), *(word.text for word in part)]
            said = Word("", part[0].start, max(word.end for word in part))
            start, end = found.frames(said)
            rows = wrapped(_pieces(tokens), options)
            made.append((said, Caption(start, end, rows, number == 0, spot)))
    made.sort(key=lambda pair: (pair[1].start, pair[1].end))
    return _timed(made, found, options)


def split(
    words: Sequence[Word], marks: Sequence[str], found: SpottingList, options: CaptionOptions
) -> list[Sequence[Word]]:
    """The words of a line in parts of which each fits a caption, broken where it hurts least.

    As few parts as can be; of those, even ones that end with a sentence or before a pause.
    """
    best: list[tuple[float, int]] = [(0.0, 0)]
    most = options.most_s * found.sample_rate
    limit = options.rows * (options.row_characters + 1)
    for end in range(1, len(words) + 1):
        choices = []
        for start in range(end - 1, -1, -1):
            part = words[start:end]
            tokens = _pieces([*(marks if start == 0 else ()), *(word.text for word in part)])
            one = end - start == 1
            if not one and (
                sum(len(text) + 1 for text in tokens) > limit
                or part[-1].end - part[0].start > most
                or len(_rows(tokens, options.row_characters)) > options.rows
            ):
                break
            fill = min(1.0, sum(len(text) + 1 for text in tokens) / limit)
            cost = 1000 + _cost(words, end, found.sample_rate) + 60 * (1 - fill) ** 2
            choices.append((best[start][0] + cost, start))
        best.append(min(choices))
    parts = []
    end = len(words)
    while end:
        start = best[end][1]
        parts.append(words[start:end])
        end = start
    return parts[::-1]


def _cost(words: Sequence[Word], end: int, sample_rate: int) -> float:
    """How much a break before word `end` hurts: least after a sentence or at a long pause."""
    if end == len(words):
        return 0.0
    last, after = words[end - 1], words[end]
    pause = min(max(0, after.start - last.end) / sample_rate, 1.0)
    closes = 60.0 if last.text[-1:] in ".!?…" else 30.0 if last.text[-1:] in ",;:–—" else 0.0
    return 100.0 - max(closes, 60.0 * pause)


def _pieces(tokens: Sequence[str]) -> list[str]:
    """The texts at whose spaces a row may end."""
    return [piece for text in tokens for piece in text.split()]


def _rows(pieces: Sequence[str], width: int) -> list[list[str]]:
    rows: list[list[str]] = []
    used = width + 1
    for piece in pieces:
        if used + 1 + len(piece) > width:
            rows.append([])
            used = -1
        rows[-1].append(piece)
        used += 1 + len(piece)
    return rows


def wrapped(pieces: Sequence[str], options: CaptionOptions) -> tuple[str, ...]:
    """Rows of the pieces, as few as can be and as even as can be."""
    fewest = len(_rows(pieces, options.row_characters))
    total = sum(len(piece) + 1 for piece in pieces) - 1
    for width in range(max(1, total // max(fewest, 1)), options.row_characters):
        rows = _rows(pieces, width)
        if len(rows) == fewest:
            return tuple(" ".join(row) for row in rows)
    return tuple(" ".join(row) for row in _rows(pieces, options.row_characters))


def _timed(
    made: Sequence[tuple[Word, Caption]], found: SpottingList, options: CaptionOptions
) -> tuple[Caption, ...]:
    """Captions with ends that leave time to read, and the gap before the next one.

    made: each with the stretch in which it is said. Captions of people who speak at the same
    time stay on together.
    """
    fps = found.rate.fps
    least = ceil(Fraction(options.least_s).limit_denominator(1000) * fps)
    most = max(1, round_half_up(Fraction(options.most_s) * fps))
    last = found.frame(max(0, found.length - 1)) + 1
    timed = []
    for number, (said, item) in enumerate(made):
        characters = sum(map(len, item.rows))
        reading = ceil(Fraction(characters) / Fraction(options.characters_per_second) * fps)
        wish = item.start + min(most, max(least, reading))
        later = (
            other.start
            for begins, other in made[number + 1 :]
            if begins.start >= said.end and other.start > item.start
        )
        room = min(last, next(later, last + options.gap_frames) - options.gap_frames)
        timed.append(replace(item, end=max(min(max(item.end, wish), room), item.start + 1)))
    return tuple(timed)
