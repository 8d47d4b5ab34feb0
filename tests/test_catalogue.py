"""Every line that was heard is found as it was spoken, to the word, whatever a person types."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from core.media import MediaFile, SoundNotes
from core.speech import Line, Word
from core.time import RATES, samples_to_timecode
from db.catalogue import TakeLine, lines_of, listened, search, store_listening
from db.engine import Database, open_database
from db.memory import remember_media
from db.search.postings import Index, holding
from db.tables import Listening, Speaker, WordRow


def take(scene: str, number: str, essence: str) -> MediaFile:
    return MediaFile(
        path=Path(f"/dailies/{scene}-T{number}.wav"),
        container="WAV",
        subtype="PCM_24",
        sample_rate=48000,
        channels=2,
        frames=480000,
        size=1,
        mtime_ns=1,
        notes=SoundNotes(
            scene=scene,
            take=number.lstrip("0"),
            tape="SR014",
            project="HARBOUR",
            timecode_rate=RATES["23.976"],
            time_reference=1764562800,
        ),
        essence=essence,
        sha256=essence,
    )


def line(words: str, start: int = 0, speaker: str = "STELLA", engine: str = "real") -> Line:
    """A line of words that last 1,000 samples each."""
    spoken = tuple(
        Word(word, start + number * 1000, start + number * 1000 + 900, 0.5)
        for number, word in enumerate(words.split(" "))
    )
    return Line(speaker, start, spoken[-1].end, spoken, engine, draft=engine == "draft")


def hear(database: Database, media: MediaFile, *lines: Line, key: str = "k1") -> None:
    draft = bool(lines) and lines[0].draft
    with database.write() as session:
        remember_media(session, media)
        store_listening(session, media.essence, key, "engine", draft, None, "en", lines, "HARBOUR")


def found(database: Database, query: str) -> list[str]:
    with database.read() as session:
        return [hit.found.line.text for hit in search(session, query)]


SPOONS = "Six spoons of fresh snow peas, five thick slabs of blue cheese"


def test_a_line_comes_back_as_it_was_stored(database: Database) -> None:
    first, second = line("Please call Stella", 72000), line("She isn't in", 90000, "JOHN")
    media = take("12A", "01", "a" * 64)
    hear(database, media, first, second)
    with database.read() as session:
        lines = lines_of(session, essence=media.essence)
    assert lines == (
        TakeLine(
            name="12A-T01",
            scene="12A",
            take="1",
            tape="SR014",
            essence="a" * 64,
            path=media.path,
            sample_rate=48000,
            time_reference=1764562800,
            timecode_rate=RATES["23.976"],
            line=first,
        ),
        TakeLine(**{**vars(lines[0]), "line": second}),
    )


def test_a_hit_is_marked_to_the_word(database: Database) -> None:
    hear(database, take("12A", "03", "a" * 64), line(SPOONS, 72000))
    with database.read() as session:
        (hit,) = search(session, "cheese PEAS slab")
    assert hit.marked == (
        ("Six spoons of fresh snow ", False),
        ("peas,", True),
        (" five thick ", False),
        ("slabs", True),
        (" of blue ", False),
        ("cheese", True),
    )
    assert (hit.word, hit.start) == (5, 77000)
    assert hit.found.line.words[hit.word].text == "peas,"


def test_neighbours_that_are_asked_for_are_one_run(database: Database) -> None:
    hear(database, take("12A", "03", "a" * 64), line("we need a small plastic snake", 72000))
    with database.read() as session:
        (hit,) = search(session, "small plastic")
    assert hit.marked == (("we need a ", False), ("small plastic", True), (" snake", False))


@pytest.mark.parametrize("query", ["don't", "DON'T", "don", "Don't,", "I don't know", '"don\'t"'])
def test_apostrophes_are_found(database: Database, query: str) -> None:
    hear(database, take("1", "1", "a" * 64), line("Well, I don't know"), line("the dog"))
    assert found(database, query) == ["Well, I don't know"]


def test_accents_and_case_do_not_matter(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("À bientôt, Zoë"))
    assert found(database, "a bientot ZOE") == ["À bientôt, Zoë"]


def test_the_last_word_may_be_half_typed(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("five thick slabs"), line("thick fog"))
    assert found(database, "thick sl") == ["five thick slabs"]
    assert found(database, "thi slabs five") == ["five thick slabs"]
    assert found(database, "thi sl zzz") == []


def test_all_words_come_before_some_words(database: Database) -> None:
    both, one = line("the cheese is blue"), line("blue moon")
    hear(database, take("1", "1", "a" * 64), both, one)
    assert found(database, "blue cheese") == ["the cheese is blue"]
    assert found(database, "blue cake") == ["blue moon", "the cheese is blue"]


def test_half_of_the_words_must_be_there(database: Database) -> None:
    lines = [
        line("five thick slabs of blue cheese"),
        line("of course"),
        line("blue cheese of mine"),
    ]
    hear(database, take("1", "1", "a" * 64), *lines)
    query = "six thin slabs of blue stilton"
    assert found(database, query) == ["five thick slabs of blue cheese"]


def test_the_words_in_their_order_come_first(database: Database) -> None:
    spoken = "he was not an ill disposed young man and that was that"
    hear(database, take("1", "1", "a" * 64), line("man young"), line(spoken))
    assert found(database, "young man") == [spoken, "man young"]


def test_a_query_without_words_finds_nothing(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("wait - what?"))
    for query in ("", " ", "-", "?!", '"', "\0", "\ud800", "\u2019"):
        assert found(database, query) == []
    with database.read() as session:
        assert search(session, "wait", limit=0) == ()


def test_the_search_language_of_the_index_is_not_spoken(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("sink or swim"), line("near miss"))
    assert found(database, "sink OR") == ["sink or swim"]
    assert found(database, "text:sink")[:1] == []
    assert found(database, "NEAR(") == ["near miss"]
    assert found(database, "swim\0 or") == ["sink or swim"]


def test_a_very_long_query_is_answered(database: Database) -> None:
    spoken = " ".join(f"word{number}" for number in range(500))
    hear(database, take("1", "1", "a" * 64), line(spoken))
    assert found(database, spoken) == [spoken]
    assert found(database, "none " + spoken) == [spoken]
    assert found(database, "x" * 100_000) == []


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(tmp_path_factory.mktemp("few") / "roomtone.db")
    hear(opened, take("1", "1", "a" * 64), line(SPOONS), line("I don't know or do not"))
    yield opened
    opened.close()


LANGUAGE = ['"', "'", "(", ")", "*", "^", "+", "-", ":", "AND", "OR", "NOT", "NEAR(", "text", "\0"]
ANY_TEXT = st.one_of(
    st.text(),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Co", "Lo", "Po"])),
    st.lists(st.sampled_from([*LANGUAGE, "six", "don't", " "])).map("".join),
    st.lists(st.sampled_from([*LANGUAGE, "six", "don't"])).map(" ".join),
)


@given(ANY_TEXT)
@settings(deadline=None)
@example('"')
@example("a\ud800*")
@example("text : six")
def test_any_text_is_a_valid_query(few: Database, query: str) -> None:
    with few.read() as session:
        for hit in search(session, query):
            spoken = hit.found.line
            assert "".join(run for run, _ in hit.marked) == spoken.text
            assert any(marked for _, marked in hit.marked)
            assert hit.start == spoken.words[hit.word].start


SPOKEN = st.lists(
    st.sampled_from(["go", "goes", "on", "don't", "Don", "won", "T", "he,", "She", "-", "42"]),
    min_size=1,
    max_size=5,
).filter(lambda words: words != ["-"] * len(words))


def folded(words: str) -> str:
    """Padded, in lower case, and split where the index splits."""
    parts = words.lower().replace("'", " ").replace(",", " ").replace("-", " ").split()
    return f" {' '.join(parts)} "


@given(st.lists(SPOKEN, min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)
def test_a_line_spelled_out_is_found_and_no_wrong_one(
    few: Database, spoken: list[list[str]]
) -> None:
    lines = [line(" ".join(words), 100_000 * n) for n, words in enumerate(spoken)]
    hear(few, take("2", "2", "b" * 64), *lines)
    with few.read() as session:
        for asked in lines:
            hits = [h.found.line for h in search(session, asked.text) if h.found.scene == "2"]
            assert asked in hits
            exact = [folded(asked.text) in folded(hit.text) for hit in hits]
            assert exact[0]
            assert exact == sorted(exact, reverse=True)
            for hit in hits:
                parts = folded(asked.text).split()
                assert all(f" {part}" in folded(hit.text) for part in parts)


def test_lines_of_a_take_by_any_of_its_names(database: Database) -> None:
    hear(database, take("12A", "03", "a" * 64), line("one"))
    hear(database, take("12A", "13", "b" * 64), line("other"))
    for name in (
        "12A-T03",
        "12a-t03",
        "12A-T03.wav",
        "/x/12A-T03.WAV",
        "12A-3",
        "12A 03",
        "12A/T3",
    ):
        with database.read() as session:
            assert [found.line.text for found in lines_of(session, name)] == ["one"], name
    for name in ("12A-T0", "12A", "", "%", "2A-T03"):
        with database.read() as session:
            assert lines_of(session, name) == (), name


def test_lines_come_by_scene_take_and_start(database: Database) -> None:
    for scene, number in (("12B", "1"), ("2", "10"), ("2", "9"), ("12A", "1")):
        lines = [line(f"{scene}-{number} late", 5000), line(f"{scene}-{number} early")]
        hear(database, take(scene, number, f"{scene}{number}".ljust(64, "0")), *lines)
    with database.read() as session:
        order = [found.line.text for found in lines_of(session)]
    assert order == [
        f"{where} {when}"
        for where in ("2-9", "2-10", "12A-1", "12B-1")
        for when in ("early", "late")
    ]


def test_a_real_listening_replaces_a_draft_and_never_the_other_way(database: Database) -> None:
    media = take("1", "1", "a" * 64)
    hear(database, media, line("police call stellar", engine="draft"), key="draft")
    assert found(database, "police") == ["police call stellar"]
    hear(database, media, line("Please call Stella"), key="real")
    assert (found(database, "police"), found(database, "please")) == ([], ["Please call Stella"])
    with database.read() as session:
        assert listened(session, media.essence, "real")
        assert not listened(session, media.essence, "draft")
    hear(database, media, line("police call stellar", engine="draft"), key="draft")
    assert (found(database, "police"), found(database, "please")) == ([], ["Please call Stella"])
    with database.read() as session:
        assert listened(session, media.essence, "draft")
        assert listened(session, media.essence, "real")


def test_silence_replaces_what_a_draft_imagined(database: Database) -> None:
    media = take("1", "1", "a" * 64)
    hear(database, media, line("thank you for watching", engine="draft"), key="draft")
    hear(database, media, key="real")
    assert found(database, "watching") == []
    with database.read() as session:
        assert listened(session, media.essence, "real")
        assert lines_of(session) == ()


def test_the_index_stays_in_step_when_lines_are_replaced(database: Database) -> None:
    first, second = take("1", "1", "a" * 64), take("2", "1", "b" * 64)
    hear(database, second, line("ever the same"))
    for round_ in range(5):
        hear(database, first, line(f"round {round_} comes"), line("ever again"), key=f"k{round_}")
    assert found(database, "round") == ["round 4 comes"]
    assert sorted(found(database, "ever")) == ["ever again", "ever the same"]
    with database.write() as session:
        if database.path is not None:
            check = "INSERT INTO words_fts(words_fts, rank) VALUES ('integrity-check', 1)"
            session.execute(text(check))
        assert set(holding(session, Index.WORDS, ["round", "0", "4", "comes"])) == {
            "round",
            "4",
            "comes",
        }
        assert session.scalar(select(func.count()).select_from(WordRow)) == 8
        assert session.scalar(select(func.count()).select_from(Listening)) == 2


def test_a_listening_that_breaks_off_leaves_the_earlier_one(database: Database) -> None:
    media = take("1", "1", "a" * 64)
    hear(database, media, line("Please call Stella"))

    def break_off() -> None:
        with database.write() as session:
            lines = [line("ask her")]
            store_listening(session, media.essence, "k2", "e", False, None, "en", lines, "")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert (found(database, "please"), found(database, "ask")) == (["Please call Stella"], [])


def test_a_speaker_is_one_within_a_project(database: Database) -> None:
    hear(database, take("1", "1", "a" * 64), line("one", speaker="STELLA"), line("two", 9, ""))
    hear(database, take("1", "2", "b" * 64), line("three", speaker="STELLA"))
    with database.read() as session:
        assert [(row.project, row.name) for row in session.scalars(select(Speaker))] == [
            ("HARBOUR", "STELLA")
        ]
        assert [found.line.speaker for found in lines_of(session)] == ["STELLA", "", "STELLA"]


def test_control_characters_and_odd_spaces_in_a_word_do_not_shift_the_marks(
    database: Database,
) -> None:
    spoken = Line("", 0, 30, (Word("\x02a\x03", 0, 9), Word(" new\u00a0york ", 10, 20)), "e")
    hear(database, take("1", "1", "a" * 64), spoken)
    with database.read() as session:
        (hit,) = search(session, "york")
    assert hit.marked == (("a ", False), ("new york", True))
    assert hit.start == 10


def test_a_take_that_is_not_remembered_is_refused(database: Database) -> None:
    with database.read() as session, pytest.raises(ValueError, match="not remembered"):
        store_listening(session, "a" * 64, "k", "e", False, None, "en", [], "")


@pytest.mark.skipif(os.name == "nt", reason="file names are UTF-16 there")
def test_the_path_last_seen_is_told(database: Database) -> None:
    media = take("1", "1", "a" * 64)
    hear(database, media, line("one"))
    moved = Path(os.fsdecode(b"/archive/\xff.wav"))
    with database.write() as session:
        remember_media(session, MediaFile(**{**vars(media), "path": moved}))
    with database.read() as session:
        assert [found.path for found in lines_of(session)] == [moved]


@pytest.mark.shared
def test_every_turn_of_the_harbour_is_found_at_its_timecode(
    database: Database, harbour: Path
) -> None:
    truth = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    for number, (name, told) in enumerate(truth.items()):
        media = take(told["scene"], f"{told['take']:02d}", f"{number:064d}")
        notes = SoundNotes(**{**vars(media.notes), "time_reference": told["time_reference"]})
        lines = []
        for turn in told["turns"]:
            texts = turn["text"].split()
            step = (turn["end"] - turn["start"]) // len(texts)
            starts = [turn["start"] + step * index for index in range(len(texts))]
            words = tuple(Word(x, at, at + step) for x, at in zip(texts, starts, strict=True))
            lines.append(Line(turn["speaker"], turn["start"], turn["end"], words, "truth"))
        hear(database, MediaFile(**{**vars(media), "notes": notes}), *lines)
        assert media.path.stem == name
    for name, told in truth.items():
        for turn in told["turns"]:
            with database.read() as session:
                hits = search(session, turn["text"])
            places = [(hit.found.name, hit.start, hit.found.line.speaker) for hit in hits]
            assert (name, turn["start"], turn["speaker"]) in places
            assert all(hit.found.line.text == turn["text"] for hit in hits)
    with database.read() as session:
        hit = search(session, "cold hearted selfish")[0]
    assert hit.found.name == "12A-T03"
    assert [run for run, marked in hit.marked if marked] == ["cold hearted", "selfish"]
    with database.read() as session:
        spoons = search(session, "six spoons")[0]
    take_found = spoons.found
    assert spoons.start == 72000
    assert take_found.timecode_rate is not None
    assert take_found.time_reference is not None
    # The take starts at 10:21:40:12; 72,000 samples are 35.96 frames of 2,002.
    at = take_found.time_reference + spoons.start
    timecode = samples_to_timecode(at, take_found.timecode_rate, take_found.sample_rate)
    assert timecode == "10:21:41:23"
