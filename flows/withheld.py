"""What may not leave the home: lines that are left out, and sound that is not given out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

from sqlalchemy import select

from core.errors import UsageError
from core.media import MediaFile
from core.privacy import Mark
from core.words import some
from db.catalogue import TakeLine
from db.forget import withheld_stretches
from db.privacy import consents, covered, people_marked, same_project, take_projects
from db.tables import Asset, CutEvent, CutRow, LineRow, Speaker
from flows.privacy import as_written, people_kept, privacy_in, projects_of
from flows.turnover import Turnover
from flows.workspace import Workspace

EVERYBODY = "everybody"
FORGOTTEN = "somebody who was forgotten"


@dataclass(frozen=True)
class Stretch:
    """Samples of a take that may not leave, and whose they are, for people."""

    whose: str
    start: int
    end: int

    def meets(self, start: int, end: int) -> bool:
        """Whether some of it lies in samples start … end."""
        return self.start < end and start < self.end


def leaving(work: Workspace, found: Sequence[TakeLine]) -> tuple[TakeLine, ...]:
    """The lines that may leave the home, in the order given."""
    return tuple(compress(found, may_leave(work, found)))


def may_leave(work: Workspace, found: Sequence[TakeLine]) -> tuple[bool, ...]:
    """For each of the lines whether it may leave the home."""
    with work.database.read() as session:
        kept = covered(session, Mark.NO_EXPORT, everything=work.settings.no_export)
        if not kept:
            return (True,) * len(found)
        projects = take_projects(session, {item.essence for item in found})
    own = {work.settings.project} - {""}
    return tuple(not kept.covers({*own, *projects[item.essence]}, item.speaker) for item in found)


def kept_back(work: Workspace, media: MediaFile) -> Callable[[str], bool]:
    """Tells by the name of a speaker in the catalogue whether their lines in a file must stay."""
    if privacy_in(work, media).no_export:
        return lambda _: True
    with work.database.read() as session:
        people = people_marked(session, Mark.NO_EXPORT, projects_of(work, media))
    names = people.names | people.marks
    return lambda name: same_project(name) in names


def left_out(lines: int, whose: Iterable[str]) -> tuple[str, ...]:
    """That lines were left out, for people; nothing where none were."""
    if not lines:
        return ()
    named = some(sorted({name or EVERYBODY for name in whose}))
    be = "line was" if lines == 1 else "lines were"
    return (f"{lines} {be} left out ({named}): export is not allowed.",)


def held_notes(work: Workspace, files: Iterable[MediaFile]) -> tuple[str, ...]:
    """Whose lines are left out of what is made of files, a sentence where there are some."""
    names: dict[str, None] = {}
    for media in files:
        names |= dict.fromkeys(people_kept(work, media, Mark.NO_EXPORT).marks)
    if not names:
        return ()
    whose = some(as_written(work, names, Mark.NO_EXPORT))
    return (f"Lines of {whose} left out: export is not allowed.",)


def stretches(work: Workspace, essence: str, media: MediaFile | None = None) -> tuple[Stretch, ...]:
    """The samples of a take that may not leave.

    media: its file, where it is at hand. Where somebody who is withheld wears a microphone in the
    take and no line is known to be theirs, what nobody is known to say counts as theirs; where
    nothing was heard in it at all, the whole take does.
    """
    with work.database.read() as session:
        kept = covered(session, Mark.NO_EXPORT, everything=work.settings.no_export)
        gone = [Stretch(FORGOTTEN, *span) for span in withheld_stretches(session, essence)]
        if not kept and media is None:
            return tuple(gone)
        projects = take_projects(session, [essence])[essence] | ({work.settings.project} - {""})
        if kept.covers(projects, None):
            return (Stretch(EVERYBODY, 0, 1 << 62), *gone)
        lines = (
            session.execute(
                select(LineRow.speaker, Speaker.name, LineRow.start_sample, LineRow.end_sample)
                .outerjoin(Speaker, Speaker.id == LineRow.speaker)
                .where(LineRow.essence == essence)
            )
            .tuples()
            .all()
        )
    found = [
        Stretch(name or "", start, end)
        for speaker, name, start, end in lines
        if kept.covers(projects, speaker)
    ]
    if media is not None and not found:
        people = people_kept(work, media, Mark.NO_EXPORT)
        if people:
            whose = some(list(people.marks))
            unknown = [(start, end) for speaker, _, start, end in lines if speaker is None]
            spans = unknown if lines else [(0, media.frames)]
            found = [Stretch(whose, start, end) for start, end in spans]
    return (*found, *gone)


def refuse_withheld_sound(
    work: Workspace, essence: str, start: int, end: int, media: MediaFile | None = None
) -> None:
    """Raise UsageError where samples start … end of a take hold what may not leave."""
    _refuse_sound([item for item in stretches(work, essence, media) if item.meets(start, end)])


def _refuse_sound(held: Sequence[Stretch]) -> None:
    whose = {item.whose or EVERYBODY for item in held}
    if whose:
        raise UsageError(
            f"This sound may not leave: export is not allowed for {some(sorted(whose))}; "
            "roomtone privacy shows who said so."
        )


def refuse_withheld_files(work: Workspace, files: Iterable[MediaFile]) -> None:
    """Raise UsageError for the first file of a production whose sound may not leave at all.

    For before anything is done; what only speakers forbid is known when they were heard.
    """
    for media in files:
        if privacy_in(work, media).no_export:
            raise UsageError(
                f"Nothing of {media.path.name} is delivered: export is not allowed for its "
                f"production{_named(work, media)}; roomtone privacy shows who said so, and notes "
                "when it is allowed."
            )


def refuse_withheld_cut(work: Workspace, turnover: Turnover) -> None:
    """Raise UsageError where a delivery of a cut would hold a voice that may not leave.

    Clips have handles, so these count. A cut is delivered whole or not at all: what is left out
    in silence would be missed on the stage, and what is delivered in part is soon taken for all.
    """
    refuse_withheld_files(work, (link.media for link in turnover.links.values()))
    kept: dict[str, tuple[Stretch, ...]] = {}
    events: dict[str, list[str]] = {}
    for _, event in turnover.cut.sounding():
        link = turnover.links.get(event.id)
        if link is None:
            continue
        media = link.media
        if media.essence not in kept:
            kept[media.essence] = stretches(work, media.essence, media)
        handles = round(work.settings.handles_s * media.sample_rate)
        start, end = turnover.played(event)
        for item in kept[media.essence]:
            if item.meets(start - handles, end + handles):
                events.setdefault(item.whose, []).append(event.id)
    for whose, ids in events.items():
        raise UsageError(
            f"{turnover.path.name} is not delivered: export is not allowed for {whose}, heard in "
            f"{some(list(dict.fromkeys(ids)), 6)} (with handles of "
            f"{work.settings.handles_s:g} s); note the consent with roomtone privacy, or take "
            "these out of the cut."
        )


def refuse_withheld_take(work: Workspace, media: MediaFile) -> None:
    """Raise UsageError where a file as a whole holds a voice that may not leave."""
    refuse_withheld_files(work, [media])
    refuse_withheld_sound(work, media.essence, 0, media.frames, media)


def refuse_withheld_delivery(work: Workspace, digest: str) -> None:
    """Raise UsageError where a cut that is known, by its digest, plays what may not leave."""
    with work.database.read() as session:
        query = (
            select(Asset.essence, CutEvent.source_start, CutEvent.source_end)
            .join(CutRow, CutRow.id == CutEvent.cut)
            .join(Asset, Asset.sha256 == CutEvent.asset)
            .where(CutRow.digest == digest)
        )
        played: dict[str, list[tuple[int, int]]] = {}
        for essence, start, end in session.execute(query).tuples():
            span = (start or 0, (1 << 62) if end is None else end)
            played.setdefault(essence, []).append(span)
    for essence, spans in sorted(played.items()):
        kept = stretches(work, essence)
        for start, end in spans:
            _refuse_sound([item for item in kept if item.meets(start, end)])


def _named(work: Workspace, media: MediaFile) -> str:
    """Which production it is that forbids, in brackets; nothing where the settings do."""
    with work.database.read() as session:
        names = [
            item.project
            for item in consents(session, projects_of(work, media))
            if item.mark is Mark.NO_EXPORT and not item.allowed and not item.speaker
        ]
    return f" ({some(names)})" if names else ""
