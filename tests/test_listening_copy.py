"""Listening copies hold the original and the cleaned sound, and lose nothing of either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from production import TAKES, Home

from config.settings import Settings
from core.errors import UsageError
from core.media import MediaFile
from db.memory import remembered_media
from flows import listening_copy
from flows.cleaned import cleaned_last
from flows.workspace import Workspace, open_workspace

BOOM = 0


@pytest.fixture
def work(own_home: Home) -> Iterator[Workspace]:
    """The home of a delivery, open."""
    with open_workspace(Settings(home=own_home.folder)) as found:
        yield found


def media(work: Workspace, name: str) -> MediaFile:
    """A take of the production."""
    with work.database.read() as session:
        return next(m for m in remembered_media(session) if m.path.stem == name)


def test_left_is_the_original_and_right_the_cleaned_take_with_its_gain(work: Workspace) -> None:
    take = media(work, TAKES[0].name)
    copy = listening_copy.whole_copy(work, take, BOOM)
    heard, rate = sf.read(copy.path, dtype="float64")
    assert (rate, len(heard), copy.end) == (48_000, TAKES[0].samples, TAKES[0].samples)
    assert copy.match is not None
    raw = sf.read(take.path, dtype="float64", always_2d=True)[0][:, BOOM]
    cleaned = cleaned_last(work, take, (BOOM,))
    assert cleaned is not None
    clean = sf.read(cleaned.path, dtype="float64", always_2d=True)[0]
    clean = clean[:, cleaned.channels.index(BOOM)]
    scale, gain = copy.match.scale, 10 ** (copy.match.gain_db / 20)
    step = 2.0**-23
    np.testing.assert_allclose(heard[:, 0], scale * raw, atol=step)
    np.testing.assert_allclose(heard[:, 1], scale * gain * clean, atol=step)


def test_peaks_are_the_extremes_of_what_is_heard(work: Workspace) -> None:
    copy = listening_copy.whole_copy(work, media(work, TAKES[0].name), BOOM)
    heard = sf.read(copy.path, dtype="float64")[0]
    assert copy.match is not None
    removed = 10 ** (copy.match.gain_db / 20) * heard[:, 0] - heard[:, 1]
    for most in (50, 10_000):
        found = listening_copy.peaks(copy, most)
        assert found.shape[0] == 3
        assert found.shape[1] <= most
        for row, sound in zip(found, (heard[:, 0], heard[:, 1], removed), strict=True):
            assert row[:, 0].min() == pytest.approx(127 * sound.min(), abs=0.6)
            assert row[:, 1].max() == pytest.approx(127 * sound.max(), abs=0.6)


def test_an_excerpt_is_that_stretch_of_the_whole_with_soft_ends(work: Workspace) -> None:
    take = media(work, TAKES[0].name)
    whole = sf.read(listening_copy.whole_copy(work, take, BOOM).path, dtype="float64")[0]
    copy = listening_copy.excerpt(work, take, BOOM, 40_000, 90_000)
    part = sf.read(copy.path, dtype="float64")[0]
    assert part.shape == (50_000, 2)
    fade = 400
    np.testing.assert_allclose(
        part[fade:-fade], whole[40_000 + fade : 90_000 - fade], atol=2.0**-22
    )
    assert abs(part[0]).max() < 1e-3


def test_it_is_made_once(work: Workspace) -> None:
    take = media(work, TAKES[0].name)
    first = listening_copy.whole_copy(work, take, BOOM).path
    made = first.stat().st_mtime_ns
    assert listening_copy.whole_copy(work, take, BOOM).path.stat().st_mtime_ns == made


def test_a_microphone_that_was_not_cleaned_is_heard_as_it_is(work: Workspace) -> None:
    take = media(work, TAKES[0].name)
    alone = [k for k in range(take.channels) if cleaned_last(work, take, (k,)) is None]
    for channel in alone:
        copy = listening_copy.whole_copy(work, take, channel)
        assert copy.match is None
        assert sf.info(copy.path).channels == 1
        assert listening_copy.peaks(copy, 10).shape[0] == 1


@pytest.mark.parametrize(("start", "end"), [(5, 5), (-1, 9), (0, 10**9), (9, 3)])
def test_a_stretch_that_is_not_there_is_refused(work: Workspace, start: int, end: int) -> None:
    with pytest.raises(UsageError):
        listening_copy.excerpt(work, media(work, TAKES[0].name), BOOM, start, end)


def test_forgetting_leaves_no_copy(work: Workspace, own_home: Home) -> None:
    take = media(work, TAKES[0].name)
    made = listening_copy.excerpt(work, take, BOOM, 0, 48_000).path
    whole: Path = listening_copy.whole_copy(work, take, BOOM).path
    ran = own_home.run("forget", "--take", TAKES[0].name, "--yes")
    assert ran.code == 0, ran.err
    assert not made.exists()
    assert not whole.exists()
    assert not list(work.cache.glob("*.npy"))
