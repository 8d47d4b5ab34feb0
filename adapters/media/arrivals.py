"""What lies in watched folders, and what of it is still being written."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.media.probe import scan

SOUND_NAME = re.compile(r".\.(wav|wave|bwf|rf64|w64|flac|aiff?|aifc|caf)$", re.IGNORECASE)
"""Names of the files that sound recorders write."""

_UNFINISHED = re.compile(
    # Copying programs add to a file's name until it is whole; rsync writes `.NAME.XXXXXX`.
    r".+\.(wav|wave|bwf|rf64|w64|flac|aiff?|aifc|caf)"
    r"(~|\.(part|partial|filepart|tmp|temp|crdownload|download|incomplete|inprogress|copying"
    r"|aria2|!ut|[A-Za-z0-9]{6}))$",
    re.IGNORECASE,
)
_RSYNC = re.compile(r".+\.[A-Za-z0-9]{6}$")


@dataclass(frozen=True)
class Seen:
    """A file as it was at one look. path: resolved. size: in bytes."""

    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Look:
    """What was there at one look.

    sounds: files with a sound recorder's names. unfinished: files that a copying program has not
    given their names yet. pictures: how many other media files there are, which are left alone.
    """

    sounds: tuple[Seen, ...]
    unfinished: tuple[Seen, ...]
    pictures: int


def look(roots: Sequence[Path]) -> Look:
    """Look at the files below folders; nothing is opened.

    Links are followed as `probe.scan` does. Raises InputError for a root that does not exist.
    """
    found = scan(roots)
    sounds = [path for path in found if SOUND_NAME.search(path.name)]
    return Look(
        tuple(seen for path in sounds if (seen := _seen(path)) is not None),
        _unfinished(roots),
        len(found) - len(sounds),
    )


def unsettled(first: Look, second: Look) -> frozenset[Path]:
    """The files that were not the same at two looks: new, gone, longer, shorter or touched."""
    return frozenset(seen.path for seen in {*first.sounds} ^ {*second.sounds})


def _unfinished(roots: Sequence[Path]) -> tuple[Seen, ...]:
    found: set[Seen] = set()
    for root in roots:
        for parent, folders, names in os.walk(root.resolve()):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if not _UNFINISHED.fullmatch(name):
                    continue
                # Without the dot it is a name that somebody may have chosen.
                if _RSYNC.fullmatch(name) and not name.startswith("."):
                    continue
                seen = _seen(Path(parent, name))
                if seen is not None:
                    found.add(seen)
    return tuple(sorted(found, key=lambda item: item.path))


def _seen(path: Path) -> Seen | None:
    """The file as it is now, or None where it went meanwhile."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return Seen(path, stat.st_size, stat.st_mtime_ns)
