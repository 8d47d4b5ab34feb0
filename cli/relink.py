"""`roomtone relink`: where the media of a cut are, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from adapters.media.links import Explanation, Link, Offline
from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from core.errors import OfflineError
from core.time import frames_to_timecode

if TYPE_CHECKING:
    from flows.relinking import Relinked


def command(
    cut: Annotated[Path, typer.Argument(help="A cut (.otio, .aaf, .edl, .xml, .fcpxml, …).")],
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder that holds media; may be given again.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell for every clip what was tried.")
    ] = False,
    edl_rate: Annotated[
        str | None, typer.Option(help="Frame rate of an EDL (default: as its media say).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Look for the media of a CUT as cleaning would, and list each clip with its file.

    Ends with 0 where anything was found (what is offline is listed), with 4 where nothing was.
    """
    from flows.relinking import relink_cut
    from flows.workspace import open_workspace

    settings = settings_for(media=tuple(media) if media else None, edl_rate=edl_rate)
    with shown(as_json) as progress, open_workspace(settings) as work:
        done = relink_cut(work, cut, settings.media or (cut.parent.absolute(),), progress)
    if as_json:
        print_json(_as_json(cut, done, explain))
    else:
        _tell(done, explain)
    if not done.linked:
        reason = _offline(done.found[0]).reason.rstrip(".")
        raise OfflineError(
            f"All media of {cut} are offline ({reason}); name the folders that hold them with "
            "--media."
        )


def _tell(done: Relinked, explain: bool) -> None:
    """The list for a person: a line for each clip, its steps under it where asked for."""
    rows = [_row(done, number) for number in range(len(done.found))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for item, (name, at, what, channels, how) in zip(done.found, rows, strict=True):
        head = f"{name:<{widths[0]}}  {at}  "
        if how:
            line = f"{what:<{widths[2]}}  {channels:<{widths[3]}}  {how}"
            OUT.print(escape(head + line.rstrip()))
        else:
            OUT.print(f"{escape(head)}[red]offline[/red]  {escape(_offline(item).reason)}")
        if explain:
            _tell_steps(item)
    for note in _notes(done):
        OUT.print(f"Note  {note}", markup=False)
    linked, all_of_them = len(done.linked), len(done.found)
    lost = f", {all_of_them - linked} offline" if linked < all_of_them else ""
    OUT.print(f"[bold]{linked} of {all_of_them} clips linked{lost}.[/bold]")


def _row(done: Relinked, number: int) -> tuple[str, str, str, str, str]:
    """Event, record timecode, file, channels and how; the last three empty where offline."""
    item = done.found[number]
    at = _record_timecode(done, number)
    link = _link(item)
    if link is None:
        return item.event_id, at, "", "", ""
    return item.event_id, at, link.media.path.name, _channels(link), link.how


def _record_timecode(done: Relinked, number: int) -> str:
    start = done.cut.start + done.events[number].record_start
    return frames_to_timecode(int(start), done.cut.rate)


def _link(item: Explanation) -> Link | None:
    return item.decision if isinstance(item.decision, Link) else None


def _offline(item: Explanation) -> Offline:
    """The decision where there is no link."""
    assert isinstance(item.decision, Offline)
    return item.decision


def _channels(link: Link) -> str:
    """Channels as people count them, from 1, with the recorder's names."""
    names = (
        f"{channel + 1} {link.media.notes.track_name(channel)}".rstrip()
        for channel in link.channels
    )
    return ", ".join(names) if link.media.channels > 1 else "mono"


def _tell_steps(item: Explanation) -> None:
    for step in item.steps:
        OUT.print(f"    {step.asked}: {step.outcome}", markup=False)
        for weighed in step.candidates:
            mark = "+" if weighed.taken else "-"
            OUT.print(f"      {mark} {weighed.path}: {weighed.verdict}", markup=False)
    link = _link(item)
    if link is not None:
        for note in link.notes:
            OUT.print(f"    {note}", markup=False)
    else:
        for path in _offline(item).candidates:
            OUT.print(f"    candidate: {path}", markup=False)


def _notes(done: Relinked) -> list[str]:
    """What was decided while relinking, each sentence once, after what the cut itself told."""
    told: dict[str, int] = {}
    for link in done.linked:
        for note in link.notes:
            told[note] = told.get(note, 0) + 1
    return [
        *done.notes,
        *(note if count == 1 else f"{note} ({count} clips)" for note, count in told.items()),
    ]


def _as_json(cut: Path, done: Relinked, explain: bool) -> dict[str, Any]:
    return {
        "cut": cut,
        "frame_rate": str(done.cut.rate),
        "linked": len(done.linked),
        "offline": len(done.found) - len(done.linked),
        "notes": list(done.notes),
        "events": [_event_json(done, number, explain) for number in range(len(done.found))],
    }


def _event_json(done: Relinked, number: int, explain: bool) -> dict[str, Any]:
    """One clip. channels: of the file, from 0. source_start: sample of the file."""
    item = done.found[number]
    told: dict[str, Any] = {
        "event": item.event_id,
        "record_timecode": _record_timecode(done, number),
        "name": item.label,
    }
    link = _link(item)
    if link is None:
        told |= {
            "file": None,
            "reason": _offline(item).reason,
            "candidates": list(_offline(item).candidates),
        }
    else:
        told |= {
            "file": link.media.path,
            "how": link.how,
            "channels": list(link.channels),
            "tracks": [link.media.notes.track_name(channel) for channel in link.channels],
            "source_start": link.source_start,
            "sample_rate": link.media.sample_rate,
            "notes": list(link.notes),
        }
    if explain:
        told["steps"] = [
            {
                "how": step.how,
                "asked": step.asked,
                "outcome": step.outcome,
                "candidates": [
                    {"path": weighed.path, "taken": weighed.taken, "verdict": weighed.verdict}
                    for weighed in step.candidates
                ],
            }
            for step in item.steps
        ]
    return told
