"""Programme loudness and true peak by ITU-R BS.1770, in blocks; one gain for a delivery."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.deliveries import DeliverySpec
from core.errors import UsageError

BLOCK_STEPS = 4
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
OFFSET = -0.691
TAPS_A_PHASE = 24
CHANNEL_WEIGHTS = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}
GAIN_STEPS = 16
GAIN_TOLERANCE_DB = 1e-4


class LoudnessMeter:
    """A meter that is fed blocks in order and can be read at any time.

    The result does not depend on how the sound was divided. Memory: 8 bytes for every 100 ms.
    Samples that are no finite number count as silence.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        """sample_rate: Hz.

        channels: 1 to 6 in the order of BS.1770 (4 is L R Ls Rs, 6 is L R C LFE Ls Rs).
        Raises UsageError for any other number.
        """
        if channels not in CHANNEL_WEIGHTS:
            raise UsageError(f"Loudness is defined for 1 to 6 channels, not for {channels}.")
        self._weights = np.array(CHANNEL_WEIGHTS[channels])
        self._stages = _k_weighting(sample_rate)
        self._states = [np.zeros((2, channels)) for _ in self._stages]
        self._step = (sample_rate + 5) // 10
        self._energies: list[float] = []
        self._open = np.zeros((0, channels))
        self._phases = _peak_filters(sample_rate)
        self._history = np.zeros((TAPS_A_PHASE - 1, channels))
        self._peak = 0.0

    def add(self, block: NDArray[np.floating[Any]]) -> None:
        """Take in the next samples: float (n, channels), or (n,) for one channel."""
        from scipy.signal import lfilter

        sound = np.nan_to_num(np.asarray(block, np.float64), posinf=0.0, neginf=0.0)
        if sound.ndim == 1:
            sound = sound[:, None]
        if sound.shape[1] != len(self._weights):
            raise UsageError(
                f"The meter was set up for {len(self._weights)} channels and given "
                f"{sound.shape[1]}; measure each layout with a meter of its own."
            )
        if len(sound) == 0:
            return
        self._peak = max(self._peak, self._peak_of(sound))
        self._history = np.concatenate([self._history, sound])[-(TAPS_A_PHASE - 1) :]
        for i, (b, a) in enumerate(self._stages):
            sound, self._states[i] = lfilter(b, a, sound, axis=0, zi=self._states[i])
        sound = np.concatenate([self._open, sound])
        whole = len(sound) // self._step * self._step
        steps = np.square(sound[:whole]).reshape(-1, self._step, len(self._weights))
        self._energies.extend((np.mean(steps, axis=1) @ self._weights).tolist())
        self._open = sound[whole:]

    def integrated(self, gain_db: float = 0.0) -> float:
        """Gated programme loudness in LUFS; -inf for silence and for less than 400 ms.

        gain_db: as if the sound had been that much louder. The absolute gate stays where it is,
        so the result may rise by more than the gain.
        """
        if len(self._energies) < BLOCK_STEPS:
            return -math.inf
        blocks = np.convolve(self._energies, np.full(BLOCK_STEPS, 1 / BLOCK_STEPS), mode="valid")
        loud = blocks[blocks > _energy(ABSOLUTE_GATE - gain_db)]
        if len(loud) == 0:
            return -math.inf
        loud = loud[loud > float(np.mean(loud)) * 10 ** (RELATIVE_GATE / 10)]
        return OFFSET + 10 * math.log10(float(np.mean(loud))) + gain_db

    def true_peak(self) -> float:
        """Highest peak between the samples in dBTP of any channel; -inf for silence.

        Oversampled to at least 192 kHz (BS.1770, annex 2).
        """
        tail = np.zeros((TAPS_A_PHASE - 1, len(self._weights)))
        peak = max(self._peak, self._peak_of(tail))
        return 20 * math.log10(peak) if peak > 0 else -math.inf

    def _peak_of(self, sound: NDArray[np.float64]) -> float:
        """Highest magnitude between the samples that end in `sound`, or 0 if it can't matter."""
        joined = np.concatenate([self._history, sound])
        highest = float(np.max(np.abs(joined)))
        if highest * max(float(np.sum(np.abs(phase))) for phase in self._phases) <= self._peak:
            return 0.0
        peak = float(np.max(np.abs(sound)))
        for channel in joined.T:
            for phase in self._phases:
                peak = max(peak, float(np.max(np.abs(np.convolve(channel, phase, "valid")))))
        return peak


