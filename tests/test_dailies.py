"""Takes belong to their shoot day and roll, and the circled ones are done first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from core.dailies import daily_of, in_order
from core.media import MediaFile, SoundNotes

CHANGED = datetime(2031, 3, 9, 14, tzinfo=UTC)


def media(name: str, **notes: object) -> MediaFile:
    path = Path("/dailies/CARD_A") / name
    return MediaFile(path, "WAV", "PCM_24", 48_000, 2, 1, 1, 1, notes=SoundNotes(**notes))  # type: ignore[arg-type]


def test_day_and_roll_are_the_recorders_else_the_files_and_folders() -> None:
    told = daily_of(
        media("a", origination_date="2031:03:04", origination_time="17:05:00", tape="SR9"), CHANGED
    )
    assert (told.day, told.roll, told.hour) == ("2031-03-04", "SR9", 17)
    for date in ("", "0000-00-00", "2031-02-31", "yesterday"):
        silent = daily_of(media("a", origination_date=date), CHANGED)
        assert (silent.day, silent.roll, silent.hour) == ("2031-03-09", "CARD_A", 14)


def test_circled_takes_come_first_then_days_rolls_and_the_clock() -> None:
    def take(name: str, day: str, tape: str, at: int, circled: bool = False) -> MediaFile:
        return media(name, origination_date=day, tape=tape, time_reference=at, circled=circled)

    files = [
        take("e", "2031-03-05", "SR1", 1),
        take("d", "2031-03-04", "SR2", 1),
        take("c", "2031-03-04", "SR1", 9),
        take("b", "2031-03-04", "SR1", 5),
        take("a", "2031-03-05", "SR3", 7, circled=True),
    ]
    ordered = in_order(daily_of(file, CHANGED) for file in files)
    assert [item.media.path.name for item in ordered] == ["a", "b", "c", "d", "e"]


def test_a_night_shoot_is_one_day_where_the_roll_goes_on() -> None:
    def take(name: str, day: str, time: str, tape: str, at: int) -> MediaFile:
        return media(
            name, origination_date=day, origination_time=time, tape=tape, time_reference=at
        )

    ordered = in_order(
        daily_of(file, CHANGED)
        for file in (
            take("late", "2031-03-05", "01:30:00", "SR1", 100),
            take("evening", "2031-03-04", "23:10:00", "SR1", 9000),
            take("early call", "2031-03-05", "05:00:00", "SR2", 100),
        )
    )
    assert [(item.media.path.name, item.day) for item in ordered] == [
        ("evening", "2031-03-04"),
        ("late", "2031-03-04"),
        ("early call", "2031-03-05"),
    ]
