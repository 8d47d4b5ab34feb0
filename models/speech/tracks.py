"""Who speaks when, from one lavalier track a character: names for free, no training.

A character's own voice is strongest in the own lav; the others hear it as bleed, by an amount
that hardly changes within a take. The amount is measured for every pair of tracks where one
voice stands out alone; somebody speaks in a track where it carries more than its noise floor and
the bleed that all the other tracks together predict. Lines that overlap are found as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.speech import Turn
from models.speech.activity import FRAME, ActivityOptions, speech_spans

_Levels = NDArray[np.float64]
_BLOCK_FRAMES = 2_000


@dataclass(frozen=True)
class TrackOptions:
    """How levels of tracks become turns.

    activity: of the voice in a track, its own or bled.
    voice_hz: the band that is compared, where voices are strong and rumble is not.
    smooth_ms: levels are averaged over this. Lower follows fast exchanges, higher tolerates
        more noise.
    alone_db: a track this much more above its floor than every other one carries its own
        character alone; such stretches teach the bleed. Lower learns from more, higher from
        surer stretches.
    assumed_bleed_db: bleed between two tracks where too little was heard to measure it.
    above_db, release_db: level above the prediction that starts a turn, and that ends it. Lower
        finds soft interjections, higher lets less bleed through.
    bridge_ms: shorter pauses of one character stay within the turn.
    min_turn_ms: shorter turns are dropped.
    """

    activity: ActivityOptions = field(default_factory=ActivityOptions)
    voice_hz: tuple[int, int] = (200, 4_000)
    smooth_ms: int = 160
    alone_db: float = 6.0
    assumed_bleed_db: float = -15.0
    above_db: float = 4.0
    release_db: float = 2.0
    bridge_ms: int = 600
    min_turn_ms: int = 200


def turns_from_tracks(
    tracks: Mapping[str, NDArray[np.float32]], options: TrackOptions = TrackOptions()
) -> tuple[Turn, ...]:
    """Turns, in 16 kHz samples and in order, from mono tracks at 16 kHz of one length by name.

    Raises UsageError where the tracks differ in length. No track, no turns.
    """
    names = list(tracks)
    lengths = {len(track) for track in tracks.values()}
    if len(lengths) > 1:
        raise UsageError("The tracks of a take differ in length; give tracks of one recording.")
    if not lengths or not max(lengths):
        return ()
    length = lengths.pop()
    voiced = np.stack([_voiced(track, options.activity) for track in tracks.values()])
    powers = np.stack([voice_power(track, options) for track in tracks.values()])
    powers = _smoothed(powers, options.smooth_ms)
    floors = _noise_floors(powers, voiced)
    voices = np.maximum(powers - floors[:, None], 0.0)
    predicted = floors[:, None] + _bleed(voices, floors, voiced, options).T @ voices
    active = np.stack(
        [
            _held(excess, options) & speech
            for excess, speech in zip(_db(powers / predicted), voiced, strict=True)
        ]
    )
    turns = [
        Turn(name, first * FRAME, min(last * FRAME, length))
        for index, name in enumerate(names)
        for first, last in _runs_bridged(active, index, options)
    ]
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker)))


def voice_power(
    track: NDArray[np.float32], options: TrackOptions = TrackOptions()
) -> NDArray[np.float64]:
    """Power in the voice band of every 512-sample frame of a mono track at 16 kHz, in blocks."""
    low, high = (round(hz * FRAME / 16_000) for hz in options.voice_hz)
    window = np.hanning(FRAME)
    powers = []
    for start in range(0, len(track), _BLOCK_FRAMES * FRAME):
        block = np.asarray(track[start : start + _BLOCK_FRAMES * FRAME], dtype=np.float64)
        frames = np.pad(block, (0, -len(block) % FRAME)).reshape(-1, FRAME)
        spectrum = np.fft.rfft(frames * window, axis=1)[:, low:high]
        powers.append((np.abs(spectrum) ** 2).sum(axis=1) / FRAME**2)
    return np.concatenate(powers)


def _voiced(track: NDArray[np.float32], options: ActivityOptions) -> NDArray[np.bool_]:
    """Which 512-sample frames lie within a span of speech, own or bled."""
    frames = -(-len(track) // FRAME)
    voiced = np.zeros(frames, dtype=bool)
    for start, end in speech_spans(track, options):
        voiced[start // FRAME : -(-end // FRAME)] = True
    return voiced


def _smoothed(powers: _Levels, smooth_ms: int) -> _Levels:
    """Powers (tracks, frames) averaged over smooth_ms around each frame."""
    width = max(1, round(smooth_ms * 16 / FRAME)) | 1
    kernel = np.full(width, 1.0 / width)
    padded = np.pad(powers, ((0, 0), (width // 2, width // 2)), mode="edge")
    return np.stack([np.convolve(row, kernel, mode="valid") for row in padded])


def _noise_floors(powers: _Levels, voiced: NDArray[np.bool_]) -> _Levels:
    """Noise power of each track: its mean where nobody speaks on any track, else its quiet tenth.

    At most 60 dB below the loudest frames, so that digital silence doesn't divide by zero.
    """
    silent = ~voiced.any(axis=0)
    floors = (
        powers[:, silent].mean(axis=1)
        if silent.sum() * FRAME >= 16_000
        else np.percentile(powers, 10, axis=1)
    )
    floors = np.maximum(floors, 1e-6 * np.percentile(powers, 95, axis=1))
    return np.asarray(np.maximum(floors, 1e-16), dtype=np.float64)


def _bleed(
    voices: _Levels, floors: _Levels, voiced: NDArray[np.bool_], options: TrackOptions
) -> _Levels:
    """The bleed matrix: [u, t] is the power of u's voice in t for one unit of it in u.

    Learned where one track stands alone_db above all others, each measured above its own noise
    (so a difference of gain doesn't count), from the louder half of those frames.
    """
    count = len(voices)
    ratios = _db(voices / floors[:, None] + 1.0)
    bleed = np.zeros((count, count))
    for own in range(count):
        others = np.delete(np.arange(count), own)
        apart = (ratios[own] - ratios[others] > options.alone_db).all(axis=0)
        alone = np.flatnonzero(voiced[own] & apart)
        loud = alone[np.argsort(voices[own][alone], kind="stable")[len(alone) // 2 :]]
        for other in others:
            assumed = 10 ** (options.assumed_bleed_db / 10) * floors[other] / floors[own]
            enough = len(loud) * FRAME >= 8_000
            bleed[own, other] = (
                np.median(voices[other][loud] / voices[own][loud]) if enough else assumed
            )
    return bleed


def _held(excess_db: _Levels, options: TrackOptions) -> NDArray[np.bool_]:
    """Frames of runs that stay above release_db and reach above_db."""
    held = np.zeros(len(excess_db), dtype=bool)
    for first, last in _runs(excess_db >= options.release_db):
        held[first:last] = excess_db[first:last].max() >= options.above_db
    return held


def _runs_bridged(
    active: NDArray[np.bool_], index: int, options: TrackOptions
) -> list[tuple[int, int]]:
    """Runs of one track's activity, joined over short pauses in which nobody else speaks."""
    bridge = options.bridge_ms * 16 / FRAME
    others: NDArray[np.bool_] = np.any(np.delete(active, index, axis=0), axis=0)
    joined: list[tuple[int, int]] = []
    for first, last in _runs(active[index]):
        before = joined[-1][1] if joined else -len(others)
        if first - before <= bridge and not others[before:first].any():
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return [run for run in joined if (run[1] - run[0]) * FRAME >= options.min_turn_ms * 16]


def _runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, past the last) of each run of true frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _db(power: _Levels) -> _Levels:
    """Decibels of a power ratio."""
    return np.asarray(10 * np.log10(np.maximum(power, 1e-20)), dtype=np.float64)
