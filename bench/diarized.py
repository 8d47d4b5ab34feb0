"""Who speaks when: error rates of named microphones, booms and conversations, and their cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.der import Errors, diarization_errors
from bench.table import Table, figures, ratio, where
from core.speech import Turn
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.off_mic import with_off_mic
from models.speech.rate import SPEECH_RATE, rescale, to_16k
from models.speech.speakers import (
    VoiceEncoder,
    installed_weights,
    turns_from_tracks,
    turns_from_voices,
)

COLLAR = SPEECH_RATE // 4
_OF_THE_MACHINE = ("MIX", "BOOM")

_Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Conversation:
    """A sound of which is known who speaks when.

    sound: one microphone at 16 kHz. truth: in its samples. lavs: named microphones, if any.
    """

    set: str
    name: str
    sound: _Sound
    truth: tuple[Turn, ...]
    lavs: Mapping[str, _Sound]


@dataclass(frozen=True)
class Told:
    """What came of a conversation in one way.

    bare, collared: errors without a collar and with one. speakers: true and found.
    cpu, seconds: processor time and length.
    """

    way: str
    name: str
    bare: Errors
    collared: Errors
    speakers: tuple[int, int]
    cpu: float
    seconds: float


def bench_speakers(shared: Path) -> Table:
    """The table of speakers.

    shared: the shared data folder. Processor time is that of all threads, from the sound at
    16 kHz to turns, after the models were loaded. Raises EngineError without the voice encoder.
    """
    here = where()
    encoder = VoiceEncoder(installed_weights())
    told: list[Told] = []
    for item in (*_harbour(shared), *_recorded(shared)):
        if not told:
            _tell(item, "", encoder)
        ways = ("lavs", "boom, count given", "boom") if item.lavs else (item.set,)
        told.extend(_tell(item, way, encoder) for way in ways)
    rows = []
    for way in dict.fromkeys(item.way for item in told):
        same = [item for item in told if item.way == way]
        rows += [_row(item) for item in same]
        if len(same) > 1:
            rows += [_mean_row(way, same)]
    return Table(
        title="Speakers: diarization error rate",
        columns=(
            "way",
            "file",
            "DER",
            "missed",
            "false alarm",
            "confused",
            "DER, collar",
            "speakers",
            "found",
            "count error",
            "CPU s/s",
        ),
        rows=tuple(rows),
        notes=(
            "DER: missed, false alarm and confused over the time of speech, speakers that overlap "
            "counted each; collar: 0.25 s on both sides of every true boundary is not scored.",
            "lavs: the right name is required. Elsewhere any name, and the count is found unless "
            "given.",
            "all: of all time together; DER, collar likewise. Count error: mean of the absolute.",
            f"mean DER of files: {_means(told)}.",
            here,
        ),
    )


def _tell(item: Conversation, way: str, encoder: VoiceEncoder) -> Told:
    """Who speaks in a conversation, found in one way, and how wrong that is."""
    named = way == "lavs"
    right = {turn.speaker for turn in item.truth}
    started = time.process_time()
    spans = speech_spans(item.sound, ActivityOptions())
    if named:
        found = with_off_mic(turns_from_tracks(item.lavs), item.sound, spans, encoder)
    else:
        count = len(right) if way.endswith("count given") else None
        found = turns_from_voices(item.sound, spans, count, encoder)
    cpu = time.process_time() - started
    return Told(
        way,
        item.name,
        diarization_errors(item.truth, found, 0, named),
        diarization_errors(item.truth, found, COLLAR, named),
        (len(right), len({turn.speaker for turn in found})),
        cpu,
        len(item.sound) / SPEECH_RATE,
    )


def _row(item: Told) -> tuple[str, ...]:
    true, found = item.speakers
    return (
        item.way,
        item.name,
        *_errors(item.bare, item.collared),
        str(true),
        str(found),
        str(abs(found - true)),
        ratio(item.cpu, item.seconds),
    )


def _mean_row(way: str, items: Sequence[Told]) -> tuple[str, ...]:
    away = [abs(found - true) for true, found in (item.speakers for item in items)]
    return (
        way,
        "all",
        *_errors(
            reduce(add, (item.bare for item in items)),
            reduce(add, (item.collared for item in items)),
        ),
        "-",
        "-",
        figures(float(np.mean(away))),
        ratio(sum(item.cpu for item in items), sum(item.seconds for item in items)),
    )


def _errors(bare: Errors, collared: Errors) -> tuple[str, ...]:
    shares = (bare.missed, bare.false_alarm, bare.confused)
    wrong = collared.missed + collared.false_alarm + collared.confused
    return (
        ratio(sum(shares), bare.scored),
        *(ratio(share, bare.scored) for share in shares),
        ratio(wrong, collared.scored),
    )


def _means(told: Sequence[Told]) -> str:
    """The mean over files of the rate without a collar, of each way."""
    return ", ".join(
        f"{way} {figures(float(np.mean([item.bare.rate for item in told if item.way == way])))}"
        for way in dict.fromkeys(item.way for item in told)
    )


def _harbour(shared: Path) -> Iterator[Conversation]:
    """The takes of the production, by boom and lavs."""
    harbour = shared / "production" / "harbour"
    for name, take in json.loads((harbour / "truth" / "takes.json").read_text())["takes"].items():
        sound, rate = _channels(harbour / "sound" / f"{name}.wav")
        tracks = dict(zip(take["tracks"], sound, strict=True))
        truth = tuple(
            Turn(
                turn["speaker"],
                rescale(turn["start"], rate, SPEECH_RATE),
                rescale(turn["end"], rate, SPEECH_RATE),
            )
            for turn in take["turns"]
        )
        lavs = {track: part for track, part in tracks.items() if track not in _OF_THE_MACHINE}
        yield Conversation("harbour", name, tracks["BOOM"], truth, lavs)


def _recorded(shared: Path) -> Iterator[Conversation]:
    """Conversations with their RTTM: the telephone call, then the meetings."""
    folder = shared / "speech" / "diarized"
    for path in sorted(folder.glob("*.wav"), key=lambda path: (path.stem != "sample", path.stem)):
        kind = "telephone" if path.stem == "sample" else "meeting"
        sound, _ = _channels(path)
        truth = read_rttm(path.with_suffix(".rttm").read_text())
        yield Conversation(kind, path.stem, sound[0], truth, {})


def read_rttm(text: str) -> tuple[Turn, ...]:
    """The turns of an RTTM (NIST RT-09: seconds in fields 4 and 5, the name in 8) at 16 kHz."""
    turns = []
    for fields in (line.split() for line in text.splitlines() if line.startswith("SPEAKER")):
        start, length = float(fields[3]), float(fields[4])
        turns.append(
            Turn(fields[7], round(start * SPEECH_RATE), round((start + length) * SPEECH_RATE))
        )
    return tuple(turns)


def _channels(path: Path) -> tuple[list[_Sound], int]:
    """Every channel of a file at 16 kHz, and the file's own rate."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return [to_16k(np.ascontiguousarray(channel), rate) for channel in sound.T], rate
