"""Timelines become the same cut, whatever format they came in, and read back as written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.timelines.read import read_cut
from core.errors import InputError
from core.time import RATES


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("what.xyz", b"?"),
    ],
)
def test_what_is_no_cut_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as fault:
        read_cut(path, RATES["24"])
    assert name in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_missing_cut_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_cut(tmp_path / "none.otio", RATES["24"])


@pytest.mark.shared
@pytest.mark.parametrize("version", ["cut_v1", "cut_v2"])
def test_harbour_cuts_equal_their_truth(harbour: Path, version: str) -> None:
    truth = json.loads((harbour / "truth" / f"{version}.json").read_text())
    rate = RATES["23.976"]
    from_edl = read_cut(harbour / "cuts" / f"{version}.edl", rate)
    boom = [e for e in truth["events"] if e["track"] == "A1 DX"]
    for event, right in zip(from_edl.tracks[0].events, boom, strict=True):
        assert (event.record_start, event.record_length) == (right["record_start"], right["length"])
        assert event.channels == (right["channel"] - 1,)
        assert event.media.file_name == right["take"]


def test_a_cut_of_years_is_refused(tmp_path: Path) -> None:
    def time(value: float) -> dict[str, object]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": value}

    clip = {
        "OTIO_SCHEMA": "Clip.2",
        "source_range": {
            "OTIO_SCHEMA": "TimeRange.1",
            "start_time": time(0),
            "duration": time(24 * 9_000_000),
        },
    }
    track = {"OTIO_SCHEMA": "Track.1", "kind": "Audio", "children": [clip]}
    stack = {"OTIO_SCHEMA": "Stack.1", "children": [track]}
    timeline = {"OTIO_SCHEMA": "Timeline.1", "global_start_time": time(0), "tracks": stack}
    path = tmp_path / "years.otio"
    path.write_text(json.dumps(timeline))
    with pytest.raises(InputError, match=r"years\.otio is over 30 days long"):
        read_cut(path, RATES["24"])
