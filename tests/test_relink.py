"""A reference finds the file that holds its range, or stays offline; it never guesses."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapters.media.known import known_from, worth_hashing
from adapters.media.links import Explanation
from adapters.media.references import locate, material_keys, reel_keys, slate, slate_in_name
from adapters.media.relink import Link, MediaIndex, Offline, build_index, explain, relink
from adapters.media.write import WaveWriter
from cli import relink as relink_command
from core.cut import Cut, Event, Fade, MediaReference, Track
from core.errors import OfflineError
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
        "file:///D:/Show/day%201/take.wav",
        "smb://server/show/day%201/take.wav",
        "\\\\?\\D:\\Show\\day 1\\take.wav",
        "Show HD:Sound:day 1:take.wav",
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
        Track("A1", (replace(made, enabled=False), replace(made, muted=True))),
        Track("A2", (made,), enabled=False),
        Track("A3", (made,), muted=True),
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
        ("2-4A", "2", "4a"),
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


MOB = "060a2b340101010501010f1013000000" + "a1b2c3d4e5f60718293a4b5c6d7e8f90"
"""A basic UMID: a label, then its material number."""


@pytest.mark.parametrize(
    "written",
    [
        MOB,
        MOB.upper(),
        "urn:smpte:umid:" + ".".join(MOB[i : i + 8] for i in range(0, 64, 8)),
        "{a1b2c3d4-e5f6-0718-293a-4b5c6d7e8f90}",
    ],
)
def test_a_material_id_names_the_recording_in_any_spelling(written: str) -> None:
    files = [media("x/12A-T03.wav", umid=MOB + "0" * 64), media("y/12A-T03.wav")]
    found = linked(event(file_name="12A-T03", material_id=written), files)
    assert (found.how, found.media) == ("material", files[0])


def test_a_recorder_s_own_file_id_is_a_material_id() -> None:
    files = [
        media(f"{n}.wav", originator_reference=f"USSDVGR11120890071240040082186{n}") for n in "12"
    ]
    found = linked(event(material_id="USSDVGR111208900712400400821862"), files)
    assert found.media == files[1]


@pytest.mark.parametrize("text", ["", "r2", "masterclip-3", "0" * 64, "-.-"])
def test_what_names_nothing_is_no_material_id(text: str) -> None:
    found = link(event(material_id=text), [media(umid="0" * 64), media("x.wav", umid=MOB)])
    assert isinstance(found, Offline)
    assert all(len(key) >= 8 for key in material_keys(text))


def test_a_renamed_file_is_known_by_where_it_starts_and_ends() -> None:
    start = Fraction(frames("10:21:40:12"))
    reference = MediaReference(
        url="/old/12A-T03.wav", available_start=start, available_length=Fraction(480)
    )
    made = event(reference=reference)
    renamed, longer = media("audio_7.wav"), media("audio_8.wav", seconds=21)
    found = linked(made, [renamed, longer])
    assert (found.how, found.media) == ("identity", renamed)
    assert found.source_start == 60 * FRAME
    # Two recorders that ran together are not told apart, unless the slate does.
    other = media("audio_9.wav", scene="12A", take="4")
    assert isinstance(link(made, [renamed, other]), Offline)
    slated = replace(made, media=replace(reference, scene="12A", take="4"))
    assert linked(slated, [renamed, other]).media == other


def test_a_renamed_file_is_known_by_the_name_its_recorder_wrote() -> None:
    history = "<HISTORY><ORIGINAL_FILENAME>F8-014_Tr1.WAV</ORIGINAL_FILENAME></HISTORY>"
    files = [
        media("dialogue 1.wav", ixml_rest=(history,)),
        media("dialogue 2.wav", description="sSCENE=1\r\nsFILENAME=A101_2.WAV\r\n"),
    ]
    assert linked(event(url="/old/F8-014_Tr1.WAV"), files).media == files[0]
    assert linked(event(file_name="A101_2"), files).media == files[1]


def test_a_renamed_file_is_known_from_an_earlier_run() -> None:
    known = known_from({Path("/old/day 1/T01.wav"): "essence of T01"}, Path("/cuts"))
    renamed = media("lost and found.wav", essence="essence of T01")
    for url in ("file:///old/day%201/T01.wav", "../old/day 1/T01.wav", "D:\\day 1\\T01.wav"):
        cut = Cut("x", RATE, 0, Fraction(100), (Track("A1", (event(url=url),)),))
        links, _ = relink(cut, MediaIndex((renamed,), (ROOT,)), Path("/cuts"), known=known)
        assert [(item.how, item.media) for item in links] == [("known", renamed)]
    assert known(MediaReference(url="/elsewhere/T01.wav")) is None
    two = {Path("/a/day 1/T01.wav"): "one", Path("/b/day 1/T01.wav"): "other"}
    assert known_from(two, Path("/cuts"))(MediaReference(url="E:\\day 1\\T01.wav")) is None


def test_only_files_of_a_lost_one_s_shape_are_worth_hashing() -> None:
    files = (media("a.wav"), media("b.wav", seconds=21), media("c.wav", essence="hashed"))
    assert worth_hashing(MediaIndex(files, (ROOT,)), [media("gone.wav")]) == files[:1]


def test_a_file_of_that_name_from_another_day_gives_way_to_the_right_one() -> None:
    start = Fraction(frames("10:21:40:12"))
    reference = MediaReference(
        url="/old/T01.wav", available_start=start, available_length=Fraction(480)
    )
    other_day = media("T01.wav", "15:00:00:00", seconds=30)
    right = media("renamed.wav")
    assert linked(event(reference=reference), [other_day, right]).media == right
    # Alone it is all there is; then its timecode is said to disagree.
    found = linked(event(reference=reference), [other_day])
    assert found.media == other_day
    assert "not its timecode" in found.notes[0]


def test_media_of_other_references_are_tried_when_the_active_is_offline() -> None:
    made = replace(
        event(url="/gone/12A-T03.mov", name="12A-3 proxy"),
        other_media=(
            ("proxy", MediaReference(url="/gone/proxy.wav")),
            ("original", MediaReference(file_name="T7")),
        ),
    )
    found = linked(made, [media("T7.wav")])
    assert found.media.path.name == "T7.wav"
    assert "the cut's original reference is used" in found.notes[0]
    lost = offline(made, [media("other.wav")])
    assert "12A-3 proxy" in lost.reason


def test_of_two_files_at_one_timecode_scene_and_take_then_the_name_decide() -> None:
    files = [
        media("boom.wav", tape="SR1", scene="12A", take="3"),
        media("b camera.wav", tape="SR1", scene="14", take="1"),
    ]
    assert linked(event(reel="SR1", scene="14", take="1"), files).media == files[1]
    assert linked(event(reel="SR1", file_name="boom.wav"), files).media == files[0]
    lost = offline(event(reel="SR1"), files)
    assert lost.candidates == (files[1].path, files[0].path)
    assert "2 files fit SR1 alike by reel" in lost.reason


def test_copies_of_one_recording_are_not_ambiguous_before_they_are_hashed() -> None:
    files = [media(f"{disk}/T01.wav", originator_reference="RT000000001") for disk in "ab"]
    assert linked(event(file_name="T01"), files).media == files[0]
    files[1] = replace(files[1], size=2)
    assert isinstance(link(event(file_name="T01"), files), Offline)


def test_the_reel_of_a_list_may_be_the_file_s_name() -> None:
    assert linked(event(reel="12A-T03"), [media()]).how == "name"


def test_an_offline_event_names_the_nearest_files_in_the_order_of_their_reasons() -> None:
    files = [
        media("27B-T01.wav", "09:00:00:00", tape="SR1", scene="27B", take="1"),
        media("27B-T02.wav", "09:10:00:00", tape="SR1", scene="27B", take="2"),
        media("27B-T04.wav", "11:00:00:00", tape="SR9", scene="27B", take="4"),
        media("room tone.wav", "10:30:00:00", tape="SR1"),
        media("effects.wav", "10:20:00:00", tape="SR9"),
    ]
    lost = offline(event("10:21:00:00", reel="SR1"), files)
    assert lost.candidates[0].name == "room tone.wav"
    assert "nearest on its reel: room tone.wav" in lost.reason
    lost = offline(event("10:21:00:00", file_name="27B-T03.wav"), files)
    names = [path.name for path in lost.candidates]
    assert names == ["27B-T01.wav", "27B-T02.wav", "27B-T04.wav"]
    assert "nearest by name: 27B-T01.wav" in lost.reason
    lost = offline(event("10:21:00:00", scene="27B"), files)
    assert "nearest of its scene: 27B-T01.wav, 27B-T02.wav, 27B-T04.wav" in lost.reason


def test_why_a_file_that_matches_is_not_used_is_said_with_what_it_holds() -> None:
    lost = offline(event("14:00:00:00", file_name="12A-T03"), [media()])
    assert lost.reason == (
        "12A-T03.wav matches 12A-T03 by scene and take, but holds 10:21:40:12 to 10:22:00:12, not "
        "14:00:00:00 to 14:00:01:00: supply the whole take or correct the source timecode."
    )


def told(made: Event, files: list[MediaFile], folder: Path = ROOT) -> Explanation:
    cut = Cut("reel", RATE, 86400, Fraction(100), (Track("A1", (made,)),))
    return explain(cut, MediaIndex(tuple(files), (ROOT,)), folder)[0]


def test_an_explanation_tells_every_step_and_the_decision() -> None:
    files = [
        media("r1.wav", tape="SR1", scene="12A", take="03"),
        media("r2.wav", tape="SR1", scene="12A", take="04"),
        media("r3.wav", "15:00:00:00", tape="SR1"),
    ]
    found = told(event(url="/old/r9.wav", reel="SR1", name="12A-4"), files)
    assert found.label == "12A-4"
    assert [(step.how, step.outcome) for step in found.steps] == [
        ("url", "nothing found"),
        ("url", "nothing found"),
        ("reel", "linked; 1 more of the reel lie elsewhere"),
    ]
    verdicts = {weighed.path.name: weighed for weighed in found.steps[-1].candidates}
    assert verdicts["r2.wav"].taken
    assert not verdicts["r1.wav"].taken
    assert "but another has the scene and take" in verdicts["r1.wav"].verdict
    assert isinstance(found.decision, Link)
    assert found.decision.media == files[1]


def test_an_explanation_tells_why_each_candidate_was_rejected() -> None:
    found = told(event("14:00:00:00", file_name="12A-T03"), [media()])
    assert [step.how for step in found.steps] == ["scene", "name"]
    for step in found.steps:
        assert step.outcome == "none holds the range"
        assert step.candidates[0].verdict == (
            "holds 10:21:40:12 to 10:22:00:12, not 14:00:00:00 to 14:00:01:00"
        )
    assert isinstance(found.decision, Offline)


words = st.sampled_from(["", "12A-T03", "12A-T03_1", "T01", "SR1", "12A-3", "/x/T01.wav", MOB])


@given(
    names=st.lists(words, min_size=6, max_size=6),
    at=st.integers(frames("10:21:30:00"), frames("10:22:10:00")),
    start=st.none() | st.just(Fraction(frames("10:21:40:12"))),
    channels=st.sampled_from([(), (0,), (1,), (0, 1)]),
)
def test_what_is_explained_is_what_is_linked(
    names: list[str], at: int, start: Fraction | None, channels: tuple[int, ...]
) -> None:
    files = (
        media("12A-T03.wav", channels=2, tape="SR1", scene="12A", take="3"),
        media("12A-T03_1.wav", tape="SR1"),
        media("12A-T03_2.wav", tape="SR1"),
        media("T01.wav", "09:00:00:00", umid=MOB),
    )
    reference = MediaReference(*names, available_start=start, available_length=Fraction(480))
    made = replace(event(reference=reference), source_start=Fraction(at), channels=channels)
    cut = Cut("x", RATE, 0, Fraction(100), (Track("A1", (made, replace(made, id="A1/002"))),))
    index = MediaIndex(files, (ROOT,))
    links, lost = relink(cut, index, ROOT)
    decisions = [item.decision for item in explain(cut, index, ROOT)]
    assert decisions == sorted([*links, *lost], key=lambda item: item.event_id)
    for found in links:
        end = found.source_start + 24 * FRAME
        assert found.source_start > -FRAME
        assert end < found.media.frames + FRAME


def take_on_disk(path: Path, channels: int = 1, **notes: object) -> None:
    """Two seconds of 23.976 timecode from 10:00:00:00, a different value on each channel."""
    kept = SoundNotes(time_reference=36_000 * 48_048, timecode_rate=RATE, **notes)  # type: ignore[arg-type]
    with WaveWriter(path, 48_000, channels, "PCM_24", kept) as out:
        out.write(np.tile(np.arange(1, channels + 1), (96_096, 1)))


OPENED: list[Path] = []
"""Files that this process opened while a test listened; a hook can't be taken away again."""
LISTENING: list[bool] = []


