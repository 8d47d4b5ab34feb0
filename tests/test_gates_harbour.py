"""The gates on real takes whose clean sound and noise are known apart: no false alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile as sf
from numpy.typing import NDArray
from test_gates_damage import LIMITS, RATE, reader

from flows.hearing import at_16k, in_samples
from models.quality import Gate, judge
from models.speech.activity import ActivityOptions, speech_spans

Floats = NDArray[np.float64]
pytestmark = pytest.mark.shared
BOOM = 1


def apart(harbour: Path, name: str) -> tuple[Floats, Floats]:
    """The boom's speech and its noise."""
    raw = sf.read(harbour / "sound" / f"{name}.wav")[0][:, BOOM]
    speech = sf.read(harbour / "truth" / f"{name}.boom-clean.flac")[0]
    return speech, raw - speech


def gates(raw: Floats, clean: Floats) -> dict[str, Gate]:
    spans = speech_spans(at_16k(reader(raw), len(raw), RATE), ActivityOptions())
    spoken = in_samples(spans, len(raw), RATE)
    judged = judge(reader(raw), reader(clean), len(raw), RATE, spoken, LIMITS, len(clean))
    return {gate.name: gate for gate in judged}


@pytest.mark.parametrize("name", ["12A-T03", "14-T02", "27B-T01", "27B-T02"])
def test_noise_taken_by_twelve_decibels_and_no_speech_passes(harbour: Path, name: str) -> None:
    """27B-T01 has no sound above 8 kHz but for a hiss that comes while somebody speaks."""
    speech, noise = apart(harbour, name)
    judged = gates(speech + noise, speech + 0.25 * noise)
    assert {name: gate.value for name, gate in judged.items() if not gate.passed} == {}


def test_a_voice_without_air_has_none_to_lose(harbour: Path) -> None:
    speech, noise = apart(harbour, "27B-T01")
    assert gates(speech + noise, speech + 0.25 * noise)["air"].value == 0


def test_air_that_is_lost_fails(harbour: Path) -> None:
    speech, noise = apart(harbour, "27B-T02")
    sos = scipy.signal.butter(8, 8_000, "lowpass", fs=RATE, output="sos")
    dull = np.asarray(scipy.signal.sosfiltfilt(sos, speech))
    assert gates(speech + noise, dull + 0.25 * noise)["air"].value > 6


def test_muffled_consonants_fail(harbour: Path) -> None:
    speech, noise = apart(harbour, "27B-T02")
    sos = scipy.signal.butter(4, (3_000, 11_000), "bandpass", fs=RATE, output="sos")
    muffled = speech - 0.6 * scipy.signal.sosfiltfilt(sos, speech)
    assert not gates(speech + noise, muffled + 0.25 * noise)["sibilants"].passed
