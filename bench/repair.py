"""What repair finds, what it wins, and what it leaves alone, against FFmpeg on the same input."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from bench.table import MISSING, Table, figures, where
from core.defects import DefectKind
from core.errors import InputError
from models.repair.chain import Repaired, RepairOptions, repair_channel
from models.repair.patches import Read
from models.threads import one_blas_thread

Samples = NDArray[np.float64]
Damage = Callable[[Samples, int, int, np.random.Generator], None]

RATE = 48_000
CLIPPED_DB = (3, 10)
SPEECH_SHARE = 0.3
BOOM = 1


@dataclass(frozen=True)
class Clip:
    """A mono recording. name: for people. rate: Hz."""

    name: str
    sound: Samples
    rate: int


def bench_repair(shared: Path) -> Table:
    """The table of repair on the shared data. Raises InputError where its clips are absent."""
    one_blas_thread()
    here = where()
    speech = _clips(shared, ("speech/clean48/*.wav",))
    harbour = shared / "production" / "harbour"
    clean = speech + _clips(harbour, ("truth/*.boom-clean.flac",))
    every = clean + _clips(shared / "speech", ("pairs16/clean/*.wav", "transcribed/*"))
    rows = [*_harbour_clicks(harbour), *_injected_clicks(clean), *_injected_pops(clean)]
    rows += [_false_alarms(every), *_harbour_clipping(harbour)]
    for down in CLIPPED_DB:
        rows += _clipped(speech, down)
    rows += [*_hum(harbour), *_rumble(speech), *_dropouts(speech), *_thumps(speech)]
    return Table(
        title="Repair",
        columns=(
            "what",
            "way",
            "found",
            "false / min",
            "SDR before",
            "SDR after",
            "gain dB",
            "elsewhere",
        ),
        rows=tuple(rows),
        notes=(
            "SDR in dB, over the damaged samples; over the whole for clean48 clipped and rumble.",
            "elsewhere: SDR of what was not damaged against itself before, `same` to the bit; for "
            "hum the change of level between the harmonics. Whatever else a take holds (hum, DC, "
            "rumble) is taken from there too.",
            "false / min: defects of that kind on the clean recordings, all of them together.",
            "FFmpeg's adeclick and adeclip with their defaults, on the same samples.",
            here,
        ),
    )


def repaired(sound: Samples, rate: int) -> Repaired:
    """A recording through the whole chain."""
    return repair_channel(reader(sound), len(sound), rate, RepairOptions())


def reader(sound: Samples) -> Read:
    """A reader of samples in memory, zeros outside."""

    def read(start: int, count: int) -> Samples:
        out = np.zeros(count)
        first, last = max(start, 0), min(start + count, len(sound))
        if first < last:
            out[first - start : last - start] = sound[first:last]
        return out

    return read


def sdr(clean: Samples, other: Samples) -> float:
    """Signal-to-distortion ratio in dB."""
    distortion = max(float(np.sum(np.square(other - clean))), np.finfo(np.float64).tiny)
    return float(10 * np.log10(np.sum(np.square(clean)) / distortion))


def ffmpeg(sound: Samples, rate: int, audio_filter: str) -> Samples:
    """A mono recording through a filter of FFmpeg. Raises InputError where FFmpeg fails."""
    import imageio_ffmpeg

    raw = ["-f", "f64le", "-ar", str(rate), "-ac", "1"]
    program = imageio_ffmpeg.get_ffmpeg_exe()
    ran = subprocess.run(
        [program, "-v", "error", *raw, "-i", "-", "-af", audio_filter, *raw, "-"],
        input=np.ascontiguousarray(sound).tobytes(),
        capture_output=True,
        check=False,
    )
    if ran.returncode:
        raise InputError(f"FFmpeg's {audio_filter} failed: {ran.stderr.decode().strip()}")
    out = np.frombuffer(ran.stdout)[: len(sound)]
    return np.pad(out, (0, len(sound) - len(out)))


def _clips(folder: Path, patterns: Sequence[str]) -> list[Clip]:
    found = []
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        with Sound(path) as sound:
            samples = sound.read(0, sound.frames, [0])[:, 0]
            found.append(Clip(path.name, np.ascontiguousarray(samples), sound.sample_rate))
    if not found:
        raise InputError(
            f"{folder} has no {' or '.join(patterns)}; give the folder that has with --shared."
        )
    return found


def _row(
    what: str, way: str, found: str, before: float, after: float, elsewhere: str = MISSING
) -> tuple[str, ...]:
    gained = f"{after - before:+.1f}"
    return (what, way, found, MISSING, f"{before:.1f}", f"{after:.1f}", gained, elsewhere)


def _elsewhere(before: Samples, after: Samples) -> str:
    """How near what was not damaged stayed to what it was."""
    return "same" if np.array_equal(before, after) else f"{sdr(before, after):.1f}"


def _harbour_take(harbour: Path, take: str) -> tuple[Samples, Samples, list[dict[str, float]]]:
    with Sound(harbour / "sound" / f"{take}.wav") as sound:
        boom = np.ascontiguousarray(sound.read(0, sound.frames, [BOOM])[:, 0])
    truth = json.loads((harbour / "truth" / "takes.json").read_text(encoding="utf-8"))
    clean = _clips(harbour, (f"truth/{take}.boom-clean.flac",))[0].sound
    return boom, clean, truth["takes"][take]["defects"]


def _hits(done: Repaired, kind: DefectKind, places: Sequence[tuple[int, int]]) -> int:
    found = [defect for defect in done.defects if defect.kind is kind]
    return sum(any(d.start < last and first < d.end for d in found) for first, last in places)


def _harbour_clicks(harbour: Path) -> list[tuple[str, ...]]:
    boom, clean, truth = _harbour_take(harbour, "14-T04")
    places = [(int(d["start"]), int(d["start"] + d["length"])) for d in truth]
    return _both("clicks, harbour 14-T04", boom, clean, places, DefectKind.CLICK, "adeclick")


def _both(
    what: str,
    damaged: Samples,
    clean: Samples,
    places: Sequence[tuple[int, int]],
    kind: DefectKind,
    audio_filter: str,
) -> list[tuple[str, ...]]:
    at = np.zeros(len(clean), bool)
    for first, last in places:
        at[first:last] = True
    done = repaired(damaged, RATE)
    found = f"{_hits(done, kind, places)} of {len(places)}"
    ours = done.read(0, len(damaged))
    before = sdr(clean[at], damaged[at])
    kept = _elsewhere(damaged[~at], ours[~at])
    rows = [_row(what, "roomtone", found, before, sdr(clean[at], ours[at]), kept)]
    if audio_filter:
        theirs = ffmpeg(damaged, RATE, audio_filter)
        after, kept = sdr(clean[at], theirs[at]), _elsewhere(damaged[~at], theirs[~at])
        rows.append(_row(what, audio_filter, MISSING, before, after, kept))
    return rows


def _bell(sound: Samples, start: int, count: int, random: np.random.Generator) -> None:
    height = random.uniform(0.2, 0.55) * random.choice([-1, 1])
    sound[start : start + count] += height * np.hanning(count + 2)[1:-1]


def _zeros(sound: Samples, start: int, count: int, _: np.random.Generator) -> None:
    sound[start : start + count] = 0


def _repeat(sound: Samples, start: int, count: int, _: np.random.Generator) -> None:
    sound[start : start + count] = sound[start - count : start]


def _thump(sound: Samples, start: int, count: int, random: np.random.Generator) -> None:
    swing = np.sin(2 * np.pi * random.uniform(30, 60) * np.arange(count) / RATE)
    sound[start : start + count] += 0.5 * swing * np.hanning(count)


def _in_speech(
    clips: Sequence[Clip], damage: Damage, lengths: Sequence[int], apart_s: float
) -> tuple[Samples, Samples, list[tuple[int, int]]]:
    """The clips one after another, clean and damaged where somebody speaks, and the places."""
    random = np.random.default_rng(1)
    clean = np.concatenate([clip.sound for clip in clips])
    level = np.sqrt(np.convolve(np.square(clean), np.ones(960) / 960, "same"))
    loud = np.flatnonzero(level > SPEECH_SHARE * np.percentile(level, 95))
    damaged, places = clean.copy(), []
    for at in range(RATE, len(clean) - RATE, round(apart_s * RATE)):
        near = loud[(loud >= at) & (loud < at + apart_s * RATE / 2)]
        if len(near):
            start, count = int(random.choice(near)), int(random.choice(lengths))
            damage(damaged, start, count, random)
            places.append((start, start + count))
    return clean, damaged, places


def _injected_clicks(clips: Sequence[Clip]) -> list[tuple[str, ...]]:
    clean, damaged, places = _in_speech(clips, _bell, range(2, 9), 1.0)
    what = "bells of 2 to 8 samples in speech"
    return _both(what, damaged, clean, places, DefectKind.CLICK, "adeclick")


def _burst(sound: Samples, start: int, count: int, random: np.random.Generator) -> None:
    shape = np.hanning(count + 2)[1:-1]
    sound[start : start + count] += (
        random.uniform(0.15, 0.5) * shape * random.standard_normal(count)
    )


def _ring(sound: Samples, start: int, count: int, random: np.random.Generator) -> None:
    at = np.arange(count)
    tone = np.sin(2 * np.pi * random.uniform(300, 3_000) * at / RATE + 1)
    height = random.uniform(0.15, 0.5) * random.choice([-1, 1])
    sound[start : start + count] += height * tone * np.exp(-4 * at / count)


def _injected_pops(clips: Sequence[Clip]) -> list[tuple[str, ...]]:
    rows = []
    for name, damage in (("noise", _burst), ("a ring", _ring)):
        clean, damaged, places = _in_speech(clips, damage, range(48, 241), 1.0)
        what = f"pops of 1 to 5 ms in speech, {name}"
        rows += _both(what, damaged, clean, places, DefectKind.CLICK, "")
    return rows


def _false_alarms(clips: Sequence[Clip]) -> tuple[str, ...]:
    minutes = sum(len(clip.sound) / clip.rate for clip in clips) / 60
    done = [repaired(clip.sound, clip.rate) for clip in clips]
    kinds = [defect.kind.value for item in done for defect in item.defects]
    counts = ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds)))
    told = f"{counts or 'none'} in {minutes:.1f} min"
    rate = figures(kinds.count("click") / minutes)
    return ("clean speech, clicks", "roomtone", told, rate, *[MISSING] * 4)


def _harbour_clipping(harbour: Path) -> list[tuple[str, ...]]:
    boom, clean, truth = _harbour_take(harbour, "27B-T02")
    at = np.flatnonzero(np.abs(boom) >= float(truth[0]["level"]) - 1e-6)
    places = [(int(first), int(first) + 1) for first in at]
    what = "clipping, harbour 27B-T02"
    return _both(what, boom, clean, places, DefectKind.CLIPPING, "adeclip")


def _clipped(clips: Sequence[Clip], down: float) -> list[tuple[str, ...]]:
    """Each clip clipped so many dB below its peak."""
    before, ours, theirs = [], [], []
    for clip in clips:
        rail = np.abs(clip.sound).max() * 10 ** (-down / 20)
        damaged = np.clip(clip.sound, -rail, rail)
        before.append(sdr(clip.sound, damaged))
        ours.append(sdr(clip.sound, repaired(damaged, clip.rate).read(0, len(damaged))))
        theirs.append(sdr(clip.sound, ffmpeg(damaged, clip.rate, "adeclip")))
    what = f"clipping by {down} dB, clean48, whole"
    mean = partial(np.mean, dtype=np.float64)
    return [
        _row(what, "roomtone", MISSING, float(mean(before)), float(mean(ours))),
        _row(what, "adeclip", MISSING, float(mean(before)), float(mean(theirs))),
    ]


def _line(sound: Samples, hz: float) -> float:
    turned = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / RATE)
    return float(20 * np.log10(np.abs(np.sum(sound * np.hanning(len(sound)) * turned))))


def _hum(harbour: Path) -> list[tuple[str, ...]]:
    boom, clean, _ = _harbour_take(harbour, "14-T02")
    after = repaired(boom, RATE).read(0, len(boom))
    lines = [(_line(boom - clean, 60 * k), _line(after - clean, 60 * k)) for k in range(1, 9)]
    down = [before - left for before, left in lines]
    spectra = [np.abs(np.fft.rfft(sound)) ** 2 for sound in (boom, after)]
    hz = np.fft.rfftfreq(len(boom), 1 / RATE)
    away = (np.abs(hz - 60 * np.rint(hz / 60)) > 3) & (hz > 60)
    loss = 10 * np.log10(spectra[1][away].sum() / spectra[0][away].sum())
    told = f"8 harmonics down {min(down):.0f} to {max(down):.0f} dB"
    lost = f"{loss:+.2f} dB"
    return [("hum, harbour 14-T02", "roomtone", told, *[MISSING] * 4, lost)]


def _rumble(clips: Sequence[Clip]) -> list[tuple[str, ...]]:
    from scipy.signal import butter, sosfilt

    clean = np.concatenate([clip.sound for clip in clips])
    noise = np.random.default_rng(2).standard_normal(len(clean))
    noise = sosfilt(butter(4, [6, 22], "band", fs=RATE, output="sos"), noise)
    noise *= np.sqrt(np.mean(clean**2) / np.mean(noise**2))
    done = repaired(clean + noise, RATE)
    after = done.read(0, len(clean))
    found = f"{sum(d.kind is DefectKind.RUMBLE for d in done.defects)} stretch"
    before = sdr(clean, clean + noise)
    return [_row("rumble as loud as the voice", "roomtone", found, before, sdr(clean, after))]


def _dropouts(clips: Sequence[Clip]) -> list[tuple[str, ...]]:
    rows = []
    for name, damage in (("zeros", _zeros), ("buffer repeated", _repeat)):
        clean, damaged, places = _in_speech(clips, damage, (96, 240, 480), 1.0)
        what = f"dropouts of 2 to 10 ms, {name}"
        rows += _both(what, damaged, clean, places, DefectKind.DROPOUT, "")
    return rows


def _thumps(clips: Sequence[Clip]) -> list[tuple[str, ...]]:
    clean, damaged, places = _in_speech(clips, _thump, (4_800, 7_200, 9_600), 3.0)
    return _both("thumps of 100 to 200 ms", damaged, clean, places, DefectKind.THUMP, "")
