"""Finding a line among very many, on either database: by the index, and by reading every line."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.bulk import store_unindexed
from bench.catalogues import Catalogue, postgresql, processor, sqlite
from bench.made_lines import (
    LINES_A_TAKE,
    RATE,
    SEED,
    VOCABULARY,
    made_lines,
    mishear,
    vocabulary,
)
from bench.scratch import scratch_folder
from bench.table import Table, figures, ratio, where
from core.filters import Filters
from db.catalogue import Hit, search
from db.search.find import How
from db.search.index import refresh
from flows.search import AT_ONCE, sound_of, sounds_by

HOWS: tuple[How, ...] = ("words", "fuzzy", "sound", "auto")
WARMING = 10


@dataclass(frozen=True)
class Asked:
    """A kind of query, and what is typed."""

    kind: str
    queries: tuple[str, ...]
    how: How = "words"


def bench_search(lines: int, queries: int, databases: Sequence[str]) -> Table:
    """The table of search. lines: in the database; queries: of each kind.

    databases: `sqlite`, `postgresql` or both. Raises ImportError where no server is installed.
    """
    here = where()
    rng = np.random.default_rng(SEED)
    texts = made_lines(rng, lines)
    spoken = mishear(texts, rng, queries)
    rehearsed = _asked(rng, texts, WARMING)
    asked = _asked(rng, texts, queries)
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    with scratch_folder() as scratch:
        plain = _plainly_stored(scratch / "plain.db", texts)
        for kind in databases:
            opened = sqlite(scratch) if kind == "sqlite" else postgresql()
            with opened as catalogue:
                notes += _filled(catalogue, texts, plain)
                with catalogue.database.read() as session:
                    for each in rehearsed:
                        _row(session, catalogue.name, each)
                    rows += [_row(session, catalogue.name, each) for each in asked]
                    recalled = {how: _recall(session, spoken, how) for how in HOWS}
                notes.append(
                    f"{catalogue.name}: of {len(spoken)} lines of four words or more, misheard in "
                    "30 % of their words and asked for as they were spoken, these shares are among "
                    "the first ten: "
                    + ", ".join(f"{share:.2f} by {how}" for how, share in recalled.items())
                    + "."
                )
    rows.sort(key=lambda row: [each.kind for each in asked].index(row[0]))
    return Table(
        title=f"Search: {lines:,} lines, {sum(map(len, texts)):,} words, {queries} queries a kind",
        columns=(
            "query",
            "database",
            "lines found",
            "p50 ms",
            "p95 ms",
            "CPU p50 ms",
            "CPU p95 ms",
            "scan ms",
            "ratio to scan",
        ),
        rows=tuple(rows),
        notes=(
            *notes,
            f"warm: {WARMING} other queries a kind went before. CPU: of this process and of the "
            "server's that answers it.",
            "scan: LIKE over every line for the query's longest word (median of three queries).",
            "some words: four of which no line has all, so lines with at least half answer.",
            here,
        ),
    )


def _filled(catalogue: Catalogue, texts: Sequence[tuple[str, ...]], plain: float) -> list[str]:
    """Stores all lines and indexes them, and tells what that cost."""
    database = catalogue.database
    store_unindexed(database, texts)
    before = catalogue.size()
    done, spent, started = 0, 0.0, time.perf_counter()
    last = 0
    while done < len(texts):
        with database.write() as session:
            clock = processor(session)
            begun = clock()
            indexed = refresh(session, sound_of, sounds_by(), AT_ONCE, last)
            spent += clock() - begun
        done += len(indexed)
        last = indexed[-1]
    indexing = time.perf_counter() - started
    if database.path is None:
        with database.write() as session:
            # What the server does by itself within a minute or so.
            session.execute(text("ANALYZE"))
    return [
        f"{catalogue.name}: indexed in {figures(indexing)} s ({figures(spent)} s of the processor),"
        f" {figures(1e6 * spent / len(texts))} µs of the processor a line, {ratio(indexing, plain)}"
        " times what plain SQLite needs to store texts and words. The database takes"
        f" {figures(catalogue.size() / 1e6)} MB, {figures(before / 1e6)} MB before it was indexed."
    ]


def _plainly_stored(path: Path, texts: Sequence[tuple[str, ...]]) -> float:
    """Seconds that SQLite needs for the same texts and words, with no index or other columns."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, text TEXT)")
        connection.execute("CREATE TABLE word (line INTEGER, text TEXT, start INTEGER)")
        started = time.perf_counter()
        with connection:
            connection.executemany(
                "INSERT INTO line VALUES (?, ?)", ((i, " ".join(t)) for i, t in enumerate(texts))
            )
            connection.executemany(
                "INSERT INTO word VALUES (?, ?, ?)",
                ((i, word, at) for i, words in enumerate(texts) for at, word in enumerate(words)),
            )
        return time.perf_counter() - started


