"""What `bench tamper` and `bench faults` do at length, done a few times."""

from __future__ import annotations

import errno
import os
import random
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from bench.faults import chosen, failed_runs
from bench.faulty import Disk, Kind, faulty
from bench.tamper import tampered_with
from bench.tampering import KINDS, Tampering, dump, tamper
from bench.tiny import Tiny, made_film
from db.codec import now


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A tiny film whose cut was cleaned."""
    made = made_film(tmp_path_factory.mktemp("tiny"))
    ran = made.clean()
    assert ran.code == 0, ran.err
    return made


def test_whatever_is_tampered_with_is_named_alone_and_put_right(it: Tiny, tmp_path: Path) -> None:
    table = tampered_with(it, tmp_path, len(KINDS), seed=3)
    done, named, invented, repaired, restored = map(int, table.rows[-1][1:])
    assert (done, named, invented, repaired + restored) == (10, 10, 0, 10), table.notes
    assert repaired >= 5, table.notes


def test_a_run_whose_disk_fails_ends_in_a_sentence_and_the_next_one_is_whole(it: Tiny) -> None:
    table = failed_runs(it, ("read-only",), 1, seed=2)
    assert [row[1:] for row in table.rows] == [("1", "1", "0", "1", "1")], table.notes


def test_tampering_makes_a_difference_and_tells_of_it(it: Tiny) -> None:
    before = {path: path.read_bytes() for path in it.folder.rglob("*") if path.is_file()}
    done = tamper(it, "value", random.Random(1))
    assert isinstance(done, Tampering)
    path = it.database
    one, other = path.read_bytes(), before[path]
    assert one != other
    assert done.table
    path.write_bytes(other)
    known = dump(path)
    assert known is not None
    path.write_bytes(other[:5000])
    assert dump(path) is None
    path.write_bytes(other)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("full", errno.ENOSPC), ("read-only", errno.EROFS), ("denied", errno.EACCES)],
)
def test_a_disk_fails_where_it_is_told_to(tmp_path: Path, kind: Kind, code: int) -> None:
    with faulty(Disk(tmp_path, kind, 1)) as disk:
        (tmp_path / "one").mkdir()
        with pytest.raises(OSError, match=re.escape(os.strerror(code))):
            (tmp_path / "two").write_text("x")
    assert disk.events == [("mkdir", "one"), ("open", "two")]
    (tmp_path / "two").write_text("x")


def test_a_database_fails_where_it_is_told_to(tmp_path: Path) -> None:
    with (
        faulty(Disk(tmp_path, "full", 1)) as disk,
        closing(sqlite3.connect(tmp_path / "a.db")) as connection,
    ):
        connection.execute("CREATE TABLE a (b)")
        assert connection.execute("SELECT * FROM a").fetchall() == []
        with pytest.raises(sqlite3.OperationalError, match="full"):
            connection.execute("INSERT INTO a VALUES (1)")
    assert [operation for operation, _ in disk.events] == ["sql", "sql"]


def test_clocks_jump_where_they_are_told_to(tmp_path: Path) -> None:
    began, moment = time.time(), now()
    with faulty(Disk(tmp_path, "later", 0)):
        assert time.time() - began < 60
        (tmp_path / "one").mkdir()
        assert time.time() - began > 86_400
        assert (now() - moment).days == 40
    assert time.time() - began < 600


def test_every_sort_of_write_is_chosen_before_one_twice() -> None:
    events = [("open", "a"), *[("write", "a")] * 9, ("close", "a"), ("write", "b")]
    found = chosen(events, "full", 3, random.Random(1))
    assert found == [0, 1, 11]
    assert len(chosen(events, "full", 99, random.Random(1))) == 11
