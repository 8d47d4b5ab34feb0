"""Playing hits one after another, as `roomtone search --play` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from cli.common import ERR, OUT
from cli.keys import Wait
from core.errors import RoomtoneError
from flows.takeline import timecode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from adapters.media.device import Device
    from db.catalogue import Hit

KEYS = "enter: the next, space: once more, q: no more"
_LOOK_S = 0.05


def play_hits(
    hits: Sequence[Hit],
    sound_of: Callable[[Hit], NDArray[np.float32]],
    device: Device,
    wait: Wait,
) -> int:
    """Play hits in their order, and say which is heard; how many were heard.

    What can't be heard is told and passed over. wait: for keys; see KEYS.
    """
    heard = 0
    for number, hit in enumerate(hits, 1):
        found = hit.found
        OUT.print(
            f"[bold]{number}/{len(hits)}[/bold]  {escape(found.name)}  "
            f"{timecode(found, found.line.start)}  [cyan]{escape(found.line.speaker or '?')}[/cyan]"
            f"  {escape(found.line.text)}"
        )
        try:
            sound = sound_of(hit)
        except RoomtoneError as fault:
            ERR.print(str(fault), markup=False)
            continue
        heard += 1
        try:
            if not _to_the_end(sound, found.sample_rate, device, wait):
                break
        finally:
            device.stop()
    return heard


def _to_the_end(sound: NDArray[np.float32], sample_rate: int, device: Device, wait: Wait) -> bool:
    """Play a sound; whether the next is wanted."""
    device.start(sound, sample_rate)
    while device.playing():
        key = wait(_LOOK_S)
        if key in ("q", "\x1b"):
            return False
        if key in ("\n", "\r", "n"):
            return True
        if key == " ":
            device.start(sound, sample_rate)
    return True
