"""CTM (NIST): a line for each word, with its time in seconds and its confidence."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.transcripts.rttm import distinct
from core.plain_text import token
from core.spotting import SpottingList, cleaned
from core.time import seconds_text


def serialise(lists: Sequence[SpottingList]) -> str:
    """The words of lists, by file and time: file, channel, start, length, word, confidence."""
    plain = [cleaned(found) for found in lists]
    files = distinct(found.name for found in plain)
    rows = [
        (
            files[found.name],
            word.start,
            word.end,
            found.sample_rate,
            token(word.text),
            word.confidence,
        )
        for found in plain
        for spot in found.lines
        for word in spot.words
    ]
    return "".join(
        f"{file} 1 {seconds_text(max(0, start), rate)} {seconds_text(end - start, rate)} "
        f"{text} {min(1.0, max(0.0, sure)):.2f}\n"
        for file, start, end, rate, text, sure in sorted(rows, key=lambda row: row[:3])
    )
