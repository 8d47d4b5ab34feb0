"""Words, phrases, beginnings and exclusions find the same lines in either database, and the newest.

The yardstick reads every line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from databases import Server
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from test_catalogue import ANY_TEXT, hear, line, take
from test_search import said

from core.filters import Filters
from core.speech import Line
from db.catalogue import search
from db.corrections import remember_correction
from db.engine import Database, open_database
from db.forget import forget_people, forget_takes, people_named
from db.search import tsvector
from db.search.expression import AllOf, AnyOf, Expression, Phrase
from db.search.find import How
from db.search.fulltext import full_text
from db.search.index import index_again, refresh
from db.search.tables import LineSearch, Posting, VocabularyWord

WORDS = ["go", "goes", "going", "on", "one", "don", "t", "42", "é", "\ue000x", "joy", "living"]
LENIENT = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

Both = tuple[Database, Database]


@pytest.fixture(scope="module")
def both(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The same 300 lines in SQLite and in PostgreSQL."""
    opened = (
        open_database(tmp_path_factory.mktemp("both") / "roomtone.db"),
        open_database(server.ready()),
    )
    for database in opened:
        for number in range(10):
            scene, essence = f"{number // 3}Ä", f"{number:064d}"
            hear(database, take(scene, str(number), essence), *lines_of_take(number))
        with database.write() as session:
            refresh(session, said, "test", 9999)
    yield opened
    for database in opened:
        database.close()


def lines_of_take(number: int) -> list[Line]:
    """Lines of a few words each, in which some words are common and some are rare."""
    made = []
    for position in range(30):
        seed = 30 * number + position
        words = [WORDS[seed * seed % (2 + (seed + k * k) % 11)] for k in range(1 + seed % 7)]
        if seed % 50 == 0:
            words = ["what", "toy", "there", "is", "in", "leaving"]
        made.append(line(" ".join(words), 10_000 * position, f"Ünal {seed % 3}"))
    return made


def told(
    database: Database, query: str, how: How, filters: Filters = Filters(), limit: int = 50
) -> list[tuple[object, ...]]:
    with database.read() as session:
        hits = search(session, query, limit, filters, said, how)
    return [(hit.found.name, hit.found.line.start, hit.how, hit.marked) for hit in hits]


QUERIES = [
    "joy",
    "living joy",
    "joy living",
    '"go on"',
    '"go on" -joy',
    "go -on -going",
    'joy -"one go"',
    "go*",
    '"on go" liv*',
    "don't",
    "jjoy livng",
    "livign",
    "joys goes",
    "what joy there is in living",
    "joy there is in living",
    "go on one don t joy living",
    "joy xyzzy living frobnicate",
    "é \ue000x",
    "42",
    "nothing of the kind",
    "g",
    "li",
]


@pytest.mark.parametrize("few", [3000, 5])
def test_the_same_queries_find_the_same_lines(
    both: Both, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(tsvector, "_FEW", few)
    monkeypatch.setattr(tsvector, "_WINDOW", few)
    ways: tuple[How, ...] = ("words", "fuzzy", "sound", "auto")
    found = 0
    for query in QUERIES:
        for how in ways:
            for limit in (5, 50):
                sqlite, postgresql = (told(one, query, how, limit=limit) for one in both)
                assert sqlite == postgresql, (query, how)
                found += bool(sqlite)
    assert found > len(QUERIES)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(scene="1ä"),
        Filters(speaker="üNAL 1"),
        Filters(project="harbour", draft=False),
        Filters(take="2Ä-7"),
        Filters(min_confidence=0.4, speaker="ünal 2"),
        Filters(cut="reel \\ 100%_"),
    ],
)
def test_filters_let_the_same_lines_through(both: Both, filters: Filters) -> None:
    counts = []
    for query in ("go", "joy living", "joy there is in living", "livng"):
        sqlite, postgresql = (told(one, query, "sound", filters) for one in both)
        assert sqlite == postgresql
        counts.append(len(sqlite))
    assert any(counts) != bool(filters.cut)


@given(query=ANY_TEXT, filters=st.builds(Filters, scene=ANY_TEXT, speaker=ANY_TEXT, cut=ANY_TEXT))
@LENIENT
def test_any_text_is_valid_in_either_database(both: Both, query: str, filters: Filters) -> None:
    for chosen in (Filters(), filters):
        sqlite, postgresql = (told(one, query, "auto", chosen) for one in both)
        assert sqlite == postgresql


phrases = st.builds(
    Phrase,
    st.lists(st.sampled_from([*WORDS, "g", "o"]), min_size=1, max_size=3).map(tuple),
    st.booleans(),
)
expressions: st.SearchStrategy[Expression] = st.recursive(
    phrases,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)


