"""The sound of what a search found, to be played on this machine."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from core.errors import InputError, OfflineError
from db.catalogue import TakeLine
from db.memory import media_by_essence
from flows.channels import listening_channel
from flows.cleaned import cleaned_last
from flows.workspace import Workspace

Version = Literal["raw", "cleaned"]
BEFORE_S, AFTER_S = 0.4, 0.6
_FADE_S = 0.008


def sound_of_line(work: Workspace, found: TakeLine, version: Version) -> NDArray[np.float32]:
    """A line as the microphone heard it that was transcribed, at the take's sample rate.

    A little is played before and after it, with fades at its ends; peaks beyond full scale are
    held there. Raises OfflineError where its media are offline, InputError where it is not cleaned.
    """
    with work.database.read() as session:
        media = media_by_essence(session, {found.essence}).get(found.essence)
    if media is None or not media.path.is_file():
        raise OfflineError(f"The media of {found.name} are offline, so it can't be heard.")
    channel = listening_channel(media)
    start = max(0, found.line.start - round(BEFORE_S * media.sample_rate))
    end = min(media.frames, found.line.end + round(AFTER_S * media.sample_rate))
    if version == "raw":
        path, place = sound_file(media, work.cache), channel
    else:
        cleaned = cleaned_last(work, media, (channel,))
        if cleaned is None:
            raise InputError(f"{found.name} is not cleaned yet; hear it with --sound raw.")
        path, place = cleaned.sound, cleaned.channels.index(channel)
    with Sound(path) as sound:
        heard = sound.read(start, end - start, [place])[:, 0]
    fade = min(len(heard) // 2, round(_FADE_S * media.sample_rate))
    ramp = np.arange(fade) / max(1, fade)
    heard[:fade] *= ramp
    heard[len(heard) - fade :] *= ramp[::-1]
    return np.clip(heard, -1.0, 1.0).astype(np.float32)
