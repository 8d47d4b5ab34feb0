"""A backup restores to the same finds and the same check, whole or not at all."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from databases import Server
from injuries import Patient, patient
from object_storage import Bucket
from production import Delivered, Home, tell

from core.errors import ExitCode

SAID = {
    "1-T01": [(10, "what joy there is in living"), (60, "bring the blue suitcase")],
    "1-T02": [(20, "what joy there is in leaving")],
}
QUESTIONS = ("joy", "joi livin", '"blue suitcase"', "liv*", "the -joy")


@pytest.fixture
def it(delivered: Delivered, tmp_path: Path) -> Patient:
    found = patient(delivered, tmp_path)
    tell(found.home, SAID)
    (found.home.folder / "roomtone.toml").write_text('project = "SMALL FILM"\n')
    return found


def finds(home: Home) -> list[Any]:
    return [home.run("search", question, "--json").json for question in QUESTIONS]


def checked(home: Home) -> Any:
    return home.run("check", "--read", "--json").json


def back_up(it: Patient, folder: Path | str, *options: str) -> Any:
    ran = it.home.run("backup", folder, "--json", *options)
    assert ran.code == 0, ran.err
    return ran.json


def restored(it: Patient, folder: Path | str, to: Path, **environment: str) -> Home:
    home = Home(to, {**it.home.environment, **environment})
    ran = home.run("restore", folder)
    assert (ran.code, ran.err) == (0, "")
    return home


def test_an_empty_home_has_the_same_finds_and_the_same_check(it: Patient, tmp_path: Path) -> None:
    before, check = finds(it.home), checked(it.home)
    assert [len(found) for found in before] != [0] * len(QUESTIONS)
    back_up(it, tmp_path / "backup")
    shutil.rmtree(it.home.folder)
    home = restored(it, tmp_path / "backup", tmp_path / "new machine")
    assert finds(home) == before
    assert checked(home) == check
    assert check["in_order"]
    assert (home.folder / "roomtone.toml").read_text() == 'project = "SMALL FILM"\n'


def test_a_restored_home_goes_on_without_doing_anything_again(
    it: Patient, delivered: Delivered, tmp_path: Path
) -> None:
    back_up(it, tmp_path / "backup")
    home = restored(it, tmp_path / "backup", tmp_path / "again")
    ran = home.run("clean", delivered.film / "v1.otio", "--out", it.out, "--direct")
    assert "0 cleaned now, 4 from the store" in ran.out


def test_a_second_backup_copies_only_what_is_new(it: Patient, tmp_path: Path) -> None:
    first = back_up(it, tmp_path / "backup")
    assert first["copied"] == first["bytes"]
    tell(it.home, {"2-T01": []})
    second = back_up(it, tmp_path / "backup")
    assert second["copied"] <= it.database.stat().st_size + 100_000 < first["copied"]
    names = it.home.run("restore", tmp_path / "backup", "--list", "--json").json
    assert len(names) == 2
    other = Home(tmp_path / "first", it.home.environment)
    assert other.run("restore", tmp_path / "backup", "--at", names[0]).code == 0
    assert other.run("restore", tmp_path / "backup", "--at", "never").code == ExitCode.USAGE


def test_a_damaged_store_is_not_backed_up(it: Patient, tmp_path: Path) -> None:
    data = bytearray(it.store[0].read_bytes())
    data[-1] ^= 1
    it.store[0].write_bytes(data)
    ran = it.home.run("backup", tmp_path / "backup")
    assert ran.code == ExitCode.INPUT
    assert "roomtone repair" in ran.err
    assert list((tmp_path / "backup" / "backups").iterdir()) == []
    assert list((tmp_path / "backup").rglob("*.part")) == []


def test_a_damaged_backup_is_not_restored_and_read_copies_it_again(
    it: Patient, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    back_up(it, folder)
    largest = max((folder / "objects").rglob("*"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[5000] ^= 1
    largest.write_bytes(data)
    home = Home(tmp_path / "new", it.home.environment)
    ran = home.run("restore", folder)
    assert ran.code == ExitCode.INPUT
    assert "is damaged" in ran.err
    assert not (home.folder / "roomtone.db").exists()
    back_up(it, folder, "--read")
    assert home.run("restore", folder).code == 0
    assert checked(home)["in_order"]


def test_a_home_that_has_something_is_never_overwritten(it: Patient, tmp_path: Path) -> None:
    back_up(it, tmp_path / "backup")
    before = it.database.read_bytes()
    assert it.home.run("restore", tmp_path / "backup").code == ExitCode.OUTPUT
    assert it.database.read_bytes() == before
    other = Home(tmp_path / "other")
    (other.folder / "store" / "ab").mkdir(parents=True)
    (other.folder / "store" / "ab" / "mine.wav").touch()
    assert other.run("restore", tmp_path / "backup").code == ExitCode.OUTPUT


def test_a_backup_is_for_its_owner_alone_and_lies_outside_of_the_home(
    it: Patient, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    back_up(it, folder)
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.parent.name == "objects":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert it.home.run("backup", it.home.folder / "store").code == ExitCode.OUTPUT
    assert it.home.run("backup", it.home.folder.parent).code == ExitCode.OUTPUT


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"path": "../../outside", "sha256": "a" * 64, "bytes": 1}]},
        {"files": [{"path": "/etc/outside", "sha256": "a" * 64, "bytes": 1}]},
        {"files": [{"path": "store/x.wav", "sha256": "../" * 21 + "a", "bytes": 1}]},
        {"files": [{"path": "log/x", "sha256": "a" * 64, "bytes": 1}]},
        {"files": 3},
        {"files": [{"path": ".", "sha256": "a" * 64, "bytes": 1}]},
        {"files": [{"path": "store/x.wav", "sha256": "a" * 64, "bytes": -1}]},
        {"files": [{"path": "store/x.wav", "sha256": "a" * 64, "bytes": 10**30}]},
        {"database": {"kind": "sqlite", "sha256": "b" * 64, "bytes": 1}},
        {"backup": 99},
        {"made": "yesterday"},
    ],
)
def test_a_list_that_somebody_forged_leads_nowhere(
    it: Patient, tmp_path: Path, change: dict[str, Any]
) -> None:
    back_up(it, tmp_path / "backup")
    (path,) = (tmp_path / "backup" / "backups").iterdir()
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    home = Home(tmp_path / "new")
    assert home.run("restore", tmp_path / "backup").code == ExitCode.INPUT
    assert not (home.folder / "roomtone.db").exists()


def test_no_backup_is_a_sentence(tmp_path: Path) -> None:
    assert Home(tmp_path / "home").run("restore", tmp_path).code == ExitCode.INPUT


def test_links_are_not_followed_into_a_backup(it: Patient, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('project = "MINE"\n')
    settings = it.home.folder / "roomtone.toml"
    settings.unlink()
    settings.symlink_to(mine)
    folder = tmp_path / "backup"
    back_up(it, folder)
    objects = [path for path in (folder / "objects").rglob("*") if path.is_file()]
    assert mine.read_bytes() not in [path.read_bytes() for path in objects]
    take = it.store[0]
    shutil.move(take, tmp_path / "take.wav")
    take.symlink_to(tmp_path / "take.wav")
    assert it.home.run("backup", tmp_path / "other").code == ExitCode.INPUT


def test_a_team_s_database_is_backed_up_and_restored_and_either_becomes_the_other(
    it: Patient, tmp_path: Path, server: Server
) -> None:
    before = finds(it.home)
    back_up(it, tmp_path / "one")
    moved = restored(it, tmp_path / "one", tmp_path / "team", ROOMTONE_DATABASE=server.empty())
    assert finds(moved) == before
    assert checked(moved)["in_order"]
    on_server = replace(it, home=moved)
    back_up(on_server, tmp_path / "two")
    again = restored(it, tmp_path / "two", tmp_path / "team 2", ROOMTONE_DATABASE=server.empty())
    assert finds(again) == before
    assert checked(again)["in_order"]
    alone = restored(it, tmp_path / "two", tmp_path / "alone")
    assert finds(alone) == before
    assert checked(alone)["in_order"]
    tell(alone, {"1-T02": [(5, "one more line")]})
    assert checked(alone)["in_order"]


def test_a_bucket_takes_a_backup_and_gives_it_back(
    it: Patient, tmp_path: Path, bucket: Bucket
) -> None:
    before, check = finds(it.home), checked(it.home)
    it = replace(it, home=Home(it.home.folder, {**it.home.environment, **bucket.elsewhere}))
    vault = f"{bucket.address}/backups of takes"
    first = back_up(it, vault)
    assert first["copied"] == first["bytes"]
    assert first["path"].startswith(f"{vault}/backups/")
    assert back_up(it, vault, "--read")["copied"] < first["copied"]
    home = restored(it, vault, tmp_path / "new machine")
    assert finds(home) == before
    assert checked(home) == check
    assert not [path for at in (it.home, home) for path in at.folder.glob(".vault*")]


def test_a_damaged_or_missing_object_is_not_restored(
    it: Patient, tmp_path: Path, bucket: Bucket
) -> None:
    it = replace(it, home=Home(it.home.folder, {**it.home.environment, **bucket.elsewhere}))
    back_up(it, bucket.address)
    name, data = max(bucket.objects.items(), key=lambda item: len(item[1]))
    bucket.put(name, data[:-1] + bytes([data[-1] ^ 1]))
    home = Home(tmp_path / "new", it.home.environment)
    ran = home.run("restore", bucket.address)
    assert (ran.code, "is damaged" in ran.err) == (ExitCode.INPUT, True)
    bucket.delete(name)
    ran = home.run("restore", bucket.address)
    assert (ran.code, "is missing" in ran.err) == (ExitCode.INPUT, True)
    assert not (home.folder / "roomtone.db").exists()
    back_up(it, bucket.address)
    assert home.run("restore", bucket.address).code == 0
    assert home.run("restore", "s3://no-such-bucket/x").code == ExitCode.OUTPUT
