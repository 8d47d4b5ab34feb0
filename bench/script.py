"""Scripts against takes: how many lines get the right take and state, and how long it takes."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from statistics import mean

from bench.scripted import Say, Scene, case_of, film, scenes_of_truth, score, written_lines
from bench.table import Table, figures, where
from core.phones import Phones
from core.script_align import read_take
from core.script_index import index_of
from models.speech.pronunciation import English, english_dictionary

_EDITS = 0.2
_ERRORS = 0.3


def bench_script(production: Path, seeds: int) -> Table:
    """The table of a production with `truth/takes.json` and of synthetic films.

    seeds: scripts and transcripts that are drawn for each row.
    """
    truth = production / "truth" / "takes.json"
    rows = []
    ways = {"rules": _say({}), "dictionary": _say(dict(english_dictionary()))}
    for name, say in ways.items():
        if truth.is_file():
            scenes = scenes_of_truth(json.loads(truth.read_text("utf-8")))
            rows.append(_row(production.name, [scenes] * seeds, name, say))
        rows.append(_row("film of like lines", [film(k, 20, 12) for k in range(3)], name, say))
    notes = (
        f"Scripts differ from what is said in {100 * _EDITS:.0f} % of their lines (changed, "
        f"moved, dropped, repeated, ad-lib); {100 * _ERRORS:.0f} % of the words are misheard.",
        _speed(ways["dictionary"]),
        where(),
    )
    columns = ("Production", "Pronunciation", "Seeds", "Lines right, mean %", "Lowest %")
    return Table("Script", columns, tuple(rows), notes)


def _row(name: str, productions: list[tuple[Scene, ...]], way: str, say: Say) -> tuple[str, ...]:
    shares = [
        score(case_of(scenes, say, 100 + seed, _EDITS, _ERRORS), say).share
        for seed, scenes in enumerate(productions)
    ]
    return (
        name,
        way,
        str(len(shares)),
        figures(100 * mean(shares)),
        figures(100 * min(shares)),
    )


def _speed(say: Say) -> str:
    case = case_of(film(7, 50, 60), say, 1, _EDITS, _ERRORS)
    index = index_of(written_lines(case.script, say))
    start = time.process_time()
    for take in case.takes:
        read_take(index, take)
    took = time.process_time() - start
    words = sum(len(take.words) for take in case.takes)
    return (
        f"{len(index.lines)} script lines against {len(case.takes)} takes of {words} words: "
        f"{took:.0f} s of one core."
    )


def _say(dictionary: dict[str, tuple[Phones, ...]]) -> Say:
    known = English(dictionary)
    return cache(lambda word: known.phones(word)[0])
