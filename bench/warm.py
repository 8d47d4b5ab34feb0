"""Imported once by the process that others are forked from: does a job, so that all is loaded."""

from __future__ import annotations

from bench.killed_child import settings_of
from bench.scratch import scratch_folder
from bench.small_film import build_small_film
from config.deliveries import load_delivery
from config.recipes import load_recipe
from flows.clean_cut import clean_cut
from flows.job import Job
from flows.progress import Silent
from flows.runner import InTurn
from flows.workspace import open_workspace

with scratch_folder() as _folder:
    _film = build_small_film(_folder / "film")
    _job = Job(
        _film / "v1.otio",
        (_film,),
        _folder / "out",
        load_recipe("standard"),
        load_delivery("none"),
    )
    with open_workspace(settings_of(_folder / "home", "")) as _work:
        clean_cut(_work, _job, Silent(), InTurn())
