"""A cut's stems are heard exactly as they were delivered, whichever bytes a player asks for."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production import Delivered

from adapters.media.wave_bytes import WaveBytes
from core.errors import InputError, OfflineError, UsageError
from flows.cut_sound import track_sound
from flows.delivered import read_delivery

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("floating", [False, True])
@pytest.mark.parametrize("frames", [0, 1, 7, 70_001])
def test_the_bytes_are_a_wave_file(floating: bool, frames: int) -> None:
    sound = np.random.default_rng(5).integers(-(2**23), 2**23, (frames, 1)) / 2**23
    shape = WaveBytes(48_000, 1, frames, floating)
    whole = b"".join(shape.between(0, shape.size, lambda at, n: sound[at : at + n]))
    assert len(whole) == shape.size
    read, rate = sf.read(io.BytesIO(whole), always_2d=True)
    assert (rate, sf.info(io.BytesIO(whole)).subtype) == (
        48_000, "FLOAT" if floating else "PCM_24",
    )  # fmt: skip
    np.testing.assert_array_equal(read, sound)


@SLOW
@given(st.data())
def test_any_range_is_that_part_of_the_whole(data: st.DataObject) -> None:
    channels, frames = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 40))
    sound = np.random.default_rng(1).uniform(-1, 1, (frames, channels))
    shape = WaveBytes(8000, channels, frames, data.draw(st.booleans()))
    whole = b"".join(shape.between(0, shape.size, lambda at, n: sound[at : at + n]))
    first = data.draw(st.integers(0, shape.size))
    last = data.draw(st.integers(first, shape.size + 5))
    assert (
        b"".join(shape.between(first, last, lambda at, n: sound[at : at + n])) == whole[first:last]
    )


def test_what_no_wave_file_holds_is_refused() -> None:
    with pytest.raises(UsageError, match="4 GB"):
        WaveBytes(48_000, 2, 1 << 30, True)


def heard(delivered: Delivered, track: int | None) -> np.ndarray:
    """A track of the delivery as a player decodes it."""
    found = read_delivery(delivered.out)
    assert found is not None
    sound = track_sound(found, track)
    return sf.read(io.BytesIO(b"".join(sound.between(0, sound.shape.size))), always_2d=True)[0]


def stem(delivered: Delivered, role: str, track: str) -> np.ndarray:
    """A stem as it lies in the delivery."""
    (path,) = (
        f["path"] for f in delivered.list["files"] if (f["role"], f["track"]) == (role, track)
    )
    return sf.read(delivered.out / path)[0]


def test_a_track_has_what_was_recorded_left_and_what_was_cleaned_right(
    delivered: Delivered,
) -> None:
    for number, track in enumerate(("A1 DX", "A2 LAV")):
        sound = heard(delivered, number)
        np.testing.assert_array_equal(sound[:, 0], stem(delivered, "PROD", track))
        np.testing.assert_array_equal(sound[:, 1], stem(delivered, "DX", track))
        np.testing.assert_array_equal(sound[:, 0] - sound[:, 1], stem(delivered, "NR", track))


def test_all_dialogue_is_the_sum_of_its_tracks(delivered: Delivered) -> None:
    sound = heard(delivered, None)
    both = stem(delivered, "PROD", "A1 DX") + stem(delivered, "PROD", "A2 LAV")
    np.testing.assert_array_equal(sound[:, 0], both)
    np.testing.assert_array_equal(sound[:, 1], stem(delivered, "DX", ""))


def test_what_is_not_there_or_was_changed_is_not_heard(
    delivered: Delivered, tmp_path: Path
) -> None:
    shutil.copytree(delivered.out, tmp_path / "out")
    found = read_delivery(tmp_path / "out")
    assert found is not None
    for number in (-1, len(found.stems)):
        with pytest.raises(InputError, match="no stem"):
            found.stem(number)
    for track in (-1, 2):
        with pytest.raises(InputError, match="no track"):
            track_sound(found, track)
    with found.stem(0)[1].open("ab") as file:
        file.write(b"more")
    with pytest.raises(OfflineError, match="as it was written"):
        found.stem(0)
    told = json.loads((tmp_path / "out" / "delivery.json").read_text("utf-8"))
    text = json.dumps({**told, "state": "in progress"})
    (tmp_path / "out" / "delivery.json").write_text(text, encoding="utf-8")
    unfinished = read_delivery(tmp_path / "out")
    assert unfinished is not None
    with pytest.raises(OfflineError, match="not finished"):
        track_sound(unfinished, 0)
