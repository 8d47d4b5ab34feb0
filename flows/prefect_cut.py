"""A cut that a Prefect server was asked to have cleaned: by its page, its REST API or an event.

`flows.prefect_clean` has the job itself; this is what a deployment is made of: parameters that a
person can type, and all else from the settings of the machine that works.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow

from config.settings import load_settings
from core.run import Wanted
from flows.handed import watcher
from flows.jobs import CUT, job_of_cut, told_of_cut
from flows.own_run import as_run
from flows.prefect_clean import run
from flows.progress import Progress
from flows.run_inputs import clean_cut_wanted


@flow(name="cut", persist_result=False)
def cut_flow(
    cut: str,
    media: list[str] | None = None,
    out: str = "",
    recipe: str = "",
    loudness: str = "",
) -> dict[str, Any]:
    """Clean a cut, on the machine that takes this run.

    cut: its path there. media: folders that hold its media; none: those of the settings. out: the
    folder of the delivery; empty: as the setting `deliveries` says, or beside the cut. recipe,
    loudness: by name; empty: as the settings say. Every secret is read from the settings of the
    machine that works. Gives what came of it, and notes it as a run of roomtone.
    """
    own = {name: text for name, text in (("recipe", recipe), ("loudness", loudness)) if text}
    roots = tuple(map(Path, media or ()))
    settings, _ = load_settings({**own, "media": roots or None}, Path.cwd())
    chosen = clean_cut_wanted(settings, Path(cut), own)
    wanted = Wanted(chosen.inputs, roots, Path(out) if out else chosen.out, own)
    job = job_of_cut(settings, wanted)

    def clean(progress: Progress) -> dict[str, Any]:
        return vars(run(job, settings, settings.recipe, progress))

    done = as_run(settings, CUT, wanted, watcher(), clean, told_of_cut)
    return dict(told_of_cut(done))
