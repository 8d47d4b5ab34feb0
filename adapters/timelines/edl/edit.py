"""One edit of an EDL with everything that is said about it: what its lines become."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from adapters.timelines.edl.times import Times
from core.cut import MediaReference


@dataclass(frozen=True, slots=True)
class Mix:
    """What `VOL` says of a record track. pan: -1 (left) to 1, or None where it says nothing."""

    gain_db: float
    pan: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """A point of `AUDIO LEVEL AT`. at: frames since midnight, in source time by custom."""

    line: int
    at: int
    gain_db: float


@dataclass(frozen=True, slots=True)
class OnTrack:
    """What an edit does on one audio track beside playing.

    track: its number. sources: channels of the source, from 1; empty where no `PATCH` says.
    """

    track: int
    sources: tuple[int, ...] = ()
    mix: Mix | None = None
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit line, its times in frames.

    number, line: of the event, as written, and of the line, from 1. audio: by track; video:
    numbers of tracks. kind: C, D, W001, K, KB or KO; transition: its frames. black: silence.
    outgoing: the line, of the same event, that a transition starts from.
    """

    number: str
    line: int
    audio: tuple[OnTrack, ...]
    video: tuple[int, ...]
    kind: str
    transition: int
    times: Times
    black: bool
    media: MediaReference
    speed: Fraction = Fraction(1)
    outgoing: int | None = None
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def blends(self) -> bool:
        """Whether it starts with a transition out of something else."""
        return self.kind not in ("C", "KB")

    def on(self, track: int) -> OnTrack | None:
        """What it does on an audio track, None where it is not on it."""
        return next((item for item in self.audio if item.track == track), None)
