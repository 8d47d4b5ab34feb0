"""A simulated shoot: three days of dailies, three nights, and what the reports say of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import xxhash
from production import TAKES, Home, Ran
from sqlalchemy import select

from adapters.media.write import WaveWriter
from config.settings import Settings
from core.dailies import Daily
from core.errors import OutputError
from core.media import MediaFile, SoundNotes
from core.time import RATES
from db.tables import Activity
from flows import daily_takes
from flows.at_once import AtOnce
from flows.night import window_end
from flows.night_report import as_json
from flows.nightly import run_night
from flows.nightly_dailies import batches
from flows.progress import Silent
from flows.workspace import open_workspace

RATE = 48_000
PER_TAKE = timedelta(minutes=25)


@dataclass
class Clock:
    """A clock that the test drives; meanwhile: what happens between two looks."""

    at: datetime
    meanwhile: Callable[[], object] = lambda: None
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
        self.meanwhile()


class Working(Silent):
    """Progress that says how long a take takes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def advance(self, name: str, done: int = 1) -> None:
        if name == daily_takes.STEP:
            self._clock.at += PER_TAKE * done


@dataclass(frozen=True)
class Shoot:
    """Takes of the harbour production recorded anew, and the home in which nights are worked."""

    source: Path
    cards: Path
    home: Path

    def take(
        self, card: str, name: str, source: str, day: str, at: str = "10:00:00",
        circled: bool = False,
    ) -> Path:  # fmt: skip
        """Record three seconds of a harbour take's boom and first lav on a card."""
        scene, _, number = name.partition("-T")
        hours, minutes, seconds = map(int, at.split(":"))
        first = 5_003 * sum(1 for _ in self.cards.rglob("*.wav"))  # no two hold the same sound
        sound = sf.read(self.source / f"{source}.wav", frames=3 * RATE, start=first, dtype="int32")
        notes = SoundNotes(
            scene=scene,
            take=number,
            tape=card,
            project="NIGHTS",
            circled=circled,
            origination_date=day,
            origination_time=at,
            track_names=((0, "BOOM"), (1, "STELLA")),
            timecode_rate=RATES["24"],
            time_reference=(hours * 3600 + minutes * 60 + seconds) * RATE,
        )
        path = self.cards / day / card / f"{name}.wav"
        with WaveWriter(path, RATE, 2, "PCM_24", notes) as writer:
            writer.write(sound[0][:, 1:3].astype(np.int64) >> 8)
        return path

    def night(
        self, date: str, meanwhile: Callable[[], object] = lambda: None, **more: Any
    ) -> tuple[Any, Path]:
        """A night that begins at 22:00 on a date and works until 00:00; its report."""
        clock = Clock(datetime.fromisoformat(f"{date}T22:00:00+00:00"), meanwhile)
        settings = Settings(
            home=self.home,
            watched=(self.cards,),
            denoiser="rnnoise",
            recogniser="none",
            nightly_until="00:00",
            recipe="bypass",
            **more,
        )
        with open_workspace(settings) as work:
            folder = run_night(work, Working(clock), clock).folder
        return json.loads((folder / "report.json").read_text("utf-8")), folder


def names(items: Sequence[dict[str, Any]]) -> list[str]:
    return [Path(item["path"]).stem for item in items]


def damaged(path: Path) -> None:
    """Change a sample of a file; its length and time stay."""
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def mhl(card: Path, *paths: Path) -> None:
    """The media hash list of a card, as it was when it came from the set."""
    hashes = "".join(
        f"<hash><file>{path.name}</file><size>{path.stat().st_size}</size>"
        f"<xxhash64be>{xxhash.xxh64(path.read_bytes()).hexdigest()}</xxhash64be></hash>"
        for path in paths
    )
    (card / "card.mhl").write_text(f'<hashlist version="1.1">{hashes}</hashlist>')


@pytest.fixture(scope="module")
def shoot(harbour: Path, tmp_path_factory: pytest.TempPathFactory) -> Shoot:
    folder = tmp_path_factory.mktemp("shoot")
    return Shoot(harbour / "sound", folder / "cards", folder / "home")


