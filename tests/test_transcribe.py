"""Words come out where they were spoken, from local files only, and a draft says that it is one."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from synthetic_voice import placed, synthetic_voice
from tiny_whisper import write_tiny_checkpoint

from core.errors import EngineError, OutputError, UsageError
from models.speech import draft
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.controls import Heard
from models.speech.convert import convert_checkpoint
from models.speech.engines import choose, installed_models, load
from models.speech.faster import FasterWhisper
from models.speech.openai import OpenaiWhisper, load_checkpoint
from models.speech.passages import passages, single_passages, transcribe_passages
from models.speech.protocol import TranscribeOptions, Transcript
from models.speech.rate import to_16k

RATE = 16_000
SPANS = ((16_000, 60_000), (180_000, 200_000))
SURE = Heard((), log_probability=-0.2, no_speech=0.01, compression=1.2)
BABBLE = TranscribeOptions(
    beam_size=1,
    temperatures=(0.0,),
    min_log_probability=-math.inf,
    max_compression=math.inf,
    silence_s=0,
    outside_ms=60_000,
)
"""Every control off: random weights make no sense, and their words are to come through."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with one tiny model for each engine."""
    root = tmp_path_factory.mktemp("weights")
    (root / "whisper-own").mkdir()
    convert_checkpoint(
        write_tiny_checkpoint(root / "whisper-own" / "own.pt"), root / "faster-whisper-own"
    )
    return root


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return placed(synthetic_voice(2, 130), 1, 14)


