"""A recogniser and a voice encoder that hear what tests have them hear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.speech import Word
from flows import who_speaks
from models.card import ModelCard
from models.speech import draft
from models.speech.engines import EngineChoice
from models.speech.protocol import Transcript

ENGINE = EngineChoice("pocketsphinx", "", None, True, "", key="scribe test")
SAID = (("quicksilver", 8_000), ("marmalade", 12_000), ("lighthouse", 36_000), ("tramway", 40_000))
"""REN says the first two words, MARA the others; samples at 16 kHz."""


class Scribe:
    """A recogniser that writes down the words of the spans that it is given."""

    draft = True
    card = ModelCard("Scribe", "1", "", "MIT", "", "", "")

    def transcribe(self, sound: object, spans: Sequence[tuple[int, int]], *_: object) -> Transcript:
        heard = [
            Word(word, at, at + 3_000)
            for word, at in SAID
            if any(start <= at + 1_500 < end for start, end in spans)
        ]
        return Transcript(tuple(heard), "en")


class Encoder:
    """An encoder that gives every stretch nearly the same voice, and knows what it was asked."""

    card = ModelCard("Encoder", "1", "", "MIT", "", "", "e" * 64)

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def voiceprints(self, _: object, windows: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        self.asked += windows
        starts = np.array([start for start, _ in windows], dtype=np.float64)
        one = np.linspace(0.5, 1.5, 256)
        lean = 1e-6 * starts[:, None] * np.cos(np.arange(256))
        voices = one + lean
        voices /= np.linalg.norm(voices, axis=1, keepdims=True)
        return voices.astype(np.float32)


def scribe_for(monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """Have the scribe write down what is said from now on; the encoder that measures voices."""
    made = Encoder()
    monkeypatch.setattr(draft, "PocketSphinx", Scribe)
    monkeypatch.setattr(who_speaks, "voice_encoder", lambda _: made)
    monkeypatch.setattr(who_speaks, "installed_weights", lambda: Path("encoder"))
    return made
