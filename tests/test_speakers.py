"""Who speaks when: right names from lavs, voices told apart where there is one microphone."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from synthetic_voice import placed, synthetic_voice

from bench.der import Errors, diarization_errors
from bench.diarized import read_rttm
from core.errors import EngineError, UsageError
from core.speech import Turn
from models.speech import voiceprint
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.grouping import cluster
from models.speech.rate import to_16k
from models.speech.speakers import (
    VoiceEncoder,
    installed_weights,
    turns_from_tracks,
    turns_from_voices,
)
from models.speech.voiceprint import mel_filters, mel_spectrogram

COLLAR = 4_000
needs_encoder = pytest.mark.skipif(
    importlib.util.find_spec("resemblyzer") is None,
    reason="needs the speaker encoder: pip install --no-deps resemblyzer==0.1.4",
)


def lavs(*voices: tuple[str, np.ndarray], bleed_db: float, gains_db: tuple[float, ...]) -> dict:
    """A lav for each voice: its own, the others as bleed, noise of its own, and a gain."""
    tracks = {}
    for i, (name, own) in enumerate(voices):
        noise = np.random.default_rng(i).normal(size=len(own)) * 10 ** (-60 / 20)
        bleed = sum(other for j, (_, other) in enumerate(voices) if j != i)
        mixed = own + 10 ** (bleed_db / 20) * bleed + noise
        tracks[name] = (10 ** (gains_db[i] / 20) * mixed).astype(np.float32)
    return tracks


def read(path: Path, channel: int = 0) -> np.ndarray:
    sound, rate = sf.read(path, dtype="float32", always_2d=True)
    return to_16k(np.ascontiguousarray(sound[:, channel]), rate)


def test_der_is_zero_for_the_truth_under_any_names() -> None:
    truth = [Turn("A", 0, 100), Turn("B", 100, 200)]
    renamed = [Turn("1", 0, 100), Turn("2", 100, 200)]
    assert diarization_errors(truth, renamed, 0) == Errors(200, 0, 0, 0)
    assert diarization_errors(truth, renamed, 0, named=True).rate == 1.0


def test_der_counts_missed_invented_and_confused_time() -> None:
    truth = [Turn("A", 0, 100), Turn("B", 100, 200)]
    assert diarization_errors(truth, [Turn("A", 0, 60)], 0) == Errors(200, 140, 0, 0)
    assert diarization_errors(truth, [], 0).rate == 1.0
    assert diarization_errors(truth, [*truth, Turn("A", 200, 250)], 0) == Errors(200, 0, 50, 0)
    shifted = [Turn("A", 0, 130), Turn("B", 130, 200)]
    assert diarization_errors(truth, shifted, 0) == Errors(200, 0, 0, 30)


def test_der_counts_overlapping_speech_once_for_each_speaker() -> None:
    truth = [Turn("A", 0, 100), Turn("B", 50, 100)]
    assert diarization_errors(truth, [Turn("A", 0, 100)], 0) == Errors(150, 50, 0, 0)
    assert diarization_errors(truth, [Turn("x", 0, 100), Turn("y", 0, 100)], 0).false_alarm == 50


def test_der_does_not_score_the_collar() -> None:
    truth = [Turn("A", 100, 200)]
    found = [Turn("A", 90, 220)]
    assert diarization_errors(truth, found, 10) == Errors(80, 0, 10, 0)
    assert diarization_errors(truth, found, 20) == Errors(60, 0, 0, 0)


@pytest.mark.parametrize("gains_db", [(0.0, 0.0), (-20.0, 0.0), (0.0, -12.0)])
def test_each_line_gets_the_name_of_its_lav_whatever_the_gain(gains_db: tuple) -> None:
    stella = placed(synthetic_voice(2, 210), 1, 8, -200)
    john = placed(synthetic_voice(2, 110), 4.5, 8, -200)
    tracks = lavs(("STELLA", stella), ("JOHN", john), bleed_db=-12, gains_db=gains_db)
    turns = turns_from_tracks(tracks)
    assert [turn.speaker for turn in turns] == ["STELLA", "JOHN"]
    truth = [Turn("STELLA", 16_000, 48_000), Turn("JOHN", 72_000, 104_000)]
    assert diarization_errors(truth, turns, COLLAR, named=True).rate < 0.05


def test_lines_that_overlap_are_found_on_both_tracks() -> None:
    stella = placed(synthetic_voice(4, 210), 1, 9, -200)
    john = placed(synthetic_voice(4, 110), 3.5, 9, -200)
    tracks = lavs(("STELLA", stella), ("JOHN", john), bleed_db=-14, gains_db=(0, 0))
    turns = turns_from_tracks(tracks)
    both = sum(
        max(0, min(a.end, b.end) - max(a.start, b.start))
        for a in turns
        for b in turns
        if a.speaker < b.speaker
    )
    assert both == pytest.approx(1.5 * 16_000, abs=0.6 * 16_000)


def test_a_character_who_only_listens_has_no_turn() -> None:
    stella = placed(synthetic_voice(3, 210), 1, 6, -200)
    tracks = lavs(("STELLA", stella), ("REN", 0 * stella), bleed_db=-12, gains_db=(0, 6))
    assert {turn.speaker for turn in turns_from_tracks(tracks)} == {"STELLA"}


def test_one_track_none_and_unequal_ones() -> None:
    voice = placed(synthetic_voice(2, 150), 1, 4)
    assert [turn.speaker for turn in turns_from_tracks({"REN": voice})] == ["REN"]
    assert turns_from_tracks({}) == ()
    assert turns_from_tracks({"REN": voice[:0]}) == ()
    with pytest.raises(UsageError, match="differ in length"):
        turns_from_tracks({"REN": voice, "JOHN": voice[:-1]})


@pytest.mark.shared
def test_the_lavs_of_a_production_name_their_speakers(harbour: Path) -> None:
    total = Errors(0, 0, 0, 0)
    for name, take in json.loads((harbour / "truth/takes.json").read_text())["takes"].items():
        tracks = {
            track: read(harbour / f"sound/{name}.wav", channel)
            for channel, track in enumerate(take["tracks"])
            if track not in ("MIX", "BOOM")
        }
        truth = [Turn(t["speaker"], t["start"] // 3, t["end"] // 3) for t in take["turns"]]
        found = turns_from_tracks(tracks)
        errors = diarization_errors(truth, found, COLLAR, named=True)
        assert errors.confused == 0, name
        assert errors.rate < 0.2, name
        total += errors
    assert total.rate <= 0.10


def test_mel_filters_are_those_of_librosa() -> None:
    whisper = importlib.util.find_spec("whisper")
    assert whisper
    assert whisper.origin
    # The wheel of openai-whisper carries librosa.filters.mel(sr=16000, n_fft=400, n_mels=80).
    with np.load(Path(whisper.origin).parent / "assets/mel_filters.npz") as librosa:
        np.testing.assert_allclose(mel_filters(80), librosa["mel_80"], atol=1e-7)


def test_a_tone_lies_in_its_mel_band() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 1_000 * np.arange(25_600) / 16_000)
    mels = mel_spectrogram(tone.astype(np.float32))
    assert mels.shape == (161, 40)
    centres = mel_filters(40).argmax(axis=1) * 40
    assert abs(centres[mels.sum(axis=0).argmax()] - 1_000) < 80


def test_groups_are_found_and_counted() -> None:
    random = np.random.default_rng(4)
    voices = np.abs(random.normal(size=(3, 256)))
    truth = np.repeat([0, 1, 2, 0, 2, 1], 20)
    prints = voices[truth] + 0.3 * np.abs(random.normal(size=(120, 256)))
    prints = (prints / np.linalg.norm(prints, axis=1, keepdims=True)).astype(np.float32)
    for count in (None, 3):
        labels = cluster(prints, count)
        assert len(set(labels)) == 3
        assert len(set(zip(truth, labels, strict=True))) == 3
    assert len(set(cluster(prints, 2))) == 2
    assert set(cluster(prints, 1)) == {0}


def test_long_recordings_are_grouped_alike() -> None:
    random = np.random.default_rng(5)
    voices = np.abs(random.normal(size=(2, 256)))
    truth = np.repeat([0, 1] * 22, 50)
    prints = voices[truth] + 0.3 * np.abs(random.normal(size=(2_200, 256)))
    prints = (prints / np.linalg.norm(prints, axis=1, keepdims=True)).astype(np.float32)
    labels = cluster(prints, 2)
    assert len(set(zip(truth, labels, strict=True))) == 2


def test_few_windows_are_no_trouble() -> None:
    for count in (1, 2, 3, 4):
        prints = np.eye(count, 256, dtype=np.float32)
        for asked in (None, 1, 2, 5):
            assert len(cluster(prints, asked)) == count


def test_a_missing_encoder_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match="pip install --no-deps resemblyzer"):
        installed_weights()
    broken = tmp_path / "pretrained.pt"
    broken.write_bytes(b"not weights")
    encoder = voiceprint.VoiceEncoder(broken)
    with pytest.raises(EngineError, match=r"pretrained\.pt"):
        encoder.voiceprints(np.ones(25_600, dtype=np.float32), [(0, 25_600)])


@needs_encoder
def test_turns_lie_in_the_spans_in_order_and_are_named_as_they_come() -> None:
    sound = placed(synthetic_voice(2, 110), 1, 9)
    sound[5 * 16_000 : 7 * 16_000] += synthetic_voice(2, 230)
    spans = [(16_000, 48_000), (50_000, 50_100), (80_000, 112_000)]
    turns = turns_from_voices(sound, spans, 2, VoiceEncoder(installed_weights()))
    edges = [edge for turn in turns for edge in (turn.start, turn.end)]
    assert edges == sorted(edges)
    assert turns[0].speaker == "SPEAKER 1"
    assert {turn.speaker for turn in turns} == {"SPEAKER 1", "SPEAKER 2"}
    assert (edges[0], edges[-1]) == (16_000, 112_000)
    assert turns_from_voices(sound, [], None, VoiceEncoder(installed_weights())) == ()


@needs_encoder
@pytest.mark.shared
def test_a_speaker_is_more_like_himself_than_like_another(shared: Path) -> None:
    encoder = VoiceEncoder(installed_weights())
    prints = {}
    for speaker in (1, 2):
        for sentence in range(1, 6):
            sound = read(shared / f"speech/transcribed/spk{speaker}_snt{sentence}.wav")
            spans = speech_spans(sound, ActivityOptions())
            windows = [(at, at + 25_600) for at in range(spans[0][0], spans[-1][1] - 25_600, 8_000)]
            mean = encoder.voiceprints(sound, windows).mean(axis=0)
            prints[speaker, sentence] = mean / np.linalg.norm(mean)
    pairs = [(a, b) for a in prints for b in prints if a < b]
    same = [float(prints[a] @ prints[b]) for a, b in pairs if a[0] == b[0]]
    other = [float(prints[a] @ prints[b]) for a, b in pairs if a[0] != b[0]]
    assert min(same) > max(other) + 0.1


@needs_encoder
@pytest.mark.shared
def test_a_telephone_call_is_told_apart_without_a_count(shared: Path) -> None:
    sound = read(shared / "speech/diarized/sample.wav")
    truth = read_rttm((shared / "speech/diarized/sample.rttm").read_text())
    spans = speech_spans(sound, ActivityOptions())
    turns = turns_from_voices(sound, spans, None, VoiceEncoder(installed_weights()))
    assert {turn.speaker for turn in turns} == {"SPEAKER 1", "SPEAKER 2"}
    assert diarization_errors(truth, turns, 0).rate <= 0.189