@pytest.fixture(scope="module")
def nights(shoot: Shoot) -> list[tuple[Any, Path]]:
    """Three nights after three days of shooting."""
    done = []
    # Day 1: a card of six takes, one of them circled; a second card that is still being copied.
    for number in range(1, 6):
        shoot.take("SR1", f"12A-T0{number}", "12A-T01", "2031-03-03", f"10:0{number}:00")
    shoot.take("SR1", "12A-T06", "12A-T03", "2031-03-03", "11:00:00", circled=True)
    coming = shoot.take("SR2", "14-T01", "14-T02", "2031-03-03")
    other = shoot.take("SR2", "14-T02", "14-T04", "2031-03-03", "10:30:00")
    sums = "".join(f"{md5(p.read_bytes()).hexdigest()}  {p.name}\n" for p in (coming, other))
    (coming.parent / "SR2.md5").write_text(sums)
    whole = coming.read_bytes()
    coming.write_bytes(whole[:200_000])
    done.append(shoot.night("2031-03-03", lambda: coming.write_bytes(whole[:300_000])))
    # Day 2: that card is whole now; of a new one a file was damaged after it was listed.
    coming.write_bytes(whole)
    listed = [shoot.take("SR3", f"27B-T0{n}", "27B-T01", "2031-03-04") for n in (1, 2)]
    mhl(listed[0].parent, *listed)
    damaged(listed[1])
    done.append(shoot.night("2031-03-04"))
    # Day 3: a file that is cut short, and a card of which not everything has come yet.
    short = shoot.take("SR4", "14-T08", "14-T02", "2031-03-05")
    shoot.take("SR4", "14-T09", "14-T04", "2031-03-05", "12:00:00")
    short.write_bytes(short.read_bytes()[:-50_000])
    here = shoot.take("SR5", "30-T01", "27B-T02", "2031-03-05")
    absent = shoot.take("SR5", "30-T02", "27B-T02", "2031-03-05")
    mhl(here.parent, here, absent)
    absent.unlink()
    done.append(shoot.night("2031-03-05"))
    return done


@pytest.mark.shared
def test_each_night_does_what_is_whole_circled_takes_first(nights: list[tuple[Any, Path]]) -> None:
    first, second, third = (report for report, _ in nights)
    # Five takes of 25 minutes are begun between 22:00 and midnight.
    assert sorted(names(first["takes"])) == ["12A-T01", "12A-T02", "12A-T03", "12A-T04", "12A-T06"]
    assert names(first["left"]) == ["12A-T05"]
    assert sorted(names(second["takes"])) == ["12A-T05", "14-T01", "14-T02", "27B-T01"]
    assert names(third["takes"]) == ["14-T09"]
    assert [report["counts"]["known"] for report in (first, second, third)] == [0, 5, 9]
    assert [report["counts"]["new"] for report in (first, second, third)] == [8, 2, 3]
    assert [report["whole"] for report in (first, second, third)] == [False] * 3


@pytest.mark.shared
def test_the_copying_card_waits_and_is_done_when_it_is_whole(
    nights: list[tuple[Any, Path]],
) -> None:
    waits = [[Path(item["folder"]).name for item in report["waiting"]] for report, _ in nights]
    assert waits == [["SR2"], [], ["SR5"]]
    assert "Being written: 14-T01.wav." in nights[0][0]["waiting"][0]["reason"]
    assert nights[0][0]["waiting"][0]["files"] == 2
    reason = nights[2][0]["waiting"][0]["reason"]
    assert reason == "Listed in card.mhl and not there yet: 30-T02.wav."


@pytest.mark.shared
def test_the_corrupt_and_the_truncated_are_named_every_night(
    nights: list[tuple[Any, Path]],
) -> None:
    failed = [names(report["failed"]) for report, _ in nights]
    assert failed == [[], ["27B-T02"], ["14-T08", "27B-T02"]]
    cut_short, corrupt = (item["reason"] for item in nights[2][0]["failed"])
    assert "is cut short" in cut_short
    assert "is not the file that card.mhl was made of" in corrupt
    assert nights[2][0]["failed"][1]["since"].startswith("2031-03-04T22:01")
    assert "First seen on 2031-03-04." in (nights[2][1] / "report.txt").read_text("utf-8")


