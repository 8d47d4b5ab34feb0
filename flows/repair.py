"""Put right what a check found wrong, as far as it can be made again from what is there.

An original is never touched. What has the wrong bytes is set aside, not deleted: in the home's
folder `aside`, a delivered file beside itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from adapters.media.essence import file_sha256
from adapters.media.probe import probe
from adapters.media.whole import output_error
from core.errors import InputError, OutputError, RoomtoneError
from core.finding import Finding
from core.words import some
from db.codec import JSON
from db.holdings import held_files, made_files
from db.memory import AssetRecord, asset_at, remember_asset
from db.mend import accept_counts, cut_of, lost_contents, strike_off
from db.provenance import record
from flows.check import Report
from flows.delivery import LIST, announce_again, free_beside
from flows.listed import read_listed
from flows.progress import Progress
from flows.remake import Remaking, remake, remaking
from flows.workspace import Workspace, activity

ASIDE = "aside"
_WRONG = ("missing", "size", "changed")

Do = Literal["place", "know", "aside", "make", "list", "strike", "index", "count"]


@dataclass(frozen=True)
class Step:
    """One thing to put right. said: for people. how: of a take to be made again."""

    do: Do
    path: Path
    said: str
    sha256: str = ""
    how: Remaking | None = None


@dataclass(frozen=True)
class Plan:
    """What can be put right, in that order, and what can't, with what to do about that."""

    steps: tuple[Step, ...]
    left: tuple[Finding, ...]
    advice: tuple[str, ...]


def plan_repair(work: Workspace, report: Report) -> Plan:
    """What can be done about the findings of a check; nothing is changed.

    Raises InputError where the database itself is damaged: nothing can be told without it.
    """
    broken = [item for item in report.findings if item.kind == "database"]
    index = [item for item in broken if "does not fit its rows" in item.what]
    if len(broken) > len(index):
        raise InputError(f"{broken[0].where}: {broken[0].what}; {broken[0].remedy}.")
    steps, left = _steps(work, report.findings)
    if index:
        path = Path(index[0].where)
        steps.append(Step("index", path, "make the indexes of search anew"))
    counts = [item for item in report.findings if item.kind in ("count", "seal")]
    if counts:
        tables = some([item.where.removeprefix("table ") for item in counts])
        said = f"take the rows for right that there are now ({tables})"
        steps.append(Step("count", Path(counts[0].where), said))
        left += [item for item in counts if item.where != "row_counts"]
    return Plan(tuple(steps), tuple(left), tuple(_advice(work, report)))


def _steps(work: Workspace, findings: Sequence[Finding]) -> tuple[list[Step], list[Finding]]:
    with work.database.read() as session:
        lost = lost_contents(session)
    steps: list[Step] = []
    left: list[Finding] = []
    for item in findings:
        if item.kind in ("database", "count", "seal"):
            continue
        found = list(_about(work, item, lost))
        steps += found
        if not found:
            left.append(item)
    return steps, left


def _about(work: Workspace, item: Finding, lost: dict) -> Iterator[Step]:  # type: ignore[type-arg]
    path = work.store.placed(item.where)
    if item.kind == "row":
        yield from _row(work, item, lost)
    elif item.place == "store" and item.kind in (*_WRONG, "unknown"):
        yield from _store(work, item, path)
    elif item.place == "delivery" and item.kind in ("size", "changed"):
        yield Step("aside", path, "set it aside, so that the next clean makes it again")
    elif item.place == "delivery" and item.kind == "missing":
        yield Step("strike", path, "strike it off; the next clean makes it again")
    elif item.place == "elsewhere" and item.kind in _WRONG:
        yield Step("strike", path, "strike it off: what lies there is no longer counted on")
    elif item.place == "gone":
        yield Step("strike", path, "strike off the delivery that lay there")
    elif item.kind == "unlisted" and path.name == LIST:
        yield Step("list", path, "write its list anew, as of a delivery that broke off")


def _store(work: Workspace, item: Finding, path: Path) -> Iterator[Step]:
    if item.kind != "missing":
        yield Step("aside", path, f"set it aside in {work.settings.home / ASIDE}")
    if item.kind == "unknown":
        return
    how = remaking(work, path.stem)
    if isinstance(how, Remaking):
        yield Step("make", path, f"make it again from {how.media.path}", how=how)
    else:
        said = f"strike it off ({how}); the next clean that needs it makes it then"
        yield Step("strike", path, said)


def _row(work: Workspace, item: Finding, lost: dict) -> Iterator[Step]:  # type: ignore[type-arg]
    """Rows that files tell of: where a file lies, and what its content is."""
    table, _, name = item.where.partition(" ")
    if table == "locations":
        path = work.store.placed(name)
        sha256 = _contents_at(work, path)
        if sha256:
            yield Step("place", path, "note again where it lies", sha256=sha256)
        elif path.is_relative_to(work.store.folder):
            aside = Finding("changed", name, item.what, item.remedy, "store")
            yield from _store(work, aside, path)
    elif table == "assets" and name in lost:
        path, kind = lost[name]
        if kind is not None and _has(work, path, name):
            yield Step("know", path, f"note again what {path} is", sha256=name)


def _contents_at(work: Workspace, path: Path) -> str:
    """The sha256 of a file, if the database knows that content; else empty."""
    try:
        sha256 = _hash(work, path)
    except InputError:
        return ""
    with work.database.read() as session:
        return sha256 if asset_at(session, sha256) is not None else ""


def _has(work: Workspace, path: Path, sha256: str) -> bool:
    try:
        return _hash(work, path) == sha256
    except InputError:
        return False


