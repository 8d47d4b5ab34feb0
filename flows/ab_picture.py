"""The picture of an A/B: three spectrograms side by side on one scale, and the table of gates."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flows.pictures import Read, colours, frequency_ticks, second_ticks, spectrogram_db
from models.quality import Gate

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

AB_PICTURE_VERSION = "1"
"""Part of the key of an A/B: raised whenever the picture changes."""

WIDTH, HEIGHT = 560, 380
RANGE_DB = 80.0
_COLOURS = 256
_MARGIN, _GAP, _AXIS = 24, 20, 46
_TOP, _CAPTION, _BELOW = 84, 30, 56
_ROW, _HEAD = 26, 46
_PAGE, _TEXT, _DIM, _LINE = "#121418", "#e3e6ea", "#a4acb8", "#2f343d"
_PASSED, _FAILED = "#7cc9b0", "#f0b752"
_PANELS = ("Raw", "Cleaned", "Removed")


@dataclass(frozen=True)
class Plate:
    """What a picture says beside the spectrograms.

    title, line: two lines of heading. gain_db: on cleaned and removed. start, frames: of the
    stretch, in samples at sample_rate Hz. gates: of the whole take.
    """

    title: str
    line: str
    gain_db: float
    start: int
    frames: int
    sample_rate: int
    gates: tuple[Gate, ...]


def ab_picture(reads: Sequence[Read], plate: Plate) -> bytes:
    """A PNG of three sounds: raw, cleaned and removed, as they are to be seen.

    reads: read(start, n), mono, of each, at its gain. All three are on one scale of 80 dB that
    ends at the loudest of the raw sound. Memory does not grow with the length.
    """
    from PIL import Image, ImageDraw

    levels = [
        spectrogram_db(read, plate.start, plate.frames, plate.sample_rate, WIDTH, HEIGHT)
        for read in reads
    ]
    top = _top(levels[0])
    width = 2 * _MARGIN + 3 * (_AXIS + WIDTH) + 2 * _GAP
    columns = _gate_columns(plate.gates)
    rows = math.ceil(len(plate.gates) / columns) if plate.gates else 0
    table = _HEAD + rows * _ROW if rows else 0
    height = _TOP + _CAPTION + HEIGHT + _BELOW + table + _MARGIN
    image = Image.new("RGB", (width, height), _PAGE)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, 18), _fitted(draw, plate.title, width - 2 * _MARGIN, 24), _TEXT, _font(24))
    draw.text((_MARGIN, 52), _fitted(draw, plate.line, width - 520, 16), _DIM, _font(16))
    _scale(image, draw, width - _MARGIN, top)
    for number, (name, level) in enumerate(zip(_PANELS, levels, strict=True)):
        left = _MARGIN + _AXIS + number * (_AXIS + WIDTH + _GAP)
        under = "as recorded" if number == 0 else f"{plate.gain_db:+.2f} dB"
        _caption(draw, left, name, under)
        image.paste(Image.fromarray(_coloured(level, top)), (left, _TOP + _CAPTION))
        _axes(draw, left, plate, hertz=number == 0)
    if plate.gates:
        _gates(draw, plate.gates, _TOP + _CAPTION + HEIGHT + _BELOW, width, columns)
    file = io.BytesIO()
    image.quantize(_COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _top(level: NDArray[np.float64]) -> float:
    """The level that the lightest colour stands for: a round 10 dB above the loudest pixels."""
    return float(np.clip(10 * math.ceil(float(np.percentile(level, 99.8)) / 10), -90.0, 0.0))


def _coloured(level: NDArray[np.float64], top: float) -> NDArray[np.uint8]:
    share = np.clip((level - top + RANGE_DB) / RANGE_DB, 0.0, 1.0)
    palette = np.array(colours(_COLOURS), np.uint8)
    return palette[np.rint(share * (_COLOURS - 1)).astype(np.intp)]


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _fitted(draw: ImageDraw, text: str, width: int, size: int) -> str:
    """A text that fits, with dots at its end where it had to be cut."""
    font = _font(size)
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text + "…"


def _caption(draw: ImageDraw, left: int, name: str, under: str) -> None:
    draw.text((left, _TOP + 2), name, _TEXT, _font(18))
    draw.text((left + draw.textlength(name, _font(18)) + 12, _TOP + 5), under, _DIM, _font(15))


def _axes(draw: ImageDraw, left: int, plate: Plate, *, hertz: bool) -> None:
    top, bottom = _TOP + _CAPTION, _TOP + _CAPTION + HEIGHT
    for tick in frequency_ticks(plate.sample_rate):
        y = bottom - tick.at / 100 * HEIGHT
        draw.line((left - 5, y, left - 1, y), _DIM)
        draw.text((left - 8, y), tick.label, _DIM, _font(14), anchor="rm")
    if hertz:
        draw.text((left - 8, top - 6), "kHz", _DIM, _font(14), anchor="rb")
    for tick in second_ticks(plate.frames, plate.sample_rate):
        x = left + tick.at / 100 * (WIDTH - 1)
        draw.line((x, bottom, x, bottom + 4), _DIM)
        label = f"{tick.label} s" if tick.at == 0 else tick.label
        draw.text((x, bottom + 8), label, _DIM, _font(14), anchor="mt")


def _scale(image: Any, draw: ImageDraw, right: int, top: float) -> None:
    """The colours and what they stand for, ending at `right`."""
    from PIL import Image

    length, y = 220, 52
    high = f"{top:.0f} dBFS"
    low = f"{top - RANGE_DB:.0f}"
    x = right - round(draw.textlength(high, _font(15))) - 8 - length
    ramp = np.tile(np.array(colours(length), np.uint8)[None], (14, 1, 1))
    image.paste(Image.fromarray(ramp), (x, y + 3))
    draw.text((right, y), high, _DIM, _font(15), anchor="ra")
    draw.text((x - 8, y), low, _DIM, _font(15), anchor="ra")


def _gate_columns(gates: Sequence[Gate]) -> int:
    return 2 if len(gates) > 6 else 1


def _gates(draw: ImageDraw, gates: Sequence[Gate], y: int, width: int, columns: int) -> None:
    """The table: name, value, limit and verdict, in one column or two."""
    held = sum(not gate.passed for gate in gates)
    verdict = f"{held} held it back" if held else "all passed"
    draw.text((_MARGIN, y), f"Gates of the whole take: {verdict}", _TEXT, _font(18))
    rows = math.ceil(len(gates) / columns)
    each = (width - 2 * _MARGIN - (columns - 1) * 2 * _GAP) // columns
    for number, gate in enumerate(gates):
        x = _MARGIN + number // rows * (each + 2 * _GAP)
        at = y + _HEAD - 10 + number % rows * _ROW
        draw.line((x, at, x + each, at), _LINE)
        colour = _PASSED if gate.passed else _FAILED
        draw.text((x, at + 5), _fitted(draw, gate.name, 200, 16), _TEXT, _font(16))
        draw.text((x + 330, at + 5), measured(gate), colour, _font(16), anchor="ra")
        draw.text((x + 350, at + 5), f"limit {limit(gate)}", _DIM, _font(16))
        state = "passed" if gate.passed else "OVER"
        draw.text((x + each, at + 5), state, colour, _font(16), anchor="ra")


def measured(gate: Gate) -> str:
    """A gate's value as people write it, with its unit."""
    if gate.unit == "share":
        return f"{100 * gate.value:.1f} %"
    if gate.unit == "samples":
        return f"{gate.value:.0f} samples"
    # Adding zero turns a rounded -0.00 into 0.00.
    return f"{round(gate.value, 2) + 0.0:.2f} {gate.unit}"


def limit(gate: Gate) -> str:
    """A gate's limit as people write it."""
    if math.isinf(gate.limit):
        return "none"
    return f"{100 * gate.limit:g} %" if gate.unit == "share" else f"{gate.limit:g} {gate.unit}"
