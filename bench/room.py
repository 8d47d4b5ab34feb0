"""The room turned down: what dereverberation does to made rooms, to dry speech, and what it costs.

Clean speech is convolved with two kinds of impulse response: noise that decays exponentially,
its high end sooner (Polack's model of a room), and a shoebox by the image method (Allen and
Berkley, "Image Method for Efficiently Simulating Small-Room Acoustics", JASA 65(4), 1979). How much
reverberation is left is measured as C50: the impulse response from the dry speech to the result is
found by least squares, and its energy before and after 50 ms compared.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from bench.table import Table, figures, where
from core.errors import InputError
from models.dereverb import Read, RoomOptions, without_room

Samples = NDArray[np.float64]

RATE = 48_000
LOW_RATE = 16_000
T60_S = (0.3, 0.6, 0.9)
AMOUNTS_DB = (6.0, 40.0)
SPEECH_S = 20
NOISE_DB = 15.0
EDGE_S = 0.05
RESPONSE_S = 0.7
SOUND_M_S = 343.0
ROOM_M = (5.2, 4.1, 2.8)
SPEAKER_M = (1.4, 2.0, 1.6)
MICROPHONE_M = (3.6, 2.7, 1.9)
SEED = 7


@dataclass(frozen=True)
class Room:
    """An impulse response whose direct sound is its first sample, and what it is called."""

    name: str
    response: Samples


def bench_room(shared: Path) -> Table:
    """The table of rooms. Raises InputError where the shared folder has no speech at 48 kHz."""
    here = where()
    dry = _speech(shared)
    rows = [_row(room.name, dry, room.response) for room in _rooms()]
    rows.append(_row(f"decay, T60 0.6 s, {NOISE_DB:g} dB SNR", dry, _decay(0.6), NOISE_DB))
    rows.append(_row("decay, T60 0.6 s, two microphones", dry, _decay(0.6), other=_decay(0.6, 8)))
    rows.append(_dry_row(dry))
    started = time.process_time()
    _worked(dry, AMOUNTS_DB[0])
    cost = (time.process_time() - started) / (len(dry) / RATE)
    return Table(
        title=f"Room: {figures(len(dry) / RATE)} s of speech, C50 in dB and PESQ-WB",
        columns=(
            "room",
            "C50",
            *(f"C50, {amount:g} dB" for amount in AMOUNTS_DB),
            "PESQ",
            *(f"PESQ, {amount:g} dB" for amount in AMOUNTS_DB),
            "direct dB",
        ),
        rows=tuple(rows),
        notes=(
            "direct dB: level of the direct sound and first 50 ms at the largest amount, against "
            "before. Of the dry speech it is the worst octave from 63 Hz to 16 kHz.",
            f"One channel costs {figures(cost)} s of CPU time a second at 48 kHz.",
            here,
        ),
    )


def _speech(shared: Path) -> Samples:
    parts: list[Samples] = []
    for path in sorted((shared / "speech" / "clean48").glob("*.wav")):
        with Sound(path) as sound:
            if sound.sample_rate == RATE:
                parts.append(sound.read(0, sound.frames, [0])[:, 0])
    if not parts:
        raise InputError(f"{shared} has no speech at 48 kHz in speech/clean48.")
    return np.concatenate(parts)[: SPEECH_S * RATE]


def _rooms() -> Iterator[Room]:
    for t60 in T60_S:
        yield Room(f"decay, T60 {t60:g} s", _decay(t60))
    for t60 in T60_S:
        yield Room(f"shoebox, T60 {t60:g} s", _shoebox(t60))


def _decay(t60: float, seed: int = SEED) -> Samples:
    """Decaying noise as strong as the direct sound, from 2 ms on; the highs decay twice as fast."""
    from scipy.signal import butter, sosfilt

    random = np.random.default_rng(seed)
    t = np.arange(round(1.2 * t60 * RATE)) / RATE
    noise = random.standard_normal(len(t)) * 10 ** (-3 * t / t60)
    noise[: round(0.002 * RATE)] = 0.0
    low = sosfilt(butter(1, 3000, fs=RATE, output="sos"), noise)
    late = low + 0.3 * noise * 10 ** (-3 * t / t60)
    late /= np.sqrt(np.sum(np.square(late)))
    late[0] = 1.0
    return np.asarray(late, np.float64)


def _shoebox(t60: float) -> Samples:
    """The image method in a room of 60 m³, walls alike, by Sabine's absorption."""
    size = np.array(ROOM_M)
    surface = 2 * float(size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    absorbed = min(0.95, 0.161 * float(size.prod()) / (surface * t60))
    reflected = math.sqrt(1 - absorbed)
    length = round(1.2 * t60 * RATE)
    reach = [math.ceil(SOUND_M_S * 1.2 * t60 / (2 * side)) for side in ROOM_M]
    grids = [np.arange(-n, n + 1) for n in reach]
    response = np.zeros(length + 1)
    direct = float(np.linalg.norm(np.subtract(SPEAKER_M, MICROPHONE_M)))
    first = direct / SOUND_M_S * RATE
    for mirrored in np.ndindex(2, 2, 2):
        axes = [
            (1 - 2 * q) * at + 2 * grid * side - ear
            for q, at, grid, side, ear in zip(
                mirrored, SPEAKER_M, grids, ROOM_M, MICROPHONE_M, strict=True
            )
        ]
        walls = [np.abs(grid - q) + np.abs(grid) for q, grid in zip(mirrored, grids, strict=True)]
        far = np.sqrt(
            axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2
        )
        times = walls[0][:, None, None] + walls[1][None, :, None] + walls[2][None, None, :]
        places = np.rint(far / SOUND_M_S * RATE - first).astype(np.int64)
        inside = (places >= 0) & (places < length)
        np.add.at(response, places[inside], (reflected**times * direct / far)[inside])
    return response[:length]


def _row(
    name: str,
    dry: Samples,
    response: Samples,
    snr_db: float | None = None,
    other: Samples | None = None,
) -> tuple[str, ...]:
    """A room at one microphone. other: the response of a second one, which helps it."""
    from scipy.signal import fftconvolve

    heard = fftconvolve(dry, response)[: len(dry)]
    if snr_db is not None:
        noise = np.random.default_rng(SEED).standard_normal(len(heard))
        heard = heard + noise * np.std(heard) * 10 ** (-snr_db / 20)
    second = () if other is None else (fftconvolve(dry, other)[: len(dry)],)
    made = [_worked(heard, amount, *second) for amount in AMOUNTS_DB]
    responses = [_response(dry, sound) for sound in (heard, *made)]
    edge = round(EDGE_S * LOW_RATE)
    early = [float(np.square(response[:edge]).sum()) for response in responses]
    return (
        name,
        *(figures(_c50(response)) for response in responses),
        *(figures(_pesq(dry, sound)) for sound in (heard, *made)),
        figures(10 * math.log10(early[-1] / early[0])),
    )


def _dry_row(dry: Samples) -> tuple[str, ...]:
    made = [_worked(dry, amount) for amount in AMOUNTS_DB]
    octaves = [_octaves(sound) for sound in (dry, made[-1])]
    off = 10 * np.log10(octaves[1] / octaves[0])
    return (
        "none: dry speech",
        *["-"] * (1 + len(AMOUNTS_DB)),
        *(figures(_pesq(dry, sound)) for sound in (dry, *made)),
        figures(float(off[np.argmax(np.abs(off))])),
    )


def _worked(sound: Samples, amount_db: float, *others: Samples) -> Samples:
    """A sound with its room turned down, as one of a group with others."""
    reads = [_reader(item) for item in (sound, *others)]
    return without_room(reads, len(sound), RATE, RoomOptions(amount_db))[0](0, len(sound))


def _reader(sound: Samples) -> Read:
    def read(start: int, count: int) -> Samples:
        first, last = max(0, start), min(len(sound), start + count)
        out = np.zeros(count)
        if first < last:
            out[first - start : last - start] = sound[first:last]
        return out

    return read


def _low(sound: Samples) -> Samples:
    import soxr

    return np.asarray(soxr.resample(sound, RATE, LOW_RATE), np.float64)


def _response(dry: Samples, heard: Samples) -> Samples:
    """The impulse response from one sound to another at 16 kHz, by least squares."""
    from scipy.linalg import solve_toeplitz

    first, second = _low(dry), _low(heard)
    taps = round(RESPONSE_S * LOW_RATE)
    size = 1 << (len(first) + taps).bit_length()
    spectrum = np.fft.rfft(first, size)
    own = np.fft.irfft(np.square(np.abs(spectrum)), size)[:taps]
    cross = np.fft.irfft(np.fft.rfft(second, size) * np.conj(spectrum), size)[:taps]
    own[0] *= 1 + 1e-4
    return np.asarray(solve_toeplitz(own, cross), np.float64)


def _c50(response: Samples) -> float:
    power, edge = np.square(response), round(EDGE_S * LOW_RATE)
    return 10 * math.log10(power[:edge].sum() / power[edge:].sum())


def _pesq(dry: Samples, sound: Samples) -> float:
    """PESQ-WB, or no number where the library for it is not installed."""
    try:
        from pesq import pesq
    except ImportError:
        return math.nan
    return float(pesq(LOW_RATE, _low(dry), _low(sound), "wb"))


def _octaves(sound: Samples) -> Samples:
    from scipy.signal import welch

    hertz, density = welch(sound, RATE, nperseg=8192)
    bands = ((hertz >= hz / 2**0.5) & (hertz < hz * 2**0.5) for hz in 62.5 * 2.0 ** np.arange(9))
    return np.array([density[band].sum() for band in bands])
