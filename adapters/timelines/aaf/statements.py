"""What an AAF file says, as plain values: mobs, their slots, and the segments in them.

The words are those of the AAF Object Specification: a mob is a material object (a composition,
a clip, a file, a tape); its slots hold a segment each; a clip of one mob refers to a slot of
another. All lengths and positions are in edit units of the slot that holds them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A point of a parameter that changes. at: usually from 0 (start) to 1 (end) of the effect."""

    at: Fraction
    value: Fraction


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an effect.

    auid: the definition's identifier. name: the definition's name, or empty. constant: its value,
    None where it changes (or is no number). points: in order of time. interpolation: `linear`,
    `log`, `power`, `constant`, or another as its definition names it.
    """

    auid: str
    name: str
    constant: Fraction | None = None
    points: tuple[ControlPoint, ...] = ()
    interpolation: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Silence, or a kind of segment that is not sound. kind: its class where it is no filler."""

    length: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A clip: a stretch of a slot of another mob (`mob` empty: the original source).

    channel_ids: the channels that it takes, as written. fade types: 1 linear, 2 equal power.
    """

    length: int
    start: int
    mob: str
    slot: int
    channel_ids: tuple[int, ...] = ()
    fade_in: int = 0
    fade_in_type: int = 0
    fade_out: int = 0
    fade_out_type: int = 0


@dataclass(frozen=True, slots=True)
class Blend:
    """A transition: the segments before and after it overlap by its length."""

    length: int
    operation: str
    name: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """Segments one after another."""

    length: int
    parts: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect on its inputs. operation: its definition's identifier, name: as written there."""

    length: int
    operation: str
    name: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A selector: what is selected, and what is kept beside it."""

    length: int
    selected: Segment
    alternates: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Layers:
    """A nested scope: the last layer is seen, and refers to those before it."""

    length: int
    layers: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class LayerReference:
    """The same stretch of an earlier layer; scope counts nested scopes outwards."""

    length: int
    scope: int
    layer: int


@dataclass(frozen=True, slots=True)
class Group:
    """The same essence in several forms, the preferred first."""

    length: int
    choices: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A timecode track. start: frames since midnight, fps: frame numbers a second."""

    length: int
    start: int
    fps: int
    drop: bool


Segment = (
    Gap | Reference | Blend | Series | Effect | Choice | Layers | LayerReference | Group | Count
)


@dataclass(frozen=True, slots=True)
class Note:
    """A marker of an event slot, in edit units of that slot."""

    at: int
    length: int
    text: str
    color: str
    user: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of a mob.

    kind: `Sound`, `Picture`, `Timecode` or another data definition. rate: edit units a second,
    None where it has none that is usable. number: the physical track number, 0 for none.
    marks: of an event slot. attributes: of the track, as names and text.
    """

    id: int
    name: str
    kind: str
    rate: Fraction | None
    number: int
    origin: int
    segment: Segment
    marks: tuple[Note, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a source mob is made of.

    kind: the class (`PCMDescriptor`, `TapeDescriptor`). urls: of its locators. rate: that
    `length` counts in; audio_rate: samples a second. channels, bits, block_align: 0 where it does
    not say. head: of the file, where the descriptor keeps it (`Summary`).
    """

    kind: str
    urls: tuple[str, ...] = ()
    rate: Fraction | None = None
    audio_rate: Fraction | None = None
    length: int = 0
    channels: int = 0
    bits: int = 0
    block_align: int = 0
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Mob:
    """A material object. kind: `composition`, `master` or `source`; usage: as written."""

    id: str
    kind: str
    name: str
    usage: str
    slots: tuple[Slot, ...]
    descriptor: Descriptor | None = None
    comments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Storage:
    """All mobs of a file by their identifiers, which of them have their sound inside the file,
    the program that wrote it, and what could not be read."""

    mobs: dict[str, Mob]
    embedded: frozenset[str] = frozenset()
    product: str = ""
    warnings: tuple[str, ...] = field(default=())
