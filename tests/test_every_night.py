"""Once an evening a night is asked for, by one worker only, and never in the day."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

from config.settings import Settings
from core.run import RunState
from db.engine import Database
from db.home import open_remembered
from flows import every_night, worker
from flows.every_night import ask_for_night
from flows.night import last_begin
from flows.runs import list_runs

ZONE = timezone(timedelta(hours=5, minutes=30))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def settings(home: Path, **more: str) -> Settings:
    return Settings(home=home, watched=(home / "in",), nightly_at="20:00", **more)  # type: ignore[arg-type]


def test_the_last_begin_is_today_or_yesterday() -> None:
    assert last_begin("20:00", at("2031-03-03T20:00")) == at("2031-03-03T20:00")
    assert last_begin("20:00", at("2031-03-03T19:59")) == at("2031-03-02T20:00")
    assert last_begin("", at("2031-03-03T19:59")) is None


def test_a_night_is_asked_for_within_its_window_and_not_outside(
    database: Database, tmp_path: Path
) -> None:
    windowed = settings(tmp_path, nightly_until="06:00")
    assert ask_for_night(database, windowed, at("2031-03-03T06:00")) is None
    assert ask_for_night(database, windowed, at("2031-03-03T19:59")) is None
    run = ask_for_night(database, windowed, at("2031-03-04T05:00"))
    assert run is not None
    assert (run.kind, run.by, run.wanted.inputs) == ("nightly", "schedule", (tmp_path / "in",))
    endless = settings(tmp_path)
    assert ask_for_night(database, endless, at("2031-03-04T08:00")) is None  # twelve hours later
    none = Settings(home=tmp_path, nightly_at="20:00")
    assert ask_for_night(database, none, at("2031-03-04T21:00")) is None


def test_of_many_workers_one_asks_and_the_next_evening_one_again(
    database: Database, tmp_path: Path
) -> None:
    asked = []

    def one(moment: datetime) -> None:
        asked.append(ask_for_night(database, settings(tmp_path), moment))

    for moment in (at("2031-03-03T20:01"), at("2031-03-04T20:00")):
        threads = [threading.Thread(target=one, args=(moment,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(asked) == 12
    assert len([run for run in asked if run is not None]) == len(list_runs(database)) == 2


def test_a_worker_asks_and_does_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    moment = datetime.now().astimezone() - timedelta(minutes=1)
    chosen = settings(tmp_path).model_copy(
        update={
            "nightly_at": f"{moment:%H:%M}",
            "denoiser": "rnnoise",
            "recogniser": "none",
            "nightly_settle_s": 0.0,
        }
    )
    assert worker.work_until(threading.Event(), chosen, until_idle=True) == 1
    database = open_remembered(chosen)
    (run,) = list_runs(database)
    database.close()
    assert (run.state, run.by) == (RunState.DONE, every_night.BY)
    assert run.outcome is not None
    assert Path(run.outcome["report"]).is_file()
