"""Injuries to files: flipped, cut, repeated and swollen bytes, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

_HUGE = (b"999999999999999999999", b"-1", b"1e308", b"NaN", b"99:99:99:99", b"0/0", b"../../x")


def injured(data: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` injured copies of a file's bytes; the same seed gives the same ones."""
    chance = random.Random(seed)
    for _ in range(count):
        yield injure(data, chance)


def injure(data: bytes, chance: random.Random) -> bytes:
    """A copy of a file's bytes with one to thirty injuries."""
    copy = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        if not copy:
            break
        at = chance.randrange(len(copy))
        size = min(chance.choice((1, 4, 40, 400)), len(copy) - at)
        kind = chance.randrange(6)
        if kind == 0:
            copy[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del copy[at : at + size]
        elif kind == 2:
            copy[at:at] = copy[at : at + size] * chance.choice((2, 20))
        elif kind == 3:
            copy[at:at] = chance.choice(_HUGE)
        elif kind == 4:
            del copy[at:]
        else:
            copy[at : at + size] = bytes(chance.randrange(256) for _ in range(size))
    return bytes(copy)
