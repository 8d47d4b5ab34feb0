"""iXML: what a recorder wrote about a take, as XML in a chunk of the file.

After the iXML specification (ixml.info, 2.x). Documents that declare a DOCTYPE or entities are
refused: no recorder writes them, and they can be made to expand without end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from defusedxml.ElementTree import DefusedXMLParser, fromstring

from adapters.timelines.xml_safe import has_long_namespace
from core.errors import InputError
from core.media import SoundNotes
from core.time import FrameRate, exact_fps

MAX_IXML = 4 << 20
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BARE_AMPERSAND = re.compile(r"&(?!#\d+;|#x[0-9a-fA-F]+;|(?:amp|lt|gt|quot|apos);)")
_DECLARATION = re.compile(r"^\s*<\?xml.*?\?>", re.DOTALL)
MAX_REST = 64 << 10
_MAX_DEPTH = 50
"""Levels of elements. The specification has four, makers' own blocks a few more."""

_MAX_ELEMENTS = 50_000
"""A file of 128 tracks has some thousand."""

_OURS = frozenset(
    {
        *("IXML_VERSION", "PROJECT", "SCENE", "TAKE", "TAPE", "CIRCLED", "NOTE", "SPEED"),
        *("TRACK_LIST", "ROOMTONE"),
    }
)
# These are true of the recorder's own file alone: its bext, identity, length and positions.
_OF_THE_FILE = frozenset({"BEXT", "SYNC_POINT_LIST", "PRE_RECORD_SAMPLECOUNT", "LOUDNESS"})
# Of a FILE_SET these name the take, and stay true of a copy; the rest counts the recorder's files.
_OF_THE_TAKE = ("FAMILY_UID", "FAMILY_NAME")
_XML_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]*$")


@dataclass(frozen=True)
class Ixml:
    """The fields of an iXML document; empty or None where it does not have them.

    tracks: (CHANNEL_INDEX, INTERLEAVE_INDEX, NAME), both counted from 1, None where not given.
    rest: elements that stay true of any part of the sound and are none of the above.
    """

    scene: str = ""
    take: str = ""
    tape: str = ""
    circled: bool | None = None
    note: str = ""
    project: str = ""
    description: str = ""
    origination_date: str = ""
    tracks: tuple[tuple[int | None, int | None, str], ...] = ()
    timecode_rate: FrameRate | None = None
    time_reference: int | None = None
    rest: tuple[str, ...] = ()

    def names(self, channels: int) -> tuple[tuple[int, str], ...]:
        """Track names as (channel counted from 0, name) for a file of so many channels.

        INTERLEAVE_INDEX is the channel's place in this file. Without it CHANNEL_INDEX is, unless
        that numbers the recorder's inputs (some lie beyond the file): then the order counts.
        """
        named = [track for track in self.tracks if track[2]]
        if all(interleave is not None for _, interleave, _ in named):
            places = [interleave or 0 for _, interleave, _ in named]
        else:
            places = [index or 0 for index, _, _ in named]
            if sorted(places) != list(range(1, len(places) + 1)) and len(places) == channels:
                order = sorted(range(len(places)), key=lambda i: places[i])
                places = [order.index(i) + 1 for i in range(len(places))]
        pairs = {
            place - 1: track[2]
            for place, track in zip(places, named, strict=True)
            if 1 <= place <= channels
        }
        return tuple(sorted(pairs.items()))


