"""The draft engine writes down English, and nothing where nobody speaks it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from core.speech import Word
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.draft import PocketSphinx
from models.speech.draft_controls import DraftControls, Stretch, believable, stretch
from models.speech.protocol import TranscribeOptions, Transcript
from models.speech.rate import to_16k

RATE = 16_000
WORD = Word("word", 0, 100)
FITTING = Stretch((WORD,) * 4, 2 * RATE, -2.5, 0.7, 180)
FOREIGN = replace(FITTING, fit=-5.0, sure=0.3)


def test_words_that_fit_are_believed_and_those_of_another_language_not() -> None:
    assert believable([FITTING, FITTING], DraftControls()) == (True, True)
    assert believable([FOREIGN, FOREIGN], DraftControls()) == (False, False)
    assert believable([], DraftControls()) == ()


def test_a_take_speaks_for_a_stretch_that_is_hard_to_tell() -> None:
    unclear = replace(FITTING, fit=-4.2, sure=0.3)
    assert believable([unclear], DraftControls()) == (False,)
    assert believable([unclear, FITTING], DraftControls()) == (True, True)
    passing = replace(FITTING, fit=-3.4, sure=0.4)
    assert believable([passing], DraftControls()) == (True,)
    assert believable([passing, FOREIGN, FOREIGN, FOREIGN], DraftControls())[0] is False


def test_nobody_speaks_a_word_in_three_seconds() -> None:
    slow = replace(FITTING, words=(WORD,), frames=40, length=3 * RATE)
    assert believable([slow], DraftControls()) == (False,)
    assert believable([replace(slow, length=RATE)], DraftControls()) == (True,)


def test_nobody_holds_a_syllable_for_a_second() -> None:
    held = replace(FITTING, words=(Word("oh", 0, 100),) * 2, frames=180)
    assert believable([held], DraftControls()) == (False,)
    assert believable([replace(held, frames=60)], DraftControls()) == (True,)


def test_long_words_count_for_more() -> None:
    words = [Word("a", 0, 1, 0.2), Word("long", 1, 2, 1.0)]
    found = stretch(words, RATE, [np.exp(-100), np.exp(-60)], [10, 30])
    assert found.fit == pytest.approx(-160 / 40)
    assert found.sure == pytest.approx((0.2 * 10 + 1.0 * 30) / 40)
    assert stretch([], RATE, [], []).frames == 0
    assert np.isfinite(stretch(words, RATE, [0.0, 0.0], [10, 30]).fit)


def band(seconds: float) -> np.ndarray:
    """Chords and a beat."""
    at = np.arange(int(seconds * RATE))
    roots = 220 * 2 ** (np.array([0, 5, 7, 0])[at // RATE % 4] / 12)
    phase = np.cumsum(roots) / RATE
    beat = np.random.default_rng(3).standard_normal(len(at)) * np.exp(-(at % (RATE // 2)) / 900)
    decay = np.exp(-(at % RATE) / RATE)
    chord = sum(np.sin(2 * np.pi * n * k * phase) / n for n in (1, 2, 3) for k in (1, 1.26, 1.5))
    return (0.08 * chord * decay + 0.2 * beat).astype(np.float32)


def swelling_noise(seconds: float) -> np.ndarray:
    """Noise that comes and goes as syllables do."""
    rng = np.random.default_rng(4)
    n = int(seconds * RATE)
    syllables = np.arange(0, n + 4_000, 4_000)
    swell = np.interp(np.arange(n), syllables, rng.uniform(0, 1, len(syllables)))
    return (0.3 * swell**2 * rng.standard_normal(n)).astype(np.float32)


def drafted(sound: np.ndarray, everywhere: bool = False, language: str = "") -> Transcript:
    pytest.importorskip("pocketsphinx")
    spans = speech_spans(sound, ActivityOptions())
    if everywhere:
        spans = ((0, len(sound)),)
    return PocketSphinx().transcribe(sound, spans, TranscribeOptions(language=language))


def test_silence_noise_and_music_give_no_word() -> None:
    silence = np.zeros(5 * RATE, dtype=np.float32)
    for sound in (silence, band(8), swelling_noise(8)):
        assert drafted(sound).words == ()


@pytest.mark.parametrize("sound", [np.zeros(2 * RATE, np.float32), swelling_noise(3)])
def test_what_is_taken_for_speech_by_mistake_gives_no_word(sound: np.ndarray) -> None:
    found = drafted(sound, everywhere=True)
    assert found.words == ()
    assert found.doubtful == ((0, len(sound)),)
    assert "don't fit English words" in found.warnings[1]
    assert found.language == ""


def test_another_language_that_is_asked_for_is_not_written_down() -> None:
    found = drafted(np.zeros(RATE, dtype=np.float32), everywhere=True, language="de")
    assert (found.words, found.language, found.doubtful) == ((), "de", ())
    assert "only knows English" in found.warnings[0]


@pytest.mark.shared
def test_words_do_not_depend_on_the_take_before(shared: Path) -> None:
    speech, _ = sf.read(shared / "speech/transcribed/spk2_snt2.wav", dtype="float32")
    first = drafted(speech)
    drafted(swelling_noise(2), everywhere=True)
    assert drafted(speech) == first


@pytest.mark.shared
def test_a_street_gives_no_word(shared: Path) -> None:
    noise, rate = sf.read(shared / "speech/noise48/demand_ch03.wav", dtype="float32")
    assert drafted(to_16k(noise[: 5 * rate], rate)).words == ()


@pytest.mark.shared
def test_a_tongue_that_is_none_gives_next_to_no_word(shared: Path) -> None:
    """Speech played backwards: real voices, in no language."""
    forwards = backwards = 0
    for name in ("spk1_snt1.wav", "sense_and_sensibility_01_austen_64kb-0880.wav"):
        sound, rate = sf.read(shared / "speech/transcribed" / name, dtype="float32")
        speech = to_16k(sound if sound.ndim == 1 else sound[:, 0], rate)
        forwards += len(drafted(speech).words)
        backwards += len(drafted(np.ascontiguousarray(speech[::-1])).words)
    assert forwards > 10
    assert backwards < forwards / 4
