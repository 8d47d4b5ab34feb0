"""Where the samples of a delivery come from by its own trace, against a production's truth."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import soundfile as sf

from adapters.media.essence import file_sha256
from bench.command import Ran, run_here, variables_of
from bench.scratch import scratch_folder, weights_root
from bench.table import Table, where

Range = tuple[str, int, int, int, int, str]
"""sha256 of an original, its samples, the made file's samples, and the channel counted from 1."""

CUT = "cut_v1"
_PER_FRAME = 2002  # samples a frame: 48000 x 1001 / 24000
_EXACT = ("PROD", "DX", "NR", "OTHER")


def sources(prov: Mapping[str, Any], entity: str) -> set[Range]:
    """What a PROV-JSON document says of where an entity comes from, of originals alone."""
    kinds = {name: facts["prov:type"]["$"] for name, facts in prov["entity"].items()}
    return {
        (
            item["prov:usedEntity"].removeprefix("sha256:"),
            item["rt:start_sample"],
            item["rt:end_sample"],
            item["rt:made_start_sample"],
            item["rt:made_end_sample"],
            item["rt:channels"],
        )
        for item in prov["wasDerivedFrom"].values()
        if item["prov:generatedEntity"] == f"sha256:{entity}"
        and kinds[item["prov:usedEntity"]] == "rt:Original"
    }


def dangling(prov: Mapping[str, Any]) -> list[str]:
    """Names that a relation of a PROV-JSON document uses and nothing declares."""
    declared = {*prov["entity"], *prov["activity"], *prov["agent"]}
    return [
        value
        for kind, relations in prov.items()
        if kind not in ("prefix", "entity", "activity", "agent")
        for facts in relations.values()
        for key, value in facts.items()
        if key.startswith("prov:") and key not in ("prov:role", "prov:type", "prov:time")
        if value not in declared
    ]


def played(production: Path, *, faded: bool = True) -> dict[str, list[Range]]:
    """What each track of the production's first cut plays by its truth, in order of the record.

    faded: with the samples of dissolves that a clip is heard in before and after its own.
    """
    truth = json.loads((production / "truth" / f"{CUT}.json").read_text("utf-8"))["events"]
    dissolves = [event for event in truth if faded and event.get("dissolve_in")]
    found: dict[str, list[Range]] = defaultdict(list)
    for event in sorted(truth, key=lambda item: item["record_start_sample"]):
        start, at, to = (
            event[key] for key in ("source_in_sample", "record_start_sample", "record_end_sample")
        )
        end = start + to - at
        for other in dissolves:
            half = other["dissolve_in"] * _PER_FRAME
            if other["track"] == event["track"] and other["record_start_sample"] == to:
                end, to = end + half, to + half
            if other is event:
                start, at = start - half, at - half
        name = file_sha256(production / "sound" / f"{event['take']}.wav")
        found[event["track"]].append((name, start, end, at, to, str(event["channel"])))
    return dict(found)


def bench_traced(production: Path, weights: Path | None) -> Table:
    """Clean the production's first cut, and ask for the origin of every file of its delivery.

    production: with `cuts`, `sound` and `truth`. weights: as in `weights_root`.
    """
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        own = {
            **variables_of(scratch / "home"),
            "ROOMTONE_DENOISER": "deepfilternet3",
            "ROOMTONE_RECOGNISER": "none",
        }
        (scratch / "home").mkdir()
        (scratch / "home" / "weights").symlink_to(root)
        cut, out = production / "cuts" / f"{CUT}.otio", scratch / "out"
        words = ("clean", cut, "--media", production / "sound", "--out", out, "--direct", "--json")
        _ended(run_here(words, own))
        listed = json.loads((out / "delivery.json").read_text("utf-8"))["files"]
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        wrong: list[str] = []
        models: set[str] = set()
        held = _Held(production)
        for entry in listed:
            if entry["role"] in ("TIMELINE", "REPORT", "TRANSCRIPT"):
                continue
            prov = json.loads(_ended(run_here(("trace", out / entry["path"], "--json"), own)).out)
            found = sources(prov, entry["sha256"])
            complaints = [
                *held.wrong(entry, found),
                *map("{} is not declared".format, dangling(prov)),
            ]
            row = counts[entry["role"]]
            row[0] += 1
            row[1] += len(found)
            row[2] += not complaints
            row[3] += len(prov["entity"])
            wrong += [f"{entry['path']}: {text}" for text in complaints]
            models |= {
                facts["prov:label"]
                for facts in prov["entity"].values()
                if facts["prov:type"]["$"] == "rt:Model" and "prov:label" in facts
            }
    rows = tuple((role, *map(str, row)) for role, row in sorted(counts.items()))
    notes = (
        "Right: PROD, DX, NR, OTHER have exactly the stretches of the truth, dissolves in them; "
        "CHAR lies in them, aligned; CLIP is one stretch that covers its event's; RT and others "
        "lie inside originals that the cut plays. No relation names what is not declared.",
        f"Models named: {', '.join(sorted(models)) or 'none'}.",
        *wrong,
        where(),
    )
    return Table(
        f"Traced: {production.name}/{CUT}",
        ("role", "files", "stretches", "right", "entities"),
        rows,
        notes,
    )


class _Held:
    """Holds what a trace says against the truth."""

    def __init__(self, production: Path) -> None:
        self._tracks = {track: set(ranges) for track, ranges in played(production).items()}
        self._bare = played(production, faded=False)
        self._all = set().union(*self._tracks.values())
        self._lengths = {
            file_sha256(path): sf.info(str(path)).frames
            for path in sorted((production / "sound").glob("*.wav"))
        }

    def wrong(self, entry: Mapping[str, Any], found: set[Range]) -> Iterator[str]:
        """What is wrong with the origin of a listed file."""
        role = entry["role"]
        if not found:
            yield "it comes from nowhere"
        if role in _EXACT:
            wanted = self._tracks[entry["track"]] if entry["track"] else self._all
            if found != wanted:
                yield f"{len(found ^ wanted)} stretches differ from the truth"
        elif role == "CLIP":
            track, _, number = entry["event"].rpartition("/")
            yield from self._clip(found, self._bare[track][int(number) - 1])
        elif role == "CHAR":
            yield from (f"{one} is not played there" for one in found if not self._inside(one))
        else:
            played_files = {one[0] for one in self._all}
            for name, start, end, *_ in found:
                if name not in played_files or not 0 <= start < end <= self._lengths[name]:
                    yield f"{start} to {end} of {name[:12]} is in nothing that the cut plays"

    def _clip(self, found: set[Range], event: Range) -> Iterator[str]:
        if len(found) != 1:
            yield f"{len(found)} stretches instead of one"
            return
        ((name, start, end, at, to, channel),) = found
        if (name, channel) != (event[0], event[5]):
            yield "it is another take or channel"
        if not (start <= event[1] < event[2] <= end and (at, to) == (0, end - start)):
            yield f"{start} to {end} does not cover {event[1]} to {event[2]}"

    def _inside(self, one: Range) -> bool:
        name, start, end, at, to, channel = one
        return any(
            (name, channel) == (own[0], own[5])
            and own[3] <= at < to <= own[4]
            and start - at == own[1] - own[3]
            and end - start == to - at
            for own in self._all
        )


def _ended(ran: Ran) -> Ran:
    if ran.code:
        raise RuntimeError(ran.err)
    return ran
