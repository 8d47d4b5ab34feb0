"""Late reverberation is turned down, the direct sound and whatever is dry are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from core.errors import UsageError
from models.dereverb import BLOCK_S, RoomOptions, card, without_room

Sound = NDArray[np.float64]
RATE = 8_000


def reader(sound: Sound):  # type: ignore[no-untyped-def]
    def read(start: int, count: int) -> Sound:
        first, last = max(0, start), min(len(sound), start + count)
        out = np.zeros(count)
        if first < last:
            out[first - start : last - start] = sound[first:last]
        return out

    return read


def dry(sounds: list[Sound], amount_db: float = 40.0, rate: int = RATE) -> Sound:
    """The sounds of a group, worked: (channels, samples)."""
    frames = len(sounds[0])
    made = without_room([reader(s) for s in sounds], frames, rate, RoomOptions(amount_db))
    return np.stack([read(0, frames) for read in made])


def syllables(seconds: float, seed: int, rate: int = RATE) -> Sound:
    """Bursts of noise of changing colour, as dry as can be, 10 % of the time silent."""
    rng = np.random.default_rng(seed)
    parts = []
    while sum(map(len, parts)) < seconds * rate:
        length = int(rng.uniform(0.05, 0.2) * rate)
        low = rng.uniform(200, 2000)
        band = butter(1, (low, min(3 * low, 0.45 * rate)), "band", fs=rate, output="sos")
        burst = sosfilt(band, rng.standard_normal(length)) * np.hanning(length)
        parts += [burst / np.std(burst) * 0.05, np.zeros(int(rng.uniform(0.01, 0.15) * rate))]
    return np.concatenate(parts)[: round(seconds * rate)]


def room(t60: float, seed: int, rate: int = RATE) -> Sound:
    """An impulse response: the direct sound, and from 2 ms on noise that decays, as strong."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(1.2 * t60 * rate)) / rate
    late = rng.standard_normal(len(t)) * 10 ** (-3 * t / t60)
    late[: round(0.002 * rate)] = 0
    late /= np.sqrt(np.sum(np.square(late)))
    late[0] = 1.0
    return np.asarray(late, np.float64)


def late_share(dry_sound: Sound, heard: Sound, rate: int = RATE) -> float:
    """dB of what came more than 50 ms late, over the direct sound, by least squares (300 ms)."""
    from scipy.linalg import solve_toeplitz

    taps, size = round(0.3 * rate), 1 << (2 * len(dry_sound)).bit_length()
    spectrum = np.fft.rfft(dry_sound, size)
    own = np.fft.irfft(np.square(np.abs(spectrum)), size)[:taps]
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(spectrum), size)[:taps]
    own[0] *= 1 + 1e-4
    response = np.square(solve_toeplitz(own, cross))
    edge = round(0.05 * rate)
    return float(10 * np.log10(response[edge:].sum() / response[:edge].sum()))


@pytest.mark.parametrize("t60", [0.3, 0.6, 0.9])
def test_late_reverberation_falls(t60: float) -> None:
    sound = syllables(8, 1)
    heard = fftconvolve(sound, room(t60, 2))[: len(sound)]
    made = dry([heard])[0]
    assert late_share(sound, made) < late_share(sound, heard) - 2.0
    # Half of the amount falls less than all of it, and nothing is nothing.
    half = dry([heard], 6.0)[0]
    assert late_share(sound, made) < late_share(sound, half) < late_share(sound, heard)
    np.testing.assert_array_equal(dry([heard], 0.0)[0], heard)


def test_the_direct_sound_stays_where_and_as_loud_as_it_was() -> None:
    sound = syllables(8, 3)
    heard = fftconvolve(sound, room(0.5, 4))[: len(sound)]
    made = dry([heard])[0]
    lags = np.fft.irfft(np.fft.rfft(made, 1 << 19) * np.conj(np.fft.rfft(sound, 1 << 19)), 1 << 19)
    assert int(np.argmax(np.abs(lags))) == 0
    before = np.fft.irfft(
        np.fft.rfft(heard, 1 << 19) * np.conj(np.fft.rfft(sound, 1 << 19)), 1 << 19
    )
    assert 20 * np.log10(lags[0] / before[0]) == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_dry_sound_is_left_alone(rate: int) -> None:
    sound = syllables(4, 5, rate)
    made = dry([sound], rate=rate)[0]
    assert 20 * np.log10(np.std(made) / np.std(sound)) == pytest.approx(0.0, abs=0.2)
    assert np.std(made - sound) < 0.15 * np.std(sound)


@pytest.mark.shared
def test_dry_speech_is_left_alone_in_every_octave(shared: Path) -> None:
    for path in sorted((shared / "speech" / "clean48").glob("*.wav"))[:1]:
        sound, rate = sf.read(path)
        made = dry([sound], rate=rate)[0]
        hertz = np.fft.rfftfreq(len(sound), 1 / rate)
        powers = [np.square(np.abs(np.fft.rfft(x))) for x in (sound, made)]
        for centre in 125.0 * 2 ** np.arange(8):
            band = (hertz >= centre / 2**0.5) & (hertz < centre * 2**0.5)
            assert abs(10 * np.log10(powers[1][band].sum() / powers[0][band].sum())) < 0.5


def test_channels_of_a_group_keep_their_image() -> None:
    sound = syllables(8, 6)
    rooms = [room(0.5, seed) for seed in (7, 8)]
    heard = [gain * fftconvolve(sound, h)[: len(sound)] for gain, h in zip((1, 0.5), rooms)]  # noqa: B905
    made = dry(heard)
    for before, after in zip(heard, made, strict=True):
        assert late_share(sound, after) < late_share(sound, before) - 2.0
    level = [np.dot(x, sound) for x in made]
    assert 20 * np.log10(level[0] / level[1]) == pytest.approx(6.0, abs=0.3)


def test_it_is_the_same_however_it_is_read_and_as_long() -> None:
    frames = round((2 * BLOCK_S + 5.3) * 8000)
    sound = fftconvolve(syllables(frames / 8000, 9, 8000), room(0.4, 10, 8000))[:frames]
    read = without_room([reader(sound)], frames, 8000, RoomOptions(12.0))[0]
    whole = read(-50, frames + 100)
    assert not whole[:50].any()
    assert not whole[-50:].any()
    edge = BLOCK_S * 8000
    for start, count in ((edge - 100, 20_000), (2 * edge - 7, 30), (frames - 9, 20), (0, 1)):
        np.testing.assert_array_equal(read(start, count), whole[50 + start : 50 + start + count])
    # No seam where one filter goes over to the next.
    step = np.abs(np.diff(whole[edge : edge + 18_000])).max()
    assert step <= np.abs(np.diff(sound)).max() * 1.2


@pytest.mark.parametrize("sound", [np.zeros(RATE), np.ones(7), np.full(3 * RATE, np.nan)])
def test_odd_sounds_come_out_finite(sound: Sound) -> None:
    made = dry([sound])[0]
    assert len(made) == len(sound)
    assert np.isfinite(made).all()


def test_an_impossible_amount_is_refused_and_the_card_says_what_it_is() -> None:
    for amount in (-1.0, 41.0, float("nan")):
        with pytest.raises(UsageError):
            RoomOptions(amount)
    found = card()
    assert (found.licence, found.weights_sha256) == ("MIT", "")
