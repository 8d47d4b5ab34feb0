"""Which claps are slates: those before the first lines of a take, or after its last."""

from __future__ import annotations

from collections.abc import Sequence

from core.events import EventKind, SoundEvent
from models.events.claps import Clap

ANNOUNCED_S = 12
LATEST_S = 90
SURE_S = 6


def slates(
    claps: Sequence[Clap],
    spoken: Sequence[tuple[int, int]],
    frames: int,
    sample_rate: int,
    channel: int,
) -> tuple[SoundEvent, ...]:
    """The head slate and the end slate of a take, each where there is one.

    spoken: where somebody speaks, in samples of the take, which has `frames` of them. A slate is
    announced, so up to 12 s of speech may come before it (after it, at the end), within a minute
    and a half of the take's end. Of several claps the clearest counts.
    """
    found = []
    for tail in (False, True):
        rated = []
        for clap in claps:
            before = _spoken_within(spoken, 0, clap.start) / sample_rate
            after = _spoken_within(spoken, clap.end, frames) / sample_rate
            if (after < before) is not tail:
                continue
            said = after if tail else before
            away = (frames - clap.start if tail else clap.start) / sample_rate
            if said > ANNOUNCED_S or away > LATEST_S:
                continue
            late = max(0.0, said - SURE_S) / (ANNOUNCED_S - SURE_S)
            rated.append((clap.strength * (1 - 0.5 * late), -clap.start, clap))
        if rated:
            confidence, _, clap = max(rated, key=lambda row: row[:2])
            name = "end slate" if tail else "slate"
            found.append(
                SoundEvent(
                    EventKind.SLATE,
                    clap.start,
                    min(frames, clap.end),
                    channel,
                    round(confidence, 2),
                    f"{name}, {clap.above_db:.0f} dB above the room",
                )
            )
    return tuple(sorted(found, key=lambda event: event.start))


def _spoken_within(spoken: Sequence[tuple[int, int]], start: int, end: int) -> int:
    return sum(max(0, min(end, last) - max(start, first)) for first, last in spoken)
