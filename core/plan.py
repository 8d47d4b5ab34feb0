"""The takes that a cut needs: the unit of cleaning is the whole take."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Take:
    """A media file and the group of its channels that is cleaned together.

    essence: hash of the file's audio, not of its metadata. channels: from 0. variant: empty, or
    what a person decided for stretches of the take (see core.override).
    """

    essence: str
    channels: tuple[int, ...]
    variant: str = ""

    @property
    def id(self) -> str:
        """Names the take within a run."""
        name = f"{self.essence}:{','.join(map(str, self.channels))}"
        return f"{name} {self.variant}" if self.variant else name


def takes_needed(uses: Iterable[Take]) -> tuple[Take, ...]:
    """Each take once, in the order of its first use."""
    return tuple(dict.fromkeys(uses))


def digest(content: Mapping[str, object]) -> str:
    """A sha256 that names a piece of work: the same content gives the same key anywhere.

    content: JSON values; the order of names does not matter.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
