"""Settle who is who in a production: one speaker for the same voice in every take."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from core.media import MediaFile
from core.speakers import SpeakerDecision, named, speaker_of
from core.speech import Turn, is_numbered
from db.obey import obey
from db.speakers import decisions_of, new_speaker, rename, speaker_heard, speaker_names
from db.voices import HeardVoice, KnownVoice, assign_speakers, voices_of_project
from flows.channels import person_channels
from flows.hearing import in_samples
from flows.who_speaks import Speaking
from flows.workspace import Workspace
from models.speech.same_voice import TakeVoice, same_voices

_LEAST_S = 1.0


def project_of(work: Workspace, media: MediaFile) -> str:
    """The production whose speakers are heard in a file: of the settings, else of its recorder."""
    return work.settings.project or media.notes.project


def heard_voices(speaking: Speaking, media: MediaFile) -> tuple[HeardVoice, ...]:
    """The voices of a take as they are remembered, spans in its own samples."""
    prints = {voice.speaker: voice for voice in speaking.voices}
    if not prints and not speaking.unmeasured:
        return ()
    made = []
    for label in dict.fromkeys(turn.speaker for turn in speaking.turns if turn.speaker):
        turns: list[Turn] = [turn for turn in speaking.turns if turn.speaker == label]
        spans = tuple((turn.start, turn.end) for turn in turns)
        voice = prints.get(label)
        made.append(
            HeardVoice(
                label=label,
                source="microphone" if label in speaking.wearers else "voice",
                seconds=voice.seconds if voice else 0.0,
                print=tuple(float(value) for value in voice.print) if voice else (),
                encoder=speaking.encoder,
                spans=in_samples(spans, media.frames, media.sample_rate),
            )
        )
    return tuple(made)


def wearers(work: Workspace, media: MediaFile) -> dict[int, str]:
    """Channels that carry one named person's microphone, by the names these people have now.

    The recorder's own names, but where a person said that somebody has another name, or is another.
    """
    worn = person_channels(media)
    if not worn:
        return {}
    project, whole = project_of(work, media), ((0, media.frames),)
    with work.database.read() as session:
        decisions = decisions_of(session, project)
        if not decisions:
            return worn
        names, _ = speaker_names(session, project)
        for channel, name in worn.items():
            heard = speaker_heard(session, project, name)
            if heard is not None:
                worn[channel] = names[speaker_of(heard, media.essence, whole, decisions)]
    return worn


def settle_speakers(work: Workspace, project: str) -> int:
    """Decide anew whose every voice of a production is; how many lines changed hands.

    Microphones' names and what people said hold; voices alike are one speaker, others get
    `SPEAKER n`. A speaker without a name keeps the number, as far as its voices stay together.
    """
    with work.database.write() as session:
        return settle(session, project)


def settle(session: Session, project: str) -> int:
    """Decide anew whose every voice of a production is, within a transaction."""
    voices = voices_of_project(session, project)
    decisions = decisions_of(session, project)
    _, heard_as = speaker_names(session, project)
    groups = _groups(voices, decisions)
    unnamed = {number for number, name in heard_as.items() if is_numbered(name)}
    speakers: dict[int, int] = {}
    taken = {
        number
        for voice in voices
        if _is_certain(voice)
        for number in (voice.speaker, _final(voice, decisions))
        if number is not None
    }
    waiting = []
    for members in groups:
        certain = [voice for voice in members if _is_certain(voice)]
        number = (
            _final(certain[0], decisions) if certain else _kept_number(members, unnamed - taken)
        )
        if number is None:
            waiting.append(members)
            continue
        taken.add(number)
        speakers |= {voice.number: number for voice in members if voice not in certain}
    for members in waiting:
        number = new_speaker(session, project, taken)
        taken.add(number)
        speakers |= {voice.number: number for voice in members}
    changed = assign_speakers(session, project, speakers, decisions)
    _, heard_as = speaker_names(session, project)
    rename(session, named(heard_as, decisions))
    obey(session)
    return changed


def _groups(
    voices: tuple[KnownVoice, ...], decisions: tuple[SpeakerDecision, ...]
) -> list[list[KnownVoice]]:
    """Voices that are one speaker's; those of which too little was heard stay alone."""
    encoders = [voice.heard.encoder for voice in voices if voice.heard.print]
    current = max(sorted(set(encoders)), key=encoders.count) if encoders else ""
    told = [
        voice
        for voice in voices
        if voice.heard.print
        and voice.heard.encoder == current
        and (voice.heard.seconds >= _LEAST_S or _is_certain(voice))
    ]
    numbers = same_voices(
        [
            TakeVoice(
                voice.essence,
                _final(voice, decisions) if _is_certain(voice) else None,
                voice.heard.seconds,
                np.array(voice.heard.print, dtype=np.float32),
            )
            for voice in told
        ]
    )
    groups: dict[int, list[KnownVoice]] = {}
    for voice, number in zip(told, numbers, strict=True):
        groups.setdefault(number, []).append(voice)
    counted = {voice.number for voice in told}
    return [*groups.values(), *([voice] for voice in voices if voice.number not in counted)]


def _is_certain(voice: KnownVoice) -> bool:
    """Whether it is known whose a voice is: by a named microphone, or because a person said so."""
    return voice.speaker is not None and (voice.fixed or voice.heard.source != "voice")


def _final(voice: KnownVoice, decisions: tuple[SpeakerDecision, ...]) -> int | None:
    """Whose a voice is by what people said."""
    if voice.speaker is None:
        return None
    return speaker_of(voice.speaker, voice.essence, voice.heard.spans, decisions)


def _kept_number(members: list[KnownVoice], free: set[int]) -> int | None:
    """The speaker that most of a group was until now, of those that are free.

    A name that only came from a microphone or an enrolled voice is nobody's once that is gone.
    """
    seconds: dict[int, float] = {}
    for voice in members:
        if voice.speaker in free:
            seconds[voice.speaker] = seconds.get(voice.speaker, 0.0) + voice.heard.seconds
    return min(seconds, key=lambda number: (-seconds[number], number)) if seconds else None
