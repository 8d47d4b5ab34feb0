"""Room tone at its joins: what is heard just before a hole against what is heard just inside it.

Cuts are made from one production's takes, with in and out points drawn at random (one seed), and
cleaned by the recipe. The truth of the production says where nobody speaks; the background of
the clip is measured there, next to the join, and the tone right after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from adapters.media.probe import probe
from adapters.media.relink import Link
from bench.scratch import workspace
from bench.table import Table, figures, where
from config.recipes import load_recipe
from core.cut import Cut, Event, Fade, MediaReference, Track
from core.media import MediaFile
from core.roles import Choice
from core.stems import FULL_SCALE
from core.time import RATES
from flows.clean_cut import clean_takes
from flows.desk import Desk, StemName
from flows.engines import choose_denoiser
from flows.progress import Silent
from flows.room_tone import FillOptions, Voice
from flows.runner import InTurn
from flows.turnover import Turnover, hash_media, read_turnover
from flows.workspace import Workspace

Samples = NDArray[np.float64]

RATE = 48_000
FRAME = 1920
SEED = 12
SIZE, HOP = 4096, 2048
NEXT_S = 0.5
PAUSE_S = 1.0
FAR_S = 6.0
LEAST_FRAMES = 6
SILENT_DB = -72.0
OCTAVES = tuple(62.5 * 2**n for n in range(9))


@dataclass(frozen=True)
class Join:
    """One side of a hole.

    kind: which row of the table it belongs to. level: of the tone less that of the clip's
    background, dB, 63 Hz to 16 kHz. octaves: the same of each octave.
    """

    kind: str
    level: float
    octaves: Samples


def bench_room_tone(shared: Path, weights: Path, home: Path, holes: int) -> Table:
    """The table of joins. holes: of each scene. home: an empty folder, or one of an earlier run.

    Raises InputError where the production of the shared data is not there.
    """
    here = where()
    production = shared / "production" / "harbour"
    joins: list[Join] = []
    with workspace(home, weights) as work:
        truth = json.loads((production / "truth" / "takes.json").read_text())["takes"]
        media = {
            name: hash_media(work, probe(production / "sound" / f"{name}.wav"))
            for name in sorted(truth)
        }
        silent = {
            media[name].essence: _silence(production, name, truth[name]) for name in sorted(truth)
        }
        for name in sorted(truth):
            joins += _uncut(work, media[name], silent[media[name].essence])
        for cut in sorted((production / "cuts").glob("*.otio")):
            turnover = read_turnover(work, cut, [production / "sound"], Silent())
            joins += _joins(work, turnover, silent, "the production's cuts")
        for scene in sorted({truth[name]["scene"] for name in truth}):
            takes = [media[name] for name in sorted(truth) if truth[name]["scene"] == scene]
            joins += _joins(work, _random_cut(scene, takes, holes), silent, "random cuts")
    return _table(here, joins)


def _uncut(work: Workspace, media: MediaFile, silent: NDArray[np.bool_]) -> Iterator[Join]:
    """The same steps within the pauses of a take, where nothing was cut."""
    turnover = _random_cut(media.notes.scene, [media], 1)
    with ExitStack() as stack:
        desk = _desk(work, turnover, stack)
        item = desk.laid["A1"][0]
        reach = round(NEXT_S * RATE) // HOP - 1
        for middle in range(reach, len(silent) - reach - 2, 2):
            if silent[middle - reach : middle + reach + 2].all():
                first = (middle - reach) * HOP
                sound = desk.sounds.clean(item, first, (2 * reach + 3) * HOP)[:, 0]
                before = _usual(sound[: reach * HOP + HOP])
                after = _usual(sound[(reach + 1) * HOP :])
                assert before is not None
                assert after is not None
                yield _join("a pause of a take, uncut", before, after)


def _join(kind: str, before: Samples, after: Samples) -> Join:
    return Join(
        kind, 10 * float(np.log10(after.sum() / before.sum())), 10 * np.log10(after / before)
    )


def _silence(production: Path, name: str, truth: Mapping[str, float]) -> NDArray[np.bool_]:
    """For every hop of the boom, whether the frame from there on has no speech in it."""
    with Sound(production / "truth" / f"{name}.boom-clean.flac") as sound:
        clean = sound.read(0, sound.frames, [0])[:, 0]
    frames = np.lib.stride_tricks.sliding_window_view(np.square(clean), SIZE)[::HOP].mean(axis=1)
    return np.asarray(10 * np.log10(frames + 1e-20) < SILENT_DB + truth["gain_db"], np.bool_)


def _random_cut(scene: str, takes: Sequence[MediaFile], holes: int) -> Turnover:
    """Clips of a scene's takes with holes between them: in, out, gain and fades by chance."""
    random = np.random.default_rng([SEED, int("".join(filter(str.isdigit, scene)))])
    events, links = [], {}
    at = 0
    for number in range(holes + 1):
        media = takes[int(random.integers(len(takes)))]
        length = int(random.integers(30, 150))
        first = int(random.integers(0, media.frames // FRAME - length - 1)) * FRAME
        fade = Fade(Fraction(int(random.integers(3, 12)))) if random.random() < 0.25 else None
        event = Event(
            f"{scene}/{number:03d}",
            Fraction(at),
            Fraction(length),
            Fraction(0),
            MediaReference(name=media.path.stem),
            fade_in=fade if number else None,
            fade_out=fade,
            gain_db=float(random.integers(-6, 7)) if random.random() < 0.25 else 0.0,
        )
        events.append(event)
        links[event.id] = Link(event.id, media, "url", first, (1,), ())
        at += length + int(random.integers(15, 200))
    return Turnover(
        cut=Cut(scene, RATES["25"], 90_000, events[-1].record_end, (Track("A1", tuple(events)),)),
        path=Path(f"{scene}.otio"),
        digest="",
        links=links,
        offline=(),
        media={media.essence: media for media in takes},
        notes=(),
        choices=(Choice("A1", True, "", ""),),
    )


def _desk(work: Workspace, turnover: Turnover, stack: ExitStack) -> Desk:
    recipe, choice = load_recipe(work.settings.recipe), choose_denoiser(work)
    cleaned, _ = clean_takes(work, turnover, recipe, choice, Silent(), InTurn())
    return Desk(work, turnover, cleaned, {}, "silence", FillOptions(), stack)


def _joins(
    work: Workspace,
    turnover: Turnover,
    silent: Mapping[str, NDArray[np.bool_]],
    cuts: str,
) -> Iterator[Join]:
    with ExitStack() as stack:
        desk = _desk(work, turnover, stack)
        for voice in desk.tone.voices:
            hole, leaves = voice.hole, voice.leaves
            if len(hole.left if leaves else hole.right) > 1:
                continue  # several microphones go on at once, and the truth is of the boom
            edge = hole.start if leaves else hole.end
            length = min(round(NEXT_S * RATE), (hole.end - hole.start) // 2)
            block = desk.block(edge if leaves else edge - length, length, 1.0)
            heard = np.asarray(block[StemName("DX")] + block[StemName("RT")], np.float64)
            essence = turnover.links[voice.item.event_id].media.essence
            found = _background(desk, voice, silent[essence])
            tone = _usual(heard[:, 0] / FULL_SCALE)
            if found is not None and tone is not None:
                yield _join(f"{cuts}, {found[0]}", found[1], tone)


def _background(desk: Desk, voice: Voice, silent: NDArray[np.bool_]) -> tuple[str, Samples] | None:
    """Octave powers of the clip's background next to its edge, under its gain; None if none is."""
    item, leaves = voice.item, voice.leaves
    fade = item.fade_out if leaves else item.fade_in
    first, last = item.source_start, item.source_start + item.length
    edge = last - fade if leaves else first + fade
    for kind, seconds in (("pause at the cut", PAUSE_S), ("speech up to the cut", FAR_S)):
        reach = round(seconds * RATE)
        low, high = (edge - reach, edge) if leaves else (edge, edge + reach)
        places = [
            int(number) * HOP
            for number in np.flatnonzero(silent)
            if max(low, first) <= number * HOP and number * HOP + SIZE <= min(high, last)
        ]
        places = (places[::-1] if leaves else places)[: round(NEXT_S * RATE) // HOP - 1]
        if len(places) >= LEAST_FRAMES:
            frames = [desk.sounds.clean(item, at, SIZE)[:, 0] for at in places]
            return kind, voice.gain**2 * _median(frames)
    return None


def _usual(sound: Samples) -> Samples | None:
    """Octave powers of a sound, the median of its frames."""
    places = range(0, len(sound) - SIZE + 1, HOP)
    if len(places) < LEAST_FRAMES:
        return None
    return _median([sound[at : at + SIZE] for at in places])


def _median(frames: Sequence[Samples]) -> Samples:
    return np.asarray(np.median([_octaves(frame) for frame in frames], axis=0), np.float64)


def _octaves(frame: Samples) -> Samples:
    """Power in the octaves from 63 Hz to 16 kHz."""
    power = np.square(np.abs(np.fft.rfft(frame * np.hanning(SIZE))))
    hertz = np.fft.rfftfreq(SIZE, 1 / RATE)
    bands = [(hertz >= hz / 2**0.5) & (hertz < hz * 2**0.5) for hz in OCTAVES]
    return np.array([power[band].sum() for band in bands]) / SIZE**2 + 1e-30


def _table(here: str, joins: Sequence[Join]) -> Table:
    rows = []
    for kind in dict.fromkeys(join.kind for join in joins):
        same = [join for join in joins if join.kind == kind]
        levels = np.abs([join.level for join in same])
        octaves = np.abs([join.octaves for join in same])
        rows.append(
            (
                kind,
                str(len(same)),
                *(figures(float(np.percentile(levels, part))) for part in (50, 90, 100)),
                figures(100 * float((levels <= 1.0).mean())),
                *(figures(float(np.percentile(octaves, part))) for part in (50, 90, 100)),
                figures(100 * float((octaves <= 1.5).mean())),
            )
        )
    return Table(
        title="Room tone: steps at joins, dB",
        columns=(
            "join",
            "joins",
            "level",
            "90 %",
            "worst",
            "% within 1",
            "octaves",
            "90 %",
            "worst",
            "% within 1.5",
        ),
        rows=tuple(rows),
        notes=(
            f"Medians over frames of 85 ms in {NEXT_S} s either side; the clip's background "
            "is measured in its nearest frames in which, by the truth, nobody speaks.",
            "Within an uncut pause the noise itself steps as the first row says.",
            here,
        ),
    )
