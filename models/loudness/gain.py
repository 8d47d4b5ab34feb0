"""The one gain that brings a programme to a delivery specification."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from config.deliveries import DeliverySpec

GAIN_STEPS = 16
GAIN_TOLERANCE_DB = 1e-4


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
    gain = gain_to(loudness, spec.integrated_lufs)
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


def gain_to(loudness: Callable[[float], float], target: float) -> float:
    """The gain in dB after which the loudness is the target's, in LUFS.

    loudness: integrated loudness in LUFS under a gain in dB; finite.
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