def assert_words_are_sound(transcript: Transcript, length: int, spans: Iterable) -> None:
    words = transcript.words
    assert words
    assert all(type(word.start) is int and type(word.end) is int for word in words)
    assert all(0 <= word.start <= word.end <= length for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert all(word.text and word.text == word.text.strip() for word in words)
    assert all(0 <= word.confidence <= 1 for word in words)
    near = passages(tuple(spans), length)
    assert all(any(a <= word.start <= b for a, b in near) for word in words)


def test_openai_whisper_reads_a_checkpoint_and_times_its_words(
    tmp_path: Path, sound: np.ndarray
) -> None:
    engine = OpenaiWhisper("own", write_tiny_checkpoint(tmp_path / "own.pt", 64), "abc")
    first = engine.transcribe(sound, SPANS, replace(BABBLE, language="en"))
    assert_words_are_sound(first, len(sound), SPANS)
    assert first.language == "en"
    assert engine.transcribe(sound, SPANS, replace(BABBLE, language="en")) == first
    assert not engine.draft
    assert engine.card.weights_sha256 == "abc"
    assert not engine.card.stand_in


def test_faster_whisper_reads_a_converted_checkpoint_and_detects_a_language(
    weights: Path, sound: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    engine = FasterWhisper("own", weights / "faster-whisper-own", "abc")
    found = engine.transcribe(sound, SPANS, replace(BABBLE, prompt="Dashwood, Stella."))
    assert_words_are_sound(found, len(sound), SPANS)
    assert len(found.language) == 2 or found.language in ("haw", "yue")


def test_an_english_model_needs_no_language(tmp_path: Path, sound: np.ndarray) -> None:
    checkpoint = write_tiny_checkpoint(tmp_path / "own.en.pt", vocabulary=51_864)
    folder = convert_checkpoint(checkpoint, tmp_path / "own.en")
    found = FasterWhisper("own.en", folder, "").transcribe(sound, SPANS[:1], BABBLE)
    assert found.language == "en"
    assert_words_are_sound(found, len(sound), SPANS)
    assert OpenaiWhisper("own.en", checkpoint, "").transcribe(sound, [], BABBLE).words == ()


def test_babble_is_dropped_with_a_warning_under_the_usual_controls(
    weights: Path, sound: np.ndarray
) -> None:
    engine = FasterWhisper("own", weights / "faster-whisper-own", "")
    options = TranscribeOptions(language="en", beam_size=1, temperatures=(0.0,), silence_s=0)
    found = engine.transcribe(sound, SPANS, options)
    assert found.words == ()
    assert "dropped" in found.warnings[0]


def test_a_converted_model_computes_what_the_checkpoint_does(weights: Path) -> None:
    import ctranslate2
    import torch

    model = load_checkpoint(weights / "whisper-own" / "own.pt")
    folder = str(weights / "faster-whisper-own")
    converted = ctranslate2.models.Whisper(folder, compute_type="float32")
    mel = np.random.default_rng(0).normal(size=(1, 80, 3000)).astype(np.float32)
    with torch.inference_mode():
        encoded = model.encoder(torch.from_numpy(mel))
        logits = model.decoder(torch.tensor([[50258]]), encoded)[0, -1].double()
    features = ctranslate2.StorageView.from_array(mel)
    np.testing.assert_allclose(np.array(converted.encode(features)), encoded, atol=0.01)
    languages = logits[50259:50358].softmax(dim=0).numpy()
    ours = dict(converted.detect_language(features)[0])
    assert ours["<|en|>"] == pytest.approx(languages[0], abs=1e-3)
    assert max(ours.values()) == pytest.approx(languages.max(), abs=1e-3)


def test_the_converted_tokenizer_is_that_of_whisper(weights: Path) -> None:
    from tokenizers import Tokenizer
    from whisper.tokenizer import get_tokenizer

    ours = Tokenizer.from_file(str(weights / "faster-whisper-own" / "tokenizer.json"))
    theirs = get_tokenizer(True)
    for text in (
        "Please call Stella. Ask her to bring these things with her from the store.",
        "It's  John's 3rd café\n\n — naïve 東京 🎬 здравствуйте,\t$12,345.67 don't … ",
    ):
        tokens = theirs.encode(text)
        assert ours.encode(text, add_special_tokens=False).ids == tokens
        assert ours.decode(tokens) == text
    for token, number in theirs.special_tokens.items():
        assert ours.token_to_id(token) == number
    vocabulary = json.loads((weights / "faster-whisper-own" / "vocabulary.json").read_text())
    assert len(vocabulary) == len(set(vocabulary)) == 51_865
    assert all(ours.token_to_id(vocabulary[i]) == i for i in (0, 220, 1_000, 50_256, 51_864))


def test_a_conversion_never_overwrites(weights: Path) -> None:
    with pytest.raises(OutputError, match="exists already"):
        convert_checkpoint(weights / "whisper-own" / "own.pt", weights / "faster-whisper-own")


@pytest.mark.parametrize("missing", ["tokenizer.json", "model.bin"])
def test_an_incomplete_folder_is_refused_before_the_library_goes_online(
    weights: Path, tmp_path: Path, missing: str, sound: np.ndarray
) -> None:
    for path in (weights / "faster-whisper-own").iterdir():
        if path.name != missing:
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(EngineError, match=missing):
        FasterWhisper("own", tmp_path, "").transcribe(sound, SPANS, BABBLE)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, sound: np.ndarray) -> None:
    bad = tmp_path / "small.pt"
    bad.write_bytes(b"PK not a checkpoint")
    with pytest.raises(EngineError, match=r"small\.pt is not a Whisper checkpoint"):
        OpenaiWhisper("small", bad, "").transcribe(sound, SPANS, BABBLE)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    import torch

    torch.save({"dims": Path("x"), "model_state_dict": {}}, tmp_path / "evil.pt")
    with pytest.raises(EngineError, match=r"evil\.pt"):
        load_checkpoint(tmp_path / "evil.pt")


def test_an_unknown_language_is_refused(weights: Path, sound: np.ndarray) -> None:
    for engine in (
        OpenaiWhisper("own", weights / "whisper-own" / "own.pt", ""),
        FasterWhisper("own", weights / "faster-whisper-own", ""),
    ):
        with pytest.raises(EngineError, match="klingon"):
            engine.transcribe(sound, SPANS, replace(BABBLE, language="klingon"))


def test_near_spans_are_heard_together_and_far_ones_apart() -> None:
    spans = ((RATE, 2 * RATE), (4 * RATE, 5 * RATE), (20 * RATE, 21 * RATE))
    edge = RATE // 5
    assert passages(spans, 21 * RATE) == (
        (RATE - edge, 5 * RATE + edge),
        (20 * RATE - edge, 21 * RATE),
    )
    assert len(single_passages(spans, 30 * RATE)) == 3
    assert passages((), RATE) == ()


@given(st.lists(st.tuples(st.integers(1, 100_000), st.integers(1, 20_000_000)), max_size=9))
def test_passages_cover_all_speech_once(gaps_and_lengths: list[tuple[int, int]]) -> None:
    spans, at = [], 0
    for gap, length in gaps_and_lengths:
        spans.append((at + gap, at + gap + length))
        at += gap + length
    for found in (passages(spans, at), single_passages(spans, at)):
        edges = [edge for span in found for edge in span]
        assert edges == sorted(edges)
        assert all(0 <= edge <= at for edge in edges)
        covered = sum(min(b, e) - max(a, s) for a, b in spans for s, e in found if s < b and e > a)
        assert covered == sum(b - a for a, b in spans)
        assert all(end - start <= 601 * RATE for start, end in found)


def heard_once(*heard: Heard, options: TranscribeOptions = TranscribeOptions()) -> Transcript:
    """What becomes of segments of a passage that starts at 0.8 s."""
    return transcribe_passages(
        np.zeros(10 * RATE, dtype=np.float32),
        [(RATE, 2 * RATE)],
        options,
        decode=lambda passage, language: heard,
        detect=lambda passage: ("fr", 0.9),
    )


def test_words_are_placed_in_samples_of_the_sound() -> None:
    words = ((" Please", 0.2, 0.5, 0.9), (" call", 0.5, 0.75, 0.8), (" ", 0.75, 0.8, 0.5))
    found = heard_once(replace(SURE, words=words))
    assert [(w.text, w.start, w.end) for w in found.words] == [
        ("Please", 16_000, 20_800),
        ("call", 20_800, 24_800),
    ]
    assert found.language == "fr"
    assert found.warnings == ()


@pytest.mark.parametrize(
    "invented",
    [
        {"log_probability": -1.6},
        {"log_probability": -1.1, "no_speech": 0.7},
        {"compression": 2.5},
    ],
)
def test_segments_not_to_be_believed_are_dropped_and_told(invented: dict) -> None:
    segment = replace(SURE, words=((" Thanks", 0.2, 0.5, 0.9),), **invented)
    found = heard_once(segment)
    assert found.words == ()
    assert found.warnings == ("Segments dropped as not understood or invented: 1.",)


def test_soft_speech_that_is_well_understood_is_kept() -> None:
    word = ((" no", 0.2, 0.5, 0.9),)
    assert heard_once(replace(SURE, words=word, no_speech=0.9)).words
    assert heard_once(replace(SURE, words=word, log_probability=-1.2)).words


def test_a_word_far_from_speech_is_dropped() -> None:
    far = replace(SURE, words=((" bye", 0.0, 0.05, 0.9),))
    assert heard_once(far, options=TranscribeOptions(outside_ms=300)).words
    found = heard_once(far, options=TranscribeOptions(outside_ms=100))
    assert found.words == ()
    assert "nobody speaks" in found.warnings[0]


def test_the_language_is_voted_by_the_longest_passages() -> None:
    heard = {16_000: ("en", 0.5), 32_000: ("de", 0.6), 48_000: ("en", 0.4), 8_000: ("fr", 1.0)}
    starts = [0, 10 * RATE, 20 * RATE, 30 * RATE]
    spans = [(at, at + n) for at, n in zip(starts, heard, strict=True)]

    def detect(passage: np.ndarray) -> tuple[str, float]:
        return heard[min(heard, key=lambda n: abs(n - len(passage) + 6_000))]

    silent = np.zeros(40 * RATE, dtype=np.float32)
    found = transcribe_passages(silent, spans, TranscribeOptions(), lambda *_: (), detect)
    assert found.language == "en"


def test_auto_takes_the_best_model_and_says_so(weights: Path) -> None:
    choice = choose("auto", weights, allow_draft=True)
    assert (choice.kind, choice.name) == ("faster-whisper", "own")
    assert not choice.draft
    assert "faster-whisper own" in choice.reason
    assert choice.weights_sha256 in choice.key
    assert isinstance(load(choice), FasterWhisper)


def test_a_named_model_is_taken_or_its_absence_told(weights: Path) -> None:
    choice = choose("whisper:own", weights, allow_draft=False)
    assert choice.path == weights / "whisper-own" / "own.pt"
    assert isinstance(load(choice), OpenaiWhisper)
    assert choice.key != choose("faster-whisper:own", weights, allow_draft=False).key
    with pytest.raises(EngineError, match="large-v3"):
        choose("whisper:large-v3", weights, allow_draft=True)
    for nonsense in ("whisper", "whisper:", "siri:own", ""):
        with pytest.raises(UsageError, match="is no recogniser"):
            choose(nonsense, weights, allow_draft=True)


def test_models_rank_by_what_they_understand(tmp_path: Path) -> None:
    for name in ("tiny", "large-v3-turbo", "small", "large-v3", "distil-medium.en", "mine"):
        (tmp_path / f"faster-whisper-{name}").mkdir()
        (tmp_path / f"faster-whisper-{name}" / "model.bin").write_bytes(
            b"\6\0\0\0\x0cWhisperSpec\0"
        )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "model.bin").write_bytes(b"\6\0\0\0\x0eTransformerSpec\0")
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "pretrained.pt").write_bytes(b"model_state, not whisper")
    names = [name for _, name, _ in installed_models(tmp_path)]
    assert names == ["large-v3", "large-v3-turbo", "distil-medium.en", "small", "tiny", "mine"]


