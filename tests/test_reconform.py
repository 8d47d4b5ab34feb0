"""Two versions of a cut give the changes an editor made and no others, and sound follows them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
import typer
from cuts import cuts
from hypothesis import given, settings
from hypothesis import strategies as st
from production import (
    BOOM_TRACK,
    CUT_START,
    PER_FRAME,
    RATE,
    Delivered,
    Home,
    Play,
    naive_track,
    sound_of,
    steps,
    write_otio,
)
from typer.testing import CliRunner
from wavinfo import WavInfoReader

from adapters.media.write import WaveWriter
from adapters.timelines.read import read_cut
from cli.reconform import command
from config.settings import Settings
from core.cut import Cut, Event, Fade, MediaReference, Track
from core.errors import InputError, OutputError
from core.match import Known
from core.media import SoundNotes
from core.reconform import ChangeList, Kind, changes
from core.recut import record_map
from core.time import RATES
from flows import change_list
from flows.change_list import in_words, summary, write_csv, write_html
from flows.progress import Silent
from flows.reconform import Request, reconform, recut_audio

FRAME_24 = RATES["24"]


def event(
    number: int,
    record: float,
    length: float,
    source: float,
    media: MediaReference | str = "1-T01",
    **more: Any,
) -> Event:
    """An event of track A1 in whole or sub-frames."""
    reference = MediaReference(name=media) if isinstance(media, str) else media
    places = (Fraction(value) for value in (record, length, source))
    return Event(f"A1/{number:03d}", *places, reference, (0,), **more)


def cut(*events: Event, rate: str = "24", start: int = 86_400, length: int = 0) -> Cut:
    """A cut of one track."""
    end = max([Fraction(length), *(item.record_end for item in events)])
    return Cut("cut", RATES[rate], start, end, (Track("A1", events),))


def kinds(found: ChangeList) -> list[str]:
    """The main kind of each change, in order."""
    return [str(change.kind) for change in found.changes]


def numbered(events: Sequence[Event]) -> tuple[Event, ...]:
    """Events with ids in their order."""
    return tuple(replace(item, id=f"A1/{i:03d}") for i, item in enumerate(events, 1))


@given(cuts(gains=True, automation=True, pans=True, disabled=True))
@settings(max_examples=60, deadline=None)
def test_a_cut_against_itself_has_no_changes(one: Cut) -> None:
    found = changes(one, one)
    assert all(
        change.kind is Kind.KEPT
        and change.old is not None
        and change.new is not None
        and change.old.id == change.new.id
        and not (change.changed or change.reordered)
        for change in found.changes
    )
    ids = [event.id for track in one.tracks for event in track.events]
    assert sorted(change.old.id for change in found.changes if change.old) == sorted(ids)


@given(cuts(), st.integers(1, 500))
@settings(max_examples=40, deadline=None)
def test_what_an_insert_pushes_along_is_only_moved(one: Cut, frames: int) -> None:
    tracks = tuple(
        replace(
            track,
            events=tuple(replace(e, record_start=e.record_start + frames) for e in track.events),
        )
        for track in one.tracks
    )
    found = changes(one, replace(one, tracks=tracks, length=one.length + frames))
    assert set(kinds(found)) == {"moved"}
    assert found.ripples == ((Fraction(frames), len(found.changes)),)


@given(cuts(), cuts())
@settings(max_examples=40, deadline=None)
def test_every_event_of_both_versions_is_listed_once(one: Cut, other: Cut) -> None:
    found = changes(one, replace(other, rate=one.rate))
    olds = [c.old.id for c in found.changes if c.old and c.kind is not Kind.ADDED]
    news = [c.new.id for c in found.changes if c.new and c.kind is not Kind.REMOVED]
    assert sorted(olds) == sorted(e.id for t in one.tracks for e in t.events)
    assert sorted(news) == sorted(e.id for t in other.tracks for e in t.events)


def test_each_kind_of_change_is_told_with_its_frames() -> None:
    takes = [MediaReference(name=f"{n}-T01") for n in range(1, 9)]
    old = cut(*(event(n + 1, 100 * n, 50, 1000, takes[n]) for n in range(8)))
    new = cut(
        event(1, 0, 50, 1000, takes[0]),
        event(2, 112, 50, 1000, takes[1]),
        event(3, 200, 44, 1000, takes[2]),
        event(4, 295, 55, 995, takes[3]),
        event(5, 400, 50, 1000, takes[4], speed=Fraction(3, 2)),
        event(6, 500, 50, 1007, takes[5]),
        event(7, 600, 50, 1000, takes[6], gain_db=-3.0, fade_in=Fade(Fraction(4))),
        event(8, 700, 50, 2000, takes[7]),
    )
    found = changes(old, new)
    told = {c.new.id if c.new else "removed": in_words(c) for c in found.changes}
    assert told == {
        "A1/001": "kept",
        "A1/002": "moved by +12",
        "A1/003": "tail trimmed by 6",
        "A1/004": "head extended by 5",
        "A1/005": "speed 1 to 1.5",
        "A1/006": "slipped by -7",
        "A1/007": "kept; fade in 0 to 4; gain 0 to -3 dB",
        "A1/008": "added",
        "removed": "removed",
    }
    assert Counter(kinds(found)) == {
        "kept": 2,
        "moved": 2,
        "trimmed": 1,
        "extended": 1,
        "retimed": 1,
        "added": 1,
        "removed": 1,
    }


def test_a_ripple_is_counted_by_how_far_it_moved() -> None:
    events = [event(n + 1, 50 * n, 50, 1000 + 100 * n) for n in range(44)]
    longer = [replace(events[0], record_length=Fraction(62))]
    longer += [replace(item, record_start=item.record_start + 12) for item in events[1:43]]
    found = changes(cut(*events[:43]), cut(*longer))
    assert summary(found) == ("42 moved by +12 frames", "1 extended")
    assert not any(change.reordered for change in found.changes)


def test_a_dissolve_that_goes_trims_nothing() -> None:
    fade = Fade(Fraction(12))
    old = cut(event(1, 0, 56, 0, fade_out=fade), event(2, 44, 56, 494, "2-T01", fade_in=fade))
    new = cut(event(1, 0, 50, 0), event(2, 50, 50, 500, "2-T01"))
    found = changes(old, new)
    assert kinds(found) == ["kept", "kept"]
    assert [change.changed for change in found.changes] == [("fade out",), ("fade in",)]


def test_events_that_pass_others_are_marked_and_the_rest_are_not() -> None:
    old = cut(*(event(n, 50 * n - 50, 50, 0, f"{n}-T01") for n in range(1, 6)))
    order = (1, 3, 4, 5, 2)
    new = cut(*(event(at, 50 * at - 50, 50, 0, f"{n}-T01") for at, n in enumerate(order, 1)))
    found = changes(old, new)
    assert [c.old.id for c in found.changes if c.reordered and c.old] == ["A1/002"]


SAME = [
    (
        MediaReference(name="12A-1", file_name="12A-T01", reel="SR014"),
        MediaReference(name="12A-T01", url="file:///Volumes/sound/12A-T01.WAV"),
    ),
    (
        MediaReference(name="12A-T01.new.01", reel="HARBOUR_"),
        MediaReference(name="12A-T01", reel="HARBOUR_DAY_14"),
    ),
    (
        MediaReference(name="Pier wide", reel="SR0140012"),
        MediaReference(name="Pier wide, again", reel="SR014001"),
    ),
    (
        MediaReference(url="D:\\Sound\\Boat%20one.wav"),
        MediaReference(url="file://localhost/d%3a/sound/boat%20one.aif"),
    ),
    (
        MediaReference(name="a", material_id="urn:smpte:umid:060A2B34"),
        MediaReference(name="b", material_id="URN:SMPTE:UMID:060a2b34"),
    ),
    (MediaReference(scene="27B", take="2"), MediaReference(name="027B_T02.wav")),
]
OTHER = [
    (MediaReference(name="12A-T01", reel="SR014"), MediaReference(name="12A-T02", reel="SR014")),
    (MediaReference(url="one.wav", reel="SR014"), MediaReference(url="two.wav", reel="SR014")),
    (MediaReference(name="one", reel="AX"), MediaReference(name="two", reel="AX")),
    (
        MediaReference(name="Audio", url="one.wav", available_length=Fraction(500)),
        MediaReference(name="Audio", url="two.wav", available_length=Fraction(700)),
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_media_named_in_two_ways_are_the_same(one: MediaReference, other: MediaReference) -> None:
    found = changes(cut(event(1, 0, 50, 1000, one)), cut(event(1, 0, 50, 1000, other)))
    assert kinds(found) == ["kept"]


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_media_that_differ_are_not_taken_for_one(
    one: MediaReference, other: MediaReference
) -> None:
    found = changes(cut(event(1, 0, 50, 1000, one)), cut(event(1, 0, 50, 1000, other)))
    assert sorted(kinds(found)) == ["added", "removed"]


def test_another_microphone_of_the_take_is_another_event() -> None:
    old = cut(event(1, 0, 50, 1000))
    new = cut(replace(event(1, 0, 50, 1000), channels=(2,)))
    assert sorted(kinds(changes(old, new))) == ["added", "removed"]


def test_a_place_in_the_file_and_its_timecode_are_the_same_place() -> None:
    by_timecode = MediaReference(
        "x", available_start=Fraction(90_000), available_length=Fraction(900)
    )
    by_file = replace(by_timecode, available_start=Fraction(0))
    old = cut(event(1, 0, 50, 90_300, by_timecode))
    found = changes(old, cut(event(1, 0, 40, 310, by_file)))
    assert [in_words(change) for change in found.changes] == ["head trimmed by 10, moved by -10"]


def test_known_media_decide_before_names() -> None:
    old = cut(event(1, 0, 50, 1000, "a"), event(2, 50, 50, 1000, "b"))
    new = cut(event(1, 0, 50, 7, "c"), event(2, 50, 50, 1000, "b"))
    # At 29.97 neither place is a whole sample: what rounding leaves is no trim.
    known = {"A1/001": Known("one", Fraction(20_020, 48_000))}
    others = {"A1/001": Known("one", Fraction(20_021, 48_000)), "A1/002": Known("x", Fraction(0))}
    found = changes(old, new, known | {"A1/002": Known("two", Fraction(0))}, others)
    assert kinds(found) == ["kept", "removed", "added"]


def test_versions_at_different_rates_are_compared_in_seconds() -> None:
    old = cut(event(1, 48, 240, 2400), event(2, 288, 48, 4800), start=86_400)
    new = cut(event(1, 50, 250, 2500), event(2, 325, 50, 5000), rate="25", start=90_000)
    found = changes(old, new)
    assert [(str(c.kind), c.shift) for c in found.changes] == [("kept", 0), ("moved", 25)]


def test_a_list_that_starts_at_its_first_event_moves_nothing() -> None:
    old = cut(event(1, 240, 50, 1000), event(2, 290, 30, 3000), start=86_400)
    new = cut(event(1, 0, 50, 1000), event(2, 50, 30, 3000), start=86_640)
    assert kinds(changes(old, new)) == ["kept", "kept"]
    (segment,) = record_map(changes(old, new))
    assert (segment.old_start, segment.new_start, segment.length) == (240, 0, 80)


def test_thousands_of_events_are_matched_as_they_were_edited() -> None:
    rng = np.random.default_rng(3)
    places = rng.permutation(40 * 500)
    events, edited = [], []
    at = moved = 0
    for number in range(2000):
        length = int(rng.integers(20, 120))
        source = int(places[number])
        item = event(number + 1, at, length, source, f"{source // 500}-T01")
        events.append(item)
        at += length
        if number % 97 == 3:
            moved -= length
            continue
        longer = 3 * (number % 31 == 5)
        edited.append(
            replace(
                item,
                record_start=item.record_start + moved,
                record_length=item.record_length + longer,
            )
        )
        moved += longer
    found = changes(cut(*events), cut(*numbered(edited)))
    counted = Counter(kinds(found))
    assert counted["removed"] == len(range(3, 2000, 97))
    assert counted["extended"] == len([n for n in range(5, 2000, 31) if n % 97 != 3])
    assert counted["added"] == counted["trimmed"] == counted["retimed"] == 0
    by_source = {item.source_start: item.id for item in events}
    assert all(
        change.old.id == by_source[change.new.source_start]
        for change in found.changes
        if change.new and change.old and change.kind is not Kind.REMOVED
    )


def segments(old: Cut, new: Cut) -> list[tuple[int, int, int]]:
    """Old start, new start and length of each stretch that is carried over, in frames."""
    mapped = record_map(changes(old, new))
    return [(int(s.old_start), int(s.new_start), int(s.length)) for s in mapped]


def test_both_halves_of_a_razored_event_are_carried_over() -> None:
    old = cut(event(1, 0, 100, 1000))
    new = cut(event(1, 0, 40, 1000), event(2, 60, 60, 1040))
    found = changes(old, new)
    assert sorted(map(in_words, found.changes)) == [
        "added, its sound was in A1/001",
        "tail trimmed by 60",
    ]
    assert segments(old, new) == [(0, 0, 40), (40, 60, 60)]


def test_silence_between_events_goes_along_where_both_sides_moved_alike() -> None:
    old = cut(event(1, 10, 40, 0), event(2, 100, 50, 0, "2-T01"), length=200)
    new = cut(event(1, 30, 40, 0), event(2, 120, 50, 0, "2-T01"), length=220)
    assert segments(old, new) == [(10, 30, 190)]
    apart = cut(event(1, 30, 40, 0), event(2, 130, 50, 0, "2-T01"), length=230)
    assert segments(old, apart) == [(10, 30, 40), (100, 130, 100)]


def test_what_was_removed_does_not_come_back_with_the_silence_it_left() -> None:
    old = cut(event(1, 0, 50, 0), event(2, 50, 50, 0, "2-T01"), event(3, 100, 50, 0, "3-T01"))
    new = cut(event(1, 0, 50, 0), event(2, 100, 50, 0, "3-T01"))
    assert segments(old, new) == [(0, 0, 50), (100, 100, 50)]


def test_most_tracks_decide_where_the_record_went() -> None:
    def three(*places: int) -> Cut:
        tracks = [
            Track(name, (replace(event(1, at, 50, 0, f"{name}-T01"), id=f"{name}/001"),))
            for name, at in zip(("1A", "2A", "3A"), places, strict=True)
        ]
        return Cut("three", FRAME_24, 0, Fraction(100), tuple(tracks))

    assert segments(three(0, 0, 0), three(20, 20, 5)) == [(0, 5, 15), (0, 20, 50)]


@given(cuts(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_map_is_in_order_and_within_the_new_cut(one: Cut, chance: Any) -> None:
    tracks = tuple(
        replace(
            track,
            events=tuple(
                replace(item, record_start=item.record_start + chance.randrange(40))
                for item in track.events
                if chance.random() < 0.8
            ),
        )
        for track in one.tracks
    )
    other = replace(one, tracks=tracks, length=one.length + 40)
    at = Fraction(0)
    for segment in record_map(changes(one, other)):
        assert segment.new_start >= at
        assert segment.length > 0
        assert segment.joins_before == (segment.new_start == at and at > 0)
        at = segment.new_end
    assert at <= other.length


OLD = (
    Play(BOOM_TRACK, "1-T01", 6, 20, 44),
    Play(BOOM_TRACK, "1-T02", 50, 30, 46),
    Play(BOOM_TRACK, "2-T01", 110, 10, 30),
)
NEW = (
    Play(BOOM_TRACK, "1-T02", 2, 30, 46),
    Play(BOOM_TRACK, "1-T01", 48, 30, 34),
    Play(BOOM_TRACK, "2-T01", 90, 10, 40),
)
NEW_FRAMES = 140
JOIN = 48 * PER_FRAME
HALF_JOIN = RATE // 200


@pytest.fixture
def versions(film: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two cuts of the production with hard cuts only, in which two events change places."""
    old, new = tmp_path / "old.otio", tmp_path / "new.otio"
    sound = str(film / "sound")
    return write_otio(old, OLD, sound=sound), write_otio(new, NEW, NEW_FRAMES, sound=sound)


