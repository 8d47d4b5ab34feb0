"""Loudness and true peak to ITU-R BS.1770-5 and EBU Tech 3341 and 3342, and a programme's gain.

`meter` measures in blocks, `true_peak` looks between the samples, `spoken` gives the
speech-gated estimate, `gain` finds the one gain of a delivery.
"""

from models.loudness.gain import GainDecision, gain_to, programme_gain
from models.loudness.meter import LoudnessMeter
from models.loudness.spoken import SpeechDetector, Spoken, speech_gated
from models.loudness.true_peak import TruePeakMeter
from models.loudness.weighting import MOST_CHANNELS

__all__ = [
    "MOST_CHANNELS",
    "GainDecision",
    "LoudnessMeter",
    "SpeechDetector",
    "Spoken",
    "TruePeakMeter",
    "gain_to",
    "programme_gain",
    "speech_gated",
]
