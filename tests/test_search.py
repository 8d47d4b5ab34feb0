"""A half remembered line is found: other forms, typing errors, by sound, within what is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from test_catalogue import hear, line, take

from core.events import EventKind, SoundEvent
from core.filters import Filters
from core.phones import Phones
from db.catalogue import search
from db.corrections import remember_correction
from db.engine import Database
from db.events import store_events
from db.search.closeness import Closeness
from db.search.find import How
from db.search.index import refresh, stale
from db.search.tables import LineSearch, VocabularyWord
from flows.search import find_events, find_lines

# As the CMU dictionary says them.
SAID = {
    "what": "W AH T",
    "joy": "JH OY",
    "there": "DH EH R",
    "is": "IH Z",
    "in": "IH N",
    "living": "L IH V IH NG",
    "leaving": "L IY V IH NG",
    "joined": "JH OY N D",
    "joint": "JH OY N T",
    "toy": "T OY",
    "eleven": "IH L EH V AH N",
    "tear": "T EH R",
    "thin": "TH IH N",
    "sheets": "SH IY T S",
    "the": "DH AH",
    "dog": "D AO G",
    "ask": "AE S K",
    "to": "T UW",
    "bring": "B R IH NG",
    "fast": "F AE S T",
    "if": "IH F",
    "they": "DH EY",
    "these": "DH IY Z",
    "things": "TH IH NG Z",
    "sink": "S IH NG K",
    "with": "W IH DH",
    "her": "HH ER",
    "from": "F R AH M",
    "store": "S T AO R",
}


def said(word: str) -> Phones:
    return tuple(SAID.get(word, "").split())


def found(
    database: Database, query: str, how: How = "auto", filters: Filters = Filters()
) -> list[tuple[str, Closeness]]:
    with database.read() as session:
        hits = search(session, query, 50, filters, said, how)
    return [(hit.found.line.text, hit.how) for hit in hits]


def test_the_closest_comes_first(database: Database) -> None:
    lines = (
        line("leaving is what joy there is"),
        line("joined there is in eleven", 10_000),
        line("he lives joyfully", 20_000),
        line("what joys there are in life", 30_000),
        line("what joy there is in living", 40_000),
        line("there is joy in living", 50_000),
    )
    hear(database, take("1", "1", "a" * 64), *lines)
    with database.write() as session:
        refresh(session, said, "test", 9999)
    assert found(database, "joy there is in living") == [
        ("what joy there is in living", Closeness.EXACT),
        ("there is joy in living", Closeness.WORDS),
        ("joined there is in eleven", Closeness.SOUND),
    ]


def test_other_forms_of_a_word_are_found(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("she asks for spoons"), line("ask the dog", 9000))
    assert found(database, "asking spoon") == [("she asks for spoons", Closeness.STEMS)]
    assert found(database, '"asking" spoon') == []


@pytest.mark.parametrize("typed", ["chese slbas", "cheesse slabs", "hceese slab", "chesee slabs"])
def test_typing_errors_are_forgiven(database: Database, typed: str) -> None:
    hear(database, take("1", "1", "a" * 64), line("thick slabs of blue cheese"), line("blue", 9000))
    (hit,) = found(database, typed)
    assert hit[0] == "thick slabs of blue cheese"
    assert hit[1] in (Closeness.FUZZY, Closeness.STEMS)


def test_short_words_are_taken_as_they_are(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("the dog"))
    assert found(database, "fog", "fuzzy") == []


def test_a_line_that_was_misheard_is_found_at_its_word(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("what toy there is in leaving", 72_000))
    with database.write() as session:
        assert len(refresh(session, said, "test", 9999)) == 1
    with database.read() as session:
        (hit,) = search(session, "joy there is in living", sound=said)
    assert hit.how is Closeness.SOUND
    assert hit.marked == (("what ", False), ("toy there is in leaving", True))
    assert hit.start == 73_000
    assert 0.7 < hit.likeness < 1.0


def test_what_sounds_otherwise_is_not_found(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("tear thin sheets"))
    with database.write() as session:
        refresh(session, said, "test", 9999)
    assert found(database, "joy there is in living") == []


def test_a_long_line_is_found_where_only_half_of_it_was_heard(database: Database) -> None:
    lines = (
        line("fast if they sink with her from store"),
        line("we also need a small plastic made fun of it i think", 20_000),
        line("tear thin sheets", 40_000),
    )
    hear(database, take("1", "1", "a" * 64), *lines)
    with database.write() as session:
        refresh(session, said, "test", 9999)
    assert found(database, "ask her to bring these things with her from the store") == [
        ("fast if they sink with her from store", Closeness.PART)
    ]
    need = "we also need a small plastic snake and a big toy frog for the kids and the cats"
    assert found(database, need) == [
        ("we also need a small plastic made fun of it i think", Closeness.SOME)
    ]
    assert found(database, need, "words") == []


def test_excluded_words_keep_lines_away(database: Database) -> None:
    lines = line("blue cheese"), line("blue moon", 9000), line("once in a blue moon", 20_000)
    hear(database, take("1", "1", "a" * 64), *lines)
    assert [text for text, _ in found(database, "blue -moon")] == ["blue cheese"]
    assert [text for text, _ in found(database, 'blue -"a blue moon"')] == [
        "blue moon",
        "blue cheese",
    ]
    assert found(database, "-moon") == []


def test_filters_narrow_a_search(database: Database) -> None:
    first, second = take("12A", "1", "a" * 64), take("14", "2", "b" * 64)
    circled = replace(second, notes=replace(second.notes, circled=True))
    doubtful = replace(line("the dog", 9000, "JOHN"), confidence=0.3)
    hear(database, first, line("the dog", speaker="STELLA"), doubtful)
    hear(database, circled, line("the dog", speaker="REN", engine="draft"))

    def who(filters: Filters) -> list[str]:
        with database.read() as session:
            return sorted(h.found.line.speaker for h in search(session, "the dog", filters=filters))

    assert who(Filters()) == ["JOHN", "REN", "STELLA"]
    assert who(Filters(scene="12a")) == ["JOHN", "STELLA"]
    assert who(Filters(take="14-2")) == ["REN"]
    assert who(Filters(speaker="john")) == ["JOHN"]
    assert who(Filters(circled=True)) == ["REN"]
    assert who(Filters(circled=False)) == ["JOHN", "STELLA"]
    assert who(Filters(draft=True)) == ["REN"]
    assert who(Filters(draft=False, speaker="ren")) == []
    assert who(Filters(project="harbour")) == ["JOHN", "REN", "STELLA"]
    assert who(Filters(project="other")) == []
    assert who(Filters(min_confidence=0.6)) == ["REN", "STELLA"]
    assert who(Filters(cut="reel 1")) == []
    assert who(Filters(scene="%")) == []
    with database.write() as session:
        overlap = SoundEvent(EventKind.OVERLAP, 9000, 9500)
        store_events(session, "a" * 64, "test", "1", [overlap])
    assert who(Filters(events=(EventKind.OVERLAP,))) == ["JOHN"]
    assert who(Filters(events=(EventKind.SLATE,))) == []


def test_what_a_person_corrected_is_sure_and_no_draft(database: Database) -> None:
    first = take("12A", "1", "a" * 64)
    hear(
        database,
        first,
        replace(line("the toy", engine="draft"), confidence=0.1),
        replace(line("the dog", 9000, engine="draft"), confidence=0.1),
    )
    with database.write() as session:
        remember_correction(session, first.essence, 0, 1900, "the joy", "jo")

    def texts(filters: Filters) -> list[str]:
        hits = find_lines(database, "the", 9, filters, "words")
        return [hit.found.line.text for hit in hits]

    assert texts(Filters(draft=False)) == ["the joy"]
    assert texts(Filters(draft=True)) == ["the dog"]
    assert texts(Filters(min_confidence=0.9)) == ["the joy"]


def test_events_alone_are_narrowed_as_lines_are(database: Database) -> None:
    first, second = take("12A", "1", "a" * 64), take("14", "2", "b" * 64)
    circled = replace(second, notes=replace(second.notes, circled=True))
    hear(database, first, line("the dog", speaker="STELLA"), line("no", 9000, "JOHN"))
    hear(database, circled, line("the dog", speaker="REN"))
    with database.write() as session:
        clicks = [SoundEvent(EventKind.CLICK, at, at + 9) for at in (100, 9100, 200_000)]
        store_events(session, "a" * 64, "test", "1", clicks)
        slate = SoundEvent(EventKind.SLATE, 400_000, 400_100)
        store_events(session, "b" * 64, "test", "1", [slate])

    def starts(filters: Filters) -> list[int]:
        both = (EventKind.CLICK, EventKind.SLATE)
        events = find_events(database, 9, replace(filters, events=filters.events or both))
        return [item.event.start for item in events]

    assert starts(Filters()) == [100, 9100, 200_000, 400_000]
    assert starts(Filters(scene="14")) == [400_000]
    assert starts(Filters(circled=False, events=(EventKind.SLATE,))) == []
    assert starts(Filters(speaker="john")) == [9100]
    # A slate counts anywhere in the take of who speaks in it.
    assert starts(Filters(speaker="REN")) == [400_000]
    assert starts(Filters(project="harbour", take="12a-1")) == [100, 9100, 200_000]
    assert starts(Filters(cut="reel 1")) == []


def test_the_vocabulary_holds_the_words_of_the_lines_that_are_there(database: Database) -> None:
    media = take("1", "1", "a" * 64)

    def words() -> dict[str, int]:
        with database.read() as session:
            rows = session.execute(select(VocabularyWord.word, VocabularyWord.lines)).tuples()
            return dict(rows.all())

    hear(database, media, line("the dog the cat"), line("the moon", 9000))
    assert words() == {"the": 2, "dog": 1, "cat": 1, "moon": 1}
    hear(database, media, line("a dog"), key="k2")
    assert words() == {"a": 1, "dog": 1}


def test_lines_are_indexed_anew_where_their_sound_is_not_known_yet(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("the dog"), line("in living", 9000))
    with database.write() as session:
        assert stale(session, "test")
        assert len(refresh(session, said, "test", 9999)) == 2
        assert not stale(session, "test")
        assert len(refresh(session, said, "test", 9999)) == 0
        words = select(VocabularyWord.word, VocabularyWord.lines)
        counted = dict(session.execute(words).tuples().all())
        sounds = dict(session.execute(select(LineSearch.words, LineSearch.sounds)).tuples().all())
    assert counted == {"the": 1, "dog": 1, "in": 1, "living": 1}
    # d f a d: `the dog` by classes is f a d a g.
    assert sounds["the dog"].split() == ["adag", "fada"]
