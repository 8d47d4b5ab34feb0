"""The simulated night: queues worked out by hand, and nothing that benchmarks measured typed in."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bench.measured import measured, note
from bench.simulate import (
    Costs,
    Studio,
    batch_size,
    bench_costs,
    bench_simulate,
    costs_of,
    night,
    simulate,
)
from core.errors import InputError

COSTS = Costs(
    channel_h=180.0,
    caller_take=0.5,
    ratios=(1.0,),
    bytes_channel_h=1e9,
    rows_take=10.0,
    worker_bytes=1,
)


def wall(batches: list[list[float]], *speeds: float, mtbf_s: float = 0.0) -> float:
    return night(batches, speeds, mtbf_s, COSTS, random.Random(1)).wall


def test_whoever_is_free_takes_the_next_and_a_batch_waits_for_its_last() -> None:
    pieces = [5.0, 3.0, 2.0, 4.0]  # two workers: 5 | 3 + 2, then 4 after whichever
    assert wall([pieces], 1.0) == 14 + 4 * 0.5
    assert wall([pieces], 1.0, 1.0) == 9 + 4 * 0.5
    assert wall([pieces[:2], pieces[2:]], 1.0, 1.0) == 5 + 4 + 4 * 0.5
    assert wall([[6.0, 1.0, 1.0]], 3.0, 1.0) == 18 + 3 * 0.5  # a slow one at the longest
    done = night([pieces], [1.0, 1.0], 0, COSTS, random.Random(1))
    assert done.busy == pytest.approx(14 / (2 * 11))
    assert (done.lost, done.deaths) == (0, 0)


def test_who_dies_at_a_take_costs_its_work_and_the_lease_of_its_claim() -> None:
    done = night([[1000.0] * 20], [1.0] * 4, 5000.0, COSTS, random.Random(3))
    assert done.deaths > 0
    assert 0 < done.lost < 1000.0 * done.deaths
    assert done.busy * done.wall * 4 == pytest.approx(20 * 1000.0)  # each counts once
    least = (20 * 1000.0 + done.lost + 90.0 * done.deaths) / 4
    assert done.wall >= least


def test_a_night_is_as_much_work_as_its_sound() -> None:
    studio = Studio(sound_h=10, channels=2, take_min=3, workers=4)
    done = simulate(COSTS, studio, random.Random(2))
    assert done.busy * done.wall * 4 == pytest.approx(10 * 2 * 180.0)
    assert done.caller == pytest.approx(200 * 0.5)
    assert (batch_size(20, 1), batch_size(20, 6), batch_size(20, 512)) == (20, 80, 8180)


def test_numbers_come_from_a_benchmark_or_it_is_said_which(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    studio = Studio(sound_h=1, channels=2, take_min=3, workers=2)
    with pytest.raises(InputError, match="bench overhead --keep"):
        bench_simulate([studio], 1, file)
    overhead = {
        "takes": 4, "sound_h": 0.1, "channels": 1, "pieces_s": [4.0, 5.0, 5.0, 6.0],
        "machinery_s": {"around the takes": 2.0}, "stored_bytes": 7e7, "rows": 40,
        "peak_bytes": 5e8, "ratio": 0.05,
    }  # fmt: skip
    note("overhead", overhead, file)
    note("other", {"takes": 1}, file)
    assert set(json.loads(file.read_text())) == {"overhead", "other"}
    costs = costs_of(measured("overhead", file))
    assert (costs.channel_h, costs.caller_take, costs.rows_take) == (200.0, 0.5, 10.0)
    assert costs.ratios == (0.8, 1.0, 1.0, 1.2)
    assert bench_costs(file).rows == (("0.0556", "0.0500", "500", "0.700", "10.0", "0.500"),)
    dear = bench_simulate([studio], 1, file)
    note("overhead", {**overhead, "pieces_s": [2.0, 2.5, 2.5, 3.0]}, file)
    cheap = bench_simulate([studio], 1, file)
    wall = dear.columns.index("wall h")
    assert float(dear.rows[0][wall]) > 1.7 * float(cheap.rows[0][wall])
