"""A voice that was enrolled is met again in a take, also where it was taken for two there."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from production import Home

from adapters.media.probe import probe
from config.settings import Settings
from db.catalogue import lines_of
from flows import who_speaks
from flows.listen import listen_take
from flows.settle import settle_speakers
from flows.turnover import hash_media
from flows.workspace import Workspace, open_workspace
from models.speech.engines import EngineChoice

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        importlib.util.find_spec("resemblyzer") is None, reason="needs the speaker encoder"
    ),
]
NOBODY = EngineChoice("none", "", None, False, "")


def sentences(shared: Path, names: Sequence[str], path: Path) -> Path:
    """Sentences of `speech/transcribed`, half a second apart, as a file."""
    parts = []
    for name in names:
        sound, rate = sf.read(shared / f"speech/transcribed/{name}.wav", dtype="float32")
        parts += [sound, np.zeros(rate // 2, dtype=np.float32)]
    sf.write(path, np.concatenate(parts), rate, "PCM_16")
    return path


def speakers(work: Workspace, path: Path) -> list[str]:
    """Who speaks in a file of the production SEA, line by line, after it was listened to."""
    media = hash_media(work, probe(path))
    media = replace(media, notes=replace(media.notes, project="SEA", take=path.stem))
    listen_take(work, media, NOBODY, None)
    settle_speakers(work, "SEA")
    with work.database.read() as session:
        return [item.line.speaker for item in lines_of(session, None, media.essence)]


def test_an_enrolled_voice_names_its_lines(shared: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    learned = sentences(shared, ("spk2_snt1", "spk2_snt2", "spk2_snt3"), tmp_path / "learned.wav")
    own = sentences(shared, ("spk2_snt4", "spk2_snt5"), tmp_path / "own.wav")
    both = sentences(shared, ("spk1_snt1", "spk2_snt4", "spk1_snt2"), tmp_path / "both.wav")
    told = home.run("speakers", "enrol", "REN", learned, "--project", "SEA")
    assert told.code == 0, told.err
    with open_workspace(Settings(home=home.folder)) as work:
        assert set(speakers(work, own)) == {"REN"}
        named = speakers(work, both)
    assert named[0] == named[-1] != "REN"
    assert "REN" in named
    # Taken back, the voice is nobody's.
    assert home.run("speakers", "undo", "--project", "SEA").code == 0
    listed = home.run("speakers", "list", "--project", "SEA", "--json").json
    assert "REN" not in {item["name"] for item in listed}


def test_two_parts_of_an_enrolled_voice_are_one_speaker(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = who_speaks.turns_from_voices
    monkeypatch.setattr(
        who_speaks,
        "turns_from_voices",
        lambda sound, spans, _, encoder, expected=None: real(sound, spans, 2, encoder, expected),
    )
    home = Home(tmp_path / "home")
    learned = sentences(shared, ("spk2_snt1", "spk2_snt2", "spk2_snt3"), tmp_path / "learned.wav")
    own = sentences(shared, ("spk2_snt4", "spk2_snt5"), tmp_path / "own.wav")
    with open_workspace(Settings(home=home.folder)) as work:
        assert set(speakers(work, own)) == {"SPEAKER 1", "SPEAKER 2"}
    assert home.run("speakers", "enrol", "REN", learned, "--project", "SEA").code == 0
    listed = home.run("speakers", "list", "--project", "SEA", "--json").json
    assert [(item["name"], item["lines"] > 0) for item in listed] == [("REN", True)]
