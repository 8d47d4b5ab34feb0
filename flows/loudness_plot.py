"""A picture of loudness over time: short-term and momentary, with the target and its tolerance.

One list of shapes is drawn as SVG, or by Pillow as PNG, so that both look alike.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.whole import write_bytes, write_text
from config.deliveries import DeliverySpec
from core.errors import UsageError
from flows.loudness import Measured

FORMATS = (".png", ".svg", ".html")

WIDTH, PANEL = 1100, 260
LEFT, RIGHT, TOP, BOTTOM = 62, 20, 48, 34
SCALE = 2
LETTER = 6.9
MOST_POINTS = WIDTH - LEFT - RIGHT
FLOOR_LUFS = -70.0
TICKS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)

INK, FAINT, GRID = "#22262b", "#6a727c", "#e3e6ea"
MOMENTARY, SHORT_TERM, TARGET, BAND = "#9db7d4", "#14508c", "#b4541a", "#f8e9dc"


@dataclass(frozen=True)
class _Line:
    points: tuple[tuple[float, float], ...]
    colour: str
    width: float


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float
    colour: str


@dataclass(frozen=True)
class _Text:
    x: float
    y: float
    words: str
    colour: str
    size: int
    anchor: str


_Shape = _Line | _Box | _Text


def plot_loudness(measured: Sequence[Measured], spec: DeliverySpec | None, path: Path) -> None:
    """Draw a panel for each measured sound into a file: PNG, SVG or HTML by its ending.

    spec: whose target and tolerance are drawn, or None. The file is written whole or not at all.
    Raises UsageError for another ending, OutputError where it can't be written.
    """
    ending = check_ending(path)
    shapes: list[_Shape] = []
    for number, item in enumerate(measured):
        shapes += _panel(item, spec, number * PANEL)
    height = PANEL * len(measured)
    if ending == ".png":
        write_bytes(path, _png(shapes, height))
        return
    svg = _svg(shapes, height)
    if ending == ".html":
        svg = (
            '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Loudness</title>\n'
            f'<body style="margin:1rem">{svg}</body></html>\n'
        )
    write_text(path, svg)


def check_ending(path: Path) -> str:
    """The ending of a plot's file. Raises UsageError for one that is not drawn."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise UsageError(f"{path} can't be drawn; name a file that ends in .png, .svg or .html.")
    return ending


