"""A person puts tags on takes, and takes them off again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from core.tags import tag_of
from db.codec import JSON
from db.provenance import Use, record
from db.scripts import take_facts
from db.tags import put_tags, tag_counts, tags_of, take_tags_off
from flows.known import takes_named
from flows.workspace import Workspace, activity


@dataclass(frozen=True)
class Tagged:
    """A take and its tags. essence: sha256 of its sound."""

    name: str
    essence: str
    tags: tuple[str, ...]


def tags_known(work: Workspace) -> dict[str, int]:
    """How many takes have each tag that there is, in order."""
    with work.database.read() as session:
        return tag_counts(session)


def named(work: Workspace, takes: Sequence[str]) -> tuple[str, ...]:
    """The sound (its sha256) of all takes that a person names, each once.

    Raises InputError where no take is called so.
    """
    with work.database.read() as session:
        found = [essence for asked in takes for essence in takes_named(session, asked)]
    return tuple(dict.fromkeys(found))


def tagged(work: Workspace, essences: Collection[str]) -> tuple[Tagged, ...]:
    """The tags of takes, by scene, take and name."""
    with work.database.read() as session:
        tags = tags_of(session, essences)
        return tuple(
            Tagged(take.name, take.essence, tags.get(take.essence, ()))
            for take in take_facts(session, essences)
        )


def tag_takes(
    work: Workspace, essences: Collection[str], on: Sequence[str], off: Sequence[str], by: str
) -> tuple[Tagged, ...]:
    """Put tags on takes and take others off, and record who did; the takes as they are now.

    One that is already as asked stays so, and nothing is recorded of it. Raises UsageError for what
    is no tag (see `core.tags`).
    """
    started = datetime.now(UTC)
    wanted, unwanted = ([tag_of(text) for text in texts] for texts in (on, off))
    with work.database.write() as session:
        for take in take_facts(session, essences):
            put = put_tags(session, take.essence, wanted, by)
            gone = take_tags_off(session, take.essence, unwanted)
            if not put and not gone:
                continue
            told: dict[str, JSON] = {
                "take": take.name,
                "essence": take.essence,
                "on": put,
                "off": gone,
            }
            used = [Use(take.sha256, "original")] if take.sha256 else []
            done = replace(activity("tag", uuid4().hex, started, told), agent=by)
            record(session, done, used=used, generated=[])
    return tagged(work, essences)