def _asked(rng: np.random.Generator, texts: Sequence[tuple[str, ...]], count: int) -> list[Asked]:
    """Queries of every kind, from lines that are there."""
    words = vocabulary()
    long = [line for line in texts if len(line) >= 6]
    lines = [long[i] for i in rng.choice(len(long), count)]
    others = [long[i] for i in rng.choice(len(long), count)]
    common, rare = rng.integers(0, 50, count), rng.integers(2_000, VOCABULARY, count)
    return [
        Asked("common word", tuple(words[i] for i in common)),
        Asked("rare word", tuple(words[i] for i in rare)),
        Asked("beginning of a word", tuple(words[i][:4] + "*" for i in rare)),
        Asked("two words, apart", tuple(f"{line[4]} {line[1]}" for line in lines)),
        Asked("phrase of three", tuple(f'"{" ".join(line[1:4])}"' for line in lines)),
        Asked("whole line", tuple(" ".join(line) for line in lines)),
        Asked(
            "typing errors",
            tuple(" ".join(_mistyped(rng, word) for word in line[1:4]) for line in lines),
            "fuzzy",
        ),
        Asked("by sound", tuple(" ".join(line[1:5]) for line in lines), "sound"),
        Asked("as it comes", tuple(" ".join(line[1:5]) for line in lines), "auto"),
        Asked(
            "some words",
            tuple(
                " ".join([*a[1:3], f"{words[i]}xqx", f"{b[1]}xqx"])
                for a, b, i in zip(lines, others, rare, strict=True)
            ),
            "fuzzy",
        ),
        Asked("nothing there", tuple(f"{words[i]}xqx" for i in rare)),
    ]


def _mistyped(rng: np.random.Generator, word: str) -> str:
    """A word of more than four letters with one of them left out, doubled or swapped."""
    if len(word) <= 4:
        return word
    at = int(rng.integers(1, len(word) - 1))
    ways = (
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )
    return ways[int(rng.integers(0, 3))]


def _recall(session: Session, spoken: Mapping[int, tuple[str, ...]], how: How) -> float:
    """Share of the lines found among the first ten for what was spoken."""
    found = 0
    for number, line in spoken.items():
        hits = search(session, " ".join(line), 10, Filters(), sound_of, how)
        # Takes are stored in order, and the lines of a take too.
        where = (number // LINES_A_TAKE, number % LINES_A_TAKE)
        found += where in [_where(hit) for hit in hits]
    return found / len(spoken)


def _where(hit: Hit) -> tuple[int, int]:
    """Take and line as they were counted when they were made."""
    scene, take = int(hit.found.scene) - 1, int(hit.found.take) - 1
    return 8 * scene + take, hit.found.line.start // (5 * RATE)


def _row(session: Session, database: str, asked: Asked) -> tuple[str, ...]:
    clock = processor(session)
    spent, worked, found = [], [], []
    for query in asked.queries:
        started, before = time.perf_counter(), clock()
        hits = search(session, query, 20, Filters(), sound_of, asked.how)
        spent.append(1000 * (time.perf_counter() - started))
        worked.append(1000 * (clock() - before))
        found.append(len(hits))
    scan = float(np.median([_scan(session, max(q.split(), key=len)) for q in asked.queries[:3]]))
    p50, p95 = (float(value) for value in np.percentile(spent, (50, 95)))
    cpu50, cpu95 = (float(value) for value in np.percentile(worked, (50, 95)))
    return (
        asked.kind,
        database,
        figures(float(np.median(found))),
        figures(p50),
        figures(p95),
        figures(cpu50),
        figures(cpu95),
        figures(scan),
        ratio(p50, scan),
    )


def _scan(session: Session, word: str) -> float:
    """Milliseconds to read every line's text for a word."""
    started = time.perf_counter()
    statement = text("SELECT id, text FROM lines WHERE text LIKE :like")
    session.execute(statement, {"like": f"%{word}%"}).all()
    return 1000 * (time.perf_counter() - started)
