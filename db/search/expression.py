"""What the words of a line must hold, before it is put into the language of a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Phrase:
    """Tokens side by side; goes_on: the last one may be longer."""

    tokens: tuple[str, ...]
    goes_on: bool = False


@dataclass(frozen=True)
class AllOf:
    """What all of some expressions find."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class AnyOf:
    """What one of some expressions finds."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = "Phrase | AllOf | AnyOf"
