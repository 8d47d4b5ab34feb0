"""Storing very many lines at once, as they would lie if each take had been heard by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.made_lines import RATE, take_of, takes_of
from core.speech import Line
from db.codec import now
from db.engine import Database
from db.speakers import speaker_row

_TAKES_AT_ONCE = 200
_ROWS = {
    "takes": "essence, name, scene, take, tape, project, sample_rate, frames",
    "listenings": "id, essence, key, engine, draft, language, created",
    "lines": (
        "id, essence, listening, speaker, position, start_sample, end_sample, text, confidence,"
        " draft, engine, language, heard_as"
    ),
    "words": "line, position, text, start_sample, end_sample, confidence",
    "line_search": "line, version, sounds_by, words, stems, sounds",
}

Rows = list[tuple[Any, ...]]


def store_unindexed(database: Database, texts: Sequence[tuple[str, ...]]) -> None:
    """Stores lines in an empty database, none of them indexed yet."""
    takes = enumerate(takes_of(texts))
    first = 1
    while some := list(islice(takes, _TAKES_AT_ONCE)):
        with database.write() as session:
            for table, rows in _rows(session, some, first):
                _put(session, table, rows)
        first += sum(len(lines) for _, lines in some)
    if database.path is None:
        with database.write() as session:
            session.execute(text(f"SELECT setval('lines_id_seq', {first})"))
            session.execute(text(f"SELECT setval('listenings_id_seq', {first})"))


def _rows(
    session: Session, takes: Sequence[tuple[int, list[Line]]], first: int
) -> Iterator[tuple[str, Rows]]:
    """The rows of some takes by table. first: row number of the first line."""
    if session.get_bind().dialect.name == "postgresql":
        # Else the server looks for the line of each of eight million words.
        session.execute(text("SET LOCAL session_replication_role = replica"))
    names = {line.speaker for _, spoken in takes for line in spoken}
    speakers = {name: speaker_row(session, "BENCH", name) for name in sorted(names)}
    moment = now().isoformat(timespec="microseconds")
    recorded: Rows = []
    heard: Rows = []
    lines: Rows = []
    words: Rows = []
    for number, spoken in takes:
        take = take_of(number)
        recorded.append(
            (take.essence, take.name, take.scene, take.take, "", "BENCH", RATE, take.frames)
        )
        heard.append((number + 1, take.essence, "bench", "bench", False, "en", moment))
        for position, line in enumerate(spoken):
            row = first + len(lines)
            speaker = speakers[line.speaker]
            lines.append(
                (
                    *(row, take.essence, number + 1, speaker, position, line.start, line.end),
                    *(line.text, 1.0, False, "bench", "en", line.speaker),
                )
            )
            words += [
                (row, place, word.text, word.start, word.end, 1.0)
                for place, word in enumerate(line.words)
            ]
    yield "takes", recorded
    yield "listenings", heard
    yield "lines", lines
    yield "words", words
    yield "line_search", [(row[0], 0, "", "", "", "") for row in lines]


def _put(session: Session, table: str, rows: Rows) -> None:
    """Inserts rows by the quickest way that the driver has."""
    connection = session.connection()
    columns = _ROWS[table]
    if connection.dialect.name == "postgresql":
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        places = ", ".join("?" for _ in columns.split(","))
        connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)
