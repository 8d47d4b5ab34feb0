"""Somebody without a microphone is noticed; a wearer whose microphone failed keeps the name."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from core.speech import Turn
from models.speech.off_mic import with_off_mic
from models.speech.rate import to_16k
from models.speech.speakers import VoiceEncoder, installed_weights

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        importlib.util.find_spec("resemblyzer") is None, reason="needs the speaker encoder"
    ),
]


def scene(shared: Path, names: Sequence[str]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Sentences a second apart on one boom with some noise, and where each lies."""
    parts, spans, at = [np.zeros(16_000)], [], 16_000
    for name in names:
        sound, rate = sf.read(shared / f"speech/transcribed/{name}.wav", dtype="float32")
        sentence = to_16k(sound, rate)
        spans.append((at, at + len(sentence)))
        parts += [sentence, np.zeros(16_000)]
        at += len(sentence) + 16_000
    boom = np.concatenate(parts)
    boom += 1e-4 * np.random.default_rng(3).normal(size=len(boom))
    return boom.astype(np.float32), spans


@pytest.mark.parametrize(
    ("last", "expected"), [("spk2_snt1", "SPEAKER 1"), ("spk1_snt3", "STELLA")]
)
def test_speech_that_no_microphone_explains_is_named_by_its_voice(
    shared: Path, last: str, expected: str
) -> None:
    boom, spans = scene(shared, ("spk1_snt1", "spk1_snt2", last))
    worn = [Turn("STELLA", *span) for span in spans[:2]]
    found = with_off_mic(worn, boom, spans, VoiceEncoder(installed_weights()))
    assert [turn for turn in found if turn in worn] == worn
    added = [turn for turn in found if turn not in worn]
    assert {turn.speaker for turn in added} == {expected}
    start, end = spans[2]
    assert all(start <= turn.start < turn.end <= end for turn in added)
    assert sum(turn.end - turn.start for turn in added) > 0.8 * (end - start)


def test_noise_that_no_microphone_explains_is_nobody(shared: Path) -> None:
    boom, spans = scene(shared, ("spk1_snt1", "spk1_snt2"))
    worn = [Turn("STELLA", *span) for span in spans]
    silence = (spans[-1][1], spans[-1][1] + 16_000)
    encoder = VoiceEncoder(installed_weights())
    assert with_off_mic(worn, boom, [*spans, silence], encoder) == tuple(worn)
