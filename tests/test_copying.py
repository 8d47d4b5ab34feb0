"""Listening copies are made in the background: once, with their progress told, faults told too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from production import TAKES, Home

from config.settings import Settings
from core.errors import OutputError
from core.media import MediaFile
from db.memory import remembered_media
from flows import copying
from flows.copying import Copying
from flows.listening_copy import Copy, copy_there, whole_copy
from flows.workspace import Workspace, open_workspace


@pytest.fixture
def work(own_home: Home) -> Iterator[Workspace]:
    with open_workspace(Settings(home=own_home.folder)) as found:
        yield found


@pytest.fixture
def take(work: Workspace) -> MediaFile:
    with work.database.read() as session:
        return next(m for m in remembered_media(session) if m.path.stem == TAKES[0].name)


def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


def test_a_copy_is_made_once_whoever_asks_and_then_is_there(
    work: Workspace, take: MediaFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, made = threading.Event(), []

    def slow(*asked: object) -> Copy:
        made.append(asked)
        told = asked[3]
        assert callable(told)
        told(0.25)
        go.wait(10)
        return whole_copy(work, take, 0)

    monkeypatch.setattr(copying, "whole_copy", slow)
    desk = Copying()
    assert desk.ask(work, take, 0) in (0.0, 0.25)
    until(lambda: desk.ask(work, take, 0) == 0.25)
    assert len(made) == 1
    assert copy_there(work, take, 0) is None
    go.set()
    until(lambda: isinstance(desk.ask(work, take, 0), Copy))
    assert len(made) == 1
    assert desk.ask(work, take, 0) == whole_copy(work, take, 0) == copy_there(work, take, 0)


def test_progress_rises_to_the_whole(work: Workspace, take: MediaFile) -> None:
    told: list[float] = []
    whole_copy(work, take, 0, told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert len(told) > 2


def test_a_fault_is_told_once_and_then_it_is_tried_again(
    work: Workspace, take: MediaFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Copy:
        raise OutputError("The cache is full.")

    monkeypatch.setattr(copying, "whole_copy", full)
    desk = Copying()
    with pytest.raises(OutputError, match="full"):
        until(lambda: not isinstance(desk.ask(work, take, 0), float))
    monkeypatch.undo()
    until(lambda: isinstance(desk.ask(work, take, 0), Copy))
