"""Turnovers without files of a timeline or an engine: media are arrays, cleaning is a formula."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from adapters.media.relink import Link
from config.deliveries import load_delivery
from config.settings import Settings
from core.cut import Cut, Event, MediaReference, Track
from core.media import MediaFile, SoundNotes
from core.roles import Choice
from core.time import RATES, FrameRate
from flows.progress import Silent
from flows.stems import Rendered, render_stems
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import Workspace, open_workspace
from models.card import ModelCard

CARD = ModelCard("half", "1", "", "", "MIT", "nothing", "")
STEP = 2.0**-23

Played = tuple[Event, MediaFile, int, tuple[int, ...]]
"""An event, its file, the sample of the file it starts at, and the channels it plays."""


def media_of(
    folder: Path, name: str, sound: NDArray[np.float64], rate: int, notes: SoundNotes | None = None
) -> MediaFile:
    """A 24-bit file of a sound of shape (frames, channels)."""
    path = folder / f"{name}.wav"
    sf.write(path, sound, rate, "PCM_24")
    size = path.stat().st_size
    essence = hashlib.sha256(sound.tobytes()).hexdigest()
    frames, channels = sound.shape
    return MediaFile(
        path, "WAV", "PCM_24", rate, channels, frames, size, 0, notes or SoundNotes(), essence
    )


def event(name: str, at: int, length: int, **changes: object) -> Event:
    """An event by its id, place and length in frames."""
    media = MediaReference(name="clip")
    return Event(name, Fraction(at), Fraction(length), Fraction(0), media, **changes)  # type: ignore[arg-type]


def turnover_of(
    tracks: Mapping[str, Sequence[Played]],
    rate: FrameRate = RATES["25"],
    start: int = 90_000,
    through: Sequence[str] = (),
    no_dialogue: Sequence[str] = (),
    length: int = 0,
) -> Turnover:
    """A cut of tracks with its media found. length: frames; 0 is up to the last event's end."""
    played = [item for items in tracks.values() for item in items]
    end = max((item[0].record_end for item in played), default=Fraction(0))
    made = tuple(Track(name, tuple(item[0] for item in items)) for name, items in tracks.items())
    return Turnover(
        cut=Cut("reel", rate, start, Fraction(length) or end, made),
        path=Path("reel.otio"),
        digest="d" * 64,
        links={
            item.id: Link(item.id, media, "url", first, channels, ())
            for item, media, first, channels in played
        },
        offline=(),
        media={media.essence: media for _, media, _, _ in played},
        notes=(),
        choices=tuple(Choice(name, name not in no_dialogue, "", "") for name in tracks),
        through=frozenset(through),
    )


def half(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """A cleaning that a test can foresee: half of everything."""
    return sound / 2


def cleaned_takes(
    turnover: Turnover,
    folder: Path,
    clean: Callable[[NDArray[np.float64]], NDArray[np.float64]] = half,
) -> dict[str, CleanedTake]:
    """Every take that the turnover asks for, cleaned by a formula, in 32-bit float."""
    found = {}
    for number, take in enumerate(turnover.takes):
        media = turnover.media[take.essence]
        sound = sf.read(media.path, always_2d=True)[0][:, list(take.channels)]
        path = folder / f"clean-{number}.wav"
        sf.write(path, clean(sound), media.sample_rate, "FLOAT")
        found[take.id] = CleanedTake(
            take, media, f"key {take.id}", path, "s", CARD, (), (), (), cleaned_now=True
        )
    return found


@contextmanager
def workspace(home: Path, **settings: object) -> Iterator[Workspace]:
    """A workspace in a folder of its own, with settings of its own."""
    with open_workspace(Settings(home=home, **settings)) as work:  # type: ignore[arg-type]
        yield work


def stems_of(
    turnover: Turnover,
    folder: Path,
    clean: Callable[[NDArray[np.float64]], NDArray[np.float64]] = half,
    loudness: str = "none",
    retimed: str = "silence",
    **settings: object,
) -> tuple[Rendered, dict[str, NDArray[np.int64]]]:
    """What was rendered, and each stem by its label in steps of 24 bit, (frames, channels)."""
    (folder / "stems").mkdir()
    with workspace(folder / "home", **settings) as work:
        rendered = render_stems(
            work,
            turnover,
            cleaned_takes(turnover, folder, clean),
            {},
            load_delivery(loudness),
            folder / "stems",
            Silent(),
            retimed,  # type: ignore[arg-type]
        )
    return rendered, {
        stem.name.label: np.rint(sf.read(stem.path, always_2d=True)[0] / STEP).astype(np.int64)
        for stem in rendered.stems
    }
