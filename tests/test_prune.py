"""`roomtone prune` removes only what nothing needs, the oldest first, and only when told to."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from injuries import Patient, patient
from production import Delivered

from core.errors import ExitCode


@pytest.fixture
def it(delivered: Delivered, tmp_path: Path) -> Patient:
    """A home whose takes a day has passed over."""
    found = patient(delivered, tmp_path)
    for path in found.store:
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    return found


def sql(it: Patient, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(it.database)) as connection, connection:
        connection.execute(statement, values)


def recleaned(it: Patient, delivered: Delivered) -> list[Path]:
    """The takes of the first cleaning, after the cut was cleaned with another recipe."""
    first = it.store
    cut = delivered.film / "v1.otio"
    ran = it.home.run("clean", cut, "--out", it.out, "--direct", "--recipe", "gentle")
    assert ran.code == 0, ran.err
    return first


def test_nothing_goes_that_a_cut_plays(it: Patient) -> None:
    ran = it.home.run("prune", "--yes", "--json")
    assert ran.code == ExitCode.OK
    assert ran.json["going"] == []
    assert all("plays it" in item["needed"] for item in ran.json["kept"])
    assert len(it.store) == 4


def test_what_a_later_cleaning_replaced_goes_only_with_yes(
    it: Patient, delivered: Delivered
) -> None:
    first = recleaned(it, delivered)
    before = it.store
    assert len(before) == 8
    for words in (["prune"], ["prune", "--dry-run"]):
        ran = it.home.run(*words)
        assert (ran.code, "4 of 8 cleaned takes are not needed" in ran.out) == (0, True)
        assert it.store == before
    ran = it.home.run("prune", "--yes")
    assert "4 files removed" in ran.out
    assert it.store == sorted(set(before) - set(first))
    assert it.home.run("check", "--read").code == ExitCode.OK
    cut = delivered.film / "v1.otio"
    again = it.home.run("clean", cut, "--out", it.out, "--direct")
    assert "4 cleaned now" in again.out


def test_a_delivery_that_is_there_keeps_what_it_was_made_of(
    it: Patient, delivered: Delivered, tmp_path: Path
) -> None:
    cut = delivered.film / "v1.otio"
    other = tmp_path / "other"
    assert it.home.run("clean", cut, "--out", other, "--direct", "--recipe", "gentle").code == 0
    kept = it.home.run("prune", "--json").json["kept"]
    assert sum("was made from it" in item["needed"] for item in kept) == 4
    assert len(kept) == 8


def test_a_lock_keeps_a_take(it: Patient, delivered: Delivered) -> None:
    first = recleaned(it, delivered)
    sql(
        it,
        "INSERT INTO overrides (essence, channels, start_sample, end_sample, recipe, locked, note,"
        " by, created) SELECT essence, '[0]', 0, 1, '', ?, '', 'me', '2026-01-01T00:00:00+00:00'"
        " FROM takes LIMIT 1",
        first[0].stem,
    )
    plan = it.home.run("prune", "--json").json
    assert len(plan["going"]) == 3
    assert "a person locked it" in [item["needed"] for item in plan["kept"]]


def test_an_approval_keeps_a_take_until_it_is_undone(it: Patient, delivered: Delivered) -> None:
    first = recleaned(it, delivered)
    sql(
        it,
        "INSERT INTO reviews (id, setup, kind, recipe, text, whole, by, created, undone_by)"
        " SELECT 1, min(id), 'approve', '', '', 0, 'me', '2026-01-01T00:00:00+00:00', ''"
        " FROM setups",
    )
    sql(
        it,
        "INSERT INTO review_takes (review, essence, channels, key)"
        " SELECT 1, essence, '0', ? FROM takes LIMIT 1",
        first[0].stem,
    )
    plan = it.home.run("prune", "--json").json
    assert len(plan["going"]) == 3
    assert "a person decided on it" in [item["needed"] for item in plan["kept"]]
    sql(it, "UPDATE reviews SET undone = '2026-01-02T00:00:00+00:00'")
    assert len(it.home.run("prune", "--json").json["going"]) == 4


def test_what_is_new_stays(it: Patient, delivered: Delivered) -> None:
    first = recleaned(it, delivered)
    os.utime(first[0])
    plan = it.home.run("prune", "--json").json
    assert len(plan["going"]) == 3
    assert "it is new" in [item["needed"] for item in plan["kept"]]


def test_a_quota_takes_the_oldest_and_no_more_than_it_must(
    it: Patient, delivered: Delivered
) -> None:
    recleaned(it, delivered)
    total = sum(path.stat().st_size for path in it.store)
    plan = it.home.run("prune", "--quota", str(total - 1), "--json").json
    assert len(plan["going"]) == 1
    everything = [*plan["going"], *(item for item in plan["kept"] if not item["needed"])]
    assert plan["going"][0]["cleaned"] == min(item["cleaned"] for item in everything)
    ran = it.home.run("prune", "--quota", "1KB")
    assert ran.code == ExitCode.CHECK
    assert "more than the quota" in ran.out
    assert it.home.run("prune", "--quota", "much").code == ExitCode.USAGE


def test_the_cache_goes_where_it_is_a_day_old(it: Patient) -> None:
    cache = it.home.folder / "cache"
    old, new = cache / "old.json", cache / "new.json"
    for path in (old, new):
        path.write_text("[]")
    (cache / "link.json").symlink_to(it.database)
    for path in cache.iterdir():
        if path != new and not path.is_symlink():
            os.utime(path, (time.time() - 2 * 86_400,) * 2)
    assert it.home.run("prune", "--cache", "--yes").code == 0
    assert sorted(path.name for path in cache.iterdir()) == ["link.json", "new.json"]
    assert it.database.is_file()
