"""Forget a speaker or a take: gone from the database and the home, and not learned again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session

from core.errors import InputError, OutputError, UsageError
from core.forgetting import Stretches
from core.privacy import Mark
from core.speech import is_numbered
from db import forget as rows
from db.codec import JSON
from db.corrections import forget_corrections
from db.forget import Holding, Known, Person
from db.holdings import held_files
from db.mend import strike_off
from db.obey import lines_covered, silence, spoken_by, strip_prints, texts_of
from db.privacy import covered, people_called
from db.provenance import record
from flows.known import unknown_take
from flows.workspace import Workspace, activity

_CHUNK = 1 << 20
_SHORTEST_TEXT = 8
_OWN = ("store", "weights", "essence")
_SIBLINGS = ("", "-wal", "-shm", "-journal")
HEARD = (".json", ".flac", ".npy")


@dataclass(frozen=True)
class Asked:
    """What a person wants forgotten: a speaker, of one production where it is named, or a take."""

    speaker: str = ""
    project: str | None = None
    take: str = ""


@dataclass(frozen=True)
class Plan:
    """What would be forgotten, and what outside the home would still hold it.

    people: the speakers meant. takes: name and essence of the takes meant, or spoken in.
    known: lines, words and stretches. store: cleaned takes that go. remains: files that a person
    has to remove, or deliver anew.
    """

    asked: Asked
    people: tuple[Person, ...]
    takes: tuple[tuple[str, str], ...]
    known: Known
    store: tuple[Path, ...]
    remains: tuple[Holding, ...]


@dataclass(frozen=True)
class Done:
    """What was forgotten. removed: files of the home that went, beside what lay in the store."""

    lines: int
    words: int
    takes: int
    store: int
    removed: int
    remains: tuple[Holding, ...]


def plan_forgetting(work: Workspace, asked: Asked) -> Plan:
    """What there is to forget; nothing is changed.

    Raises InputError where nobody has that name or no take is called so, UsageError where
    speakers of several productions share the name and none was chosen.
    """
    with work.database.read() as session:
        if asked.take:
            takes = rows.takes_named(session, asked.take)
            if not takes:
                raise unknown_take(session, asked.take)
            people: tuple[Person, ...] = ()
            known = rows.known_of(session, essences=takes.keys())
            spans: dict[str, Stretches] = {
                essence: ((0, take.frames),) for essence, take in takes.items()
            }
            named = {essence: take.name for essence, take in takes.items()}
        else:
            people = rows.people_named(session, asked.speaker, asked.project)
            _check_one_production(asked, people)
            known = rows.known_of(session, people)
            spans = known.spoken
            named = rows.names_of_takes(session, spans)
        names = [person.name for person in people]
        found = {
            item
            for essence, spoken in spans.items()
            for item in rows.holding(session, essence, spoken, names)
        }
        store = [
            work.store.place(key)
            for essence in (named if asked.take else ())
            for key in rows.cleaned_keys(session, essence)
        ]
    return Plan(
        asked=asked,
        people=people,
        takes=tuple(sorted((name, essence) for essence, name in named.items())),
        known=known,
        store=tuple(path for path in store if work.store.look(path) is not None),
        remains=tuple(sorted((i for i in found if i.path.exists()), key=lambda i: str(i.path))),
    )


def plan_for_takes(work: Workspace, essences: Sequence[str]) -> Plan:
    """The same for takes by the sha256 of their sound, which must be known."""
    with work.database.read() as session:
        named = rows.names_of_takes(session, essences)
        known = rows.known_of(session, essences=essences)
        spans = {essence: ((0, rows.frames_of(session, essence)),) for essence in essences}
        held = (rows.holding(session, essence, spans[essence], ()) for essence in essences)
        found = {item for items in held for item in items}
        keys = [key for essence in essences for key in rows.cleaned_keys(session, essence)]
        store = [work.store.place(key) for key in keys]
    return Plan(
        asked=Asked(take="expired"),
        people=(),
        takes=tuple(sorted((name, essence) for essence, name in named.items())),
        known=known,
        store=tuple(path for path in store if work.store.look(path) is not None),
        remains=tuple(sorted((i for i in found if i.path.exists()), key=lambda i: str(i.path))),
    )


def forget(work: Workspace, plan: Plan, by: str) -> Done:
    """Forget what was planned, make it unreadable, and record that it was done, not what it was.

    Raises OutputError where the database or a file can't be changed; run it again then.
    """
    started = datetime.now(UTC)
    secrets = _secrets(plan)
    with work.database.write() as session:
        if plan.asked.take:
            rows.forget_takes(session, [essence for _, essence in plan.takes], by)
        else:
            rows.forget_people(session, plan.people, by)
        # Another machine may have the same store at another path.
        doomed = {path.parts[-2:] for path in plan.store}
        clean = [item.path for item in held_files(session) if item.kind == "clean"]
        strike_off(session, [path for path in clean if path.parts[-2:] in doomed])
        parameters: dict[str, JSON] = {
            "what": "take" if plan.asked.take else "speaker",
            "lines": plan.known.lines,
            "words": plan.known.words,
            "takes": len(plan.takes),
        }
        done = activity("forget", uuid4().hex, started, parameters)
        record(session, replace(done, agent=by), used=[], generated=[])
    for path in plan.store:
        work.store.remove(path)
    removed = clear_home(work, secrets, everything=bool(plan.asked.take))
    work.database.scrub()
    own = work.settings.home.iterdir()
    notes = (path for path in own if path.is_file() and not _is_database(work, path.name))
    mine = tuple(Holding(path, "file", "own") for path in sorted(notes) if _holds(path, secrets))
    return Done(
        lines=plan.known.lines,
        words=plan.known.words,
        takes=len(plan.takes),
        store=len(plan.store),
        removed=removed,
        remains=(*plan.remains, *mine),
    )


def allow_again(work: Workspace, asked: Asked, by: str) -> int:
    """Let a speaker or a take be learned again; how many takes the next run hears anew.

    Raises InputError where nothing of that name was forgotten.
    """
    started = datetime.now(UTC)
    with work.database.write() as session:
        essences = rows.takes_named(session, asked.take).keys() if asked.take else ()
        freed = rows.allow_again(session, asked.speaker, essences)
        if freed:
            what = "take" if asked.take else "speaker"
            done = activity(
                "forget", uuid4().hex, started, {"what": what, "allowed again": len(freed)}
            )
            record(session, replace(done, agent=by), used=[], generated=[])
    if not freed:
        raise InputError(f"{asked.take or asked.speaker!r} was not forgotten, so all is allowed.")
    clear_home(work, (), everything=False)
    return len(freed)


def kept_of(work: Workspace, project: str, marks: Sequence[Mark], speaker: str = "") -> int:
    """How many lines a production, or a speaker of it, has that its marks would not allow."""
    with work.database.read() as session:
        if speaker:
            return len(texts_of(session, _lines_of(session, project, marks, speaker)))
        essences = rows.against(session, project, marks)
        return rows.known_of(session, essences=essences).lines


def purge_speaker(
    work: Workspace, project: str, marks: Sequence[Mark], by: str, speaker: str
) -> int:
    """Remove the words and voiceprints of a speaker that their marks forbid; how many lines.

    That they spoke, and where, stays; what others said does too.
    """
    started = datetime.now(UTC)
    with work.database.write() as session:
        lines = _lines_of(session, project, marks, speaker)
        texts = texts_of(session, lines)
        silence(session, lines)
        strip_prints(session, covered(session, Mark.NO_VOICE_PROFILE))
        parameters: dict[str, JSON] = {
            "what": "words of a speaker",
            "marks": [mark.value for mark in marks],
            "lines": len(texts),
        }
        done = activity("forget", uuid4().hex, started, parameters)
        record(session, replace(done, agent=by), used=[], generated=[])
    clear_home(work, long_enough(texts), everything=False)
    work.database.scrub()
    return len(texts)


def _lines_of(session: Session, project: str, marks: Sequence[Mark], speaker: str) -> list[int]:
    """The lines of a speaker whose words their marks forbid, by row number."""
    if Mark.NO_TRANSCRIPTION not in marks:
        return []
    numbers = people_called(session, project, speaker)
    lines = lines_covered(session, covered(session, Mark.NO_TRANSCRIPTION))
    return spoken_by(session, lines, numbers)


def purge(work: Workspace, project: str, marks: Sequence[Mark], by: str) -> int:
    """Remove what was heard in a production against its marks; how many lines that was.

    With `no transcription` that is all that was heard in its takes, with `no voice profile` what
    was heard in those whose speakers were told by the voice. The next run hears them again as
    far as the marks allow.
    """
    started = datetime.now(UTC)
    with work.database.write() as session:
        essences = rows.against(session, project, marks)
        known = rows.known_of(session, essences=essences)
        rows.forget_listenings(session, essences)
        if Mark.NO_TRANSCRIPTION in marks:
            forget_corrections(session, essences=essences)
        if Mark.NO_VOICE_PROFILE in marks:
            rows.forget_voices_of(session, project)
        parameters: dict[str, JSON] = {
            "what": "production",
            "marks": [mark.value for mark in marks],
            "lines": known.lines,
            "words": known.words,
            "takes": len(essences),
        }
        done = activity("forget", uuid4().hex, started, parameters)
        record(session, replace(done, agent=by), used=[], generated=[])
    clear_home(work, long_enough(known.texts), everything=False)
    work.database.scrub()
    return known.lines


def clear_home(work: Workspace, secrets: Iterable[bytes], *, everything: bool) -> int:
    """Remove what can be made again and may hold what is forgotten; how many files that was.

    The log, what the cache knows of turns and speech, listening copies, and any file of the home
    that has one of the secrets in its bytes; Prefect's history goes whole where it has.
    everything: the cache's sound as well. Database, store and weights are left alone.
    """
    home, needles = work.settings.home, tuple(secrets)
    doomed: set[Path] = set()
    for path in _files(home):
        inside = path.relative_to(home).parts
        # What lies beside the database, such as roomtone.toml, is a person's own.
        if inside[0] in _OWN or len(inside) == 1:
            continue
        cached = inside[0] == work.cache.name and (everything or path.suffix in HEARD)
        # What `repair` set aside may be the sound of the take.
        cached |= everything and inside[0] == "aside"
        if cached or inside[0] == "log" or _holds(path, needles):
            doomed |= {path.with_name(_base(path.name) + suffix) for suffix in _SIBLINGS}
    gone = [path for path in sorted(doomed) if path.is_file()]
    for path in gone:
        _unlink(path)
    return len(gone)


def _check_one_production(asked: Asked, people: Sequence[Person]) -> None:
    if not people:
        where = f" in {asked.project}" if asked.project else ""
        raise InputError(
            f"No speaker {asked.speaker!r} is known{where}; roomtone lines names them."
        )
    projects = sorted({person.project for person in people})
    if len(projects) > 1:
        raise UsageError(
            f"{asked.speaker} speaks in {' and '.join(projects)}; say which with --project."
        )


def _secrets(plan: Plan) -> tuple[bytes, ...]:
    """What must not be found in the home's files any more."""
    names = [
        person.name
        for person in plan.people
        if len(person.name) >= 3 and not is_numbered(person.name)
    ]
    return (*long_enough(plan.known.texts), *(name.encode() for name in names))


def long_enough(texts: Iterable[str]) -> tuple[bytes, ...]:
    """Texts that say something; `yes` is in too many files to be anybody's."""
    return tuple({text.encode() for text in texts if len(text) >= _SHORTEST_TEXT})


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)


def _is_database(work: Workspace, name: str) -> bool:
    path = work.database.path
    return path is not None and name in {path.name + suffix for suffix in _SIBLINGS}


def _base(name: str) -> str:
    """The name of a database that a file belongs to: its journals go with it."""
    for suffix in _SIBLINGS[1:]:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def _holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether one of these is in a file; a file that can't be read is taken for one that has."""
    if not needles:
        return False
    overlap = max(map(len, needles)) - 1
    try:
        with path.open("rb") as file:
            tail = b""
            while block := file.read(_CHUNK):
                seen = tail + block
                if any(needle in seen for needle in needles):
                    return True
                tail = seen[-overlap:] if overlap else b""
    except OSError:
        return path.is_file()
    return False


def _unlink(path: Path) -> None:
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    except OSError as fault:
        raise OutputError(
            f"{path} can't be removed ({fault.strerror}): close what uses it and run again."
        ) from fault
