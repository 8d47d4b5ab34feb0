"""Where an asset came from, and what became of it, with the samples of each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.time import round_half_up
from db.codec import rate_from_text
from db.memory import AssetRecord, asset_at, paths_of
from db.provenance import (
    TONE,
    ActivityRecord,
    Clock,
    UnknownAssetError,
    Use,
    activity_record,
    clock_of,
    use_of,
    uses_of,
)
from db.tables import Activity, Asset, Generated, Take, Used

Span = tuple[int, int]


@dataclass(frozen=True)
class Source:
    """What an asset was made from. use: which samples of it, and where they lie in the asset."""

    use: Use
    node: Node


@dataclass(frozen=True)
class Node:
    """An asset, where it lies, the activity that made it and what that used.

    activity: None for an original, and for an asset that would lead back to itself. clock: the
    timecode of its sound, where it has one.
    """

    asset: AssetRecord
    paths: tuple[Path, ...]
    activity: ActivityRecord | None
    used: tuple[Source, ...]
    clock: Clock | None = None


@dataclass(frozen=True)
class Origin:
    """An original that an asset comes from.

    node: the original. use: its samples and channels, in which samples of the asset they lie,
    and which event plays them; its role is the last step's. through: sha256 of the assets
    between, from the original on.
    """

    node: Node
    use: Use
    through: tuple[str, ...]


@dataclass(frozen=True)
class Onward:
    """What became of an asset in one activity. uses: which samples of it went where."""

    activity: ActivityRecord
    uses: tuple[Use, ...]
    made: tuple[Product, ...]


@dataclass(frozen=True)
class Product:
    """An asset and what became of it in turn."""

    asset: AssetRecord
    paths: tuple[Path, ...]
    clock: Clock | None
    onward: tuple[Onward, ...]


def trace(session: Session, sha256: str, span: Span | None = None) -> Node:
    """The history of an asset, down to the originals. An asset met twice is the same Node.

    span: only what samples first to one past the last of it come from; steps that tell no
    samples stay. Raises UnknownAssetError for an asset that is not remembered.
    """
    return _node(session, sha256, span, {}, frozenset())


def _node(
    session: Session,
    sha256: str,
    span: Span | None,
    made: dict[tuple[str, Span | None], Node],
    above: frozenset[str],
) -> Node:
    if (sha256, span) in made:
        return made[sha256, span]
    asset = asset_at(session, sha256)
    if asset is None:
        raise UnknownAssetError(
            f"{sha256} is not known to this roomtone: use the ROOMTONE_HOME that it was made with."
        )
    paths = paths_of(session, sha256)
    row = None if sha256 in above else _maker(session, sha256)
    if row is None:
        return Node(asset, paths, None, (), _recorded(session, asset))
    within = above | {sha256}
    used = []
    for use in uses_of(session, Used, row.id):
        part = narrowed(use, asset.frames, span)
        if part is not None:
            inner = None if span is None or part.start is None else (part.start, part.end or 0)
            used.append(Source(part, _node(session, use.asset, inner, made, within)))
    activity = activity_record(row)
    clock = clock_of(activity.parameters, asset.sample_rate) or _inherited(asset, used)
    made[sha256, span] = Node(asset, paths, activity, tuple(used), clock)
    return made[sha256, span]


def narrowed(use: Use, frames: int | None, span: Span | None) -> Use | None:
    """What of a use lies in samples `span` of what was made; None where nothing does.

    frames: samples that what was made has. A use that tells no place in it, and is not as long as
    all of it, stays as it is. Room tone is made of a texture: its source stays whole.
    """
    made = use.made
    if made is None and use.start is not None and use.end is not None:
        made = (0, frames) if frames is not None and use.end - use.start == frames else None
    if made is None:
        return use
    if span is None:
        return replace(use, made=made)
    first, last = max(made[0], span[0]), min(made[1], span[1])
    if first >= last:
        return None
    if use.start is None or use.end is None or use.role == TONE:
        return replace(use, made=(first, last))
    start, end = (_carried(at, made, (use.start, use.end)) for at in (first, last))
    return replace(use, start=start, end=max(end, start + 1), made=(first, last))


def _carried(at: int, old: Span, new: Span) -> int:
    """A sample of one stretch in another that runs beside it, at its own rate (halves up)."""
    if old[0] == old[1]:
        return new[0]
    return new[0] + round_half_up(Fraction((at - old[0]) * (new[1] - new[0]), old[1] - old[0]))


def _recorded(session: Session, asset: AssetRecord) -> Clock | None:
    """The timecode that a recorder gave an original."""
    take = session.get(Take, asset.essence) if asset.essence else None
    rate = None if take is None else rate_from_text(take.timecode_rate)
    if take is None or rate is None or take.time_reference is None:
        return None
    return Clock(take.time_reference, rate, take.sample_rate)


def _inherited(asset: AssetRecord, used: Sequence[Source]) -> Clock | None:
    """The timecode of what is the same length as its one source: a cleaned take."""
    clocks = {source.node.clock for source in used if source.use.made == source_span(source.use)}
    return clocks.pop() if len(clocks) == 1 and asset.kind == "clean" else None


def source_span(use: Use) -> Span | None:
    """The samples that were used, or None where the whole was."""
    return None if use.start is None or use.end is None else (use.start, use.end)


def maker(session: Session, sha256: str) -> ActivityRecord | None:
    """The work that made a file; of several the one that counts now. None for an original."""
    row = _maker(session, sha256)
    return None if row is None else activity_record(row)


def _maker(session: Session, sha256: str) -> Activity | None:
    """The activity that made an asset; of several the one that counts now, then the latest."""
    query = (
        select(Activity)
        .join(Generated, Generated.activity == Activity.id)
        .where(Generated.asset == sha256, Activity.state != "failed")
        .order_by((Activity.state == "done").desc(), Activity.ended.desc(), Activity.id)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def steps(node: Node) -> tuple[Node, ...]:
    """An asset and all that it was made from, each once."""
    found: dict[str, Node] = {}
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        if inner.asset.sha256 not in found:
            found[inner.asset.sha256] = inner
            waiting += [source.node for source in inner.used]
    return tuple(found.values())


def originals(node: Node) -> tuple[AssetRecord, ...]:
    """The originals that an asset was made from, each once; itself where it is one."""
    return tuple(inner.asset for inner in steps(node) if inner.activity is None)


def origins(node: Node) -> tuple[Origin, ...]:
    """The originals that an asset comes from, by the order in which they sound in it."""
    found = dict.fromkeys(_origins(node, None))
    return tuple(sorted(found, key=lambda origin: origin.use.made or (0, 0)))


def _origins(node: Node, span: Span | None) -> Iterator[Origin]:
    for source in node.used:
        use, inner = narrowed(source.use, node.asset.frames, span), source.node
        if use is None:
            continue
        if inner.activity is None:
            yield Origin(inner, use, ())
            continue
        for origin in _origins(inner, source_span(use)):
            made = use.made
            lies = (origin.use.made, source_span(use))
            if made is not None and use.role != TONE and lies[0] is not None and lies[1]:
                first, last = (_carried(at, lies[1], made) for at in lies[0])
                made = (first, last)
            event = use.event or origin.use.event
            told = replace(origin.use, role=use.role, made=made, event=event)
            yield Origin(origin.node, told, (*origin.through, inner.asset.sha256))


def became(session: Session, sha256: str, span: Span | None = None) -> Product:
    """What became of an asset: everything made from it, and from that in turn.

    Copies of the same sound count as the asset. span: only what plays some of samples first to one
    past the last. Work that failed is left aside. Raises UnknownAssetError.
    """
    asset = asset_at(session, sha256)
    if asset is None:
        raise UnknownAssetError(
            f"{sha256} is not known to this roomtone: use the ROOMTONE_HOME that it was made with."
        )
    spans = None if span is None else (span,)
    same = {sha256}
    if asset.essence:
        same |= {*session.scalars(select(Asset.sha256).where(Asset.essence == asset.essence))}
    onward = _onward(session, same, spans, frozenset(same))
    return Product(asset, paths_of(session, sha256), _recorded(session, asset), onward)


def _onward(
    session: Session, assets: set[str], spans: tuple[Span, ...] | None, above: frozenset[str]
) -> tuple[Onward, ...]:
    rows = session.execute(
        select(Used, Activity)
        .join(Activity, Activity.id == Used.activity)
        .where(Used.asset.in_(assets), Activity.state != "failed")
        .order_by(Activity.ended, Activity.id, Used.id)
    ).tuples()
    work: dict[str, tuple[ActivityRecord, list[Use]]] = {}
    for row, activity in rows:
        use = use_of(row)
        if _shares(source_span(use), spans):
            work.setdefault(activity.id, (activity_record(activity), []))[1].append(use)
    found = []
    for number, (activity_, uses) in work.items():
        made = uses_of(session, Generated, number)
        products = tuple(
            _product(session, use.asset, _through(session, uses, spans, use.asset), above)
            for use in made
            if use.asset not in above
        )
        if products:
            found.append(Onward(activity_, tuple(uses), products))
    return tuple(found)


def _product(
    session: Session, sha256: str, spans: tuple[Span, ...] | None, above: frozenset[str]
) -> Product:
    asset = asset_at(session, sha256)
    assert asset is not None, "what was generated is remembered"
    maker = _maker(session, sha256)
    clock = None if maker is None else clock_of(maker.parameters, asset.sample_rate)
    onward = _onward(session, {sha256}, spans, above | {sha256})
    return Product(asset, paths_of(session, sha256), clock, onward)


def _shares(span: Span | None, spans: tuple[Span, ...] | None) -> bool:
    if span is None or spans is None:
        return True
    return any(span[0] < end and start < span[1] for start, end in spans)


def _through(
    session: Session, uses: Sequence[Use], spans: tuple[Span, ...] | None, asset: str
) -> tuple[Span, ...] | None:
    """Where in what was made the samples lie that are followed; None: anywhere."""
    if spans is None:
        return None
    row = asset_at(session, asset)
    frames = None if row is None else row.frames
    found = []
    for use in uses:
        whole, part = narrowed(use, frames, None), source_span(use)
        if whole is None or whole.made is None or part is None:
            return None
        for start, end in spans:
            first, last = max(part[0], start), min(part[1], end)
            if first < last and use.role == TONE:
                found.append(whole.made)
            elif first < last:
                low, high = (_carried(at, part, whole.made) for at in (first, last))
                found.append((low, high))
    return tuple(found)
