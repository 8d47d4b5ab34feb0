"""Forgetting: a speaker's lines or all that was heard in a take, and that it is not learned again.

What is deleted here can still lie in the bytes of the file: `Database.scrub` makes it unreadable.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from core.forgetting import Stretches, Tombstone, joined, without
from core.privacy import Mark
from core.speech import is_numbered
from db.catalogue import delete_lines, delete_listenings
from db.chunks import chunks
from db.codec import now, storable
from db.corrections import corrections_about, forget_corrections
from db.events import forget_events
from db.names import same_name
from db.privacy import covered, forget_consents, same_project
from db.review import forget_reviewed
from db.runs import redact_runs
from db.scripts import forget_marks
from db.speakers import forget_decisions
from db.tables import (
    Activity,
    Forgotten,
    ForgottenStretch,
    Generated,
    LineRow,
    Listening,
    Location,
    Media,
    Speaker,
    SpeakerDecisionRow,
    Take,
    Used,
    VoiceRow,
    WordRow,
)
from db.tags import forget_tags
from db.takes import is_take
from db.voices import forget_voices

REDACTED = "(forgotten)"
_ROUNDS = 50_000


@dataclass(frozen=True)
class Person:
    """A speaker's row. project: the production that knows them by this name."""

    id: int
    name: str
    project: str


@dataclass(frozen=True)
class Known:
    """What is known of somebody or something, before it is forgotten.

    spoken: by essence, the stretches of their lines. texts: of the lines, so that copies of them
    can be looked for; never to be stored.
    """

    lines: int
    words: int
    spoken: dict[str, Stretches]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Holding:
    """A file that still holds sound of a stretch. kind, role: as in provenance."""

    path: Path
    kind: str
    role: str


def people_named(session: Session, name: str, project: str | None) -> tuple[Person, ...]:
    """The speakers of that name, in either case of letters; of one production where it is named."""
    rows = session.scalars(select(Speaker).where(same_name(Speaker.name, name)))
    return tuple(
        Person(row.id, row.name, row.project)
        for row in rows
        if project is None or same_project(row.project) == same_project(project)
    )


def takes_named(session: Session, name: str) -> dict[str, Take]:
    """The takes that a person names, by essence."""
    return {row.essence: row for row in session.scalars(select(Take).where(is_take(name)))}


def known_of(
    session: Session, people: Collection[Person] = (), essences: Collection[str] = ()
) -> Known:
    """What is known of speakers, or in takes."""
    rows = session.execute(
        select(LineRow.id, LineRow.essence, LineRow.start_sample, LineRow.end_sample, LineRow.text)
        .where(
            or_(
                LineRow.speaker.in_([person.id for person in people]),
                LineRow.essence.in_(list(essences)),
            )
        )
        .order_by(LineRow.essence, LineRow.start_sample)
    ).all()
    words = 0
    for some in chunks(row.id for row in rows):
        counted = select(func.count()).where(WordRow.line.in_(some))
        words += session.scalars(counted).one()
    spoken: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        spoken.setdefault(row.essence, []).append((row.start_sample, row.end_sample))
    return Known(
        lines=len(rows),
        words=words,
        spoken={essence: tuple(spans) for essence, spans in spoken.items()},
        texts=(
            *(row.text for row in rows if row.text),
            *corrections_about(session, [row.id for row in rows]).values(),
        ),
    )


