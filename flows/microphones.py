"""The microphones of a take: how they lie to each other, and which serves each line best.

Nothing here changes a sound: delays and polarity are reported, and what they do to a sum is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from adapters.media.decode import Sound, sound_file
from adapters.media.probe import probe
from adapters.media.whole import write_bytes
from core.media import MediaFile
from core.plan import digest
from core.speech import Turn, overlap
from flows.channels import person_channels
from flows.hearing import Read, decoded_once
from flows.progress import Progress
from flows.takes import microphone_name
from flows.turnover import hash_media
from flows.turns import alone, pauses_between, turns_of
from flows.workspace import Workspace
from models.alignment import Alignment, Span, align, alignment_version
from models.microphones import (
    Kind,
    Microphone,
    Noise,
    Quality,
    choose,
    decibels,
    hear_line,
    microphones_version,
    noise_of,
    quietest,
    rails_of,
    voice_power,
)
from models.repair.clipping import Rails

STEP = "Comparing microphones"
_BOOM = re.compile(r"^(boom|bm|m/?s mid|mid)\b|^(boom|bm)[ _#-]*\d", re.IGNORECASE)
_NO_MICROPHONE = re.compile(
    r"^(mix[lr]?|mono|stereo|left|right|l|r|side|tc|ltc|timecode|slate|comms|ifb|aux|cam)"
    r"([ _#-]*\d+[lr]?)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MicrophoneReport:
    """A microphone of a take.

    alignment: to the take's reference; None for the reference itself, and where the two agree on
    nothing. noise_dbfs: level of the pauses, 150 Hz to 8 kHz. bleed_db: the loudest other voice
    against the owner's, on an owner's microphone. proposed: for how many lines.
    """

    microphone: Microphone
    alignment: Alignment | None
    noise_dbfs: float
    bleed_db: float | None
    proposed: int


@dataclass(frozen=True)
class LineMicrophone:
    """The microphone proposed for a line.

    start, end: samples of the file. channel: of the file, from 0. reason: a clause.
    heard: each candidate's channel and how it hears the line.
    """

    speaker: str
    start: int
    end: int
    channel: int
    reason: str
    margin_db: float
    heard: tuple[tuple[int, Quality], ...]


@dataclass(frozen=True)
class TakeMicrophones:
    """What is known of the microphones of a take.

    reference: the channel that the others are held against, or None where there is only one.
    """

    file: str
    essence: str
    sample_rate: int
    reference: int | None
    microphones: tuple[MicrophoneReport, ...]
    lines: tuple[LineMicrophone, ...]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Who speaks when, in samples of the file."""
        return tuple(Turn(line.speaker, line.start, line.end) for line in self.lines)

    def name_of(self, channel: int) -> str:
        """The name of a microphone."""
        names = {one.microphone.channel: one.microphone.name for one in self.microphones}
        return names.get(channel, f"channel {channel + 1}")

    def alignment_of(self, channel: int) -> Alignment | None:
        """How a channel lies to the reference; None where that is not known."""
        found = {one.microphone.channel: one.alignment for one in self.microphones}
        return found.get(channel)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, a sentence each."""
        return tuple(self._notes())

    def _notes(self) -> Iterable[str]:
        if self.reference is None:
            return
        against = self.name_of(self.reference)
        for one in self.microphones:
            found, name = one.alignment, one.microphone.name
            if one.microphone.channel == self.reference:
                continue
            if found is None:
                yield (
                    f"{self.file}: {name} could not be held against {against}; "
                    "they hear no voice together."
                )
                continue
            if found.inverted:
                yield f"{self.file}: the polarity of {name} is turned against {against}."
            if found.drift_ppm:
                yield (
                    f"{self.file}: {name} drifts against {against} by {found.drift_ppm:+.1f} "
                    "millionths; they do not run on one clock."
                )


_TAKE = TypeAdapter(TakeMicrophones)


def microphones(
    media: MediaFile, people: Mapping[int, str] | None = None
) -> tuple[Microphone, ...]:
    """The channels that are microphones, by their names; all of them where none is named.

    people: whose lav each channel is, where it is not as the recorder named them.
    """
    people = person_channels(media) if people is None else people
    found = []
    for channel in range(media.channels):
        name = media.notes.track_name(channel).strip()
        if _NO_MICROPHONE.match(name):
            continue
        owner = people.get(channel, "")
        kind = Kind.BOOM if _BOOM.match(name) else Kind.LAV if owner else Kind.OTHER
        found.append(
            Microphone(channel, microphone_name(media, channel), kind, "" if name == "" else owner)
        )
    return tuple(found)


def delay_text(found: Alignment, sample_rate: int) -> str:
    """A delay for people, to the tenth of a sample that it is good for: `+37.3 samples (…)`."""
    # Adding zero turns a rounded -0.0 into 0.0.
    samples = round(found.delay, 1) + 0.0
    ms = round(1000 * found.delay / sample_rate, 3) + 0.0
    drift = f", drifts {found.drift_ppm:+.1f} ppm" if found.drift_ppm else ""
    return f"{samples:+.1f} samples ({ms:+.3f} ms){drift}"


def check_microphones(
    work: Workspace, files: Sequence[Path], progress: Progress
) -> tuple[TakeMicrophones, ...]:
    """The microphones of each sound file. Raises InputError for one that can't be read."""
    progress.step(STEP, len(files))
    done = []
    for path in files:
        media = hash_media(work, probe(path))
        done.append(take_microphones(work, media, turns_of(work, media)))
        progress.advance(STEP)
    return tuple(done)


