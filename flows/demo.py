"""The demo production: takes, cuts and their truth, built from config/demo on any machine.

The same folder comes out every time, to the byte, on one machine. Nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.media.write import WaveWriter, write_text
from core.errors import InputError, OutputError
from core.media import SoundNotes
from flows import demo_sound as ds
from flows.demo_cuts import cut_truth, edl, otio_timeline
from flows.demo_script import Production, SpokenLine, Take, load_production

FULL_SCALE = 1 << 23
_TRUTH = "truth.json"


@dataclass(frozen=True)
class Heard:
    """A turn as it was placed in a take: samples from the take's start, at the speaker's lav."""

    line: SpokenLine
    start: int
    end: int


@dataclass(frozen=True)
class TakeSound:
    """The sound of a take.

    grid: shape (samples, channels), on the 24-bit grid. boom_speech, boom_noise: what the boom
    hears, apart, full scale 1.0, before the clicks. turns, clicks: where; a click is start and
    length in samples of the BOOM channel.
    """

    grid: NDArray[np.int32]
    boom_speech: ds.Samples
    boom_noise: ds.Samples
    turns: tuple[Heard, ...]
    clicks: tuple[tuple[int, int], ...]


def build_production(folder: Path) -> Path:
    """Build the demo production in a folder, and return the folder.

    It gets `sound/` (broadcast waves), `cuts/` (demo_v1.otio, demo_v1.edl, demo_v2.otio) and
    `truth.json`. Raises OutputError where the folder holds something else or can't be written.
    """
    production = load_production()
    _refuse_other(folder, production)
    truth: dict[str, Any] = {
        "title": production.title,
        "rate": str(production.frame_rate.fps),
        "sample_rate": production.sample_rate,
        "search_for": production.search_for,
        "takes": {},
        "cuts": {cut.name: cut_truth(production, cut) for cut in production.cuts},
    }
    # Written first as well, so that a build that was cut short is known as ours and can be redone.
    write_text(folder / _TRUTH, _as_json(truth))
    for take in production.takes:
        sound = take_sound(production, take)
        _write_take(folder / "sound" / f"{take.name}.wav", production, take, sound)
        truth["takes"][take.name] = _take_truth(production, take, sound)
    for cut in production.cuts:
        timeline = otio_timeline(production, cut)
        write_text(folder / "cuts" / f"{cut.name}.otio", timeline.to_json_string(indent=4) + "\n")
    first = production.cuts[0]
    write_text(folder / "cuts" / f"{first.name}.edl", edl(production, first))
    write_text(folder / _TRUTH, _as_json(truth))
    return folder


def take_sound(production: Production, take: Take) -> TakeSound:
    """Make the sound of a take: the same every time, whatever was made before."""
    rate = production.sample_rate
    frames = production.samples(take.frames)
    rng = np.random.default_rng([production.seed, production.takes.index(take)])
    turns, voices = _voices(production, take, frames)
    response = ds.room(rng, rate, ds.PLACES[take.place])
    speech = ds.boom_speech(voices, take.boom, response, rate)
    spoken = np.concatenate([speech[turn.start : turn.end] for turn in turns])
    noise = _noise(rng, production, take, frames) * (ds.rms(spoken) / ds.decibels(take.snr))
    lavs = [ds.lav(rng, who, voices, noise, rate) for who in take.boom]
    boom = speech + noise
    clicks: list[tuple[int, int]] = []
    for at in take.clicks:
        shape = ds.click(rng)
        start = production.samples(at) + int(rng.integers(production.samples(1)))
        boom[start : start + len(shape)] += shape
        clicks.append((start, len(shape)))
    mix = 0.5 * boom + 0.4 * np.sum(lavs, axis=0)
    sound = np.stack([mix, boom, *lavs], axis=1)
    grid = np.clip(np.rint(sound * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int32)
    return TakeSound(grid, speech, noise, turns, tuple(clicks))


def _voices(
    production: Production, take: Take, frames: int
) -> tuple[tuple[Heard, ...], dict[str, ds.Samples]]:
    """Where each line of a take falls, and the dry voice of each speaker over the whole take."""
    lines = {line.id: line for line in production.lines}
    voices = {who: np.zeros(frames) for who in take.boom}
    turns = []
    for cue in take.cues:
        line = lines[cue.line]
        recording = _recording(line, production.sample_rate)
        start = production.samples(cue.at)
        voices[line.who][start : start + len(recording)] += recording
        turns.append(Heard(line, start, start + len(recording)))
    return tuple(turns), voices


def _recording(line: SpokenLine, sample_rate: int) -> ds.Samples:
    import soundfile as sf

    asset = resources.files("config") / "demo" / "lines" / f"{line.id}.flac"
    try:
        with asset.open("rb") as handle:
            sound, rate = sf.read(handle, dtype="float64")
    except (OSError, sf.LibsndfileError) as fault:
        raise InputError(f"{asset} can't be read ({fault}): install roomtone again.") from fault
    if rate != sample_rate:
        raise InputError(f"{asset} is not at {sample_rate} Hz: install roomtone again.")
    return np.asarray(sound, dtype=np.float64)


def _noise(rng: np.random.Generator, production: Production, take: Take, frames: int) -> ds.Samples:
    """The noise of a take's place, of RMS 1, hum included."""
    rate = production.sample_rate
    if take.place == "street":
        cars = tuple(production.samples(at) for at in take.cars)
        noise = ds.street(rng, frames, rate, cars)
    else:
        noise = ds.ventilation(rng, frames, rate)
    if take.hum_hz:
        noise = noise + ds.hum(frames, rate, take.hum_hz) * ds.decibels(take.hum_db)
    return noise / ds.rms(noise)


