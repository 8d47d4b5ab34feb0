"""Whether a file is still what the record says: by its content, whatever its place and name.

The record is the home's database, the `delivery.json` beside the file, or both; without either,
what the file says of itself is told and believed for what it is worth. Content credentials (C2PA)
in the file are read beside that, offline. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.orm import Session

from adapters.media.bwf import read_notes
from adapters.media.credentials import read_credentials
from adapters.media.essence import essence_sha256, file_sha256, sound_sha256
from adapters.media.probe import SOUND_FORMATS, probe
from config.settings import Settings
from core.errors import EngineError, InputError, RoomtoneError
from core.media import SoundNotes
from core.time import samples_to_timecode
from db.engine import Database
from db.home import FILE, open_remembered
from db.memory import AssetRecord, asset_at, asset_known_at, assets_like
from db.provenance import uses_of
from db.tables import Used
from db.tracing import maker
from flows.delivery import LIST
from flows.listed import Entry, Listed, read_listed
from flows.sidecars import read_sidecar

OURS = "T=roomtone "


class Verdict(StrEnum):
    """How a file compares with the record."""

    UNCHANGED = "unchanged"
    HEADER = "sound unchanged"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Verified:
    """A file held against the record. said: a line for people. what, since: of the record.

    by: `database`, `delivery.json`, or empty where nothing knows it. signed: whether its content
    credentials hold; None where it has none, or they can't be read here. signer: whom the
    certificate names, which nobody vouches for: no trust list is built in. sidecar: whether the
    record beside it is of these bytes; None where there is none.
    """

    path: Path
    verdict: Verdict
    said: str
    sha256: str = ""
    what: str = ""
    since: datetime | None = None
    by: str = ""
    signed: bool | None = None
    signer: str = ""
    sidecar: bool | None = None

    @property
    def holds(self) -> bool:
        """Whether it is byte for byte what the record says, and nothing with it denies that."""
        denied = self.signed is False or self.sidecar is False
        return self.verdict is Verdict.UNCHANGED and not denied


@dataclass(frozen=True)
class _Sidecar:
    """A delivery's list beside a file. here: the entry of the file's own path, if it has one."""

    folder: Path
    listed: Listed
    here: Entry | None


@dataclass
class _Records:
    """What files are held against; lists are read once."""

    database: Database | None
    lists: dict[Path, Listed | None] = field(default_factory=dict)

    def beside(self, path: Path) -> _Sidecar | None:
        """The list of the delivery that a file lies in, if it lies in one."""
        for folder in (path.parent, path.parent.parent):
            if folder not in self.lists:
                self.lists[folder] = _listed(folder)
            listed = self.lists[folder]
            if listed is not None:
                below = path.relative_to(folder).as_posix()
                here = next((entry for entry in listed.files if entry.path == below), None)
                return _Sidecar(folder, listed, here)
        return None


def verify(settings: Settings, files: Sequence[Path]) -> Iterator[Verified]:
    """Hold files against the record, one after the other.

    Raises what `open_database` does where there is a database that can't be used.
    """
    with _records(settings) as records:
        for path in files:
            try:
                yield _with_sidecar(_with_credentials(_verified(path.absolute(), records)))
            except InputError as fault:
                yield Verified(path, Verdict.UNREADABLE, str(fault).rstrip("."))


@contextmanager
def _records(settings: Settings) -> Iterator[_Records]:
    """The records at hand; no home is made for it."""
    own = settings.home / FILE
    there = settings.database.get_secret_value() or (own.is_file() and own.stat().st_size)
    database = open_remembered(settings) if there else None
    try:
        yield _Records(database)
    finally:
        if database is not None:
            database.close()


def _listed(folder: Path) -> Listed | None:
    if not (folder / LIST).is_file():
        return None
    try:
        return read_listed(folder)
    except InputError:
        return None


def _verified(path: Path, records: _Records) -> Verified:
    if not path.is_file():
        raise InputError(f"{path} is no file")
    sha256 = file_sha256(path)
    beside = records.beside(path)
    known = _by_content(path, sha256, records, beside)
    if known is not None:
        return known
    sound = sound_sha256(path)
    known = _by_sound(path, sha256, sound, records, beside)
    if known is not None:
        return known
    return _strange(path, sha256, records, beside, sounds=bool(sound))


def _with_credentials(found: Verified) -> Verified:
    """The same with what the file's content credentials say, in the same line."""
    try:
        there = read_credentials(found.path)
    except EngineError:
        note = 'content credentials are not read without `pip install "roomtone[c2pa]"`'
        return replace(found, said=f"{found.said}; {note}")
    except InputError:
        note = "content credentials are there, but broken"
        return replace(found, said=f"{found.said}; {note}", signed=False)
    if there is None:
        return found
    who = there.signer or "somebody"
    if there.holds:
        note = f"content credentials hold, signed by {who}"
    else:
        note = f"content credentials do not hold ({', '.join(there.reasons)}), signed by {who}"
    return replace(found, said=f"{found.said}; {note}", signed=there.holds, signer=there.signer)


