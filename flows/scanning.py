"""Slates, tone, pops and digital silence: looked for while a file is read anyway, once a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from core.events import EventKind, SoundEvent
from core.media import MediaFile
from db.events import has_events, store_events
from flows.channels import listening_channel, person_channels
from flows.hearing import SPEECH_VERSION, Read, Spans, in_samples, parts_at_16k, spoken
from flows.workspace import Workspace
from models.events.scan import SCAN_VERSION, Scan, Scanner
from models.events.slates import slates

SOUND = "sound"
VERSION = f"{SCAN_VERSION}.{SPEECH_VERSION}"
_AT_ONCE_S = 60


class Ears:
    """Hears along while channels of a hashed file are read from their first sample to their last.

    The channel that is listened to is searched for everything, those of people for digital
    silence. What was not read by the time it is stored is read then.
    """

    def __init__(self, work: Workspace, media: MediaFile) -> None:
        self._work, self._media = work, media
        self.done = is_scanned(work, media)
        main = listening_channel(media)
        channels = () if self.done else sorted({main, *person_channels(media)})
        self._scanners = {
            channel: Scanner(media.sample_rate, transients=channel == main) for channel in channels
        }

    def along(self, channel: int, read: Read) -> Read:
        """The same reader of a channel; what it reads in order is heard."""
        scanner = self._scanners.get(channel)
        if scanner is None:
            return read

        def heard(start: int, frames: int) -> NDArray[np.float64]:
            samples = read(start, frames)
            if start == scanner.heard:
                scanner.add(samples)
            return samples

        return heard

    def store(self, sound: Sound, spans: Spans) -> None:
        """Remember what was heard. sound: the open file. spans: of speech, at 16 kHz."""
        if self.done:
            return
        media = self._media
        scans: dict[int, Scan] = {}
        for channel, scanner in self._scanners.items():
            while scanner.heard < media.frames:
                count = min(_AT_ONCE_S * media.sample_rate, media.frames - scanner.heard)
                scanner.add(sound.read(scanner.heard, count, [channel])[:, 0])
            scans[channel] = scanner.finish()
        events = sound_events(media, scans, in_samples(spans, media.frames, media.sample_rate))
        with self._work.database.write() as session:
            store_events(session, media.essence, SOUND, VERSION, events)
        self.done = True


def is_scanned(work: Workspace, media: MediaFile) -> bool:
    """Whether a file was searched by these detectors."""
    with work.database.read() as session:
        return has_events(session, media.essence, SOUND, VERSION)


def scan_file(work: Workspace, media: MediaFile) -> None:
    """Search a hashed file that is not listened to in this run. Raises InputError."""
    channel = listening_channel(media)
    ears = Ears(work, media)
    with Sound(sound_file(media, work.cache)) as sound:
        read = ears.along(channel, lambda at, n: sound.read(at, n, [channel])[:, 0])
        spans = spoken(
            work, media, channel, lambda: parts_at_16k(read, media.frames, media.sample_rate)
        )
        ears.store(sound, spans)


def sound_events(media: MediaFile, scans: dict[int, Scan], spoken_at: Spans) -> list[SoundEvent]:
    """What was found, as events. scans: by channel. spoken_at: samples of the file."""
    found: list[SoundEvent] = []
    for channel, scan in scans.items():
        found += slates(scan.claps, spoken_at, media.frames, media.sample_rate, channel)
        for tone in scan.tones:
            kind = EventKind.POP if tone.pop else EventKind.TONE
            note = f"{tone.hz:.0f} Hz at {tone.level_db:.1f} dBFS"
            end = min(media.frames, tone.end)
            found.append(SoundEvent(kind, tone.start, end, channel, 0.9 if tone.pop else 1.0, note))
        found += [
            SoundEvent(EventKind.SILENCE, start, end, channel, 1.0, "digital silence")
            for start, end in scan.zeros
        ]
    return sorted(found, key=lambda event: (event.start, event.end, event.channel or 0))
