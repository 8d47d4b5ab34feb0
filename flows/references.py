"""A cut's references to its media, made right from any folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.media.references import locate
from core.cut import Cut, Event


def placed(cut: Cut, folder: Path) -> Cut:
    """The cut with references that are right from any folder, where the media are there.

    folder: that relative references count from, the one of the cut's file.
    """

    def there(event: Event) -> Event:
        paths = locate(event.media.url, folder).paths if event.media.url else ()
        path = next((path for path in paths if path.exists()), None)
        if path is None:
            return event
        return replace(event, media=replace(event.media, url=path.resolve().as_uri()))

    return replace(
        cut,
        tracks=tuple(
            replace(track, events=tuple(there(event) for event in track.events))
            for track in cut.tracks
        ),
    )
