"""A known cut cleaned once more, as it was asked for the last time."""

from __future__ import annotations

from pathlib import Path

from adapters.timelines.read import timeline_file
from core.errors import OfflineError
from core.run import Run, Wanted
from db.cuts import CutSummary, Delivery
from db.memory import paths_of, recall_cut
from db.runs import latest_run_into
from flows.cut_changes import timeline_sha256
from flows.cut_view import cut_known, latest_delivery
from flows.jobs import CUT
from flows.runs import ask_for_run
from flows.workspace import Workspace


def clean_again(work: Workspace, digest: str, by: str) -> Run:
    """Ask for a run that cleans a cut into the folder of its latest delivery.

    It has the media folders and settings of the run that made that, as far as one is remembered;
    else those of the media that were linked, and the recipe and specification of the delivery.
    What people decided since is obeyed, and what is done stays done. by: who asks. Raises
    InputError for a cut that is not known, OfflineError where its timeline or its delivery is not
    where it was.
    """
    known = cut_known(work, digest)
    if timeline_sha256(known.path) != known.digest:
        raise OfflineError(
            f"{timeline_file(known.path).name} is not where it was read, or has changed since; "
            "put it back, or clean the new version."
        )
    delivery, delivered = latest_delivery(work, digest)
    with work.database.read() as session:
        last = latest_run_into(session, CUT, delivery.folder)
    if last is not None and last.wanted.inputs == (known.path,):
        return ask_for_run(work, CUT, last.wanted, by)
    settings = {"recipe": delivered.recipe, "loudness": delivery.spec}
    return ask_for_run(work, CUT, _wanted(work, known, delivery, settings), by)


def _wanted(
    work: Workspace, known: CutSummary, delivery: Delivery, settings: dict[str, str]
) -> Wanted:
    """The same with the folders that the cut's media were found in."""
    folders: dict[Path, None] = {}
    with work.database.read() as session:
        cut = recall_cut(session, known.digest)
        for asset in dict.fromkeys(e.asset for e in (cut.events if cut is not None else ())):
            for path in paths_of(session, asset)[:1] if asset else ():
                folders.setdefault(path.parent)
    media = () if work.settings.media else tuple(folders)
    own = {name: value for name, value in settings.items() if value}
    return Wanted((known.path,), media, delivery.folder, own)
