"""The report names every event, hides nothing, runs nothing and asks nobody for anything."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from fractions import Fraction
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from PIL import Image

from adapters.media.relink import Link, Offline
from config.deliveries import load_delivery
from config.recipes import load_recipe
from core.cut import Cut, Event, Fade, Marker, MediaReference, Track
from core.errors import InputError
from core.media import MediaFile, SoundNotes
from core.plan import Take
from core.speech import Line, Word
from core.time import RATES
from flows import clip_view, report
from flows.listen import Heard
from flows.microphones import LineMicrophone, MicrophoneReport, TakeMicrophones
from flows.mono_sum import CutMicrophones, Doubled
from flows.pictures import (
    colours,
    cut_picture,
    frequency_ticks,
    second_ticks,
    spectrogram_png,
    timecode,
)
from flows.progress import Silent
from flows.report import Brief, write_report
from flows.stems import Rendered, Stem, StemName
from flows.takes import CleanedTake
from flows.turnover import Turnover
from models.alignment import Alignment
from models.card import ModelCard
from models.loudness import GainDecision
from models.microphones import Kind, Microphone
from models.mono_sum import MonoSum
from models.quality import Gate

RATE = 48_000
EVIL = '<script>alert("x")</script>'
VOID = {"meta", "img", "br", "link", "input", "hr"}
CARD = ModelCard("RNNoise", "0.2", "pyrnnoise 0.4.5", "ab" * 32, "BSD-3-Clause", "speech", "", True)


class World:
    """A cut of two tracks over one ten-second take: two clips play, one is offline, one is off."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.out.mkdir()
        rng = np.random.default_rng(7)
        sound = 0.1 * rng.standard_normal((10 * RATE, 2))
        raw, clean = folder / "12A-T01.wav", folder / "clean.wav"
        sf.write(raw, sound, RATE, "PCM_24")
        sf.write(clean, 0.1 * sound[:, 1:], RATE, "FLOAT")
        notes = SoundNotes(
            scene="12A",
            take="3",
            tape="SR014",
            circled=True,
            track_names=((0, "MIX"), (1, f"BOOM{EVIL}")),
            timecode_rate=RATES["25"],
            time_reference=10 * 3600 * RATE,
        )
        self.media = MediaFile(
            raw, "WAV", "PCM_24", RATE, 2, 10 * RATE, raw.stat().st_size, 0, notes, essence="e1"
        )
        take = Take("e1", (1,))
        gates = (
            Gate("lag", 0.0, "samples", 0.0, True, "The cleaned sound lags the original."),
            Gate("air", 4.8, "dB", 4.0, False, "Loss at 8-20 kHz in speech."),
            Gate("over-suppressed", 0.125, "share", 0.2, True, "Share that came out lower."),
        )
        self.cleaned = {
            take.id: CleanedTake(take, self.media, "k", clean, "s", CARD, (gates,), (), (), True)
        }
        words = (
            Word("before", RATE, RATE + 100),
            Word("cross", 3 * RATE, 3 * RATE + 100),
            Word(EVIL, 3 * RATE + 200, 3 * RATE + 300),
        )
        line = Line(f"REN{EVIL}", RATE, 4 * RATE, words, "en-us", draft=True)
        self.heard = {"e1": Heard(self.media, (line,), "en-us", True, "", True)}
        self.turnover = Turnover(
            cut=_cut(),
            path=folder / "reel.otio",
            digest="d" * 64,
            links={
                "A1/001": Link("A1/001", self.media, "reel", 2 * RATE, (1,), ("Chosen here.",)),
                "A1/002": Link("A1/002", self.media, "name", 6 * RATE, (1,), ()),
            },
            offline=(Offline("A2/001", f"No file matches {EVIL}.", (Path("near-miss.wav"),)),),
            media={"e1": self.media},
            notes=(),
        )
        stem = Stem(
            StemName("DX", "A1"),
            self.out / "stems" / "reel #1.A1.DX.wav",
            1,
            8 * RATE,
            "PCM_24",
            (take.id,),
        )
        gain = GainDecision(-1.5, -23.0, False, "-1.5 dB bring the programme to -23 LUFS.")
        self.rendered = Rendered((stem,), RATE, 3600 * RATE, 8 * RATE, -21.5, -3.3, gain)

    def write(self, microphones: CutMicrophones | None = None) -> str:
        path = write_report(
            self.out,
            self.turnover,
            self.cleaned,
            self.heard,
            self.rendered,
            Brief(
                load_recipe("standard"),
                load_delivery("none"),
                self.out,
                ("RNNoise stands in.", f"A note {EVIL}."),
                microphones,
            ),
            Silent(),
        )
        return path.read_text(encoding="utf-8")


