"""What differs between a cut and the same cut after a format held it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.cut import Cut, Event, Track
from core.words import some

EVENT_FIELDS = (
    "record_start",
    "record_length",
    "source_start",
    "channels",
    "fade_in",
    "fade_out",
    "gain_db",
    "automation",
    "pan",
    "speed",
    "variable_speed",
    "keeps_pitch",
    "enabled",
    "muted",
    "role",
)
MEDIA_FIELDS = ("name", "url", "file_name", "reel", "scene", "take", "material_id")
TRACK_FIELDS = ("name", "enabled", "muted", "role", "channels")
_LEVEL_DB = 0.01


@dataclass(frozen=True)
class Difference:
    """One thing that differs. where: an event's or a track's name, empty for the cut as a whole.

    field: what differs, as the dataclass names it (`events` for an event that is missing or too
    many). wanted, got: as text.
    """

    where: str
    field: str
    wanted: str
    got: str


def differences(wanted: Cut, got: Cut) -> tuple[Difference, ...]:
    """What differs in what is heard: the cut, its audio tracks and their events.

    Tracks are matched by name, then in order; events of a track by their place in the record.
    Media are compared by what names them. Levels within 0.01 dB count as equal.
    """
    found = [
        Difference("", name, _text(getattr(wanted, name)), _text(getattr(got, name)))
        for name in ("rate", "start", "length")
        if getattr(wanted, name) != getattr(got, name)
    ]
    for ours, theirs in _pairs(wanted.audio_tracks, got.audio_tracks):
        found += _of_track(ours, theirs)
    return tuple(found)


def in_words(format_name: str, found: Sequence[Difference]) -> tuple[str, ...]:
    """A sentence for each field that a format did not hold, with where it was."""
    by_field: dict[str, list[Difference]] = {}
    for item in found:
        by_field.setdefault(item.field, []).append(item)
    sentences = []
    for field, items in by_field.items():
        places = some([item.where or "the cut" for item in items])
        first = items[0]
        sentences.append(
            f"{format_name} does not hold {field.replace('_', ' ')} of {places} "
            f"({first.wanted or 'nothing'} became {first.got or 'nothing'})."
        )
    return tuple(sentences)


def _pairs(
    wanted: Sequence[Track], got: Sequence[Track]
) -> Iterator[tuple[Track | None, Track | None]]:
    left = list(got)
    for track in wanted:
        same = next((item for item in left if item.name == track.name), None)
        chosen = same or next(iter(left), None)
        if chosen is not None:
            left.remove(chosen)
        yield track, chosen
    for track in left:
        yield None, track


def _of_track(ours: Track | None, theirs: Track | None) -> Iterator[Difference]:
    if ours is None or theirs is None:
        there = ours or theirs
        assert there is not None
        if there.events:
            text = f"{len(there.events)} events"
            yield Difference(there.name, "tracks", text if ours else "", text if theirs else "")
        return
    for name in TRACK_FIELDS:
        if getattr(ours, name) != getattr(theirs, name):
            yield Difference(
                ours.name, name, _text(getattr(ours, name)), _text(getattr(theirs, name))
            )
    for event, other in _matched(ours.events, theirs.events):
        if event is None or other is None:
            there_is = event or other
            assert there_is is not None
            text = f"at {_text(there_is.record_start)}"
            yield Difference(there_is.id, "events", text if event else "", text if other else "")
        else:
            yield from _of_event(event, other)


def _matched(
    wanted: Iterable[Event], got: Iterable[Event]
) -> Iterator[tuple[Event | None, Event | None]]:
    """Events paired where they start and last alike, the rest in order of their start."""
    left = sorted(got, key=_place)
    unmatched: list[Event] = []
    for event in sorted(wanted, key=_place):
        exact = next((item for item in left if _place(item) == _place(event)), None)
        if exact is None:
            unmatched.append(event)
        else:
            left.remove(exact)
            yield event, exact
    for i in range(max(len(unmatched), len(left))):
        yield (
            unmatched[i] if i < len(unmatched) else None,
            left[i] if i < len(left) else None,
        )


def _place(event: Event) -> tuple[Fraction, Fraction, Fraction]:
    return event.record_start, event.record_length, event.source_start


def _of_event(ours: Event, theirs: Event) -> Iterator[Difference]:
    for name in EVENT_FIELDS:
        one, other = getattr(ours, name), getattr(theirs, name)
        if not _alike(one, other):
            yield Difference(ours.id, name, _text(one), _text(other))
    for name in MEDIA_FIELDS:
        one, other = getattr(ours.media, name), getattr(theirs.media, name)
        if one != other:
            yield Difference(ours.id, f"media_{name}", one, other)


def _alike(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or abs(one - other) <= _LEVEL_DB
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_alike(a, b) for a, b in zip(one, other, strict=True))
    if hasattr(one, "gain_db") and hasattr(other, "gain_db"):
        return bool(one.at == other.at) and _alike(one.gain_db, other.gain_db)  # type: ignore[attr-defined]
    return one == other


def _text(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, Fraction | float):
        return f"{float(value):g}"
    return str(value)