def listed(old: Path, new: Path) -> ChangeList:
    """The changes from one file to another."""
    return changes(*(read_cut(path, RATES["24"]) for path in (old, new)))


def old_track(film: Path) -> np.ndarray:
    """The old version's sound in steps of 24 bit, two channels, the second inverted."""
    track = naive_track(film, OLD, BOOM_TRACK)
    return np.stack([track, -track], axis=1)


def write_wave(path: Path, grid: np.ndarray, subtype: Any, notes: SoundNotes) -> Path:
    """A broadcast wave of some steps."""
    with WaveWriter(path, RATE, grid.shape[1], subtype, notes) as writer:
        writer.write(grid)
    return path


def expected_recut(film: Path) -> np.ndarray:
    """The old record laid by hand as the new version has it, with its one crossfade."""
    old = old_track(film).astype(np.float64)
    new = np.zeros((NEW_FRAMES * PER_FRAME, 2))

    def lay(old_at: int, new_at: int, length: int) -> None:
        new[new_at : new_at + length] += old[old_at : old_at + length]

    lay(50 * PER_FRAME, 2 * PER_FRAME, 46 * PER_FRAME - HALF_JOIN)
    lay(16 * PER_FRAME + HALF_JOIN, JOIN + HALF_JOIN, 34 * PER_FRAME - HALF_JOIN)
    lay(110 * PER_FRAME, 90 * PER_FRAME, 30 * PER_FRAME)
    ramp = np.sin(np.pi / 2 * (np.arange(2 * HALF_JOIN) + 0.5) / (2 * HALF_JOIN))[:, None]
    out_at, in_at = 96 * PER_FRAME - HALF_JOIN, 16 * PER_FRAME - HALF_JOIN
    new[JOIN - HALF_JOIN : JOIN + HALF_JOIN] = (
        old[out_at : out_at + 2 * HALF_JOIN] * ramp[::-1]
        + old[in_at : in_at + 2 * HALF_JOIN] * ramp
    )
    return np.rint(new).astype(np.int64)


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_sound_of_the_old_cut_is_laid_where_the_new_one_has_it(
    film: Path, versions: tuple[Path, Path], tmp_path: Path, subtype: str
) -> None:
    notes = SoundNotes(scene="7", description="music", coding_history="A=PCM,F=48000")
    audio = write_wave(tmp_path / "music.wav", old_track(film), subtype, notes)
    out = tmp_path / "music.recut.wav"
    assert recut_audio(listed(*versions), audio, out, Silent()) == ()
    np.testing.assert_array_equal(steps(out), expected_recut(film))
    info = WavInfoReader(str(out))
    assert info.bext.time_reference == CUT_START * PER_FRAME
    assert info.bext.description == "music"
    assert info.bext.coding_history.startswith("A=PCM,F=48000\r\n")
    assert info.ixml.scene == "7"
    assert sf.info(out).subtype == subtype


