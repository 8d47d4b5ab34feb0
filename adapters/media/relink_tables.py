"""The media index by what references say, and the files that each criterion gives."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from adapters.media.links import Known, MediaIndex
from adapters.media.placing import Reading, Trust, readings_of, timecode_agrees
from adapters.media.recorder import Recorder, recorder_of, recorder_of_notes
from adapters.media.references import (
    Slate,
    file_slate,
    fold,
    locate,
    material_keys,
    reel_keys,
    reference_names,
    reference_slate,
    shared_tail,
    slate,
    stems,
)
from adapters.media.split import legs_in_name, legs_of_file
from core.cut import Event, MediaReference
from core.media import MediaFile
from core.time import FrameRate

MONO_FILES = "mono files"
"""The label of a criterion that gives the legs of a take whose poly file is named."""

_DAY = 86_400
_SLACK = 200
"""Seconds by which two ways to count one timecode may part in a day, and what fades reach over."""

_SHORTEST_REEL_NAME = 4
_LETTERS = 3


@dataclass(frozen=True)
class Criterion:
    """Files that one criterion gives. how: as in Link. label: for people. asked: what it was.

    passed_over: files that the criterion gives too, but whose timecode lies elsewhere.
    refused: a sentence where it was not looked at. decides: whether several that fit leave the
    event ambiguous; else the next criterion is asked.
    """

    how: str
    label: str
    trust: Trust
    asked: str
    files: tuple[MediaFile, ...]
    passed_over: int = 0
    refused: str = ""
    decides: bool = True


@dataclass(frozen=True)
class ByTime:
    """Files in order of their timecode. starts: in seconds since midnight. longest: in seconds."""

    starts: tuple[float, ...]
    files: tuple[MediaFile, ...]
    longest: float

    def around(self, seconds: float, slack: float = _SLACK) -> tuple[MediaFile, ...]:
        """Files that may sound at a time of day, and some beside them."""
        found: list[MediaFile] = []
        for shift in (-_DAY, 0, _DAY):
            at = seconds % _DAY + shift
            first = bisect_left(self.starts, at - self.longest - slack)
            found += self.files[first : bisect_right(self.starts, at + slack)]
        return _unique(found)

    def nearest(self, seconds: float, count: int) -> tuple[MediaFile, ...]:
        """The files whose sound lies nearest to a time of day, the nearest first."""
        at = bisect_left(self.starts, seconds % _DAY)
        near = range(max(0, at - 2 * count), min(len(self.files), at + 2 * count))
        order = sorted(near, key=lambda i: (abs(self.starts[i] - seconds % _DAY), i))
        return tuple(self.files[i] for i in order[:count])


@dataclass
class Tables:
    """The index by what references say; keys are folded. Recorders' headers are read once each."""

    roots: tuple[Path, ...]
    rate: FrameRate
    known: Known
    files: tuple[MediaFile, ...]
    by_path: dict[Path, MediaFile]
    by_name: dict[str, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_stem: dict[str, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_slate: dict[Slate, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_scene: dict[str, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_material: dict[str, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_content: dict[str, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_recorded: dict[str, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_base: dict[str, list[MediaFile]] = field(default_factory=lambda: defaultdict(list))
    by_letters: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_reel: dict[str, ByTime] = field(default_factory=dict)
    by_time: ByTime = field(default_factory=lambda: ByTime((), (), 0.0))
    recorders: dict[Path, Recorder] = field(default_factory=dict)
    timecodes: dict[Path, tuple[Reading, ...]] = field(default_factory=dict)
    likeness: dict[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    searches: dict[str, tuple[MediaFile | None, str]] = field(default_factory=dict)

    def recorder(self, media: MediaFile) -> Recorder:
        """What the recorder wrote of a file's rates, inputs and set."""
        if media.path not in self.recorders:
            self.recorders[media.path] = recorder_of(media)
        return self.recorders[media.path]

    def readings(self, media: MediaFile) -> tuple[Reading, ...]:
        """The ways to read a file's timecode, counted for this cut."""
        if media.path not in self.timecodes:
            self.timecodes[media.path] = readings_of(media, self.rate, self.recorder(media))
        return self.timecodes[media.path]


def tables_of(index: MediaIndex, rate: FrameRate, known: Known) -> Tables:
    """The tables of an index for a cut at `rate`."""
    tables = Tables(
        index.roots,
        rate,
        known,
        index.files,
        {media.path.resolve(): media for media in index.files},
    )
    reels: dict[str, list[MediaFile]] = defaultdict(list)
    for media in index.files:
        tables.by_name[fold(media.path.name)].append(media)
        tables.by_stem[fold(media.path.stem)].append(media)
        for key in reel_keys(media.notes.tape):
            reels[key].append(media)
        found = file_slate(media)
        if found is not None:
            tables.by_slate[found].append(media)
            tables.by_scene[found[0]].append(media)
        told = recorder_of_notes(media)
        identity = (media.notes.umid, media.notes.originator_reference, told.uid)
        for key in dict.fromkeys(key for text in identity for key in material_keys(text)):
            tables.by_material[key].append(media)
        for content in dict.fromkeys((media.essence, media.sha256)):
            if content:
                tables.by_content[content].append(media)
        for name in told.names:
            if fold(name) != fold(media.path.name):
                tables.by_recorded[stems(name)[-1]].append(media)
        for leg in legs_of_file(media):
            tables.by_base[leg.base].append(media)
    for stem in tables.by_stem:
        for piece in letters(stem):
            tables.by_letters[piece].append(stem)
    tables.by_reel = {key: _by_time(files, rate) for key, files in reels.items()}
    tables.by_time = _by_time(index.files, rate)
    return tables


def _by_time(files: Iterable[MediaFile], rate: FrameRate) -> ByTime:
    timed = [
        (readings[0].seconds % _DAY, media.frames / media.sample_rate, media)
        for media in files
        if (readings := readings_of(media, rate, Recorder()))
    ]
    timed.sort(key=lambda item: (item[0], item[2].path))
    longest = max((length for _, length, _ in timed), default=0.0)
    return ByTime(
        tuple(start for start, _, _ in timed), tuple(media for _, _, media in timed), longest
    )


def at_url(url: str, tables: Tables, folder: Path) -> tuple[MediaFile | None, str]:
    """The file that a URL names, or None where it is not there; and why the URL is refused.

    The second is a sentence for a URL that leads out of the roots or is no file, else empty.
    """
    if url not in tables.searches:
        tables.searches[url] = _look_at(url, tables, folder) if url else (None, "")
    return tables.searches[url]


def _look_at(url: str, tables: Tables, folder: Path) -> tuple[MediaFile | None, str]:
    where = locate(url, folder)
    if where.foreign:
        return None, f"{url} is not a file on a disk: download it and relink."
    for path in where.paths:
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if not any(real.is_relative_to(root) for root in tables.roots):
            return None, (
                f"{url} leads outside the media folders: add its folder to them if it belongs "
                "to the production."
            )
        if real in tables.by_path:
            return tables.by_path[real], ""
    return None, ""


def criteria(event: Event, tables: Tables, folder: Path) -> Iterator[Criterion]:
    """What is asked for an event's file, the surest first."""
    reference = event.media
    there, refused = at_url(reference.url, tables, folder)
    if reference.url:
        found = () if there is None else (there,)
        yield Criterion("url", "URL", Trust.URL, reference.url, found, refused=refused)
    yield from _by_identity(reference, tables)
    if reference.url and there is None:
        yield _by_tail(reference.url, tables, folder)
    yield from _by_words(event, tables)
    yield from _by_timecode_and_length(event, tables)
    yield from _by_siblings(reference, tables)


def _by_identity(reference: MediaReference, tables: Tables) -> Iterator[Criterion]:
    keys = material_keys(reference.material_id)
    if keys:
        files = next((tables.by_material[key] for key in keys if key in tables.by_material), [])
        asked = reference.material_id
        yield Criterion("material", "material id", Trust.NAMED, asked, tuple(files), decides=False)
    content = tables.known(reference)
    if content:
        files = tables.by_content.get(content, [])
        asked = f"the sound it had in an earlier run ({content[:12]}…)"
        yield Criterion("known", "an earlier run", Trust.NAMED, asked, tuple(files))


def _by_tail(url: str, tables: Tables, folder: Path) -> Criterion:
    """The files that share the longest tail of a URL's path, for media that were moved."""
    parts = locate(url, folder).parts
    named = tables.by_name.get(fold(parts[-1]), []) if parts else []
    longest = max((shared_tail(media.path, parts) for media in named), default=0)
    files = tuple(media for media in named if shared_tail(media.path, parts) == longest)
    asked = "/".join(parts[-max(longest, 1) :])
    return Criterion("url", "URL", Trust.NAMED, f"…/{asked} in another folder", files)


def _by_words(event: Event, tables: Tables) -> Iterator[Criterion]:
    reference = event.media
    at = float(event.source_start / tables.rate.fps)
    keys = reel_keys(reference.reel)
    if keys:
        roll = tables.by_reel.get(keys[0], ByTime((), (), 0.0))
        near = roll.around(at)
        over = len(roll.files) - len(near)
        asked = f"{reference.reel} at its source timecode"
        yield Criterion("reel", "reel", Trust.TIMECODE, asked, near, over)
    wanted = reference_slate(reference)
    if wanted is not None:
        asked = f"scene {wanted[0].upper()}, take {wanted[1]}"
        files = tuple(tables.by_slate.get(wanted, ()))
        yield Criterion("scene", "scene and take", Trust.SLATE, asked, files)
    for name in reference_names(reference):
        files = _unique(media for stem in stems(name) for media in tables.by_stem.get(stem, ()))
        yield Criterion("name", "name", Trust.NAMED, name, files)
    for name in reference_names(reference):
        files = tuple(tables.by_recorded.get(stems(name)[-1], ()))
        if files:
            asked = f"{name}, as it was recorded"
            yield Criterion("name", "the recorder's file name", Trust.NAMED, asked, files)
    if keys and len(keys[0]) >= _SHORTEST_REEL_NAME:
        files = tuple(tables.by_stem.get(fold(reference.reel.strip()), ()))
        if files:
            asked = f"{reference.reel}, its reel, as a name"
            yield Criterion("name", "reel as a name", Trust.TIMECODE, asked, files)


def _by_timecode_and_length(event: Event, tables: Tables) -> Iterator[Criterion]:
    """Files that start and end where the reference says, to the frame: renamed ones."""
    first, length = event.media.available_start, event.media.available_length
    if not first or not length:
        return
    rate, given = tables.rate, slate(event.media.scene, event.media.take)
    near = [
        media
        for media in tables.by_time.around(float(first / rate.fps), 2 * _SLACK)
        if timecode_agrees(first, media, rate, tables.readings(media))
        and abs(Fraction(media.frames) * rate.fps / media.sample_rate - length) < 1
        and (given is None or file_slate(media) in (None, given))
    ]
    asked = "a file of its timecode and length"
    yield Criterion(
        "identity", "timecode and length", Trust.NAMED, asked, tuple(near), decides=False
    )


def _by_siblings(reference: MediaReference, tables: Tables) -> Iterator[Criterion]:
    """Mono files of a poly file that is named, and the poly file or other legs of a named leg."""
    names = [stem for name in reference_names(reference) for stem in stems(name)]
    for stem in dict.fromkeys(names):
        files = tuple(tables.by_base.get(stem, ()))
        if files:
            yield Criterion("sibling", MONO_FILES, Trust.NAMED, f"{stem} as mono files", files)
        for leg in legs_in_name(stem):
            polys = [media for media in tables.by_stem.get(leg.base, ()) if media.channels > 1]
            other = [
                media
                for media in tables.by_base.get(leg.base, ())
                if any(
                    (own.base, own.number) == (leg.base, leg.number) for own in legs_of_file(media)
                )
            ]
            asked = f"track {leg.word} of {leg.base}"
            if polys or (other and leg.number):
                found = tuple(polys) + (tuple(other) if leg.number else ())
                yield Criterion("sibling", "a track of its take", Trust.NAMED, asked, found)


def letters(stem: str) -> frozenset[str]:
    """Runs of three characters of a stem, by which names that are alike are found."""
    return frozenset(stem[i : i + _LETTERS] for i in range(len(stem) - _LETTERS + 1))


def _unique(files: Iterable[MediaFile]) -> tuple[MediaFile, ...]:
    return tuple({media.path: media for media in files}.values())