def forget_people(session: Session, people: Sequence[Person], by: str) -> None:
    """Deletes speakers with their lines and voices, and remembers what not to learn again."""
    numbers = [person.id for person in people]
    mine = session.scalars(select(LineRow).where(LineRow.speaker.in_(numbers))).all()
    names = _names(session, numbers) | {row.heard_as for row in mine}
    spans: dict[str, list[tuple[int, int]]] = {}
    for row in mine:
        spans.setdefault(row.essence, []).append((row.start_sample, row.end_sample))
    # Numbers are given anew by every listening: who is only numbered is known by the stretches.
    said = sorted(name for name in names if name and not is_numbered(name))
    held = not covered(session, Mark.NO_EXPORT).people.keys().isdisjoint(numbers)
    for name in said or [secrets.token_hex(16)]:
        stone = _stone(session, name, by, no_export=held)
        for essence, spoken in spans.items():
            others = session.execute(
                select(LineRow.start_sample, LineRow.end_sample).where(
                    LineRow.essence == essence,
                    or_(LineRow.speaker.is_(None), LineRow.speaker.not_in(numbers)),
                )
            ).tuples()
            alone = set(without(spoken, others))
            session.add_all(
                ForgottenStretch(
                    forgotten=stone,
                    essence=essence,
                    start_sample=start,
                    end_sample=end,
                    alone=(start, end) in alone,
                )
                for start, end in sorted({*spoken, *alone})
            )
            forget_events(session, essence, "lines")
    forget_corrections(session, corrections_about(session, [row.id for row in mine]))
    delete_lines(session, [row.id for row in mine])
    forget_voices(session, speakers=numbers)
    forget_marks(session, characters=said)
    session.execute(delete(Speaker).where(Speaker.id.in_(numbers)))
    if said:
        naming = _naming(said)
        forget_tags(session, naming=naming)
        forget_consents(session, said, {person.project for person in people}, naming)
        _redact(session, naming)


def forget_takes(session: Session, essences: Collection[str], by: str) -> None:
    """Deletes all that was heard in takes, and remembers that they are not to be heard again."""
    stone = _stone(session, "", by)
    heard = select(LineRow.speaker).where(LineRow.speaker.is_not(None))
    speakers = session.scalars(heard.where(LineRow.essence.in_(list(essences))).distinct()).all()
    for essence in essences:
        take = session.get_one(Take, essence)
        session.add(
            ForgottenStretch(
                forgotten=stone,
                essence=essence,
                start_sample=0,
                end_sample=max(1, take.frames),
                alone=True,
            )
        )
        forget_corrections(session, essences=[essence])
        forget_listenings(session, [essence])
        forget_events(session, essence)
    forget_voices(session, essences=list(essences))
    forget_marks(session, essences=essences)
    forget_reviewed(session, essences)
    forget_tags(session, essences)
    # Who was heard in these takes only is forgotten with them.
    known = {*session.scalars(heard), *session.scalars(select(VoiceRow.speaker))}
    unheard = {number for number in speakers if number is not None and number not in known}
    forget_decisions(session, sorted(unheard), ())
    session.execute(delete(Speaker).where(Speaker.id.in_(unheard)))


def forget_listenings(session: Session, essences: Collection[str]) -> None:
    """Deletes what was heard in takes; the next run hears them again, as far as it may."""
    heard = session.scalars(select(Listening.id).where(Listening.essence.in_(list(essences)))).all()
    delete_listenings(session, heard)
    for essence in essences:
        forget_events(session, essence, "lines")


def forget_voices_of(session: Session, project: str) -> None:
    """Removes the voices of a production and what people decided about them."""
    key = same_project(project)
    for name in session.scalars(select(VoiceRow.project).distinct()).all():
        if same_project(name) == key:
            forget_voices(session, project=name)


def tombstones(session: Session, essence: str) -> tuple[Tombstone, ...]:
    """Who was forgotten in a take, and where."""
    rows = session.execute(
        select(ForgottenStretch, Forgotten)
        .join(Forgotten, Forgotten.id == ForgottenStretch.forgotten)
        .where(ForgottenStretch.essence == essence)
        .order_by(ForgottenStretch.forgotten, ForgottenStretch.start_sample)
    ).all()
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for stretch, stone in rows:
        of = spans.setdefault((stone.salt, stone.token), [])
        if stretch.alone:
            of.append((stretch.start_sample, stretch.end_sample))
    return tuple(
        Tombstone(tuple(alone), partial(_is_token, salt=salt, token=token))
        for (salt, token), alone in spans.items()
    )


