"""What the demo production is made of: its people, lines, takes and cuts, as config/demo says."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from core.errors import InputError
from core.time import FrameRate, frames_to_samples, parse_rate, timecode_to_frames


@dataclass(frozen=True)
class Character:
    """Who speaks, and the espeak-ng voice that the recordings were made with."""

    name: str
    voice: str


@dataclass(frozen=True)
class SpokenLine:
    """A line spoken once: recorded in lines/<id>.flac. speed: words a minute."""

    id: str
    who: str
    text: str
    speed: int
    pitch: int


@dataclass(frozen=True)
class Cue:
    """A line spoken in a take, `at` frames from its start."""

    line: str
    at: int


@dataclass(frozen=True)
class Take:
    """A take: when and where it was recorded, who says what in it, and what is wrong with it.

    frames: length. snr: dB, speech at the boom over the noise. boom: metres to each speaker.
    hum_db: against the noise. cars, clicks: frames at which they fall.
    """

    name: str
    scene: str
    take: str
    tape: str
    circled: bool
    timecode: str
    frames: int
    note: str
    place: str
    snr: float
    boom: dict[str, float]
    cues: tuple[Cue, ...]
    cars: tuple[int, ...] = ()
    clicks: tuple[int, ...] = ()
    hum_hz: int = 0
    hum_db: float = 0.0

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in order: the mix, the boom, a lav for each speaker."""
        return ("MIX", "BOOM", *self.boom)


@dataclass(frozen=True)
class CutEvent:
    """An event of a cut, in frames. record: from the start of the cut; source: of the take.

    dissolve: length of a dissolve centred on record, from the event before; 0 is a cut.
    """

    track: str
    take: str
    channel: str
    record: int
    source: int
    length: int
    dissolve: int = 0


@dataclass(frozen=True)
class CutScript:
    """A version of the cut."""

    name: str
    events: tuple[CutEvent, ...]

    def track(self, name: str) -> tuple[CutEvent, ...]:
        """The events of a track, in record order."""
        return tuple(
            sorted((e for e in self.events if e.track == name), key=lambda event: event.record)
        )

    @property
    def frames(self) -> int:
        """Length of the cut."""
        return max(event.record + event.length for event in self.events)


@dataclass(frozen=True)
class Production:
    """What production.toml says. search_for: a phrase that a draft transcript gets right."""

    title: str
    rate: str
    sample_rate: int
    seed: int
    date: str
    cut_start: str
    search_for: str
    characters: tuple[Character, ...]
    lines: tuple[SpokenLine, ...]
    takes: tuple[Take, ...]
    cuts: tuple[CutScript, ...]

    @property
    def frame_rate(self) -> FrameRate:
        """The rate of picture and timecode."""
        return parse_rate(self.rate)

    def samples(self, frames: int) -> int:
        """The sample of a position in frames."""
        return frames_to_samples(frames, self.frame_rate.fps, self.sample_rate)

    def take(self, name: str) -> Take:
        """A take by its name."""
        return next(take for take in self.takes if take.name == name)

    def timecode(self, take: Take) -> int:
        """Timecode of a take's first frame, in frames since midnight."""
        return timecode_to_frames(take.timecode, self.frame_rate)


def load_production() -> Production:
    """The production that config/demo describes.

    Raises InputError where production.toml is missing or not as it should be.
    """
    from pydantic import TypeAdapter, ValidationError

    script = resources.files("config") / "demo" / "production.toml"
    try:
        return TypeAdapter(Production).validate_python(tomllib.loads(script.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as fault:
        raise InputError(f"{script} can't be used ({fault}): install roomtone again.") from fault