def holds(words: Sequence[str], expression: Expression) -> bool:
    if isinstance(expression, AllOf):
        return all(holds(words, part) for part in expression.parts)
    if isinstance(expression, AnyOf):
        return any(holds(words, part) for part in expression.parts)
    size = len(expression.tokens)
    whole, last = expression.tokens[:-1], expression.tokens[-1]
    for at in range(len(words) - size + 1):
        end = words[at + size - 1]
        same = end.startswith(last) if expression.goes_on else end == last
        if same and tuple(words[at : at + size - 1]) == whole:
            return True
    return False


@given(expression=expressions, excluded=st.lists(phrases, max_size=2), limit=st.integers(1, 400))
@LENIENT
def test_an_expression_finds_what_reading_every_line_finds(
    both: Both, expression: Expression, excluded: list[Phrase], limit: int
) -> None:
    for database in both:
        with database.read() as session:
            known = session.execute(select(LineSearch.line, LineSearch.words)).tuples().all()
            found = full_text(session).lines(session, expression, excluded, limit, None)
        split = {number: text.split() for number, text in known}
        held = [
            number
            for number in sorted(split, reverse=True)
            if holds(split[number], expression)
            and not any(holds(split[number], phrase) for phrase in excluded)
        ]
        assert found == held[:limit]


def test_no_phrase_reaches_from_what_was_corrected_to_what_was_heard(database: Database) -> None:
    media = take("1", "1", "a" * 64)
    heard = line("toy there is")
    hear(database, media, heard)
    with database.write() as session:
        remember_correction(session, media.essence, heard.start, heard.end, "what joy", "jo")
        index_again(session, media.essence, said, "test")
        expressions = [Phrase(("what", "joy")), Phrase(("toy", "there")), Phrase(("joy", "toy"))]
        found = [full_text(session).lines(session, each, [], 9, None) for each in expressions]
    assert [len(lines) for lines in found] == [1, 1, 0]
    assert told(database, 'joy -"joy toy"', "words")
    for query in ("joy -there", "toy -joy", "joys -there", "what joy there -toy"):
        assert told(database, query, "sound") == []
    assert told(database, "\u2016", "sound") == []


@pytest.mark.parametrize("whole_take", [False, True])
def test_what_is_forgotten_leaves_nothing_in_the_indexes(
    database: Database, whole_take: bool
) -> None:
    def held() -> set[object]:
        with database.read() as session:
            return {
                *session.execute(select(Posting.kind, Posting.token)).tuples(),
                *session.scalars(select(VocabularyWord.word)),
                *session.scalars(select(LineSearch.words)),
                *session.scalars(select(LineSearch.sounds)),
            }

    other = take("2", "1", "b" * 64)
    mara = line("which thin sheets", 9_000, "MARA")
    hear(database, other, mara)
    before = held()
    media = take("1", "1", "a" * 64)
    ren = line("quicksilver toy", 0, "REN")
    hear(database, media, ren)
    with database.write() as session:
        remember_correction(session, media.essence, ren.start, ren.end, "marmalade joy", "jo")
        index_again(session, media.essence, said, "test")
    assert {"marmalade", "quicksilver"} <= held()
    with database.write() as session:
        if whole_take:
            forget_takes(session, [media.essence], "jo")
        else:
            forget_people(session, people_named(session, "REN", None), "jo")
    database.scrub()
    assert held() == before
    assert told(database, "marmalade quicksilver", "sound") == []
    assert told(database, "thin sheets", "words")


def test_words_that_never_end_are_indexed(database: Database) -> None:
    endless = line("x" * 50_000 + " and " + "ü" * 3_000)
    hear(database, take("1", "1", "a" * 64), endless, line(" ".join(["no"] * 2_000), 100_000))
    assert told(database, "x" * 50_000, "words")
    assert told(database, '"and ' + "ü" * 3_000 + '"', "words")
    assert told(database, '"no no no"', "words")


def test_what_is_given_up_by_migrating_is_made_anew(place: Path | str) -> None:
    from alembic import command
    from sqlalchemy import create_engine, text

    from db.engine import alembic_config

    opened = open_database(place)
    hear(opened, take("1", "1", "a" * 64), line("what joy there is in living"))
    opened.close()
    engine = create_engine(place if isinstance(place, str) else f"sqlite:///{place}")
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0010")
        command.upgrade(alembic_config(connection), "head")
        assert connection.execute(text("SELECT version FROM line_search")).scalar() == 0
    engine.dispose()
    opened = open_database(place)
    assert told(opened, "joy", "words") == []
    with opened.write() as session:
        assert len(refresh(session, said, "test", 9999)) == 1
    assert told(opened, "joy", "words")
    opened.close()