def take_microphones(
    work: Workspace,
    media: MediaFile,
    turns: Sequence[Turn],
    worn: Mapping[int, str] | None = None,
) -> TakeMicrophones:
    """How the microphones of a hashed file lie, and the proposal for each line; cached.

    turns: who speaks when, in samples of the file; lines of a transcript will do. worn: whose lav
    each channel is, by the names in turns, where these are not the recorder's. Raises
    InputError where the file can't be read any more.
    """
    mics = microphones(media, worn)
    key = digest(
        {
            "microphones": media.essence,
            "file": media.path.name,
            "mics": [asdict(mic) for mic in mics],
            "turns": [[turn.speaker, turn.start, turn.end] for turn in turns],
            "version": f"{microphones_version} {alignment_version}",
        }
    )
    path = work.cache / f"{key[:32]}-microphones.json"
    try:
        return _TAKE.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        pass
    with Sound(sound_file(media, work.cache)) as sound:
        found = _compared(sound, media, mics, [turn for turn in turns if turn.end > turn.start])
    write_bytes(path, _TAKE.dump_json(found))
    return found


@dataclass(frozen=True)
class _Ear:
    """A microphone that is open. voices: power of each voice on it, by speaker."""

    mic: Microphone
    read: Read
    noise: Noise
    rails: Rails | None
    voices: dict[str, float]

    def bleed(self, speaker: str) -> float:
        """The loudest other voice against one, in dB; −99 where there is none."""
        others = max((power for name, power in self.voices.items() if name != speaker), default=0.0)
        return decibels(others, self.voices.get(speaker, 0.0))


def _compared(
    sound: Sound, media: MediaFile, mics: Sequence[Microphone], turns: Sequence[Turn]
) -> TakeMicrophones:
    rate = media.sample_rate
    reads = decoded_once(sound, [mic.channel for mic in mics], media.subtype)
    pauses = pauses_between(turns, media.frames, rate)
    if not pauses and mics:
        pauses = quietest(reads[0], media.frames, rate)
    by_voice = {name: alone(name, turns) for name in dict.fromkeys(turn.speaker for turn in turns)}
    ears = []
    for mic, read in zip(mics, reads, strict=True):
        noise = noise_of(read, pauses, rate)
        voices = {
            name: voice_power(read, spans, noise, rate) for name, spans in by_voice.items() if spans
        }
        ears.append(_Ear(mic, read, noise, rails_of(read, media.frames), voices))
    reference = next((ear for ear in ears if ear.mic.kind is Kind.BOOM), ears[0] if ears else None)
    lines = tuple(_proposal(turn, turns, ears, reference, rate) for turn in turns if ears)
    reports = tuple(_report(ear, reference, turns, pauses, rate, lines) for ear in ears)
    known = reference.mic.channel if reference is not None and len(ears) > 1 else None
    return TakeMicrophones(media.path.name, media.essence, rate, known, reports, lines)


def _report(
    ear: _Ear,
    reference: _Ear | None,
    turns: Sequence[Turn],
    pauses: Sequence[Span],
    sample_rate: int,
    lines: Sequence[LineMicrophone],
) -> MicrophoneReport:
    alignment = None
    if reference is not None and ear is not reference:
        own = [turn for turn in turns if turn.speaker == ear.mic.owner] or turns
        spans = [(turn.start, turn.end) for turn in own]
        alignment = align(reference.read, ear.read, spans, pauses, sample_rate)
    return MicrophoneReport(
        microphone=ear.mic,
        alignment=alignment,
        noise_dbfs=ear.noise.level_dbfs(sample_rate),
        bleed_db=ear.bleed(ear.mic.owner) if ear.mic.owner and len(ear.voices) > 1 else None,
        proposed=sum(line.channel == ear.mic.channel for line in lines),
    )


def _proposal(
    turn: Turn,
    turns: Sequence[Turn],
    ears: Sequence[_Ear],
    reference: _Ear | None,
    sample_rate: int,
) -> LineMicrophone:
    """The microphone for a line: of its owner's, the booms and those that are nobody's."""
    own = [ear for ear in ears if ear.mic.owner in ("", turn.speaker)] or list(ears)
    shared = overlap(turn, turns)
    heard = []
    for ear in own:
        against = reference if ear.mic.kind is Kind.LAV and ear is not reference else None
        quality = hear_line(
            ear.read,
            (turn.start, turn.end),
            ear.noise,
            sample_rate,
            ear.rails,
            None if against is None else (against.read, against.noise),
            ear.bleed(turn.speaker),
            shared,
        )
        heard.append((ear.mic, quality))
    chosen = choose(heard)
    return LineMicrophone(
        speaker=turn.speaker,
        start=turn.start,
        end=turn.end,
        channel=chosen.channel,
        reason=chosen.reason,
        margin_db=chosen.margin_db,
        heard=tuple((mic.channel, quality) for mic, quality in heard),
    )
