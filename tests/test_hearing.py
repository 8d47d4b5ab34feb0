"""A take is decoded once and heard once: the same samples and the same speech for every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from synthetic_voice import placed, synthetic_voice

from adapters.media.decode import Sound
from adapters.media.probe import probe
from config.settings import Settings
from flows import hearing
from flows.hearing import decoded_once, in_samples, parts_at_16k, spoken, worked_once
from flows.workspace import Workspace, open_workspace

RATE = 48_000
FRAMES = 3 * hearing.BLOCK + 1_234
SPANS = [(0, 10), (-20, 50), (hearing.BLOCK - 5, 10), (100, FRAMES), (FRAMES - 3, 9), (FRAMES, 4)]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("held", [hearing.HELD_BYTES, 1])
def test_what_is_held_is_what_the_file_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subtype: str, held: int
) -> None:
    monkeypatch.setattr(hearing, "HELD_BYTES", held)
    path = tmp_path / "take.wav"
    sf.write(path, np.random.default_rng(1).uniform(-0.9, 0.9, (FRAMES, 3)), RATE, subtype)
    with Sound(path) as sound:
        reads = decoded_once(sound, (2, 0), subtype)
        for start, count in SPANS:
            expected = sound.read(start, count, (2, 0))
            for row, read in enumerate(reads):
                np.testing.assert_array_equal(read(start, count), expected[:, row])


def test_a_file_is_decoded_once_for_all_its_readers(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    sf.write(path, np.zeros((FRAMES, 2)), RATE, "PCM_24")
    asked = 0
    with Sound(path) as sound:
        plain = sound.read

        def counted(start: int, frames: int, channels: tuple[int, ...]) -> object:
            nonlocal asked
            asked += frames
            return plain(start, frames, channels)

        sound.read = counted  # type: ignore[method-assign, assignment]
        for read in decoded_once(sound, (0, 1), "PCM_24") * 3:
            read(0, FRAMES)
    assert asked == FRAMES


def test_work_on_a_channel_is_done_once() -> None:
    sound = np.random.default_rng(2).normal(size=FRAMES)
    asked = 0

    def mend(start: int, count: int) -> np.ndarray:
        nonlocal asked
        asked += count
        return sound[start : start + count]

    read = worked_once(mend, FRAMES, 1)
    for start, count in SPANS:
        inside = np.zeros(count)
        first, last = max(start, 0), min(start + count, FRAMES)
        inside[first - start : max(first, last) - start] = sound[first:last]
        np.testing.assert_array_equal(read(start, count), inside)
    assert asked == FRAMES


def test_speech_is_found_once_and_survives_a_damaged_cache(work: Workspace, tmp_path: Path) -> None:
    voice = placed(synthetic_voice(1.4, 110.0), 1.0, 4.0, -70.0)
    path = tmp_path / "take.wav"
    sf.write(path, np.repeat(voice, 3), RATE, "PCM_24")
    media = replace(probe(path), essence="e")
    heard = 0

    def hear() -> Iterator[np.ndarray]:
        nonlocal heard
        heard += 1
        with Sound(path) as sound:
            yield from parts_at_16k(decoded_once(sound, (0,), "PCM_24")[0], media.frames, RATE)

    first = spoken(work, media, 0, hear)
    assert first == spoken(work, media, 0, hear)
    # The gain of a quiet take must be known before it is listened to, so it is read twice.
    assert heard == 2
    (start, end), *rest = in_samples(first, media.frames, RATE)
    assert rest == []
    assert (start / RATE, end / RATE) == (pytest.approx(1.0, abs=0.3), pytest.approx(2.4, abs=0.3))
    (cached,) = work.cache.glob("*-speech.json")
    cached.write_text("[[1,")
    assert spoken(work, media, 0, hear) == first
    assert heard == 4
    spoken(work, media, 1, hear)
    assert heard == 6