def _with_sidecar(found: Verified) -> Verified:
    """The same with whether the record beside the file is of its bytes, in the same line."""
    try:
        told = read_sidecar(found.path)
    except ValueError:
        return replace(found, said=f"{found.said}; its sidecar is broken", sidecar=False)
    if told is None:
        return found
    if told.sha256 == found.sha256:
        return replace(found, said=f"{found.said}; its sidecar agrees", sidecar=True)
    same = bool(told.sound_sha256) and told.sound_sha256 == sound_sha256(found.path)
    what = "the same sound under another header" if same else "other bytes"
    return replace(found, said=f"{found.said}; its sidecar is of {what}", sidecar=False)


def _by_content(
    path: Path, sha256: str, records: _Records, beside: _Sidecar | None
) -> Verified | None:
    """The file byte for byte, as database or list know it."""
    found = _asset(records, sha256=sha256)
    if found is not None:
        asset, what, since = found
        name = f", known as {asset.name}" if asset.name != path.name else ""
        when = f"since {since:%Y-%m-%d %H:%M} UTC"
        said = f"unchanged {when}: {what}{name}"
        return Verified(path, Verdict.UNCHANGED, said, sha256, what, since, "database")
    for entry in beside.listed.files if beside else ():
        if beside is not None and entry.sha256 == sha256:
            what = _entry_words(entry, beside)
            said = f"unchanged since it was delivered, says {LIST}: {what}"
            return Verified(path, Verdict.UNCHANGED, said, sha256, what, None, LIST)
    return None


def _by_sound(
    path: Path, sha256: str, sound: str, records: _Records, beside: _Sidecar | None
) -> Verified | None:
    """The file's samples, under another header or in another container."""
    if sound:
        found = _asset(records, sound=sound)
        entries = beside.listed.files if beside else ()
        entry = next((item for item in entries if item.sound == sound), None)
        if found is not None:
            _, what, since = found
            return _header(path, sha256, what, since, "database", entry)
        if entry is not None and beside is not None:
            return _header(path, sha256, _entry_words(entry, beside), None, LIST, entry)
    essence = _essence(path, records)
    found = _asset(records, essence=essence) if essence else None
    if found is None:
        return None
    asset, what, since = found
    return _header(path, sha256, what, since, "database", None, container=asset.container)


def _header(
    path: Path,
    sha256: str,
    what: str,
    since: datetime | None,
    by: str,
    entry: Entry | None,
    container: str = "",
) -> Verified:
    notes = read_notes(path)
    changed = [*_moved(path, notes, entry)]
    if by == LIST or (entry is not None and OURS not in notes.coding_history):
        changed += [] if OURS in notes.coding_history else ["its CodingHistory is gone"]
    told = f" ({'; '.join(changed)})" if changed else ""
    other = container and not path.suffix.upper().endswith(container.upper()[:3])
    how = f"header or container changed, {container} before" if other else "header changed"
    said = f"sound unchanged, {how}{told}: {what}"
    return Verified(path, Verdict.HEADER, said, sha256, what, since, by)