def _panel(item: Measured, spec: DeliverySpec | None, top: float) -> list[_Shape]:
    seconds = max(item.frames / item.sample_rate, 1.0)
    low, high = _span(item, spec)
    floor, roof = top + PANEL - BOTTOM, top + TOP

    def x(second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / seconds

    def y(lufs: float) -> float:
        return floor - (floor - roof) * (min(max(lufs, low), high) - low) / (high - low)

    shapes: list[_Shape] = []
    target = None if spec is None else spec.integrated_lufs
    if spec is not None and target is not None:
        box = (y(target + spec.tolerance_lu), y(target - spec.tolerance_lu))
        shapes.append(_Box(LEFT, box[0], WIDTH - RIGHT, box[1], BAND))
    for lufs in range(math.ceil(low / 6) * 6, int(high) + 1, 6):
        shapes.append(_Line(((LEFT, y(lufs)), (WIDTH - RIGHT, y(lufs))), GRID, 1))
        shapes.append(_Text(LEFT - 8, y(lufs) + 4, str(lufs), FAINT, 11, "end"))
    for second in _ticks(seconds):
        shapes.append(_Line(((x(second), floor), (x(second), floor + 4)), FAINT, 1))
        shapes.append(_Text(x(second), floor + 18, _clock(second), FAINT, 11, "middle"))
    for values, first, colour, width in (
        (item.momentary, 0.4, MOMENTARY, 1.0),
        (item.short_term, 3.0, SHORT_TERM, 1.8),
    ):
        for run in _runs(*_thinned(values, first)):
            points = tuple((x(second), y(lufs)) for second, lufs in run)
            shapes.append(_Line(points, colour, width))
    if target is not None:
        shapes.append(_Line(((LEFT, y(target)), (WIDTH - RIGHT, y(target))), TARGET, 1.2))
    shapes.append(_Line(((LEFT, floor), (WIDTH - RIGHT, floor)), FAINT, 1))
    return shapes + _headings(item, spec, top)


def _headings(item: Measured, spec: DeliverySpec | None, top: float) -> list[_Shape]:
    numbers = [
        f"integrated {_number(item.integrated)} LUFS",
        f"range {item.loudness_range:.1f} LU",
        f"true peak {_number(item.true_peak)} dBTP",
    ]
    if item.speech is not None:
        numbers.append(f"speech-gated estimate {_number(item.speech.lufs)} LUFS")
    shapes: list[_Shape] = [
        _Text(LEFT, top + 19, item.name, INK, 14, "start"),
        _Text(LEFT, top + 37, "   ".join(numbers), FAINT, 12, "start"),
        _Text(LEFT - 8, top + 37, "LUFS", FAINT, 11, "end"),
    ]
    legend = [("momentary", MOMENTARY), ("short-term", SHORT_TERM)]
    if spec is not None and spec.integrated_lufs is not None:
        legend.append((f"{spec.name} {spec.integrated_lufs:g}", TARGET))
    right = float(WIDTH - RIGHT)
    for words, colour in reversed(legend):
        shapes.append(_Text(right, top + 19, words, FAINT, 12, "end"))
        right -= LETTER * len(words) + 8
        shapes.append(_Line(((right - 20, top + 15), (right, top + 15)), colour, 2.5))
        right -= 40
    return shapes


def _span(item: Measured, spec: DeliverySpec | None) -> tuple[float, float]:
    """Lowest and highest LUFS shown: what matters of the sound, and the target, on whole sixes."""
    heard = item.momentary[item.momentary > FLOOR_LUFS]
    low = float(np.percentile(heard, 2)) if len(heard) else -36.0
    high = item.max_momentary if len(heard) else -18.0
    if spec is not None and spec.integrated_lufs is not None:
        low = min(low, spec.integrated_lufs - spec.tolerance_lu)
        high = max(high, spec.integrated_lufs + spec.tolerance_lu)
    low = max(low, high - 48)
    return 6 * math.floor((low - 1) / 6), 6 * math.ceil((high + 1) / 6)


def _thinned(
    values: NDArray[np.float64], first: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in seconds and values, no more than there are pixels: the highest of each stretch."""
    if not len(values):
        return np.zeros(0), values
    stretch = -(-len(values) // MOST_POINTS)
    starts = np.arange(0, len(values), stretch)
    return first + starts / 10, np.maximum.reduceat(values, starts)


def _runs(
    times: NDArray[np.float64], values: NDArray[np.float64]
) -> list[list[tuple[float, float]]]:
    """The stretches without silence, as (second, LUFS)."""
    runs: list[list[tuple[float, float]]] = [[]]
    for second, lufs in zip(times.tolist(), values.tolist(), strict=True):
        if lufs > FLOOR_LUFS:
            runs[-1].append((second, lufs))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _ticks(seconds: float) -> list[float]:
    step = next((tick for tick in TICKS_S if seconds / tick <= 12), TICKS_S[-1])
    return [float(at) for at in range(0, int(seconds) + 1, step)]


def _clock(second: float) -> str:
    minutes, rest = divmod(int(second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _number(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "-inf"


def _svg(shapes: Sequence[_Shape], height: int) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" font-family="system-ui, Helvetica, Arial, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for shape in shapes:
        if isinstance(shape, _Line):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{shape.colour}" '
                f'stroke-width="{shape.width:g}" stroke-linejoin="round"/>'
            )
        elif isinstance(shape, _Box):
            lines.append(
                f'<rect x="{shape.left:.1f}" y="{shape.top:.1f}" fill="{shape.colour}" '
                f'width="{shape.right - shape.left:.1f}" height="{shape.bottom - shape.top:.1f}"/>'
            )
        else:
            lines.append(
                f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" fill="{shape.colour}" '
                f'font-size="{shape.size}" text-anchor="{shape.anchor}">'
                f"{escape(shape.words)}</text>"
            )
    return "\n".join((*lines, "</svg>")) + "\n"


def _png(shapes: Sequence[_Shape], height: int) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), "#ffffff")
    draw = ImageDraw.Draw(image)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for shape in shapes:
        if isinstance(shape, _Line):
            points = [(SCALE * x, SCALE * y) for x, y in shape.points]
            draw.line(points, fill=shape.colour, width=round(SCALE * shape.width), joint="curve")
        elif isinstance(shape, _Box):
            corners = (shape.left, shape.top, shape.right, shape.bottom)
            draw.rectangle([SCALE * value for value in corners], fill=shape.colour)
        else:
            draw.text(
                (SCALE * shape.x, SCALE * shape.y),
                shape.words,
                fill=shape.colour,
                font=ImageFont.load_default(SCALE * shape.size),
                anchor=anchors[shape.anchor],
            )
    packed = io.BytesIO()
    image.save(packed, "PNG", optimize=True)
    return packed.getvalue()
