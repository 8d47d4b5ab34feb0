"""What a check of the home found wrong: where, what, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "database",
    "count",
    "seal",
    "row",
    "missing",
    "size",
    "changed",
    "unreadable",
    "unknown",
    "link",
    "unlisted",
    "unfinished",
    "weights",
]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    kind: `database` (damaged as a whole), `count` (a table has lost or gained rows), `seal`
    (values of a table were changed by another hand), `row` (a row
    that others need is gone, or two disagree), `missing`, `size`, `changed` (other bytes),
    `unreadable`, `unknown` (a file that no row knows), `link` (where a file should be),
    `unlisted` (a delivery's list and the database disagree), `unfinished`, `weights`.
    where: path, or table and key. what: a clause. remedy: what to do, a clause.
    place: of a file: `store`, `essence` (sound out of cuts), `delivery`, `gone` (a delivery as a
    whole), `elsewhere`, `original`; else empty.
    """

    kind: Kind
    where: str
    what: str
    remedy: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}."
