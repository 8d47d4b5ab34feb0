"""Render a cut's stems in blocks: measured once at production level, then written.

`NR` is `PROD - DX` and `OTHER` is the dialogue less its characters, on the written grid, so
both sums are exact whatever gain is applied. Leader and pops lie outside: neither gain nor
measurement touches them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.media.write import WaveWriter
from config.deliveries import DeliverySpec
from core.conform import Retimed
from core.media import SoundNotes
from core.reels import NO_LEADER, Layout, Leader, laid_out, leader_of, leader_sound
from core.stems import FULL_SCALE, Span, to_grid
from flows.desk import Desk, StemName, file_safe
from flows.listen import Heard
from flows.marks import Stamp, Worked, cleaning_lines, coding_history, ixml_fields
from flows.progress import Progress
from flows.room_tone import FillOptions, ToneUse
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import Workspace
from models.loudness import GainDecision, LoudnessMeter, programme_gain

__all__ = [
    "RENDER_VERSION",
    "Rendered",
    "Stem",
    "StemName",
    "file_safe",
    "render_stems",
    "takes_in",
    "works_of",
]

RENDER_VERSION = "5"


@dataclass(frozen=True)
class Stem:
    """A stem that was written. subtype: PCM_24, or FLOAT where it passes full scale.

    tone: of `RT`, what it was made from. spoken: of a character's, where in the record it sounds.
    """

    name: StemName
    path: Path
    channels: int
    frames: int
    subtype: str
    takes: tuple[str, ...]
    tone: tuple[ToneUse, ...] = ()
    spoken: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """The stems of a cut.

    start: samples since midnight of their first sample. frames: their length. loudness:
    integrated, LUFS, and true_peak, dBTP, of the dialogue at production level. gain: what was
    applied to every stem. leader: what surrounds the programme in them. notes: the holes that
    could not be filled with room tone, a sentence each.
    """

    stems: tuple[Stem, ...]
    sample_rate: int
    start: int
    frames: int
    loudness: float
    true_peak: float
    gain: GainDecision
    leader: Leader = NO_LEADER
    notes: tuple[str, ...] = ()


def render_stems(
    work: Workspace,
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    spec: DeliverySpec,
    folder: Path,
    progress: Progress,
    retimed: Retimed = "silence",
    fill: FillOptions = FillOptions(),
    stamp: Stamp = Stamp(),
) -> Rendered:
    """Write every stem of a cut into `folder`, exactly as long as the cut and its leader.

    cleaned: by take id. heard: by essence. spec: decides the one gain of all stems. retimed:
    what becomes of speeds that can't be conformed, as the recipe says. fill: which holes get
    room tone; there is an `RT` stem where at least one does. stamp: what the files are marked with.
    Raises OutputError where the folder can't be written.
    """
    settings, name = work.settings, "Conforming"
    leader = leader_of(turnover.cut.rate, settings.leader_s, settings.pops)
    layout = laid_out(turnover.cut, leader, settings.sample_rate)
    with ExitStack() as stack:
        desk = Desk(work, turnover, cleaned, heard, retimed, fill, stack)
        blocks = list(_blocks(0, layout.programme, desk.rate))
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
        stems = _stems(desk, turnover, peaks, gain, layout.frames, folder)
        writers = {
            stem.name: stack.enter_context(
                _writer(turnover, stem, layout, cleaned, decision, stamp)
            )
            for stem in stems
        }
        _write_leader(writers, layout, 0, layout.head)
        for first, count in blocks:
            for stem_name, grid in desk.block(first, count, gain).items():
                writers[stem_name].write(grid)
            progress.advance(name)
        _write_leader(writers, layout, layout.head + layout.programme, layout.frames)
    return Rendered(
        stems=stems,
        sample_rate=desk.rate,
        start=layout.reference,
        frames=layout.frames,
        loudness=meter.integrated(),
        true_peak=meter.true_peak(),
        gain=decision,
        leader=leader,
        notes=desk.tone.notes,
    )


def _stems(
    desk: Desk,
    turnover: Turnover,
    peaks: Mapping[StemName, int],
    gain: float,
    frames: int,
    folder: Path,
) -> tuple[Stem, ...]:
    """The stems to write. peaks: the largest value of each, on the grid, before the gain."""
    paths = _paths(folder, file_safe(turnover.path.stem), sorted(peaks))
    return tuple(
        Stem(
            name=stem_name,
            path=paths[stem_name],
            channels=desk.widths.get(stem_name.track, desk.width),
            frames=frames,
            # one step of head room: rounding after the gain may add one
            subtype="PCM_24" if peaks[stem_name] * gain + 2 < FULL_SCALE else "FLOAT",
            takes=desk.takes_of(stem_name),
            tone=desk.tone.uses if stem_name.role == "RT" else (),
            spoken=desk.spans_of(stem_name.character) if stem_name.role == "CHAR" else (),
        )
        for stem_name in sorted(peaks)
    )


def _write_leader(
    writers: Mapping[StemName, WaveWriter], layout: Layout, first: int, last: int
) -> None:
    """Leader or tail, samples first to last of the stems, alike into every stem."""
    for writer in writers.values():
        for start, count in _blocks(first, last, writer.sample_rate):
            sound = leader_sound(layout, start, count)
            writer.write(to_grid(np.repeat(sound[:, None], writer.channels, axis=1)))


def _writer(
    turnover: Turnover,
    stem: Stem,
    layout: Layout,
    cleaned: Mapping[str, CleanedTake],
    decision: GainDecision,
    stamp: Stamp,
) -> WaveWriter:
    works = works_of(stem, cleaned)
    takes = takes_in(stem, cleaned)
    return WaveWriter(
        stem.path,
        layout.sample_rate,
        stem.channels,
        "PCM_24" if stem.subtype == "PCM_24" else "FLOAT",
        _notes(turnover, stem, layout, works, decision),
        {
            **ixml_fields(works, stamp, stem.path, takes),
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


def _blocks(first: int, last: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(first, last, size):
        yield start, min(size, last - start)


def takes_in(stem: Stem, cleaned: Mapping[str, CleanedTake]) -> tuple[str, ...]:
    """The keys of the takes of a stem; of what was not cleaned, what names the take."""
    return tuple(cleaned[take].key if take in cleaned else take for take in stem.takes)


def works_of(stem: Stem, cleaned: Mapping[str, CleanedTake]) -> tuple[Worked, ...]:
    """What was done to the takes of a stem; nothing, for one of untouched sound."""
    if stem.name.role in ("PROD", "THRU"):
        return ()
    return tuple(dict.fromkeys(cleaned[take].worked for take in stem.takes if take in cleaned))


def _notes(
    turnover: Turnover,
    stem: Stem,
    layout: Layout,
    works: Sequence[Worked],
    decision: GainDecision,
) -> SoundNotes:
    """What a stem says of itself. No dates: the same stem is the same bytes."""
    rate, channels = layout.sample_rate, stem.channels
    step = "conform" + (f" gain {decision.gain_db:+.2f} dB" if decision.gain_db else "")
    own = coding_history(rate, 24 if stem.subtype == "PCM_24" else 32, channels, [], step)
    return SoundNotes(
        project=turnover.cut.name,
        description=f"{turnover.cut.name} {stem.name.label}"[:256],
        originator="roomtone",
        originator_reference=turnover.digest[:32],
        coding_history=cleaning_lines(rate, channels, works) + own,
        track_names=tuple((channel, stem.name.label) for channel in range(channels)),
        timecode_rate=turnover.cut.rate,
        time_reference=layout.reference,
    )
