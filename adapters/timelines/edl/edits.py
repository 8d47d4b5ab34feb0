"""The events of an EDL: edit lines with the remarks that belong to them, in frames.

Hosts write the remarks of a dissolve after both its lines, the outgoing side's first; a lone
`SOURCE FILE` there is the outgoing side's (seen in Avid's lists).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from adapters.timelines.edl.edit import Edit, OnTrack
from adapters.timelines.edl.lines import (
    MAX_EDITS,
    EditLine,
    Remark,
    Statement,
    extended_channels,
)
from adapters.timelines.edl.mix import Known, mixed
from adapters.timelines.edl.times import Clock, says_drop, times_of
from core.cut import MediaReference
from core.errors import InputError
from core.time import FrameRate

AUXILIARY = "AX"
BLACK = ("BL", "BLK", "BLACK")
_MAX_GROUP = 64
"""Lines of one event: more is no event, and each is compared with each."""
_MAX_REMARKS = 2_000
_NORMAL = Fraction(1)
_FPS = re.compile(r"[+-]?[0-9]{1,6}(?:\.[0-9]{0,6})?")


@dataclass
class _Group:
    """The lines of one event, while they are gathered."""

    lines: list[tuple[EditLine, bool]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    extended: dict[int, tuple[int, ...]] = field(default_factory=dict)


def edits_of(found: Sequence[Statement], by: Clock, path: Path) -> tuple[list[Edit], list[str]]:
    """Every edit of a list in its order, and warnings.

    by: the clock of the list. Edits whose times can't be known are left out.
    Raises InputError, naming `path`, where there are more than 200,000 on all tracks.
    """
    warnings: list[str] = []
    reels = _reels(found)
    known: Known = {}
    count = 0
    edits: list[Edit] = []
    for group in _groups(found, by, warnings):
        made = _of_group(group, by, reels, warnings)
        if len(group.remarks) > _MAX_REMARKS:
            warnings.append(
                f"Line {group.lines[0][0].line}: the event has over {_MAX_REMARKS:,} remarks; "
                "the rest is left out."
            )
        counted = (by, group.lines[-1][1])
        done, said = mixed(made, group.remarks[:_MAX_REMARKS], counted, known)
        edits += done
        warnings += said
        count += sum(len(edit.audio) + len(edit.video) for edit in done)
        if count > MAX_EDITS:
            raise InputError(
                f"{path} has over {MAX_EDITS:,} events; give one reel's list at a time."
            )
    return edits, warnings


def speed_of(fps: str, rate: FrameRate) -> Fraction:
    """The speed that an `M2` line's frames a second stand for.

    They count as timecode does (024.0 is normal speed at 23.976), but where they are, as far as
    their digits go, a whole percentage of the exact rate and not of the nominal one (059.9 at
    29.97), that is meant.
    """
    value = Fraction(fps)
    nominal = value / rate.nominal
    if rate.nominal == rate.fps or (nominal * 100).denominator == 1:
        return nominal
    digit = Fraction(1, 10 ** len(fps.partition(".")[2]))
    percent = Fraction(round(value / rate.fps * 100), 100)
    # Hosts round (023.98) and cut off (059.9).
    return percent if abs(percent * rate.fps - value) < digit else nominal


def _groups(found: Iterable[Statement], by: Clock, warnings: list[str]) -> Iterator[_Group]:
    """Lines of one event number that follow each other, with the remarks up to the next."""
    group = _Group()
    drop = by.rate.drop
    for statement in found:
        if isinstance(statement, EditLine):
            last = group.lines[-1][0].number if group.lines else statement.number
            if statement.number != last or len(group.lines) == _MAX_GROUP:
                yield group
                group = _Group()
            group.lines.append((statement, drop))
        elif statement.kind == "fcm":
            now = says_drop(statement)
            if now != drop and by.drops:
                warnings.append(
                    f"Line {statement.line}: the frame count changes to "
                    f"{'drop' if now else 'non-drop'} frame; what follows is counted so and put "
                    f"where that falls in {'' if by.rate.drop else 'non-'}drop frame."
                )
                drop = now
        elif statement.kind == "channels" and group.lines:
            more = extended_channels(statement.text)
            for line, _ in reversed(group.lines):
                if line.line in group.extended:
                    break
                group.extended[line.line] = more
        elif statement.kind == "unknown":
            warnings.append(f"Line {statement.line} was not understood: {statement.text[:80]!r}.")
            group.remarks.append(Remark(statement.line, "note", statement.text))
        elif group.lines or statement.kind == "note":
            group.remarks.append(statement)
    if group.lines:
        yield group


def _reels(found: Iterable[Statement]) -> dict[str, str]:
    """Full names of reels, by the short ones that the edit lines carry (`>>> SOURCE`)."""
    names = {}
    for statement in found:
        if isinstance(statement, Remark) and statement.kind == "table":
            short, *words = statement.text.split() or [""]
            if words and "060a2b34" in words[-1].lower():
                words.pop()
            if words:
                names[short] = " ".join(words)
    return names


def _of_group(group: _Group, by: Clock, reels: dict[str, str], warnings: list[str]) -> list[Edit]:
    lines = [line for line, _ in group.lines]
    speeds = _speeds(group, lines, by.rate, warnings)
    texts: dict[str, list[str]] = {}
    for remark in group.remarks[:_MAX_REMARKS]:
        texts.setdefault(remark.kind, []).append(remark.text)
    names = _shared_out(texts.get("from", []), texts.get("to", []), lines)
    files = _files(texts.get("source", []), lines, names)
    urls = _shared_out(texts.get("from_file", []), texts.get("to_file", []), lines)
    notes = tuple(("remark", text) for text in texts.get("note", []) if text)
    edits: list[Edit] = []
    for (line, drop), speed, name, file, url in zip(
        group.lines, speeds, names, files, urls, strict=True
    ):
        times, said = times_of(line, by, drop, speed)
        warnings += said
        if times is None:
            continue
        reel = "" if line.reel in (AUXILIARY, *BLACK) else reels.get(line.reel, line.reel)
        tracks = sorted({*line.channels.audio, *group.extended.get(line.line, ())})
        if not tracks and not line.channels.video and line.reel not in BLACK:
            warnings.append(f"Line {line.line} records on no track; it is left out.")
        edits.append(
            Edit(
                number=line.number,
                line=line.line,
                audio=tuple(OnTrack(track) for track in tracks),
                video=line.channels.video,
                kind=line.transition,
                transition=line.length,
                times=times,
                black=line.reel in BLACK,
                media=MediaReference(name=name or file or reel, url=url, file_name=file, reel=reel),
                speed=speed,
                outgoing=_outgoing(edits, line, tracks) if _blends(line) else None,
                notes=(("event", line.number), ("line", str(line.line)), *notes),
            )
        )
    return edits


def _blends(line: EditLine) -> bool:
    return line.transition not in ("C", "KB")


def _outgoing(edits: Sequence[Edit], line: EditLine, tracks: Sequence[int]) -> int | None:
    """The line of the same event that a transition starts from."""
    for edit in reversed(edits):
        shared = {item.track for item in edit.audio}.intersection(tracks)
        if shared or set(edit.video).intersection(line.channels.video):
            return edit.line
    return None


def _shared_out(first: list[str], second: list[str], lines: Sequence[EditLine]) -> list[str]:
    """FROM and TO names, given to the lines of an event."""
    into = [_blends(line) for line in lines]
    if not any(into) or all(into):
        said = second or first if all(into) else first
        return said if len(said) == len(lines) else (said[:1] or [""]) * len(lines)
    outgoing = incoming = first[0] if first else ""
    silent = all(line.reel in BLACK for line in lines if not _blends(line))
    if second or len(first) > 1:
        incoming = second[0] if second else first[1]
    elif not silent:
        incoming = ""
    return [incoming if blends else outgoing for blends in into]


def _files(said: list[str], lines: Sequence[EditLine], names: Sequence[str]) -> list[str]:
    """SOURCE FILE, given to the lines of an event; Avid's `(NULL)` is none."""
    given = ["" if text.upper() == "(NULL)" else text for text in said]
    outgoing = next((i for i, line in enumerate(lines) if not _blends(line)), None)
    if outgoing is None or not any(_blends(line) for line in lines):
        return _shared_out(given, [], lines)
    files = _shared_out(given[:1], given[1:2], lines)
    if len(given) == 1:
        same = (lines[outgoing].reel, names[outgoing])
        files = [
            given[0] if (line.reel, name) == same else file
            for line, name, file in zip(lines, names, files, strict=True)
        ]
    return files


