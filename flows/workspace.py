"""The home of an installation: database, store, cache and weights in one folder."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from adapters.media.whole import is_alive, sweep
from adapters.storage.folder import FolderStore
from adapters.storage.objects import SCHEME, ObjectStore, s3_files
from adapters.storage.store import Store
from config.settings import SECRETS, Settings, load_settings
from core.errors import EngineError, OutputError, UsageError
from db import claims
from db.codec import JSON, now
from db.engine import Database
from db.holdings import kept_keys
from db.home import open_remembered
from db.provenance import ActivityRecord
from db.tables import ActivityKind
from flows.this_worker import this_worker
from models.card import ModelCard
from models.weights import WeightsFolder


@dataclass(frozen=True)
class Workspace:
    """What every step of a job works with.

    store: of cleaned takes, by key. cache: what can be made again (extracted and resampled sound).
    essence: sound that cuts carried inside them, extracted. mark: a claim of its own, by which
    another process knows the database for the same; see `flows.spread`.
    """

    settings: Settings
    database: Database
    store: Store
    cache: Path
    essence: Path
    weights: WeightsFolder
    mark: str = field(default_factory=lambda: f"workspace {uuid4().hex}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Packed for another process, without secrets and without the open database."""
        rest = {item.name: getattr(self, item.name) for item in fields(self)}
        del rest["database"]
        rest["settings"] = self.settings.model_copy(update=dict.fromkeys(SECRETS, SecretStr("")))
        rest["weights"] = self.weights.root
        return _reopened, (code_version(), rest)


@contextmanager
def open_workspace(settings: Settings) -> Iterator[Workspace]:
    """Open the home named in the settings, making it where it is not there yet.

    Clears away what a crashed run left half-written. Raises OutputError where the home can't be
    made or written, InputError where its database is not one of ours.
    """
    home = settings.home
    store = open_store(settings)
    cache, essence, weights = (home / name for name in ("cache", "essence", "weights"))
    for folder in (home, cache, essence, weights):
        _make(folder, "set ROOMTONE_HOME to a folder that can be written")
    _make(store.folder, "give a folder that can be written in the setting store")
    sweep(cache)
    database = open_remembered(settings)
    try:
        store.tidy(partial(_cleaned, database))
        _drop_left_claims(database)
        yield Workspace(settings, database, store, cache, essence, WeightsFolder(weights))
    finally:
        database.close()


def _reopened(version: str, rest: dict[str, Any]) -> Workspace:
    """A workspace that another process packed, with the secrets of this machine's settings.

    version: of the roomtone that packed it. Raises EngineError where that is not this one,
    UsageError where this machine has another home or database.
    """
    here = platform.node() or "another machine"
    if version != code_version():
        raise EngineError(
            f"The worker on {here} has roomtone {code_version()}, and the run is one of {version}: "
            "install the same there."
        )
    plain = {name: getattr(rest["settings"], name) for name in Settings.model_fields}
    home = Path(plain["home"])
    if not home.is_dir():
        raise UsageError(
            f"The worker on {here} has no folder {home}: put the home on a file system that all "
            "machines share, under the same path."
        )
    own = {name: value for name, value in plain.items() if name not in SECRETS}
    settings, _ = load_settings(own, home)
    database = open_remembered(settings)
    with database.read() as session:
        same = claims.is_claimed(session, rest["mark"])
    if not same:
        database.close()
        raise UsageError(
            f"The worker on {here} works with another database ({database.name}): set "
            "ROOMTONE_DATABASE there as it is where the run was begun."
        )
    return Workspace(
        database=database,
        **{**rest, "settings": settings, "weights": WeightsFolder(rest["weights"])},
    )


def open_store(settings: Settings) -> Store:
    """The store of the settings; nothing is made or asked of it yet."""
    own = (settings.home / "store").absolute()
    if not settings.store.startswith(SCHEME):
        return FolderStore(Path(settings.store) if settings.store else own)
    most = int(settings.store_local_gb * 1e9)
    return ObjectStore(own, settings.store, partial(s3_files, settings.store_endpoint), most)


def _cleaned(database: Database, keys: list[str]) -> set[str]:
    with database.read() as session:
        return kept_keys(session, keys)


def _drop_left_claims(database: Database) -> None:
    """Nobody may ever come to what a process was at that died just after doing it."""
    who = this_worker()
    with database.read() as session:
        if not claims.left_claims(session, who, now(), is_alive):
            return
    with database.write() as session:
        claims.drop_left_claims(session, who, now(), is_alive)


def _make(folder: Path, remedy: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"{folder} can't be used by roomtone ({fault.strerror}); {remedy}."
        ) from fault


def activity(
    kind: ActivityKind,
    key: str,
    started: datetime,
    parameters: Mapping[str, JSON],
    card: ModelCard | None = None,
) -> ActivityRecord:
    """Work that ends well now, on this machine, by this version.

    kind and key name it. started: when it began. parameters: what shaped it. card: of its model.
    """
    return ActivityRecord(
        id=uuid4().hex,
        kind=kind,
        key=key,
        tool=f"roomtone {kind}",
        card=None if card is None else asdict(card),
        parameters=parameters,
        code_version=code_version(),
        started=started,
        ended=datetime.now(UTC),
        machine=machine(),
        agent="roomtone",
    )


@cache
def code_version() -> str:
    """The version of roomtone that runs, for provenance."""
    return importlib.metadata.version("roomtone")


def machine() -> str:
    """The kind of machine this is (no name): system, processor and Python."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
