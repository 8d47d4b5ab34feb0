"""pyannote's pipelines run from a local folder, silent towards the network, or are asked for.

The library itself and its weights are not here: a module of the same surface stands for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
from production import Home

from adapters.media.probe import probe
from config.recipes import load_recipe
from config.settings import Settings
from core.errors import EngineError, UsageError
from core.media import MediaFile
from core.privacy import Mark
from core.speech import Turn
from db.catalogue import lines_of
from flows import who_speaks
from flows.job import choose_engines
from flows.listen import listen_take
from flows.privacy import Marking, mark_production
from flows.turnover import hash_media
from flows.who_speaks import speaking_key
from flows.workspace import Workspace, open_workspace
from models.speech import diarizers, pyannote_local
from models.speech.diarizers import choose_diarizer
from models.speech.engines import EngineChoice
from models.speech.pyannote_local import PyannotePipeline
from models.weights import WeightsFolder

NOBODY = EngineChoice("none", "", None, False, "")
SOUND = np.zeros(160_000, dtype=np.float32)
CONFIG = "pipeline:\n  name: pyannote.audio.pipelines.SpeakerDiarization\n"


@dataclass(frozen=True)
class Segment:
    start: float
    end: float


class Annotation:
    def __init__(self, *found: tuple[float, float, str]) -> None:
        self.found = found

    def itertracks(self, yield_label: bool) -> Iterator[tuple[Segment, str, str]]:
        assert yield_label
        for number, (start, end, label) in enumerate(self.found):
            yield Segment(start, end), str(number), label


@dataclass(frozen=True)
class Output:
    speaker_diarization: Annotation
    exclusive_speaker_diarization: Annotation


class Pipeline:
    """What `pyannote.audio` 4 gives as `Pipeline`."""

    asked: ClassVar[list[dict[str, Any]]] = []
    told = Annotation((1.0, 2.0, "SPEAKER_01"), (0.5, 1.5, "SPEAKER_00"), (1.9, 3.0, "SPEAKER_00"))

    @classmethod
    def from_pretrained(cls, checkpoint: str) -> Pipeline:
        assert os.environ["HF_HUB_OFFLINE"] == "1"
        assert os.environ["PYANNOTE_METRICS_ENABLED"] == "0"
        if "pipeline" not in (Path(checkpoint) / "config.yaml").read_text():
            raise ValueError("no pipeline\nin many lines")
        return cls()

    def __call__(self, file: dict[str, Any], **known: int) -> Output:
        assert file["sample_rate"] == 16_000
        assert tuple(file["waveform"].shape) == (1, file["waveform"].shape[1])
        Pipeline.asked.append(known)
        return Output(self.told, Annotation())


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library as if it was installed."""
    module = ModuleType("pyannote.audio")
    vars(module)["Pipeline"] = Pipeline
    monkeypatch.setitem(sys.modules, "pyannote", ModuleType("pyannote"))
    monkeypatch.setitem(sys.modules, "pyannote.audio", module)
    for place in (diarizers, pyannote_local):
        monkeypatch.setattr(place, "version", lambda name: "4.0.7")
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "PYANNOTE_METRICS_ENABLED"):
        monkeypatch.setenv(name, "true")
    Pipeline.asked = []
    who_speaks._pipeline.cache_clear()


def pipeline_in(folder: Path, config: str = CONFIG) -> Path:
    """A folder as the authors' repository has it."""
    for part in ("segmentation", "embedding"):
        (folder / part).mkdir(parents=True)
        (folder / part / "pytorch_model.bin").write_bytes(part.encode())
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / "config.yaml").write_text(config)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home", denoiser="rnnoise")) as opened:
        yield opened


@pytest.fixture
def media(work: Workspace, film: Path) -> MediaFile:
    """A take with one microphone that is nobody's."""
    found = hash_media(work, probe(film / "sound" / "1-T01.wav"))
    return replace(found, notes=replace(found.notes, track_names=((0, "BOOM"),)))


def test_turns_overlap_and_are_named_as_they_come(tmp_path: Path) -> None:
    engine = PyannotePipeline(pipeline_in(tmp_path / "community-1"), "sha", "cpu")
    assert engine.turns(SOUND, None, None) == (
        Turn("SPEAKER 1", 8_000, 24_000),
        Turn("SPEAKER 2", 16_000, 32_000),
        Turn("SPEAKER 1", 30_400, 48_000),
    )
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_what_is_known_of_the_count_is_passed_on(tmp_path: Path) -> None:
    engine = PyannotePipeline(pipeline_in(tmp_path / "community-1"), "sha", "cpu")
    for count, expected in ((None, None), (2, None), (None, 3), (2, 3)):
        engine.turns(SOUND, count, expected)
    # One more than expected may speak: whoever reads out the slate.
    assert Pipeline.asked == [
        {},
        {"num_speakers": 2},
        {"max_speakers": 4},
        {"num_speakers": 2},
    ]


