"""Traces as people ask for them: of a file or an asset, all of it or what is at a place in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from adapters.media.bwf import read_notes
from adapters.media.credentials import read_credentials
from core.errors import EngineError, InputError, UsageError
from core.privacy import Consent
from core.time import frames_to_samples, sample_to_frame
from core.words import some
from db.memory import cuts_playing
from db.privacy import consents, take_projects
from db.provenance import Clock, find_by_hash
from db.tracing import Node, Product, Span, became, originals, source_span, steps, trace
from flows.place import Timed, place_in
from flows.progress import Progress, Silent
from flows.recognise import Recognised, recognise

_HASH = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)


@dataclass(frozen=True)
class Traced:
    """A history. span: the samples that are meant; None: all. recognised: how the file was.

    agreed: what was allowed and forbidden of its originals, now and when they were worked on.
    """

    node: Node
    span: Span | None
    recognised: Recognised
    agreed: tuple[Consent, ...] = ()


def asked_asset(session: Session, asked: str, progress: Progress) -> Recognised:
    """The asset that a person means: a file, wherever it lies, or the sha256 of one (or its start).

    Raises InputError for what is neither, or is not known.
    """
    path = Path(asked)
    if path.is_file():
        return recognise(session, path, progress)
    if _HASH.fullmatch(asked):
        return Recognised(find_by_hash(session, asked.lower()))
    raise InputError(f"{asked} does not exist; give the path of a file, or the sha256 of one.")


def traced(
    session: Session, asked: str, at: str = "", to: str = "", progress: Progress = Silent()
) -> Traced:
    """The history of what a person asks for.

    at, to: places in it, as timecode or seconds; one timecode alone means its frame, one number of
    seconds alone its sample. An excerpt of a sound means that stretch of it, unless a place is
    given, which is one in the whole. Raises InputError and UsageError.
    """
    found = asked_asset(session, asked, progress)
    if at or to:
        node = trace(session, found.asset.sha256)
        span: Span | None = stretch_asked(node, Path(asked), at, to)
    else:
        span = source_span(found.excerpt[1]) if found.excerpt is not None else None
    node = trace(session, found.asset.sha256, span)
    return Traced(node, span, found, agreed(session, node))


def agreed(session: Session, node: Node) -> tuple[Consent, ...]:
    """What was allowed and forbidden of the originals of an asset.

    That is what is in force now, and what was when something was made of them.
    """
    essences = {asset.essence for asset in originals(node) if asset.essence}
    projects = {name for names in take_projects(session, essences).values() for name in names}
    moments = [None, *(step.activity.started for step in steps(node) if step.activity is not None)]
    return tuple(
        item
        for item in consents(session, projects, history=True)
        if any(item.in_force(moment) for moment in moments)
    )


def stretch_asked(node: Node, path: Path, at: str, to: str) -> Span:
    """The samples of a traced asset between two places. Raises InputError and UsageError."""
    asset = node.asset
    if not asset.frames or not asset.sample_rate:
        raise UsageError(f"{asset.name} is no sound, so there is no place in it to trace.")
    clock = node.clock or _written(path, asset.sample_rate)
    rate = None if clock is None else clock.rate
    reference = None if clock is None else clock.reference
    sound = Timed(asset.name, asset.sample_rate, asset.frames, rate, reference)
    first = place_in(sound, at) if at else 0
    if to:
        last = place_in(sound, to)
    elif clock is not None and len(re.split("[:;.,]", at.strip())) == 4:
        frame = sample_to_frame(clock.reference + first, clock.rate.fps, asset.sample_rate)
        end = frames_to_samples(frame + 1, clock.rate.fps, asset.sample_rate)
        last = end - clock.reference
    else:
        last = first + 1
    if not 0 <= first < min(last, asset.frames):
        ends = (
            f"0 to {asset.frames / asset.sample_rate:.3f} seconds"
            if clock is None
            else f"{clock.timecode(0)} to {clock.timecode(asset.frames)}"
        )
        raise UsageError(
            f"{asset.name} runs from {ends}; {at or 'its start'}"
            f"{f' to {to}' if to else ''} is no place in it."
        )
    return first, min(last, asset.frames)


def _written(path: Path, sample_rate: int) -> Clock | None:
    """The timecode that a file itself says."""
    if not path.is_file():
        return None
    notes = read_notes(path)
    if notes.timecode_rate is None or notes.time_reference is None:
        return None
    return Clock(notes.time_reference, notes.timecode_rate, sample_rate)


def onward(asked: Traced, session: Session) -> tuple[Product, tuple[str, ...]]:
    """What became of what a person asked for, and the cuts that play it, a sentence each."""
    product = became(session, asked.node.asset.sha256, asked.span)
    cuts = cuts_playing(session, product.asset, asked.span)
    return product, tuple(
        f"played in {path} ({name}): {some(events, 12)}" for path, name, events in cuts
    )


def signature(asked: str) -> str:
    """What the content credentials of a file say, a sentence; empty where it has none."""
    path = Path(asked)
    if not path.is_file():
        return ""
    try:
        found = read_credentials(path)
    except (EngineError, InputError) as fault:
        return str(fault)
    return "" if found is None else found.words
