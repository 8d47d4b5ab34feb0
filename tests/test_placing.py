"""A position in the cut is one sample of one channel, whatever rates and clocks are between."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.media.links import Link, MediaIndex, Offline
from adapters.media.placing import Placing, Trust, place, readings_of
from adapters.media.probe import probe
from adapters.media.recorder import Recorder, recorder_of, speed_note
from adapters.media.relink import relink
from adapters.media.split import Leg, channel_for, leg_for, legs_in_name, one_set
from adapters.media.write import WaveWriter
from core.cut import Cut, Event, MediaReference, Track
from core.media import MediaFile, SoundNotes
from core.time import RATES, FrameRate, timecode_to_frames

FILM = RATES["23.976"]
ROOT = Path("/show").resolve()


def take(
    seconds_of_timecode: float | None = 36_000,
    *,
    name: str = "take.wav",
    sample_rate: int = 48_000,
    per_second: int = 48_048,
    length: int = 60,
    channels: int = 1,
    **notes: object,
) -> MediaFile:
    """A file whose timecode starts so many seconds after midnight, each of `per_second` samples."""
    start = None if seconds_of_timecode is None else int(seconds_of_timecode * per_second)
    kept = SoundNotes(time_reference=start, **notes)  # type: ignore[arg-type]
    frames = length * sample_rate
    return MediaFile(ROOT / name, "WAV", "PCM_24", sample_rate, channels, frames, 1, 1, kept)


def event(at: str, rate: FrameRate = FILM, length: int = 24, **media: object) -> Event:
    start = Fraction(timecode_to_frames(at, rate))
    reference = MediaReference(**media)  # type: ignore[arg-type]
    return Event("A1/001", Fraction(0), Fraction(length), start, reference)


def start_of(
    made: Event,
    media: MediaFile,
    rate: FrameRate = FILM,
    trust: Trust = Trust.TIMECODE,
    recorder: Recorder | None = None,
) -> int | None:
    """The sample that the event's first frame plays, or None where the file does not hold it."""
    found = place(made, media, rate, trust, readings_of(media, rate, recorder or Recorder()))
    return found.start if isinstance(found, Placing) else None


def found(made: Event, files: list[MediaFile], rate: FrameRate = FILM) -> Link | Offline:
    cut = Cut("reel", rate, 0, Fraction(10_000), (Track("A1", (made,)),))
    links, offline = relink(cut, MediaIndex(tuple(files), (ROOT,)), ROOT)
    return (*links, *offline)[0]


def linked(made: Event, files: list[MediaFile], rate: FrameRate = FILM) -> Link:
    link = found(made, files, rate)
    assert isinstance(link, Link), link
    return link


@pytest.mark.parametrize(
    ("sample_rate", "per_second", "sample"),
    [
        # One second and one frame of 23.976 timecode is 25/24 of 1.001 s: 50,050 at 48 kHz.
        (44_100, 44_144.1, 45_983),
        (48_000, 48_048, 50_050),
        (96_000, 96_096, 100_100),
        (192_000, 192_192, 200_200),
    ],
)
def test_each_file_is_counted_in_its_own_samples(
    sample_rate: int, per_second: float, sample: int
) -> None:
    start = round(36_000 * per_second)
    media = replace(take(None, sample_rate=sample_rate), notes=SoundNotes(time_reference=start))
    assert start_of(event("10:00:01:01"), media) == sample


@pytest.mark.parametrize("digitised", [48_048, 48_000])
def test_sound_digitised_at_48048_and_stamped_48000_is_found_by_its_timecode(
    digitised: int,
) -> None:
    # A film at 24 telecined to 23.976: the file starts at 10:00:00:00 of 24-frame timecode. A
    # frame of the cut is 2,002 samples of it, whichever of the two rates the stamp counts.
    media = take(36_000, per_second=digitised, timecode_rate=RATES["24"])
    recorder = Recorder(timestamp_rate=digitised, digitizer_rate=48_048)
    assert start_of(event("10:00:01:00"), media, recorder=recorder) == 24 * 2002
    assert "digitised at 48048 Hz" in speed_note(media, recorder)
    assert "0.1 % slow" in speed_note(media, recorder)
    assert speed_note(media, Recorder(digitizer_rate=48_000)) == ""


def test_thirty_frame_timecode_is_read_as_a_clock() -> None:
    # 10:00:01:15 at 30 is 10:00:01:12 at 24.
    media = take(36_000, per_second=48_000, timecode_rate=RATES["30"])
    assert start_of(event("10:00:01:12", RATES["24"]), media, RATES["24"]) == 72_000


