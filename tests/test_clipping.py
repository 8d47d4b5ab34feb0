"""Clipping: only at a true rail, restored beyond it, every other sample as it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from test_clicks import reader, voice

from models.repair.clipping import ClippingOptions, Rails, find_rails, mend_clipping
from models.repair.patches import Samples, patched


def restored(sound: Samples, rate: int) -> Samples:
    rails = find_rails(reader(sound), len(sound), ClippingOptions())
    assert rails is not None
    patches, _, _ = mend_clipping(reader(sound), len(sound), rate, rails)
    return patched(reader(sound), patches)(0, len(sound))


def sdr(clean: Samples, other: Samples) -> float:
    return float(10 * np.log10(np.sum(clean**2) / np.sum((clean - other) ** 2)))


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_clipped_peaks_are_restored_beyond_the_rail(rate: int) -> None:
    clean = voice(rate, 4)
    rail = 0.6 * np.abs(clean).max()
    clipped = np.clip(clean, -rail, rail)
    after = restored(clipped, rate)
    at = np.abs(clipped) >= rail
    assert np.array_equal(
        after[np.abs(clipped) < rail * 0.9999], clean[np.abs(clean) < rail * 0.9999]
    )
    assert np.all(np.abs(after[at]) >= rail)
    assert np.abs(after).max() > 1.2 * rail
    assert sdr(clean[at], after[at]) > sdr(clean[at], clipped[at]) + 8


def test_one_polarity_may_be_clipped_alone() -> None:
    clean = voice(48_000, 4)
    clipped = np.minimum(clean, 0.4 * clean.max())
    rails = find_rails(reader(clipped), len(clipped), ClippingOptions())
    assert rails == Rails(-np.inf, clipped.max())


@pytest.mark.parametrize("hz", [50, 100, 997, 1000])
def test_round_peaks_of_a_tone_are_no_rail(hz: int) -> None:
    # In 16 bits the top of a low tone is a run of equal samples.
    time = np.arange(96_000) / 48_000
    sound = np.rint(np.sin(2 * np.pi * hz * time) * 32_767) / 32_768
    assert find_rails(reader(sound), len(sound), ClippingOptions()) is None


def test_a_voice_and_the_noise_of_a_muted_channel_have_no_rail() -> None:
    sound = voice(48_000, 4)
    assert find_rails(reader(sound), len(sound), ClippingOptions()) is None
    steps = np.random.default_rng(1).integers(-1, 2, 96_000) / 2**15
    assert find_rails(reader(steps), len(steps), ClippingOptions()) is None


def test_passages_are_told_with_their_samples() -> None:
    sound = voice(48_000, 6)
    sound[96_000:192_000] *= 0.3
    rail = 0.7 * sound.max()
    clipped = np.clip(sound, -np.inf, rail)
    rails = find_rails(reader(clipped), len(clipped), ClippingOptions())
    assert rails is not None
    _, defects, changed = mend_clipping(reader(clipped), len(clipped), 48_000, rails)
    assert changed == np.sum(clipped >= rail * 0.9999)
    assert not any(d.start < 190_000 and d.end > 98_000 for d in defects)


@pytest.mark.shared
def test_a_clipped_take_is_restored_better_than_by_adeclip(harbour: Path) -> None:
    import imageio_ffmpeg

    truth = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]["27B-T02"][
        "defects"
    ]
    boom = np.ascontiguousarray(sf.read(harbour / "sound" / "27B-T02.wav")[0][:, 1])
    clean = sf.read(harbour / "truth" / "27B-T02.boom-clean.flac")[0]
    at = np.abs(boom) >= truth[0]["level"] - 1e-6
    assert np.sum(at) == truth[0]["samples"]
    raw = ["-f", "f64le", "-ar", "48000", "-ac", "1"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *raw, "-i", "-"]
    ran = subprocess.run(
        [*command, "-af", "adeclip", *raw, "-"],
        input=boom.tobytes(),
        capture_output=True,
        check=True,
    )
    adeclip = np.frombuffer(ran.stdout)[: len(boom)]
    after = restored(boom, 48_000)
    assert sdr(clean[at], after[at]) > sdr(clean[at], adeclip[at]) + 2
    assert np.array_equal(
        after[np.abs(boom) < 0.9999 * truth[0]["level"]],
        boom[np.abs(boom) < 0.9999 * truth[0]["level"]],
    )
