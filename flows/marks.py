"""What our files say of themselves: CodingHistory (EBU R 98) and a block of our own in iXML.

Neither holds a date or the name of a machine, so that the same work is the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.workspace import code_version
from models.card import ModelCard

MARKS_VERSION = "1"
ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
"""IPTC's digital source type of a recording that an algorithm enhanced."""

_MODES = {1: "mono", 2: "stereo"}


@dataclass(frozen=True)
class Worked:
    """What was done to a take. recipe: by name. card: of the engine that was chosen.

    engine_ran: whether it took anything away. repaired: whether defects were mended.
    """

    recipe: str
    card: ModelCard
    engine_ran: bool
    repaired: bool


@dataclass(frozen=True)
class Stamp:
    """What the files of a delivery are marked with.

    work: names what they belong to (the cut's sha256). folder: of the delivery. ai_mark: whether
    files that a model touched say so.
    """

    work: str = ""
    folder: Path = Path()
    ai_mark: bool = True

    def name(self, path: Path, takes: Iterable[str]) -> str:
        """Names a file by what it is made of, so that it is the same wherever it is made again.

        takes: keys of the cleaned takes in it. Empty where the stamp names no work.
        """
        if not self.work:
            return ""
        parts = [self.work, path.relative_to(self.folder).as_posix(), *sorted(set(takes))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def coding_history(
    sample_rate: int, bits: int, channels: int, tools: Sequence[str], step: str = ""
) -> str:
    """A line of EBU R 98 CodingHistory: how the sound was coded, in which step, and by what.

    tools: models and processes; a line that names some says that the sound was cleaned. R 98
    knows no mode beyond stereo, so that it is left out there. Its text is ASCII without commas.
    """
    mode = f",M={_MODES[channels]}" if channels in _MODES else ""
    named = "".join(f"; {tool}" for tool in tools)
    tool = f"roomtone {code_version()}{f' {step}' if step else ''}{named}"
    plain = tool.encode("ascii", "replace").decode().replace(",", " ")
    return f"A=PCM,F={sample_rate},W={bits}{mode},T={plain}\r\n"


def after_history(before: str, line: str) -> str:
    """A CodingHistory with one more line, each on a line of its own (EBU R 98)."""
    kept = before.rstrip("\r\n")
    return f"{kept}\r\n{line}" if kept else line


def cleaning_lines(sample_rate: int, channels: int, works: Iterable[Worked]) -> str:
    """A line for each way in which takes were cleaned, sorted: recipe and engine, or repair."""
    lines = set()
    for worked in works:
        if worked.engine_ran:
            tools = [f"{worked.card.name} {worked.card.version}".strip()]
            lines.add(coding_history(sample_rate, 32, channels, tools, f"clean {worked.recipe}"))
        elif worked.repaired:
            tools = ["repair"]
            lines.add(coding_history(sample_rate, 32, channels, tools, f"clean {worked.recipe}"))
    return "".join(sorted(lines))


def ixml_fields(
    works: Iterable[Worked], stamp: Stamp, path: Path, takes: Iterable[str] = ()
) -> dict[str, str]:
    """What goes into the <ROOMTONE> block of a file beside its role: who made it, and with what.

    works: what was done to the takes that it is made of. path: the file's own. takes: their keys.
    """
    ran = [worked for worked in works if worked.engine_ran]
    fields = {
        "VERSION": code_version(),
        "ID": stamp.name(path, takes),
        "RECIPE": ", ".join(sorted({worked.recipe for worked in ran if worked.recipe})),
        "MODEL": " | ".join(sorted({_model(worked.card) for worked in ran})),
        "AI_PROCESSED": str(bool(ran)).upper() if stamp.ai_mark else "",
        "DIGITAL_SOURCE_TYPE": ENHANCED if ran and stamp.ai_mark else "",
    }
    return {name: value for name, value in fields.items() if value}


def _model(card: ModelCard) -> str:
    weights = f"; weights sha256 {card.weights_sha256}" if card.weights_sha256 else ""
    return f"{card.name} {card.version}{weights}; licence {card.licence}"
