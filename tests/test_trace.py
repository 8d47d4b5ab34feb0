"""Of any sample of a delivery it is known which original it comes from, and what touched it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from production import (
    BOOM_TRACK,
    LAV_TRACK,
    PER_FRAME,
    V1,
    Delivered,
    Home,
    Play,
    stems,
)
from prov.model import ProvDocument

from adapters.media.essence import file_sha256
from bench.traced import Range, dangling, sources
from bench.traced import played as played_by_truth


def assert_whole(prov: dict[str, Any]) -> None:
    """Every name that a relation uses is declared, and the `prov` package reads the document."""
    assert dangling(prov) == []
    document = ProvDocument.deserialize(content=json.dumps(prov), format="json")
    told = [kind for kind in prov if kind != "prefix"]
    assert len(list(document.get_records())) == sum(len(prov[kind]) for kind in told)
    again = json.loads(document.serialize(format="json"))
    assert {kind: len(again[kind]) for kind in told} == {kind: len(prov[kind]) for kind in told}


def played(film: Path, plays: Sequence[Play], track: str) -> Iterator[Range]:
    """The stretches of originals that a track plays, dissolves included, counted by hand."""
    own = [play for play in plays if play.track == track]
    for number, play in enumerate(own):
        early = play.dissolve // 2
        late = own[number + 1].dissolve // 2 if number + 1 < len(own) else 0
        start, length = play.source - early, play.length + early + late
        yield (
            file_sha256(film / "sound" / f"{play.take}.wav"),
            start * PER_FRAME,
            (start + length) * PER_FRAME,
            (play.record - early) * PER_FRAME,
            (play.record - early + length) * PER_FRAME,
            str(play.channel + 1),
        )


def test_every_stem_is_traced_to_the_samples_of_its_originals(delivered: Delivered) -> None:
    expected = {track: set(played(delivered.film, V1, track)) for track in (BOOM_TRACK, LAV_TRACK)}
    everything = expected[BOOM_TRACK] | expected[LAV_TRACK]
    checked = set()
    for entry in delivered.list["files"]:
        if entry["role"] in ("TIMELINE", "REPORT", "CLIP"):
            continue
        prov = delivered.home.run("trace", delivered.out / entry["path"], "--json").json
        assert_whole(prov)
        found = sources(prov, entry["sha256"])
        if entry["role"] in ("PROD", "DX", "NR", "OTHER"):
            assert found == expected.get(entry["track"], everything), entry["path"]
        elif entry["role"] == "CHAR":
            assert found
            for take, start, end, at, to, channel in found:
                assert any(
                    (take, channel) == (own[0], own[5])
                    and own[3] <= at < to <= own[4]
                    and start - at == own[1] - own[3]
                    and end - start == to - at
                    for own in everything
                )
        else:
            assert {item[0] for item in found} <= {item[0] for item in everything}
        checked.add(entry["role"])
    assert checked >= {"PROD", "DX", "NR", "CHAR", "OTHER"}


def test_a_clip_is_traced_to_its_take_with_handles(delivered: Delivered) -> None:
    clips = [entry for entry in delivered.list["files"] if entry["role"] == "CLIP"]
    assert len(clips) == len(V1)
    by_event = {entry["event"]: entry for entry in clips}
    for number, play in enumerate((play for play in V1 if play.track == BOOM_TRACK), 1):
        entry = by_event[f"{BOOM_TRACK}/{number:03}"]
        prov = delivered.home.run("trace", entry["sha256"], "--json").json
        ((take, start, end, at, to, _),) = sources(prov, entry["sha256"])
        assert take == file_sha256(delivered.film / "sound" / f"{play.take}.wav")
        assert start <= play.source * PER_FRAME
        assert end >= (play.source + play.length) * PER_FRAME
        assert (at, to) == (0, end - start) == (0, entry["frames"])


def test_a_trace_names_model_parameters_machine_and_agents(delivered: Delivered) -> None:
    prov = delivered.home.run("trace", stems(delivered.out)["A1_DX.DX"], "--json").json
    kinds = {facts["prov:type"]["$"] for facts in prov["activity"].values()}
    assert kinds == {"rt:Render", "rt:Clean"}
    for facts in prov["activity"].values():
        assert facts["prov:startTime"] <= facts["prov:endTime"]
        assert facts["rt:code_version"]
        assert "Python" in facts["rt:machine"]
    cleaned = [f for f in prov["activity"].values() if f["prov:type"]["$"] == "rt:Clean"]
    assert all(facts["rt:recipe"] == "standard" and facts["rt:limit_db"] for facts in cleaned)
    (model,) = [f for f in prov["entity"].values() if f["prov:type"]["$"] == "rt:Model"]
    assert model["rt:name"] == "RNNoise"
    assert model["rt:licence"] == "BSD-3-Clause"
    assert model["rt:trained_on"]
    assert {facts["prov:type"]["$"] for facts in prov["agent"].values()} == {"prov:SoftwareAgent"}


def test_what_is_at_a_timecode_is_told(delivered: Delivered) -> None:
    stem = stems(delivered.out)["A1_DX.DX"]
    # Frame 20 of the cut is frame 14 of the first event, and so frame 34 of its take.
    prov = delivered.home.run("trace", stem, "--at", "01:00:00:20", "--json").json
    assert_whole(prov)
    ((take, start, end, at, to, channel),) = sources(prov, file_sha256(stem))
    assert take == file_sha256(delivered.film / "sound" / "1-T01.wav")
    assert (start, end) == (34 * PER_FRAME, 35 * PER_FRAME)
    assert (at, to, channel) == (20 * PER_FRAME, 21 * PER_FRAME, "1")
    told = delivered.home.run("trace", stem, "--at", "01:00:00:20").out
    assert "10:00:01:10" in told
    assert "1-T02" not in told
    both = delivered.home.run("trace", stem, "--at", "01:00:02:02", "--json").json
    assert len(sources(both, file_sha256(stem))) == 2  # in the dissolve


@pytest.mark.parametrize(
    ("place", "said"), [("02:00:00:00", "runs from 01:00:00:00"), ("soon", "is no place")]
)
def test_a_place_outside_is_refused_in_a_sentence(
    delivered: Delivered, place: str, said: str
) -> None:
    ran = delivered.home.run("trace", stems(delivered.out)["DX"], "--at", place)
    assert ran.code == 2
    assert said in ran.err


def test_what_contains_a_take_is_told_for_recalls(delivered: Delivered) -> None:
    take = delivered.film / "sound" / "1-T02.wav"
    told = delivered.home.run("trace", take, "--uses")
    assert told.code == 0, told.err
    assert f"{BOOM_TRACK}/002" in told.out
    assert f"{LAV_TRACK}/001" in told.out
    assert "v1.otio" in told.out
    for name in ("A1_DX.PROD", "A1_DX.DX", "A2_LAV.NR", "DX"):
        assert str(stems(delivered.out)[name]) in told.out
    prov = delivered.home.run("trace", take, "--uses", "--json").json
    assert_whole(prov)
    assert f"sha256:{file_sha256(stems(delivered.out)['DX'])}" in prov["entity"]
    # The boom plays no frame of this take before its 24th.
    early = delivered.home.run("trace", take, "--uses", "--at", "0.1", "--json").json
    assert f"sha256:{file_sha256(stems(delivered.out)['A1_DX.PROD'])}" not in early["entity"]


def test_who_decided_is_told(own_home: Home, delivered: Delivered, tmp_path: Path) -> None:
    cut, out = tmp_path / "v1.otio", tmp_path / "out"
    shutil.copy(delivered.film / "v1.otio", cut)
    media = ("--media", delivered.film)
    event = f"{BOOM_TRACK}/001"
    editor = Home(own_home.folder, {"LOGNAME": "Åsa Öberg"})
    ran = editor.run("override", cut, event, *media, "--amount", "3")
    assert ran.code == 0, ran.err
    ran = own_home.run("clean", cut, *media, "--out", out, "--direct")
    assert ran.code == 0, ran.err
    told = own_home.run("trace", stems(out)["A1_DX.DX"])
    assert f"decided by Åsa Öberg for {event}: at most 3 dB" in told.out
    prov = own_home.run("trace", stems(out)["A1_DX.DX"], "--json").json
    assert_whole(prov)
    assert "Åsa Öberg" in {facts["prov:label"] for facts in prov["agent"].values()}
    assert "Åsa" not in own_home.run("trace", stems(out)["A2_LAV.DX"]).out


def test_what_is_neither_file_nor_hash_is_told(delivered: Delivered) -> None:
    assert "does not exist" in delivered.home.run("trace", "nowhere.wav").err
    ran = delivered.home.run("trace", "0123456789")
    assert ran.code != 0
    assert "No asset with the sha256 0123456789" in ran.err


@pytest.mark.shared
def test_every_stem_of_a_real_production_is_traced_as_its_truth_says(
    bypassed: Delivered,
) -> None:
    home, out = bypassed.home, bypassed.out
    expected = {track: set(ranges) for track, ranges in played_by_truth(bypassed.film).items()}
    everything = set().union(*expected.values())
    roles = ("PROD", "DX", "NR", "OTHER")
    for entry in (entry for entry in bypassed.list["files"] if entry["role"] in roles):
        prov = home.run("trace", out / entry["path"], "--json").json
        assert_whole(prov)
        wanted = expected[entry["track"]] if entry["track"] else everything
        assert sources(prov, entry["sha256"]) == wanted, entry["path"]
