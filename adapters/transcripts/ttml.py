"""TTML in the text profile of IMSC 1.1 (W3C): captions in frames of the cut's rate.

Times are offsets in frames (`96f`) on the media time base, so they are exact at every rate:
`ttp:frameRate` and `ttp:frameRateMultiplier` say how long a frame is. Speakers are `ttm:agent`s.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

from core.captions import Caption, CaptionOptions, captions
from core.spotting import SpottingList, Wanted, cleaned

PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
_TT = "http://www.w3.org/ns/ttml"
_SPACES = {
    "ttp": f"{_TT}#parameter",
    "tts": f"{_TT}#styling",
    "ttm": f"{_TT}#metadata",
    "xml": "http://www.w3.org/XML/1998/namespace",
}
_REGION = {
    "xml:id": "bottom",
    "tts:origin": "10% 10%",
    "tts:extent": "80% 80%",
    "tts:displayAlign": "after",
}
_STYLE = {"xml:id": "caption", "tts:textAlign": "center", "tts:fontFamily": "proportionalSansSerif"}


def serialise(found: SpottingList, options: CaptionOptions, wanted: Wanted) -> str:
    """The lines of a list as a TTML document, times counted from the first sample."""
    found = cleaned(found)
    shown = captions(found, options, replace(wanted, speakers=False))
    root = ElementTree.Element(_name("tt"), _attributes(_head_of(found)))
    head = _child(root, "head")
    metadata = _child(head, "metadata")
    _child(metadata, "ttm:title").text = found.name
    agents = _agents(metadata, shown) if wanted.speakers else {}
    _child(_child(head, "styling"), "style", _STYLE)
    _child(_child(head, "layout"), "region", _REGION)
    division = _child(_child(root, "body", {"region": "bottom", "style": "caption"}), "div")
    for number, item in enumerate(shown, 1):
        times = {
            "xml:id": f"c{number}",
            "begin": f"{item.start - found.first_frame}f",
            "end": f"{item.end - found.first_frame}f",
        }
        agent = agents.get(item.spot.speaker)
        said = _child(division, "p", {**times, "ttm:agent": agent} if agent else times)
        _fill(said, item.rows)
    for prefix, space in _SPACES.items():
        if prefix != "xml":
            ElementTree.register_namespace(prefix, space)
    ElementTree.register_namespace("", _TT)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _head_of(found: SpottingList) -> dict[str, str]:
    rate = found.rate
    languages = Counter(spot.language for spot in found.lines if spot.language)
    attributes = {
        "xml:lang": languages.most_common(1)[0][0] if languages else "",
        "ttp:contentProfiles": PROFILE,
        "ttp:timeBase": "media",
        "ttp:frameRate": str(rate.nominal),
        "ttp:cellResolution": "32 15",
    }
    multiplier = Fraction(rate.fps, rate.nominal)
    if multiplier != 1:
        attributes["ttp:frameRateMultiplier"] = f"{multiplier.numerator} {multiplier.denominator}"
    return attributes


def _agents(metadata: ElementTree.Element, shown: tuple[Caption, ...]) -> dict[str, str]:
    """An agent for each speaker; their ids by name."""
    agents: dict[str, str] = {}
    for speaker in dict.fromkeys(item.spot.speaker for item in shown if item.spot.speaker):
        agents[speaker] = f"agent{len(agents) + 1}"
        agent = _child(metadata, "ttm:agent", {"xml:id": agents[speaker], "type": "character"})
        _child(agent, "ttm:name", {"type": "alias"}).text = speaker
    return agents


def _fill(said: ElementTree.Element, rows: tuple[str, ...]) -> None:
    """Rows with a line break between them."""
    said.text = rows[0]
    for row in rows[1:]:
        _child(said, "br").tail = row


def _child(
    parent: ElementTree.Element, name: str, attributes: dict[str, str] | None = None
) -> ElementTree.Element:
    return ElementTree.SubElement(parent, _name(name), _attributes(attributes or {}))


def _attributes(attributes: dict[str, str]) -> dict[str, str]:
    return {_name(name) if ":" in name else name: text for name, text in attributes.items()}


def _name(name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{_SPACES[prefix]}}}{local}" if prefix else f"{{{_TT}}}{local}"
