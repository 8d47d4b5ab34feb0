"""Every spoken line: what was heard in each take, and finding it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from core.filters import Filters
from core.query import tokens
from core.speech import Line, Word
from core.time import FrameRate
from db.chunks import among, chunks
from db.codec import JSON, cleaned, now, plain, rate_from_text
from db.corrections import corrected_lines
from db.lines import line_of, words_of
from db.search.analysis import Sound
from db.search.closeness import Closeness
from db.search.find import Found, How, find
from db.search.index import add_lines, remove_lines
from db.speakers import speaker_row
from db.tables import LineRow, Listening, Speaker, Take, WordRow
from db.takes import is_take, latest_paths, natural


@dataclass(frozen=True)
class TakeLine:
    """A line and the take it was spoken in.

    name: of the take (its file's stem). essence: sha256 of its sound. path: where a file with
    that sound was last seen, or None. time_reference: samples since midnight of the first sample
    at sample_rate Hz, or None; the line's own positions count from the first sample. number: of the
    line in the catalogue, until the take is heard anew. speaker: number of who speaks it.
    """

    name: str
    scene: str
    take: str
    tape: str
    essence: str
    path: Path | None
    sample_rate: int
    time_reference: int | None
    timecode_rate: FrameRate | None
    line: Line
    number: int = field(default=0, compare=False)
    speaker: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Hit:
    """A line that a search found.

    marked: the line's text in runs of whole words; True: the run was asked for.
    word: index into line.words of the first word that was asked for. start: its source sample.
    how: in what way the line holds what was asked for. likeness: 0 to 1, how much of it is there.
    as_heard: a person corrected the line, and it is the words as heard that were found: marked and
    word are about these.
    """

    found: TakeLine
    marked: tuple[tuple[str, bool], ...]
    word: int
    start: int
    how: Closeness
    likeness: float
    as_heard: bool = False


def store_listening(
    session: Session,
    essence: str,
    key: str,
    engine: str,
    draft: bool,
    card: Mapping[str, JSON] | None,
    language: str,
    lines: Sequence[Line],
    project: str,
    sound: Sound | None = None,
    sounds_by: str = "",
) -> bool:
    """Remembers what an engine heard in a take, in place of what was heard before.

    Gives whether these are the take's lines now.

    key: names the work (sound, engine, options). draft: made by a stand-in. A draft replaces a
    draft only: next to a real listening it is noted, without lines. project: whose speakers
    these are. A listening without an engine wrote no words down, so a draft replaces it as well.
    sound: how words sound, so that lines are found by it; sounds_by: names what says so.
    Raises ValueError for a take that is not remembered.
    """
    if session.get(Take, essence) is None:
        raise ValueError(f"Take {essence} is not remembered.")
    others = Listening.key != key
    better = select(Listening.id).where(
        Listening.essence == essence, ~Listening.draft, Listening.engine != "", others
    )
    outranked = draft and session.scalars(better.limit(1)).first() is not None
    replaced = select(Listening.id).where(Listening.essence == essence)
    if outranked:
        replaced = replaced.where(or_(Listening.draft, Listening.engine == ""))
    delete_listenings(session, session.scalars(replaced).all())
    listening = Listening(
        essence=essence,
        key=key,
        engine=engine,
        draft=draft,
        card=plain(card),
        language=language,
        created=now(),
    )
    session.add(listening)
    session.flush()
    if not outranked:
        rows = _store_lines(session, listening, lines, project)
        add_lines(session, rows, sound, sounds_by)
    return not outranked


def listened(session: Session, essence: str, key: str) -> bool:
    """Whether this work on this take is done, and was not replaced by other work since."""
    query = select(Listening.id).where(Listening.essence == essence, Listening.key == key)
    return session.scalars(query).first() is not None


def listening_keys(session: Session, essence: str) -> frozenset[str]:
    """The keys of all that is known to have listened to a sound."""
    query = select(Listening.key).where(Listening.essence == essence)
    return frozenset(session.scalars(query))


def lines_of(
    session: Session, take: str | None = None, essence: str | None = None
) -> tuple[TakeLine, ...]:
    """The lines of a take, or of all, by scene, take and start.

    take: its file's name with or without suffix (`12A-T03.wav`), or scene and take (`12a-3`,
    `12A T03`), in either case of letters; several takes may answer. essence: sha256 of its sound.
    Lines have the words that people gave them.
    """
    query = select(LineRow.id).join(Take, Take.essence == LineRow.essence)
    if take is not None:
        query = query.where(is_take(take))
    if essence is not None:
        query = query.where(LineRow.essence == essence)
    return tuple(sorted(_take_lines(session, session.scalars(query).all()).values(), key=_order))


def line_numbered(session: Session, number: int) -> TakeLine | None:
    """The line of that number in the catalogue; None where there is none (any more)."""
    return _take_lines(session, [number]).get(number)


def search(
    session: Session,
    text: str,
    limit: int = 50,
    filters: Filters = Filters(),
    sound: Sound | None = None,
    how: How = "auto",
) -> tuple[Hit, ...]:
    """Lines in which something was said, the closest first; see `db.search.find`.

    Any text is a valid query; one without a word finds nothing.
    """
    found = find(session, text, limit, filters, sound, how)
    lines = _take_lines(session, [item.line for item in found])
    return tuple(_hit(lines[item.line], item) for item in found)


def delete_listenings(session: Session, listenings: Sequence[int]) -> None:
    """Deletes listenings, by their row numbers, with their lines and words."""
    for some in chunks(listenings):
        lines = session.scalars(select(LineRow.id).where(LineRow.listening.in_(some))).all()
        delete_lines(session, lines)
        session.execute(delete(Listening).where(Listening.id.in_(some)))


def delete_lines(session: Session, lines: Sequence[int]) -> None:
    """Deletes lines, by their row numbers, with their words and all that is indexed of them."""
    remove_lines(session, lines)
    for some in chunks(lines):
        session.execute(delete(WordRow).where(WordRow.line.in_(some)))
        session.execute(delete(LineRow).where(LineRow.id.in_(some)))


def _store_lines(
    session: Session, listening: Listening, lines: Sequence[Line], project: str
) -> list[LineRow]:
    speakers = {name: speaker_row(session, project, name) for name in {x.speaker for x in lines}}
    rows = [
        LineRow(
            essence=listening.essence,
            listening=listening.id,
            speaker=speakers[line.speaker],
            position=position,
            start_sample=line.start,
            end_sample=line.end,
            text=" ".join(cleaned(word.text) for word in line.words),
            confidence=line.confidence,
            draft=line.draft,
            engine=line.engine,
            language=line.language,
            heard_in=line.heard_in,
            heard_as=line.speaker,
            overlap=line.overlap,
        )
        for position, line in enumerate(lines)
    ]
    session.add_all(rows)
    session.flush()
    words = [
        {
            "line": row.id,
            "position": position,
            "text": cleaned(word.text),
            "start_sample": word.start,
            "end_sample": word.end,
            "confidence": word.confidence,
        }
        for row, line in zip(rows, lines, strict=True)
        for position, word in enumerate(line.words)
    ]
    if words:
        session.execute(insert(WordRow), words)
    return rows


def in_order(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Hits by scene, take and start."""
    return tuple(sorted(hits, key=lambda hit: _order(hit.found)))


