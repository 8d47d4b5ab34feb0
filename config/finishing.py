"""Finishing: what a recipe's `[finishing]` table does to the dialogue of the listening mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from core.errors import UsageError


@dataclass(frozen=True)
class Finishing:
    """Equaliser and compressor, everything off by default.

    high_pass_hz: below it the sound falls by 24 dB an octave; 0 is off, 80 is usual.
    mud_cut_db: how much the band around mud_hz is turned down; 0 is off. mud_hz: its centre;
    higher for women's voices. mud_q: its narrowness; higher takes less beside it.
    presence_db: how much the band around presence_hz is raised (or, below 0, lowered); 0 is off.
    presence_hz, presence_q: as for mud. ratio: of the compressor, 1 is off; 2 halves what a voice
    passes the threshold by. threshold_lu: where it starts, in LU above (or below) the loudness of
    the dialogue, so that it does the same at any recording level. knee_db: width of the soft knee.
    attack_ms, release_ms: time constants of turning down and of coming back; shorter is heard
    more. Nothing rides the gain: that is the mixer's hand.
    """

    high_pass_hz: float = 0.0
    mud_cut_db: float = 0.0
    mud_hz: float = 300.0
    mud_q: float = 1.0
    presence_db: float = 0.0
    presence_hz: float = 3500.0
    presence_q: float = 0.7
    ratio: float = 1.0
    threshold_lu: float = 0.0
    knee_db: float = 6.0
    attack_ms: float = 10.0
    release_ms: float = 150.0

    @property
    def is_off(self) -> bool:
        """Whether it leaves every sample as it is."""
        return not (self.equalises or self.compresses)

    @property
    def equalises(self) -> bool:
        """Whether a filter is on."""
        return any((self.high_pass_hz, self.mud_cut_db, self.presence_db))

    @property
    def compresses(self) -> bool:
        """Whether the compressor is on."""
        return self.ratio > 1.0


_RANGES: dict[str, tuple[float, float]] = {
    "mud_cut_db": (0, 12),
    "mud_hz": (200, 400),
    "mud_q": (0.3, 4),
    "presence_db": (-6, 6),
    "presence_hz": (2000, 5000),
    "presence_q": (0.3, 4),
    "ratio": (1, 3),
    "threshold_lu": (-20, 20),
    "knee_db": (0, 24),
    "attack_ms": (1, 200),
    "release_ms": (20, 2000),
}
_HIGH_PASS = (20.0, 200.0)


def parse_finishing(table: object, path: Path) -> Finishing:
    """The finishing of a recipe from its `[finishing]` table, every key and value checked.

    path: of the recipe, for the message. Raises UsageError.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"{path}: write finishing under a heading [finishing].")
    known = {field.name for field in fields(Finishing)}
    unknown = sorted(str(key) for key in table if key not in known)
    if unknown:
        raise UsageError(
            f"{path}: finishing has no {unknown[0]!r}; use one of {', '.join(sorted(known))}."
        )
    return Finishing(**{str(key): _value(path, str(key), value) for key, value in table.items()})


def _value(path: Path, key: str, value: object) -> float:
    low, high = _RANGES.get(key, _HIGH_PASS)
    off = " (0 is off)" if key == "high_pass_hz" else ""
    if off and value == 0 and not isinstance(value, bool):
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(
            f"{path}: {key} = {value!r} must be a number from {low:g} to {high:g}{off}."
        )
    return float(value)
