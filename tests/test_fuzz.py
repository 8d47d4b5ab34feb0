"""What comes in from others is read or refused in a sentence, however injured it is."""

from __future__ import annotations

from pathlib import Path

from bench.fuzz import bench_fuzz
from bench.fuzz_child import READERS, told


def test_injured_files_are_read_or_refused_in_a_sentence() -> None:
    table = bench_fuzz(0.12, seed=2, keep=None, only="")
    assert len(table.rows) > 20
    assert all(int(row[1]) > 0 for row in table.rows), "a reader was given nothing"
    assert [row for row in table.rows if row[-1] != "0"] == [], table.notes
    # Whole files are read: else every injury would be refused for the same reason.
    assert [note for note in table.notes if "refused even whole" in note] == []


def test_a_fault_that_is_no_sentence_is_a_finding(tmp_path: Path) -> None:
    def broken(path: Path) -> None:
        raise IndexError("list index out of range")

    assert told(broken, tmp_path)["became"] == "fault"
    assert told(READERS["script"], tmp_path / "no.fdx")["became"] == "refused"