def _order(found: TakeLine) -> tuple[object, ...]:
    return (
        natural(found.scene),
        natural(found.take),
        natural(found.name),
        found.essence,
        found.line.start,
    )


def _take_lines(session: Session, ids: Iterable[int]) -> dict[int, TakeLine]:
    """The lines of these row numbers with their words and takes."""
    found = {}
    for some in chunks(ids):
        words = words_of(session, some)
        joined = (
            select(LineRow, Take, Speaker.name)
            .join(Take, Take.essence == LineRow.essence)
            .outerjoin(Speaker, Speaker.id == LineRow.speaker)
            .where(among(session, LineRow.id, some))
        )
        answers = session.execute(joined).all()
        essences = {take.essence for _, take, _ in answers}
        paths = latest_paths(session, essences)
        corrected = corrected_lines(session, essences)
        for row, take, speaker in answers:
            line = corrected.get(row.id) or line_of(row, speaker or "", words.get(row.id, ()))
            found[row.id] = TakeLine(
                name=take.name,
                scene=take.scene,
                take=take.take,
                tape=take.tape,
                essence=take.essence,
                path=paths.get(take.essence),
                sample_rate=take.sample_rate,
                time_reference=take.time_reference,
                timecode_rate=rate_from_text(take.timecode_rate),
                line=line,
                number=row.id,
                speaker=row.speaker,
            )
    return found


def _hit(found: TakeLine, item: Found) -> Hit:
    words = found.line.as_heard.words if item.as_heard else found.line.words
    asked = _asked(words, item.marks)
    runs = []
    for marked, group in groupby(enumerate(words), key=lambda pair: asked[pair[0]]):
        runs.append((" ".join(word.text for _, word in group), marked))
    first = asked.index(True) if True in asked else 0
    start = words[first].start if words else found.line.start
    return Hit(found, _spaced(runs), first, start, item.how, item.likeness, item.as_heard)


def _asked(words: Sequence[Word], marks: Sequence[bool]) -> list[bool]:
    """For each word, whether one of its tokens is marked."""
    asked = []
    at = 0
    for word in words:
        end = at + len(tokens(word.text))
        asked.append(any(marks[at:end]))
        at = end
    return asked


def _spaced(runs: Sequence[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    """The runs with the space between two of them in the one that was not asked for."""
    spaced = []
    for number, (text, marked) in enumerate(runs):
        before = " " if number > 0 and not marked else ""
        after = " " if number < len(runs) - 1 and not marked else ""
        spaced.append((before + text + after, marked))
    return tuple(spaced)
