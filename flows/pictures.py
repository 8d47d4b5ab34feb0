"""Pictures for reports: spectrograms as small PNGs, and the tracks of a cut as outlines.

A spectrogram's rows are spaced by the mel scale, so that voice and sibilants both have room:
mel = 2595 log10(1 + f / 700) (O'Shaughnessy, Speech Communication, 1987).
"""

from __future__ import annotations

import base64
import io
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from core.cut import Cut, Event
from core.media import MediaFile
from core.time import FrameRate, frames_to_timecode

Read = Callable[[int, int], NDArray[np.float64]]

WIDTH, HEIGHT = 300, 120
TOP_HZ = 20_000.0
MOST_BYTES = 20_000
ANCHORS = (
    (9, 11, 22),
    (22, 52, 104),
    (22, 118, 142),
    (102, 178, 128),
    (240, 212, 118),
    (255, 251, 238),
)
"""Colours from quiet to loud; their lightness rises in even steps."""

_WINDOW_S = 0.043
_BATCH = 64
_LEVELS = (64, 32, 16)
_KHZ = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_LANE = 34
_LANE_GAP = 8
_AXIS = 26
_LABEL_PX = 6.6
_TIMECODE_PX = 80


@dataclass(frozen=True)
class Tick:
    """A mark on an axis. at: percent of the axis, or pixels of a cut's picture."""

    at: float
    label: str


@dataclass(frozen=True)
class Stretch:
    """A stretch of one channel of a take, raw and cleaned.

    cleaned: the cleaned take's file; place: the channel's place in it. channel: of the media,
    from 0. start, frames: samples of the media.
    """

    media: MediaFile
    cleaned: Path
    channel: int
    place: int
    start: int
    frames: int


@dataclass(frozen=True)
class Views:
    """A stretch before and after, and what was taken, as `data:` URIs of PNGs."""

    raw: str
    cleaned: str
    removed: str


@dataclass(frozen=True)
class Block:
    """An event in the picture of a cut, in pixels.

    points: outline for SVG; a fade is a slanted side. x, y: where a label's middle is.
    fits: how many characters of a label there is room for. title: what it is, for people.
    """

    event_id: str
    state: str
    title: str
    points: str
    x: float
    y: float
    fits: int


@dataclass(frozen=True)
class Lane:
    """A track in the picture of a cut. top: pixels."""

    name: str
    enabled: bool
    top: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class CutPicture:
    """A cut's tracks in pixels, with a time axis and its markers in record timecode.

    axis: height of the time axis. lane: height of a track; pitch: from one track to the next.
    """

    width: int
    height: int
    axis: int
    lane: int
    pitch: int
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    markers: tuple[Tick, ...]


def spectrogram_png(
    read: Read,
    start: int,
    frames: int,
    sample_rate: int,
    width: int,
    height: int,
    floor_db: float,
    ceil_db: float,
) -> bytes:
    """A spectrogram of samples start … start + frames as a palette PNG.

    read: read(start, n) gives n mono float64 samples, full scale 1.0, zeros outside the file.
    sample_rate: Hz. width, height: pixels. floor_db, ceil_db: what the darkest and the lightest
    colour stand for; 0 dB is a sine of full scale. Rows go from 0 to `top_hz` by the mel scale.
    Every sample counts: a column is the mean power of its stretch. Windows (Hann, about 43 ms)
    are centred inside the stretch and reach over its ends by half their length. Memory and size
    do not grow with the length; at 300 by 120 pixels the picture stays under 20 kB.
    """
    level = spectrogram_db(read, start, frames, sample_rate, width, height)
    share = np.clip((level - floor_db) / (ceil_db - floor_db), 0.0, 1.0)
    data = b""
    for levels in _LEVELS:
        data = _png(np.rint(share * (levels - 1)).astype(np.uint8), levels)
        if len(data) <= MOST_BYTES:
            break
    return data


def spectrogram_db(
    read: Read, start: int, frames: int, sample_rate: int, width: int, height: int
) -> NDArray[np.float64]:
    """The level of each pixel of a spectrogram in dB, shape (height, width), as spectrogram_png."""
    power = _mean_power(read, start, frames, sample_rate, width, height)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-30)), np.float64)


def top_hz(sample_rate: int) -> float:
    """The highest frequency that a spectrogram shows: 20 kHz, or half the sample rate."""
    return min(TOP_HZ, sample_rate / 2)


