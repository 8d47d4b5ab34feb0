"""From one version of a cut to the next: what changed, tracks re-cut, what is new cleaned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound
from adapters.media.probe import SOUND_FORMATS, probe
from adapters.media.relink import MediaIndex, relink
from adapters.media.write import WaveWriter
from adapters.timelines.read import read_cut
from config.deliveries import DeliverySpec
from config.recipes import Recipe
from config.settings import Settings
from core.conform import Placement, Source, cut_length, placements, render, start_sample
from core.cut import Cut, with_distinct_tracks
from core.errors import InputError, OutputError
from core.match import UNKNOWN, Known, KnownMedia
from core.media import MediaFile, SoundNotes
from core.reconform import ChangeList, changes
from core.recut import CROSSFADE_S, record_map, recut
from core.stems import FULL_SCALE, to_grid
from core.time import RATES, FrameRate, frames_to_samples
from flows import change_list
from flows.clean_cut import clean_cut
from flows.job import Job, Outcome
from flows.marks import after_history, coding_history
from flows.progress import Progress
from flows.spread import runner_for
from flows.turnover import OUR_MARK, index_media
from flows.workspace import Workspace, open_workspace

STEP = "Re-cutting"
NAMES = ("changes.csv", "changes.edl", "changes.otio", "changes.html")


@dataclass(frozen=True)
class Request:
    """What the person asked for. media: folders, or none: then versions are compared by name.

    out: folder for what is written, or None for the list alone. audio: sound that goes with the
    old cut. recipe, spec: for cleaning the new cut, which needs media and out; None leaves it.
    """

    old: Path
    new: Path
    media: tuple[Path, ...] = ()
    out: Path | None = None
    audio: tuple[Path, ...] = ()
    cleaning: tuple[Recipe, DeliverySpec] | None = None


@dataclass(frozen=True)
class Reconformed:
    """What came of it. files: written beside the delivery. delivered: of the new cut, or None."""

    found: ChangeList
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    delivered: Outcome | None


def reconform(settings: Settings, request: Request, progress: Progress) -> Reconformed:
    """Compare two versions of a cut and do what was asked for with the difference.

    Raises InputError where a cut or a sound can't be read or doesn't fit, OutputError where
    `out` can't be written or would cover an input, and what cleaning raises.
    """
    if request.out is not None:
        _refuse_inputs(request)
        for audio in request.audio:
            probe(audio)  # a sound that can't be read is told before anything is written
    if not request.media:
        found, notes = compare(settings, request.old, request.new)
        return _write(request, found, notes, None, progress)
    with open_workspace(settings) as work:
        found, notes = compare_media(work, request, progress)
        delivered = None
        if request.cleaning is not None and request.out is not None:
            recipe, spec = request.cleaning
            job = Job(request.new, request.media, request.out, recipe, spec)
            with runner_for(work) as run:
                delivered = clean_cut(work, job, progress, run)
    return _write(request, found, notes, delivered, progress)


def compare(settings: Settings, old: Path, new: Path) -> tuple[ChangeList, tuple[str, ...]]:
    """What changed, by names and timecode alone, and what a person should know of it."""
    before, after, notes = _read(settings.edl_frame_rate, old, new, ())
    return changes(before, after), (*notes, *not_compared(before, after))


def compare_media(
    work: Workspace, request: Request, progress: Progress
) -> tuple[ChangeList, tuple[str, ...]]:
    """What changed, by the media that both versions play where they are found."""
    progress.step("Looking for media", 0)
    index, unread = index_media(work, request.media)
    given = work.settings.edl_frame_rate
    rates = [media.notes.timecode_rate for media in index.files if media.notes.timecode_rate]
    before, after, notes = _read(given, request.old, request.new, rates)
    originals = replace(
        index,
        files=tuple(m for m in index.files if OUR_MARK not in m.notes.coding_history),
    )
    found = changes(
        before,
        after,
        _known(before, originals, request.old.parent),
        _known(after, originals, request.new.parent),
    )
    return found, (*notes, *unread, *not_compared(before, after))


def _known(cut: Cut, index: MediaIndex, folder: Path) -> KnownMedia:
    """What each event plays, as far as its media are found."""
    if not index.files:
        return UNKNOWN
    links, _ = relink(cut, index, folder)
    return {
        link.event_id: Known(
            link.media.essence or str(link.media.path),
            Fraction(link.source_start, link.media.sample_rate),
        )
        for link in links
    }


def _read(
    given: FrameRate | None, old: Path, new: Path, rates: Sequence[FrameRate]
) -> tuple[Cut, Cut, tuple[str, ...]]:
    """Both versions. An EDL has the rate given, else the other version's, else the media's."""
    cuts: dict[Path, Cut] = {}
    notes: list[str] = []
    for path in sorted({old, new}, key=lambda path: (path.suffix.lower() == ".edl", path != old)):
        rate = given or next((cut.rate for cut in cuts.values()), None)
        rate = rate or next((name for name, _ in Counter(rates).most_common(1)), None)
        if path.suffix.lower() == ".edl" and rate is None:
            notes.append(
                f"{path.name} names no frame rate: 24 is assumed; give --edl-rate where that is "
                "wrong."
            )
        cuts[path] = with_distinct_tracks(read_cut(path, rate or RATES["24"]))
        notes += [f"{path.name}: {warning}" for warning in cuts[path].warnings]
    return cuts[old], cuts[new], tuple(notes)


def not_compared(before: Cut, after: Cut) -> tuple[str, ...]:
    """That one version has no picture or no sound, where that is so."""
    kinds = [{track.kind for track in cut.tracks if track.events} for cut in (before, after)]
    words = {"video": "picture", "audio": "sound"}
    return tuple(
        f"Only {'the old' if kind in kinds[0] else 'the new'} version has {words[kind]}, which is "
        "left out of the comparison."
        for kind in sorted(kinds[0] ^ kinds[1])
        if kinds[0] & kinds[1]
    )


def _refuse_inputs(request: Request) -> None:
    """No output may be an input, nor lie among the media."""
    out = request.out
    assert out is not None
    inputs = {path.resolve() for path in (request.old, request.new, *request.audio)}
    outputs = [out / name for name in NAMES]
    outputs += [recut_path(out, path, ()) for path in request.audio]
    for path in outputs:
        if path.resolve() in inputs:
            raise OutputError(f"{path} is an input of this run; choose another --out.")
    if any(out.resolve() == root.resolve() for root in request.media):
        raise OutputError(f"{out} is a media folder; choose another --out.")


def _write(
    request: Request,
    found: ChangeList,
    notes: tuple[str, ...],
    delivered: Outcome | None,
    progress: Progress,
) -> Reconformed:
    out = request.out
    if out is None:
        return Reconformed(found, notes, (), delivered)
    paths = [out / name for name in NAMES]
    more: list[str] = []
    for audio in request.audio:
        path = recut_path(out, audio, paths)
        more += recut_audio(found, audio, path, progress)
        paths.append(path)
    change_list.write_csv(found, paths[0])
    change_list.write_edl(found, paths[1])
    change_list.write_otio(found, request.new.parent, paths[2])
    change_list.write_html(found, (*notes, *more), paths[3])
    return Reconformed(found, (*notes, *more), tuple(paths), delivered)


def recut_path(out: Path, audio: Path, taken: Iterable[Path]) -> Path:
    """The name of a re-cut sound in a folder, numbered where that is taken."""
    names = {path.name.casefold() for path in taken}
    name, number = f"{audio.stem}.recut.wav", 1
    while name.casefold() in names:
        number += 1
        name = f"{audio.stem} {number}.recut.wav"
    return out / name


def recut_audio(found: ChangeList, audio: Path, final: Path, progress: Progress) -> tuple[str, ...]:
    """Re-cut sound that goes with the old version to the new one; what to know, a sentence each.

    audio: as long as the old cut, or placed by its time reference. final: a broadcast wave as
    long as the new cut, at the rate and with the channels of `audio`; 24-bit, or float where that
    is. Raises InputError where it can't be read or placed, OutputError.
    """
    segments = record_map(found)
    cut = recut(found, segments, CROSSFADE_S)
    limited = 0
    media = probe(audio)
    if media.container not in SOUND_FORMATS:
        raise InputError(f"{audio} is no wave file ({media.container}); export it as one.")
    rate, channels = media.sample_rate, tuple(range(media.channels))
    floating = media.subtype in ("FLOAT", "DOUBLE")
    offset = _offset(found.old, media)
    with Sound(audio) as sound:
        # A stretch lies where its first sample does; the crossfade before it follows from that.
        starts = {}
        for event, segment in zip(cut.tracks[0].events, segments, strict=True):
            head = _samples(cut, segment.new_start, rate) - _samples(cut, event.record_start, rate)
            start = _samples(found.old, segment.old_start, rate) + offset - head
            starts[event.id] = Source(str(audio), start, rate, channels)
        laid = placements(cut, starts, rate)

        def read(placement: Placement, first: int, count: int) -> np.ndarray:
            return sound.read(first, count, placement.channels)

        total = cut_length(cut, rate)
        progress.step(STEP, -(-total // rate))
        with WaveWriter(
            final,
            rate,
            len(channels),
            "FLOAT" if floating else "PCM_24",
            _recut_notes(found, media.notes, rate, len(channels), floating),
        ) as writer:
            for first in range(0, total, rate):
                count = min(rate, total - first)
                grid = to_grid(render(laid, first, count, len(channels), read))
                if not floating:
                    fitting = np.clip(grid, -FULL_SCALE, FULL_SCALE - 1)
                    limited += int(np.count_nonzero(fitting != grid))
                    grid = fitting
                writer.write(grid)
                progress.advance(STEP)
    if limited:
        return (
            f"{final.name}: {limited} samples of crossfades passed full scale and are limited.",
        )
    return ()


def _samples(cut: Cut, frames: Fraction, rate: int) -> int:
    """Samples from the start of a cut, as conform counts them."""
    return frames_to_samples(cut.start + frames, cut.rate.fps, rate) - start_sample(cut, rate)


def _offset(old: Cut, media: MediaFile) -> int:
    """The sample of the file that the old cut starts at; negative where the file starts later."""
    length = cut_length(old, media.sample_rate)
    reference = media.notes.time_reference
    if reference is not None:
        first = start_sample(old, media.sample_rate)
        if reference < first + length and reference + media.frames > first:
            return first - reference
    if abs(media.frames - length) * old.rate.fps <= media.sample_rate:
        return 0
    raise InputError(
        f"{media.path} does not go with the old cut: it has {media.frames} samples where the cut "
        f"has {length}, and no time reference within it; give the file that was made for that cut."
    )


def _recut_notes(
    found: ChangeList, notes: SoundNotes, rate: int, channels: int, floating: bool
) -> SoundNotes:
    """What a re-cut file says of itself: all that the old one said that still holds."""
    own = coding_history(rate, 32 if floating else 24, channels, [], "reconform")
    return replace(
        notes,
        umid="",
        coding_history=after_history(notes.coding_history, own),
        timecode_rate=found.new.rate,
        time_reference=start_sample(found.new, rate),
    )