def test_another_frame_rate_is_read_from_the_timecode_and_said() -> None:
    # At 23.976 the recorder's 10:00:00:00 is 36 s of samples later than a clock at 24.
    media = take(36_000, timecode_rate=FILM, tape="R1")
    link = linked(event("10:00:02:00", RATES["24"], reel="R1"), [media], RATES["24"])
    assert link.source_start == 2 * 48_000
    assert link.notes == (
        "take.wav was recorded with timecode at 23.976, the cut runs at 24: it is placed by what "
        "the timecode reads.",
    )


def test_samples_since_midnight_are_a_second_choice_that_is_said() -> None:
    # 10:00:36:12 of a cut at 24 is 1,729,752,000 samples after midnight: 24,000 into the file,
    # whose own timecode reads 10:00:00:00 and ends before.
    media = take(36_000, length=10, timecode_rate=FILM, tape="R1")
    link = linked(event("10:00:36:12", RATES["24"], reel="R1"), [media], RATES["24"])
    assert link.source_start == 24_000
    assert "check its sync" in link.notes[0]


def test_drop_frame_timecode_keeps_to_the_clock() -> None:
    # 10:00:00;00 is frame 1,078,920 of 1,601.6 samples.
    rate = RATES["29.97 DF"]
    notes = SoundNotes(time_reference=1_727_998_272, timecode_rate=rate)
    media = replace(take(None), notes=notes)
    assert start_of(event("10:00:00;00", rate), media, rate) == 0
    assert start_of(event("10:00:10;00", rate), media, rate) == 480_480


@pytest.mark.parametrize("rate", [FILM, RATES["24"], RATES["29.97 DF"]], ids=str)
def test_a_take_across_midnight_is_counted_from_either_side(rate: FrameRate) -> None:
    day = timecode_to_frames("23:59:59:00", rate) + rate.nominal
    exact = Fraction(48_000) / rate.fps
    first = day - 10 * rate.nominal
    reference = int(first * exact + Fraction(1, 2))
    late = replace(take(None, length=40), notes=SoundNotes(tape="R", time_reference=reference))
    wanted = int(15 * rate.nominal * exact)
    for source in (5 * rate.nominal, day + 5 * rate.nominal):
        made = replace(event("00:00:00:00", rate, reel="R"), source_start=Fraction(source))
        assert abs(linked(made, [late], rate).source_start - wanted) <= 1
    # And a file from after midnight, asked for in the count of the day before.
    early = replace(take(None, length=40), notes=SoundNotes(tape="R", time_reference=0))
    made = replace(event("00:00:00:00", rate, reel="R"), source_start=Fraction(day + 24))
    assert linked(made, [early], rate).source_start == int(24 * exact)


def test_a_reference_that_starts_before_midnight_may_count_after_it() -> None:
    start = Fraction(timecode_to_frames("23:59:50:00", FILM))
    made = event("00:00:05:00", file_name="take", available_start=start)
    assert start_of(made, take(None), trust=Trust.NAMED) == 15 * 48_048


@given(
    frames=st.fractions(0, 1_000, max_denominator=48_000),
    sample_rate=st.sampled_from([44_100, 48_000, 88_200, 96_000]),
    rate=st.sampled_from([r for r in RATES.values() if not r.drop]),
)
def test_a_sub_frame_position_is_the_nearest_sample_of_the_file(
    frames: Fraction, sample_rate: int, rate: FrameRate
) -> None:
    media = take(None, sample_rate=sample_rate, length=200)
    made = replace(event("00:00:00:00", rate), source_start=frames, record_length=Fraction(1))
    start = start_of(made, media, rate, Trust.NAMED)
    assert start is not None
    assert abs(start - frames / rate.fps * sample_rate) <= Fraction(1, 2)


def test_a_recorder_s_own_rates_are_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    notes = SoundNotes(
        time_reference=36_000 * 48_048, timecode_rate=RATES["24"], track_names=((0, "BOOM"),)
    )
    with WaveWriter(path, 48_000, 1, "PCM_24", notes) as out:
        out.write(np.zeros((480, 1), int))
    body = path.read_bytes()
    for tag in (b"DIGITIZER_SAMPLE_RATE", b"TIMESTAMP_SAMPLE_RATE"):
        body = body.replace(b"<%s>48000<" % tag, b"<%s>48048<" % tag)
    path.write_bytes(body)
    told = recorder_of(probe(path))
    assert (told.timestamp_rate, told.digitizer_rate, told.inputs) == (48_048, 48_048, (1,))


