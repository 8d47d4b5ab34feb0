"""Repair of a channel: clipping, clicks, hum, DC, in this order, each only where detected.

Clipping comes first because its rail shows only in the samples as they were recorded; clicks
before hum because the estimate of hum should not hear them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.defects import Defect, DefectKind
from models.repair.clicks import ClickOptions, find_clicks
from models.repair.clipping import ClippingOptions, find_rails, mend_clipping
from models.repair.dc import DcOptions, find_dc, without_dc
from models.repair.hum import HumOptions, find_hum, hum_defects, without_hum
from models.repair.patches import Patch, Read, patched

__all__ = ["RepairOptions", "Repaired", "StepReport", "process_version", "repair_channel"]

process_version = "1"
"""Part of the key of cleaned audio: raised whenever the output bytes of repair change."""


@dataclass(frozen=True)
class RepairOptions:
    """Which steps are taken, each with its own options; None leaves a step out."""

    clipping: ClippingOptions | None = field(default_factory=ClippingOptions)
    clicks: ClickOptions | None = field(default_factory=ClickOptions)
    hum: HumOptions | None = field(default_factory=HumOptions)
    dc: DcOptions | None = field(default_factory=DcOptions)


@dataclass(frozen=True)
class StepReport:
    """What one step did.

    step: `clipping`, `clicks`, `hum` or `dc`. found: defects. changed: samples that are no
    longer as recorded. summary: a clause for people, `nothing found` where that is so.
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
    if options.clipping is not None:
        read, found, report = _clipping(read, frames, sample_rate, options.clipping)
        defects.extend(found)
        done.append(report)
    if options.clicks is not None:
        patches, found = find_clicks(read, frames, sample_rate, options.clicks)
        read = patched(read, patches) if patches else read
        defects.extend(found)
        done.append(StepReport("clicks", len(found), _samples(patches), _count(found, "click")))
    if options.hum is not None:
        read, found, report = _hum(read, frames, sample_rate, options.hum)
        defects.extend(found)
        done.append(report)
    if options.dc is not None:
        read, found, report = _dc(read, frames, sample_rate, options.dc)
        defects.extend(found)
        done.append(report)
    placed = (replace(defect, channel=channel) for defect in defects)
    return Repaired(read, tuple(sorted(placed, key=lambda d: (d.start, d.end))), tuple(done))


_Step = tuple[Read, tuple[Defect, ...], StepReport]


def _clipping(read: Read, frames: int, sample_rate: int, options: ClippingOptions) -> _Step:
    rails = find_rails(read, frames, options)
    if rails is None:
        return read, (), StepReport("clipping", 0, 0, "nothing found")
    patches, found, changed = mend_clipping(read, frames, sample_rate, rails)
    summary = f"{_count(found, 'passage')} at {rails.level_dbfs:.1f} dBFS"
    return patched(read, patches), found, StepReport("clipping", len(found), changed, summary)


def _hum(read: Read, frames: int, sample_rate: int, options: HumOptions) -> _Step:
    hum = find_hum(read, frames, sample_rate, options)
    found = hum_defects(hum, frames) if hum is not None else ()
    if hum is None or not found:
        return read, (), StepReport("hum", 0, 0, "nothing found")
    changed = sum(defect.end - defect.start for defect in found)
    summary = f"{hum.hz:.2f} Hz with {len(hum.harmonics)} harmonics"
    return without_hum(read, frames, hum), found, StepReport("hum", len(found), changed, summary)


def _dc(read: Read, frames: int, sample_rate: int, options: DcOptions) -> _Step:
    offset = find_dc(read, frames, sample_rate, options)
    if offset == 0.0:
        return read, (), StepReport("dc", 0, 0, "nothing found")
    level = f"{20 * np.log10(abs(offset)):.1f} dBFS ({offset:+.4f})"
    found = (Defect(DefectKind.DC, 0, frames, note=f"{level}; subtracted"),)
    return without_dc(read, frames, offset), found, StepReport("dc", 1, frames, level)


def _samples(patches: Sequence[Patch]) -> int:
    return sum(len(patch.values) for patch in patches)


def _count(found: Sequence[Defect], noun: str) -> str:
    if not found:
        return "nothing found"
    return f"{len(found)} {noun}" + ("s" if len(found) > 1 else "")
