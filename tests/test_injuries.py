"""Whatever single thing is done to a home or a delivery, a check names that, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from injuries import Injury, Patient, injured, patient
from production import Delivered

COUNT = int(os.environ.get("ROOMTONE_INJURIES", "8"))


@pytest.fixture(scope="module")
def it(delivered: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    return patient(delivered, tmp_path_factory.mktemp("patient"))


def wrong(it: Patient) -> list[dict[str, Any]]:
    ran = it.home.run("check", "--read", "--json")
    assert ran.code in (0, 7), ran.err
    assert (ran.code == 0) == ran.json["in_order"]
    findings: list[dict[str, Any]] = ran.json["findings"]
    return findings


def test_nothing_is_wrong_before(it: Patient) -> None:
    assert wrong(it) == []


@pytest.mark.parametrize("seed", range(COUNT))
def test_an_injury_is_named_and_no_other(it: Patient, seed: int) -> None:
    with injured(it, seed) as injury:
        found = wrong(it)
        if injury.how == "flip":
            verified_alone(it, injury.where)
    told(injury, found)
    assert wrong(it) == []


def verified_alone(it: Patient, where: Path) -> None:
    """That verify finds one file of all that is not what it was."""
    files = [*it.listed, *it.store]
    verdicts = {
        Path(item["path"]): item["verdict"] for item in it.home.run("verify", "--json", *files).json
    }
    assert verdicts.pop(where) in ("changed", "sound unchanged")
    assert set(verdicts.values()) == {"unchanged"}


def told(injury: Injury, found: list[dict[str, Any]]) -> None:
    kinds = [item["kind"] for item in found]
    places = [item["where"] for item in found]
    if injury.where.name == "roomtone.db" and (
        injury.how != "row" or injury.table == "alembic_version"
    ):
        assert (set(kinds), set(places)) == ({"database"}, {str(injury.where)}), injury
    elif injury.how == "flip":
        assert (kinds, places) == (["changed"], [str(injury.where)]), injury
    elif injury.how == "delete":
        kind = "unlisted" if injury.where.name == "delivery.json" else "missing"
        assert (kinds, places) == ([kind], [str(injury.where)]), injury
    else:
        row_is_told(injury, found)


def row_is_told(injury: Injury, found: list[dict[str, Any]]) -> None:
    """The table is named as one row short; what else is said is of that row."""
    counts = [item for item in found if item["kind"] == "count"]
    short = [f"table {injury.table}"] if injury.table != "row_counts" else ["row_counts"]
    assert [item["where"] for item in counts] == short, (injury, found)
    if injury.table == "row_counts":
        assert f" {injury.row[0]} " in counts[0]["what"]
    of_row = {str(value) for value in injury.row if value is not None}
    for item in found:
        if item not in counts:
            said = f"{item['where']} {item['what']}"
            assert item["kind"] == "row", (injury, item)
            assert injury.table in said or any(value in said for value in of_row), (injury, item)
