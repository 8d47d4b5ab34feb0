"""A history as a picture: where the samples of an asset come from, and by which steps (SVG)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from math import ceil
from pathlib import Path
from textwrap import wrap

from adapters.media.whole import write_text
from core.errors import OutputError
from core.privacy import Consent
from core.time import clock as clock_words
from core.time import round_half_up
from core.words import counted
from db.codec import JSON, plain
from db.provenance import ActivityRecord, Clock
from db.trace_text import render_consents
from db.tracing import Node, Origin, origins, steps
from flows.tracing import Traced

WIDTH = 1400
_LEFT, _RIGHT, _TOP = 230, 30, 84
_LANE, _BAR = 24, 16
_BOX, _GAP, _LINE = 330, 64, 17
_LETTERS = 46
_NAMES = 7
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_HIDDEN = frozenset(
    ("id", "bytes", "stand_in", "time_reference", "timecode_rate", "cut_sha256", "machine")
)
_TITLES = {
    "original": "original",
    "clean": "cleaned take",
    "stem": "stem",
    "clip": "clip",
    "timeline": "timeline",
    "report": "report",
    "weights": "weights",
}


@dataclass(frozen=True)
class _Group:
    """Assets of one kind that were made alike, so that a picture of hundreds can be read.

    depth: steps from what was asked for, at the most.
    """

    depth: int
    kind: str
    how: tuple[str, ...]
    nodes: tuple[Node, ...]

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What is written in its box: a class and a text each."""
        names = sorted({_name(node) for node in self.nodes})
        kind = _TITLES.get(self.kind, self.kind)
        title = kind if len(self.nodes) == 1 else counted(len(self.nodes), kind)
        told = [("kind", title)]
        told += [("name", _cut(name)) for name in names[:_NAMES]]
        if len(names) > _NAMES:
            told.append(("how", f"and {len(names) - _NAMES} more"))
        if len(self.nodes) == 1:
            told.append(("hash", f"sha256 {self.nodes[0].asset.sha256[:16]}…"))
        told += [("how", part) for text in self.how for part in wrap(text, _LETTERS)]
        return tuple(told)

    @property
    def height(self) -> int:
        """Of its box."""
        return _LINE * len(self.lines) + 16


