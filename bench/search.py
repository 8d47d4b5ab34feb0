"""Finding a line among a hundred thousand: by the index, and by reading every line."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.misheard import Mishearer
from bench.scratch import scratch_folder
from bench.table import MISSING, Table, figures, ratio, where
from core.media import MediaFile, SoundNotes
from core.speech import Line, Word
from db.catalogue import Hit, search, store_listening
from db.engine import open_database
from db.memory import remember_media
from db.search.filters import Filters
from db.search.find import How
from flows.search import sound_of, sounds_by
from models.speech.pronunciation import english_dictionary

RATE = 48_000
LINES_A_TAKE = 50
VOCABULARY = 20_000
SYLLABLES = ("ba", "de", "fi", "go", "ha", "jo", "ka", "li", "mo", "nu", "pe", "ra", "so", "ti")
SEED = 1


@dataclass(frozen=True)
class Asked:
    """A kind of query, and what is typed."""

    kind: str
    queries: tuple[str, ...]
    how: How = "words"


def bench_search(lines: int, queries: int) -> Table:
    """The table of search. lines: in the database; queries: of each kind."""
    here = where()
    rng = np.random.default_rng(SEED)
    texts = made_lines(rng, lines)
    spoken = _mishear(texts, rng, queries)
    with scratch_folder() as scratch:
        database = open_database(scratch / "roomtone.db")
        started = time.perf_counter()
        for number, take in enumerate(_takes(texts)):
            with database.write() as session:
                media = _media(scratch, number)
                remember_media(session, media)
                store_listening(
                    session,
                    media.essence,
                    "bench",
                    "bench",
                    False,
                    None,
                    "en",
                    take,
                    "BENCH",
                    sound_of,
                    sounds_by(),
                )
        indexing = time.perf_counter() - started
        size = (scratch / "roomtone.db").stat().st_size
        plain = _plainly_stored(scratch / "plain.db", texts)
        with database.read() as session:
            rows = [_row(session, asked) for asked in _asked(rng, texts, queries)]
            recalled = {
                how: _recall(session, spoken, how) for how in ("words", "fuzzy", "sound", "auto")
            }
        database.close()
    return Table(
        title=f"Search: {lines:,} lines, {sum(map(len, texts)):,} words, {queries} queries a kind",
        columns=("query", "lines found", "p50 ms", "p95 ms", "scan p50 ms", "ratio to scan"),
        rows=tuple(rows),
        notes=(
            f"Indexed in {figures(indexing)} s ({figures(lines / indexing)} lines a second), "
            f"{ratio(indexing, plain)} times what plain SQLite needs to store texts and words; "
            f"the database takes {figures(size / 1e6)} MB.",
            f"Of {len(spoken)} lines of four words or more, misheard in 30 % of their words and "
            "asked for as they were spoken, these shares are among the first ten: "
            + ", ".join(f"{share:.2f} by {how}" for how, share in recalled.items())
            + ".",
            "scan: LIKE over every line for the query's longest word (first 10 queries).",
            "some words: four of which no line has all, so lines with at least half answer.",
            here,
        ),
    )


def made_lines(rng: np.random.Generator, count: int) -> list[tuple[str, ...]]:
    """Lines of 1 to 15 made-up words, which are as unevenly frequent as those of a language."""
    words = _vocabulary()
    share = 1 / np.arange(1, len(words) + 1)
    lengths = rng.integers(1, 16, count)
    chosen: NDArray[np.int64] = rng.choice(len(words), int(lengths.sum()), p=share / share.sum())
    ends = np.cumsum(lengths)
    return [
        tuple(words[at] for at in chosen[end - length : end])
        for end, length in zip(ends, lengths, strict=True)
    ]


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[str, ...]:
    """Distinct English words, the commonest first and short; made-up ones without a dictionary."""
    known = [word for word in english_dictionary() if word.isascii() and word.isalpha()]
    if len(known) >= VOCABULARY:
        chosen = np.random.default_rng(SEED).permutation(len(known))[:VOCABULARY]
        return tuple(sorted((known[i] for i in chosen), key=lambda word: len(word) // 3))
    return _syllables()


def _syllables() -> tuple[str, ...]:
    """Distinct made-up words, the shortest first."""
    base = len(SYLLABLES)

    def word(number: int) -> str:
        spelt = SYLLABLES[number % base]
        while number >= base:
            number = number // base - 1
            spelt += SYLLABLES[number % base]
        return spelt

    return tuple(word(number) for number in range(VOCABULARY))


def _takes(texts: Sequence[tuple[str, ...]]) -> Iterator[list[Line]]:
    for first in range(0, len(texts), LINES_A_TAKE):
        some = texts[first : first + LINES_A_TAKE]
        yield [_line(number, words) for number, words in enumerate(some)]


def _line(number: int, words: Sequence[str]) -> Line:
    start = number * 5 * RATE
    spoken = tuple(
        Word(word, start + i * RATE // 4, start + (i + 1) * RATE // 4)
        for i, word in enumerate(words)
    )
    return Line(f"SPEAKER {number % 4}", start, spoken[-1].end, spoken, "bench")


def _media(folder: Path, number: int) -> MediaFile:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    notes = SoundNotes(scene=str(number // 8 + 1), take=str(number % 8 + 1), time_reference=0)
    return MediaFile(
        path=folder / f"{notes.scene}-T{notes.take}.wav",
        container="WAV",
        subtype="PCM_24",
        sample_rate=RATE,
        channels=1,
        frames=5 * RATE * LINES_A_TAKE,
        size=1,
        mtime_ns=1,
        notes=notes,
        essence=sha256,
        sha256=sha256,
    )


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
    words = _vocabulary()
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


def _mishear(
    texts: list[tuple[str, ...]], rng: np.random.Generator, count: int
) -> dict[int, tuple[str, ...]]:
    """Puts misheard lines in the place of some; gives what was spoken, by the line's number."""
    mishearer = Mishearer(_vocabulary(), rng)
    long = [number for number, line in enumerate(texts) if len(line) >= 4]
    spoken = {int(i): texts[i] for i in rng.choice(long, count, replace=False)}
    for number, line in spoken.items():
        texts[number] = mishearer.misheard(line)
    return spoken


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


def _row(session: Session, asked: Asked) -> tuple[str, ...]:
    spent, found = [], []
    for query in asked.queries:
        started = time.perf_counter()
        hits = search(session, query, 20, Filters(), sound_of, asked.how)
        spent.append(1000 * (time.perf_counter() - started))
        found.append(len(hits))
    scans = [_scan(session, max(query.split(), key=len)) for query in asked.queries[:10]]
    p50, p95 = np.percentile(spent, (50, 95))
    scan = float(np.median(scans)) if scans else 0.0
    return (
        asked.kind,
        figures(float(np.median(found))),
        figures(float(p50)),
        figures(float(p95)),
        figures(scan) if scan else MISSING,
        ratio(float(p50), scan),
    )


def _scan(session: Session, word: str) -> float:
    """Milliseconds to read every line's text for a word."""
    started = time.perf_counter()
    statement = text("SELECT id, text FROM lines WHERE text LIKE :like")
    session.execute(statement, {"like": f"%{word}%"}).all()
    return 1000 * (time.perf_counter() - started)
