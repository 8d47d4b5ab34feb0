"""Render a cut's stems in blocks: measured once at production level, then written.

`NR` is `PROD - DX` and `OTHER` is the dialogue less its characters, on the written grid, so
both sums are exact whatever gain is applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound, at_rate, sound_file
from adapters.media.write import WaveWriter
from config.deliveries import DeliverySpec
from core.conform import Placement, cut_length, placements, render, start_sample
from core.media import SoundNotes
from core.stems import (
    FULL_SCALE,
    Grid,
    Span,
    character_mask,
    character_spans,
    split_characters,
    to_grid,
)
from flows.listen import Heard, person_channels
from flows.progress import Progress
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import Workspace, code_version
from models.loudness import GainDecision, LoudnessMeter, programme_gain

RENDER_VERSION = "1"


@dataclass(frozen=True, order=True)
class StemName:
    """Which stem: its role, and its track or character where it belongs to one.

    role: PROD, DX, NR (of a track), DX with no track (the dialogue of all tracks), CHAR, OTHER.
    """

    role: str
    track: str = ""
    character: str = ""

    @property
    def label(self) -> str:
        """As part of a file name: `A1_DX.NR`, `DX`, `CHAR.REN`."""
        parts = [self.track, self.role, self.character]
        return ".".join(file_safe(part) for part in parts if part)


@dataclass(frozen=True)
class Stem:
    """A stem that was written. subtype: PCM_24, or FLOAT where it passes full scale."""

    name: StemName
    path: Path
    channels: int
    frames: int
    subtype: str
    takes: tuple[str, ...]


@dataclass(frozen=True)
class Rendered:
    """The stems of a cut.

    loudness: integrated, LUFS, and true_peak, dBTP, of the dialogue at production level;
    gain: what was applied to every stem.
    """

    stems: tuple[Stem, ...]
    sample_rate: int
    start: int
    frames: int
    loudness: float
    true_peak: float
    gain: GainDecision


def file_safe(name: str) -> str:
    """A name that every file system takes: letters, digits, `-` and `_`."""
    kept = "".join(char if char.isalnum() or char in "-_" else "_" for char in name)
    return kept.strip("_") or "_"


class _Desk:
    """The open sources of a cut, at the session's rate, and the tracks that play them."""

    def __init__(
        self,
        work: Workspace,
        turnover: Turnover,
        cleaned: Mapping[str, CleanedTake],
        heard: Mapping[str, Heard],
        stack: ExitStack,
    ) -> None:
        self.rate = work.settings.sample_rate
        self.frames = cut_length(turnover.cut, self.rate)
        laid = placements(turnover.cut, turnover.sources, self.rate)
        self.tracks = {
            track.name: tuple(item for item in laid if item.track == track.name)
            for track in turnover.cut.audio_tracks
        }
        self.widths = {
            name: max((len(item.channels) for item in items), default=1)
            for name, items in self.tracks.items()
        }
        self.width = max(self.widths.values(), default=1)
        self.originals: dict[str, Sound] = {}
        self.cleans: dict[str, Sound] = {}
        for take_id in sorted({item.take for item in laid}):
            take = cleaned[take_id]
            source = sound_file(take.media, work.cache)
            raw = at_rate(source, self.rate, work.cache, take.media.essence)
            clean = at_rate(take.path, self.rate, work.cache, take.key)
            self.originals[take_id] = stack.enter_context(Sound(raw))
            self.cleans[take_id] = stack.enter_context(Sound(clean))
        self.spans = _spans(laid, cleaned, heard, self.rate)
        self.characters = sorted({span.character for span in self.spans})

    def raw(self, placement: Placement, start: int, count: int) -> np.ndarray:
        """The original sound of a placement."""
        return self.originals[placement.take].read(start, count, placement.channels)

    def clean(self, placement: Placement, start: int, count: int) -> np.ndarray:
        """The cleaned sound of a placement: the take holds just the channels of its group."""
        return self.cleans[placement.take].read(start, count, range(len(placement.channels)))

    def block(self, first: int, count: int, gain: float) -> dict[StemName, Grid]:
        """Every stem for a block of the record, on the grid."""
        stems: dict[StemName, Grid] = {}
        dialogue = np.zeros((count, self.width), dtype=np.int64)
        people = {name: np.zeros((count, self.width), dtype=np.int64) for name in self.characters}
        other = np.zeros_like(dialogue)
        for track, laid in self.tracks.items():
            width = self.widths[track]
            production = to_grid(render(laid, first, count, width, self.raw), gain)
            cleaned = to_grid(render(laid, first, count, width, self.clean), gain)
            stems[StemName("PROD", track)] = production
            stems[StemName("DX", track)] = cleaned
            stems[StemName("NR", track)] = production - cleaned
            dialogue += cleaned
            spans = [span for span in self.spans if span.track == track]
            masks = {
                name: character_mask(
                    [span for span in spans if span.character == name], first, count, self.rate
                )
                for name in sorted({span.character for span in spans})
            }
            spoken, rest = split_characters(cleaned, masks)
            for name, grid in spoken.items():
                people[name] += grid
            other += rest
        stems[StemName("DX")] = dialogue
        if people:
            for name, grid in people.items():
                stems[StemName("CHAR", character=name)] = grid
            stems[StemName("OTHER")] = other
        return stems

    def takes_of(self, name: StemName) -> tuple[str, ...]:
        """The takes that a stem is made of, in the order of first use."""
        tracks = [name.track] if name.track else list(self.tracks)
        items = [item for track in tracks for item in self.tracks[track]]
        if name.character:
            spans = [span for span in self.spans if span.character == name.character]
            items = [
                item
                for item in items
                if any(
                    span.track == item.track
                    and span.start < item.record_end
                    and item.record_start < span.end
                    for span in spans
                )
            ]
        return tuple(dict.fromkeys(item.take for item in items))