def trace_svg(node: Node, agreed: Sequence[Consent] = ()) -> str:
    """The history of an asset as an SVG picture, light, without scripts.

    Above, for sound, the time of the asset with a row for each original: which of its samples play
    when. Below, the steps from the originals (left) to the asset (right), alike ones as one box,
    and the consent. Where the mouse rests on a stretch, its samples and channels are told.
    """
    parts = [_heading(node)]
    found = [origin for origin in origins(node) if origin.use.made is not None]
    top = _TOP
    if node.asset.frames and node.asset.sample_rate and found:
        drawn, top = _time(node, found, top)
        parts += drawn
    drawn, top = _chain(_groups(node), top + 30)
    parts += drawn
    for text in render_consents(agreed).splitlines():
        for part in wrap(text, 190):
            parts.append(_text(24, top + 20, part, "how"))
            top += _LINE
    height = top + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(f"Where {node.asset.name} comes from")}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _is_picture(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(200).lstrip().startswith(b"<svg")


def draw_trace(found: Traced, path: Path) -> None:
    """Write the picture of a history to a file, whole or not at all.

    Raises OutputError where it can't be written, or something is there that is no picture.
    """
    if path.exists() and not _is_picture(path):
        raise OutputError(f"{path} exists and is no picture; choose another --svg.")
    write_text(path, trace_svg(found.node, found.agreed))


_STYLE = (
    "text{font:13px system-ui,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1d2430}"
    ".title{font-size:20px;font-weight:600}.kind{font-weight:600;fill:#24507a}"
    ".hash,.tick{fill:#5b6675;font-size:11px}.how{fill:#3c4654;font-size:12px}"
    ".end{text-anchor:end}.middle{text-anchor:middle}.on{fill:#fff;font-size:11px}"
    ".box{fill:#f6f8fa;stroke:#9fb0c3}.edge{fill:none;stroke:#9fb0c3;stroke-width:1.5}"
    ".grid{stroke:#e3e8ee}"
)


def _heading(node: Node) -> str:
    asset = node.asset
    told = [asset.kind, f"sha256 {asset.sha256[:16]}…"]
    if asset.frames and asset.sample_rate:
        told.append(f"{asset.frames} samples at {asset.sample_rate} Hz")
        if node.clock is not None:
            told.append(f"{node.clock.timecode(0)} to {node.clock.timecode(asset.frames)}")
    if node.paths:
        told.append(str(node.paths[0]))
    return _text(24, 36, asset.name, "title") + _text(24, 58, _cut(" · ".join(told), 190), "how")


def _time(node: Node, found: Sequence[Origin], top: int) -> tuple[list[str], int]:
    """The rows of the originals under a ruler, and where they end."""
    frames, rate = node.asset.frames or 1, node.asset.sample_rate or 1
    wide = WIDTH - _LEFT - _RIGHT
    rows: dict[tuple[str, tuple[int, ...]], list[Origin]] = {}
    for origin in found:
        rows.setdefault((origin.node.asset.sha256, origin.use.channels), []).append(origin)
    colours: dict[str, str] = {}
    for sha256, _ in rows:
        colours.setdefault(sha256, _colour(len(colours)))
    bottom = top + 22 + _LANE * len(rows)

    def at(sample: int) -> float:
        return round(_LEFT + wide * sample / frames, 2)

    parts = []
    for sample in _ticks(frames, rate, node.clock):
        x = at(sample)
        last = x > WIDTH - 90
        parts.append(f'<path class="grid" d="M{x} {top + 6}V{bottom}"/>')
        parts.append(
            _text(x, top, _place(sample, node.clock, rate), f"tick {'end' if last else ''}")
        )
    for number, ((sha256, channels), items) in enumerate(rows.items()):
        y, colour = top + 22 + _LANE * number, colours[sha256]
        name = _cut(items[0].node.asset.name, 22) + _channels(channels)
        parts.append(_text(_LEFT - 12, y + 13, name, "end"))
        for item in items:
            first, last_ = item.use.made or (0, 0)
            x, w = at(first), max(1.0, round(at(last_) - at(first), 2))
            label = item.use.event if 6.5 * len(item.use.event) + 8 < w else ""
            tone = ' fill-opacity="0.45"' if item.use.role == "tone" else ""
            parts.append(
                f'<g><title>{escape(_told(item, node))}</title><rect x="{x}" y="{y}" '
                f'width="{w}" height="{_BAR}" rx="2" fill="{colour}"{tone}/>'
                + (_text(x + 5, y + 12, label, "on") if label else "")
                + "</g>"
            )
    return parts, bottom


def _told(item: Origin, node: Node) -> str:
    """What is known of a stretch."""
    use, original = item.use, item.node
    first, last = use.made or (0, 0)
    told = [
        " ".join(filter(None, [use.event, original.asset.name])),
        f"here: samples {first}-{last}"
        + (f" ({node.clock.timecode(first)})" if node.clock else ""),
    ]
    if use.start is not None:
        source = f"there: samples {use.start}-{use.end}"
        told.append(source + (f" ({original.clock.timecode(use.start)})" if original.clock else ""))
    if use.channels:
        told.append(_channels(use.channels).strip())
    if use.role:
        told.append(use.role)
    return "\n".join(told)


def _ticks(frames: int, rate: int, clock: Clock | None) -> list[int]:
    """The samples at which the ruler has a mark: whole seconds of its clock, ten or so."""
    second = Fraction(rate)
    if clock is not None:
        # A second of timecode: 24 frames last 1.001 s at 23.976.
        second = Fraction(ceil(clock.rate.fps)) / clock.rate.fps * rate
    step = next((s for s in _STEPS_S if frames / (s * second) <= 10), _STEPS_S[-1])
    return [round_half_up(at * step * second) for at in range(int(frames // (step * second)) + 1)]


def _place(sample: int, clock: Clock | None, rate: int) -> str:
    return clock.timecode(sample) if clock is not None else clock_words(sample, rate)


def _groups(node: Node) -> list[_Group]:
    """The assets of a history by their depth and how they were made."""
    depths = {node.asset.sha256: 0}
    # A history is shallow: as many rounds as it has steps settle the longest way to each.
    every = steps(node)
    for _ in range(12):
        for item in every:
            for source in item.used:
                deeper = depths.get(item.asset.sha256, 0) + 1
                if deeper <= 12 and depths.get(source.node.asset.sha256, 0) < deeper:
                    depths[source.node.asset.sha256] = deeper
    deepest = max(depths.values())
    kept: dict[tuple[int, str, tuple[str, ...]], list[Node]] = {}
    for item in every:
        depth = deepest if item.activity is None else depths[item.asset.sha256]
        how = () if item.activity is None else _how(item.activity)
        kept.setdefault((depth, item.asset.kind, how), []).append(item)
    return [_Group(depth, kind, how, tuple(nodes)) for (depth, kind, how), nodes in kept.items()]


def _chain(groups: Sequence[_Group], top: int) -> tuple[list[str], int]:
    """The boxes, originals left, with lines from what was used to what was made."""
    columns = sorted({group.depth for group in groups}, reverse=True)
    boxes: dict[int, tuple[int, int, _Group]] = {}
    bottom = top
    for column, depth in enumerate(columns):
        y = top
        for number, group in enumerate(groups):
            if group.depth == depth:
                boxes[number] = (24 + column * (_BOX + _GAP), y, group)
                y += group.height + 18
        bottom = max(bottom, y)
    where = {node.asset.sha256: number for number, (_, _, g) in boxes.items() for node in g.nodes}
    edges = {
        (where[source.node.asset.sha256], number)
        for number, (_, _, group) in boxes.items()
        for node in group.nodes
        for source in node.used
    }
    parts = []
    for start, end in sorted(edges):
        (x1, y1, one), (x2, y2, two) = boxes[start], boxes[end]
        a, b = y1 + one.height / 2, y2 + two.height / 2
        bend = (x2 - x1 - _BOX) / 2
        curve = f"M{x1 + _BOX} {a}C{x1 + _BOX + bend} {a} {x2 - bend} {b} {x2} {b}"
        parts.append(f'<path class="edge" d="{curve}"/>')
    for x, y, group in boxes.values():
        parts.append(
            f'<rect class="box" x="{x}" y="{y}" width="{_BOX}" height="{group.height}" rx="6"/>'
        )
        parts += [
            _text(x + 12, y + 20 + _LINE * line, text, kind)
            for line, (kind, text) in enumerate(group.lines)
        ]
    return parts, bottom


def _how(activity: ActivityRecord) -> tuple[str, ...]:
    """How something was made: the tool, the model, and what is said in one value."""
    told = [f"{activity.tool} {activity.code_version}"]
    if activity.card is not None:
        told.append(_model(activity.card))
    values = [
        f"{name} {_value(value)}"
        for name, value in activity.parameters.items()
        if _is_short(value) and name not in _HIDDEN and value not in ("", None)
    ]
    if values:
        told.append("; ".join(values))
    return tuple(told)


def _model(card: Mapping[str, JSON]) -> str:
    weights = str(card.get("weights_sha256") or "")[:12]
    stand_in = ", a stand-in" if card.get("stand_in") else ""
    named = f"model {card.get('name', '')} {card.get('version', '')}".rstrip()
    licence = f", {card['licence']}" if card.get("licence") else ""
    return named + licence + (f", weights {weights}…" if weights else "") + stand_in


def _value(value: JSON) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(plain(value))


def _is_short(value: JSON) -> bool:
    if isinstance(value, str):
        return len(value) <= 40
    return value is None or isinstance(value, int | float)


def _colour(number: int) -> str:
    """Colours that lie far apart one after another, dark enough for white letters."""
    return f"hsl({(205 + 137.5 * number) % 360:.0f} 52% 38%)"


def _name(node: Node) -> str:
    """What an asset is called in a box: a cleaned take, whose file has a key, by its original."""
    if node.asset.kind != "clean" or not node.used:
        return node.asset.name
    source = node.used[0]
    return source.node.asset.name + _channels(source.use.channels)


def _channels(channels: Sequence[int]) -> str:
    return f" ch {', '.join(str(channel + 1) for channel in channels)}" if channels else ""


def _cut(text: str, most: int = _LETTERS - 4) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}" class="{kind.strip()}">{escape(text)}</text>'