def test_without_weights_a_draft_is_made_only_where_allowed(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    allowed = choose("auto", tmp_path / "none here", allow_draft=True)
    assert (allowed.kind, allowed.draft) == ("pocketsphinx", True)
    assert load(allowed).draft
    assert load(allowed).card.stand_in
    refused = choose("auto", tmp_path, allow_draft=False)
    assert refused.kind == "none"
    assert "roomtone models" in refused.reason
    with pytest.raises(EngineError, match="roomtone models"):
        load(refused)
    with pytest.raises(EngineError, match="drafts are not allowed"):
        choose("pocketsphinx", tmp_path, allow_draft=False)
    assert choose("none", tmp_path, allow_draft=True).kind == "none"


def test_without_pocketsphinx_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: np.ndarray
) -> None:
    def absent(name: str) -> str:
        from importlib.metadata import PackageNotFoundError

        raise PackageNotFoundError(name)

    monkeypatch.setattr("models.speech.engines.version", absent)
    monkeypatch.setattr(draft, "version", absent)
    remedy = r'pip install "roomtone\[draft\]"'
    with pytest.raises(EngineError, match=remedy):
        draft.PocketSphinx().transcribe(sound, SPANS, TranscribeOptions())
    with pytest.raises(EngineError, match=remedy):
        choose("pocketsphinx", tmp_path, allow_draft=True)
    assert remedy.replace("\\", "") in choose("auto", tmp_path, allow_draft=True).reason


@pytest.mark.shared
def test_a_draft_of_clean_speech_has_most_words_where_they_are(harbour: Path) -> None:
    pytest.importorskip("pocketsphinx")
    take = json.loads((harbour / "truth/takes.json").read_text())["takes"]["14-T04"]
    clean, rate = sf.read(harbour / "truth/14-T04.boom-clean.flac", dtype="float32")
    clean = to_16k(clean, rate)
    spans = speech_spans(clean, ActivityOptions())
    found = draft.PocketSphinx().transcribe(clean, spans, TranscribeOptions(prompt="Ren"))
    assert_words_are_sound(found, len(clean), spans)
    assert any("prompt" in warning for warning in found.warnings)
    assert not any(mark in word.text for word in found.words for mark in "<>()[]")
    right = 0
    for turn in take["turns"]:
        start, end = turn["start"] // 3 - 8_000, turn["end"] // 3 + 8_000
        heard = [word.text for word in found.words if start <= word.start and word.end <= end]
        right += len(set(turn["text"].lower().split()) & set(heard))
    said = sum(len(set(turn["text"].lower().split())) for turn in take["turns"])
    assert right / said > 0.6
    assert len({word.confidence for word in found.words}) > 5
