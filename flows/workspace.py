"""The home of an installation: database, store, cache and weights in one folder."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from adapters.media.whole import sweep
from config.settings import Settings
from core.errors import OutputError
from db.codec import JSON
from db.engine import Database
from db.home import open_remembered
from db.provenance import ActivityRecord
from db.tables import ActivityKind
from models.card import ModelCard
from models.weights import WeightsFolder


@dataclass(frozen=True)
class Workspace:
    """What every step of a job works with.

    store: cleaned takes, by key. cache: what can be made again (extracted and resampled sound).
    essence: sound that cuts carried inside them, extracted.
    """

    settings: Settings
    database: Database
    store: Path
    cache: Path
    essence: Path
    weights: WeightsFolder


@contextmanager
def open_workspace(settings: Settings) -> Iterator[Workspace]:
    """Open the home named in the settings, making it where it is not there yet.

    Clears away what a crashed run left half-written. Raises OutputError where the home can't be
    made or written, InputError where its database is not one of ours.
    """
    home = settings.home
    store, cache, essence, weights = (
        home / name for name in ("store", "cache", "essence", "weights")
    )
    try:
        for folder in (store, cache, essence, weights):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"{home} can't be used as roomtone's home ({fault.strerror}); "
            "set ROOMTONE_HOME to a folder that can be written."
        ) from fault
    for folder in (cache, *(path for path in store.iterdir() if path.is_dir())):
        sweep(folder)
    database = open_remembered(settings)
    try:
        yield Workspace(settings, database, store, cache, essence, WeightsFolder(weights))
    finally:
        database.close()


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


def code_version() -> str:
    """The version of roomtone that runs, for provenance."""
    return importlib.metadata.version("roomtone")


def machine() -> str:
    """The kind of machine this is (no name): system, processor and Python."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