def _listen(name: str, arguments: tuple[object, ...]) -> None:
    if LISTENING and name == "open" and isinstance(arguments[0], str | bytes):
        raw = arguments[0]
        OPENED.append(Path(raw if isinstance(raw, str) else raw.decode()))


def test_nothing_outside_the_media_folders_is_opened(tmp_path: Path) -> None:
    top = tmp_path.resolve()
    root, outside = top / "media", top / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    take_on_disk(root / "T02.wav", tape="SR1")
    take_on_disk(outside / "T01.wav", tape="SR1")
    (root / "T01.wav").symlink_to(outside / "T01.wav")
    (root / "sub" / "all").symlink_to(outside, target_is_directory=True)
    urls = ["T01.wav", "sub/all/T01.wav", "../outside/T01.wav", f"file://{outside}/T01.wav"]
    made = tuple(
        replace(event("10:00:00:12", url=url, reel=reel), id=f"{url}{reel}")
        for url in urls
        for reel in ("", "SR1")
    )
    cut = Cut("x", RATE, 0, Fraction(100), (Track("A1", made),))
    sys.addaudithook(_listen)
    LISTENING.append(True)
    try:
        index, _ = build_index([root], lambda *_: None)
        links, lost = relink(cut, index, root)
        explain(cut, index, root)
    finally:
        LISTENING.clear()
    assert {item.media.path.name for item in links} == {"T02.wav"}
    assert (len(links), len(lost)) == (4, 4)
    opened = [path.resolve() for path in OPENED if path.is_relative_to(top)]
    assert opened
    assert all(path.is_relative_to(root) for path in opened)


