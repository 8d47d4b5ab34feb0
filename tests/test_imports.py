"""A Whisper checkpoint comes in for both engines with no network, and both compute the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_voice import placed, synthetic_voice
from test_transcribe import BABBLE, SPANS
from tiny_whisper import write_tiny_checkpoint

from core.errors import EngineError
from models.speech import imports
from models.speech.convert import convert_checkpoint
from models.speech.engines import choose
from models.speech.faster import FasterWhisper
from models.speech.imports import import_weights
from models.speech.openai import OpenaiWhisper, load_checkpoint
from models.speech.same_model import MOST_APART, check_same, logits
from models.weights import WeightsFolder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("source") / "own.pt")


@pytest.fixture(scope="module")
def folder(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> WeightsFolder:
    """A folder of weights into which the checkpoint was imported."""
    folder = WeightsFolder(tmp_path_factory.mktemp("weights"))
    said: list[str] = []
    assert import_weights(folder, checkpoint, said.append) == ("own", "own-ct2")
    assert "Converting own" in said[0]
    return folder


def test_a_checkpoint_is_there_for_both_engines(folder: WeightsFolder) -> None:
    assert [item.name for item in folder.installed()] == ["own", "own-ct2"]
    assert choose("auto", folder.root, allow_draft=False).kind == "faster-whisper"
    assert choose("whisper:own", folder.root, allow_draft=False).path is not None
    assert not [path for path in folder.root.iterdir() if path.name[0] == "."]


def test_the_same_checkpoint_is_converted_once(
    folder: WeightsFolder, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(*_: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(imports, "convert_checkpoint", again)
    assert import_weights(folder, checkpoint, print) == ("own", "own-ct2")
    changed = write_tiny_checkpoint(tmp_path / "own.pt", vocabulary=51_864)
    with pytest.raises(AssertionError, match="converted again"):
        import_weights(WeightsFolder(tmp_path / "weights"), changed, print)


def test_logits_of_both_are_compared(checkpoint: Path, folder: WeightsFolder) -> None:
    model = load_checkpoint(checkpoint, "cpu")
    ours, theirs = logits(model, folder.root / "own-ct2")
    assert ours.shape == theirs.shape
    assert ours.shape[0] >= 3
    assert ours.shape[1] > 50_000
    assert np.abs(ours - theirs).max() < MOST_APART / 5
    np.testing.assert_array_equal(ours.argmax(axis=1), theirs.argmax(axis=1))


def test_a_model_that_computes_something_else_is_refused(
    checkpoint: Path, folder: WeightsFolder
) -> None:
    import torch

    model = load_checkpoint(checkpoint, "cpu")
    with torch.no_grad():
        model.decoder.ln.bias += 0.1
    with pytest.raises(EngineError, match="doesn't compute what the checkpoint does"):
        check_same(model, folder.root / "own-ct2")


def test_a_conversion_that_failed_leaves_nothing(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise EngineError("not the same")

    monkeypatch.setattr("models.speech.convert.check_same", fails)
    with pytest.raises(EngineError, match="not the same"):
        convert_checkpoint(checkpoint, tmp_path / "made" / "own")
    assert list((tmp_path / "made").iterdir()) == []


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return placed(synthetic_voice(2, 130), 1, 14)


def test_both_engines_write_the_same_words_greedily(
    checkpoint: Path, folder: WeightsFolder, sound: np.ndarray
) -> None:
    greedy = replace(BABBLE, language="en")
    torch = OpenaiWhisper("own", checkpoint, "", device="cpu", threads=1)
    ct2 = FasterWhisper(
        "own", folder.root / "own-ct2", "", device="cpu", threads=1, number_format="float32"
    )
    theirs = torch.transcribe(sound, SPANS[:1], greedy)
    ours = ct2.transcribe(sound, SPANS[:1], greedy)
    assert len(ours.words) > 5
    assert [word.text for word in ours.words] == [word.text for word in theirs.words]
    assert (theirs.path, ours.path) == ("cpu float32", "cpu float32")


def test_passages_decoded_together_keep_their_places(
    folder: WeightsFolder, sound: np.ndarray
) -> None:
    engine = FasterWhisper("own", folder.root / "own-ct2", "", device="cpu", together=True)
    found = engine.transcribe(sound, SPANS, replace(BABBLE, language="en", batch=2))
    assert found.path == "cpu int8_float32 in batches"
    for start, end in SPANS:
        assert any(start <= word.start <= end for word in found.words)
    usual = replace(BABBLE, language="en", min_log_probability=-1.0, max_compression=2.4)
    assert engine.transcribe(sound, SPANS, usual).words == ()
