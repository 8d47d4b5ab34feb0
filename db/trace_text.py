"""A history as text: a tree with an asset a line, how it was made, and where its samples lie."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from core.privacy import Consent
from core.words import some
from db.codec import JSON, plain
from db.memory import AssetRecord
from db.provenance import ActivityRecord, Clock, Use
from db.tracing import Node, Product, Source, source_span

MOST = 12
"""So many stretches of an asset are written out."""

Told = set[tuple[str, tuple[tuple[int, int], ...]]]


def render_trace(node: Node) -> str:
    """A history as a tree to read: an asset a line, beneath it how it was made, then its sources.

    The sources of an asset that comes again are told once.
    """
    return "\n".join(_tree(node, _title(node), (), "", "", set()))


def _tree(
    node: Node, title: str, lying: Sequence[str], first: str, rest: str, told: Told
) -> list[str]:
    """The lines of a tree. first, rest: what stands before its first line and the others.

    lying: where the asset's samples lie in what was made of it, a line each.
    """
    sources: dict[tuple[str, str], list[Source]] = {}
    for source in node.used:
        sources.setdefault((source.use.role, source.node.asset.sha256), []).append(source)
    key = (node.asset.sha256, tuple(source.use.made or (0, 0) for source in node.used))
    again = key in told and node.activity is not None
    lines = [first + title + (" (as above)" if again else "")]
    bar = rest + ("│ " if sources and not again else "  ")
    lines += [bar + line for line in lying]
    if again or node.activity is None:
        return lines
    told.add(key)
    lines += [bar + line for line in _how(node.activity)]
    for number, uses in enumerate(sources.values(), 1):
        last = number == len(sources)
        inner = uses[0].node
        role = f"{uses[0].use.role}: " if uses[0].use.role else ""
        lines += _tree(
            inner,
            role + _title(inner) + _spans([source.use for source in uses]),
            _lying(uses, node),
            rest + ("└─ " if last else "├─ "),
            rest + ("   " if last else "│  "),
            told,
        )
    return lines


def render_consents(agreed: Sequence[Consent]) -> str:
    """What was allowed and forbidden, a line each; empty where nobody said anything."""
    lines = []
    for item in agreed:
        ended = ""
        if item.ended is not None:
            until = item.ended.isoformat(sep=" ", timespec="seconds")
            ended = f", until {until} by {item.ended_by or 'roomtone'}"
        lines.append(
            f"consent in {item.project or 'no production'}: {item.words}, since "
            f"{item.since.isoformat(sep=' ', timespec='seconds')} by {item.by}"
            + (f" ({item.note})" if item.note else "")
            + ended
        )
    return "\n".join(lines)


def render_uses(product: Product, cuts: Sequence[str] = ()) -> str:
    """What became of an asset as a tree to read. cuts: what plays it, a sentence each."""
    head = _named(product.asset, [str(path) for path in product.paths])
    lines = [head, *(f"  {cut}" for cut in cuts)]
    if not product.onward:
        lines.append("  Nothing was made from it.")
    return "\n".join([*lines, *_products(product, "")])


def _products(product: Product, rest: str) -> list[str]:
    made = [(onward, inner) for onward in product.onward for inner in onward.made]
    lines = []
    for number, (onward, inner) in enumerate(made, 1):
        last = number == len(made)
        title = _named(inner.asset, [str(path) for path in inner.paths])
        state = "" if onward.activity.state == "done" else f" ({onward.activity.state})"
        lines.append(rest + ("└─ " if last else "├─ ") + title + state)
        below = rest + ("   " if last else "│  ")
        uses = [use for use in onward.uses if use.made != source_span(use)]
        lines += [f"{below}  {line}" for line in _stretches(uses, inner.clock, None)]
        lines += _products(inner, below)
    return lines


def _title(node: Node) -> str:
    return _named(node.asset, [str(path) for path in node.paths])


def _named(asset: AssetRecord, paths: Sequence[str]) -> str:
    place = paths[0] if paths else f"{asset.name} (no known place)"
    return f"{place} [{asset.kind}, {asset.sha256[:12]}]"


def _spans(uses: Sequence[Use]) -> str:
    """Which samples were used, where it is not known what they became: the first three."""
    spans = [f"{use.start}-{use.end}" for use in uses if use.start is not None]
    channels = sorted({channel + 1 for use in uses for channel in use.channels})
    named = ", channel" + "s" * (len(channels) > 1) if channels else ""
    told = f"{named} {', '.join(map(str, channels))}" if channels else ""
    if not spans or all(use.made is not None for use in uses):
        return told
    more = f" and {len(spans) - 3} more" if len(spans) > 3 else ""
    return f"{told}, samples {', '.join(spans[:3])}{more}"


def _lying(sources: Sequence[Source], above: Node) -> list[str]:
    """Where an asset's samples lie in what was made of it, unless they have the same numbers."""
    uses = [source.use for source in sources]
    if all(use.made is not None and use.made == source_span(use) for use in uses):
        return []
    return _stretches(uses, above.clock, sources[0].node.clock)