def _hash(work: Workspace, path: Path) -> str:
    """sha256 of a file, of the store or elsewhere. Raises InputError."""
    if path.is_relative_to(work.store.folder):
        return work.store.sha256(path, lambda _: None)
    return file_sha256(path)


def _advice(work: Workspace, report: Report) -> Iterator[str]:
    """How deliveries are made whole again."""
    folders = {
        _delivery_folder(Path(item.where)): None
        for item in report.findings
        if item.place == "delivery"
    }
    for folder in folders:
        with work.database.read() as session:
            cut = cut_of(session, _key_of(work, folder))
        named = os.path.normpath(cut) if cut is not None else "CUT"
        yield f"roomtone clean {named} --out {folder}, as before, makes the delivery whole again."


def _delivery_folder(path: Path) -> Path:
    return next((parent for parent in path.parents if (parent / LIST).exists()), path.parent)


def _key_of(work: Workspace, folder: Path) -> str:
    try:
        return read_listed(folder).key
    except InputError:
        pass
    with work.database.read() as session:
        below = {item.sha256 for item in held_files(session) if folder in item.path.parents}
        keys = [item.key for item in made_files(session, "render") if item.sha256 in below]
    return keys[-1].partition(":")[0] if keys else ""


def repair(work: Workspace, plan: Plan, progress: Progress, by: str) -> tuple[str, ...]:
    """Do what was planned, and record it; what could not be done after all, a sentence each."""
    started = datetime.now(UTC)
    failed: list[str] = []
    done: list[Step] = []
    name = "Repairing"
    progress.step(name, len(plan.steps))
    for step in plan.steps:
        try:
            said = _do(work, step)
        except RoomtoneError as fault:
            said = str(fault)
        if said:
            failed.append(said)
        else:
            done.append(step)
        progress.advance(name)
    parameters: dict[str, JSON] = {
        "done": [f"{step.do} {step.path.name}" for step in done],
        "left": [f"{item.where}: {item.what}" for item in plan.left],
    }
    with work.database.write() as session:
        work_done = activity("repair", uuid4().hex, started, parameters)
        record(session, replace(work_done, agent=by), used=[], generated=[])
    return tuple(failed)


def _do(work: Workspace, step: Step) -> str:
    """Do a step; why it went otherwise than it should, or nothing."""
    match step.do:
        case "aside":
            _set_aside(work, step.path)
        case "make":
            assert step.how is not None
            # Nothing is there but perhaps a copy here, which would count as the take.
            work.store.remove(step.path)
            if not remake(work, step.how):
                return f"{step.path} was made again with other bytes than before."
        case "strike":
            _strike(work, step.path)
        case "list":
            _list_again(work, step.path.parent)
        case "index":
            work.database.scrub()
        case "place" | "know" | "count":
            _note(work, step)
    return ""


def _note(work: Workspace, step: Step) -> None:
    """The steps that only write rows."""
    with work.database.write() as session:
        if step.do == "count":
            accept_counts(session)
            return
        asset = asset_at(session, step.sha256)
        if asset is None:
            path, kind = lost_contents(session)[step.sha256]
            assert kind is not None
            path = work.store.here(path)
            asset = AssetRecord(step.sha256, kind, path.name, path.stat().st_size)
            if path.suffix.lower() == ".wav":
                media = probe(path)
                asset = replace(
                    asset,
                    container=media.container,
                    subtype=media.subtype,
                    sample_rate=media.sample_rate,
                    channels=media.channels,
                    frames=media.frames,
                )
        remember_asset(session, asset, step.path)


def _set_aside(work: Workspace, path: Path) -> None:
    """Rename a file: one of the home into its folder `aside`, another beside itself."""
    home = work.settings.home.absolute()
    try:
        if path.is_relative_to(work.store.folder):
            work.store.take_out(path, _free_aside(home, path))
            return
        if path.is_symlink() or not path.is_file():
            raise InputError(f"{path} is no file any more: run roomtone check again.")
        if path.is_relative_to(home):
            path.rename(_free_aside(home, path))
        else:
            path.rename(free_beside(path, "damaged"))
    except OSError as fault:
        raise output_error(path, fault) from fault


def _free_aside(home: Path, path: Path) -> Path:
    """A free name in the home's folder of what was set aside."""
    (home / ASIDE).mkdir(exist_ok=True)
    target = home / ASIDE / path.name
    return free_beside(target, "damaged") if target.exists() else target


def _strike(work: Workspace, path: Path) -> None:
    """Strike off a file, or all that lay below a folder; a home may have moved since."""
    store = work.store.folder
    with work.database.write() as session:
        places = [
            item.path
            for item in held_files(session)
            if item.path == path
            or (path in item.path.parents and item.kind != "original")
            or (path.is_relative_to(store) and item.path.parts[-2:] == path.parts[-2:])
        ]
        strike_off(session, places)


def _list_again(work: Workspace, folder: Path) -> None:
    """Write a delivery's list from what the database knows, so that a clean may go on with it."""
    with work.database.read() as session:
        held = [
            item
            for item in held_files(session)
            if folder in item.path.parents and item.path != folder / LIST
        ]
    files = [
        {
            "path": item.path.relative_to(folder).as_posix(),
            "role": item.kind.upper(),
            "sha256": item.sha256,
            "bytes": item.bytes,
        }
        for item in held
    ]
    if not folder.is_dir():
        raise OutputError(f"{folder} is not there any more: run roomtone check again.")
    announce_again(folder, _key_of(work, folder), files)
