"""Why an event stays offline, and the files that come nearest to what it asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from adapters.media.links import Offline
from adapters.media.placing import Missed, held_range, played_range
from adapters.media.references import fold, reel_keys, reference_names, reference_slate, stems
from adapters.media.relink_tables import Criterion, Tables, letters
from core.cut import Event
from core.media import MediaFile

NEAREST = 3
_LIKE = 0.6
_WEIGHED = 12
_LOOKED_AT = 2_000


@dataclass(frozen=True)
class Miss:
    """A file that a criterion gave and that does not hold the event's range."""

    criterion: Criterion
    missed: Missed


def not_found(
    event: Event, label: str, tables: Tables, misses: Sequence[Miss], refusal: str
) -> Offline:
    """The event offline: why, and the nearest files, the one that the reason names first.

    label: what the cut calls its media. misses: in the order in which criteria were tried.
    refusal: why its URL was not looked at, or empty.
    """
    named = sorted(
        (miss for miss in misses if miss.criterion.how != "reel"), key=lambda miss: miss.missed.away
    )
    near = list(_nearest(event, tables, [miss.missed.media for miss in named]))[:NEAREST]
    candidates = tuple(media.path for media, _ in near)
    if refusal:
        return Offline(event.id, refusal, candidates)
    played = played_range(event, tables.rate)
    if named:
        media = named[0].missed.media
        held = held_range(media, tables.rate, tables.readings(media))
        reason = (
            f"{media.path.name} matches {label} by {named[0].criterion.label}, but holds {held}, "
            f"not {played}: supply the whole take or correct the source timecode."
        )
        return Offline(event.id, reason, candidates)
    told = _told(near)
    keys = reel_keys(event.media.reel)
    if keys and keys[0] in tables.by_reel:
        reason = (
            f"No file of reel {event.media.reel} holds {played} for {label}: add the folder that "
            f"does{told}."
        )
    else:
        reel = f" or reel {event.media.reel}" if keys and event.media.reel != label else ""
        reason = f"No media file matches {label}{reel}: add the folder that holds it{told}."
    return Offline(event.id, reason, candidates)


def _told(near: Sequence[tuple[MediaFile, str]]) -> str:
    """The nearest files in brackets, by how they are near; empty without any."""
    by_how: dict[str, list[str]] = {}
    for media, how in near:
        by_how.setdefault(how, []).append(media.path.name)
    parts = "; ".join(f"{how}: {', '.join(names)}" for how, names in by_how.items())
    return f" (nearest {parts})" if parts else ""


def _nearest(
    event: Event, tables: Tables, missed: Sequence[MediaFile]
) -> Iterator[tuple[MediaFile, str]]:
    """Files that come near, each once with how: missed, alike in name, in time, in scene."""
    seen: set[Path] = set()
    lookups: tuple[Callable[[], Sequence[MediaFile]], ...] = (
        lambda: missed,
        lambda: _alike_in_name(event, tables),
        lambda: _near_in_time(event, tables),
        lambda: _of_scene(event, tables),
    )
    for how, lookup in zip(("", "by name", "on its reel", "of its scene"), lookups, strict=True):
        for media in lookup():
            if media.path not in seen:
                seen.add(media.path)
                yield media, how


def _alike_in_name(event: Event, tables: Tables) -> tuple[MediaFile, ...]:
    """Files whose stems are most like a name of the reference, the most alike first.

    Only those that share the name's rarest letters are compared, so that a cut of thousands of
    lost clips is explained in seconds.
    """
    names = tuple(stems(name)[-1] for name in reference_names(event.media))
    scored: dict[str, float] = {}
    for name in dict.fromkeys(names):
        if name not in tables.likeness:
            tables.likeness[name] = _stems_like(name, tables)
        for stem, score in tables.likeness[name]:
            scored[stem] = max(score, scored.get(stem, 0.0))
    order = sorted(scored, key=lambda stem: (-scored[stem], stem))[:NEAREST]
    return tuple(media for stem in order for media in tables.by_stem[stem])[:NEAREST]


def _stems_like(name: str, tables: Tables) -> tuple[tuple[str, float], ...]:
    pieces = sorted(
        (piece for piece in letters(name) if piece in tables.by_letters),
        key=lambda piece: len(tables.by_letters[piece]),
    )
    shared: Counter[str] = Counter()
    budget = _LOOKED_AT
    for piece in pieces:
        found = tables.by_letters[piece][:budget]
        shared.update(found)
        budget -= len(found)
        if budget <= 0:
            break
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(name)
    scored = []
    for stem, _ in shared.most_common(_WEIGHED):
        matcher.set_seq1(stem)
        if (score := matcher.ratio()) >= _LIKE:
            scored.append((stem, score))
    return tuple(scored)


def _near_in_time(event: Event, tables: Tables) -> tuple[MediaFile, ...]:
    keys = reel_keys(event.media.reel)
    roll = tables.by_reel.get(keys[0]) if keys else None
    at = float(event.source_start / tables.rate.fps)
    return () if roll is None else roll.nearest(at, NEAREST)


def _of_scene(event: Event, tables: Tables) -> tuple[MediaFile, ...]:
    slate = reference_slate(event.media)
    scene = fold(event.media.scene.strip()) if slate is None else slate[0]
    return tuple(tables.by_scene.get(scene, ()))[:NEAREST]
