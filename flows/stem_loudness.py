"""How loud a stem is: measured when somebody asks, and kept, for it takes seconds an hour."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from adapters.media.decode import Sound
from adapters.media.whole import write_text
from core.errors import UsageError
from flows.delivered import Delivered
from flows.workspace import Workspace
from models.loudness import LoudnessMeter

_BLOCK = 1 << 16
_MOST_CHANNELS = 6
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class StemLoudness:
    """Of a whole stem: integrated loudness in LUFS, true peak in dBTP; None for silence."""

    lufs: float | None
    dbtp: float | None


_KEPT = TypeAdapter(StemLoudness)


def known_loudness(work: Workspace, sha256: str) -> StemLoudness | None:
    """What was measured of a stem before, by the sha256 of its file, or None."""
    try:
        return _KEPT.validate_json(_path(work, sha256).read_bytes())
    except (OSError, ValidationError):
        return None


def stem_loudness(work: Workspace, delivered: Delivered, number: int) -> StemLoudness:
    """How loud a stem of a delivery is, by its number from 0 (ITU-R BS.1770).

    Raises InputError for a number that no stem has, OfflineError where it is not as it was
    delivered, UsageError for more channels than loudness is defined for.
    """
    entry, path = delivered.stem(number)
    with _locks[entry.sha256]:
        known = known_loudness(work, entry.sha256)
        if known is not None:
            return known
        measured = _measured(path)
        write_text(_path(work, entry.sha256), json.dumps(asdict(measured)))
        return measured


def _measured(path: Path) -> StemLoudness:
    with Sound(path) as sound:
        if sound.channels > _MOST_CHANNELS:
            raise UsageError(f"{path.name} has {sound.channels} channels; no loudness is defined.")
        meter = LoudnessMeter(sound.sample_rate, sound.channels)
        for start in range(0, sound.frames, _BLOCK):
            count = min(_BLOCK, sound.frames - start)
            meter.add(sound.read(start, count, range(sound.channels)))
    lufs, peak = meter.integrated(), meter.true_peak()
    return StemLoudness(lufs if isfinite(lufs) else None, peak if isfinite(peak) else None)


def _path(work: Workspace, sha256: str) -> Path:
    return work.cache / f"{sha256}-loudness.json"
