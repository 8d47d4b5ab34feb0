"""Changing the rate moves nothing in time and gives the same samples however it is read."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.media.decode import at_rate
from core.errors import OutputError


def sines(rate: int, frames: int) -> np.ndarray:
    """Two sines that start in mid-swing, from the formula."""
    t = np.arange(frames) / rate
    return np.stack(
        [0.4 * np.cos(2 * np.pi * 997 * t + 0.3), 0.4 * np.sin(2 * np.pi * 3001 * t)], axis=1
    )


def saved(folder: Path, rate: int, samples: np.ndarray) -> Path:
    path = folder / f"source-{rate}.wav"
    sf.write(path, samples, rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize(("old", "new"), [(48000, 16000), (44100, 48000), (48000, 48048)])
def test_the_sound_stays_where_it_was(tmp_path: Path, old: int, new: int) -> None:
    frames = old * 2 + 7
    made = at_rate(saved(tmp_path, old, sines(old, frames)), new, tmp_path / "cache", "key")
    found, rate = sf.read(made)
    assert rate == new
    assert sf.info(made).subtype == "FLOAT"
    wanted = sines(new, len(found))
    inside = slice(new // 10, len(found) - new // 10)
    # A tenth of a sample of lag at 3 kHz would be an error of -34 dB here.
    assert np.abs(found[inside] - wanted[inside]).max() < 1e-5


def test_blocks_leave_no_trace(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, (200_003, 1)).astype(np.float32)
    made = at_rate(saved(tmp_path, 48000, noise), 44100, tmp_path / "cache", "key")
    found, _ = sf.read(made, always_2d=True)
    wanted = soxr.resample(noise.astype(np.float64), 48000, 44100, quality="VHQ")
    length = min(len(found), len(wanted))
    assert abs(len(found) - len(wanted)) <= 1
    assert np.abs(found[:length] - wanted[:length]).max() < 1e-6


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    frames=st.integers(1, 5000),
    old=st.sampled_from([16000, 44100, 47952, 48000, 96000]),
    new=st.sampled_from([16000, 44100, 48000, 48048]),
)
def test_the_length_is_the_old_one_times_the_ratio_halves_up(
    tmp_path: Path, frames: int, old: int, new: int
) -> None:
    source = saved(tmp_path, old, np.zeros((frames, 1)))
    made = at_rate(source, new, tmp_path / "cache", f"{frames} {old}")
    wanted = math.floor(Fraction(frames * new, old) + Fraction(1, 2))
    assert sf.info(made).frames == wanted or (wanted == frames and old == new)


def test_the_right_rate_already_is_the_file_itself(tmp_path: Path) -> None:
    source = saved(tmp_path, 48000, sines(48000, 100))
    assert at_rate(source, 48000, tmp_path / "cache", "key") == source
    assert not (tmp_path / "cache").exists()


def test_it_is_made_once_under_its_key(tmp_path: Path) -> None:
    source, cache = saved(tmp_path, 48000, sines(48000, 4800)), tmp_path / "cache"
    first = at_rate(source, 16000, cache, "one/../key")
    stamp = first.stat().st_mtime_ns
    assert at_rate(source, 16000, cache, "one/../key") == first
    assert first.stat().st_mtime_ns == stamp
    others = {at_rate(source, 16000, cache, "two"), at_rate(source, 8000, cache, "one/../key")}
    assert first not in others
    assert {path.parent for path in others} == {cache}
    assert len(list(cache.iterdir())) == 3


def test_a_cache_that_is_no_folder_is_an_output_error(tmp_path: Path) -> None:
    source, cache = saved(tmp_path, 48000, sines(48000, 4800)), tmp_path / "cache"
    cache.write_text("in the way")
    with pytest.raises(OutputError, match="cache"):
        at_rate(source, 16000, cache, "key")