def withheld_stretches(session: Session, essence: str) -> Stretches:
    """Where somebody speaks who was forgotten and whose voice was not to leave the home."""
    query = (
        select(ForgottenStretch.start_sample, ForgottenStretch.end_sample)
        .join(Forgotten, Forgotten.id == ForgottenStretch.forgotten)
        .where(ForgottenStretch.essence == essence, Forgotten.no_export)
    )
    return joined(session.execute(query).tuples())


def is_forgotten(session: Session, essence: str) -> bool:
    """Whether a take as a whole was forgotten."""
    query = (
        select(Forgotten.id)
        .join(ForgottenStretch, ForgottenStretch.forgotten == Forgotten.id)
        .where(ForgottenStretch.essence == essence, Forgotten.token == "")
    )
    return session.scalars(query).first() is not None


def allow_again(session: Session, name: str = "", essences: Collection[str] = ()) -> list[str]:
    """Lets a speaker or takes be learned again; the essences that the next run hears anew."""
    freed: list[str] = []
    for stone in session.scalars(select(Forgotten)).all():
        of = select(ForgottenStretch).where(ForgottenStretch.forgotten == stone.id)
        rows = session.scalars(of).all()
        if stone.token:
            meant = rows if name and _is_token(name, stone.salt, stone.token) else []
        else:
            meant = [row for row in rows if row.essence in essences]
        for row in meant:
            freed.append(row.essence)
            session.delete(row)
        session.flush()
        if meant and session.scalars(of).first() is None:
            session.delete(stone)
    listed = sorted(set(freed))
    forget_listenings(session, listed)
    return listed


def essences_of(session: Session, project: str) -> tuple[str, ...]:
    """The takes of a production: those its recorder marked, and those its speakers speak in."""
    key = same_project(project)
    own = session.execute(select(Take.essence, Take.project)).tuples()
    spoken = session.execute(
        select(LineRow.essence, Speaker.project)
        .join(Speaker, Speaker.id == LineRow.speaker)
        .distinct()
    ).tuples()
    return tuple(sorted({essence for essence, of in (*own, *spoken) if same_project(of) == key}))


def frames_of(session: Session, essence: str) -> int:
    """How many samples a take has in each channel."""
    return session.get_one(Take, essence).frames


def names_of_takes(session: Session, essences: Collection[str]) -> dict[str, str]:
    """The name of each take, by essence."""
    return {essence: session.get_one(Take, essence).name for essence in essences}


def against(session: Session, project: str, marks: Collection[Mark]) -> tuple[str, ...]:
    """The takes of a production in which something was heard that its marks forbid."""
    essences = essences_of(session, project)
    if Mark.NO_TRANSCRIPTION in marks:
        return essences
    return told_by_voice(session, essences) if Mark.NO_VOICE_PROFILE in marks else ()


def told_by_voice(session: Session, essences: Collection[str]) -> tuple[str, ...]:
    """Those of the takes whose speakers were told by their voices."""
    rows = session.execute(
        select(Listening.essence, Activity.parameters)
        .join(Activity, (Activity.kind == "listen") & (Activity.key == Listening.key))
        .where(Listening.essence.in_(list(essences)))
    ).tuples()
    return tuple(
        sorted(
            {
                essence
                for essence, parameters in rows
                if "voice" in str(parameters.get("speakers", ""))
            }
        )
    )


def cleaned_keys(session: Session, essence: str) -> tuple[str, ...]:
    """The keys under which cleaned sound of a take was stored."""
    query = (
        select(Activity.key)
        .join(Used, Used.activity == Activity.id)
        .where(Activity.kind == "clean", Used.asset.in_(_originals(session, essence)))
        .distinct()
        .order_by(Activity.key)
    )
    return tuple(session.scalars(query))