def frequency_ticks(sample_rate: int) -> tuple[Tick, ...]:
    """Marks in kHz, in percent of a spectrogram's height from below."""
    top = top_hz(sample_rate)
    return tuple(
        Tick(round(100 * _mel(1000 * khz) / _mel(top), 2), f"{khz:g}")
        for khz in _KHZ
        if 1000 * khz < top
    )


def second_ticks(frames: int, sample_rate: int) -> tuple[Tick, ...]:
    """Marks in seconds from the start of a stretch, in percent of its length; 7 at the most."""
    length = frames / sample_rate
    step = next((s for s in _SECONDS if length / s <= 6), max(_SECONDS[-1], math.ceil(length / 6)))
    return tuple(
        Tick(round(100 * k * step / length, 2), f"{round(k * step, 1):g}")
        for k in range(int(length / step) + 1)
        if length
    )


def colours(levels: int) -> tuple[tuple[int, int, int], ...]:
    """The colour map in so many steps, from quiet to loud."""
    places = np.linspace(0, len(ANCHORS) - 1, levels)
    channels = np.array(ANCHORS, np.float64).T
    red, green, blue = (np.interp(places, np.arange(len(ANCHORS)), c) for c in channels)
    return tuple(
        (round(float(r)), round(float(g)), round(float(b)))
        for r, g, b in zip(red, green, blue, strict=True)
    )


def draw(
    stretches: Iterable[Stretch], cache: Path, floor_db: float, ceil_db: float
) -> Iterable[tuple[Stretch, Views]]:
    """Spectrograms of 300 by 120 pixels for each stretch, one media file after the other.

    cache: where sound that libsndfile can't read is extracted to.
    Raises InputError where a file can't be read, OutputError where `cache` is full.
    """
    ordered = sorted(dict.fromkeys(stretches), key=lambda item: str(item.media.path))
    for media, group in itertools.groupby(ordered, key=lambda item: item.media):
        with Sound(sound_file(media, cache)) as raw:
            for item in group:
                with Sound(item.cleaned) as cleaned:
                    before = _mono(raw, item.channel)
                    after = _mono(cleaned, item.place)
                    reads = (before, after, difference(before, after))
                    yield item, Views(*(_uri(read, item, floor_db, ceil_db) for read in reads))


def difference(before: Read, after: Read) -> Read:
    """What was taken: a reader of one sound less another."""
    return lambda start, frames: before(start, frames) - after(start, frames)


def cut_picture(cut: Cut, states: Mapping[str, str], notes: Mapping[str, str]) -> CutPicture:
    """The tracks of a cut: a page wide, and wider where a track has many events.

    states: what became of each event, by its id. notes: more to be said of some, by id.
    """
    tracks = cut.audio_tracks
    busiest = max((len(track.events) for track in tracks), default=0)
    width = min(16_000, max(1080, 16 * busiest))
    lanes = []
    for number, track in enumerate(tracks):
        top = _AXIS + number * (_LANE + _LANE_GAP)
        blocks = tuple(
            _block(cut, event, states[event.id], notes.get(event.id, ""), top, width)
            for event in track.events
        )
        lanes.append(Lane(track.name, track.enabled, top, blocks))
    markers = tuple(
        Tick(
            _across(cut, marker.at, width),
            " ".join((timecode(cut.start + marker.at, cut.rate), marker.name, marker.note)).strip(),
        )
        for marker in cut.markers
    )
    height = _AXIS + len(tracks) * (_LANE + _LANE_GAP)
    ticks = _timecode_ticks(cut, width)
    pitch = _LANE + _LANE_GAP
    return CutPicture(width, height, _AXIS, _LANE, pitch, tuple(lanes), ticks, markers)


def timecode(frames: Fraction, rate: FrameRate) -> str:
    """Timecode, with hundredths of a frame where the position lies between two."""
    whole, part = divmod(frames, 1)
    subframe = f".{int(part * 100):02d}" if part else ""
    return frames_to_timecode(int(whole), rate) + subframe


def record_range(cut: Cut, event: Event) -> tuple[str, str]:
    """Record in and out; out is the frame just past the event, as in an EDL."""
    return (
        timecode(cut.start + event.record_start, cut.rate),
        timecode(cut.start + event.record_end, cut.rate),
    )