def _cut() -> Cut:
    def event(name: str, start: int, length: int, **more: object) -> Event:
        media = MediaReference(name=f"clip {name} {EVIL}")
        return replace(Event(name, Fraction(start), Fraction(length), Fraction(0), media), **more)

    dissolve = Fade(Fraction(10))
    return Cut(
        name=f"Reel {EVIL}",
        rate=RATES["25"],
        start=90_000,
        length=Fraction(200),
        tracks=(
            Track(
                "A1",
                (
                    event("A1/001", 0, 60, fade_out=dissolve),
                    event("A1/002", 50, 50, fade_in=dissolve),
                ),
            ),
            Track(f"A2{EVIL}", (event("A2/001", 110, 40), event("A2/002", 160, 40, enabled=False))),
        ),
        markers=(Marker(Fraction(75), "ADR", EVIL),),
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Reader(HTMLParser):
    """The tags that do not close, every attribute, and the text outside style sheets."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def _pictures(page: str) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r"data:image/png;base64,([^\"]+)", page)]


def _sections(page: str) -> dict[str, str]:
    """The text of each clip's section, by event."""
    parts = re.findall(r'<section class="clip.*?</section>', page, re.DOTALL)
    return {re.search(r"<h3[^>]*>(.*?)</h3>", part)[1]: Reader(part).text for part in parts}


def test_every_event_of_the_cut_is_in_the_picture(world: World) -> None:
    titles = [unescape(title) for title in re.findall("<title>(.*?)</title>", world.write())]
    said = {title.split(",")[0] for title in titles[1:]}
    assert said >= {"A1/001: flagged", "A1/002: flagged", "A2/001: offline", "A2/002: off"}


def test_clips_come_in_record_order_with_their_facts(world: World) -> None:
    sections = _sections(world.write())
    assert list(sections) == ["A1/001", "A1/002"]
    text = sections["A1/001"]
    # 25 frames a second from 01:00:00:00; the file starts at 10:00:00:00, the clip 2 s into it.
    assert "01:00:00:00 – 01:00:02:10" in text
    assert "10:00:02:00 – 10:00:04:10" in text
    for fact in ("12A-T01.wav", "12A", "3 (circled)", "SR014", "reel and timecode", "Chosen here."):
        assert fact in text
    assert "01:00:02:00 – 01:00:04:00" in sections["A1/002"]


def test_a_gate_that_failed_says_so_in_words(world: World) -> None:
    text = " ".join(_sections(world.write())["A1/001"].split())
    assert "4.80OVER" in text
    assert "12.5 %" in text
    assert text.count("OVER") == 1
    assert "Flagged" in text


def test_offline_events_are_listed_with_reason_and_candidates(world: World) -> None:
    text = Reader(world.write()).text
    listed = text[text.index("What was offline", text.index("The cut")) :]
    listed = listed[: listed.index("Flagged clips")]
    for word in (
        "A2/001",
        "01:00:04:10",
        "01:00:06:00",
        f"No file matches {EVIL}.",
        "near-miss.wav",
    ):
        assert word in listed


def test_lines_are_cut_to_the_words_that_the_clip_plays(world: World) -> None:
    sections = _sections(world.write())
    assert f"… cross {EVIL}" in sections["A1/001"]
    assert "before" not in sections["A1/001"]
    # The line starts before the clip: it is placed where the clip starts.
    assert "01:00:00:00" in sections["A1/001"]
    assert "cross" not in sections["A1/002"]


def test_stand_ins_and_drafts_are_said_and_absent_otherwise(world: World) -> None:
    text = Reader(world.write()).text
    for word in ("Stand-in.", "STAND-IN", "Draft transcript.", "DRAFT", "BSD-3-Clause", "abab"):
        assert word in text
    world.cleaned = {
        key: replace(take, card=replace(CARD, stand_in=False))
        for key, take in world.cleaned.items()
    }
    world.heard = {}
    text = Reader(world.write()).text
    for word in ("Stand-in.", "STAND-IN", "Draft", "DRAFT"):
        assert word not in text


def test_names_are_text_and_never_markup(world: World) -> None:
    page = Reader(world.write())
    assert "script" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    places = ("clip A1/001 ", "Reel ", "A2", "BOOM", "REN", "A note ", "cross ")
    for place in places:
        assert place + EVIL in page.text


def test_tags_are_balanced_and_ids_unique(world: World) -> None:
    page = Reader(world.write())
    assert not page.faults
    assert not page.open
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {
        value[1:] for _, name, value in page.attributes if name == "href" and value[0] == "#"
    }
    assert targets
    assert targets <= set(ids)
    headings = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings))
    assert all(value for _, name, value in page.attributes if name == "alt")


