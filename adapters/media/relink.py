"""Finding the media of a cut: by URL, identity, reel and timecode, scene and take, name.

A file counts only if it holds the range that the event plays. Where several do and nothing
tells them apart, the event stays offline with the candidates named: a guess is never linked.
`relink` and `explain` walk the same path; the second tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from adapters.media.links import (
    Explanation,
    Known,
    Link,
    MediaIndex,
    Offline,
    Step,
    Weighed,
)
from adapters.media.placing import (
    Missed,
    Placing,
    Trust,
    held_range,
    place,
    played_range,
    sounding_channels,
    timecode_agrees,
)
from adapters.media.probe import probe, scan
from adapters.media.recorder import speed_note
from adapters.media.references import (
    file_slate,
    fold,
    material_keys,
    reel_keys,
    reference_names,
    reference_slate,
    stems,
)
from adapters.media.relink_nearest import Miss, not_found
from adapters.media.relink_tables import MONO_FILES, Criterion, Tables, at_url, criteria, tables_of
from adapters.media.split import channel_for, leg_for, leg_of_poly, one_set, same_take
from core.cut import Cut, Event, MediaReference
from core.errors import InputError
from core.media import MediaFile

__all__ = [
    "Explanation",
    "Known",
    "Link",
    "MediaIndex",
    "Offline",
    "Recall",
    "build_index",
    "explain",
    "nothing_known",
    "relink",
]

Recall = Callable[[Path, int, int], MediaFile | None]
"""Gives what is remembered of a file by path, size in bytes and mtime_ns, or None."""


def build_index(roots: Sequence[Path], recall: Recall) -> tuple[MediaIndex, tuple[str, ...]]:
    """The media files under the roots, probing those that `recall` does not know.

    Gives the index and a warning, a sentence each, for files that can't be used and for what is
    odd about the others. Raises InputError for a root that does not exist.
    """
    files: list[MediaFile] = []
    warnings: list[str] = []
    for path in scan(roots):
        try:
            stat = path.stat()
            known = recall(path, stat.st_size, stat.st_mtime_ns)
            media = probe(path) if known is None else known
        except InputError as fault:
            warnings.append(str(fault))
            continue
        except OSError as fault:
            warnings.append(f"{path} can't be read ({fault.strerror}): check the disk.")
            continue
        files.append(media)
        warnings += media.warnings
    resolved = tuple(dict.fromkeys(root.resolve() for root in roots))
    return MediaIndex(tuple(files), resolved), tuple(warnings)


def nothing_known(_: MediaReference) -> str | None:
    """No earlier run is remembered."""
    return None


def relink(
    cut: Cut, index: MediaIndex, cut_folder: Path, *, known: Known = nothing_known
) -> tuple[tuple[Link, ...], tuple[Offline, ...]]:
    """Every event of the cut that is heard, linked or offline with the reason.

    cut_folder: where relative URLs count from. known: what earlier runs remember of references.
    Nothing outside the index's roots is opened.
    """
    tables = tables_of(index, cut.rate, known)
    found = [_find(event, tables, cut_folder)[1] for _, event in cut.sounding()]
    return (
        tuple(item for item in found if isinstance(item, Link)),
        tuple(item for item in found if isinstance(item, Offline)),
    )


def explain(
    cut: Cut, index: MediaIndex, cut_folder: Path, *, known: Known = nothing_known
) -> tuple[Explanation, ...]:
    """How `relink` comes to what it gives, for every event that is heard."""
    tables = tables_of(index, cut.rate, known)
    told = []
    for _, event in cut.sounding():
        tried, decision = _find(event, tables, cut_folder)
        steps = tuple(_in_words(step, tables) for step in tried)
        told.append(Explanation(event.id, _label(event), steps, decision))
    return tuple(told)


@dataclass(frozen=True)
class _Tried:
    """A criterion as it was tried. attempt: the event with the reference that was asked for.

    fits: files that hold the range, each with what another has over it, or empty. chosen: the
    file that it gave. outcome: a clause. final: whether nothing else is asked after it.
    """

    attempt: Event
    criterion: Criterion
    fits: tuple[tuple[Placing, str], ...]
    misses: tuple[Missed, ...]
    chosen: Path | None
    outcome: str
    final: bool = True


def _find(event: Event, tables: Tables, folder: Path) -> tuple[list[_Tried], Link | Offline]:
    """What was tried for an event, and the decision: its own reference first, then the others."""
    tried, decision = _ask(event, tables, folder)
    for name, reference in event.other_media:
        if isinstance(decision, Link) or reference == event.media:
            continue
        more, other = _ask(replace(event, media=reference), tables, folder)
        tried += more
        if isinstance(other, Link):
            note = f"Its media {_label(event)} are offline; the cut's {name} reference is used."
            decision = replace(other, notes=(note, *other.notes))
    return tried, decision


def _ask(event: Event, tables: Tables, folder: Path) -> tuple[list[_Tried], Link | Offline]:
    """What was tried for one reference of an event, and what came of it.

    A file whose own timecode speaks against the reference's, and one that lacks the channel,
    wait until no other is found.
    """
    refused = at_url(event.media.url, tables, folder)[1]
    tried: list[_Tried] = []
    waiting: list[Link | Offline] = []
    for criterion in criteria(event, tables, folder):
        step, decision = _try(event, criterion, tables)
        tried.append(step)
        if isinstance(decision, Link):
            doubtful = any(p.doubtful for p, _ in step.fits if p.media == decision.media)
            if not doubtful or criterion.trust is Trust.URL:
                return tried, decision
            tried[-1] = replace(step, outcome="its timecode speaks against it: looking on")
            waiting.append(decision)
        elif decision is not None and step.final and not waiting:
            return tried, decision
        elif decision is not None:
            waiting.append(decision)
    if waiting:
        return tried, next((item for item in waiting if isinstance(item, Link)), waiting[0])
    misses = [Miss(step.criterion, missed) for step in tried for missed in step.misses]
    return tried, not_found(event, _label(event), tables, misses, refused)


def _try(
    event: Event, criterion: Criterion, tables: Tables
) -> tuple[_Tried, Link | Offline | None]:
    """One criterion: what fits, what does not, and a decision or None to ask the next."""
    fits: list[Placing] = []
    misses: list[Missed] = []
    for media in criterion.files:
        placed = place(event, media, tables.rate, criterion.trust, tables.readings(media))
        if isinstance(placed, Placing):
            fits.append(placed)
        else:
            misses.append(placed)
    if not fits:
        outcome = "none holds the range" if misses else criterion.refused or "nothing found"
        return _Tried(event, criterion, (), tuple(misses), None, outcome), None
    distinct = _distinct(fits)
    left, beaten = _narrowed(event, distinct, tables)
    legs = _legs(criterion, left, tables)
    ambiguous = len(left) > 1 and not legs
    decision = (
        _ambiguous(event, criterion, left)
        if ambiguous
        else _choose(event, criterion, left, legs, tables)
    )
    chosen = decision.media.path if isinstance(decision, Link) else None
    outcome = "linked" if isinstance(decision, Link) else decision.reason
    asks_on = ambiguous and not criterion.decides
    copies = {p.media.path: "a copy of another" for p in fits if p not in distinct}
    weighed = tuple((p, (beaten | copies).get(p.media.path, "")) for p in fits)
    step = _Tried(event, criterion, weighed, tuple(misses), chosen, outcome, final=ambiguous)
    return step, None if asks_on else decision


def _narrowed(
    event: Event, placings: list[Placing], tables: Tables
) -> tuple[list[Placing], dict[Path, str]]:
    """The placings that most speaks for, and for the others what was against them."""
    left, beaten = placings, dict[Path, str]()
    for reason, fits in _preferences(event, tables):
        if len(left) == 1:
            break
        better = [placing for placing in left if fits(placing)]
        if better and len(better) < len(left):
            beaten |= {p.media.path: reason for p in left if p not in better}
            left = better
    whole = _poly_of(left)
    if whole is not None:
        beaten |= {p.media.path: "another holds all tracks of the take" for p in left if p != whole}
        left = [whole]
    return left, beaten


def _poly_of(placings: list[Placing]) -> Placing | None:
    """The poly file, where the other files are mono files of the same take, and it has them all."""
    polys = [placing for placing in placings if placing.media.channels > 1]
    if len(polys) != 1 or polys[0].media.channels < len(placings) - 1:
        return None
    return polys[0] if all(same_take(polys[0].media, p.media) for p in placings) else None


def _preferences(event: Event, tables: Tables) -> Iterator[tuple[str, Callable[[Placing], bool]]]:
    """What speaks for one of several files that hold the range, the strongest first."""
    reference, rate = event.media, tables.rate
    reel = set(reel_keys(reference.reel)[:1])
    wanted = reference_slate(reference)
    identity = set(material_keys(reference.material_id))
    first = reference.available_start

    def by_timecode(placing: Placing) -> bool:
        readings = tables.readings(placing.media)
        found = place(event, placing.media, rate, Trust.TIMECODE, readings)
        return isinstance(found, Placing) and not found.doubtful

    def starts_there(placing: Placing) -> bool:
        readings = tables.readings(placing.media)
        return bool(first and timecode_agrees(first, placing.media, rate, readings))

    def lasts_as_long(placing: Placing) -> bool:
        media, length = placing.media, reference.available_length or 0
        return abs(Fraction(media.frames) * rate.fps / media.sample_rate - length) < 1

    yield "another has every sample", lambda placing: placing.full
    yield "another's timecode holds the range", by_timecode
    if identity:
        yield "another has the material id", lambda p: bool(_identity(p.media) & identity)
    if reel:
        yield (
            f"another is of reel {reference.reel}",
            lambda p: bool(reel & set(reel_keys(p.media.notes.tape))),
        )
    if wanted is not None:
        yield "another has the scene and take", lambda p: file_slate(p.media) == wanted
    for name in reference_names(reference):
        yield f"another is named {name}", partial(_has_name, stems(name))
    if first:
        yield "another starts where the cut says", starts_there
    if reference.available_length:
        yield "another is as long as the cut says", lasts_as_long


def _identity(media: MediaFile) -> set[str]:
    texts = (media.notes.umid, media.notes.originator_reference)
    return {key for text in texts for key in material_keys(text)}


def _has_name(spellings: tuple[str, ...], placing: Placing) -> bool:
    return fold(placing.media.path.stem) in spellings


def _distinct(placings: Iterable[Placing]) -> list[Placing]:
    """One of each sound, the first by path; a sound that was not hashed counts for itself.

    Files of one name, size and recorder's identity are copies of one another.
    """
    seen: dict[tuple[object, ...], Placing] = {}
    for placing in sorted(placings, key=lambda placing: placing.media.path):
        media = placing.media
        identity = media.notes.umid or media.notes.originator_reference
        sound: tuple[object, ...] = (media.essence or str(media.path),)
        if identity and not media.essence:
            sound = (identity, fold(media.path.name), media.size, media.frames)
        seen.setdefault((*sound, placing.start), placing)
    return list(seen.values())


def _legs(
    criterion: Criterion, left: list[Placing], tables: Tables
) -> tuple[tuple[int, MediaFile], ...]:
    """The files as mono files of one take by their number; empty where they are none."""
    if len(left) == 1 and criterion.label != MONO_FILES:
        return ()
    return one_set([placing.media for placing in left], tables.recorder)


def _choose(
    event: Event,
    criterion: Criterion,
    left: list[Placing],
    legs: tuple[tuple[int, MediaFile], ...],
    tables: Tables,
) -> Link | Offline:
    """The one file that is left, or the right one of a split take; offline with why not."""
    how, chosen = criterion.how, left[0]
    channels: tuple[int, ...] = (0,)
    notes: tuple[str, ...] = ()
    try:
        if legs:
            media, note = leg_for(legs, event.channels, tables.recorder)
            chosen = next(placing for placing in left if placing.media == media)
            how, notes = "sibling", (note,)
        else:
            channels, notes = _channels(event, chosen.media, tables)
    except ValueError as fault:
        return Offline(event.id, str(fault), tuple(placing.media.path for placing in left))
    speed = speed_note(chosen.media, tables.recorder(chosen.media))
    said = (*chosen.notes, *notes, *((speed,) if speed else ()))
    return Link(event.id, chosen.media, how, chosen.start, channels, said)


def _ambiguous(event: Event, criterion: Criterion, left: list[Placing]) -> Offline:
    return Offline(
        event.id,
        f"{len(left)} files fit {_label(event)} alike by {criterion.label}: keep one of them in "
        "the media folders, or link the clip in the cut.",
        tuple(placing.media.path for placing in left),
    )


def _channels(
    event: Event, media: MediaFile, tables: Tables
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Channels of the file that the event plays. Raises ValueError (a sentence) for one it lacks.

    A reference that names one mono file of a take means that track of the take's poly file.
    """
    names = [stem for name in reference_names(event.media) for stem in stems(name)]
    if media.channels > 1 and fold(media.path.stem) not in names and len(event.channels) <= 1:
        leg = leg_of_poly(names, media)
        if leg is not None:
            channel = channel_for(leg, media, tables.recorder(media))
            track = media.notes.track_name(channel)
            told = f", {track}" if track else ""
            note = f"Track {leg.word.upper()} of {leg.base} is channel {channel + 1}{told}, of "
            return (channel,), (f"{note}{media.path.name}.",)
    channels, note = sounding_channels(event, media)
    return channels, (note,) if note else ()


def _label(event: Event) -> str:
    names = (event.media.name, *reference_names(event.media), event.media.reel)
    return next((name for name in names if name), f"event {event.id}")


def _in_words(step: _Tried, tables: Tables) -> Step:
    """A criterion as it was tried, for people."""
    criterion, rate = step.criterion, tables.rate
    weighed = []
    for placing, beaten in step.fits:
        taken = placing.media.path == step.chosen
        holds = f"holds {played_range(step.attempt, rate)}"
        verdict = f"taken, {holds}" if taken else f"{holds}, but {beaten or 'so do others'}"
        weighed.append(Weighed(placing.media.path, taken, verdict))
    for missed in step.misses:
        media = missed.media
        held = held_range(media, rate, tables.readings(media))
        verdict = f"holds {held}, not {played_range(step.attempt, rate)}"
        weighed.append(Weighed(media.path, False, verdict))
    over = criterion.passed_over
    outcome = step.outcome + (f"; {over} more of the reel lie elsewhere" if over else "")
    return Step(criterion.how, f"{criterion.label}: {criterion.asked}", tuple(weighed), outcome)
