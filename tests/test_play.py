"""Hits are played one after another, and keys decide; without a device one sentence says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray
from production import PER_FRAME, RATE, Home, tell

from adapters.media import device
from cli.play import play_hits
from config.settings import Settings
from core.errors import InputError, OfflineError, OutputError
from db.catalogue import Hit
from db.search.closeness import Closeness
from flows.cleaned import cleaned_last
from flows.play import sound_of_line
from flows.search import find_lines
from flows.workspace import Workspace, open_workspace

SAID = {"1-T01": ((30, "the blue suitcase"),), "1-T02": ((40, "blue suitcases"),)}


class FakeDevice:
    """A device on which a sound lasts for two looks."""

    def __init__(self) -> None:
        self.heard: list[tuple[NDArray[np.float32], int]] = []
        self.left = 0
        self.stopped = 0

    def start(self, sound: NDArray[np.float32], sample_rate: int) -> None:
        self.heard.append((sound, sample_rate))
        self.left = 2

    def playing(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def work(own_home: Home) -> Iterator[Workspace]:
    tell(own_home, SAID)
    with open_workspace(Settings(home=own_home.folder)) as found:
        yield found


@pytest.fixture
def hits(work: Workspace) -> tuple[Hit, ...]:
    found = find_lines(work.database, "blue", 9, how="words")
    assert [hit.how for hit in found] == [Closeness.EXACT] * 2
    return tuple(sorted(found, key=lambda hit: hit.found.name))


def test_a_line_is_its_microphone_with_a_little_around_it(
    work: Workspace, hits: tuple[Hit, ...]
) -> None:
    line = hits[0].found
    start, end = 30 * PER_FRAME - round(0.4 * RATE), 45 * PER_FRAME + round(0.6 * RATE)
    raw = sound_of_line(work, line, "raw")
    assert line.path is not None
    whole = sf.read(line.path)[0][:, 0]
    inside = slice(1000, -1000)
    np.testing.assert_allclose(raw[inside], whole[start:end][inside], atol=1e-6)
    assert (raw[0], raw[-1]) == (0, 0)
    clean = sound_of_line(work, line, "cleaned")
    with work.database.read() as session:
        from db.memory import media_by_essence

        media = media_by_essence(session)[line.essence]
    cleaned = cleaned_last(work, media, (0,))
    assert cleaned is not None
    kept = sf.read(cleaned.path, always_2d=True)[0][:, cleaned.channels.index(0)]
    np.testing.assert_allclose(clean[inside], kept[start:end][inside], atol=1e-6)


@pytest.mark.parametrize(
    ("pressed", "played"),
    [("", 2), ("\n", 2), (" ", 3), ("q", 1), ("\x1b", 1), ("x n", 3)],
)
def test_keys_go_on_repeat_and_end(hits: tuple[Hit, ...], pressed: str, played: int) -> None:
    left = list(pressed)
    out = FakeDevice()
    quiet = np.zeros(10, np.float32)
    play_hits(hits, lambda _: quiet, out, lambda _: left.pop(0) if left else "")
    assert len(out.heard) == played
    assert out.stopped >= 1
    assert {rate for _, rate in out.heard} == {RATE}


def test_what_can_not_be_heard_is_told_and_passed_over(
    hits: tuple[Hit, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    def sound(hit: Hit) -> NDArray[np.float32]:
        if hit is hits[0]:
            raise OfflineError("The media of 1-T01 are offline, so it can't be heard.")
        return np.zeros(10, np.float32)

    out = FakeDevice()
    assert play_hits(hits, sound, out, lambda _: "") == 1
    told = capsys.readouterr()
    assert "1/2  1-T01  10:00:01:06  REN  the blue suitcase" in told.out
    assert "offline" in told.err


def test_what_is_offline_or_not_cleaned_is_a_sentence(
    work: Workspace, hits: tuple[Hit, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.play.cleaned_last", lambda *_: None)
    with pytest.raises(InputError, match="not cleaned yet"):
        sound_of_line(work, hits[0].found, "cleaned")
    monkeypatch.setattr("flows.play.media_by_essence", lambda *_: {})
    with pytest.raises(OfflineError, match="1-T01"):
        sound_of_line(work, hits[0].found, "raw")


def test_a_search_plays_what_it_finds(work: Workspace, own_home: Home, monkeypatch: Any) -> None:
    out = FakeDevice()
    monkeypatch.setattr(device, "open_device", lambda: out)
    ran = own_home.run("search", "blue", "--by", "words", "--play", "--sound", "cleaned")
    assert (ran.code, ran.err) == (0, "")
    assert len(out.heard) == 2
    assert "2/2" in ran.out
    assert own_home.run("search", "blue", "--play", "--json").code == 2
    assert own_home.run("search", "--event", "slate", "--play").code == 2


class Driver(SimpleNamespace):
    """The module sounddevice, as far as it is used."""

    class PortAudioError(Exception):
        pass


def test_without_driver_library_or_device_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(**_: Any) -> None:
        raise Driver.PortAudioError("Error querying device -1")

    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(OutputError, match="pip install sounddevice"):
        device.open_device()
    monkeypatch.setitem(sys.modules, "sounddevice", Driver(query_devices=none))
    with pytest.raises(OutputError, match="no sound device"):
        device.open_device()


def test_the_driver_is_asked_to_play_and_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    driver = Driver(
        query_devices=lambda **_: {},
        play=lambda sound, rate: asked.append((len(sound), rate)),
        stop=lambda: asked.append("stop"),
        get_stream=lambda: SimpleNamespace(active=True),
    )
    monkeypatch.setitem(sys.modules, "sounddevice", driver)
    out = device.open_device()
    out.start(np.zeros(7, np.float32), 48_000)
    assert out.playing()
    out.stop()
    assert asked == [(7, 48_000), "stop"]

    def refused(*_: Any) -> None:
        raise Driver.PortAudioError("Invalid sample rate")

    driver.play = refused
    with pytest.raises(OutputError, match="44100 Hz"):
        out.start(np.zeros(7, np.float32), 44_100)
