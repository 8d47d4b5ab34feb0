"""Repair of a channel, step by step, each only where something was detected.

Dropouts and clipping come first because they show only in the samples as they were recorded;
clicks before hum because the estimate of hum should not hear them; rumble and thumps last, when
no hum and no offset is left at the low end. Rustle is only told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from core.defects import Defect, DefectKind
from models.repair.clicks import ClickOptions, find_clicks
from models.repair.clipping import ClippingOptions, find_rails, mend_clipping
from models.repair.dc import DcOptions, find_dc, without_dc
from models.repair.dropouts import DropoutOptions, find_dropouts
from models.repair.hum import HumOptions, find_hum, hum_defects, without_hum
from models.repair.low_levels import low_levels
from models.repair.lowcut import covered
from models.repair.patches import Patch, Read, patched
from models.repair.pops import PopOptions
from models.repair.rumble import RumbleOptions, find_rumble, without_rumble
from models.repair.rustle import RustleOptions, find_rustle
from models.repair.thumps import ThumpOptions, find_thumps, without_thumps

__all__ = ["RepairOptions", "Repaired", "StepReport", "process_version", "repair_channel"]

process_version = "4"
"""Part of the key of cleaned audio: raised whenever the output bytes of repair change."""


@dataclass(frozen=True)
class RepairOptions:
    """Which steps are taken, each with its own options; None leaves a step out.

    Pops are looked for together with clicks, and not without them.
    """

    dropouts: DropoutOptions | None = field(default_factory=DropoutOptions)
    clipping: ClippingOptions | None = field(default_factory=ClippingOptions)
    clicks: ClickOptions | None = field(default_factory=ClickOptions)
    pops: PopOptions | None = field(default_factory=PopOptions)
    hum: HumOptions | None = field(default_factory=HumOptions)
    dc: DcOptions | None = field(default_factory=DcOptions)
    rumble: RumbleOptions | None = field(default_factory=RumbleOptions)
    thumps: ThumpOptions | None = field(default_factory=ThumpOptions)
    rustle: RustleOptions | None = field(default_factory=RustleOptions)


@dataclass(frozen=True)
class StepReport:
    """What one step did.

    step: `dropouts`, `clipping`, `clicks`, `hum`, `dc`, `rumble`, `thumps` or `rustle`. found:
    defects. changed: samples that are no longer as recorded. summary: a clause for people,
    `nothing found` where that is so.
    """

    step: str
    found: int
    changed: int
    summary: str


@dataclass(frozen=True)
class Repaired:
    """A repaired channel.

    read: its samples, any block at any time, the same bytes for every way of reading; what was
        not flagged is the same bit as in the original. defects: in order of their start.
    reports: one for each step that was taken, in order.
    """

    read: Read
    defects: tuple[Defect, ...]
    reports: tuple[StepReport, ...]

    @property
    def untouched(self) -> bool:
        """Whether the channel is bit-identical to the original."""
        return not any(report.changed for report in self.reports)


def repair_channel(
    read: Read,
    frames: int,
    sample_rate: int,
    options: RepairOptions,
    channel: int | None = None,
) -> Repaired:
    """Repair a channel of `frames` samples at `sample_rate` Hz.

    read: the channel as recorded, float64, zeros outside; it is read several times, in blocks.
    channel: its number in the file, for the defects. Detection runs here; the result is read
    lazily. Memory follows the number of clicks and clipped samples (and 15 MB an hour where
    there is hum), not the length.
    """
    done: list[StepReport] = []
    defects: list[Defect] = []
    for step in _steps(options):
        read, found, reports = step(read, frames, sample_rate)
        defects.extend(found)
        done.extend(reports)
    placed = (replace(defect, channel=channel) for defect in defects)
    return Repaired(read, tuple(sorted(placed, key=lambda d: (d.start, d.end))), tuple(done))


_Taken = tuple[Read, tuple[Defect, ...], tuple[StepReport, ...]]
_Step = Callable[[Read, int, int], _Taken]


def _steps(options: RepairOptions) -> list[_Step]:
    """The steps that are taken, in their order."""
    steps: list[_Step] = []
    if options.dropouts is not None:
        steps.append(partial(_dropouts, options=options.dropouts))
    if options.clipping is not None:
        steps.append(partial(_clipping, options=options.clipping))
    if options.clicks is not None:
        steps.append(partial(_clicks, options=options.clicks, pops=options.pops))
    if options.hum is not None:
        steps.append(partial(_hum, options=options.hum))
    if options.dc is not None:
        steps.append(partial(_dc, options=options.dc))
    if options.rumble is not None or options.thumps is not None:
        steps.append(partial(_low_end, rumble=options.rumble, thumps=options.thumps))
    if options.rustle is not None:
        steps.append(partial(_rustle, options=options.rustle))
    return steps


def _dropouts(read: Read, frames: int, sample_rate: int, options: DropoutOptions) -> _Taken:
    patches, found = find_dropouts(read, frames, sample_rate, options)
    summary = _count(found, "dropout")
    if len(patches) < len(found):
        summary += f", {len(found) - len(patches)} too long to fill"
    report = StepReport("dropouts", len(found), _samples(patches), summary)
    return patched(read, patches) if patches else read, found, (report,)


def _clicks(
    read: Read, frames: int, sample_rate: int, options: ClickOptions, pops: PopOptions | None
) -> _Taken:
    patches, found = find_clicks(read, frames, sample_rate, options, pops)
    report = StepReport("clicks", len(found), _samples(patches), _count(found, "click"))
    return patched(read, patches) if patches else read, found, (report,)


def _low_end(
    read: Read,
    frames: int,
    sample_rate: int,
    rumble: RumbleOptions | None,
    thumps: ThumpOptions | None,
) -> _Taken:
    """Rumble and thumps, which are found in the same low levels."""
    levels = low_levels(read, frames, sample_rate)
    defects: list[Defect] = []
    reports: list[StepReport] = []
    if thumps is not None:
        cuts, found = find_thumps(levels, frames, sample_rate, thumps)
        read = without_thumps(read, frames, sample_rate, cuts) if cuts else read
        summary = _count(found, "thump")
        if len(cuts) < len(found):
            summary += f", {len(found) - len(cuts)} flagged only"
        reports.append(StepReport("thumps", len(found), covered(cuts), summary))
        defects.extend(found)
    if rumble is not None:
        cuts, found = find_rumble(levels, frames, sample_rate, rumble)
        read = without_rumble(read, frames, sample_rate, cuts) if cuts else read
        summary = f"{covered(cuts) / sample_rate:.0f} s below 36 Hz" if cuts else "nothing found"
        reports.append(StepReport("rumble", len(found), covered(cuts), summary))
        defects.extend(found)
    return read, tuple(defects), tuple(reports)


def _rustle(read: Read, frames: int, sample_rate: int, options: RustleOptions) -> _Taken:
    found = find_rustle(read, frames, sample_rate, options)
    summary = _count(found, "stretch", "stretches")
    return read, found, (StepReport("rustle", len(found), 0, summary),)


def _clipping(read: Read, frames: int, sample_rate: int, options: ClippingOptions) -> _Taken:
    rails = find_rails(read, frames, options)
    if rails is None:
        return read, (), (StepReport("clipping", 0, 0, "nothing found"),)
    patches, found, changed = mend_clipping(read, frames, sample_rate, rails)
    summary = f"{_count(found, 'passage')} at {rails.level_dbfs:.1f} dBFS"
    report = StepReport("clipping", len(found), changed, summary)
    return patched(read, patches), found, (report,)


def _hum(read: Read, frames: int, sample_rate: int, options: HumOptions) -> _Taken:
    hum = find_hum(read, frames, sample_rate, options)
    found = hum_defects(hum, frames) if hum is not None else ()
    if hum is None or not found:
        return read, (), (StepReport("hum", 0, 0, "nothing found"),)
    changed = sum(defect.end - defect.start for defect in found)
    summary = f"{hum.hz:.2f} Hz with {len(hum.harmonics)} harmonics"
    report = StepReport("hum", len(found), changed, summary)
    return without_hum(read, frames, hum), found, (report,)


def _dc(read: Read, frames: int, sample_rate: int, options: DcOptions) -> _Taken:
    offset = find_dc(read, frames, sample_rate, options)
    if offset == 0.0:
        return read, (), (StepReport("dc", 0, 0, "nothing found"),)
    level = f"{20 * np.log10(abs(offset)):.1f} dBFS ({offset:+.4f})"
    found = (Defect(DefectKind.DC, 0, frames, note=f"{level}; subtracted"),)
    return without_dc(read, frames, offset), found, (StepReport("dc", 1, frames, level),)


def _samples(patches: Sequence[Patch]) -> int:
    return sum(len(patch.values) for patch in patches)


def _count(found: Sequence[Defect], one: str, many: str = "") -> str:
    if not found:
        return "nothing found"
    return f"{len(found)} {one if len(found) == 1 else many or one + 's'}"
