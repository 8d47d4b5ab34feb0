"""A REAPER project places every event to the sample, as an independent parser of RPP reads it."""

from __future__ import annotations

import math
import re
import tempfile
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import pytest
from cuts import cuts
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.timelines import reaper
from adapters.timelines.named import NamedMedia
from core.cut import Cut, Event, Fade, FadeShape, GainPoint, Marker, MediaReference, Track
from core.time import RATES, frames_to_samples

RATE = 48000
TOKEN = re.compile(r""""([^"]*)"|'([^']*)'|`([^`]*)`|(\S+)""")


@dataclass
class Node:
    """A block of a project: its head's tokens, its lines by their first word, its blocks."""

    head: list[str]
    lines: list[list[str]] = field(default_factory=list)
    blocks: list[Node] = field(default_factory=list)

    def line(self, word: str) -> list[str]:
        return next(line[1:] for line in self.lines if line[0] == word)

    def all(self, word: str) -> list[Node]:
        return [block for block in self.blocks if block.head[0] == word]


def tokens(line: str) -> list[str]:
    return [next(g for g in m.groups() if g is not None) for m in TOKEN.finditer(line)]


def parse(text: str) -> Node:
    root = Node(["ROOT"])
    stack = [root]
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("|"):
            stack[-1].lines.append(["|", line[1:]])
        elif line.startswith("<"):
            node = Node(tokens(line[1:]))
            stack[-1].blocks.append(node)
            stack.append(node)
        elif line == ">":
            stack.pop()
        else:
            stack[-1].lines.append(tokens(line))
    assert stack == [root]
    assert len(root.blocks) == 1
    return root.blocks[0]


def named(name: str, start: int, seconds: int = 125, channels=(0,), width: int = 1) -> NamedMedia:
    path = Path("/show/sound") / name
    frames = seconds * RATE
    return NamedMedia(
        path, name, Fraction(start), Fraction(3000), RATE, frames, tuple(channels), width
    )


def written(cut: Cut, media: dict[str, dict[str, NamedMedia]]) -> Node:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "delivery" / "cut.rpp"
        reaper.write(cut, media, path)
        return parse(path.read_text(encoding="utf-8"))


def one(event: Event, **changes: object) -> tuple[Cut, Event]:
    event = replace(event, **changes)
    return Cut("Reel 1", RATES["24"], 86400, Fraction(240), (Track("DX", (event,)),)), event


EVENT = Event(
    "DX/001",
    Fraction(24),
    Fraction(48),
    Fraction(1100),
    MediaReference(name="12A-T03"),
    channels=(0,),
)


def items(project: Node, track: str) -> list[Node]:
    return next(t for t in project.all("TRACK") if t.line("NAME") == [track]).all("ITEM")


@settings(max_examples=40, deadline=None)
@given(
    cuts(
        rates=tuple(RATES.values()),
        shapes=tuple(FadeShape),
        speeds=(Fraction(1), Fraction(2), Fraction(1, 2), Fraction(25, 24)),
        gains=True,
        pans=True,
        disabled=True,
    )
)
def test_every_item_lies_on_the_sample_of_its_event(cut: Cut) -> None:
    starts = {e.id: int(e.media.available_start or 0) for t in cut.tracks for e in t.events}
    media = {
        name: {"original": named("raw.wav", start), "cleaned": named("clean.wav", start - 10)}
        for name, start in starts.items()
    }
    project = written(cut, media)
    fps = cut.rate.fps

    def sample(frames: Fraction) -> int:
        origin = frames_to_samples(cut.start, fps, RATE)
        return frames_to_samples(cut.start + frames, fps, RATE) - origin

    for track in cut.audio_tracks:
        for lane, shift in (("raw", 0), ("cleaned", 10)):
            found = items(project, f"{track.name} {lane}")
            assert len(found) == len(track.events)
            for item, event in zip(found, track.events, strict=True):
                start, end = sample(event.record_start), sample(event.record_end)
                position, length = (float(item.line(word)[0]) for word in ("POSITION", "LENGTH"))
                assert abs(position * RATE - start) < 1e-4
                assert abs((position + length) * RATE - end) < 1e-4
                into = (event.source_start - starts[event.id] + shift) / fps * RATE
                assert abs(float(item.line("SOFFS")[0]) * RATE - into) <= 0.5001
                assert abs(float(item.line("PLAYRATE")[0]) - event.speed) < 1e-11
                volume, pan = (float(text) for text in item.line("VOLPAN")[:2])
                assert math.isclose(20 * math.log10(volume), event.gain_db, abs_tol=1e-6)
                assert pan == (event.pan or 0)
                assert item.line("MUTE")[0] == ("0" if event.enabled else "1")
                for word, fade in (("FADEIN", event.fade_in), ("FADEOUT", event.fade_out)):
                    shape, seconds = item.line(word)[:2]
                    expected = float(fade.length / fps) if fade else 0.0
                    assert abs(float(seconds) - expected) <= 1 / RATE
                    if fade:
                        assert shape == ("0" if fade.shape is FadeShape.LINEAR else "1")


