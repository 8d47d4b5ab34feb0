"""Every export says to an independent reader what the list says, whatever stands in it."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import mido
import opentimelineio as otio
import pycmx
import pytest
import srt
import ttconv.imsc.reader
import webvtt
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.transcripts import (
    ale,
    avid,
    csv_table,
    ctm,
    midi,
    otio_markers,
    own_json,
    resolve_edl,
    rttm,
    session_text,
    ttml,
    vtt,
)
from adapters.transcripts import srt as srt_format
from adapters.transcripts.write import FORMATS, Sheet, Style
from core.captions import CaptionOptions
from core.cut import Cut, Event, MediaReference, Track
from core.errors import InputError
from core.plain_text import one_line, token
from core.speech import Word
from core.spotting import Spot, SpottingList, Wanted, cleaned
from core.time import RATES, frames_to_samples

RATE = 48_000
WIDE = CaptionOptions(rows=50, row_characters=400, most_s=1000)
PLAIN = Wanted(speakers=False, drafts="plain")


def line(speaker: str, start: int, *words: str, each: int = 12_000) -> Spot:
    made = tuple(
        Word(text, start + n * each, start + (n + 1) * each, 0.5) for n, text in enumerate(words)
    )
    return Spot(start, start + len(words) * each, speaker, made, confidence=0.75, language="en")


def listed(*spots: Spot, rate: str = "23.976", hour: int = 1) -> SpottingList:
    made = RATES[rate]
    return SpottingList(
        "reel 1",
        "record",
        spots,
        RATE,
        600 * RATE,
        made,
        frames_to_samples(hour * 3600 * made.nominal - made.dropped * hour * 54, made.fps, RATE),
    )


TALK = listed(
    line("MARA", 2002 * 10, "Don't", "wait", "for", "me."),
    line("REN O'NEIL", 2002 * 50 + 7, "<I>", "&", "you", "-->", "=us", "|", "never"),
    Spot(2002 * 80, 2002 * 80 + 480, kind="click", label="Click", note="mended"),
    line("", 2002 * 100, "Yes"),
)

# Text that formats stumble over, and anything at all.
HOSTILE = st.one_of(
    st.sampled_from(
        ["a\tb", "a\nb", "\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,000", "-->", "<b>",
         "</v>", "&amp;",
         '"', "'", ",", "|M:x |D:9", "|", ";;", "=1+1", "\u202egnp", "\x00", "\x1b[2J", "\u2028",
         "\x85", "\ud800", "\ufffe", "{\\an8}", "001  AX V C", "NOTE", "WEBVTT", "]]>",
         "x" * 10_000,
         "", " ", "\ufeff", "\u00a0", "é", "日本語", "* LOC:", "<ALT_BEGIN>"]
    ),
    st.text(max_size=30),
)  # fmt: skip


@st.composite
def lists(draw: st.DrawFn) -> SpottingList:
    spots, at = [], draw(st.integers(0, 5000))
    for _ in range(draw(st.integers(0, 4))):
        words = draw(st.lists(HOSTILE, max_size=4))
        spot = line(draw(HOSTILE), at, *words, each=draw(st.integers(0, 30_000)))
        spots.append(replace(spot, note=draw(HOSTILE), draft=draw(st.booleans())))
        at = spot.end + draw(st.integers(4004, 90_000))
    rate = draw(st.sampled_from(["23.976", "25", "29.97 DF"]))
    return replace(listed(*spots, rate=rate), name=draw(HOSTILE), scene=draw(HOSTILE))


def marked(found: SpottingList) -> str:
    """What all the markers say, however those of one frame are joined."""
    return " / ".join(
        f"{spot.text} ({spot.note})" if spot.kind == "click" else spot.text
        for spot in cleaned(found).spots
        if spot.text
    )


def said(found: SpottingList) -> list[str]:
    """The texts of the lines that have words, as one line each."""
    return [spot.text for spot in cleaned(found).lines if spot.text]


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_srt_is_read_back_by_srt(found: SpottingList) -> None:
    text = srt_format.serialise(found, WIDE, PLAIN)
    back = list(srt.parse(text))
    shown = str.maketrans("<>{}", "‹›()")
    assert [" ".join(item.content.split()) for item in back] == [
        words.translate(shown) for words in said(found)
    ]
    assert [item.index for item in back] == list(range(1, len(back) + 1))


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_vtt_is_read_back_by_webvtt(found: SpottingList) -> None:
    back = webvtt.from_string(vtt.serialise(found, WIDE, Wanted(drafts="plain")))
    assert [" ".join(html.unescape(item.text).split()) for item in back] == said(found)
    speakers = [spot.speaker for spot in cleaned(found).lines if spot.text]
    assert [html.unescape(item.voice or "") for item in back] == speakers


@given(lists())
@example(TALK)
@settings(max_examples=40, deadline=None)
def test_ttml_is_read_back_by_ttconv_and_as_xml(found: SpottingList) -> None:
    text = ttml.serialise(found, WIDE, PLAIN)
    root = ElementTree.fromstring(text)
    space = {"tt": "http://www.w3.org/ns/ttml"}
    rows = root.findall(".//tt:p", space)
    assert [" ".join(" ".join(row.itertext()).split()) for row in rows] == said(found)
    document = ttconv.imsc.reader.to_model(ElementTree.ElementTree(root))
    assert document is not None
    body = document.get_body()
    shown = [] if body is None else [part for div in body for part in div]
    fps = found.rate.fps
    assert [(part.get_begin() or 0, part.get_end()) for part in shown] == [
        tuple(Fraction(row.get(name, "")[:-1]) / fps for name in ("begin", "end")) for row in rows
    ]


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_csv_is_read_back_by_csv(found: SpottingList) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table.serialise([found]), newline="")))
    plain = cleaned(found).spots
    assert len(rows) == len(plain)
    for row, spot in zip(rows, plain, strict=True):
        assert row["Text"].removeprefix("'" if spot.text[:1] in set("=+-@") else "") == spot.text
        assert not row["Text"].startswith(("=", "+", "@"))
        assert (int(row["Start sample"]), int(row["End sample"])) == (spot.start, spot.end)
        assert round(float(row["Start s"]) * RATE) == spot.start


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_json_is_read_back_by_json(found: SpottingList) -> None:
    text = own_json.serialise([found])
    text.encode()
    (back,) = json.loads(text)["lists"]
    plain = cleaned(found)
    assert [(x["text"], x["speaker"], x["start"], x["end"]) for x in back["entries"]] == [
        (spot.text, spot.speaker, spot.start, spot.end) for spot in plain.spots
    ]
    words = [
        [(w["text"], w["start"], w["end"]) for w in entry["words"]] for entry in back["entries"]
    ]
    assert words == [[(w.text, w.start, w.end) for w in spot.words] for spot in plain.spots]


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_rttm_and_ctm_have_their_fields_in_every_line(found: SpottingList) -> None:
    plain = cleaned(found)
    # By the NIST specifications: fields parted by blanks, `;;` starts a comment.
    turns = [row.split() for row in rttm.serialise([found]).split("\n") if row]
    assert [len(row) for row in turns] == [10] * len(plain.lines)
    assert [
        (round(float(row[3]) * RATE), round((float(row[3]) + float(row[4])) * RATE))
        for row in turns
    ] == [(spot.start, spot.end) for spot in plain.lines]
    assert all(row[0] == "SPEAKER" for row in turns)
    names = {}
    for row, spot in zip(turns, plain.lines, strict=True):
        assert names.setdefault(row[7], spot.speaker) == spot.speaker
    words = [row.split() for row in ctm.serialise([found]).split("\n") if row]
    expected = [word for spot in plain.lines for word in spot.words]
    assert [(row[4], round(float(row[2]) * RATE)) for row in words] == [
        (token(word.text), word.start) for word in sorted(expected, key=lambda w: (w.start, w.end))
    ]
    assert all(len(row) == 6 and not row[0].startswith(";;") for row in words)


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_avid_markers_have_six_fields_in_every_line(found: SpottingList) -> None:
    rows = avid.serialise(found, PLAIN).split("\n")
    assert rows.pop() == ""
    cells = [row.split("\t") for row in rows]
    assert all(len(row) == 6 for row in cells)
    assert " / ".join(row[4] for row in cells) == marked(found)
    for row in cells:
        assert re.fullmatch(r"\d\d:\d\d:\d\d[:;]\d\d", row[1])
        assert row[3] in ("red", *avid.COLORS)
        assert int(row[5]) > 0


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_resolve_markers_are_read_back_as_an_edl(found: SpottingList) -> None:
    text = resolve_edl.serialise(found, PLAIN)
    edl = pycmx.parse_cmx3600(io.StringIO(text.replace("\r\n", "\n")))
    events = [event for event in edl.events if event.edits]
    told = re.findall(
        r"^([^|\r\n]*) \|C:ResolveColor(\w+) \|M:([^|\r\n]*) \|D:(\d+)\r$", text, re.MULTILINE
    )
    assert len(events) == len(told)
    assert " / ".join(row[2] for row in told) == marked(found).replace("|", "¦")
    assert not any(row[0][:1].isdigit() for row in told)
    starts = [event.edits[0].record_in for event in events]
    rows = avid.serialise(found, PLAIN).split("\n")[:-1]
    assert starts == [row.split("\t")[1] for row in rows]


def one_clip(found: SpottingList) -> Cut:
    event = Event("A1/001", Fraction(0), Fraction(1000), Fraction(0), MediaReference(name="x"))
    start = found.first_frame
    return Cut("reel 1", found.rate, start, Fraction(1000), (Track("A1", (event,)),))


@given(lists())
@example(TALK)
@settings(max_examples=40, deadline=None)
def test_otio_markers_are_read_back_by_opentimelineio(found: SpottingList) -> None:
    text = otio_markers.serialise(found, one_clip(found), PLAIN)
    timeline = otio.adapters.read_from_string(text, "otio_json")
    back = timeline.tracks.markers
    rows = [row.split("\t") for row in avid.serialise(found, PLAIN).split("\n")[:-1]]
    assert [marker.name for marker in back] == [row[4] for row in rows]
    assert [int(marker.marked_range.duration.value) for marker in back] == [
        int(row[5]) for row in rows
    ]
    assert len(timeline.audio_tracks()[0]) == 1


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_midi_markers_are_read_back_by_mido(found: SpottingList) -> None:
    data = midi.serialise(found, PLAIN)
    back = mido.MidiFile(file=io.BytesIO(data), charset="utf-8")
    seconds, names = 0.0, []
    for message in back:
        seconds += message.time
        if message.type == "marker":
            names.append((message.text, seconds))
    rows = [row.split("\t") for row in avid.serialise(found, PLAIN).split("\n")[:-1]]
    assert [name for name, _ in names] == [row[4] for row in rows]
    fps = float(found.rate.fps)
    starts = sorted({found.frames(spot)[0] for spot in cleaned(found).spots if spot.text})
    for (_, at), frame in zip(names, starts, strict=True):
        assert int(at * fps + 1e-6) == frame - found.first_frame
        assert at * fps - (frame - found.first_frame) < 0.04


@given(lists())
@example(TALK)
@settings(max_examples=60, deadline=None)
def test_session_text_is_laid_out_as_pro_tools_writes_it(found: SpottingList) -> None:
    head, listing = session_text.serialise(found, PLAIN).split("\n\n\n")
    assert [row.split("\t")[0] for row in head.split("\n")] == [
        "SESSION NAME:", "SAMPLE RATE:", "BIT DEPTH:", "SESSION START TIMECODE:",
        "TIMECODE FORMAT:", "# OF AUDIO TRACKS:", "# OF AUDIO CLIPS:", "# OF AUDIO FILES:",
    ]  # fmt: skip
    title, columns, *rows = listing.split("\n")
    assert title == "M A R K E R S  L I S T I N G"
    assert [cell.strip() for cell in columns.split("\t")] == [
        "#", "LOCATION", "TIME REFERENCE", "UNITS", "NAME", "COMMENTS",
    ]  # fmt: skip
    assert rows.pop() == ""
    cells = [row.split("\t") for row in rows]
    assert all(len(row) == 6 for row in cells)
    starts = sorted({found.frames(spot)[0] for spot in cleaned(found).spots if spot.text})
    fps = found.rate.fps
    assert [int(row[2]) for row in cells] == [
        frames_to_samples(frame, fps, RATE) - found.reference for frame in starts
    ]


def a_take(name: str, rate: str = "25", **more: object) -> SpottingList:
    found = SpottingList(
        name,
        "source",
        (line("MARA", 4800, "Don't", "wait"), line("REN", 48_000, "Why?")),
        RATE,
        10 * RATE,
        RATES[rate],
        10 * 3600 * RATE,
        scene="12A",
        take="3",
        tape="SR014",
        channels=4,
    )
    return replace(found, **more)  # type: ignore[arg-type]


def test_ale_is_read_back_by_the_ale_adapter() -> None:
    text = ale.serialise([a_take("12A-T03"), a_take("12A-T04")], Wanted(drafts="plain"))
    back = otio.adapters.read_from_string(text.replace("\r\n", "\n"), "ale")
    assert [clip.name for clip in back] == ["12A-T03", "12A-T04"]
    told = back[0].metadata["ALE"]
    assert told["Dialogue"] == "MARA: Don't wait / REN: Why?"
    assert (told["Speakers"], told["Tape"], told["Scene"], told["Take"], told["Tracks"]) == (
        "MARA, REN", "SR014", "12A", "3", "A1A2A3A4",
    )  # fmt: skip
    assert back[0].source_range.duration.to_frames() == 250
    assert otio.opentime.to_timecode(back[0].source_range.start_time, 25) == "10:00:00:00"


@given(lists())
@settings(max_examples=40, deadline=None)
def test_ale_has_its_columns_in_every_row(found: SpottingList) -> None:
    text = ale.serialise([found, found], PLAIN)
    rows = text.split("\r\n")
    assert rows.pop() == ""
    at = rows.index("Data")
    assert [len(row.split("\t")) for row in rows[at + 1 :]] == [len(ale.COLUMNS)] * 2
    assert all(one_line(row) for row in rows[at + 1 :])


def test_ale_refuses_takes_of_several_rates() -> None:
    with pytest.raises(InputError, match="25, 24"):
        ale.serialise([a_take("a"), a_take("b", "24")], Wanted())


def test_times_of_captions_are_those_of_frames() -> None:
    frame = 1001 / 24_000
    for item in srt.parse(srt_format.serialise(TALK, WIDE, PLAIN)):
        at = item.start.total_seconds() / frame
        assert 0 <= at - round(at) < 0.03  # rounded up to a millisecond: never a frame early
    first = next(srt.parse(srt_format.serialise(TALK, WIDE, PLAIN, from_timecode=True)))
    assert first.start.total_seconds() == pytest.approx(3600 + 10 * frame, abs=1e-3)
    drop = listed(line("A", 0, "Now"), rate="29.97 DF", hour=2)
    assert srt_format.start_seconds(drop) == 7200


def test_drafts_and_speakers_are_said_or_not() -> None:
    draft = listed(replace(TALK.spots[0], draft=True))
    for speakers, drafts, expected in (
        (True, "mark", "(draft) MARA: Don't wait for me."),
        (False, "mark", "(draft) Don't wait for me."),
        (True, "plain", "MARA: Don't wait for me."),
    ):
        text = srt_format.serialise(draft, WIDE, Wanted(speakers, drafts))  # type: ignore[arg-type]
        assert text.splitlines()[2] == expected
    assert Wanted(drafts="leave-out").of(draft).spots == ()
    assert len(Wanted(confidence=0.8).of(TALK).spots) == 1  # only the event
    assert len(Wanted(events=False).of(TALK).spots) == 3


def test_each_speaker_has_a_colour_and_events_are_red() -> None:
    rows = [row.split("\t") for row in avid.serialise(TALK, Wanted()).splitlines()]
    assert [row[3] for row in rows] == ["green", "blue", "red", "cyan"]


def test_markers_of_one_frame_are_joined() -> None:
    both = listed(line("A", 2002, "One"), line("B", 2002 + 500, "Two"))
    (row,) = avid.serialise(both, Wanted()).splitlines()
    assert row.split("\t")[4] == "A: One / B: Two"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_writes_an_empty_list(name: str) -> None:
    empty = listed()
    made = FORMATS[name].write([Sheet(empty, one_clip(empty))], Style())
    assert isinstance(made, bytes if name == "midi" else str)


def test_the_formats_described_are_those_that_there_are() -> None:
    text = (Path(__file__).parents[1] / "docs" / "TRANSCRIPTS.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(FORMATS)
    keys = own_json.serialise([TALK])
    (found,) = json.loads(keys)["lists"]
    for name in (*found, *found["entries"][0], *found["entries"][0]["words"][0]):
        assert f"`{name}`" in text, name