def _spans(
    laid: Sequence[Placement],
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    sample_rate: int,
) -> tuple[Span, ...]:
    owners = {
        (take_id, channel): name
        for take_id, take in cleaned.items()
        for channel, name in person_channels(take.media).items()
    }
    lines = {
        take_id: heard[take.media.essence].lines
        for take_id, take in cleaned.items()
        if take.media.essence in heard
    }
    rates = {take_id: take.media.sample_rate for take_id, take in cleaned.items()}
    return character_spans(laid, lines, rates, owners, sample_rate)


def render_stems(
    work: Workspace,
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    spec: DeliverySpec,
    folder: Path,
    progress: Progress,
) -> Rendered:
    """Write every stem of a cut into `folder`, exactly as long as the cut.

    cleaned: by take id. heard: by essence. spec: decides the one gain of all stems.
    Raises OutputError where the folder can't be written.
    """
    with ExitStack() as stack:
        desk = _Desk(work, turnover, cleaned, heard, stack)
        name = "Conforming"
        blocks = list(_blocks(desk.frames, desk.rate))
        progress.step(name, 2 * len(blocks))
        meter = LoudnessMeter(desk.rate, desk.width)
        peaks: dict[StemName, int] = {}
        for first, count in blocks:
            grids = desk.block(first, count, 1.0)
            meter.add(grids[StemName("DX")] / FULL_SCALE)
            for stem_name, grid in grids.items():
                highest = int(np.max(np.abs(grid), initial=0))
                peaks[stem_name] = max(peaks.get(stem_name, 0), highest)
            progress.advance(name)
        decision = programme_gain(meter.integrated, meter.true_peak(), spec)
        gain = 10 ** (decision.gain_db / 20)
        paths = _paths(folder, file_safe(turnover.path.stem), sorted(peaks))
        stems = tuple(
            Stem(
                name=stem_name,
                path=paths[stem_name],
                channels=desk.widths.get(stem_name.track, desk.width),
                frames=desk.frames,
                # one step of head room: rounding after the gain may add one
                subtype="PCM_24" if peaks[stem_name] * gain + 2 < FULL_SCALE else "FLOAT",
                takes=desk.takes_of(stem_name),
            )
            for stem_name in sorted(peaks)
        )
        writers = {
            stem.name: stack.enter_context(_writer(turnover, stem, desk.rate, cleaned, decision))
            for stem in stems
        }
        for first, count in blocks:
            for stem_name, grid in desk.block(first, count, gain).items():
                writers[stem_name].write(grid)
            progress.advance(name)
    return Rendered(
        stems=stems,
        sample_rate=desk.rate,
        start=start_sample(turnover.cut, desk.rate),
        frames=desk.frames,
        loudness=meter.integrated(),
        true_peak=meter.true_peak(),
        gain=decision,
    )


def _writer(
    turnover: Turnover,
    stem: Stem,
    sample_rate: int,
    cleaned: Mapping[str, CleanedTake],
    decision: GainDecision,
) -> WaveWriter:
    return WaveWriter(
        stem.path,
        sample_rate,
        stem.channels,
        "PCM_24" if stem.subtype == "PCM_24" else "FLOAT",
        _notes(turnover, stem, sample_rate, cleaned),
        {
            "ROLE": stem.name.role,
            "CUT": turnover.cut.name,
            "CUT_SHA256": turnover.digest,
            "GAIN_DB": f"{decision.gain_db:.6f}",
        },
    )


def _paths(folder: Path, prefix: str, names: Sequence[StemName]) -> dict[StemName, Path]:
    """A file for each stem; of labels that a file system may take for the same, one is numbered."""
    paths: dict[StemName, Path] = {}
    taken: set[str] = set()
    for name in names:
        label, number = name.label, 1
        while label.casefold() in taken:
            number += 1
            label = f"{name.label}_{number}"
        taken.add(label.casefold())
        paths[name] = folder / f"{prefix}.{label}.wav"
    return paths


def _blocks(frames: int, size: int) -> Iterator[tuple[int, int]]:
    for first in range(0, frames, size):
        yield first, min(size, frames - first)


def _notes(
    turnover: Turnover, stem: Stem, sample_rate: int, cleaned: Mapping[str, CleanedTake]
) -> SoundNotes:
    """What a stem says of itself. No dates: the same stem is the same bytes."""
    engines = sorted({f"{cleaned[take].card.name}" for take in stem.takes})
    touched = stem.name.role != "PROD"
    return SoundNotes(
        project=turnover.cut.name,
        description=f"{turnover.cut.name} {stem.name.label}"[:256],
        originator="roomtone",
        originator_reference=turnover.digest[:32],
        coding_history=coding_history(
            sample_rate,
            24 if stem.subtype == "PCM_24" else 32,
            stem.channels,
            engines if touched else [],
        ),
        track_names=tuple((channel, stem.name.label) for channel in range(stem.channels)),
        timecode_rate=turnover.cut.rate,
        time_reference=start_sample(turnover.cut, sample_rate),
    )


def coding_history(sample_rate: int, bits: int, channels: int, engines: Sequence[str]) -> str:
    """A line of EBU R 98 CodingHistory: how the sound was coded, and by what."""
    mode = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    tool = f"roomtone {code_version()}" + "".join(f"; {name}" for name in engines)
    return f"A=PCM,F={sample_rate},W={bits},M={mode},T={tool}\r\n"