@pytest.mark.shared
def test_recorders_tell_their_sets(shared: Path) -> None:
    told = {
        path.name: recorder_of(probe(path)) for path in (shared / "recorders").rglob("*_0[12].WAV")
    } | {path.name: recorder_of(probe(path)) for path in (shared / "recorders").rglob("*_Tr1.WAV")}
    assert {name: (facts.family, facts.total, facts.inputs) for name, facts in told.items()} == {
        "Sr001-2C-01_01.WAV": ("1360855285", 5, (1,)),
        "Sr001-2C-01_02.WAV": ("1360855285", 5, (2,)),
        "Scene_1_2AG-T001_Tr1.WAV": ("ZOOM F8    201902132240180180000", 9, (3,)),
    }


@pytest.mark.parametrize(
    ("stem", "leg"),
    [
        ("T01_1", Leg("t01", 1, "1")),
        ("F8-001_Tr8", Leg("f8-001", 8, "8")),
        ("Sr001-2C-01_03", Leg("sr001-2c-01", 3, "03")),
        ("12A-T03.A2", Leg("12a-t03", 2, "2")),
        ("12A-T03A02.4F3B2A1C_5D", Leg("12a-t03", 2, "02")),
        ("12A-T03.L", Leg("12a-t03", 1, "l")),
        ("12A-T03_right", Leg("12a-t03", 2, "right")),
        ("scene 4 track 3", Leg("scene 4", 3, "3")),
        ("12A-T03_BOOM", Leg("12a-t03", 0, "boom")),
    ],
)
def test_names_of_mono_files(stem: str, leg: Leg) -> None:
    assert legs_in_name(stem)[0] == leg


@pytest.mark.parametrize("stem", ["12A-3", "27B", "", "_", "A054C002"])
def test_names_that_are_no_mono_file_s(stem: str) -> None:
    assert [leg for leg in legs_in_name(stem) if leg.number] == []


def legs(*names: str, **notes: object) -> list[MediaFile]:
    return [take(name=name, **notes) for name in names]


def nobody(_: MediaFile) -> Recorder:
    return Recorder()


def test_files_of_one_take_are_one_set() -> None:
    files = legs("T01_2.wav", "T01_1.wav", "T01_3.wav")
    assert [number for number, _ in one_set(files, nobody)] == [1, 2, 3]
    assert one_set([*files, take(name="T01_4.wav", length=59)], nobody) == ()
    assert one_set([*files, take(36_001, name="T01_4.wav")], nobody) == ()
    assert one_set([*files, take(name="T02_4.wav")], nobody) == ()
    assert one_set([*files, take(name="x/T01_1.wav")], nobody) == ()


def test_a_family_s_files_are_one_set_whatever_their_names() -> None:
    files = legs("boom.wav", "lav.wav")

    def told(media: MediaFile) -> Recorder:
        return Recorder(family="F1", inputs=(1,) if media.path.stem == "boom" else (2,))

    assert [media.path.stem for _, media in one_set(files, told)] == ["boom", "lav"]
    assert one_set(files, nobody) == ()


def test_a_number_that_is_the_take_is_no_track() -> None:
    # Sound Devices names takes A101_2, A101_3: scene, then take.
    one, two = (take(name=f"A101_{n}.wav", scene="A101", take=str(n)) for n in (2, 3))
    assert one_set([one, replace(two, notes=replace(two.notes, take="2"))], nobody) == ()


@pytest.mark.parametrize("channel", [0, 1, 2, 3])
def test_a_channel_of_the_poly_file_is_the_mono_file_of_that_number(channel: int) -> None:
    files = legs(*(f"F8-001_Tr{n}.WAV" for n in (1, 2, 3, 4)))
    made = replace(event("10:00:01:00", url="/old/F8-001.WAV"), channels=(channel,))
    link = linked(made, files)
    assert (link.how, link.media.path.name) == ("sibling", f"F8-001_Tr{channel + 1}.WAV")
    assert (link.channels, link.source_start) == ((0,), 48_048)
    assert link.notes == (
        f"Channel {channel + 1} of the take is here as F8-001_Tr{channel + 1}.WAV.",
    )


