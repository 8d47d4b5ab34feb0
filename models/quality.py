"""The gates: what the processing of a take took that it should not have.

There is no clean original to compare with, so speech is judged where it stands well above the
noise: there a change can only be a change of the speech. What each gate measures lies in
`models.gates_*`; here they are gathered in one reading of both sounds, and compared with limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from config.recipes import GateLimits
from models.gates_breaths import Breaths
from models.gates_image import Image
from models.gates_noise import Floor, Noise
from models.gates_speech import Speech
from models.spectra import Paired, Passage, Read, frame_size, power

__all__ = ["GATES_VERSION", "Gate", "GateLimits", "Judged", "judge", "judge_group", "regraded"]

GATES_VERSION = "3"
"""Raised whenever a gate measures differently: takes that were judged before are judged again."""

PAUSE_GUARD_S = 0.25
LAG_S = 0.1
LAG_WINDOWS = 8
LAG_WINDOW_S = 0.3
CLIPPED = 1.0 - 2.0**-23
LEAST_POWER = 1e-20


@dataclass(frozen=True)
class Gate:
    """One measurement of a cleaned channel against its original.

    value, limit: in `unit`. passed: whether the value keeps the limit. meaning: a sentence that
    says what was measured, for the person who has to decide.
    """

    name: str
    value: float
    unit: str
    limit: float
    passed: bool
    meaning: str


@dataclass(frozen=True)
class _Kind:
    """A gate before it is used. limit: its field in GateLimits, or empty where it only informs.

    both_ways: whether a fall fails like a rise.
    """

    name: str
    unit: str
    limit: str
    both_ways: bool
    meaning: str


LAG = _Kind("lag", "samples", "lag_samples", True, "The cleaned sound lags the original.")
LENGTH = _Kind("length", "samples", "length_samples", True, "The length has changed.")
CLIPPING = _Kind(
    "clipping",
    "samples",
    "clipped_samples",
    True,
    "Samples at full scale that were not there in the original.",
)
LEVEL = _Kind(
    "speech level",
    "dB",
    "level_change_db",
    True,
    "Change of level where speech stands 15 dB above the noise.",
)
SIBILANTS = _Kind(
    "sibilants", "dB", "sibilant_loss_db", False, "Loss at 4-10 kHz in s, sh and the like."
)
AIR = _Kind("air", "dB", "air_loss_db", False, "Loss at 8-20 kHz in the consonants.")
BREATHS = _Kind(
    "breaths",
    "dB",
    "breath_loss_db",
    False,
    "Loss of breaths and other short sounds next to the words.",
)
SUPPRESSED = _Kind(
    "over-suppressed",
    "share",
    "over_suppressed",
    False,
    "Share of what stands 25 dB above the noise that came out more than 10 dB lower.",
)
MUSICAL = _Kind(
    "musical noise",
    "ln ratio",
    "musical_noise",
    False,
    "How much more single tones stand out of the pauses than before (log-kurtosis ratio).",
)
WARBLE = _Kind(
    "warble", "dB", "warble_db", False, "How the gain of clear speech flutters above 2 Hz, RMS."
)
RANGE = _Kind(
    "loudness range", "LU", "range_change_lu", True, "Change of the loudness range of the speech."
)
NOISE = _Kind(
    "noise",
    "dB",
    "noise_added_db",
    False,
    "Change of level in the pauses; negative is noise taken.",
)
LEFT = _Kind(
    "noise left", "dB", "", False, "Level of the pauses against the speech; it holds nothing back."
)
PHASE = _Kind(
    "phase",
    "correlation",
    "correlation_lost",
    False,
    "By how much the correlation with the first channel of the group fell in clear speech.",
)
MONO = _Kind(
    "mono sum",
    "dB",
    "mono_change_db",
    True,
    "Change of level of the sum with the first channel, beyond that of the two.",
)
_KINDS = {
    kind.name: kind
    for kind in (
        *(LAG, LENGTH, CLIPPING, LEVEL, SIBILANTS, AIR, BREATHS, SUPPRESSED, MUSICAL, WARBLE),
        *(RANGE, NOISE, LEFT, PHASE, MONO),
    )
}


@dataclass(frozen=True)
class Judged:
    """A channel to be judged.

    read_raw, read_clean: read(start, n) gives n mono float64 samples, zeros outside.
    speech: spans (start, end) in samples in which somebody speaks.
    """

    read_raw: Read
    read_clean: Read
    speech: Sequence[tuple[int, int]]


def judge(
    read_raw: Read,
    read_clean: Read,
    frames: int,
    sample_rate: int,
    speech: Sequence[tuple[int, int]],
    limits: GateLimits,
    clean_frames: int,
) -> tuple[Gate, ...]:
    """Judge one cleaned channel; as `judge_group` for a group of one."""
    channel = Judged(read_raw, read_clean, speech)
    return judge_group([channel], frames, sample_rate, limits, clean_frames)[0]


def judge_group(
    channels: Sequence[Judged],
    frames: int,
    sample_rate: int,
    limits: GateLimits,
    clean_frames: int,
) -> tuple[tuple[Gate, ...], ...]:
    """Judge the cleaned channels of a microphone group.

    frames, clean_frames: samples that the original and the cleaned channels have.
    sample_rate: Hz of both. Gives for each channel a gate for each of lag, length, clipping,
    speech level, sibilants, air, breaths, over-suppression, musical noise, warble, loudness
    range, noise and noise left; from the second channel on also phase and mono sum, against
    the first. Every channel is read once in blocks, and once more in eight places for the lag;
    memory does not grow with the length but for 60 bytes a second.
    """
    tallies = [_Tally(_merged(item.speech, frames), frames, sample_rate) for item in channels]
    readings = [
        Paired(item.read_raw, item.read_clean, frames, sample_rate).passages() for item in channels
    ]
    for passages in zip(*readings, strict=True):
        heard = [tally.add(passage) for tally, passage in zip(tallies, passages, strict=True)]
        for tally, passage, (spoken, floor) in zip(
            tallies[1:], passages[1:], heard[1:], strict=True
        ):
            both = spoken & heard[0][0]
            tally.image.add(
                (passages[0].before[both], passages[0].after[both]),
                (passage.before[both], passage.after[both]),
                (heard[0][1], floor),
            )
    found = []
    for index, (item, tally) in enumerate(zip(channels, tallies, strict=True)):
        spans = tally.spans or [(0, frames)]
        lag = _lag(item.read_raw, item.read_clean, spans, sample_rate)
        values = {"lag": float(lag), "length": float(clean_frames - frames), **tally.values()}
        if index:
            values["phase"] = tally.image.correlation_lost
            values["mono sum"] = tally.image.mono_change_db
        found.append(tuple(_graded(_KINDS[name], value, limits) for name, value in values.items()))
    return tuple(found)


def regraded(gates: Sequence[Gate], limits: GateLimits) -> tuple[Gate, ...]:
    """Gates that were measured before, against other limits."""
    return tuple(_graded(_KINDS[gate.name], gate.value, limits) for gate in gates)


def _graded(kind: _Kind, value: float, limits: GateLimits) -> Gate:
    limit = float(getattr(limits, kind.limit)) if kind.limit else 0.0
    measured = abs(value) if kind.both_ways else value
    return Gate(
        kind.name, value, kind.unit, limit, not kind.limit or measured <= limit, kind.meaning
    )


@dataclass
class _Tally:
    """Everything that is measured of a channel, passage by passage."""

    spans: list[tuple[int, int]]
    frames: int
    sample_rate: int
    clipped: int = 0
    noise: Noise = field(init=False)
    speech: Speech = field(init=False)
    breaths: Breaths = field(init=False)
    image: Image = field(init=False)

    def __post_init__(self) -> None:
        self.noise = Noise(self.sample_rate, frame_size(self.sample_rate) // 2 + 1)
        self.speech = Speech(self.sample_rate)
        self.breaths = Breaths(self.sample_rate)
        self.image = Image(self.sample_rate)

    def add(self, passage: Passage) -> tuple[NDArray[np.bool_], Floor]:
        """Take in a passage; for each frame whether it is speech, and the passage's noise."""
        hot = np.abs(passage.clean) >= CLIPPED
        if hot.any():
            # A mended peak may rise past full scale; a clipped one stands still there.
            still = np.r_[False, np.diff(passage.clean) == 0, False]
            stuck = hot & (still[1:] | still[:-1])
            self.clipped += int(np.sum(stuck & (np.abs(passage.raw) < CLIPPED)))
        raw, clean = power(passage.before), power(passage.after)
        guard = round(PAUSE_GUARD_S * self.sample_rate)
        spoken = self._inside(passage, self.spans)
        paused = self._inside(passage, _gaps(self.spans, self.frames, guard))
        silent = self._inside(passage, _gaps(self.spans, self.frames, 0))
        floor = self.noise.add(raw, clean, paused)
        self.speech.add(raw, clean, spoken, floor)
        self.breaths.add(raw, clean, ~silent)
        return spoken, floor

    def _inside(self, passage: Passage, spans: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
        """For each frame of a passage whether it lies wholly in one of the spans."""
        hop = frame_size(self.sample_rate) // 2
        count = len(passage.before)
        inside = np.zeros(count, bool)
        for start, end in spans:
            first = -(-start // hop) - passage.first
            last = (end - 2 * hop) // hop + 1 - passage.first
            if last > 0 and first < count:
                inside[max(0, first) : last] = True
        return inside

    def values(self) -> dict[str, float]:
        """What was measured, by the names of the gates."""
        return {
            "clipping": float(self.clipped),
            "speech level": self.speech.level_change_db,
            "sibilants": self.speech.sibilants.loss_db,
            "air": self.speech.air.loss_db,
            "breaths": self.breaths.loss_db,
            "over-suppressed": self.speech.over_suppressed,
            "musical noise": self.noise.musical_noise,
            "warble": self.speech.warble_db,
            "loudness range": self.speech.range_change,
            "noise": -self.noise.taken_db,
            "noise left": self._left_db(),
        }

    def _left_db(self) -> float:
        """The noise that is left against the cleaned speech, -120 to 60 dB; 0 without speech."""
        if self.speech.power <= LEAST_POWER:
            return 0.0
        ratio = self.noise.left / self.speech.power
        return float(10 * np.log10(np.clip(ratio, 1e-12, 1e6)))


def _lag(read_raw: Read, read_clean: Read, spans: list[tuple[int, int]], sample_rate: int) -> int:
    """Samples by which the cleaned channel comes later, from windows spread over the speech."""
    from scipy.fft import irfft, next_fast_len, rfft

    reach = round(LAG_S * sample_rate)
    length = round(LAG_WINDOW_S * sample_rate)
    size = next_fast_len(2 * length + 2 * reach, real=True)
    total = np.zeros(size // 2 + 1, np.complex128)
    for at in _spread([(start, end - start) for start, end in spans], LAG_WINDOWS):
        first = at - length // 2
        raw = np.diff(read_raw(first, length))
        clean = np.diff(read_clean(first - reach, length + 2 * reach))
        total += rfft(clean, size) * np.conj(rfft(raw, size))
    if not np.any(total):
        return 0
    return int(np.argmax(irfft(total, size)[: 2 * reach + 1])) - reach


def _spread(spans: list[tuple[int, int]], count: int) -> list[int]:
    """`count` positions spread evenly over spans of (start, length)."""
    whole = sum(length for _, length in spans)
    positions = []
    for k in range(count):
        offset = whole * (2 * k + 1) // (2 * count)
        for start, length in spans:
            if offset < length:
                positions.append(start + offset)
                break
            offset -= length
    return positions


def _merged(spans: Sequence[tuple[int, int]], frames: int) -> list[tuple[int, int]]:
    """Spans in order, within the channel, overlapping ones made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, a), min(frames, b)) for a, b in spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _gaps(spans: list[tuple[int, int]], frames: int, guard: int) -> list[tuple[int, int]]:
    """What lies between the spans, at least `guard` samples away from any of them."""
    starts = [0, *(end + guard for _, end in spans)]
    ends = [*(start - guard for start, _ in spans), frames]
    return [(a, b) for a, b in zip(starts, ends, strict=True) if b > a]
