"""A night on many workers, simulated: queue, stragglers, workers that die.

Every number that describes roomtone is read from what the benchmarks measured; what describes a
studio (how much sound, how many workers, how often one dies) is asked for.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

from bench.measured import FILE, measured
from bench.overhead import BETWEEN
from bench.table import MISSING, Table, figures, ratio
from core.errors import UsageError
from db.runs import LEASE
from flows.nightly_dailies import TAKES_EACH

SEED = 7


@dataclass(frozen=True)
class Costs:
    """What takes cost, as measured. Seconds are of one core unless said otherwise.

    channel_h: of a worker's core an hour of one microphone. caller_take: wall seconds a take in
    which the process that began the night works and no worker has a take. ratios: how long takes of
    one length took, over their mean. bytes_channel_h: that are stored. rows_take: of the database.
    worker_bytes: of memory, the most.
    """

    channel_h: float
    caller_take: float
    ratios: tuple[float, ...]
    bytes_channel_h: float
    rows_take: float
    worker_bytes: int


@dataclass(frozen=True)
class Studio:
    """A night's work and who does it.

    sound_h: hours of takes. channels: microphones each. take_min: mean length. workers: processes,
    a core each. mtbf_h: hours after which a worker dies, on average; 0: none does. slow_share: of
    the workers, which are `slow` times slower. roll: takes of one.
    """

    sound_h: float
    channels: float
    take_min: float
    workers: int
    mtbf_h: float = 0.0
    slow_share: float = 0.0
    slow: float = 3.0
    roll: int = 20


@dataclass(frozen=True)
class Simulated:
    """How a night went.

    wall: seconds to its end. busy: share of the workers' time that is work which counts. caller:
    seconds in which only the process that began the night works. lost: worker seconds that a death
    made vain. deaths: of workers that were at a take.
    """

    wall: float
    busy: float
    caller: float
    lost: float
    deaths: int


def costs_of(found: Mapping[str, Any]) -> Costs:
    """The costs in what `bench overhead` measured."""
    pieces, channel_h = found["pieces_s"], found["sound_h"] * found["channels"]
    usual = mean(pieces)
    return Costs(
        channel_h=sum(pieces) / channel_h,
        caller_take=found["machinery_s"][BETWEEN] / found["takes"],
        ratios=tuple(piece / usual for piece in pieces),
        bytes_channel_h=found["stored_bytes"] / channel_h,
        rows_take=found["rows"] / found["takes"],
        worker_bytes=found["peak_bytes"],
    )


def simulate(costs: Costs, studio: Studio, rng: random.Random) -> Simulated:
    """One night: takes of random length, batch after batch as a night has them, longest first."""
    count = max(1, round(studio.sound_h * 60 / studio.take_min))
    mean_s = costs.channel_h * studio.channels * studio.take_min / 60
    lengths = [rng.expovariate(1.0) for _ in range(count)]
    scale = mean_s * count / sum(lengths)
    slow = round(studio.workers * studio.slow_share)
    speeds = [studio.slow] * slow + [1.0] * (studio.workers - slow)
    size = batch_size(studio.roll, studio.workers)
    batches = [
        [
            length * scale * rng.choice(costs.ratios)
            for length in sorted(lengths[at : at + size], reverse=True)
        ]
        for at in range(0, count, size)
    ]
    return night(batches, speeds, studio.mtbf_h * 3600, costs, rng)


def batch_size(roll: int, workers: int) -> int:
    """Takes that a night works on before it waits for all of them, of rolls of one length."""
    least = max(1, TAKES_EACH * (workers - 1))
    return -(-least // roll) * roll


def night(
    batches: Sequence[Sequence[float]],
    speeds: Sequence[float],
    mtbf_s: float,
    costs: Costs,
    rng: random.Random,
) -> Simulated:
    """Work through batches of pieces of known seconds. speeds: times that each worker takes.

    mtbf_s: seconds after which a worker dies, on average; 0: none does.
    """
    wall = worked = lost = 0.0
    deaths = 0
    for batch in batches:
        made = _batch(batch, speeds, mtbf_s, rng)
        wall, worked, lost = wall + made[0], worked + made[1], lost + made[2]
        deaths += made[3]
    caller = costs.caller_take * sum(map(len, batches))
    wall += caller
    return Simulated(wall, worked / (wall * len(speeds)), caller, lost, deaths)


def _batch(
    pieces: Sequence[float], speeds: Sequence[float], mtbf_s: float, rng: random.Random
) -> tuple[float, float, float, int]:
    """Seconds until a batch is done, of work, of work in vain; and deaths.

    Whoever is free takes the next. Who dies at a take is back after the lease of its claim, which
    is also when that take may be begun anew, from its start and before those that wait.
    """
    lease = LEASE.total_seconds()
    waiting = [*reversed(pieces)]
    free = [(0.0, worker) for worker in range(len(speeds))]
    again: list[tuple[float, float]] = []
    end = worked = lost = 0.0
    deaths = 0
    while waiting or again:
        at, worker = heapq.heappop(free)
        if again and (again[0][0] <= at or not waiting):
            ready, piece = heapq.heappop(again)
            at = max(at, ready)
        else:
            piece = waiting.pop()
        needs = piece * speeds[worker]
        dies = rng.expovariate(1 / mtbf_s) if mtbf_s else float("inf")
        if dies < needs:
            deaths, lost = deaths + 1, lost + dies
            heapq.heappush(again, (at + dies + lease, piece))
            heapq.heappush(free, (at + dies + lease, worker))
            continue
        worked += needs
        end = max(end, at + needs)
        heapq.heappush(free, (at + needs, worker))
    return end, worked, lost, deaths


def check(found: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """The simulated queue against the nights that `bench spread` measured: seconds of both.

    Two workers are simulated with the takes' seconds as one worker alone needed them, and as they
    needed them side by side, on cores that others used, too.
    """
    walls, between = found["wall_s"], float(found["idle_s"])
    alone, beside = found["pieces_s"]["1"], found["pieces_s"]["2"]

    def wall(pieces: Sequence[float], workers: int) -> float:
        done = _batch(pieces, [1.0] * workers, 0, random.Random(SEED))
        return done[0] + between

    return [
        ("1", walls["1"], wall(alone, 1)),
        ("2", walls["2"], wall(alone, 2)),
        ("2, takes as side by side", walls["2"], wall(beside, 2)),
    ]


def bench_check(file: Path = FILE) -> Table:
    """The table of the simulation against measured nights."""
    found = measured("spread", file)
    return Table(
        title=f"Simulation against a night of {found['takes']} takes",
        columns=("workers", "measured s", "simulated s", "ratio"),
        rows=tuple(
            (name, figures(real), figures(made), ratio(made, real))
            for name, real, made in check(found)
        ),
        notes=(f"Measured on {found['on']}: {found['machine']}",),
    )


def bench_costs(file: Path = FILE) -> Table:
    """The table of what an hour of sound costs. Raises InputError where nothing was measured."""
    found = measured("overhead", file)
    costs = costs_of(found)
    return Table(
        title="What an hour of one microphone costs",
        columns=(
            "core h", "machinery / work", "most MB", "store GB", "rows / take",
            "finishing s / take",
        ),
        rows=(
            (
                figures(costs.channel_h / 3600),
                figures(found["ratio"]),
                figures(costs.worker_bytes / 1e6),
                figures(costs.bytes_channel_h / 1e9),
                figures(costs.rows_take),
                figures(costs.caller_take),
            ),
        ),
        notes=(
            f"{found['takes']} takes of one microphone, {figures(found['sound_h'] * 60)} minutes: "
            "cleaned, and listened to without words, the machinery's part included.",
            f"Measured on {found['on']}: {found['machine']}",
        ),
    )  # fmt: skip


def bench_simulate(nights: Sequence[Studio], rounds: int, file: Path = FILE) -> Table:
    """The table of simulated nights. rounds: nights of each kind, whose mean counts.

    Raises InputError where nothing was measured, UsageError for a studio without workers.
    """
    found = measured("overhead", file)
    costs = costs_of(found)
    rows = []
    for studio in nights:
        if studio.workers < 1:
            raise UsageError("A night needs at least one worker.")
        rng = random.Random(SEED)
        made = [simulate(costs, studio, rng) for _ in range(rounds)]
        rows.append(
            (
                figures(studio.sound_h),
                str(studio.workers),
                figures(studio.mtbf_h) if studio.mtbf_h else MISSING,
                f"{studio.slow_share:.0%}",
                figures(mean(item.wall for item in made) / 3600),
                figures(max(item.wall for item in made) / 3600),
                figures(mean(item.busy for item in made)),
                figures(mean(item.caller for item in made) / 3600),
                figures(mean(item.deaths for item in made)),
                figures(mean(item.lost for item in made) / 3600),
                figures(costs.worker_bytes * studio.workers / 1e9),
                figures(costs.bytes_channel_h * studio.channels * studio.sound_h / 1e9),
                figures(costs.rows_take * studio.sound_h * 60 / studio.take_min / 1e3),
            )
        )
    first = nights[0]
    return Table(
        title=f"Nights of {figures(first.channels)} microphones a take, simulated",
        columns=(
            "sound h", "workers", "h to a death", "slow", "wall h", "worst h", "busy", "caller h",
            "deaths", "lost h", "memory GB", "store GB", "1000 rows",
        ),
        rows=tuple(rows),
        notes=(
            f"Takes of {figures(first.take_min)} minutes on average, lengths as chance has them; "
            f"{rounds} nights a row; a slow worker takes {figures(first.slow)} times as long.",
            f"An hour of one microphone: {figures(costs.channel_h / 3600)} hours of a core, "
            "cleaned, and listened to without words. caller: what nobody else works beside.",
            f"Measured on {found['on']}: {found['machine']}",
        ),
    )  # fmt: skip


def usual_nights(channels: float, take_min: float) -> list[Studio]:
    """From one laptop to a thousand hours a night, whole and with faults."""
    laptop = Studio(2, channels, take_min, 2)
    shop = Studio(20, channels, take_min, 16)
    studio = Studio(1000, channels, take_min, 512)
    faulty = [
        replace(studio, mtbf_h=100.0),
        replace(studio, mtbf_h=10.0),
        replace(studio, slow_share=0.1),
        replace(studio, mtbf_h=10.0, slow_share=0.1),
    ]
    return [laptop, shop, replace(studio, workers=256), studio, *faulty]
