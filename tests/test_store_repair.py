"""`roomtone repair` puts right what can be made again, and lists what can't."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from injuries import Patient, patient
from production import Delivered, sound_of

from core.errors import ExitCode


@pytest.fixture
def it(delivered: Delivered, tmp_path: Path) -> Patient:
    return patient(delivered, tmp_path)


def findings(it: Patient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = it.home.run("check", "--read", "--json").json["findings"]
    return found


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def sql(it: Patient, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(it.database)) as connection, connection:
        connection.execute(statement, values)


def test_nothing_is_repaired_where_nothing_is_wrong(it: Patient) -> None:
    ran = it.home.run("repair", "--yes")
    assert ran.code == ExitCode.OK
    assert "nothing to repair" in ran.out


def test_cleaned_takes_come_back_with_the_same_bytes(it: Patient) -> None:
    gone, wrong, short = it.store[:3]
    before = {path: path.read_bytes() for path in it.store}
    gone.unlink()
    flip(wrong)
    short.write_bytes(short.read_bytes()[:1000])
    ran = it.home.run("repair", "--yes")
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert "5 of 5 steps done" in ran.out
    assert {path: path.read_bytes() for path in it.store} == before
    assert findings(it) == []
    aside = sorted((it.home.folder / "aside").iterdir())
    assert [path.name for path in aside] == sorted([wrong.name, short.name])


def test_it_asks_and_a_dry_run_changes_nothing(it: Patient) -> None:
    it.store[0].unlink()
    for words in (["repair"], ["repair", "--dry-run"]):
        ran = it.home.run(*words)
        assert ran.code in (ExitCode.USAGE, ExitCode.CHECK)
        assert "make it again from" in ran.out
        assert len(it.store) == 3


def test_a_take_whose_original_is_gone_is_struck_off(it: Patient, tmp_path: Path) -> None:
    sql(it, "UPDATE media SET path = replace(path, 'sound', 'nowhere')")
    it.store[0].unlink()
    ran = it.home.run("repair", "--yes")
    assert "is not there with the same bytes" in ran.out
    assert findings(it) == []


def test_a_delivery_is_whole_again_after_the_clean_that_is_named(
    it: Patient, delivered: Delivered
) -> None:
    before = sound_of(it.out)
    flip(it.out / "stems" / "v1.DX.wav")
    (it.out / "clips" / "1_1_MARA.wav").unlink()
    ran = it.home.run("repair", "--yes")
    assert f"roomtone clean {delivered.film / 'v1.otio'} --out {it.out}" in ran.out
    assert (it.out / "stems" / "v1.DX.damaged.wav").is_file()
    again = it.home.run("clean", delivered.film / "v1.otio", "--out", it.out, "--direct")
    assert again.code == 0, again.err
    (it.out / "stems" / "v1.DX.damaged.wav").unlink()
    assert sound_of(it.out) == before
    assert findings(it) == []


def test_a_delivery_whose_list_is_damaged_can_be_delivered_to_again(
    it: Patient, delivered: Delivered
) -> None:
    before = sound_of(it.out)
    (it.out / "delivery.json").write_text("{")
    refused = it.home.run("clean", delivered.film / "v1.otio", "--out", it.out, "--direct")
    assert refused.code == ExitCode.OUTPUT
    assert it.home.run("repair", "--yes").code == ExitCode.CHECK
    again = it.home.run("clean", delivered.film / "v1.otio", "--out", it.out, "--direct")
    assert again.code == 0, again.err
    assert sound_of(it.out) == before
    assert findings(it) == []


def test_a_delivery_that_went_is_struck_off(it: Patient) -> None:
    shutil.rmtree(it.out)
    assert it.home.run("repair", "--yes").code == 0
    assert findings(it) == []


def test_a_stray_of_the_store_is_set_aside(it: Patient) -> None:
    stray = it.home.folder / "store" / "ab" / f"{'ab' * 32}.wav"
    stray.parent.mkdir()
    stray.write_bytes(b"RIFF")
    os.utime(stray, (time.time() - 7200,) * 2)
    assert it.home.run("repair", "--yes").code == 0
    assert not stray.exists()
    assert (it.home.folder / "aside" / stray.name).read_bytes() == b"RIFF"


@pytest.mark.parametrize("kind", ["clean", "stem"])
def test_a_row_of_a_file_that_is_there_is_written_again(it: Patient, kind: str) -> None:
    query = "SELECT sha256 FROM assets WHERE kind = ? ORDER BY sha256 LIMIT 1"
    with closing(sqlite3.connect(it.database)) as connection:
        (sha256,) = connection.execute(query, (kind,)).fetchone()
    sql(it, "DELETE FROM locations WHERE asset = ?", sha256)
    ran = it.home.run("repair", "--yes")
    assert "note again where it lies" in ran.out
    assert findings(it) == []
    sql(it, "DELETE FROM assets WHERE sha256 = ?", sha256)
    ran = it.home.run("repair", "--yes")
    assert "note again what" in ran.out
    assert findings(it) == []


def test_rows_that_no_file_tells_of_are_listed_and_then_no_longer_missed(it: Patient) -> None:
    sql(it, "DELETE FROM voices WHERE id = (SELECT min(id) FROM voices)")
    ran = it.home.run("repair", "--yes")
    assert ran.code == ExitCode.CHECK
    assert "Can't be made again: table voices" in ran.out
    assert "restore it from a backup" in ran.out
    assert findings(it) == []


def test_an_index_of_search_is_made_anew(it: Patient) -> None:
    from production import tell

    tell(it.home, {"1-T01": [(10, "what joy there is")]})
    sql(it, "INSERT INTO words_fts (words_fts) VALUES ('delete-all')")
    assert it.home.run("repair", "--yes").code == 0
    assert findings(it) == []
    assert ">joy<" in it.home.run("search", "joy").out


def test_a_database_that_is_damaged_is_not_touched(it: Patient) -> None:
    it.database.write_bytes(it.database.read_bytes()[:50_000])
    ran = it.home.run("repair", "--yes")
    assert ran.code == ExitCode.INPUT
    assert "roomtone restore" in ran.err
    assert it.database.stat().st_size == 50_000


def test_originals_are_never_touched(it: Patient, delivered: Delivered) -> None:
    sound = delivered.film / "sound"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sound.iterdir()}
    for path in it.store:
        flip(path)
    assert it.home.run("repair", "--yes").code == 0
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sound.iterdir()} == before


def test_repair_is_recorded(it: Patient) -> None:
    it.store[0].unlink()
    it.home.run("repair", "--yes")
    with closing(sqlite3.connect(it.database)) as connection:
        rows = connection.execute("SELECT tool, agent FROM activities WHERE kind = 'repair'")
        ((tool, agent),) = rows.fetchall()
    assert tool == "roomtone repair"
    assert agent