def _stretches(uses: Iterable[Use], there: Clock | None, here: Clock | None) -> list[str]:
    """A line for each stretch: where it lies in what was made, and which samples it is."""
    known = sorted(
        {use for use in uses if use.made is not None},
        key=lambda use: (use.made or (0, 0), use.start or 0),
    )
    lines = []
    for use in known[:MOST]:
        made, event = use.made or (0, 0), f" {use.event}" if use.event else ""
        source = "the whole" if use.start is None else _stretch((use.start, use.end or 0), here)
        lines.append(f"{_stretch(made, there)}{event} from {source}")
    if len(known) > MOST:
        lines.append(f"and {len(known) - MOST} more, which --json tells")
    return lines


def _stretch(span: tuple[int, int], clock: Clock | None) -> str:
    return f"samples {span[0]}-{span[1]}" + (f" ({clock.timecode(span[0])})" if clock else "")


def _how(activity: ActivityRecord) -> list[str]:
    """The lines about an activity: what and when, with which model, with which parameters."""
    when = activity.ended.isoformat(sep=" ", timespec="seconds")
    who = f" for {activity.agent}" if activity.agent else ""
    state = "" if activity.state == "done" else f" ({activity.state})"
    lines = [
        f"{activity.kind}{state} by {activity.tool} {activity.code_version},"
        f" {when} on {activity.machine}{who}"
    ]
    if activity.card is not None:
        card = activity.card
        weights = str(card.get("weights_sha256", ""))[:12]
        stand_in = ", a stand-in" if card.get("stand_in") else ""
        lines.append(
            f"model {card.get('name', '')} {card.get('version', '')}"
            f" on {card.get('runtime', '')}"
            + (f", weights {weights}" if weights else "")
            + stand_in
        )
    told = [
        f"{name} = {json.dumps(plain(value))}"
        for name, value in activity.parameters.items()
        if value != "" and not _nested(value)
    ]
    if told:
        lines.append(", ".join(told))
    overrides, approvals = (activity.parameters.get(name) for name in ("overrides", "approvals"))
    return [*lines, *_decided(overrides, "event"), *_decided(approvals, "take")]


def _decided(overrides: JSON, what: str) -> list[str]:
    """What people decided for events that were played or takes, a line each. what: names them."""
    if not isinstance(overrides, Sequence) or isinstance(overrides, str):
        return []
    found: dict[tuple[str, str], list[str]] = {}
    for item in overrides:
        if isinstance(item, Mapping):
            key = (str(item.get("decided", "")), str(item.get("by", "")))
            found.setdefault(key, []).append(str(item.get(what, "")))
    return [
        f"decided by {by or 'somebody'} for {some(events)}: {decided}"
        for (decided, by), events in found.items()
    ]


def _nested(value: JSON) -> bool:
    """Whether a parameter is too much for a line of a tree; the JSON has it whole."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, Sequence) and any(
        isinstance(item, Mapping | Sequence) and not isinstance(item, str) for item in value
    )
