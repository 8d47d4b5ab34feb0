"""Delivery specifications: how loud a programme has to be, and who says so."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from core.errors import UsageError

FOLDER = Path(__file__).parent / "deliveries"

Gate = Literal["programme", "dialogue"]


@dataclass(frozen=True)
class DeliverySpec:
    """What a broadcaster or platform asks for.

    name: as asked for. integrated_lufs: loudness in LUFS (LKFS); None leaves the level to the
    mixer. true_peak_dbtp: highest true peak in dBTP, or None. tolerance_lu: how far the loudness
    may be off, either way. source: title of the document. date: of the edition, or when it was
    looked up. edition: its number or version, empty where it has none. gate: whether the loudness
    is the programme's, gated by level (BS.1770-2 and later), or the dialogue's.
    """

    name: str
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    tolerance_lu: float
    source: str
    date: str
    edition: str = ""
    gate: Gate = "programme"


def delivery_names() -> tuple[str, ...]:
    """The specifications that come with roomtone, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_delivery(name: str) -> DeliverySpec:
    """A specification by name. Raises UsageError for one that there is not."""
    if name not in delivery_names():
        raise UsageError(
            f"There is no delivery specification {name!r}; use one of "
            f"{', '.join(delivery_names())}."
        )
    with (FOLDER / f"{name}.toml").open("rb") as file:
        table = tomllib.load(file)
    return DeliverySpec(
        name=name,
        integrated_lufs=table.get("integrated_lufs"),
        true_peak_dbtp=table.get("true_peak_dbtp"),
        tolerance_lu=table.get("tolerance_lu", 0.0),
        source=table["source"],
        date=table["date"],
        edition=table.get("edition", ""),
        gate=cast(Gate, table.get("gate", "programme")),
    )
