"""Every asset can be traced to the originals, and work that was done is known to be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.errors import InputError
from db.engine import Database, open_database
from db.memory import AssetRecord, remember_asset
from db.provenance import (
    ActivityRecord,
    UnknownAssetError,
    Use,
    find,
    find_by_hash,
    finished,
    record,
)
from db.tables import Activity, AssetKind, Used
from db.trace_text import render_trace, render_uses
from db.tracing import became, origins, trace

CARD = {
    "name": "DeepFilterNet",
    "version": "3",
    "runtime": "torch 2.13.0",
    "weights_sha256": "f" * 64,
    "licence": "MIT OR Apache-2.0",
    "trained_on": "DNS4",
    "source": "https://example.org",
    "stand_in": False,
}
NIGHT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)

CLEAN = ActivityRecord(
    id="11111111-1111-4111-8111-111111111111",
    kind="clean",
    key="k-clean",
    tool="roomtone clean",
    card=CARD,
    parameters={"limit_db": 12, "repair": ["clicks", "hum"]},
    code_version="0.1.0",
    started=NIGHT,
    ended=NIGHT + timedelta(minutes=3),
    machine="mill",
    agent="ann",
)
RENDER = replace(
    CLEAN,
    id="22222222-2222-4222-8222-222222222222",
    kind="render",
    key="k-render",
    card=None,
    parameters={},
    ended=NIGHT + timedelta(minutes=5),
)

ORIGINAL, CLEANED, DX, NR = "a" * 64, "b" * 64, "c" * 64, "d" * 64


@pytest.fixture
def database(place: Path | str, tmp_path: Path) -> Iterator[Database]:
    opened = open_database(place)
    named: tuple[tuple[str, AssetKind, str], ...] = (
        (ORIGINAL, "original", "12A-T01.wav"),
        (CLEANED, "clean", "12A-T01.clean.wav"),
        (DX, "stem", "DX.wav"),
        (NR, "stem", "NR.wav"),
    )
    with opened.write() as session:
        for sha256, kind, name in named:
            path = tmp_path / name
            path.write_bytes(b"RIFF")
            remember_asset(session, AssetRecord(sha256, kind, name, 4), path)
    yield opened
    opened.close()


def record_all(database: Database) -> None:
    with database.write() as session:
        record(session, CLEAN, [Use(ORIGINAL, "source")], [Use(CLEANED, "clean")])
        used = [Use(CLEANED, "A1", n * 100, n * 100 + 50) for n in range(5)]
        made = [Use(DX, "DX"), Use(NR, "NR")]
        record(session, RENDER, [*used, Use(ORIGINAL, "PROD", 0, 50)], made)


def test_work_that_ended_well_is_finished_with_what_it_made(database: Database) -> None:
    record_all(database)
    with database.read() as session:
        assert finished(session, "clean", "k-clean") == (CLEAN, (Use(CLEANED, "clean"),))
        assert finished(session, "render", "k-render") == (RENDER, (Use(DX, "DX"), Use(NR, "NR")))
        assert finished(session, "render", "k-clean") is None
        assert finished(session, "clean", "k-other") is None


def test_work_that_failed_is_not_finished_and_made_nothing(database: Database) -> None:
    with database.write() as session:
        record(session, replace(CLEAN, state="failed"), [Use(ORIGINAL, "source")], [])
    with database.read() as session:
        assert finished(session, "clean", "k-clean") is None
    again = replace(CLEAN, id="33333333-3333-4333-8333-333333333333")
    with database.write() as session:
        record(session, again, [Use(ORIGINAL, "source")], [Use(CLEANED, "clean")])
    with database.read() as session:
        assert finished(session, "clean", "k-clean") == (again, (Use(CLEANED, "clean"),))


def test_the_same_work_recorded_twice_is_recorded_once(database: Database) -> None:
    record_all(database)
    again = replace(CLEAN, id="33333333-3333-4333-8333-333333333333", machine="other")
    with database.write() as session:
        record(session, again, [Use(ORIGINAL, "source")], [Use(CLEANED, "clean")])
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Activity)) == 2
        assert session.scalar(select(func.count()).select_from(Used)) == 7
        assert finished(session, "clean", "k-clean") == (CLEAN, (Use(CLEANED, "clean"),))


def test_work_redone_with_another_result_supersedes_and_both_can_be_traced(
    database: Database,
) -> None:
    record_all(database)
    again = replace(CLEAN, id="33333333-3333-4333-8333-333333333333", machine="other")
    with database.write() as session:
        remember_asset(session, AssetRecord("e" * 64, "clean", "again.wav", 4), None)
        record(session, again, [Use(ORIGINAL, "source")], [Use("e" * 64, "clean")])
    with database.read() as session:
        assert finished(session, "clean", "k-clean") == (again, (Use("e" * 64, "clean"),))
        assert trace(session, "e" * 64).activity == again
        assert trace(session, CLEANED).activity == replace(CLEAN, state="superseded")


def test_times_come_back_as_the_same_moments_in_utc(database: Database) -> None:
    kolkata = timezone(timedelta(hours=5, minutes=30))
    activity = replace(CLEAN, ended=datetime(2026, 3, 1, 9, 30, 0, 250_000, tzinfo=kolkata))
    with database.write() as session:
        record(session, activity, [], [])
    with database.read() as session:
        done = finished(session, "clean", "k-clean")
        assert done is not None
        assert done[0].ended.isoformat() == "2026-03-01T04:00:00.250000+00:00"


def test_an_asset_that_is_not_remembered_is_refused(database: Database) -> None:
    with database.read() as session, pytest.raises(ValueError, match="0000 is not remembered"):
        record(session, CLEAN, [Use("0000", "source")], [])


def test_a_trace_leads_to_the_original_with_the_samples_used(database: Database) -> None:
    record_all(database)
    with database.read() as session:
        node = trace(session, DX)
    assert (node.asset.name, node.activity) == ("DX.wav", RENDER)
    used = [(s.use.role, s.use.start, s.use.end) for s in node.used]
    assert used[::5] == [("A1", 0, 50), ("PROD", 0, 50)]
    clean = node.used[0].node
    assert (clean.asset.name, clean.activity) == ("12A-T01.clean.wav", CLEAN)
    (source,) = clean.used
    assert (source.use.role, source.use.start, source.use.end) == ("source", None, None)
    assert (source.node.asset.kind, source.node.activity, source.node.used) == (
        "original",
        None,
        (),
    )
    assert node.used[5].node == source.node


def test_a_trace_that_leads_back_to_itself_ends(database: Database) -> None:
    back = replace(RENDER, id="33333333-3333-4333-8333-333333333333", key="k-back")
    with database.write() as session:
        record(session, CLEAN, [Use(ORIGINAL, "source")], [Use(CLEANED, "clean")])
        record(session, back, [Use(CLEANED, "bypassed")], [Use(ORIGINAL, "DX")])
    with database.read() as session:
        node = trace(session, CLEANED)
    original = node.used[0].node
    assert original.activity == back
    assert original.used[0].node.asset.sha256 == CLEANED
    assert original.used[0].node.activity is None


def test_a_trace_reads_as_a_tree(database: Database, tmp_path: Path) -> None:
    record_all(database)
    with database.read() as session:
        told = render_trace(trace(session, DX)).replace(str(tmp_path) + "/", "")
    assert told == "\n".join(
        [
            "DX.wav [stem, cccccccccccc]",
            "│ render by roomtone clean 0.1.0, 2026-03-01 02:05:00+00:00 on mill for ann",
            "├─ A1: 12A-T01.clean.wav [clean, bbbbbbbbbbbb],"
            " samples 0-50, 100-150, 200-250 and 2 more",
            "│  │ clean by roomtone clean 0.1.0, 2026-03-01 02:03:00+00:00 on mill for ann",
            "│  │ model DeepFilterNet 3 on torch 2.13.0, weights ffffffffffff",
            '│  │ limit_db = 12, repair = ["clicks", "hum"]',
            "│  └─ source: 12A-T01.wav [original, aaaaaaaaaaaa]",
            "└─ PROD: 12A-T01.wav [original, aaaaaaaaaaaa], samples 0-50",
        ]
    )


def test_what_was_told_once_is_pointed_at(database: Database) -> None:
    record_all(database)
    mix = replace(RENDER, id="33333333-3333-4333-8333-333333333333", key="k-mix")
    with database.write() as session:
        remember_asset(session, AssetRecord("e" * 64, "stem", "MIX.wav", 4), None)
        record(session, mix, [Use(DX, "DX"), Use(NR, "NR")], [Use("e" * 64, "MIX")])
    with database.read() as session:
        told = render_trace(trace(session, "e" * 64)).split("\n")
    assert told[0] == "MIX.wav (no known place) [stem, eeeeeeeeeeee]"
    assert sum("model DeepFilterNet" in line for line in told) == 1
    assert sum("12A-T01.clean.wav" in line and "(as above)" in line for line in told) == 1


def placed(database: Database) -> None:
    """DX plays three stretches of the cleaned take, one of them at half speed."""
    clean = replace(CLEAN, parameters={})
    with database.write() as session:
        record(session, clean, [Use(ORIGINAL, "", 0, 900, (0, 900), "", (2,))], [Use(CLEANED, "")])
        used = [
            Use(CLEANED, "clean", 100, 200, (0, 100), "A1/001"),
            Use(CLEANED, "clean", 500, 550, (100, 200), "A1/002"),
            Use(CLEANED, "clean", 100, 150, (300, 350), "A1/003"),
        ]
        record(session, RENDER, used, [Use(DX, "DX")])


def test_the_originals_of_an_asset_are_told_with_their_samples_and_place(
    database: Database,
) -> None:
    placed(database)
    with database.read() as session:
        found = origins(trace(session, DX))
    assert [(o.use.made, o.use.start, o.use.end, o.use.event, o.use.channels) for o in found] == [
        ((0, 100), 100, 200, "A1/001", (2,)),
        ((100, 200), 500, 550, "A1/002", (2,)),
        ((300, 350), 100, 150, "A1/003", (2,)),
    ]
    assert {(o.node.asset.sha256, o.through) for o in found} == {(ORIGINAL, (CLEANED,))}


def test_a_moment_comes_from_the_samples_that_play_then(database: Database) -> None:
    placed(database)
    with database.read() as session:
        (own,) = origins(trace(session, DX, (120, 140)))
        across = origins(trace(session, DX, (90, 110)))
        nothing = trace(session, DX, (250, 260))
    assert (own.use.start, own.use.end, own.use.made) == (510, 520, (120, 140))
    assert [(o.use.start, o.use.end) for o in across] == [(190, 200), (500, 505)]
    assert (nothing.used, nothing.activity) == ((), RENDER)


def test_a_stretch_of_an_original_is_followed_to_what_plays_it(database: Database) -> None:
    placed(database)
    mix = replace(RENDER, id="33333333-3333-4333-8333-333333333333", key="k-mix")
    with database.write() as session:
        remember_asset(session, AssetRecord("e" * 64, "stem", "MIX.wav", 4), None)
        record(session, mix, [Use(DX, "DX", 0, 400, (0, 400))], [Use("e" * 64, "MIX")])
    with database.read() as session:
        (cleaned,) = became(session, ORIGINAL, (510, 520)).onward
        everything = render_uses(became(session, ORIGINAL))
        unused = became(session, ORIGINAL, (600, 700))
    (rendered,) = cleaned.made[0].onward
    (dx,) = rendered.made
    assert [use.event for use in rendered.uses] == ["A1/002"]
    assert (dx.asset.sha256, dx.onward[0].made[0].asset.name) == (DX, "MIX.wav")
    assert "MIX.wav" in everything
    assert "A1/003" in everything
    assert unused.onward[0].made[0].onward == ()


def test_an_asset_is_found_by_the_start_of_its_hash(database: Database) -> None:
    with database.read() as session:
        assert find_by_hash(session, "c" * 8).name == "DX.wav"
        with pytest.raises(UnknownAssetError, match="No asset with the sha256 00000000"):
            find_by_hash(session, "0" * 8)


def test_a_file_is_found_by_content_wherever_it_lies(database: Database) -> None:
    with database.read() as session:
        assert find(session, Path("/mnt/mixer/renamed.wav"), DX).name == "DX.wav"


def test_an_unknown_file_is_told_in_one_sentence(database: Database, tmp_path: Path) -> None:
    with database.read() as session:
        with pytest.raises(UnknownAssetError, match=r"^/x/y\.wav is not known .* by content nor"):
            find(session, Path("/x/y.wav"), "0" * 64)
        with pytest.raises(UnknownAssetError, match=r"DX\.wav has changed since .* cccccccccccc"):
            find(session, tmp_path / "DX.wav", "0" * 64)
        with pytest.raises(InputError, match="is not known"):
            trace(session, "0" * 64)