def _write_take(path: Path, production: Production, take: Take, sound: TakeSound) -> None:
    clock = take.timecode[:8]
    tracks = "".join(f"sTRK{i}={name}\r\n" for i, name in enumerate(take.channels, 1))
    notes = SoundNotes(
        scene=take.scene,
        take=take.take,
        tape=take.tape,
        circled=take.circled,
        note=take.note,
        project=production.title,
        description=(
            f"sSPEED={production.rate}-ND\r\nsTAKE={take.take}\r\nsPROJECT={production.title}\r\n"
            f"sSCENE={take.scene}\r\nsFILENAME={path.name}\r\nsTAPE={take.tape}\r\n{tracks}"
        ),
        originator="ROOMTONE DEMO",
        originator_reference=f"{take.tape}{take.name}",
        origination_date=production.date,
        origination_time=clock,
        coding_history=f"A=PCM,F={production.sample_rate},W=24,M=multi,T=synthetic voices",
        track_names=tuple(enumerate(take.channels)),
        timecode_rate=production.frame_rate,
        time_reference=production.samples(production.timecode(take)),
    )
    channels = len(take.channels)
    with WaveWriter(path, production.sample_rate, channels, "PCM_24", notes) as writer:
        writer.write(sound.grid)


def _take_truth(production: Production, take: Take, sound: TakeSound) -> dict[str, Any]:
    return {
        "scene": take.scene,
        "take": take.take,
        "tape": take.tape,
        "timecode": take.timecode,
        "time_reference": production.samples(production.timecode(take)),
        "frames": len(sound.grid),
        "tracks": list(take.channels),
        "snr_db": take.snr,
        "hum_hz": take.hum_hz or None,
        "defects": [
            {"kind": "click", "track": "BOOM", "start": start, "length": length}
            for start, length in sound.clicks
        ],
        "turns": [
            {"speaker": t.line.who, "start": t.start, "end": t.end, "text": t.line.text}
            for t in sound.turns
        ],
    }


def _refuse_other(folder: Path, production: Production) -> None:
    """Raise OutputError where the folder holds anything but an earlier demo production."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return
        known = json.loads((folder / _TRUTH).read_text("utf-8"))["title"] == production.title
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise OutputError(f"{folder} holds something else: name an empty folder for the demo.")


def _as_json(truth: Mapping[str, Any]) -> str:
    return json.dumps(truth, indent=1, ensure_ascii=False) + "\n"
