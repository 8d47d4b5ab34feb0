"""A disk that is too small is told before the work begins, and what was there stays."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from production import Delivered, Home, sound_of

import flows.room
from core.errors import OutputError
from flows.room import SPARE, check_room

Usage = namedtuple("Usage", "total used free")


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Let every disk have so many bytes free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))


def test_folders_of_one_disk_need_room_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {tmp_path / "one": 600, tmp_path / "not" / "there yet": 600}
    leave(monkeypatch, SPARE + 1200)
    check_room(wanted)
    leave(monkeypatch, SPARE + 1199)
    with pytest.raises(OutputError, match=r"about 0\.0 MB are needed and 0\.0 MB are free"):
        check_room(wanted)
    check_room({tmp_path: 0})


def test_a_full_disk_is_told_before_a_take_is_cleaned(
    delivered: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, out = Home(tmp_path / "home"), tmp_path / "out"
    leave(monkeypatch, SPARE + 1_000_000)
    ran = home.run("clean", delivered.film / "v1.otio", "--out", out, "--direct")
    assert (ran.code, ran.out, ran.err.count("\n")) == (6, "", 1)
    assert str(out) in ran.err
    assert "roomtone prune shows what can go" in ran.err
    assert sound_of(home.folder / "store") == sound_of(out) == {}
    ran = home.run("clean", delivered.film / "sound" / "1-T01.wav", "--out", tmp_path / "one")
    assert (ran.code, ran.err.count("\n")) == (6, 1)
    assert sound_of(home.folder / "store") == {}


def test_what_is_asked_for_is_what_is_written(
    own_home: Home, delivered: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Mapping[Path, int]] = []
    monkeypatch.setattr(flows.room, "check_room", asked.append)
    lost = next((own_home.folder / "store").rglob("*.wav"))
    size = lost.stat().st_size
    lost.unlink()
    out = tmp_path / "out"
    words: tuple[Any, ...] = ("clean", delivered.film / "v1.otio", "--out", out, "--direct")
    assert own_home.run(*words).code == 0
    (wanted,) = asked
    assert 0.95 * size < wanted[own_home.folder / "store"] <= size
    written = sum(path.stat().st_size for path in out.rglob("*.wav"))
    assert 0.9 * written < wanted[out] < 2 * written
    assert own_home.run(*words).code == 0
    # Nothing is left to be cleaned, and the delivery takes the room that it has.
    assert asked[1][own_home.folder / "store"] == 0
    assert asked[1][out] < 0.5 * wanted[out]


def test_a_night_leaves_what_there_is_no_room_for(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(film / "sound", tmp_path / "dailies")
    leave(monkeypatch, SPARE)
    ran = Home(tmp_path / "home").run("nightly", tmp_path / "dailies", "--json")
    assert ran.code == 7, ran.err
    assert any("free some space" in note for note in ran.json["notes"])
    assert sound_of(tmp_path / "home" / "store") == {}
