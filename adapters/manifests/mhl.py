"""Media hash lists: the original MHL (1.x) and ASC MHL (2.0), whose generations are one history.

MHL 1.x (mediahashlist.org): `hashlist/hash` with `file`, `size` and hashes as elements; `xxhash`
is XXH32 in decimal, `xxhash64` XXH64 with its bytes turned round, `xxhash64be` XXH64 as it is
written. It lies at the top of what it lists. ASC MHL (ASC MITC, schema `urn:ASC:MHL:v2.0`): a
folder `ascmhl` with a list a generation (`0001_….mhl`), `hashes/hash` with `path size="…"` and
hashes that say what became of them (`action`: original, verified, failed).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

from adapters.manifests.manifest import Listed, Manifest, digest_of, inner_path, left_out
from adapters.timelines.xml_safe import parse

ASC_FOLDER = "ascmhl"
_MOST_ELEMENTS = 1_000_000
"""A card of 100,000 files has 500,000."""

_V1_NAMES = {"md5": "md5", "sha1": "sha1", "xxhash64be": "xxh64", "sha256": "sha256"}
_ASC_NAMES = ("md5", "sha1", "c4", "xxh32", "xxh64", "xxh3", "xxh128", "sha256", "sha512")


def read_mhl(path: Path) -> Manifest:
    """An MHL 1.x file. Raises InputError where it is none."""
    root = parse(
        path, "hashlist", "a media hash list", any_namespace=True, most_elements=_MOST_ELEMENTS
    )
    files, outside = [], []
    for element in _named(root, "hash"):
        text = _text(element, "file")
        inner = inner_path(text)
        if inner is None:
            outside.append(text)
            continue
        files.append(Listed(inner, _size(_text(element, "size")), tuple(_v1_digests(element))))
    return Manifest(path, path.parent, tuple(files), left_out(path, outside))


def read_history(paths: Sequence[Path]) -> Manifest:
    """The generations of one `ascmhl` folder as one manifest, oldest first by name.

    Of a path's hashes the one that was recorded first counts, as the standard has it: a later
    generation that found another says `failed`. A renamed file keeps its hashes.
    Raises InputError where one of them can't be read.
    """
    known: dict[PurePosixPath, Listed] = {}
    outside: list[str] = []
    for path in sorted(paths, key=lambda item: item.name):
        root = parse(
            path,
            "hashlist",
            "an ASC media hash list",
            any_namespace=True,
            most_elements=_MOST_ELEMENTS,
        )
        for hashes in _named(root, "hashes"):
            for element in _named(hashes, "hash"):
                where = next(_named(element, "path"), None)
                text = "" if where is None else (where.text or "")
                inner = inner_path(text)
                if where is None or inner is None:
                    outside.append(text)
                    continue
                before = inner_path(_text(element, "previousPath"))
                earlier = known.pop(before, None) if before is not None else None
                size = _size(where.get("size", ""))
                listed = Listed(inner, size, tuple(_asc_digests(element)))
                known[inner] = _joined(known.get(inner, earlier), listed)
    last = max(paths, key=lambda item: item.name)
    return Manifest(last, last.parent.parent, tuple(known.values()), left_out(last, outside))


def _joined(earlier: Listed | None, later: Listed) -> Listed:
    if earlier is None:
        return later
    digests = {**dict(later.digests), **dict(earlier.digests)}
    size = later.size if earlier.size is None else earlier.size
    return Listed(later.path, size, tuple(digests.items()))


def _v1_digests(element: Element) -> Iterator[tuple[str, str]]:
    for child in element:
        name, text = _local(child), (child.text or "").strip()
        found = None
        if name in _V1_NAMES:
            found = digest_of(_V1_NAMES[name], text)
        elif name == "xxhash64" and digest_of("xxh64", text):
            found = digest_of("xxh64", bytes.fromhex(text)[::-1].hex())
        elif name == "xxhash" and text.isascii() and text.isdigit() and len(text) <= 10:
            found = digest_of("xxh32", f"{int(text):08x}")
        if found is not None:
            yield found


def _asc_digests(element: Element) -> Iterator[tuple[str, str]]:
    for child in element:
        name = _local(child)
        if name in _ASC_NAMES and child.get("action") != "failed":
            found = digest_of(name, child.text or "")
            if found is not None:
                yield found


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _named(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _local(child) == name)


def _text(element: Element, name: str) -> str:
    return next((child.text or "" for child in _named(element, name)), "")


def _size(text: str) -> int | None:
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 20 else None
