"""What a night costs over its bare work: processor time of one process, takes in turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from adapters.media.probe import probe
from bench.day import TAKE_S, channels_of, make_day
from bench.scratch import scratch_folder, weights_root, workspace
from bench.table import MISSING, Table, figures, ratio, where
from config.recipes import load_recipe
from flows.daily_takes import microphones
from flows.demo import build_production
from flows.job import Engines, choose_engines
from flows.listen import listen_take
from flows.nightly import run_night
from flows.progress import Silent
from flows.runner import InTurn
from flows.takes import clean_take
from flows.transcribe import cleaned_sound
from flows.turnover import hash_media
from flows.workspace import Workspace


def bench_nightly(production: Path | None, weights: Path | None, minutes: int) -> Table:
    """The table of a night over a day of dailies that is made of a production's sound.

    production: a folder with `sound/*.wav`, or None for the demo production. weights: as in
    `weights_root`. minutes: of the day, a take a minute, a checksum list a roll.
    """
    here = where()
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        folder = production or build_production(scratch / "demo")
        sounds = sorted((folder / "sound").glob("*.wav"))
        day = make_day(scratch / "day", sounds, minutes)
        # Setups that fail are work that is done twice, whoever does it: here none is.
        once = scratch / "once.toml"
        once.write_text('gentler = ""\n', encoding="utf-8")
        with workspace(scratch / "warm", root, recipe=str(once)) as work:
            _bare(work, day[:1])  # the first take of a process loads libraries
        with workspace(scratch / "bare", root, recipe=str(once)) as work:
            cleaning, listening = _bare(work, day)
            words = _engines(work).recogniser.label
        settings = {
            "watched": (scratch / "day",),
            "nightly_settle_s": 0.0,
            "recipe": str(once),
        }
        spent = []
        for _ in range(2):
            with workspace(scratch / "home", root, **settings) as work:
                started = time.process_time()
                done = run_night(work, Silent(), run=InTurn())
                spent.append(time.process_time() - started)
        night = done.night
    assert night.known == len(day), night
    bare = cleaning + listening
    audio = float(TAKE_S * minutes)
    rows = [
        ("bare", "cleaning", figures(audio), figures(cleaning), ratio(cleaning, bare)),
        ("bare", "listening", figures(audio), figures(listening), ratio(listening, bare)),
        ("night", "all of it", figures(audio), figures(spent[0]), ratio(spent[0], bare)),
        ("night", "machinery", MISSING, figures(spent[0] - bare), ratio(spent[0] - bare, bare)),
        ("next night", "all of it", MISSING, figures(spent[1]), ratio(spent[1], bare)),
    ]
    return Table(
        title=f"A night: {minutes} minutes of dailies from {folder.name if production else 'demo'}",
        columns=("run", "step", "sound s", "processor s", "ratio to bare"),
        rows=tuple(rows),
        notes=(
            f"{len(day)} takes, {channels_of(sounds)} microphones each; {words or 'no words'}.",
            "Machinery: looks, checksums, hashes, keys, setups, speakers, events, index, report.",
            here,
        ),
    )


def _engines(work: Workspace) -> Engines:
    return choose_engines(work, load_recipe(work.settings.recipe))


def _bare(work: Workspace, paths: Sequence[Path]) -> tuple[float, float]:
    """Processor seconds of cleaning every microphone of files, and of listening to them."""
    engines, recipe = _engines(work), load_recipe(work.settings.recipe)
    cleaning = listening = 0.0
    for path in paths:
        media = hash_media(work, probe(path))
        started = time.process_time()
        cleaned = [
            clean_take(work, take, media, recipe, engines.denoiser) for take in microphones(media)
        ]
        between = time.process_time()
        again = cleaned_sound(work, media, cleaned)
        listen_take(work, media, engines.recogniser, again)
        cleaning += between - started
        listening += time.process_time() - between
    return cleaning, listening
