"""What the report says of the microphones of each take, ready for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.media import MediaFile
from core.time import clock, samples_to_timecode
from flows.microphones import LineMicrophone, MicrophoneReport, TakeMicrophones, delay_text
from flows.mono_sum import CutMicrophones, Doubled

Row = tuple[str, ...]


@dataclass(frozen=True)
class TakeView:
    """A take's microphones. rows: name, delay, polarity, noise, other voices, lines proposed.

    lines: place, speaker, the microphone proposed, and why.
    """

    file: str
    rows: tuple[Row, ...]
    lines: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class MicrophonesView:
    """The section of the page. together: where two microphones sound at once, a sentence each."""

    takes: tuple[TakeView, ...]
    together: tuple[Doubled, ...]


def microphones_view(
    found: CutMicrophones | None, media: Mapping[str, MediaFile]
) -> MicrophonesView:
    """The section for a cut; empty where nothing was compared. media: by essence."""
    if found is None:
        return MicrophonesView((), ())
    takes = tuple(
        TakeView(
            file=take.file,
            rows=tuple(_row(take, one) for one in take.microphones),
            lines=tuple(_line(take, line, media.get(take.essence)) for line in take.lines),
            notes=take.notes,
        )
        for take in found.takes
        if len(take.microphones) > 1
    )
    return MicrophonesView(takes, found.doubled)


def _row(take: TakeMicrophones, one: MicrophoneReport) -> Row:
    alignment = one.alignment
    delay, polarity = "not known", ""
    if one.microphone.channel == take.reference:
        delay = "reference"
    elif alignment is not None:
        delay = _minus(delay_text(alignment, take.sample_rate))
        polarity = "turned" if alignment.inverted else "same"
    bleed = "" if one.bleed_db is None else _minus(f"{one.bleed_db:.0f} dB")
    noise = _minus(f"{one.noise_dbfs:.1f} dBFS")
    return (one.microphone.name, delay, polarity, noise, bleed, str(one.proposed))


def _line(take: TakeMicrophones, line: LineMicrophone, media: MediaFile | None) -> Row:
    place = clock(line.start, take.sample_rate)
    if media is not None and media.notes.time_reference is not None and media.notes.timecode_rate:
        place = samples_to_timecode(
            media.notes.time_reference + line.start, media.notes.timecode_rate, take.sample_rate
        )
    return (place, line.speaker or "unknown", take.name_of(line.channel), line.reason)


def _minus(text: str) -> str:
    return text.replace("-", "−")