@dataclass(frozen=True)
class GainDecision:
    """One static gain for a programme.

    gain_db: to apply alike to every stem. delivered_lufs: integrated loudness with it, -inf for
    silence. limited_by_peak: the loudness is not reached, because the true peak would pass the
    ceiling. reason: a sentence for the report.
    """

    gain_db: float
    delivered_lufs: float
    limited_by_peak: bool
    reason: str


def programme_gain(
    loudness: Callable[[float], float], true_peak: float, spec: DeliverySpec
) -> GainDecision:
    """The gain in dB that brings a programme to a delivery specification.

    loudness: integrated loudness in LUFS under a gain in dB (`LoudnessMeter.integrated`).
    true_peak: dBTP. Silence, and a specification without a loudness, get 0 dB.
    """
    integrated = loudness(0.0)
    if spec.integrated_lufs is None:
        return GainDecision(0.0, integrated, False, f"{spec.name} leaves the level as it is.")
    if not math.isfinite(integrated):
        reason = "The programme is silent, so there is nothing to raise."
        return GainDecision(0.0, integrated, False, reason)
    gain = _gain_to(loudness, spec.integrated_lufs)
    if spec.true_peak_dbtp is not None and true_peak + gain > spec.true_peak_dbtp:
        lowered = spec.true_peak_dbtp - true_peak
        delivered = loudness(lowered)
        return GainDecision(
            lowered,
            delivered,
            True,
            f"{gain:+.1f} dB would bring the programme to {spec.integrated_lufs:g} LUFS but its "
            f"true peak to {true_peak + gain:.1f} dBTP, above {spec.true_peak_dbtp:g}; it gets "
            f"{lowered:+.1f} dB and stays {spec.integrated_lufs - delivered:.1f} LU below the "
            "target.",
        )
    return GainDecision(
        gain,
        loudness(gain),
        False,
        f"{gain:+.1f} dB bring the programme from {integrated:.1f} to "
        f"{spec.integrated_lufs:g} LUFS.",
    )


def _gain_to(loudness: Callable[[float], float], target: float) -> float:
    """The gain in dB after which the loudness is the target's.

    One step would do but for the absolute gate, which lets more of a quiet programme through
    the louder it gets; each further step mends what that changed.
    """
    gain = target - loudness(0.0)
    for _ in range(GAIN_STEPS):
        missing = target - loudness(gain)
        if abs(missing) < GAIN_TOLERANCE_DB:
            break
        gain += missing
    return gain


def _energy(loudness: float) -> float:
    """The weighted mean square of a loudness in LUFS."""
    return float(10 ** ((loudness - OFFSET) / 10))


def _k_weighting(sample_rate: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The two stages of K-weighting as (b, a); De Man's formulae hold at any sample rate."""
    from pyloudnorm import IIRfilter

    shelf = IIRfilter(
        3.99984385397, 0.7071752369554193, 1681.9744509555319, sample_rate, "high_shelf_DeMan"
    )
    high_pass = IIRfilter(
        0.0, 0.5003270373253953, 38.13547087613982, sample_rate, "high_pass_DeMan"
    )
    return [stage.generate_coefficients() for stage in (shelf, high_pass)]


@cache
def _peak_filters(sample_rate: int) -> tuple[NDArray[np.float64], ...]:
    """Fractional delays of a polyphase interpolator, one for each new sample between two.

    The fourth of four phases is the samples themselves. Kaiser-windowed sinc.
    """
    factor = 4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1
    centre = TAPS_A_PHASE / 2
    taps = np.arange(TAPS_A_PHASE)
    phases = []
    for k in range(1, factor):
        at = taps - centre + k / factor
        shape = np.i0(5.0 * np.sqrt(np.maximum(0.0, 1 - np.square(at / centre)))) / np.i0(5.0)
        phase = np.sinc(at) * shape
        phases.append(phase / np.sum(phase))
    return tuple(phases) or (np.ones(1),)