def test_mono_files_found_by_reel_are_told_apart_by_channel() -> None:
    files = legs("T01_1.WAV", "T01_2.WAV", tape="SR1")
    made = replace(event("10:00:01:00", reel="SR1"), channels=(1,))
    assert linked(made, files).media.path.name == "T01_2.WAV"
    named = event("10:00:01:00", reel="SR1", name="T01_1")
    assert linked(named, files).media.path.name == "T01_1.WAV"


def test_without_a_channel_the_boom_of_a_split_take_is_used_and_said() -> None:
    files = [
        take(name=f"T01_{n}.WAV", track_names=((0, track),))
        for n, track in enumerate(("Mix", "Lav", "Boom 2"), 1)
    ]
    link = linked(event("10:00:01:00", file_name="T01"), files)
    assert link.media.path.name == "T01_3.WAV"
    assert "Boom 2 (T01_3.WAV) is used" in link.notes[0]


def test_what_a_missing_input_leaves_open_is_not_guessed() -> None:
    # Inputs 1, 3 and 4: channel 2 of the poly file may be input 3, or it is not here.
    files = legs("T01_1.WAV", "T01_3.WAV", "T01_4.WAV")
    made = replace(event("10:00:01:00", file_name="T01.WAV"), channels=(1,))
    lost = found(made, files)
    assert isinstance(lost, Offline)
    assert "can't be told" in lost.reason
    assert len(lost.candidates) == 3
    pairs = one_set(files, nobody)
    media, _ = leg_for(pairs, (1,), lambda _: Recorder(total=3))
    assert media.path.name == "T01_3.WAV"
    assert linked(replace(made, channels=(0,)), files).media.path.name == "T01_1.WAV"


def test_two_channels_at_once_are_not_one_mono_file() -> None:
    files = legs("T01_1.WAV", "T01_2.WAV")
    lost = found(replace(event("10:00:01:00", file_name="T01"), channels=(0, 1)), files)
    assert isinstance(lost, Offline)
    assert "channels 1 and 2 together" in lost.reason


@pytest.mark.parametrize(
    ("name", "channel"),
    [("T01_3.WAV", 2), ("T01_Tr1", 0), ("T01.A4.wav", 3), ("T01_BOOM.wav", 1)],
)
def test_a_mono_file_that_is_named_is_its_channel_of_the_poly_file(name: str, channel: int) -> None:
    tracks = ((0, "MIX"), (1, "BOOM"), (2, "STELLA"), (3, "JOHN"))
    poly = take(name="T01.WAV", channels=4, track_names=tracks)
    link = linked(event("10:00:01:00", url=f"/old/{name}"), [poly])
    assert (link.how, link.channels, link.source_start) == ("sibling", (channel,), 48_048)
    assert "channel" in link.notes[0]
    by_reel = replace(poly, notes=replace(poly.notes, tape="R"))
    assert linked(event("10:00:01:00", reel="R", file_name=name), [by_reel]).channels == (channel,)


def test_the_recorder_s_inputs_decide_where_they_are_told() -> None:
    poly = take(name="T01.WAV", channels=2)
    assert channel_for(Leg("t01", 7, "7"), poly, Recorder(inputs=(3, 7))) == 1
    with pytest.raises(ValueError, match="does not hold that track"):
        channel_for(Leg("t01", 2, "2"), poly, Recorder(inputs=(3, 7)))
    # The first track of a Zoom is its third input, after the left and right of its mix.
    zoom = replace(poly, notes=replace(poly.notes, originator="ZOOM F8"))
    assert channel_for(Leg("t01", 1, "1"), zoom, Recorder(inputs=(1, 3))) == 1


def test_the_poly_file_goes_before_mono_files_of_its_take() -> None:
    files = [
        *legs("T01_1.WAV", "T01_2.WAV", tape="R"),
        take(name="T01.WAV", channels=2, tape="R", track_names=((0, "A"), (1, "B"))),
    ]
    link = linked(replace(event("10:00:01:00", reel="R"), channels=(1,)), files)
    assert (link.media.path.name, link.channels) == ("T01.WAV", (1,))


def test_a_list_that_numbers_tracks_plays_a_mono_file_whole_and_says_so() -> None:
    made = replace(event("10:00:01:00", file_name="take"), channels=(1,))
    link = linked(made, [take()])
    assert link.channels == (0,)
    assert link.notes == ("The cut plays channel 2 of take.wav, which is mono.",)
    knows = replace(made, media=replace(made.media, available_start=Fraction(864_000)))
    lost = found(knows, [take()])
    assert isinstance(lost, Offline)
    assert "only 1" in lost.reason