def holding(
    session: Session, essence: str, spans: Stretches, names: Collection[str]
) -> tuple[Holding, ...]:
    """The delivered files that were made from one of these stretches of a take.

    names: of the people that are meant: a stem of another character does not hold them. A file
    that used the take with no stretch named counts.
    """
    assets = [*_originals(session, essence), *_clean_assets(session, essence)]
    rows = session.execute(
        select(Used.activity, Used.start_sample, Used.end_sample, Activity.parameters)
        .join(Activity, Activity.id == Used.activity)
        .where(Used.asset.in_(assets), Activity.kind == "render")
    ).tuples()
    made = set()
    for activity, start, end, parameters in rows:
        character = str(parameters.get("character") or "").casefold()
        if names and character and character not in {name.casefold() for name in names}:
            continue
        if start is None or end is None or any(start < high and end > low for low, high in spans):
            made.add(activity)
    found: set[Holding] = set()
    for activity in sorted(made):
        files = session.execute(
            select(Location.path, Generated.role)
            .join(Generated, Generated.asset == Location.asset)
            .where(Generated.activity == activity)
        ).tuples()
        found |= {Holding(path, "file", role) for path, role in files}
    return tuple(sorted(found, key=lambda item: str(item.path)))


def _originals(session: Session, essence: str) -> list[str]:
    return list(session.scalars(select(Media.sha256).where(Media.essence == essence)))


def _clean_assets(session: Session, essence: str) -> list[str]:
    query = (
        select(Generated.asset)
        .join(Activity, Activity.id == Generated.activity)
        .join(Used, Used.activity == Activity.id)
        .where(Activity.kind == "clean", Used.asset.in_(_originals(session, essence)))
    )
    return list(session.scalars(query))


def _stone(session: Session, name: str, by: str, *, no_export: bool = False) -> int:
    salt = secrets.token_hex(16) if name else ""
    token = _token(name, salt) if name else ""
    row = Forgotten(salt=salt, token=token, by=by, created=now(), no_export=no_export)
    session.add(row)
    session.flush()
    return row.id


@lru_cache(maxsize=4096)
def _token(name: str, salt: str) -> str:
    plain = " ".join(storable(name).split()).casefold()
    return hashlib.pbkdf2_hmac("sha256", plain.encode(), bytes.fromhex(salt), _ROUNDS).hex()


def _is_token(name: str, salt: str, token: str) -> bool:
    return bool(token) and secrets.compare_digest(_token(name, salt), token)


def _names(session: Session, numbers: Collection[int]) -> set[str]:
    """All names that speakers have had, in the catalogue or as they were heard."""
    found: set[str] = set()
    for row in session.scalars(select(Speaker).where(Speaker.id.in_(numbers))):
        found |= {row.name, row.heard_as}
    labels = select(VoiceRow.label).where(VoiceRow.speaker.in_(numbers))
    decided = select(SpeakerDecisionRow.name).where(SpeakerDecisionRow.speaker.in_(numbers))
    return found | {*session.scalars(labels), *session.scalars(decided)}


def _naming(names: Collection[str]) -> re.Pattern[str]:
    """Finds any of some names as words of their own, in either case of letters."""
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)


def _redact(session: Session, pattern: re.Pattern[str]) -> None:
    """Takes names out of what is recorded of other work than the making of files.

    The files of a delivery carry the names themselves; they are listed to the person instead.
    """
    for row in session.scalars(select(Activity).where(Activity.kind != "render")):
        clean = _redacted(row.parameters, pattern)
        if clean != row.parameters:
            row.parameters = clean
        if pattern.search(row.agent):
            row.agent = pattern.sub(REDACTED, row.agent)
    redact_runs(session, partial(_redacted, names=pattern))


def _redacted(value: Any, names: re.Pattern[str]) -> Any:
    if isinstance(value, dict):
        return {key: _redacted(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, names) for item in value]
    return names.sub(REDACTED, value) if isinstance(value, str) else value