def _moved(path: Path, notes: SoundNotes, entry: Entry | None) -> Iterator[str]:
    """That a file no longer starts at the timecode it was delivered with."""
    if entry is None or not entry.start_timecode:
        return
    rate = notes.timecode_rate
    if notes.time_reference is None:
        yield f"its time reference is gone, it started at {entry.start_timecode}"
    elif rate is not None:
        now = samples_to_timecode(notes.time_reference, rate, probe(path).sample_rate)
        if now != entry.start_timecode:
            yield f"it starts at {now}, and was delivered at {entry.start_timecode}"


def _strange(
    path: Path, sha256: str, records: _Records, beside: _Sidecar | None, *, sounds: bool
) -> Verified:
    """A file whose content nothing knows: changed where it lies in a known place, else unknown."""
    if records.database is not None:
        with records.database.read() as session:
            asset = asset_known_at(session, path)
        if asset is not None:
            found = _asset(records, sha256=asset.sha256)
            what = found[1] if found else asset.name
            noun = _differs(sounds=sounds and bool(asset.sound or asset.essence))
            said = f"{noun} from what roomtone left here: {what}"
            return Verified(path, Verdict.CHANGED, said, sha256, what, None, "database")
    if beside is not None and beside.here is not None:
        what = _entry_words(beside.here, beside)
        noun = _differs(sounds=sounds and bool(beside.here.sound))
        said = f"{noun} from what was delivered here: {what}"
        return Verified(path, Verdict.CHANGED, said, sha256, what, None, LIST)
    notes = read_notes(path) if sounds else SoundNotes()
    if notes.originator == "roomtone" or OURS in notes.coding_history:
        name = f" ({notes.description.splitlines()[0]})" if notes.description.strip() else ""
        said = (
            f"unknown: it says that roomtone had a hand in it{name}, and no record here has these "
            "samples; it was cut or changed since, or made by another home"
        )
    else:
        said = "unknown: no record here has it, by bytes or by sound"
    return Verified(path, Verdict.UNKNOWN, said, sha256)


def _differs(*, sounds: bool) -> str:
    """What differs. sounds: whether the record knows the sound by itself, so that it is that."""
    return "sound differs" if sounds else "bytes differ"


def _asset(records: _Records, **like: str) -> tuple[AssetRecord, str, datetime] | None:
    """What the database knows of a content, in words, and since when."""
    if records.database is None:
        return None
    with records.database.read() as session:
        for asset, first_seen in assets_like(session, **like):
            made = maker(session, asset.sha256)
            if made is None:
                return asset, f"{asset.kind} {asset.name}", first_seen
            told = made.parameters
            words = [str(told.get(name) or "") for name in ("role", "track", "character")]
            cut = f" of {told['cut']}" if told.get("cut") else ""
            named = f"{asset.kind} {' '.join(filter(None, words)) or asset.name}{cut}"
            if asset.kind == "clean":
                named = f"cleaned take of {_source(session, made.id)}, recipe {told['recipe']}"
            return asset, f"{named}, by {made.tool} {made.code_version}", made.ended
    return None


def _source(session: Session, activity: str) -> str:
    """The name of what a piece of work was done on."""
    used = (asset_at(session, use.asset) for use in uses_of(session, Used, activity))
    return next((asset.name for asset in used if asset is not None), "a file that is not known")


def _entry_words(entry: Entry, beside: _Sidecar) -> str:
    words = filter(None, (entry.role, entry.track, entry.character))
    return " ".join(words) + (f" of {beside.listed.cut}" if beside.listed.cut else "")


def _essence(path: Path, records: _Records) -> str:
    """The essence of a sound file that libsndfile reads itself; empty for anything else."""
    if records.database is None:
        return ""
    try:
        media = probe(path)
        # Others would be decoded into the cache first: nothing is written here.
        return essence_sha256(media, path) if media.container in SOUND_FORMATS else ""
    except (RoomtoneError, OSError):
        return ""