def test_nothing_is_fetched_from_anywhere(world: World) -> None:
    text = world.write()
    page = Reader(text)
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert all(value.startswith("data:") for _, name, value in page.attributes if name == "src")
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {"#hatch"}
    links = [value for _, name, value in page.attributes if name == "href" and value[0] != "#"]
    assert links == ["stems/reel%20%231.A1.DX.wav"]


def test_the_same_inputs_give_the_same_bytes(world: World) -> None:
    assert world.write() == world.write()


def test_loudness_is_given_before_and_after_the_gain(world: World) -> None:
    text = " ".join(Reader(world.write()).text.split())
    assert "At production level −21.5 LUFS −3.3 dBTP" in text
    assert "As delivered, −1.5 dB on every stem −23.0 LUFS −4.8 dBTP" in text
    silence = float("-inf")
    world.rendered = replace(world.rendered, loudness=silence, true_peak=silence)
    assert "At production level silent silent" in " ".join(Reader(world.write()).text.split())


def test_pictures_show_raw_and_cleaned_and_stay_small(world: World) -> None:
    pictures = _pictures(world.write())
    assert len(pictures) == 6
    for data in pictures:
        assert len(data) <= 20_000
        assert Image.open(io.BytesIO(data)).size == (300, 120)
    raw, clean, removed = (
        np.mean(np.asarray(Image.open(io.BytesIO(data)))) for data in pictures[:3]
    )
    # What was left is a tenth of the sound, so that what was taken is next to all of it.
    assert clean < removed
    assert abs(removed - raw) < 0.05 * raw


def test_a_stretch_that_is_played_twice_is_drawn_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(*given: object) -> bytes:
        calls.append(given)
        return b"picture"

    monkeypatch.setattr("flows.pictures.spectrogram_png", counted)
    first, second = world.turnover.links.values()
    cut = world.turnover.cut
    events = (replace(cut.tracks[0].events[0], record_length=Fraction(50)), cut.tracks[0].events[1])
    world.turnover = replace(
        world.turnover,
        cut=replace(cut, tracks=(replace(cut.tracks[0], events=events), cut.tracks[1])),
        links={"A1/001": first, "A1/002": replace(second, source_start=first.source_start)},
    )
    assert len(_pictures(world.write())) == 6
    assert len(calls) == 3


def test_a_feature_pictures_only_what_is_flagged_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_view, "MOST_PICTURED", 1)
    monkeypatch.setattr(report, "MOST_PICTURED", 1)
    page = world.write()
    assert len(_pictures(page)) == 3
    assert "1 of 2 clips have pictures" in Reader(page).text
    passed = {
        key: replace(take, gates=(tuple(replace(gate, passed=True) for gate in take.gates[0]),))
        for key, take in world.cleaned.items()
    }
    world.cleaned = passed
    page = world.write()
    assert not _pictures(page)
    assert "0 of 2 clips have pictures" in Reader(page).text


def test_a_name_that_is_no_unicode_is_still_written(world: World) -> None:
    strange = b"caf\xe9".decode("utf-8", "surrogateescape")
    world.turnover = replace(world.turnover, path=Path(f"{strange}.otio"))
    assert "caf?.otio" in world.write()


def test_media_that_went_away_are_named(world: World) -> None:
    world.media.path.unlink()
    with pytest.raises(InputError, match=r"12A-T01\.wav"):
        world.write()
    assert list(world.out.iterdir()) == []


def test_a_tone_lies_where_the_axis_says(tmp_path: Path) -> None:
    """A sine of -20 dBFS at 4 kHz: its row is at the 4 kHz mark, its colour at the top."""
    ticks = {tick.label: tick.at for tick in frequency_ticks(RATE)}

    def tone(start: int, frames: int) -> np.ndarray:
        return 0.1 * np.sin(2 * np.pi * 4000 * (start + np.arange(frames)) / RATE)

    data = spectrogram_png(tone, 0, 2 * RATE, RATE, 300, 120, -90.0, -20.0)
    picture = np.asarray(Image.open(io.BytesIO(data)))
    loudest = np.argmax(picture.mean(axis=1))
    assert abs((120 - loudest - 0.5) / 120 * 100 - ticks["4"]) < 1.5
    # A row there is about as wide as five bins, over which the tone's power is spread.
    decibels = picture.max() / (len(colours(64)) - 1) * 70 - 90
    assert -30 < decibels <= -20