def parse_ixml(body: bytes) -> Ixml:
    """The fields of an iXML chunk's body.

    Forgives padding, a byte-order mark, a wrong encoding declaration, stray control characters
    and bare ampersands. Raises InputError (a clause, without the file's name) for the rest.
    """
    root = _root(body)
    return Ixml(
        scene=_text(root, "SCENE"),
        take=_text(root, "TAKE"),
        tape=_text(root, "TAPE"),
        circled=_flag(_text(root, "CIRCLED")),
        note=_text(root, "NOTE"),
        project=_text(root, "PROJECT"),
        description=_text(root, "BEXT/BWF_DESCRIPTION"),
        origination_date=_text(root, "BEXT/BWF_ORIGINATION_DATE"),
        tracks=tuple(
            (
                _number(track, "CHANNEL_INDEX"),
                _number(track, "INTERLEAVE_INDEX"),
                _text(track, "NAME"),
            )
            for track in root.iterfind("TRACK_LIST/TRACK")
        ),
        timecode_rate=_rate(_text(root, "SPEED/TIMECODE_RATE"), _text(root, "SPEED/TIMECODE_FLAG")),
        time_reference=_time_reference(root),
        rest=_rest(root),
    )


def parse_block(body: bytes) -> dict[str, str]:
    """What roomtone wrote about a file into the block of its own; empty where there is none.

    Raises InputError (a clause) as `parse_ixml`.
    """
    block = _root(body).find("ROOMTONE")
    fields = () if block is None else block
    return {str(field.tag): (field.text or "").strip() for field in fields if not len(field)}


def _root(body: bytes) -> ET.Element:
    if len(body) > MAX_IXML:
        raise InputError("its iXML is larger than 4 MiB")
    text = _decode(body)
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise InputError("its iXML declares a DOCTYPE or entities, which no recorder does")
    if has_long_namespace(text.encode(errors="replace")):
        raise InputError("its iXML declares a namespace longer than any recorder's")
    text = _BARE_AMPERSAND.sub("&amp;", _ILLEGAL.sub("", _DECLARATION.sub("", text)))
    try:
        parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
        parser.feed(text.strip())
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, RecursionError) as fault:
        raise InputError(f"its iXML is malformed ({fault})") from fault
    return root