def test_pauses_in_which_nobody_else_begins_stay_in_a_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = PyannotePipeline(pipeline_in(tmp_path / "community-1"), "sha", "cpu")
    told = Annotation((0.0, 1.0, "A"), (1.5, 2.0, "A"), (2.8, 3.0, "A"), (5.0, 5.0, "B"))
    monkeypatch.setattr(Pipeline, "told", told)
    assert engine.turns(SOUND, None, None) == (
        Turn("SPEAKER 1", 0, 32_000),
        Turn("SPEAKER 1", 44_800, 48_000),
    )


def test_a_hub_that_was_imported_before_stays_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = ModuleType("huggingface_hub.constants")
    vars(hub)["HF_HUB_OFFLINE"] = False
    monkeypatch.setitem(sys.modules, "huggingface_hub.constants", hub)
    pyannote_local._stay_offline()
    assert vars(hub)["HF_HUB_OFFLINE"] is True


def test_what_can_not_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    broken = pipeline_in(tmp_path / "broken", "SpeakerDiarization")
    with pytest.raises(EngineError, match=r"broken can't be read \(no pipeline\)"):
        PyannotePipeline(broken, "sha", "cpu").turns(SOUND, None, None)


def test_the_best_that_is_there_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = WeightsFolder(tmp_path / "weights")
    weights.root.mkdir()
    assert choose_diarizer("auto", weights).kind == "voices"
    with pytest.raises(EngineError, match="models import FOLDER"):
        choose_diarizer("pyannote", weights)
    with pytest.raises(UsageError, match="auto, voices, pyannote"):
        choose_diarizer("nemo", weights)
    with pytest.raises(EngineError, match="is no pipeline of pyannote"):
        choose_diarizer(f"pyannote:{tmp_path}", weights)
    elsewhere = pipeline_in(tmp_path / "elsewhere")
    named = choose_diarizer(f"pyannote:{elsewhere}", weights)
    assert (named.kind, named.folder) == ("pyannote", elsewhere)
    assert weights.import_from(elsewhere) == ("elsewhere",)
    assert (weights.root / "elsewhere/segmentation/pytorch_model.bin").is_file()
    assert not (weights.root / "elsewhere/.git").exists()
    assert [item.kind for item in weights.installed()] == ["speakers"]
    found = choose_diarizer("auto", weights)
    assert (found.folder, found.key) == (weights.root / "elsewhere", named.key)
    assert choose_diarizer("voices", weights).kind == "voices"

    def missing(name: str) -> str:
        raise diarizers.PackageNotFoundError(name)

    monkeypatch.setattr(diarizers, "version", missing)
    without = choose_diarizer("auto", weights)
    assert (without.kind, without.key) == ("voices", "")
    assert "pip install" in without.reason
    with pytest.raises(EngineError, match="pip install"):
        choose_diarizer("pyannote", weights)


def test_a_changed_pipeline_is_refused(tmp_path: Path) -> None:
    weights = WeightsFolder(tmp_path / "weights")
    weights.import_from(pipeline_in(tmp_path / "community-1"))
    (weights.root / "community-1/embedding/pytorch_model.bin").write_bytes(b"other")
    with pytest.raises(EngineError, match=r"embedding/pytorch_model\.bin"):
        choose_diarizer("auto", weights)


def test_a_take_is_told_apart_by_it_and_again_when_it_comes(
    work: Workspace, media: MediaFile, tmp_path: Path
) -> None:
    before = speaking_key(work, media)
    work.weights.import_from(pipeline_in(tmp_path / "community-1"))
    assert speaking_key(work, media) != before
    engines = choose_engines(work, load_recipe("standard"))
    assert any("community-1" in note for note in engines.notes)
    listen_take(work, media, NOBODY, None)
    with work.database.read() as session:
        found = [item.line for item in lines_of(session, None, media.essence)]
    assert [line.speaker for line in found] == ["SPEAKER 1", "SPEAKER 2", "SPEAKER 1"]
    assert found[1].overlap > 0.5


def test_no_voice_profile_asks_no_pipeline(
    work: Workspace, media: MediaFile, tmp_path: Path
) -> None:
    work.weights.import_from(pipeline_in(tmp_path / "community-1"))
    mark_production(work, Marking("SMALL FILM", (Mark.NO_VOICE_PROFILE,), ()), "jo")
    heard = listen_take(work, media, NOBODY, None)
    assert Pipeline.asked == []
    assert {line.speaker for line in heard.lines} == {""}


def test_it_is_imported_by_hand_and_listed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    told = home.run("models", "import", pipeline_in(tmp_path / "community-1"))
    assert told.code == 0, told.err
    listed = home.run("models", "list", "--json").json["installed"]
    assert [(item["name"], item["kind"]) for item in listed] == [("community-1", "speakers")]