def _speeds(
    group: _Group, lines: Sequence[EditLine], rate: FrameRate, warnings: list[str]
) -> list[Fraction]:
    """The speed of each line: an `M2` counts for lines of its reel, told apart by its time."""
    speeds = [_NORMAL] * len(lines)
    taken: set[int] = set()
    said = [item for item in group.remarks if item.kind == "speed"]
    for remark in said[:_MAX_GROUP]:
        words = remark.text.split()
        entry = _digits(words.pop()) if len(words) > 1 and len(_digits(words[-1])) >= 8 else ""
        if not words or _FPS.fullmatch(words[-1]) is None:
            warnings.append(f"Line {remark.line} was not understood: {'M2 ' + remark.text[:80]!r}.")
            continue
        fps, reel = words.pop(), " ".join(words).upper()
        of_reel = [i for i, line in enumerate(lines) if _same_reel(line.reel.upper(), reel)]
        at_entry = [i for i in of_reel if entry and _digits(lines[i].times[0]) == entry]
        chosen = at_entry or [i for i in of_reel if i not in taken][:1]
        if not chosen:
            warnings.append(
                f"Line {remark.line}: the speed is of reel {reel!r}, which its event does not "
                "play; it is left out."
            )
        for i in chosen:
            speeds[i] = speed_of(fps, rate)
            taken.add(i)
    return speeds


def _same_reel(of_line: str, of_remark: str) -> bool:
    short = len(of_remark) == 8 and of_line.startswith(of_remark)
    return short or of_remark in ("", of_line)


def _digits(timecode: str) -> str:
    return re.sub(r"[^0-9]", "", timecode)
