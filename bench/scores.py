"""What a cleaned mix is worth: judged speech and background, and what the cleaning cost.

Every measure is taken after the output's speech has been brought to the level it has in the mix,
so that a gain is no improvement. Spectra: 20 ms Hann windows, every 10 ms, 48 kHz.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Power = NDArray[np.float64]

RATE = 48_000
FRAME = 960
HOP = 480
AIR_HZ = (8_000.0, 20_000.0)
SIBILANT_HZ = (4_000.0, 10_000.0)
VOICE_HZ = (200.0, 3_000.0)
NOISE_HZ = (100.0, 16_000.0)
SPEECH_RANGE = 1e-4
CELL_RANGE = 1e-6
OVER = 10 ** (-6 / 10)
TINY = 1e-12

DNSMOS_RATE = 16_000
DNSMOS_SAMPLES = 144_160
SIG_POLYNOMIAL = (-0.08397278, 1.22083953, 0.0052439)
BAK_POLYNOMIAL = (-0.13166888, 1.60915514, -0.39604546)


@dataclass(frozen=True)
class Scores:
    """One cleaned mix, or means of many.

    sig, bak: DNSMOS P.835, 1 to 5; not a number without its weights. air_db, sibilants_db: level
    at 8-20 kHz in speech and at 4-10 kHz in sibilants against the clean clip, mean over the
    frames; noise that is left adds to it. over_suppressed: share (0 to 1) of the cells with more
    speech than noise that came out more than 6 dB lower. musical_noise: natural logarithm of the
    ratio of kurtosis in the pauses, after to before, median over the bins. si_sdr_db: of the
    output against the clean clip. pesq: ITU-T P.862.2 at 16 kHz, 1 to 4.6; stoi: short-time
    objective intelligibility, 0 to 1; not a number without their packages.
    """

    sig: float
    bak: float
    air_db: float
    sibilants_db: float
    over_suppressed: float
    musical_noise: float
    si_sdr_db: float
    pesq: float
    stoi: float


class Dnsmos:
    """DNSMOS P.835 (Reddy et al., ICASSP 2022) with the polynomials of the DNS Challenge."""

    def __init__(self, path: Path, threads: int) -> None:
        """path: `sig_bak_ovr.onnx`. threads: of onnxruntime."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session: Any = onnxruntime.InferenceSession(str(path), options)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, sound: Samples) -> tuple[float, float]:
        """SIG and BAK of mono (samples,) at 48 kHz, means over windows of 9 s."""
        import soxr

        heard = soxr.resample(sound, RATE, DNSMOS_RATE).astype(np.float32)
        heard = np.tile(heard, max(1, -(-DNSMOS_SAMPLES // len(heard))))
        starts = range(0, len(heard) - DNSMOS_SAMPLES + 1, DNSMOS_RATE)
        parts = [heard[None, start : start + DNSMOS_SAMPLES] for start in starts]
        told = [self._session.run(None, {self._input: part})[0][0] for part in parts]
        sig, bak = (np.array([row[at] for row in told]) for at in (0, 1))
        return (
            float(np.mean(np.polyval(SIG_POLYNOMIAL, sig))),
            float(np.mean(np.polyval(BAK_POLYNOMIAL, bak))),
        )


def scores(clean: Samples, noisy: Samples, out: Samples, dnsmos: Dnsmos | None) -> Scores:
    """All measures of one mix; three mono arrays (samples,) at 48 kHz, in step."""
    speech, mix, noise = _power(clean), _power(noisy), _power(noisy - clean)
    level = speech.sum(1)
    spoken = level > np.max(level) * SPEECH_RANGE
    clear = (speech > 10 * noise) & spoken[:, None]
    gain = np.sqrt(np.sum(mix[clear]) / max(float(np.sum(_power(out)[clear])), TINY))
    matched = np.asarray(out * gain) if clear.any() else out
    left = _power(matched)
    sig, bak = dnsmos(matched) if dnsmos else (float("nan"), float("nan"))
    return Scores(
        sig,
        bak,
        _band_change(speech, left, _airy(speech, spoken), AIR_HZ),
        _band_change(speech, left, _hissing(speech, spoken), SIBILANT_HZ),
        _over_suppressed(speech, noise, left, spoken),
        _musical_noise(mix, left, level, spoken),
        si_sdr(clean, matched),
        *_heard_at_16k(clean, matched),
    )


def _heard_at_16k(clean: Samples, out: Samples) -> tuple[float, float]:
    """PESQ (wide band) and STOI, no numbers without their packages or where there is no speech."""
    import soxr

    reference, heard = (soxr.resample(sound, RATE, DNSMOS_RATE, "VHQ") for sound in (clean, out))
    quality = intelligible = float("nan")
    try:
        from pesq import NoUtterancesError, pesq
    except ImportError:
        pass
    else:
        with suppress(NoUtterancesError):
            quality = float(pesq(DNSMOS_RATE, reference, heard, "wb"))
    try:
        from pystoi import stoi
    except ImportError:
        pass
    else:
        intelligible = float(stoi(reference, heard, DNSMOS_RATE))
    return quality, intelligible


def mean_scores(many: list[Scores]) -> Scores:
    """The mean of each measure over the mixes that have it."""
    columns = zip(*(vars(item).values() for item in many), strict=True)
    known = [[value for value in column if np.isfinite(value)] for column in columns]
    return Scores(*(float(np.mean(column)) if column else float("nan") for column in known))


def si_sdr(reference: Samples, estimate: Samples) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., ICASSP 2019), means out."""
    target = reference - np.mean(reference)
    heard = estimate - np.mean(estimate)
    target = target * (np.dot(heard, target) / np.dot(target, target))
    return float(10 * np.log10(np.sum(np.square(target)) / np.sum(np.square(heard - target))))


def _power(sound: Samples) -> Power:
    framed = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP]
    spectrum = np.fft.rfft(framed * np.hanning(FRAME + 1)[:-1], axis=1)
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), np.float64)


def _band(hz: tuple[float, float]) -> slice:
    return slice(round(hz[0] * FRAME / RATE), round(hz[1] * FRAME / RATE))


def _airy(speech: Power, spoken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The louder half of the speech's frames at 8-20 kHz; none where the clip has no such band."""
    air, top = speech[:, _band(AIR_HZ)].sum(1), speech[:, _band((14_000.0, 18_000.0))].sum(1)
    whole = speech[spoken].sum()
    if air[spoken].sum() < 1e-3 * whole or top[spoken].sum() < 1e-6 * whole:
        return np.zeros_like(spoken)
    return np.asarray(spoken & (air > np.median(air[spoken])))


def _hissing(speech: Power, spoken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames with more power at 4-10 kHz than at 200-3000 Hz."""
    high, low = (speech[:, _band(hz)].sum(1) for hz in (SIBILANT_HZ, VOICE_HZ))
    return np.asarray(spoken & (high > low))


def _band_change(
    before: Power, after: Power, frames: NDArray[np.bool_], hz: tuple[float, float]
) -> float:
    if frames.sum() < 3:
        return float("nan")
    sums = [power[frames][:, _band(hz)].sum(1) + TINY for power in (after, before)]
    return float(np.mean(10 * np.log10(sums[0] / sums[1])))


def _over_suppressed(speech: Power, noise: Power, left: Power, spoken: NDArray[np.bool_]) -> float:
    cells = (speech > np.max(speech) * CELL_RANGE) & spoken[:, None] & (speech > noise)
    cells[:, _band((0.0, 16_000.0)).stop :] = False
    return float(np.mean(left[cells] < OVER * speech[cells])) if cells.any() else float("nan")


def _musical_noise(mix: Power, left: Power, level: Power, spoken: NDArray[np.bool_]) -> float:
    pauses = ~spoken if np.sum(~spoken) >= 20 else level < np.percentile(level, 15)
    band = _band(NOISE_HZ)
    kurtosis = [
        np.mean(np.square(part), axis=0) / np.square(np.mean(part, axis=0))
        for part in (power[pauses][:, band] + 1e-14 for power in (left, mix))
    ]
    return float(np.median(np.log(kurtosis[0] / kurtosis[1])))