def test_the_project_counts_as_the_cut_does() -> None:
    expected = {"23.976": "24 2", "25": "25 0", "29.97 DF": "30 1", "29.97": "30 2", "48": "48 0"}
    for name, words in expected.items():
        cut = Cut("c", RATES[name], 90000, Fraction(10), (Track("A1", ()),))
        project = written(cut, {})
        assert project.line("TIMEMODE")[3:5] == words.split()
        offset = float(project.line("PROJOFFS")[0])
        assert abs(offset - 90000 / float(RATES[name].fps)) < 1e-9
        assert project.line("SAMPLERATE")[0] == "48000"


def test_raw_and_removed_are_muted_so_that_cleaned_plays() -> None:
    cut, event = one(EVENT)
    names = ("original", "cleaned", "removed")
    project = written(cut, {event.id: {name: named(f"{name}.wav", 1000) for name in names}})
    tracks = project.all("TRACK")
    assert [(t.line("NAME")[0], t.line("MUTESOLO")[0], t.line("ISBUS")) for t in tracks] == [
        ("DX", "0", ["1", "1"]),
        ("DX raw", "1", ["0", "0"]),
        ("DX cleaned", "0", ["0", "0"]),
        ("DX removed", "1", ["2", "-1"]),
    ]
    sources = [items(project, f"DX {lane}")[0].all("SOURCE")[0] for lane in ("raw", "cleaned")]
    assert [source.head for source in sources] == [["SOURCE", "WAVE"]] * 2
    assert sources[0].line("FILE")[0].endswith("show/sound/original.wav")
    assert sources[0].line("FILE")[0].startswith("../")


def test_without_removed_sound_the_notes_say_so() -> None:
    cut, event = one(EVENT)
    project = written(
        cut, {event.id: {"original": named("o.wav", 0), "cleaned": named("c.wav", 0)}}
    )
    assert [track.line("NAME")[0] for track in project.all("TRACK")] == [
        "DX",
        "DX raw",
        "DX cleaned",
    ]
    assert any("no tracks of removed sound" in line[1] for line in project.all("NOTES")[0].lines)


def test_what_was_not_cleaned_still_plays_and_says_so() -> None:
    cut, event = one(EVENT)
    project = written(cut, {event.id: {"original": named("o.wav", 1000)}})
    item = items(project, "DX cleaned")[0]
    assert item.line("NAME") == ["12A-T03 (not cleaned)"]
    assert item.all("SOURCE")[0].line("FILE")[0].endswith("o.wav")
    offline = written(cut, {})
    assert not items(offline, "DX cleaned")
    notes = [line[1] for line in offline.all("NOTES")[0].lines]
    assert "Left out, for their media are offline: DX/001." in notes


@pytest.mark.parametrize(
    ("channels", "width", "modes"),
    [
        ((0,), 1, ["0"]),
        ((0, 1), 2, ["0"]),
        ((0,), 8, ["3"]),
        ((1,), 8, ["4"]),
        ((2,), 8, ["5"]),
        ((63,), 128, ["66"]),
        ((64,), 128, ["131"]),
        ((127,), 128, ["194"]),
        ((0, 1), 8, ["67"]),
        ((63, 64), 128, ["130"]),
        ((64, 65), 128, ["195"]),
        ((0, 2), 8, ["3", "5"]),
        ((1, 2, 3), 8, ["4", "5", "6"]),
    ],
)
def test_channel_modes_are_those_of_reapers_chunk_reference(
    channels: tuple[int, ...], width: int, modes: list[str]
) -> None:
    cut, event = one(EVENT)
    media = {event.id: {"cleaned": named("c.wav", 1000, 125, channels, width)}}
    found = items(written(cut, media), "DX cleaned")
    assert [item.line("CHANMODE")[0] for item in found] == modes
    assert len({item.line("POSITION")[0] for item in found}) == 1


