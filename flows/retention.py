"""Rules of how long things are kept, and forgetting what has expired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from core.retention import Kept, Rule, age_words
from core.words import counted, some
from db import retention as rows
from db.codec import JSON
from db.forget import names_of_takes
from db.obey import silence, texts_of
from db.provenance import record
from flows.forget import clear_home, forget, long_enough, plan_for_takes
from flows.workspace import Workspace, activity


@dataclass(frozen=True)
class Due:
    """What a rule lets go of now. takes: name and essence. lines, voices: by number."""

    rule: Rule
    takes: tuple[tuple[str, str], ...]
    lines: tuple[int, ...] = ()
    voices: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """What goes, for people."""
        what = {
            Kept.TRANSCRIPTS: f"the words of {counted(len(self.lines), 'line')}",
            Kept.VOICES: counted(len(self.voices), "voiceprint"),
            Kept.TAKES: "all that was heard, and the cleaned sound,",
        }[self.rule.kept]
        where = f" in {some([name for name, _ in self.takes])}" if self.takes else ""
        kept = age_words(self.rule.days)
        return f"{self.rule.project}: {what}{where} ({self.rule.kept} are kept for {kept})"


def set_rules(
    work: Workspace, project: str, asked: Mapping[Kept, int | None], by: str
) -> tuple[str, ...]:
    """Set how long things of a production are kept, in days (None: no end); a sentence each."""
    started = datetime.now(UTC)
    told = []
    with work.database.write() as session:
        for kept, days in asked.items():
            if rows.set_rule(session, project, kept, days, by):
                how_long = "without an end" if days is None else f"for {age_words(days)}"
                told.append(f"{project}: {kept} are kept {how_long} from now on.")
        if told:
            parameters: dict[str, JSON] = {
                "project": project,
                "retention": {kept.value: days for kept, days in asked.items()},
            }
            done = activity("privacy", uuid4().hex, started, parameters)
            record(session, replace(done, agent=by), used=[], generated=[])
    return tuple(told)


def rules_in_force(work: Workspace) -> tuple[Rule, ...]:
    """All rules, by production."""
    with work.database.read() as session:
        return rows.rules(session)


def due(work: Workspace, at: datetime) -> tuple[Due, ...]:
    """What has expired at a moment, by the times that the database has."""
    found = []
    with work.database.read() as session:
        for rule in rows.rules(session):
            if rule.kept is Kept.TRANSCRIPTS:
                lines = rows.expired_transcripts(session, rule, at)
                numbers = tuple(line for some_ in lines.values() for line in some_)
                item = Due(rule, _named(names_of_takes(session, lines)), lines=numbers)
            elif rule.kept is Kept.VOICES:
                item = Due(rule, (), voices=tuple(rows.expired_voices(session, rule, at)))
            else:
                takes = rows.expired_takes(session, rule, at)
                item = Due(rule, _named(names_of_takes(session, takes)))
            if item.takes or item.voices:
                found.append(item)
    return tuple(found)


def apply_retention(work: Workspace, at: datetime, by: str) -> tuple[str, ...]:
    """Forget what has expired, for good, and record it; a sentence for each rule that did."""
    told = []
    for item in due(work, at):
        still = ""
        if item.rule.kept is Kept.TAKES:
            done = forget(work, plan_for_takes(work, [essence for _, essence in item.takes]), by)
            _record(work, item, by)
            if done.remains:
                files = counted(len(done.remains), "delivered file")
                still = f"; {files} still hold them, which forget --take NAME --dry-run lists"
        else:
            _forget_learned(work, item, by)
        told.append(f"Expired and forgotten: {item.words}{still}.")
    return tuple(told)


def _forget_learned(work: Workspace, item: Due, by: str) -> None:
    with work.database.write() as session:
        texts = texts_of(session, item.lines)
        silence(session, item.lines)
        rows.strip_voices(session, item.voices)
    _record(work, item, by)
    clear_home(work, long_enough(texts), everything=False)
    work.database.scrub()


def _record(work: Workspace, item: Due, by: str) -> None:
    parameters: dict[str, JSON] = {
        "what": "retention",
        "of": item.rule.kept.value,
        "project": item.rule.project,
        "days": item.rule.days,
        "takes": [name for name, _ in item.takes],
        "lines": len(item.lines),
        "voices": len(item.voices),
    }
    done = activity("forget", uuid4().hex, datetime.now(UTC), parameters)
    with work.database.write() as session:
        record(session, replace(done, agent=by), used=[], generated=[])


def _named(names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, essence) for essence, name in names.items()))
