"""Pro Tools' session info as text, with the listing of markers.

Pro Tools writes such a file and does not read it back; spotting and cueing tools read it. Its
own import of markers is a MIDI file (`midi`).
"""

from __future__ import annotations

from core.cut import Marker
from core.spotting import SpottingList, Wanted, cleaned, markers, painter
from core.time import frames_to_samples, frames_to_timecode

_HEAD = "\t".join(
    (
        "#   ",
        f"{'LOCATION':13}",
        f"{'TIME REFERENCE':18}",
        f"{'UNITS':9}",
        f"{'NAME':33}",
        "COMMENTS",
    )
)


def serialise(found: SpottingList, wanted: Wanted) -> str:
    """Lines and events as a listing of markers, in samples from the session's start."""
    found = cleaned(found)
    made = markers(found, wanted, painter(found, ("",), ""))
    rate = f"{float(found.rate.fps):.3f}".rstrip("0").rstrip(".")
    rows = [
        f"SESSION NAME:\t{found.name}",
        f"SAMPLE RATE:\t{found.sample_rate}.000000",
        "BIT DEPTH:\t24-bit",
        f"SESSION START TIMECODE:\t{found.timecode(0)}",
        f"TIMECODE FORMAT:\t{rate}{' Drop' if found.rate.drop else ''} Frame",
        "# OF AUDIO TRACKS:\t0",
        "# OF AUDIO CLIPS:\t0",
        "# OF AUDIO FILES:\t0",
        "",
        "",
        "M A R K E R S  L I S T I N G",
        _HEAD,
        *(_row(found, number, marker) for number, marker in enumerate(made, 1)),
    ]
    return "\n".join([*rows, ""])


def _row(found: SpottingList, number: int, marker: Marker) -> str:
    frame = found.first_frame + int(marker.at)
    sample = frames_to_samples(frame, found.rate.fps, found.sample_rate) - found.reference
    at = frames_to_timecode(frame, found.rate)
    return (
        f"{number:<4}\t{at:<13}\t{max(0, sample):<18}\tSamples  \t{marker.name:<33}\t{marker.note}"
    )