@pytest.mark.shared
def test_nothing_is_done_twice(shoot: Shoot, nights: list[tuple[Any, Path]]) -> None:
    worked = [name for report, _ in nights for name in names(report["takes"])]
    assert len(worked) == len(set(worked)) == 10
    with open_workspace(Settings(home=shoot.home)) as work, work.database.read() as session:
        rows = session.execute(select(Activity.kind, Activity.key, Activity.state)).all()
    for kind, each in (("clean", 2), ("listen", 1)):
        keys = [key for found, key, _ in rows if found == kind]
        assert len(keys) == len(set(keys)) == each * len(worked)
    assert {state for _, _, state in rows} == {"done"}
    before = {path: path.stat().st_mtime_ns for path in (shoot.home / "store").rglob("*.wav")}
    assert before
    report, folder = shoot.night("2031-03-05")
    assert folder.name == "2031-03-05-2"
    assert report["takes"] == []
    assert {p: p.stat().st_mtime_ns for p in (shoot.home / "store").rglob("*.wav")} == before


@pytest.mark.shared
def test_the_reports_say_it_to_people(nights: list[tuple[Any, Path]]) -> None:
    for report, folder in nights:
        page, text = ((folder / f"report.{kind}").read_text("utf-8") for kind in ("html", "txt"))
        assert folder.name == report["date"]
        for item in [*report["failed"], *report["waiting"]]:
            assert item["reason"] in text
            assert Path(item.get("path") or item["folder"]).name in page
        assert "src=" not in page
        assert "http" not in page
        assert all(name in page for name in names(report["takes"]))
    report, folder = nights[0]
    # 5 takes of 3 seconds in 5 × 25 minutes.
    assert report["pace"] == pytest.approx(15 / (5 * 25 * 60), abs=0.001)
    assert (
        "1 take" in (folder / "report.txt").read_text("utf-8").split("Left for the next night")[1]
    )