def _block(cut: Cut, event: Event, state: str, note: str, top: int, width: int) -> Block:
    fades = [
        (name, fade.length)
        for name, fade in (("in", event.fade_in), ("out", event.fade_out))
        if fade
    ]
    lengths = dict(fades)
    left = _across(cut, event.record_start, width)
    # An event stays visible in the picture of a feature.
    right = max(_across(cut, event.record_end, width), left + 2)
    full = _across(cut, event.record_start + lengths.get("in", 0), width)
    fading = max(_across(cut, event.record_end - lengths.get("out", 0), width), full)
    corners = ((left, top + _LANE), (full, top), (min(fading, right), top), (right, top + _LANE))
    said = (
        f"{event.id}: {state}",
        " to ".join(record_range(cut, event)),
        event.media.name,
        *(f"fade {name} {float(length):g} frames" for name, length in fades),
        note,
    )
    return Block(
        event_id=event.id,
        state=state,
        title=", ".join(text for text in said if text),
        points=" ".join(f"{x:g},{y:g}" for x, y in corners),
        x=round((full + fading) / 2, 2),
        y=top + _LANE / 2 + 4,
        fits=max(0, int((fading - full - 6) / _LABEL_PX)),
    )


def _across(cut: Cut, frames: Fraction, width: int) -> float:
    return round(float(frames / max(cut.length, Fraction(1))) * width, 2)


def _timecode_ticks(cut: Cut, width: int) -> tuple[Tick, ...]:
    second = cut.rate.nominal
    length = max(cut.length, Fraction(1))
    every = next(
        (s * second for s in _SECONDS if s >= 1 and s * second / length * width >= 110),
        _SECONDS[-1] * second,
    )
    first = -cut.start % every
    return tuple(
        Tick(_across(cut, Fraction(at), width), frames_to_timecode(cut.start + at, cut.rate))
        for at in range(int(first), math.ceil(length), int(every))
        if at / length * width <= width - _TIMECODE_PX
    )


def _mel(hz: float) -> float:
    return 2595 * math.log10(1 + hz / 700)


@lru_cache(maxsize=8)
def _row_weights(size: int, sample_rate: int, height: int) -> NDArray[np.float32]:
    """Shape (bins, height): how much of each bin's power lies in each row, the top row first.

    The power is that of a spectrum under a Hann window; a sine of full scale comes out as 1.
    """
    top = top_hz(sample_rate)
    edges = 700 * (10 ** (np.linspace(0, _mel(top), height + 1) / 2595) - 1)
    bins = (np.arange(size // 2 + 2) - 0.5) * sample_rate / size
    overlap = np.minimum(bins[1:, None], edges[1:]) - np.maximum(bins[:-1, None], edges[:-1])
    weights = np.maximum(overlap, 0) / np.diff(edges) * np.square(2 / np.sum(_window(size)))
    return np.ascontiguousarray(weights[:, ::-1], np.float32)


@lru_cache(maxsize=8)
def _window(size: int) -> NDArray[np.float32]:
    return np.hanning(size + 1)[:-1].astype(np.float32)


def _mean_power(
    read: Read, start: int, frames: int, sample_rate: int, width: int, height: int
) -> NDArray[np.float64]:
    """Mean power of each pixel, shape (height, width), from windows at most half one apart."""
    from scipy.fft import rfft

    size = 2 ** round(math.log2(sample_rate * _WINDOW_S))
    window, weights = _window(size), _row_weights(size, sample_rate, height)
    a_column = max(1, math.ceil(frames / width / (size // 2)))
    total = a_column * width
    power = np.zeros((width, height))
    for first in range(0, total, _BATCH):
        number = np.arange(first, min(total, first + _BATCH))
        begins = start + (2 * number + 1) * frames // (2 * total) - size // 2
        sound = read(int(begins[0]), int(begins[-1] - begins[0]) + size).astype(np.float32)
        # Single precision is far finer than a picture's colours.
        spectra = rfft(sliding_window_view(sound, size)[begins - begins[0]] * window)
        rows = (np.square(spectra.real) + np.square(spectra.imag)) @ weights
        columns, firsts = np.unique(number // a_column, return_index=True)
        power[columns] += np.add.reduceat(rows, firsts)
    mean: NDArray[np.float64] = power.T / a_column
    return mean


def _mono(sound: Sound, channel: int) -> Read:
    return lambda start, frames: sound.read(start, frames, [channel])[:, 0]


def _uri(read: Read, item: Stretch, floor_db: float, ceil_db: float) -> str:
    data = spectrogram_png(
        read, item.start, item.frames, item.media.sample_rate, WIDTH, HEIGHT, floor_db, ceil_db
    )
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _png(indices: NDArray[np.uint8], levels: int) -> bytes:
    from PIL import Image

    image = Image.fromarray(indices)
    image.putpalette([value for colour in colours(levels) for value in colour])
    file = io.BytesIO()
    # A higher level takes up to ten times as long for no byte less.
    image.save(file, "PNG", compress_level=6)
    return file.getvalue()