def command(*words: object) -> tuple[int, str, BaseException | None]:
    """`roomtone relink` as a person runs it: how it ends, what it prints, what it raises."""
    app = typer.Typer()
    app.command()(relink_command.command)
    ran = CliRunner().invoke(app, [str(word) for word in words])
    return ran.exit_code, ran.stdout, ran.exception


LIST = """TITLE: REEL 1
FCM: NON-DROP FRAME

001  SR1      A2    C        10:00:00:12 10:00:01:12 01:00:00:00 01:00:01:00
* FROM CLIP NAME: 12A-3
002  SR1      A2    C        10:00:00:00 10:00:01:00 01:00:01:00 01:00:02:00
* FROM CLIP NAME: 12A-3
003  SR7      A2    C        11:00:00:00 11:00:01:00 01:00:02:00 01:00:03:00
* FROM CLIP NAME: 14-2
"""


@pytest.fixture
def reel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of three events, the last without media, and a folder with one poly take."""
    monkeypatch.setenv("ROOMTONE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sound").mkdir()
    tracks = ((0, "MIX"), (1, "BOOM"))
    take_on_disk(
        tmp_path / "sound" / "12A-T03.wav", 2, tape="SR1", scene="12A", take="3", track_names=tracks
    )
    (tmp_path / "reel.edl").write_text(LIST)
    return tmp_path / "reel.edl"


def test_the_command_lists_every_event(reel: Path) -> None:
    code, out, fault = command(reel, "--media", reel.parent / "sound")
    assert (code, fault) == (0, None)
    rows = out.splitlines()
    assert rows[0].split() == ["A2/001", "01:00:00:00", "12A-T03.wav", "2", "BOOM", "reel"]
    assert rows[2].startswith(
        "A2/003  01:00:02:00  offline  No media file matches 14-2 or reel SR7"
    )
    assert rows[-1] == "2 of 3 clips linked, 1 offline."


def test_the_command_explains(reel: Path) -> None:
    _, out, _ = command(reel, "--media", reel.parent / "sound", "--explain")
    assert "reel: SR1 at its source timecode: linked" in out
    assert "12A-T03.wav: taken, holds 10:00:00:12 to 10:00:01:12" in out
    assert "name: 14-2: nothing found" in out


def test_the_command_speaks_to_programs(reel: Path) -> None:
    code, out, _ = command(reel, "--media", reel.parent / "sound", "--json", "--explain")
    told = json.loads(out)
    assert (code, told["linked"], told["offline"], told["frame_rate"]) == (0, 2, 1, "23.976")
    first, _, last = told["events"]
    assert (first["channels"], first["tracks"], first["source_start"]) == ([1], ["BOOM"], 24_024)
    assert first["steps"][0]["candidates"][0]["taken"] is True
    assert last["file"] is None
    assert last["reason"].startswith("No media file matches 14-2")


def test_the_command_ends_with_offline_where_nothing_was_found(reel: Path) -> None:
    (reel.parent / "empty").mkdir()
    code, out, fault = command(reel, "--media", reel.parent / "empty", "--edl-rate", "24")
    assert code != 0
    assert isinstance(fault, OfflineError)
    assert "All media of" in str(fault)
    assert out.splitlines()[-1] == "0 of 3 clips linked, 3 offline."


def test_the_command_hashes_and_decodes_nothing(
    reel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded or hashed")

    monkeypatch.setattr("flows.turnover.file_sha256", refuse)
    monkeypatch.setattr("flows.turnover.essence_sha256", refuse)
    monkeypatch.setattr("adapters.media.decode.Sound.read", refuse)
    assert command(reel, "--media", reel.parent / "sound")[0] == 0


@pytest.mark.shared
def test_the_production_split_into_mono_files_links_by_channel(
    harbour: Path, tmp_path: Path
) -> None:
    whole, _ = build_index([harbour / "sound"], lambda *_: None)
    files = []
    for poly in whole.files:
        for channel in range(poly.channels):
            name = (0, poly.notes.track_name(channel))
            notes = replace(poly.notes, track_names=(name,))
            path = tmp_path / f"{poly.path.stem}_{channel + 1}.wav"
            files.append(replace(poly, path=path, channels=1, notes=notes))
    truth = json.loads((harbour / "truth" / "cut_v1.json").read_text())["events"]
    takes = json.loads((harbour / "truth" / "takes.json").read_text())["takes"]
    for told_event in truth:
        take = takes[told_event["take"]]
        made = event(
            take["timecode"], told_event["length"], url=f"../sound/{told_event['take']}.wav"
        )
        made = replace(
            made,
            source_start=made.source_start + told_event["source_in"],
            channels=(told_event["channel"] - 1,),
        )
        found = linked(made, files, folder=tmp_path, roots=(tmp_path,))
        assert found.media.path.name == f"{told_event['take']}_{told_event['channel']}.wav"
        assert found.source_start == told_event["source_in_sample"]
