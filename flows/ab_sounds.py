"""The sounds of an A/B: the gain that makes them fair, and the three waves.

Raw, cleaned and removed are told apart by their place in KINDS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from adapters.media.write import WaveWriter
from config.recipes import Recipe
from core.errors import InputError
from core.media import MediaFile
from core.stems import FULL_SCALE, Grid, to_grid
from flows.hearing import Read, in_samples, parts_at_16k, spoken
from flows.marks import Stamp, after_history, cleaning_lines, coding_history, ixml_fields
from flows.progress import Progress
from flows.takes import CleanedTake, microphone_name
from flows.workspace import Workspace
from models.level_match import match_db

KINDS = ("raw", "cleaned", "removed")
WRITING = "Writing the A/B"
BLOCK = 1 << 18
_GUARD_S = 0.25
_ENOUGH_SPEECH_S = 0.5


@dataclass(frozen=True)
class Ready:
    """A stretch with its cleaned take. place: of the channel in the cleaned take's group.

    ai_mark: whether files that a model touched say so.
    """

    media: MediaFile
    channel: int
    start: int
    end: int
    recipe: Recipe
    take: CleanedTake
    place: int
    ai_mark: bool = True


def matched(
    work: Workspace,
    media: MediaFile,
    channel: int,
    stretch: tuple[int, int],
    raw: Read,
    clean: Read,
) -> tuple[float, str]:
    """The gain in dB that matches the speech of a stretch, and what is to be said of it.

    stretch: samples of the file. raw, clean: its channel before and after. Where the stretch has
    too little speech, that of the take decides; without any it is 0.
    """
    rate = media.sample_rate
    spans = in_samples(
        spoken(work, media, channel, lambda: parts_at_16k(raw, media.frames, rate)),
        media.frames,
        rate,
    )
    inside = [
        (max(start, stretch[0]), min(end, stretch[1]))
        for start, end in spans
        if start < stretch[1] and end > stretch[0]
    ]
    guard = round(_GUARD_S * rate)
    edges = [0, *(edge for start, end in spans for edge in (start - guard, end + guard))]
    pauses = [
        (a, b) for a, b in zip(edges[::2], [*edges[1::2], media.frames], strict=True) if b > a
    ]
    if sum(end - start for start, end in inside) >= _ENOUGH_SPEECH_S * rate:
        gain = match_db(raw, clean, inside, pauses, rate)
        if gain is not None:
            return round(gain, 2) + 0.0, ""
    gain = match_db(raw, clean, spans, pauses, rate)
    if gain is None:
        return 0.0, "There is too little clear speech to match the levels by; nothing was matched."
    return (
        round(gain, 2) + 0.0,
        "The stretch has too little clear speech; the levels are matched by that of the take.",
    )


def write_sounds(
    ready: Ready,
    files: Mapping[str, Path],
    raw: Read,
    clean: Read,
    gain_db: float,
    progress: Progress,
) -> None:
    """Write the three waves, each whole or not at all, to `files` by their kind.

    raw, clean: the channel before and after. gain_db: on cleaned and removed, which on the 24-bit
    grid add up to the raw sound under it. Raises OutputError where the system refuses to write.
    """
    factor = 10 ** (gain_db / 20)
    blocks = range(ready.start, ready.end, BLOCK)
    progress.step(WRITING, 2 * len(blocks) + 1)
    peaks = np.zeros(3)
    for grids in _grids(ready, raw, clean, factor):
        peaks = np.maximum(peaks, [np.max(np.abs(grid), initial=0) for grid in grids])
        progress.advance(WRITING)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(_writer(ready, files[kind], kind, bool(peak < FULL_SCALE), gain_db))
            for kind, peak in zip(KINDS, peaks, strict=True)
        ]
        for grids in _grids(ready, raw, clean, factor):
            for writer, grid in zip(writers, grids, strict=True):
                writer.write(grid)
            progress.advance(WRITING)


def same_sound(
    ready: Ready, path: Path, place: int, raw: Read, clean: Read, gain_db: float
) -> bool:
    """Whether a file has the very samples that will be written. place: of its kind in KINDS."""
    try:
        with Sound(path) as there:
            if (there.frames, there.channels) != (ready.end - ready.start, 1):
                return False
            at = 0
            for grids in _grids(ready, raw, clean, 10 ** (gain_db / 20)):
                block = to_grid(there.read(at, len(grids[place]), [0]))[:, 0]
                if not np.array_equal(block, grids[place]):
                    return False
                at += len(block)
    except InputError:
        return False
    return True


def _grids(
    ready: Ready, raw: Read, clean: Read, factor: float
) -> Iterator[tuple[Grid, Grid, Grid]]:
    for start in range(ready.start, ready.end, BLOCK):
        frames = min(BLOCK, ready.end - start)
        before: NDArray[np.float64] = raw(start, frames)
        cleaned = to_grid(clean(start, frames), factor)
        yield to_grid(before), cleaned, to_grid(before, factor) - cleaned


def _writer(ready: Ready, path: Path, kind: str, fits: bool, gain_db: float) -> WaveWriter:
    media = ready.media
    reference = media.notes.time_reference
    works = [] if kind == "raw" else [ready.take.worked]
    history = cleaning_lines(media.sample_rate, 1, works) + coding_history(
        media.sample_rate, 24 if fits else 32, 1, [], "stretch"
    )
    notes = replace(
        media.notes,
        time_reference=None if reference is None else reference + ready.start,
        track_names=((0, microphone_name(media, ready.channel)),),
        coding_history=after_history(media.notes.coding_history, history),
    )
    extra = {
        **ixml_fields(works, Stamp(ai_mark=ready.ai_mark), path),
        "ROLE": f"AB_{kind.upper()}",
        "TAKE_KEY": ready.take.key,
        "GAIN_DB": f"{0.0 if kind == 'raw' else gain_db:.2f}",
    }
    return WaveWriter(path, media.sample_rate, 1, "PCM_24" if fits else "FLOAT", notes, extra)