def test_a_time_reference_places_sound_that_is_longer_than_the_cut(
    film: Path, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    lead = 8 * RATE + 7
    grid = np.concatenate([np.full((lead, 2), 5), old_track(film), np.full((99, 2), 5)])
    notes = SoundNotes(time_reference=CUT_START * PER_FRAME - lead)
    audio = write_wave(tmp_path / "long.wav", grid, "PCM_24", notes)
    out = tmp_path / "long.recut.wav"
    recut_audio(listed(*versions), audio, out, Silent())
    np.testing.assert_array_equal(steps(out), expected_recut(film))


def test_sound_that_can_not_be_used_is_told_before_a_list_is_written(
    film: Path, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    good, text, short = (tmp_path / name for name in ("good.wav", "text.wav", "short.wav"))
    write_wave(good, old_track(film), "PCM_24", SoundNotes())
    text.write_text("no sound at all")
    sf.write(short, np.zeros(5 * RATE), RATE, subtype="PCM_16")
    for audio in (text, short):
        out = tmp_path / f"out {audio.stem}"
        request = Request(*versions, out=out, audio=(good, audio))
        with pytest.raises(InputError, match=audio.name):
            reconform(Settings(), request, Silent())
        assert not [path for path in out.glob("*") if path.suffix != ".wav"]


def test_sound_of_another_length_is_refused_by_name(
    film: Path, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    audio = tmp_path / "other.wav"
    sf.write(audio, np.zeros(5 * RATE), RATE, subtype="PCM_16")
    with pytest.raises(InputError, match=r"other\.wav does not go with the old cut"):
        recut_audio(listed(*versions), audio, tmp_path / "x.wav", Silent())
    assert not (tmp_path / "x.wav").exists()


def test_no_output_covers_an_input(versions: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = versions
    moved = new.rename(tmp_path / "changes.otio")
    before = moved.read_bytes()
    with pytest.raises(OutputError, match="is an input of this run"):
        reconform(None, Request(old, moved, out=tmp_path), Silent())  # type: ignore[arg-type]
    assert moved.read_bytes() == before


def hostile() -> ChangeList:
    """Changes whose names are meant to run in a page or a spreadsheet."""
    name = "=1+<script>alert('x')</script>"
    old = cut(event(1, 0, 50, 0, name), event(2, 50, 50, 0, "2-T01"))
    new = cut(event(1, 10, 50, 0, name), event(2, 60, 30, 0, "3-T01"))
    return changes(replace(old, name=name), replace(new, name=name))


def test_names_in_the_page_and_the_table_are_only_text(tmp_path: Path) -> None:
    write_html(hostile(), ("A note with <b>.",), tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert not any(word in page for word in ("http:", "https:", "src=", "@import", "url("))
    write_csv(hostile(), tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["kind"] for row in table] == ["moved", "removed", "added"]
    assert table[0]["media"].startswith("'=1+")
    assert (table[0]["old_in"], table[0]["new_in"]) == ("01:00:00:00", "01:00:00:10")


def test_the_page_joins_what_moved_and_shows_both_versions(tmp_path: Path) -> None:
    write_html(hostile(), (), tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text("utf-8")
    assert page.count('<line class="link moved"') == 1
    for kind, blocks in (("moved", 2), ("added", 1), ("removed", 1)):
        # Each kind once more in the legend.
        assert page.count(f'<rect class="block {kind}"') == blocks + 1


def test_the_marked_timeline_has_a_coloured_marker_for_each_change(
    versions: tuple[Path, Path], film: Path, tmp_path: Path
) -> None:
    found = listed(*versions)
    change_list.write_otio(found, versions[1].parent, tmp_path / "changes.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "changes.otio"))
    markers = {
        int(m.marked_range.start_time.value): (m.color, m.name) for m in timeline.tracks.markers
    }
    assert markers == {
        2: ("BLUE", "1 moved by -48"),
        48: ("ORANGE", "2 head trimmed by 10, moved by +32, in another order"),
        90: ("CYAN", "3 tail extended by 10, moved by -20"),
    }
    for clip in timeline.find_clips():
        assert clip.media_reference.target_url == (film / "sound" / f"{clip.name}.wav").as_uri()


def run(home: Home, *words: str | Path) -> Any:
    """`roomtone reconform` with JSON, in this process."""
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, [*map(str, words), "--json"], env=dict(home.variables))
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_change_edl_says_where_in_the_old_record_each_stretch_was(
    versions: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    told = run(Home(tmp_path / "home"), *versions, "--out", out)
    assert {Path(path).name for path in told["files"]} == {
        "changes.csv",
        "changes.edl",
        "changes.otio",
        "changes.html",
    }
    change = read_cut(out / "changes.edl", RATES["23.976"])
    (track,) = change.audio_tracks
    events = [
        (int(e.source_start), int(change.start + e.record_start), int(e.record_length))
        for e in track.events
    ]
    assert events == [
        (CUT_START + 50, CUT_START + 2, 46),
        (CUT_START + 16, CUT_START + 48, 34),
        (CUT_START + 110, CUT_START + 90, 30),
    ]
    assert {e.media.reel for e in track.events} == {"old"}


def test_only_takes_that_are_new_are_cleaned_and_stems_equal_a_fresh_run(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    film = delivered.film
    told = run(
        own_home, film / "v1.otio", film / "v2.otio", "--media", film, "--out", tmp_path / "out"
    )
    # The boom of 2-T01; the other two were cleaned for the first version.
    assert (told["delivery"]["takes"], told["delivery"]["takes_cleaned"]) == (3, 1)
    fresh = Home(tmp_path / "fresh")
    ran = fresh.run("clean", film / "v2.otio", "--out", tmp_path / "again", "--direct")
    assert ran.code == 0, ran.err
    assert sound_of(tmp_path / "out" / "stems") == sound_of(tmp_path / "again" / "stems")


def truth_events(harbour: Path, version: str, format_name: str) -> list[dict[str, Any]]:
    """The events of a cut of the shared production that a format holds: an EDL the boom only."""
    known = json.loads((harbour / "truth" / f"cut_{version}.json").read_text())["events"]
    return [item for item in known if format_name == "otio" or item["channel"] == 2]


def truth_changes(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> Iterator[tuple[object, ...]]:
    """What happened to each event, by the truth of both versions alone."""
    left = list(new)
    for one in old:
        name = (one["take"], one["channel"])
        first, last = one["source_in"], one["source_in"] + one["length"]
        other = next(
            (
                item
                for item in left
                if (item["take"], item["channel"]) == name
                and item["source_in"] < last
                and first < item["source_in"] + item["length"]
            ),
            None,
        )
        if other is None:
            yield (*name, "removed", 0, 0, 0)
            continue
        left.remove(other)
        head = first - other["source_in"]
        tail = other["source_in"] + other["length"] - last
        shift = other["record_start"] + head - one["record_start"]
        kind = "extended" if head + tail > 0 else "trimmed" if head + tail else "moved"
        yield (*name, kind, shift, head, tail)
    for item in left:
        yield (item["take"], item["channel"], "added", 0, 0, 0)


@pytest.mark.shared
@pytest.mark.parametrize("old_format", ["otio", "edl"])
@pytest.mark.parametrize("new_format", ["otio", "edl"])
def test_two_versions_of_a_real_cut_give_exactly_what_changed(
    harbour: Path, old_format: str, new_format: str
) -> None:
    old, new = (
        read_cut(harbour / "cuts" / f"cut_{version}.{name}", RATES["23.976"])
        for version, name in (("v1", old_format), ("v2", new_format))
    )
    got = []
    for change in changes(old, new).changes:
        item = change.new or change.old
        assert item is not None
        if change.medium == "audio":
            scene, _, take = item.media.name.rpartition("-")
            name = (f"{scene}-T0{take[-1]}", item.channels[0] + 1)
            got.append((*name, str(change.kind), change.shift, change.head, change.tail))
    wanted = truth_changes(
        truth_events(harbour, "v1", old_format), truth_events(harbour, "v2", new_format)
    )
    assert Counter(got) == Counter(wanted)


@pytest.mark.shared
def test_a_real_production_track_is_re_cut_to_the_sample(harbour: Path, tmp_path: Path) -> None:
    old, new = (steps(harbour / "truth" / f"cut_{v}.A1_DX.prod.flac") for v in ("v1", "v2"))
    found = listed(*(harbour / "cuts" / f"cut_{v}.otio" for v in ("v1", "v2")))
    audio = write_wave(tmp_path / "prod.wav", old, "PCM_24", SoundNotes())
    recut_audio(found, audio, tmp_path / "recut.wav", Silent())
    got = steps(tmp_path / "recut.wav")
    assert len(got) == len(new)
    apart = set(np.flatnonzero(got != new) // PER_FRAME)
    # A frame about each join, and what is new: 15 frames of 27B-T01 and all of 12A-T01 at the end.
    joins = {frame for join in (372, 502, 642, 743) for frame in (join - 1, join)}
    assert apart <= joins | set(range(903, 918)) | set(range(928, 976))


def test_a_cleaned_mono_is_known_for_the_channel_of_the_poly_file_that_it_was() -> None:
    def cut(name: str, channel: int, start: int) -> Cut:
        media = MediaReference(name="12A-3", file_name=name, scene="12A", take="3")
        item = Event("A1/001", Fraction(start), Fraction(48), Fraction(500), media, (channel,))
        return Cut("reel", RATES["24"], 0, Fraction(start + 48), (Track("A1", (item,)),))

    found = changes(cut("12A-T03.wav", 1, 0), cut("12A_3_BOOM.wav", 0, 6))
    assert [change.kind for change in found.changes] == ["moved"]
    assert "channels" not in found.changes[0].changed
