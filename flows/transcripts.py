"""The transcripts of a delivery: what is said in the cut, in record time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from adapters.media.whole import write_bytes
from adapters.transcripts.write import FORMATS, Sheet, Style
from core.conform import Retimed
from core.plan import digest
from core.speech import Line
from core.spotting import with_overlaps
from flows.listen import Heard
from flows.references import placed
from flows.settle import wearers
from flows.spotting import Linked, line_spot, record_list, take_sheet
from flows.turnover import Turnover
from flows.withheld import kept_back
from flows.workspace import Workspace

TRANSCRIPTS_VERSION = "1"


def transcripts_key(formats: Sequence[str], heard: Mapping[str, Heard]) -> list[object]:
    """What names the transcripts: the formats and, where there are any, every line."""
    lines = {essence: [asdict(line) for line in one.lines] for essence, one in heard.items()}
    return [list(formats), TRANSCRIPTS_VERSION, digest(lines)] if formats else []


def write_transcripts(
    work: Workspace,
    folder: Path,
    turnover: Turnover,
    heard: Mapping[str, Heard],
    formats: Sequence[str],
    retimed: Retimed,
) -> tuple[Path, ...]:
    """Write the cut's lines in these formats; the files' paths.

    Raises OutputError where the folder can't be written.
    """
    if not formats:
        return ()
    spots = {
        essence: with_overlaps([line_spot(one.media, line) for line in _leaving(work, one)])
        for essence, one in heard.items()
    }
    links = {
        event_id: Linked(link.media, link.source_start, link.channels)
        for event_id, link in turnover.links.items()
        if link.media.essence in spots and event_id not in turnover.through
    }
    cut = turnover.cut
    record = Sheet(
        record_list(cut, links, spots, work.settings.sample_rate, retimed, partial(wearers, work)),
        placed(cut, turnover.path.parent),
    )
    takes = [take_sheet(media, spots[media.essence]) for media in turnover.dialogue]
    paths = []
    for name in formats:
        made = FORMATS[name]
        content = made.write(takes if made.takes_only else [record], Style())
        path = folder / f"{turnover.path.stem}{made.suffix}"
        write_bytes(path, content if isinstance(content, bytes) else content.encode())
        paths.append(path)
    return tuple(paths)


def _leaving(work: Workspace, heard: Heard) -> list[Line]:
    """The lines of a take that may leave the home."""
    stays = kept_back(work, heard.media)
    return [line for line in heard.lines if not stays(line.speaker)]