def test_a_click_is_seen_however_long_the_stretch() -> None:
    at = 20 * 60 * 8000

    def clicks(start: int, frames: int) -> np.ndarray:
        sound = np.zeros(frames)
        if start <= at < start + frames:
            sound[at - start] = 1.0
        return sound

    data = spectrogram_png(clicks, 0, 40 * 60 * 8000, 8000, 60, 40, -110.0, -20.0)
    picture = np.asarray(Image.open(io.BytesIO(data)))
    assert set(np.flatnonzero(picture.max(axis=0))) <= {29, 30}
    assert picture.max() > 0


def test_reading_does_not_grow_with_the_stretch() -> None:
    most = []

    def quiet(start: int, frames: int) -> np.ndarray:
        most.append(frames)
        return np.zeros(frames)

    spectrogram_png(quiet, 0, 30 * 60 * 8000, 8000, 60, 40, -110.0, -20.0)
    assert max(most) < 60 * 8000


def test_colours_rise_in_lightness() -> None:
    """CIE luminance (ITU-R BT.709 weights on linear light) rises from each colour to the next."""
    light = (np.array(colours(64)) / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(light) > 0)


def test_second_marks_are_few_and_inside() -> None:
    for frames in (0, 1, 4800, RATE, 7 * RATE, 61 * RATE, 3 * 3600 * RATE, 90 * 3600 * RATE):
        ticks = second_ticks(frames, RATE)
        assert len(ticks) <= 8
        assert all(0 <= tick.at <= 100 for tick in ticks)
    assert [tick.label for tick in second_ticks(5 * RATE, RATE)] == ["0", "1", "2", "3", "4", "5"]


def test_a_dissolve_crosses_in_the_picture() -> None:
    cut = _cut()
    states = {event.id: "passed" for track in cut.tracks for event in track.events}
    going, coming = cut_picture(cut, states, {}).lanes[0].blocks
    corners = [
        [float(pair.split(",")[0]) for pair in block.points.split()] for block in (going, coming)
    ]
    # 1080 pixels for 200 frames: 5.4 a frame; the dissolve runs from frame 50 to 60.
    assert corners == [[0, 0, 270, 324], [270, 324, 540, 540]]
    assert "fade out 10 frames" in going.title


def test_a_position_between_frames_keeps_its_hundredths() -> None:
    assert timecode(Fraction(90_000), RATES["25"]) == "01:00:00:00"
    assert timecode(90_000 + Fraction(2, 5), RATES["25"]) == "01:00:00:00.40"


def test_microphones_are_told_with_what_their_sum_loses(world: World) -> None:
    assert "Microphones" not in Reader(world.write()).text
    boom, lav = (
        Microphone(0, f"BOOM{EVIL}", Kind.BOOM),
        Microphone(1, "REN", Kind.LAV, "REN"),
    )
    late = Alignment(48.04, True, 0.9, (), 0.0, 0.0)
    take = TakeMicrophones(
        f"12A-T01.wav{EVIL}",
        "e1",
        RATE,
        0,
        (
            MicrophoneReport(boom, None, -52.0, None, 0),
            MicrophoneReport(lav, late, -60.0, -14.0, 1),
        ),
        (LineMicrophone("REN", RATE, 2 * RATE, 1, f"drier than{EVIL}", 3.0, ()),),
    )
    lost = MonoSum(48.04, False, 499.6, -2.6, -12.0, 500.0)
    doubled = Doubled(
        ("A1/001", "A2/001"), ("01:00:00:00", "01:00:01:00"), "a.wav", ("BOOM", "REN"), RATE, lost
    )
    page = Reader(world.write(CutMicrophones((take,), (doubled,))))
    text = " ".join(page.text.split())
    for words in (
        f"BOOM{EVIL}reference",
        "REN+48.0 samples (+1.001 ms) turned −60.0 dBFS−14 dB1",
        f"10:00:01:00RENRENdrier than{EVIL}",
        "A1/001 (BOOM) and A2/001 (REN) play a.wav together from 01:00:00:00 to 01:00:01:00: "
        "REN comes 1.00 ms later, so the sum loses 2.6 dB, has its first notch at 500 Hz, "
        "loses 12.0 dB around 500 Hz; move one, or keep only one.",
    ):
        assert words in text
    assert not page.faults
    assert not page.open
