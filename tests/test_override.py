"""A person's decision for a clip holds for the sound, in this cut and in every later one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from production import PER_FRAME, Delivered, Home, sound_of, stems, steps

from core.errors import ExitCode
from core.override import Override, holds_for

BOOM = Override("e", (0,), 1000, 2000, amount_db=6.0)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (1000, 2000, True),
        (1400, 1600, True),
        (0, 9000, True),
        (1600, 2600, False),
        (1400, 2400, True),
        (2000, 3000, False),
    ],
)
def test_a_decision_holds_where_more_than_half_is_shared(start: int, end: int, found: bool) -> None:
    assert (holds_for([BOOM], "e", (0,), start, end) == BOOM) is found


def test_another_take_or_microphone_is_another_matter() -> None:
    assert holds_for([BOOM], "f", (0,), 1000, 2000) is None
    assert holds_for([BOOM], "e", (1,), 1000, 2000) is None


def test_the_decision_that_shares_most_wins_then_the_later_one() -> None:
    near = Override("e", (0,), 900, 1700, amount_db=3.0)
    later = Override("e", (0,), 1000, 2000, recipe="gentle")
    assert holds_for([BOOM, near], "e", (0,), 1000, 2000) == BOOM
    assert holds_for([BOOM, near, later], "e", (0,), 1000, 2000) == later


def removed(out: Path, first: int, last: int) -> int:
    """The largest step of noise taken from the boom track between two record frames."""
    sound = steps(stems(out)["A1_DX.NR"])
    return int(np.abs(sound[first * PER_FRAME : last * PER_FRAME]).max())


def cleaned(home: Home, film: Path, version: str, out: Path, *more: str) -> None:
    ran = home.run("clean", film / f"{version}.otio", "--out", out, "--direct", *more)
    assert ran.code == 0, ran.err


def test_a_bypassed_clip_stays_as_it_was_in_the_next_version_too(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    film = delivered.film
    assert removed(delivered.out, 6, 36) > 0
    ran = own_home.run("override", film / "v1.otio", "A1 DX/001", "--bypass", "--note", "like it")
    assert ran.code == 0, ran.err
    # v2 plays the same stretch of 1-T01, shorter, and 2-T01 where v1 had 1-T02.
    cleaned(own_home, film, "v2", tmp_path / "v2")
    assert removed(tmp_path / "v2", 6, 30) == 0
    assert removed(tmp_path / "v2", 42, 76) > 0
    assert "bypass" in (tmp_path / "v2" / "report.html").read_text("utf-8")


def test_a_decision_taken_back_leaves_no_trace_in_the_sound(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    film = delivered.film
    for words in (("--amount", "3"), ("--clear",)):
        ran = own_home.run("override", film / "v1.otio", "A1 DX/001", "A1 DX/003", *words)
        assert ran.code == 0, ran.err
    cleaned(own_home, film, "v1", tmp_path / "again")
    assert sound_of(tmp_path / "again" / "stems") == sound_of(delivered.out / "stems")


def test_a_locked_clip_keeps_its_sound_under_another_recipe(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    film = delivered.film
    ran = own_home.run("override", film / "v1.otio", "A1 DX/001", "--lock")
    assert ran.code == 0, ran.err
    recipe = tmp_path / "light.toml"
    recipe.write_text("limit_db = 9\n")
    cleaned(own_home, film, "v1", tmp_path / "light", "--recipe", str(recipe))
    before, after = (steps(stems(out)["A1_DX.DX"]) for out in (delivered.out, tmp_path / "light"))
    locked, other = slice(6 * PER_FRAME, 44 * PER_FRAME), slice(110 * PER_FRAME, 140 * PER_FRAME)
    np.testing.assert_array_equal(before[locked], after[locked])
    assert np.abs(before[other] - after[other]).max() > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("A9/001", "--bypass"), "has no event 'A9/001'"),
        (("A1 DX/001",), "Say one of"),
        (("A1 DX/001", "--bypass", "--lock"), "Say one of"),
        (("A1 DX/001", "--recipe", "harsh"), "no recipe 'harsh'"),
    ],
)
def test_what_can_not_be_decided_is_said(
    delivered: Delivered, own_home: Home, words: tuple[str, ...], said: str
) -> None:
    ran = own_home.run("override", delivered.film / "v1.otio", *words)
    assert ran.code == ExitCode.USAGE
    assert said in ran.err
