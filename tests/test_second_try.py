"""The cleaned sound is heard only where the original left something doubtful, and lines say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from synthetic_voice import placed, synthetic_voice

from adapters.media.essence import file_sha256
from adapters.media.probe import probe
from config.settings import Settings
from core.media import MediaFile
from core.speech import Word
from db.catalogue import lines_of
from db.memory import AssetRecord, remember_asset
from flows import transcribe
from flows.listen import listen_take, recall_lines
from flows.transcribe import CleanedSound, prompt_of
from flows.turnover import hash_media
from flows.workspace import Workspace, open_workspace
from models.card import ModelCard
from models.speech.engines import EngineChoice
from models.speech.protocol import Span, TranscribeOptions, Transcript
from models.speech.second_try import with_second_try

RATE = 48_000
CHOICE = EngineChoice("faster-whisper", "fake", Path("fake"), False, "", key="fake:1")
CARD = ModelCard("fake", "1", "none", "", "MIT", "nothing", "here")
CLEANED = 0.05
"""Peak under which the fake recogniser takes a sound for the cleaned one."""


def spoken(*words: tuple[str, int, float]) -> tuple[Word, ...]:
    return tuple(Word(text, at, at + 10, sure) for text, at, sure in words)


def test_a_second_try_fills_what_the_first_left_empty_and_touches_nothing_else() -> None:
    first = Transcript(spoken(("good", 5, 0.9)), "en", (), ((100, 200),))
    second = Transcript(spoken(("bad", 5, 1.0), ("new", 110, 0.4)), "en", ("Told.",), ())
    found, taken = with_second_try(first, second)
    assert [word.text for word in found.words] == ["good", "new"]
    assert [word.text for word in taken] == ["new"]
    assert found.doubtful == ()
    assert found.warnings == ("Told.",)


@pytest.mark.parametrize(("sure", "kept"), [(0.25, "hm"), (0.35, "new")])
def test_doubtful_words_give_way_only_to_surer_ones(sure: float, kept: str) -> None:
    first = Transcript(spoken(("hm", 110, 0.2)), "en", (), ((100, 200),))
    second = Transcript(spoken(("new", 120, sure)), "en", (), ((100, 200),))
    found, taken = with_second_try(first, second)
    assert [word.text for word in found.words] == [kept]
    assert bool(taken) == (kept == "new")
    assert found.doubtful == ((100, 200),)


def test_nothing_heard_twice_stays_nothing() -> None:
    first = Transcript((), "", (), ((100, 200),))
    assert with_second_try(first, first) == (first, frozenset())


@dataclass
class Fake:
    """Understands the first stretch of the original, and of the cleaned sound all it is asked."""

    card: ModelCard = CARD
    draft: bool = False
    asked: list[tuple[bool, tuple[Span, ...]]] = field(default_factory=list)
    understands_all: bool = False

    def transcribe(
        self, sound: np.ndarray, spans: Sequence[Span], options: TranscribeOptions
    ) -> Transcript:
        cleaned = bool(np.abs(sound).max() < CLEANED)
        self.asked.append((cleaned, tuple(spans)))
        heard = spans if cleaned or self.understands_all else spans[:1]
        words = tuple(Word("clean" if cleaned else "raw", a, b, 0.9) for a, b in heard)
        left = tuple(span for span in spans if span not in heard)
        return Transcript(words, "en", (), left, "cpu")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    engine = Fake()
    transcribe._loaded.cache_clear()
    monkeypatch.setattr(transcribe, "load", lambda *_: engine)
    yield engine
    transcribe._loaded.cache_clear()


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    with open_workspace(Settings(home=tmp_path / "home")) as work:
        yield work


@pytest.fixture
def take(work: Workspace, tmp_path: Path) -> MediaFile:
    """A take with two stretches of a voice."""
    voice = synthetic_voice(2, 130)
    sound = np.concatenate([placed(voice, 1, 5), placed(voice, 1, 5)])
    path = tmp_path / "1-T01.wav"
    sf.write(path, np.repeat(sound, 3), RATE, subtype="PCM_24")
    return hash_media(work, probe(path))


@pytest.fixture
def cleaned(work: Workspace, take: MediaFile, tmp_path: Path) -> CleanedSound:
    path = tmp_path / "cleaned.wav"
    sf.write(path, 0.01 * sf.read(take.path)[0], RATE, subtype="FLOAT")
    asset = AssetRecord(file_sha256(path), "clean", path.name, path.stat().st_size, "WAV")
    with work.database.write() as session:
        remember_asset(session, asset, path)
    return CleanedSound("cleaned-key", asset.sha256, path, 0)


def known(work: Workspace, media: MediaFile) -> list[tuple[str, str]]:
    with work.database.read() as session:
        found = lines_of(session, None, media.essence)
    return [(item.line.text, item.line.heard_in) for item in found]


def test_only_what_failed_is_heard_in_the_cleaned_sound(
    work: Workspace, take: MediaFile, cleaned: CleanedSound, fake: Fake
) -> None:
    heard = listen_take(work, take, CHOICE, cleaned)
    (_, spans), (_, again) = fake.asked
    assert [was for was, _ in fake.asked] == [False, True]
    assert again == spans[1:]
    told = [(line.text, line.heard_in) for line in heard.lines]
    assert [line for line in told if line[0]] == [("raw", "original")] + [
        ("clean", "cleaned") for _ in again
    ]
    assert known(work, take) == told


def test_work_is_done_again_only_for_another_cleaned_sound(
    work: Workspace, take: MediaFile, cleaned: CleanedSound, fake: Fake
) -> None:
    other = replace(cleaned, key="other")
    first = listen_take(work, take, CHOICE, cleaned)
    again = recall_lines(work, take, CHOICE, cleaned)
    assert again is not None
    assert (again.lines, again.key) == (first.lines, first.key)
    assert recall_lines(work, take, CHOICE, other) is None
    assert recall_lines(work, take, CHOICE, None) is not None


def test_what_was_understood_does_not_depend_on_the_cleaned_sound(
    work: Workspace, take: MediaFile, cleaned: CleanedSound, fake: Fake
) -> None:
    fake.understands_all = True
    first = listen_take(work, take, CHOICE, cleaned)
    assert [was for was, _ in fake.asked] == [False]
    for sound in (None, cleaned, replace(cleaned, key="other")):
        found = recall_lines(work, take, CHOICE, sound)
        assert found is not None
        assert found.key == first.key


def test_without_a_cleaned_sound_the_doubtful_is_tried_when_there_is_one(
    work: Workspace, take: MediaFile, cleaned: CleanedSound, fake: Fake
) -> None:
    listen_take(work, take, CHOICE, None)
    assert recall_lines(work, take, CHOICE, None) is not None
    assert recall_lines(work, take, CHOICE, cleaned) is None


def test_a_prompt_holds_names_and_terms_and_is_bounded() -> None:
    assert prompt_of("A ship.", ["halyard"], ["STELLA", "McNulty", "STELLA"]) == (
        "A ship. Stella, McNulty, halyard."
    )
    assert prompt_of("", [], []) == ""
    many = prompt_of("", [f"term{n}" for n in range(500)], ["JOHN"])
    assert many.startswith("John, term0, ")
    assert 380 < len(many) <= 400
    assert len(prompt_of("x" * 1_000, ["term"], [])) == 400