@pytest.mark.shared
def test_what_a_night_cleaned_is_what_a_cut_finds(shoot: Shoot, nights: object) -> None:
    home = Home(shoot.home)
    cut = shoot.home.parent / "cut.edl"
    cut.write_text(
        "TITLE: NIGHT\nFCM: NON-DROP FRAME\n\n"
        "001  SR1      A     C        10:01:00:12 10:01:02:00 01:00:00:00 01:00:01:12\n"
        "* FROM CLIP NAME: 12A-T01\n"
    )
    ran = home.run(
        "clean", cut, "--media", shoot.cards, "--out", shoot.home.parent / "out",
        "--direct", "--recipe", "bypass", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert (ran.json["takes"], ran.json["takes_cleaned"], ran.json["takes_heard"]) == (1, 0, 0)


def small(folder: Path, film: Path, count: int = 1) -> Path:
    """A watched folder with takes of the small production."""
    (folder / "in").mkdir()
    for take in TAKES[:count]:
        shutil.copy(film / "sound" / f"{take.name}.wav", folder / "in")
    return folder / "in"


def nightly(home: Home, *words: str | Path) -> Ran:
    return home.run("nightly", *words, "--settle", "0.01", "--recipe", "bypass")


def test_a_night_by_hand_ends_with_0_where_all_is_done_else_with_7(
    tmp_path: Path, film: Path
) -> None:
    home, folder = Home(tmp_path / "home"), small(tmp_path, film)
    ran = nightly(home, folder)
    assert ran.code == 0, ran.err
    assert "1 take" in ran.out
    page = re.search(r"Report +(.+)", ran.out)
    assert page
    assert Path(page[1]).is_file()
    (run,) = home.run("runs", "--json").json
    assert (run["kind"], run["state"], run["outcome"]["takes_cleaned"]) == ("nightly", "done", 1)
    assert run["outcome"]["report"] == page[1]
    (folder / "broken.wav").write_bytes((folder / "1-T01.wav").read_bytes()[:9_000])
    again = nightly(home, folder, "--json")
    assert again.code == 7
    assert again.json["counts"] | {"pictures": 0} == {
        "new": 1, "done": 0, "known": 1, "failed": 1, "waiting": 0, "left": 0, "needs_ears": 0,
        "pictures": 0, "own": 0,
    }  # fmt: skip


def test_no_folder_and_no_time_of_day_are_told_in_a_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert (home.run("nightly").code, home.run("nightly", tmp_path / "nowhere").code) == (2, 3)
    ran = home.run("nightly", tmp_path, "--until", "6am")
    assert ran.code == 2
    assert "06:00" in ran.err


def test_a_copy_under_another_name_holds_its_folder_and_a_broken_off_one_does_not(
    tmp_path: Path, film: Path
) -> None:
    home, folder = Home(tmp_path / "home"), small(tmp_path, film)
    part = folder / ".1-T02.wav.Xa9Q2z"
    part.write_bytes(b"RIFF")
    ran = nightly(home, folder, "--json")
    assert ran.json["waiting"][0]["reason"] == f"Being copied: {part.name}."
    assert ran.json["takes"] == []
    os.utime(part, (1, 1))
    ran = nightly(home, folder, "--json")
    assert names(ran.json["takes"]) == ["1-T01"]
    assert any("broke off" in note for note in ran.json["notes"])


def test_a_full_disk_ends_the_work_and_the_next_night_goes_on(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = Home(tmp_path / "home"), small(tmp_path, film, 2)
    real = daily_takes.clean_take

    def full(*args: Any) -> Any:
        raise OutputError("/store can't be written, the disk has no room for it.")

    monkeypatch.setattr(daily_takes, "clean_take", full)
    ran = nightly(home, folder, "--json")
    assert (ran.code, names(ran.json["left"])) == (7, ["1-T01", "1-T02"])
    assert any("no room" in note for note in ran.json["notes"])
    monkeypatch.setattr(daily_takes, "clean_take", real)
    assert nightly(home, folder, "--json").code == 0


def test_a_card_and_its_copy_are_worked_on_once(tmp_path: Path, film: Path) -> None:
    home, folder = Home(tmp_path / "home"), small(tmp_path, film)
    (folder / "backup").mkdir()
    shutil.copy(folder / "1-T01.wav", folder / "backup")
    counts = nightly(home, folder, "--json").json["counts"]
    assert (counts["new"], counts["done"], counts["known"]) == (2, 1, 1)


def test_a_setup_that_fails_is_gentle_in_all_its_takes_if_need_be_the_next_night(
    tmp_path: Path, film: Path
) -> None:
    folder, strict = small(tmp_path, film, 2), tmp_path / "strict.toml"
    strict.write_text('gentler = "bypass"\n[gates]\nlevel_change_db = 0\n')

    def night(date: str) -> Any:
        clock = Clock(datetime.fromisoformat(f"{date}T22:00:00+00:00"))
        settings = Settings(
            home=tmp_path / "home",
            watched=(folder,),
            denoiser="rnnoise",
            recogniser="none",
            recipe=str(strict),
            nightly_until="22:10",
        )
        with open_workspace(settings) as work:
            done = run_night(work, Working(clock), clock)
        return as_json(done.night)

    first, second, third = (night(f"2031-03-0{day}") for day in (3, 4, 5))
    # The first take is cleaned, and there is no time left to do it gently.
    assert (names(first["takes"]), names(first["left"])) == (["1-T01"], ["1-T02", "1-T01"])
    assert any("cleaned with recipe bypass" in note for note in first["notes"])
    assert (names(second["takes"]), names(second["left"])) == (["1-T01"], ["1-T02"])
    assert second["takes"][0]["cleaned"] == 3
    assert (names(third["takes"]), third["whole"], third["counts"]["known"]) == (["1-T02"], True, 1)


def test_takes_at_once_come_in_order_and_the_first_fault_ends_them() -> None:
    begun = []

    def piece(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError("two")
        if begun[0] == 1:
            sleep(0.2)  # so that the fault is heard of meanwhile
        return number * number

    assert AtOnce(3).each("squares", piece, [5, 3, 4]) == [25, 9, 16]
    begun.clear()
    with pytest.raises(ValueError, match="two"):
        AtOnce(1).each("squares", piece, [1, 2, 3, 4, 5, 6, 7, 8])
    assert len(begun) < 8


def test_a_fault_of_ours_costs_one_take_and_is_kept_for_us(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = Home(tmp_path / "home"), small(tmp_path, film, 2)
    real = daily_takes.listen_take

    def one_fails(work: Any, media: Any, *rest: Any) -> Any:
        if media.path.name == "1-T01.wav":
            raise ZeroDivisionError("never mind")
        return real(work, media, *rest)

    monkeypatch.setattr(daily_takes, "listen_take", one_fails)
    ran = nightly(home, folder, "--json")
    assert (ran.code, names(ran.json["takes"])) == (7, ["1-T02"])
    assert "ZeroDivisionError: never mind" in ran.json["failed"][0]["reason"]
    assert "one_fails" in (Path(ran.json["report"]) / "faults.txt").read_text("utf-8")


def test_the_window_ends_at_the_next_time_the_clock_shows_it() -> None:
    evening = datetime(2031, 3, 3, 22, tzinfo=UTC)
    assert window_end("06:00", evening) == datetime(2031, 3, 4, 6, tzinfo=UTC)
    assert window_end("23:30", evening) == datetime(2031, 3, 3, 23, 30, tzinfo=UTC)
    assert window_end("22:00", evening) == datetime(2031, 3, 4, 22, tzinfo=UTC)
    assert window_end("", evening) is None


@contextmanager
def listening(status: int) -> Iterator[tuple[str, list[Any]]]:
    """A server on this machine that takes messages; its address and what it was told."""
    told: list[Any] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "refused"), [(204, False), (302, True), (500, True)])
def test_a_webhook_is_told_counts_and_names_once_and_kept_secret(
    tmp_path: Path, status: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cut short.wav").write_bytes(b"RIFF" + struct.pack("<I", 99) + b"WAVE")
    with listening(status) as (address, told):
        home = Home(tmp_path / "home", {"ROOMTONE_NIGHTLY_WEBHOOK": f"{address}/T0/s3cret"})
        ran = nightly(home, tmp_path / "in")
        assert ran.code == 7
        ((path, body),) = told
    assert path == "/T0/s3cret"
    message = json.loads(body)
    assert message["failed"] == ["cut short.wav"]
    assert message["counts"]["failed"] == 1
    assert "cut short.wav" in message["text"]
    assert ("refused" in ran.out + ran.err) == refused
    shown = home.run("config", "show")
    assert "nightly_webhook" in shown.out
    for text in (ran.out, ran.err, shown.out, *(
        path.read_text("utf-8") for path in (home.folder / "reports").rglob("report.*")
    )):  # fmt: skip
        assert "s3cret" not in text


def test_rolls_are_put_together_where_one_would_leave_workers_without_a_take() -> None:
    def daily(number: int) -> Daily:
        notes = SoundNotes(circled=number < 2)
        media = MediaFile(Path(f"{number}"), "WAV", "PCM_24", RATE, 2, number, 0, 0, notes)
        return Daily(media, "2031-03-03", f"SR{number // 6}")

    rolls = [*map(daily, range(48))]
    assert [len(batch) for batch in batches(rolls, 1)] == [2, 4, *[6] * 7]
    assert [item for batch in batches(rolls, 1) for item in batch] == rolls
    assert [len(batch) for batch in batches(rolls, 2)] == [18, 18, 12]
    assert [len(batch) for batch in batches(rolls, 100)] == [48]
    first = [item.media.path.name for item in batches(rolls, 2)[0]]
    assert first == ["1", "0", *map(str, range(17, 1, -1))]  # circled, then by length