class _Bounded(ET.TreeBuilder):
    """Builds a tree that nothing recurses too deep over. Raises ValueError for another."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> ET.Element:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError(f"nested more than {_MAX_DEPTH} levels deep")
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            raise ValueError(f"more than {_MAX_ELEMENTS} elements")
        return super().start(tag, attributes)

    def end(self, tag: str) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def merge_ixml(notes: SoundNotes, ixml: Ixml, channels: int) -> SoundNotes:
    """The notes of the bext chunk with iXML over them: where both speak, iXML wins."""
    names = ixml.names(channels) or notes.track_names
    recorded = [*(name for _, _, name in ixml.tracks if name), *notes.absent_tracks]
    here = {name for _, name in names}
    return replace(
        notes,
        scene=ixml.scene or notes.scene,
        take=ixml.take or notes.take,
        tape=ixml.tape or notes.tape,
        circled=notes.circled if ixml.circled is None else ixml.circled,
        note=ixml.note or notes.note,
        project=ixml.project or notes.project,
        description=notes.description or ixml.description,
        origination_date=ixml.origination_date or notes.origination_date,
        track_names=names,
        absent_tracks=tuple(name for name in dict.fromkeys(recorded) if name not in here),
        timecode_rate=ixml.timecode_rate or notes.timecode_rate,
        time_reference=(
            notes.time_reference if ixml.time_reference is None else ixml.time_reference
        ),
        ixml_rest=ixml.rest,
    )


def ixml_chunk(notes: SoundNotes, sample_rate: int, bits: int, extra: Mapping[str, str]) -> bytes:
    """The body of an iXML chunk (UTF-8, without chunk header or padding).

    sample_rate: Hz, of the file and of notes.time_reference. bits: of a sample in the file.
    extra: what goes into a <ROOMTONE> block; keys are XML names, else ValueError.
    """
    root = ET.Element("BWFXML")
    _add(root, "IXML_VERSION", "1.61")
    for name, value in (
        ("PROJECT", notes.project),
        ("SCENE", notes.scene),
        ("TAKE", notes.take),
        ("TAPE", notes.tape),
        ("CIRCLED", "TRUE" if notes.circled else "FALSE"),
        ("NOTE", notes.note),
    ):
        _add(root, name, value)
    _add_speed(root, notes, sample_rate, bits)
    if notes.track_names:
        tracks = ET.SubElement(root, "TRACK_LIST")
        _add(tracks, "TRACK_COUNT", str(len(notes.track_names)))
        for channel, name in notes.track_names:
            track = ET.SubElement(tracks, "TRACK")
            _add(track, "CHANNEL_INDEX", str(channel + 1))
            _add(track, "INTERLEAVE_INDEX", str(channel + 1))
            _add(track, "NAME", name)
    root.extend(fromstring(element) for element in notes.ixml_rest)
    if extra:
        block = ET.SubElement(root, "ROOMTONE")
        for name, value in extra.items():
            if not _XML_NAME.match(name):
                raise ValueError(f"{name!r} is not a name that XML allows")
            _add(block, name, value)
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _add_speed(root: ET.Element, notes: SoundNotes, sample_rate: int, bits: int) -> None:
    speed = ET.SubElement(root, "SPEED")
    if notes.timecode_rate is not None:
        fps = notes.timecode_rate.fps
        for name in ("MASTER_SPEED", "CURRENT_SPEED", "TIMECODE_RATE"):
            _add(speed, name, f"{fps.numerator}/{fps.denominator}")
        _add(speed, "TIMECODE_FLAG", "DF" if notes.timecode_rate.drop else "NDF")
    _add(speed, "FILE_SAMPLE_RATE", str(sample_rate))
    _add(speed, "AUDIO_BIT_DEPTH", str(bits))
    _add(speed, "DIGITIZER_SAMPLE_RATE", str(sample_rate))
    if notes.time_reference is not None:
        high, low = divmod(notes.time_reference, 1 << 32)
        _add(speed, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", str(high))
        _add(speed, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", str(low))
        _add(speed, "TIMESTAMP_SAMPLE_RATE", str(sample_rate))


def _decode(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", errors="replace").rstrip("\0")
    body = body.removeprefix(b"\xef\xbb\xbf").split(b"\0", 1)[0]
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _add(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, name).text = _ILLEGAL.sub("", value)


def _text(parent: ET.Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def _flag(text: str) -> bool | None:
    return text.upper() in ("TRUE", "YES", "1") if text else None


def _number(parent: ET.Element, path: str) -> int | None:
    text = _text(parent, path)
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        return None
    return int(text)


def _rate(rate: str, flag: str) -> FrameRate | None:
    try:
        fps = exact_fps(rate)
    except InputError:
        return None
    try:
        return FrameRate(fps, drop=flag.upper() == "DF")
    except InputError:
        return FrameRate(fps)


def _rest(root: ET.Element) -> tuple[str, ...]:
    """What a copy of the sound may carry on, up to 64 kB of it."""
    kept: list[str] = []
    left = MAX_REST
    for element in root:
        if element.tag in _OURS | _OF_THE_FILE or not _XML_NAME.match(str(element.tag)):
            continue
        if element.tag == "FILE_SET":
            element[:] = [
                child
                for child in element
                if child.tag in _OF_THE_TAKE and (child.text or "").strip()
            ]
            if not len(element):
                continue
        element.tail = None
        text = ET.tostring(element, encoding="unicode")
        if len(text) <= left:
            left -= len(text)
            kept.append(text)
    return tuple(kept)


def _time_reference(root: ET.Element) -> int | None:
    """Samples since midnight; each half is 32 bits, which some recorders write as signed."""
    for high_path, low_path in (
        ("SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", "SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO"),
        ("BEXT/BWF_TIME_REFERENCE_HIGH", "BEXT/BWF_TIME_REFERENCE_LOW"),
    ):
        high, low = _number(root, high_path), _number(root, low_path)
        if low is not None:
            return (((high or 0) & 0xFFFFFFFF) << 32) | (low & 0xFFFFFFFF)
    return None