def test_backwards_plays_a_reversed_source() -> None:
    cut, event = one(EVENT, speed=Fraction(-2))
    item = items(written(cut, {event.id: {"cleaned": named("c.wav", 1000)}}), "DX cleaned")[0]
    section = item.all("SOURCE")[0]
    assert (section.head, section.line("MODE")) == (["SOURCE", "SECTION"], ["3"])
    assert section.all("SOURCE")[0].line("FILE")[0].endswith("c.wav")
    # The event starts 100 frames into the file, which is 125 s long.
    assert float(item.line("SOFFS")[0]) == pytest.approx(125 - 100 / 24, abs=1 / RATE)
    assert float(item.line("PLAYRATE")[0]) == 2


def test_pitch_is_kept_where_the_cut_asks_for_it() -> None:
    for keeps in (True, False):
        cut, event = one(EVENT, speed=Fraction(2), keeps_pitch=keeps)
        item = items(written(cut, {event.id: {"cleaned": named("c.wav", 0)}}), "DX cleaned")[0]
        assert item.line("PLAYRATE")[1] == str(int(keeps))


def test_automation_stays_within_a_tenth_of_a_decibel_of_straight() -> None:
    points = (GainPoint(Fraction(12), 0.0), GainPoint(Fraction(36), -30.0))
    cut, event = one(EVENT, automation=points, speed=Fraction(2))
    item = items(written(cut, {event.id: {"cleaned": named("c.wav", 0)}}), "DX cleaned")[0]
    line = [
        [float(word) for word in row[1:3]] for row in item.all("VOLENV")[0].lines if "PT" in row
    ]
    # A take's envelope counts in the take's own time: twice as fast here.
    assert line[0][0] == pytest.approx(2 * 12 / 24)
    assert line[-1][0] == pytest.approx(2 * 36 / 24)
    for i in range(1, 200):
        time = 1.0 + 2.0 * i / 200
        after = next(k for k, point in enumerate(line) if point[0] >= time)
        (left, low), (right, high) = line[after - 1], line[after]
        level = low + (high - low) * (time - left) / (right - left)
        assert 20 * math.log10(level) == pytest.approx(-30 * (time - 1) / 2, abs=0.1)


def test_markers_and_regions() -> None:
    cut, _ = one(EVENT)
    cut = replace(
        cut,
        markers=(
            Marker(Fraction(24), "Door", "too loud"),
            Marker(Fraction(48), "Scene", length=Fraction(72)),
        ),
    )
    lines = [line for line in written(cut, {}).lines if line[0] == "MARKER"]
    assert [(line[1], float(line[2]), line[3], line[4]) for line in lines] == [
        ("1", 1.0, "Door: too loud", "0"),
        ("2", 2.0, "Scene", "1"),
        ("2", 5.0, "", "1"),
    ]


def test_what_lies_before_the_first_frame_is_cut_off() -> None:
    cut, event = one(EVENT, record_start=Fraction(-24), fade_in=Fade(Fraction(36)))
    item = items(written(cut, {event.id: {"cleaned": named("c.wav", 1000)}}), "DX cleaned")[0]
    assert [float(item.line(word)[0]) for word in ("POSITION", "LENGTH")] == [0, 1]
    assert float(item.line("SOFFS")[0]) == pytest.approx(124 / 24, abs=1 / RATE)
    assert float(item.line("FADEIN")[1]) == pytest.approx(0.5)


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_name_is_one_token_on_one_line(name: str) -> None:
    text = reaper.quoted(name)
    assert "\n" not in text
    assert len(tokens(text)) == 1
    plain = " ".join(name.replace("\0", " ").split())
    if not all(mark in plain for mark in "\"'`"):
        assert tokens(text) == [plain]


def test_hostile_names_keep_the_project_whole() -> None:
    bad = "a \"b\" 'c' `d`\n>\n<TRACK"
    cut, event = one(EVENT, media=MediaReference(name=bad))
    cut = replace(cut, name=bad, markers=(Marker(Fraction(1), bad),), warnings=(bad,))
    cut = replace(cut, tracks=(replace(cut.tracks[0], name=bad),))
    project = written(cut, {event.id: {"cleaned": named("c.wav", 0)}})
    assert [block.head[0] for block in project.blocks] == ["NOTES", "TRACK", "TRACK", "TRACK"]


def test_the_same_cut_is_the_same_bytes(tmp_path: Path) -> None:
    cut, event = one(EVENT)
    media = {event.id: {"original": named("o.wav", 0)}}
    for name in ("one.rpp", "two.rpp"):
        reaper.write(cut, media, tmp_path / name)
    assert (tmp_path / "one.rpp").read_bytes() == (tmp_path / "two.rpp").read_bytes()
