"""A record beside each stem, on request: what it is and where it comes from, as JSON.

It tells what the home's database knows, for those who get the stem without it. Paths of the
machine that made it are left out; so is consent, which is between a production and its people.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session

from adapters.json_file import read_bytes
from adapters.media.bwf import read_block, read_notes
from adapters.media.whole import write_text
from db.memory import AssetRecord, remember_asset
from db.prov_json import trace_prov
from db.provenance import Use, record
from db.tracing import steps, trace
from flows.delivered import STEM_ROLES
from flows.delivery import DeliveredFile, describe
from flows.workspace import Workspace, activity, code_version

SUFFIX = ".json"
ROLE = "SIDECAR"
SIDECAR_VERSION = 1
_MOST_BYTES = 64 << 20


class Told(BaseModel):
    """What a sidecar says of its stem, as far as it is checked; others may have written it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    roomtone_sidecar: int
    file: str
    sha256: str
    sound_sha256: str = ""


def write_sidecars(
    work: Workspace, out: Path, key: str, files: Sequence[DeliveredFile], started: datetime
) -> list[DeliveredFile]:
    """Write a sidecar beside each stem of a delivery that is remembered; they as delivered files.

    key: names the delivery. Raises OutputError where one can't be written.
    """
    made = []
    for entry in files:
        if entry.role not in STEM_ROLES:
            continue
        path = out / f"{entry.path}{SUFFIX}"
        with work.database.read() as session:
            told = _told(session, out / entry.path, entry)
        write_text(path, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        made.append((entry, describe(out, path, ROLE, track=entry.track)))
    with work.database.write() as session:
        for entry, sidecar in made:
            path = out / sidecar.path
            asset = AssetRecord(
                sidecar.sha256, "report", path.name, sidecar.bytes, container="JSON"
            )
            remember_asset(session, asset, path)
            done = activity("render", f"{key}:{sidecar.path}", started, {"role": ROLE})
            record(
                session,
                done,
                used=[Use(entry.sha256, entry.role)],
                generated=[Use(sidecar.sha256, ROLE)],
            )
    return [sidecar for _, sidecar in made]


def read_sidecar(path: Path) -> Told | None:
    """What a file's sidecar says; None where it has none. Raises ValueError for a broken one."""
    beside = path.with_name(path.name + SUFFIX)
    try:
        if not beside.is_file():
            return None
        content = read_bytes(beside, _MOST_BYTES)
    except (OSError, ValueError):
        return None
    if b"roomtone_sidecar" not in content:
        return None
    try:
        return Told.model_validate_json(content)
    except ValidationError as fault:
        raise ValueError(f"{beside} is broken") from fault


def _told(session: Session, path: Path, entry: DeliveredFile) -> dict[str, Any]:
    """All that a sidecar says."""
    node = trace(session, entry.sha256)
    block = read_block(path)
    cards = {
        json.dumps(step.activity.card, sort_keys=True): step.activity.card
        for step in steps(node)
        if step.activity is not None and step.activity.card is not None
    }
    prov = trace_prov(node)
    for entity in prov["entity"].values():
        entity.pop("prov:location", None)
    return {
        "roomtone_sidecar": SIDECAR_VERSION,
        "version": code_version(),
        "file": path.name,
        "id": block.get("ID", ""),
        "sha256": entry.sha256,
        "sound_sha256": entry.sound_sha256,
        "bytes": entry.bytes,
        "role": entry.role,
        "track": entry.track,
        "character": entry.character,
        "start_timecode": entry.start_timecode,
        "sample_rate": entry.sample_rate,
        "frames": entry.frames,
        "channels": entry.channels,
        "gain_db": entry.gain_db,
        "chain": [line for line in read_notes(path).coding_history.splitlines() if line],
        "recipe": block.get("RECIPE", ""),
        "ai_processed": block.get("AI_PROCESSED", ""),
        "models": [cards[name] for name in sorted(cards)],
        "prov": prov,
    }
