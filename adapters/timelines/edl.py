"""CMX3600 edit decision lists, through pycmx.

Quirks handled here:
- An EDL names no frame rate: the caller gives it. `FCM:` says whether timecode drops frames.
- A channel (`A`, `A2`, `AA`, `A12`) is the record track and, for want of anything better, also
  the channel of the source file (A2 is the second).
- A dissolve is two lines of one event number; the first, often of no length, is the outgoing
  side. The dissolve starts at the record-in of the second and lasts its operand in frames.
- Source and record lengths differ in real dialogue EDLs: the record length wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from core.cut import Cut, Event, Fade, MediaReference, Track
from core.errors import InputError
from core.time import FrameRate, timecode_to_frames

_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class _Edit:
    """One line of the list with its remarks, in frames."""

    number: int
    line: int
    channels: tuple[int, ...]
    dissolve: int
    wipe: bool
    source_in: int
    source_out: int
    record_in: int
    record_out: int
    media: MediaReference
    black: bool


def read(path: Path, rate: FrameRate) -> Cut:
    """Read a CMX3600 EDL into a cut.

    path: the list. rate: frames a second of its timecode; its `drop` is overridden by the `FCM`
    statements of the list. Raises InputError where the file is no EDL or has no event.
    """
    text = _text(path)
    counting = _counting(text, rate)
    try:
        parsed = _parse(text)
        events = list(parsed.events)
        title = str(parsed.title or path.stem).strip()
    except (ValueError, IndexError, AttributeError, KeyError, TypeError, AssertionError) as fault:
        raise InputError(
            f"{path} can't be read as a CMX3600 EDL ({fault}); export it again."
        ) from fault
    warnings: list[str] = [
        f"Line {statement.line_number + 1} was not understood: {statement.content.strip()[:80]!r}."
        for statement in parsed.unrecognized_statements
        if statement.content.strip()
    ]
    edits: list[_Edit] = []
    for event in events:
        speeds = _speed_lines(event)
        for edit in event.edits:
            try:
                edits.append(_edit(event.number, edit, counting))
            except InputError as fault:
                warnings.append(f"Line {edit.line_number + 1}: {fault} The event is left out.")
        if speeds:
            warnings.append(
                f"Event {event.number:03d} has a speed change ({speeds[0]}), which is not "
                "conformed yet: it plays at its own speed."
            )
    if not edits:
        raise InputError(f"{path} has no events; is it a CMX3600 EDL with the audio exported?")
    start = min(edit.record_in for edit in edits)
    end = max(edit.record_out for edit in edits)
    channels = sorted({channel for edit in edits for channel in edit.channels})
    tracks = []
    for channel in channels:
        on_channel = [edit for edit in edits if channel in edit.channels]
        tracks.append(_track(channel, on_channel, start, warnings))
    return Cut(
        name=title,
        rate=counting,
        start=start,
        length=Fraction(end - start),
        tracks=tuple(tracks),
        warnings=tuple(warnings),
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is over 64 MB, too large for an EDL.")
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}).") from fault
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path} is not a text file, so it is no EDL.")
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            break
    return data.decode("latin-1")


def _parse(text: str) -> Any:
    import io

    import pycmx

    return pycmx.parse_cmx3600(io.StringIO(text))


def _counting(text: str, rate: FrameRate) -> FrameRate:
    """The rate with the drop-frame flag that the list's first `FCM` gives."""
    for line in text.splitlines():
        if line.strip().upper().startswith("FCM:"):
            drop = "NON" not in line.upper()
            possible = rate.fps in (Fraction(30000, 1001), Fraction(60000, 1001))
            return FrameRate(rate.fps, drop=drop and possible)
    return rate


def _speed_lines(event: Any) -> list[str]:
    lines = (getattr(s, "content", "") or "" for s in event.unrecognized_statements)
    return [line.strip() for line in lines if line.strip().upper().startswith("M2")]


def _edit(number: int, edit: Any, rate: FrameRate) -> _Edit:
    source_in, source_out, record_in, record_out = (
        timecode_to_frames(text, rate)
        for text in (edit.source_in, edit.source_out, edit.record_in, edit.record_out)
    )
    if record_out < record_in:
        record_out += timecode_to_frames("23:59:59:00", rate) + rate.nominal
    operand = edit.transition.operand.strip() if edit.transition.operand else ""
    kind = edit.transition.transition
    blends = not edit.transition.cut and operand.isdigit()
    file_name = (edit.source_file or "").strip()
    return _Edit(
        number=number,
        line=edit.line_number + 1,
        channels=tuple(sorted(edit.channels.channels)),
        dissolve=int(operand) if blends else 0,
        wipe=kind.startswith("W"),
        source_in=source_in,
        source_out=source_out,
        record_in=record_in,
        record_out=record_out,
        media=MediaReference(
            name=(edit.clip_name or file_name or edit.source).strip(),
            file_name=file_name,
            reel="" if edit.aux_source or edit.black else edit.source.strip(),
        ),
        black=bool(edit.black),
    )


def _track(channel: int, edits: Iterable[_Edit], start: int, warnings: list[str]) -> Track:
    events: list[Event] = []
    ordered = sorted(edits, key=lambda edit: (edit.record_in, edit.number, edit.line))
    for edit in ordered:
        fade = Fade(Fraction(edit.dissolve)) if edit.dissolve else None
        if fade is not None:
            _let_out(events, edit, fade, start)
        if edit.black or edit.record_out == edit.record_in:
            if not edit.black and not edit.dissolve:
                events.append(_event(channel, edit, start, None))
            continue
        if edit.source_out - edit.source_in not in (edit.record_out - edit.record_in, 0):
            warnings.append(
                f"Line {edit.line}: {edit.source_out - edit.source_in} source frames for "
                f"{edit.record_out - edit.record_in} record frames; the record length is used."
            )
        if edit.wipe:
            warnings.append(f"Line {edit.line}: a wipe is heard as a dissolve.")
        events.append(_event(channel, edit, start, fade))
    sounding = [event for event in events if event.record_length > 0]
    return Track(
        name=f"A{channel}",
        events=tuple(
            replace(event, id=f"A{channel}/{i:03d}") for i, event in enumerate(sounding, 1)
        ),
    )


def _let_out(events: list[Event], edit: _Edit, fade: Fade, start: int) -> None:
    """Let the outgoing side of a dissolve run on, fading, under the incoming one.

    A line of no length continues the event before it when source and place agree; else it is
    itself the outgoing sound.
    """
    if not events:
        return
    outgoing = events.pop()
    if outgoing.record_length == 0 and events:
        before = events[-1]
        continues = (
            before.media.reel == outgoing.media.reel
            and before.record_end == outgoing.record_start
            and before.source_start + before.record_length == outgoing.source_start
        )
        if continues:
            events.pop()
            outgoing = before
    if outgoing.record_end != edit.record_in - start:
        events.append(outgoing)
        return
    events.append(
        replace(outgoing, record_length=outgoing.record_length + fade.length, fade_out=fade)
    )


def _event(channel: int, edit: _Edit, start: int, fade: Fade | None) -> Event:
    return Event(
        id=f"A{channel}/{edit.number:03d}",
        record_start=Fraction(edit.record_in - start),
        record_length=Fraction(edit.record_out - edit.record_in),
        source_start=Fraction(edit.source_in),
        media=edit.media,
        channels=(channel - 1,),
        fade_in=fade,
        notes=(("event", f"{edit.number:03d}"), ("line", str(edit.line))),
    )
