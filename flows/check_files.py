"""Which files there should be: in the store, in deliveries and elsewhere; and what their lists say.

Nothing here reads a sound; a file's name and place, lists and rows are compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from adapters.media.essence import file_sha256
from adapters.media.whole import is_part
from core.errors import InputError
from core.finding import Finding
from core.words import some
from db.holdings import Held, Made
from db.integrity import RESTORE
from flows.delivery import FOLDERS, LIST, ON_REQUEST
from flows.listed import Entry, Listed, read_listed
from flows.lock import NAME as LOCK

Place = Literal["store", "essence", "delivery", "elsewhere", "original"]

CLEAN_AGAIN = "clean its cut into the same folder again"
REMEDIES: dict[Place, str] = {
    "store": "run roomtone repair, which sets aside what is wrong and makes it again",
    "essence": "clean its cut again, which takes it out of the cut once more",
    "delivery": f"run roomtone repair, and then {CLEAN_AGAIN}",
    "elsewhere": "put it back, or run roomtone repair to strike it off",
    "original": "put the file back as it was, or clean what uses it again",
}


@dataclass(frozen=True)
class Expected:
    """A file that should be there, whole. what: it is, for people."""

    path: Path
    sha256: str
    bytes: int
    place: Place
    what: str


@dataclass(frozen=True)
class Delivery:
    """A folder that a delivery was made in. made: by key of the work and path below the folder.

    For each there are the contents that this work had, by sha256.
    """

    folder: Path
    made: Mapping[str, Mapping[str, Mapping[str, Made]]]

    @property
    def newest(self) -> str:
        """The key of the delivery that was made there last."""
        ends = {
            key: max(item.ended for contents in files.values() for item in contents.values())
            for key, files in self.made.items()
        }
        return max(ends, key=lambda key: (ends[key], key))


@dataclass(frozen=True)
class Files:
    """Everything that was compared without reading it: what should be there, and what is wrong."""

    expected: tuple[Expected, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def store_files(folder: Path, held: Iterable[Held]) -> tuple[Expected, ...]:
    """The cleaned takes that should lie in the store, by their places in its folder.

    A home may have moved: what a row says of the store counts from the store's folder.
    """
    found: dict[Path, Held] = {}
    for item in sorted(held, key=lambda item: item.seen_at):
        if item.kind == "clean":
            found[folder.joinpath(*item.path.parts[-2:])] = item
    return tuple(
        Expected(path, item.sha256, item.bytes, "store", "the cleaned take")
        for path, item in sorted(found.items())
    )


def other_files(home: Path, held: Iterable[Held], known: Iterable[Path]) -> tuple[Expected, ...]:
    """What should lie elsewhere: sound out of cuts, cleaned files, originals.

    known: what is known of already. Texts and pictures (transcripts, timelines, reports) outside
    of a delivery are a person's own once they are written.
    """
    taken = set(known)
    found = []
    for item in held:
        if item.kind == "clean" or item.path in taken:
            continue
        if item.path.is_relative_to(home / "essence"):
            found.append(Expected(item.path, item.sha256, item.bytes, "essence", "sound of a cut"))
        elif item.kind == "original":
            found.append(Expected(item.path, item.sha256, item.bytes, "original", "the original"))
        elif item.sounds:
            what = "the sound file"
            found.append(Expected(item.path, item.sha256, item.bytes, "elsewhere", what))
    return tuple(found)


def deliveries(held: Iterable[Held], rendered: Iterable[Made]) -> tuple[Delivery, ...]:
    """The folders that deliveries were made in, by what the database knows of their files."""
    places: dict[str, list[Path]] = defaultdict(list)
    for item in held:
        places[item.sha256].append(item.path)
    work: dict[str, dict[str, dict[str, Made]]] = defaultdict(lambda: defaultdict(dict))
    folders: dict[Path, set[str]] = defaultdict(set)
    for made in rendered:
        key, colon, below = made.key.partition(":")
        if not colon:
            continue
        work[key][below][made.sha256] = made
        parts = Path(below).parts
        for path in places[made.sha256]:
            if path.parts[-len(parts) :] == parts:
                folders[path.parents[len(parts) - 1]].add(key)
    return tuple(
        Delivery(folder, {key: work[key] for key in keys})
        for folder, keys in sorted(folders.items())
    )


def delivered_files(
    delivery: Delivery, paths: Collection[Path], contents: Collection[str], list_sha256: str
) -> Files:
    """What a delivery's list and the database say of its files, and where they disagree.

    paths, contents: all that rows speak of. list_sha256: of the list as it was written last, empty
    where the database does not know that.
    """
    folder = delivery.folder
    there = any((folder / below).is_file() for files in delivery.made.values() for below in files)
    if not there and not (folder / LIST).exists():
        what = "the delivery is not there any more"
        remedy = "connect its disk or put it back, or run roomtone repair to strike it off"
        return Files((), (Finding("missing", str(folder), what, remedy, "gone"),), ())
    try:
        listed = read_listed(folder)
        ours = listed.key in delivery.made or all(e.sha256 in contents for e in listed.files)
        same = not list_sha256 or not ours or file_sha256(folder / LIST) == list_sha256
    except InputError as fault:
        return _by_database(delivery, str(fault).rstrip("."))
    if not listed.complete:
        return _unfinished(folder)
    if not same:
        return _by_database(delivery, "it has other bytes than when it was written")
    expected = [_expected(folder, item.path, item.sha256, item.bytes) for item in listed.files]
    if listed.key not in delivery.made:
        note = f"{folder} was delivered by another home, whose record of it is not here."
        return Files(tuple(expected), (), (note,))
    made = delivery.made[listed.key]
    found = tuple(_disagreements(folder, listed, made, paths, contents))
    return Files(tuple(expected), found, tuple(_not_listed(folder, listed)))


def _by_database(delivery: Delivery, what: str) -> Files:
    """What should be there, where the list is not to be believed. what: is wrong with it."""
    folder = delivery.folder
    finding = Finding("unlisted", str(folder / LIST), what, REMEDIES["delivery"], "delivery")
    latest = {
        below: list(contents.values())[-1]
        for below, contents in delivery.made[delivery.newest].items()
        if below != LIST
    }
    expected = (_expected(folder, below, m.sha256, m.bytes) for below, m in latest.items())
    return Files(tuple(expected), (finding,), ())


def _expected(folder: Path, below: str, sha256: str, size: int) -> Expected:
    return Expected(folder / below, sha256, size, "delivery", "the delivered file")


def _unfinished(folder: Path) -> Files:
    if (folder / LOCK).exists():
        return Files((), (), (f"{folder} is being delivered to just now, so it is passed over.",))
    what, remedy = "a delivery into it broke off", CLEAN_AGAIN
    return Files((), (Finding("unfinished", str(folder), what, remedy, "delivery"),), ())


def _not_listed(folder: Path, listed: Listed) -> Iterator[str]:
    """That there are files between those of a delivery which are not of it; people may put some."""
    names = {entry.path for entry in listed.files}
    there = sorted(
        path
        for name in (*FOLDERS, *ON_REQUEST)
        if (folder / name).is_dir()
        for path in (folder / name).iterdir()
        if path.relative_to(folder).as_posix() not in names and not is_part(path.name)
    )
    if there:
        yield f"not of the delivery that they lie in: {some([str(path) for path in there])}."


def _disagreements(
    folder: Path,
    listed: Listed,
    made: Mapping[str, Mapping[str, Made]],
    paths: Collection[Path],
    contents: Collection[str],
) -> Iterator[Finding]:
    for entry in listed.files:
        path = folder / entry.path
        known = made.get(entry.path, {}).get(entry.sha256)
        if entry.sha256 not in contents:
            what = f"{LIST} has it with a sha256 that the database does not know"
            remedy = (
                f"compare with roomtone verify; {RESTORE} where it is the database that lost it"
            )
            yield Finding("unlisted", str(path), what, remedy, "delivery")
        elif known is not None and known.bytes != entry.bytes:
            what = f"{LIST} says {entry.bytes} bytes and the database {known.bytes}"
            yield Finding("unlisted", str(path), what, REMEDIES["delivery"], "delivery")
        if path not in paths:
            what = "the row that says where it lies is gone"
            yield Finding("row", f"locations {path}", what, "run roomtone repair")
    if LIST in made and folder / LIST not in paths:
        what = "the row that says where it lies is gone"
        yield Finding("row", f"locations {folder / LIST}", what, "run roomtone repair")
    names = {LIST, *(entry.path for entry in listed.files)}
    for below in sorted(set(made) - names):
        what = f"{LIST} does not list it, and it was delivered with the others"
        yield Finding("unlisted", str(folder / below), what, REMEDIES["delivery"], "delivery")


def strangers(
    files: Sequence[Path], paths: Iterable[Path], cleaned: Mapping[str, Made]
) -> Iterator[Finding | Path]:
    """Files of the store that no row speaks of: a finding where one must have, else the path.

    paths: all that rows speak of; the store's folder may have moved since. cleaned: work that was
    done, by its key, which a file of the store is named after.
    """
    known = {path.parts[-2:] for path in paths}
    for path in files:
        if path.parts[-2:] in known:
            continue
        if path.name == f"{path.stem}.wav" and path.stem in cleaned:
            what = "the row that says where it lies is gone"
            yield Finding("row", f"locations {path}", what, "run roomtone repair")
        else:
            yield path


__all__ = ["Delivery", "Entry", "Expected", "Files", "Place"]
