"""A file held against the hashes that manifests give for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import xxhash

from adapters.manifests.manifest import Listed
from core.errors import InputError

BLOCK = 1 << 20
_C4_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class _Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


_HASHERS: Mapping[str, Callable[[], _Hasher]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "c4": hashlib.sha512,
    "xxh32": xxhash.xxh32,
    "xxh64": xxhash.xxh64,
    "xxh3": xxhash.xxh3_64,
    "xxh128": xxhash.xxh3_128,
}


def disagreement(path: Path, listed: Sequence[tuple[Path, Listed]]) -> str:
    """What is wrong with a file, a sentence; empty where it is what the manifests say.

    listed: each with the manifest that it stands in. The file is read once, and not at all where
    its length says enough or no manifest gives a hash. Raises InputError where it can't be read.
    """
    try:
        size = path.stat().st_size
        for manifest, item in listed:
            if item.size is not None and item.size != size:
                return (
                    f"{path} has {size} bytes, and {manifest.name} says {item.size}: "
                    "copy it again from the card."
                )
        found = _digests(path, {name for _, item in listed for name, _ in item.digests})
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}): check the disk.") from fault
    for manifest, item in listed:
        for name, value in item.digests:
            if found[name] != value:
                return (
                    f"{path} is not the file that {manifest.name} was made of ({name} is "
                    f"{found[name]}, listed is {value}): copy it again from the card."
                )
    return ""


def c4_id(sha512: bytes) -> str:
    """A SHA-512 digest as a C4 ID (SMPTE ST 2114): base 58, 88 digits, after `c4`."""
    number, digits = int.from_bytes(sha512, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        digits = _C4_DIGITS[rest] + digits
    return "c4" + digits.rjust(88, _C4_DIGITS[0])


def _digests(path: Path, names: set[str]) -> dict[str, str]:
    if not names:
        return {}
    hashers = {name: _HASHERS[name]() for name in names}
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            for hasher in hashers.values():
                hasher.update(block)
    return {
        name: c4_id(hasher.digest()) if name == "c4" else hasher.hexdigest()
        for name, hasher in hashers.items()
    }
