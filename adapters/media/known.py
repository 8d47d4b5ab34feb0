"""Recognising a file that an earlier run saw, under whatever name it has now."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from adapters.media.links import Known, MediaIndex
from adapters.media.references import fold, locate, shared_tail
from core.cut import MediaReference
from core.media import MediaFile

_ENOUGH = 2
"""Components of a path, the file's name among them, that make a moved file the one remembered."""


def known_from(remembered: Mapping[Path, str], cut_folder: Path) -> Known:
    """What `relink` asks for a reference's sound in earlier runs.

    remembered: paths as they were, with the essence (or sha256) that lay there. cut_folder: where
    relative URLs count from. A URL is known by its path, else by the longest tail of at least two
    components that remembered paths share with it, where all of those held one sound.
    """
    paths = {Path(os.path.normpath(path)): content for path, content in remembered.items()}
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_name[fold(path.name)].append(path)

    def known(reference: MediaReference) -> str | None:
        if not reference.url:
            return None
        where = locate(reference.url, cut_folder)
        for path in where.paths:
            content = paths.get(Path(os.path.normpath(path)))
            if content:
                return content
        named = by_name.get(fold(where.parts[-1]), []) if where.parts else []
        longest = max((shared_tail(path, where.parts) for path in named), default=0)
        tails = {paths[path] for path in named if shared_tail(path, where.parts) == longest}
        return tails.pop() if longest >= _ENOUGH and len(tails) == 1 else None

    return known


def worth_hashing(index: MediaIndex, like: Iterable[MediaFile]) -> tuple[MediaFile, ...]:
    """Files without an essence whose format and length are those of a file seen before.

    like: files of earlier runs that are gone from where they were. With the essence of these
    filled in, `relink` finds what was renamed.
    """
    shapes = {(media.sample_rate, media.channels, media.frames) for media in like}
    return tuple(
        media
        for media in index.files
        if not media.essence and (media.sample_rate, media.channels, media.frames) in shapes
    )
