"""What a Whisper model invents is dropped, and what was spoken is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.speech import Word
from models.speech.controls import Heard, believed, doubtful
from models.speech.protocol import TranscribeOptions

RATE = 16_000
CASES = sorted((Path(__file__).parent / "heard").glob("*.json"))
"""Segments in the decoder's own terms, a file a case, with what is to be left of them."""


def samples(seconds: float) -> int:
    return round(seconds * RATE)


def heard(segment: dict[str, Any]) -> Heard:
    return Heard(
        words=tuple((text, start, end, sure) for text, start, end, sure in segment["words"]),
        log_probability=segment["avg_logprob"],
        no_speech=segment["no_speech_prob"],
        compression=segment["compression_ratio"],
    )


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_words_of_a_case_are_what_was_spoken(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    start, end = (samples(edge) for edge in case["passage_s"])
    found = believed(
        [heard(segment) for segment in case["segments"]],
        (start, end),
        [(samples(a), samples(b)) for a, b in case["spans_s"]],
        TranscribeOptions(),
    )
    told = [(word.text, word.start, word.end) for word in found.words]
    assert told == [(text, samples(a), samples(b)) for text, a, b in case["words"]]
    assert found.segments_dropped == case["segments_dropped"]
    assert found.words_dropped == case["words_dropped"]


HUNDREDTHS = st.integers(-200, 1_200)


@given(
    st.lists(st.lists(st.tuples(HUNDREDTHS, HUNDREDTHS), max_size=4), max_size=3),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=3),
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_words_lie_in_speech_and_never_go_back(
    segments: list[list[tuple[int, int]]], gaps: list[tuple[int, int]]
) -> None:
    spans, at = [], 0
    for gap, length in gaps:
        spans.append((at + gap * 5_000, at + (gap + length) * 5_000))
        at = spans[-1][1]
    given = [
        Heard(
            tuple((f" w{n}", a / 100, b / 100, 0.9) for n, (a, b) in enumerate(words)),
            -0.1,
            0.0,
            1.0,
        )
        for words in segments
    ]
    found = believed(given, (0, at), spans, replace(TranscribeOptions(), outside_ms=10**6)).words
    starts = [word.start for word in found]
    assert starts == sorted(starts)
    assert all(word.start <= word.end for word in found)
    assert all(any(a <= word.start <= b for a, b in spans) for word in found)
    assert len(found) == sum(map(len, segments))


def test_speech_without_words_or_with_doubtful_ones_is_worth_a_second_try() -> None:
    spans = ((0, 100), (200, 300), (400, 500))
    words = [Word("sure", 0, 50, 0.9), Word("so", 210, 220, 0.1), Word("so", 230, 280, 0.2)]
    options = TranscribeOptions(unsure=0.3)
    assert doubtful(words, spans, options) == ((200, 300), (400, 500))
    assert doubtful(words, spans, replace(options, unsure=0.0)) == ((400, 500),)
    assert doubtful((), (), options) == ()
