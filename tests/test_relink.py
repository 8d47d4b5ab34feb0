"""A reference finds the file that holds its range, or stays offline; it never guesses."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from adapters.media.references import locate, reel_keys, slate, slate_in_name
from adapters.media.relink import Link, MediaIndex, Offline, build_index, relink
from core.cut import Cut, Event, Fade, MediaReference, Track
from core.media import MediaFile, SoundNotes
from core.time import RATES, FrameRate, timecode_to_frames

RATE = RATES["23.976"]
FRAME = 2002
ROOT = Path("/show/sound").resolve()


def frames(timecode: str, rate: FrameRate = RATE) -> int:
    return timecode_to_frames(timecode, rate)


def media(
    name: str = "12A-T03.wav",
    start: str | None = "10:21:40:12",
    seconds: int = 20,
    *,
    channels: int = 1,
    essence: str = "",
    folder: Path = ROOT,
    **notes: object,
) -> MediaFile:
    """A take at 23.976 whose timecode starts at `start`; None: a file without timecode."""
    reference = None if start is None else frames(start) * FRAME
    kept = SoundNotes(time_reference=reference, **notes)  # type: ignore[arg-type]
    return MediaFile(
        folder / name, "WAV", "PCM_24", 48000, channels, seconds * 48048, 1, 1, kept, essence
    )


def event(at: str = "10:21:43:00", length: int = 24, **changes: object) -> Event:
    """An event that plays `length` frames from source timecode `at`."""
    reference = changes.pop("reference", None) or MediaReference(
        **{key: changes.pop(key) for key in list(changes) if key in MediaReference.__annotations__}
    )
    made = Event("A1/001", Fraction(0), Fraction(length), Fraction(frames(at)), reference)
    return replace(made, **changes)


def link(
    made: Event, files: list[MediaFile], folder: Path = ROOT, roots: tuple[Path, ...] = (ROOT,)
) -> Link | Offline:
    cut = Cut("reel", RATE, 86400, Fraction(100), (Track("A1", (made,)),))
    links, offline = relink(cut, MediaIndex(tuple(files), roots), folder)
    assert len(links) + len(offline) == 1
    return (*links, *offline)[0]


def linked(made: Event, files: list[MediaFile], **where: object) -> Link:
    found = link(made, files, **where)  # type: ignore[arg-type]
    assert isinstance(found, Link), found
    return found


def offline(made: Event, files: list[MediaFile], **where: object) -> Offline:
    found = link(made, files, **where)  # type: ignore[arg-type]
    assert isinstance(found, Offline), found
    assert found.reason.endswith(".")
    return found


@pytest.mark.shared
@pytest.mark.parametrize("version", ["cut_v1", "cut_v2"])
@pytest.mark.parametrize("by", ["url", "reel", "scene", "name"])
def test_the_production_links_to_the_sample_by_every_criterion(
    harbour: Path, version: str, by: str
) -> None:
    index, warnings = build_index([harbour / "sound"], lambda *_: None)
    assert (len(index.files), warnings) == (6, ())
    takes = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    truth = json.loads((harbour / "truth" / f"{version}.json").read_text())["events"]
    events = []
    for number, told in enumerate(truth):
        take = takes[told["take"]]
        start = frames(take["timecode"])
        reference = {
            "url": MediaReference(url=f"../sound/{told['take']}.wav"),
            "reel": MediaReference(reel=take["tape"]),
            "scene": MediaReference(name=f"{take['scene']}-{take['take']}"),
            "name": MediaReference(name="DX", file_name=f"{told['take'].lower()}.mov"),
        }[by]
        events.append(
            Event(
                str(number),
                Fraction(told["record_start"]),
                Fraction(told["length"]),
                Fraction(start + told["source_in"]),
                reference,
                channels=(told["channel"] - 1,),
            )
        )
    cut = Cut("x", RATE, 86400, Fraction(2000), (Track("A1", tuple(events)),))
    links, lost = relink(cut, index, harbour / "cuts")
    assert lost == ()
    for told, found in zip(truth, links, strict=True):
        assert found.media.path.stem == told["take"]
        assert found.source_start == told["source_in_sample"]
        assert found.channels == (told["channel"] - 1,)
        # A name such as 12A-T03.mov is a slate too, which is asked first.
        assert found.how == ("scene" if by == "name" else by)
        assert found.notes == ()


def test_timecode_at_23976_counts_real_samples() -> None:
    # 12:39:59:00 is 45,599 s of timecode, each 48,048 samples long.
    take = replace(media(tape="18Y12M31"), notes=SoundNotes(tape="18Y12M31", time_reference=0))
    take = replace(take, notes=replace(take.notes, time_reference=45_599 * 48_048))
    found = linked(event("12:40:00:01", reel="18Y12M31"), [take])
    assert found.source_start == 48_048 + FRAME


def test_a_reel_s_takes_are_told_apart_by_timecode_alone() -> None:
    files = [
        media("a.wav", "10:12:05:00", tape="SR014"),
        media("b.wav", "10:21:40:12", tape="SR014"),
        media("c.wav", "10:21:40:12", tape="SR015"),
    ]
    found = linked(event(reel="sr014"), files)
    assert (found.media.path.name, found.how) == ("b.wav", "reel")
    assert found.source_start == (2 * 24 + 12) * FRAME


def test_an_edl_s_eight_letters_of_a_reel_are_enough() -> None:
    found = linked(event(reel="SR014DAY"), [media("a.wav", tape="SR014_Day2")])
    assert found.how == "reel"
    assert reel_keys("AX") == reel_keys("  ") == ()


def test_a_name_that_matches_but_lacks_the_range_stays_offline() -> None:
    # INS4_R1_DX: one SOURCE FILE for events hours apart.
    found = offline(event("14:00:00:00", file_name="12A-T03"), [media()])
    assert found.candidates == (ROOT / "12A-T03.wav",)
    assert "14:00:00:00 to 14:00:01:00" in found.reason


def test_two_files_that_fit_alike_are_ambiguous() -> None:
    files = [media("x/12A-T03.wav"), media("y/12A-T03.wav")]
    found = offline(event(file_name="12A-T03"), files)
    assert found.candidates == tuple(file.path for file in files)


def test_two_copies_of_one_sound_are_not_ambiguous() -> None:
    files = [media("y/12A-T03.wav", essence="e"), media("x/12A-T03.wav", essence="e")]
    found = linked(event(file_name="12A-T03"), files)
    assert found.media.path == ROOT / "x/12A-T03.wav"
    files[0] = replace(files[0], essence="other")
    assert isinstance(link(event(file_name="12A-T03"), files), Offline)


def test_the_slate_and_then_the_name_settle_a_reel() -> None:
    files = [
        media("r1.wav", tape="SR1", scene="12A", take="03"),
        media("r2.wav", tape="SR1", scene="12A", take="04"),
    ]
    assert linked(event(reel="SR1", name="12A-4"), files).media.path.name == "r2.wav"
    assert linked(event(reel="SR1", file_name="r1"), files).media.path.name == "r1.wav"
    assert isinstance(link(event(reel="SR1"), files), Offline)


def test_the_file_that_has_every_sample_goes_before_one_that_lacks_a_few() -> None:
    short = media("a.wav", "10:21:40:12", seconds=3, tape="SR1")
    short = replace(short, frames=short.frames - 10)
    longer = media("b.wav", "10:21:40:12", seconds=4, tape="SR1")
    made = event("10:21:42:12", 24, reel="SR1")
    assert linked(made, [short, longer]).media == longer
    found = linked(made, [short])
    assert found.notes == ("10 samples lie outside a.wav and are silent.",)


@pytest.mark.parametrize(
    ("at", "length", "fade", "reaches"),
    [
        ("10:21:40:11", 24, None, False),
        ("10:21:40:11", 24, Fade(Fraction(1)), True),
        ("10:21:40:06", 24, Fade(Fraction(6)), True),
        ("10:21:40:05", 24, Fade(Fraction(6)), False),
        ("10:21:40:12", 480, None, True),
        ("10:21:40:12", 481, None, False),
        ("10:21:39:00", 10, Fade(Fraction(100)), False),
    ],
)
def test_only_a_fade_may_reach_out_of_the_file(
    at: str, length: int, fade: Fade | None, reaches: bool
) -> None:
    found = link(event(at, length, file_name="12A-T03", fade_in=fade), [media()])
    assert isinstance(found, Link) == reaches
    if isinstance(found, Link):
        assert found.source_start == (frames(at) - frames("10:21:40:12")) * FRAME
        assert bool(found.notes) == (found.source_start < 0)


def test_the_cut_s_own_count_places_a_file_that_its_url_names(tmp_path: Path) -> None:
    # Premiere's AAF doubles timecode; the difference stays right.
    (tmp_path / "take.wav").touch()
    take = media("take.wav", "10:00:00:00", folder=tmp_path.resolve())
    doubled = Fraction(2 * frames("10:00:00:00"))
    reference = MediaReference(url="take.wav", available_start=doubled)
    made = replace(event(), source_start=doubled + 36, media=reference)
    found = linked(made, [take], folder=tmp_path, roots=(tmp_path.resolve(),))
    assert (found.how, found.source_start) == ("url", 36 * FRAME)
    assert "not its timecode" in found.notes[0]


def test_a_file_without_timecode_counts_from_its_start() -> None:
    take = media("wild.wav", None)
    found = linked(event("00:00:02:00", file_name="wild"), [take])
    assert (found.how, found.source_start) == ("name", 48 * FRAME)
    assert isinstance(link(event("10:00:00:00", file_name="wild"), [take]), Offline)


def test_a_take_across_midnight_is_found_after_it() -> None:
    take = media("late.wav", "23:59:50:00", seconds=60, tape="SR9")
    found = linked(event("00:00:05:00", reel="SR9"), [take])
    assert found.source_start == 15 * 48048


def test_speed_takes_more_of_the_file() -> None:
    take = media(seconds=4)
    normal = event("10:21:42:12", 48, file_name="12A-T03")
    assert isinstance(link(normal, [take]), Link)
    assert isinstance(link(replace(normal, speed=Fraction(2)), [take]), Offline)
    backwards = replace(normal, speed=Fraction(-1))
    assert linked(backwards, [take]).source_start == 48 * FRAME


@pytest.mark.parametrize(
    "url",
    [
        "../media/day 1/take.wav",
        "../media/day%201/take.wav",
        "..\\media\\day 1\\take.wav",
        "file://{root}/day%201/take.wav",
        "file://localhost{root}/day%201/take.wav",
        "file:{root}/day 1/take.wav",
        "{root}/day 1/take.wav",
        "file://localhost/D%3a/Show/day%201/take.wav",
        "file://Z:/Show/Day 1/TAKE.WAV",
        "\\\\server\\show\\day 1\\take.wav",
        "file://server/show/day%201/take.wav",
        "/Volumes/Show/day 1/take.wav",
    ],
)
def test_urls_of_every_system_find_the_file(tmp_path: Path, url: str) -> None:
    root = tmp_path.resolve() / "media"
    files = []
    for day in ("day 1", "day 2"):
        (root / day).mkdir(parents=True)
        (root / day / "take.wav").touch()
        files.append(media("take.wav", folder=root / day))
    (tmp_path / "cuts").mkdir()
    found = linked(event(url=url.format(root=root)), files, folder=tmp_path / "cuts", roots=(root,))
    assert (found.media, found.how) == (files[0], "url")


@pytest.mark.parametrize("url", ["../secret/take.wav", "file://{top}/secret/take.wav", "link.wav"])
def test_a_url_never_leads_outside_the_roots(tmp_path: Path, url: str) -> None:
    root, secret = tmp_path.resolve() / "media", tmp_path.resolve() / "secret"
    root.mkdir()
    secret.mkdir()
    (secret / "take.wav").touch()
    (root / "link.wav").symlink_to(secret / "take.wav")
    files = [media("take.wav", folder=secret)]
    found = link(
        event(url=url.format(top=tmp_path.resolve())),
        [replace(files[0], path=root / "other.wav")],
        folder=root,
        roots=(root,),
    )
    assert isinstance(found, Offline)
    assert "outside the media folders" in found.reason


def test_a_network_address_is_refused() -> None:
    assert "not a file" in offline(event(url="https://example.org/take.wav"), [media()]).reason


def test_a_dead_url_gives_way_to_the_reel() -> None:
    found = linked(event(url="/gone/x.mov", reel="SR1"), [media(tape="SR1")])
    assert found.how == "reel"


@pytest.mark.parametrize(
    ("channels", "names", "wanted", "noted"),
    [
        (1, ("LAV",), (0,), False),
        (2, (), (0, 1), False),
        (2, ("LAV", "Boom 2"), (1,), True),
        (4, ("MIX", "BOOM", "A", "B"), (1,), True),
        (3, ("A", "MixL", "B"), (1,), True),
        (3, (), (0,), True),
    ],
)
def test_channels_that_the_cut_does_not_name(
    channels: int, names: tuple[str, ...], wanted: tuple[int, ...], noted: bool
) -> None:
    take = media(channels=channels, track_names=tuple(enumerate(names)))
    found = linked(event(file_name="12A-T03"), [take])
    assert found.channels == wanted
    assert bool(found.notes) == noted


def test_channels_that_the_cut_names_are_kept_or_refused() -> None:
    take = media(channels=4)
    assert linked(event(file_name="12A-T03", channels=(3, 1)), [take]).channels == (3, 1)
    found = offline(event(file_name="12A-T03", channels=(4,)), [take])
    assert "channel 5" in found.reason
    assert "only 4" in found.reason


def test_what_does_not_sound_is_not_looked_for() -> None:
    made = event(file_name="12A-T03")
    tracks = (
        Track("V1", (made,), kind="video"),
        Track("A1", (replace(made, enabled=False),)),
        Track("A2", (made,), enabled=False),
    )
    cut = Cut("x", RATE, 0, Fraction(10), tracks)
    assert relink(cut, MediaIndex((media(),), (ROOT,)), ROOT) == ((), ())


def test_nothing_at_all_is_a_sentence() -> None:
    found = offline(event(name="99-1"), [media()])
    assert found.reason == "No media file matches 99-1: add the folder that holds it."
    assert found.candidates == ()


@pytest.mark.parametrize(
    ("name", "scene", "take"),
    [
        ("12A-T03", "12A", "3"),
        ("12A-3", "12a", "03"),
        ("12A_T03.wav", "012A", "T03"),
        ("27B/2", "27B", "2"),
        ("12A-3.new.01", "12A", "3"),
        ("A101_2", "A101", "2"),
    ],
)
def test_slates_in_names(name: str, scene: str, take: str) -> None:
    assert slate_in_name(name) == slate(scene, take) is not None


@pytest.mark.parametrize(
    "name", ["", "room tone", "12A", "SR014-2026-03-14", "T03", "door slam 2b"]
)
def test_names_without_a_slate(name: str) -> None:
    assert slate_in_name(name) is None


@given(url=st.text(max_size=60))
def test_no_url_crashes_or_climbs(url: str) -> None:
    where = locate(url, Path("/cuts"))
    assert ".." not in where.parts
    assert isinstance(link(event(url=url, file_name="12A-T03"), [media()]), Link)


@given(
    start=st.integers(0, 24 * 86400 - 1),
    into=st.integers(0, 400),
    length=st.integers(1, 79),
    rate=st.sampled_from([RATES[name] for name in ("23.976", "24", "25", "29.97", "30")]),
)
def test_a_whole_range_inside_a_take_always_links_to_its_sample(
    start: int, into: int, length: int, rate: FrameRate
) -> None:
    exact = Fraction(48000) / rate.fps
    reference = int(start * exact + Fraction(1, 2))
    take = replace(media(seconds=20), notes=SoundNotes(tape="R", time_reference=reference))
    made = Event(
        "x", Fraction(0), Fraction(length), Fraction(start + into), MediaReference(reel="R")
    )
    cut = Cut("x", rate, 0, Fraction(100), (Track("A", (made,)),))
    links, lost = relink(cut, MediaIndex((take,), (ROOT,)), ROOT)
    assert lost == ()
    assert abs(links[0].source_start - into * exact) <= 1


def test_the_index_probes_only_what_is_new_and_warns_of_what_is_broken(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    for name in ("a.wav", "b.wav"):
        sf.write(root / name, np.zeros(100), 48000)
    (root / "broken.wav").write_bytes(b"RIFF")
    asked = []

    def recall(path: Path, size: int, mtime_ns: int) -> MediaFile | None:
        asked.append((path.name, size, mtime_ns))
        known = MediaFile(path, "WAV", "PCM_16", 48000, 1, 77, size, mtime_ns, essence="known")
        return known if path.name == "a.wav" else None

    index, warnings = build_index([root], recall)
    assert [(file.path.name, file.frames) for file in index.files] == [
        ("a.wav", 77),
        ("b.wav", 100),
    ]
    assert index.roots == (root,)
    assert len(warnings) == 1
    assert "broken.wav" in warnings[0]
    stat = (root / "a.wav").stat()
    assert asked[0] == ("a.wav", stat.st_size, stat.st_mtime_ns)
