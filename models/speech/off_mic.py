"""Who speaks without a microphone of their own: speech that no named microphone explains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.speech import Turn
from models.speech.activity import FRAME
from models.speech.tracks import voice_power
from models.speech.voiceprint import VoiceEncoder
from models.speech.voices import Voice, turns_from_voices, voices_of

_GUARD = 4_800
_SHORTEST = 12_800
_LEAST = 16_000
_OWN_VOICE = 0.72
_ABOVE_NOISE = 10 ** (6 / 10)


def with_off_mic(
    turns: Sequence[Turn],
    sound: NDArray[np.float32],
    spans: Sequence[tuple[int, int]],
    encoder: VoiceEncoder,
) -> tuple[Turn, ...]:
    """The turns of named microphones, and those of voices that none of them explains.

    sound: the boom or the mix at 16 kHz. spans: where somebody speaks in it. What lies 0.3 s
    away from every turn for at least 0.8 s, 6 dB above the noise, is looked at. A voice like one
    that wears a microphone (a cosine over 0.72, the equal error of takes) is that one's, whose
    microphone failed or was quiet; others are `SPEAKER 1`, `SPEAKER 2` … from a second on.
    """
    rest = _standing_out(sound, _unexplained(spans, turns))
    if not rest:
        return tuple(turns)
    wearers = voices_of(sound, turns, encoder)
    found = turns_from_voices(sound, rest, None, encoder)
    names = {voice.speaker: _name(voice, wearers) for voice in voices_of(sound, found, encoder)}
    numbers: dict[str, str] = {}
    added = []
    for turn in found:
        if turn.speaker not in names:
            continue
        name = names[turn.speaker]
        if not name:
            if sum(t.end - t.start for t in found if t.speaker == turn.speaker) < _LEAST:
                continue
            name = numbers.setdefault(turn.speaker, f"SPEAKER {len(numbers) + 1}")
        added.append(Turn(name, turn.start, turn.end))
    return tuple(sorted([*turns, *added], key=lambda turn: (turn.start, turn.end, turn.speaker)))


def _name(voice: Voice, wearers: Sequence[Voice]) -> str:
    """Whose microphone the voice is like, or empty."""
    alike = [(float(voice.print @ wearer.print), wearer.speaker) for wearer in wearers]
    closest = max(alike, default=(0.0, ""))
    return closest[1] if closest[0] >= _OWN_VOICE else ""


def _standing_out(sound: NDArray[np.float32], rest: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches with twice the amplitude of the noise, the quiet tenth of the whole sound."""
    if not rest:
        return []
    power = voice_power(sound)
    least = _ABOVE_NOISE * float(np.percentile(power, 10))
    return [
        (start, end)
        for start, end in rest
        if float(power[start // FRAME : -(-end // FRAME)].mean()) >= least
    ]


def _unexplained(spans: Sequence[tuple[int, int]], turns: Sequence[Turn]) -> list[tuple[int, int]]:
    """What of the spans is far from every turn and long enough."""
    rest = list(spans)
    for turn in turns:
        low, high = turn.start - _GUARD, turn.end + _GUARD
        rest = [
            piece
            for start, end in rest
            for piece in ((start, min(end, low)), (max(start, high), end))
            if piece[1] > piece[0]
        ]
    return [(start, end) for start, end in rest if end - start >= _SHORTEST]
