"""Sound reports are read as recorders write them, and add only what a file leaves open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.reports import ale, table
from adapters.reports.report import (
    ReportRow,
    SoundReport,
    find_reports,
    read_report,
    with_report,
)
from bench.injuries import injured
from core.errors import InputError
from core.media import MediaFile, SoundNotes
from core.time import RATES

# A Sound Devices report: an overview, then the take list.
SOUND_DEVICES = """"SOUND REPORT"
Project:,"HARBOUR",
Date:,"07/28/25",
Sound Mixer:,"A. Mixer",
Roll:,"25Y07M28",

File Name,Scene,Take,Length,Start TC,Trk 1,Trk 2,Trk 3,Notes,Circled
27B-T01.WAV,27B,01,00:03:00,09:25:40:00,"MixL","","BOOM","plane, at the end",
27B-T02.WAV,27B,02,00:03:32,09:31:05:12,"MixL","","BOOM","",*
"""
ZOOM = """Project;F8;\r
Sound Roll:;R07\r
Filename;Scene;Take;Timecode;Comments;Tr1;Tr2\r
S1-T001.wav;S1;(1);10:00:00:00;;BOOM;ANN\r
S1-T002.wav;S1;2;10:05:00:00;late slate;BOOM;ANN\r
"""
TAB = "Take\tScene\tTape\tTC Start\tTrack Names\n3\t12A\tSR01\t10:00:00:00\tBOOM/ANN/BOB\n"


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_sound_devices_report(tmp_path: Path) -> None:
    report = table.read(written(tmp_path, "25Y07M28_Report.csv", SOUND_DEVICES))
    assert report.warnings == ()
    assert report.rows == (
        ReportRow(
            "27B-T01.WAV",
            "27B",
            "01",
            "25Y07M28",
            "09:25:40:00",
            False,
            "plane, at the end",
            ((0, "MixL"), (2, "BOOM")),
        ),
        ReportRow(
            "27B-T02.WAV",
            "27B",
            "02",
            "25Y07M28",
            "09:31:05:12",
            True,
            "",
            ((0, "MixL"), (2, "BOOM")),
        ),
    )


def test_a_zoom_report_circles_takes_by_their_number(tmp_path: Path) -> None:
    one, two = table.read(written(tmp_path, "zoom.csv", ZOOM)).rows
    assert (one.take, one.circled, two.take, two.circled) == ("1", True, "2", False)
    assert (two.tape, two.note, two.track_names) == ("R07", "late slate", ((0, "BOOM"), (1, "ANN")))


def test_a_table_of_tabs_without_file_names(tmp_path: Path) -> None:
    (row,) = table.read(written(tmp_path, "takes.tsv", TAB)).rows
    assert (row.scene, row.take, row.tape, row.start) == ("12A", "3", "SR01", "10:00:00:00")
    assert row.circled is None
    assert row.track_names == ((0, "BOOM"), (1, "ANN"), (2, "BOB"))


@pytest.mark.parametrize(
    ("mark", "circled"),
    [("Yes", True), ("true", True), ("*", True), ("No", False), ("0", False), ("", False)],
)
def test_ways_to_circle(tmp_path: Path, mark: str, circled: bool) -> None:
    text = f"File,Good take\na.wav,{mark}\n"
    assert table.read(written(tmp_path, "r.csv", text)).rows[0].circled is circled


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_tables(tmp_path: Path, encoding: str) -> None:
    text = "File Name,Scene,Notes\nä.wav,12Ä,Tür\n"
    (row,) = table.read(written(tmp_path, "r.csv", text, encoding)).rows
    assert (row.file_name, row.scene, row.note) == ("ä.wav", "12Ä", "Tür")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_ale_of_the_mac_and_every_line_end(tmp_path: Path, end: str) -> None:
    lines = [
        "Heading",
        "FIELD_DELIM\tTABS",
        "FPS\t25",
        "",
        "Column",
        "Name\tTracks\tStart\tScene\tTake\tSoundroll\tTape\tComments",
        "",
        "Data",
        "27B-T01\tA1A2\t09:25:40:00\t27B\t1\tSR07\tA001\tCafé",
    ]
    path = written(tmp_path, "a.ale", end.join(lines), "mac_roman")
    (row,) = ale.read(path).rows
    assert row == ReportRow("27B-T01", "27B", "1", "SR07", "09:25:40:00", None, "Café")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.ale", b""),
        ("text.ale", b"hello"),
        ("columns.ale", b"Heading\nFIELD_DELIM\tTABS\nColumn\nColor\tFormat\nData\n"),
        ("empty.csv", b""),
        ("budget.csv", b"Department,Cost\nSound,1\n"),
        ("binary.csv", bytes(range(256)) * 100),
    ],
)
def test_what_is_no_report_is_refused_in_one_sentence(
    tmp_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as fault:
        read_report(path)
    assert str(path) in str(fault.value)
    assert "\n" not in str(fault.value)


def test_reports_are_found_among_other_tables(tmp_path: Path) -> None:
    folder = tmp_path / "day 1"
    folder.mkdir()
    wanted = [
        written(folder, "27B_Report.csv", SOUND_DEVICES),
        written(tmp_path, "log.ALE", "Heading\nFPS\t24\nColumn\nName\tScene\nData\n"),
    ]
    written(tmp_path, "budget.csv", "Department,Cost\nSound,1\n")
    written(tmp_path, "wrong.ale", "no heading")
    written(tmp_path, ".hidden.csv", SOUND_DEVICES)
    assert find_reports([tmp_path, tmp_path / "absent"]) == tuple(sorted(wanted))


def media(name: str, **notes: object) -> MediaFile:
    given = SoundNotes(**notes)  # type: ignore[arg-type]
    return MediaFile(Path("/sound") / name, "WAV", "PCM_24", 48000, 2, 48000 * 60, 1, 1, given)


def reports(*rows: ReportRow) -> list[SoundReport]:
    return [SoundReport(Path("day.csv"), rows)]


FULL = ReportRow(
    "27B-T01.WAV", "27B", "01", "SR07", "10:00:00:00", True, "plane", ((0, "MixL"), (2, "BOOM"))
)


def test_a_report_fills_what_the_file_leaves_open() -> None:
    got = with_report(media("27b-t01.wav"), reports(FULL))
    notes = got.notes
    assert (notes.scene, notes.take, notes.tape, notes.note) == ("27B", "01", "SR07", "plane")
    assert notes.circled
    # Two tracks have names and the file two channels: unarmed tracks are not in it.
    assert notes.track_names == ((0, "MixL"), (1, "BOOM"))
    assert got.warnings == ()


def test_the_files_own_notes_win_and_the_conflict_is_said() -> None:
    own = media("27B-T01.wav", scene="27C", take="1", track_names=((0, "MIXL"), (1, "ANN")))
    got = with_report(own, reports(FULL))
    assert (got.notes.scene, got.notes.take, got.notes.tape) == ("27C", "1", "SR07")
    assert got.notes.track_names == ((0, "MIXL"), (1, "ANN"))
    assert got.warnings == (
        "day.csv gives track 2 'BOOM' for 27B-T01.wav, the file itself 'ANN': the file's is kept.",
        "day.csv gives scene '27B' for 27B-T01.wav, the file itself '27C': the file's is kept.",
    )
    assert with_report(got, reports(FULL)) == got


def test_a_file_of_one_track_takes_that_tracks_name() -> None:
    one = replace(media("27B-T01_3.wav"), channels=1)
    got = with_report(one, reports(FULL))
    assert (got.notes.scene, got.notes.track_names) == ("27B", ((0, "BOOM"),))


def test_a_row_is_found_by_tape_and_timecode_inside_the_file() -> None:
    rate = RATES["24"]
    ten = 36000 * 48000
    row = replace(FULL, file_name="")
    for first, found in ((ten - 48000 * 59, True), (ten + 48000 * 2, False)):
        file = media("ZOOM0001.WAV", tape="sr07", timecode_rate=rate, time_reference=first)
        assert (with_report(file, reports(row)).notes.scene == "27B") is found
    elsewhere = media("Z.WAV", tape="SR08", timecode_rate=rate, time_reference=ten)
    assert with_report(elsewhere, reports(row)) == elsewhere


def test_a_row_is_found_by_the_files_own_slate() -> None:
    file = media("X.WAV", scene="27b", take="1")
    assert with_report(file, reports(replace(FULL, file_name=""))).notes.tape == "SR07"


def test_rows_that_disagree_are_left_alone() -> None:
    other = replace(FULL, scene="99")
    file = media("27B-T01.wav")
    assert with_report(file, reports(FULL, other)) == file
    # The same file name was used on two rolls: timecode decides.
    rate, first = RATES["24"], 36000 * 48000
    own = media("27B-T01.wav", tape="SR07", timecode_rate=rate, time_reference=first)
    far = replace(other, start="15:00:00:00")
    assert with_report(own, reports(FULL, far)).notes.scene == "27B"


def attempt(path: Path) -> SoundReport | None:
    """The report, or None where it was refused in one sentence that names the file."""
    try:
        return read_report(path)
    except InputError as fault:
        sentence = str(fault)
    assert "\n" not in sentence
    assert str(path) in sentence
    return None


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300) | st.just(SOUND_DEVICES).map(lambda t: t[:200]) | st.text(",;\t\n\"'"))
def test_any_text_is_a_report_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name in ("any.csv", "any.ale"):
        path = folder / name
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        for head in (b"", b"Heading\nColumn\nName\tScene\nData\n", b"File,Scene,Take\n"):
            path.write_bytes(head + text.encode("utf-8", errors="surrogatepass"))
            report = attempt(path)
            if report is not None:
                with_report(media("27B-T01.wav"), [report])
        find_reports([path])


def test_injured_reports_end_in_a_report_or_a_sentence(tmp_path: Path) -> None:
    samples = {"r.csv": SOUND_DEVICES, "z.csv": ZOOM, "t.tsv": TAB}
    read = 0
    for seed, (name, text) in enumerate(samples.items()):
        for data in injured(text.encode(), 50, seed):
            path = tmp_path / name
            path.write_bytes(data)
            read += attempt(path) is not None
    assert 10 < read < 150


def test_a_field_too_large_ends_the_table_with_a_warning(tmp_path: Path) -> None:
    text = 'File,Scene\na.wav,1\nb.wav,"' + "x" * 200_000 + '"\nc.wav,3\n'
    report = table.read(written(tmp_path, "big.csv", text))
    assert [row.file_name for row in report.rows] == ["a.wav"]
    assert "the rest is left out" in report.warnings[0]


@pytest.mark.shared
def test_real_ales_hold_every_clip(shared: Path) -> None:
    folder = shared / "timelines" / "ale"
    for name, names, starts in (
        (
            "sample.ale",
            ["test_017056.aaf", "test_017057.aaf", "test_017058.aaf", "output.aaf"],
            ["01:00:00:00"] * 4,
        ),
        (
            "sample2.ale",
            ["A007C001_140720_R2E4", "A007C002_140720_R2E4"],
            ["04:00:00:00", "04:00:46:16"],
        ),
    ):
        rows = ale.read(folder / name).rows
        # Independent of the reader: cells of the raw text by the place of their column.
        lines = (folder / name).read_text().replace("\r", "").split("\n")
        columns = lines[lines.index("Column") + 1].split("\t")
        data = [line.split("\t") for line in lines[lines.index("Data") + 1 :] if line.strip()]
        assert [row.start for row in rows] == [c[columns.index("Start")] for c in data] == starts
        assert [row.file_name for row in rows] == names
    assert [(row.scene, row.take, row.tape) for row in rows] == [
        ("19A", "1xa", "3NY004"),
        ("19A", "2xa", "3NY004"),
    ]
    assert set(find_reports([folder])) == {folder / "sample.ale", folder / "sample2.ale"}
