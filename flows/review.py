"""A person decides for a setup that the gates sent to them; the next run obeys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session

from config.recipes import load_recipe
from core.errors import InputError, UsageError
from core.review import Review, ReviewedTake, ReviewKind, ReviewState
from core.words import some
from db.codec import JSON, cleaned
from db.memory import media_by_essence
from db.provenance import Use, record
from db.review import remember_review, undo_review
from flows.review_queue import ReviewItem, ReviewTake, item_numbered
from flows.workspace import Workspace, activity

MOST_LETTERS = 2000
LEAST_DB = 1.0


def decide_review(
    work: Workspace,
    number: int,
    kind: ReviewKind,
    by: str,
    *,
    takes: Sequence[str] = (),
    amount_db: float | None = None,
    text: str = "",
) -> ReviewItem:
    """Remember a decision or comment for a setup; the setup as it stands then.

    number: of the setup. takes: names or ids of takes that it is about alone. amount_db: for
    `gentler`, the most that is attenuated; without it the setup gets its gentler recipe, or where
    it has that, half of what is attenuated at most. text: why, or the comment. by: who says so.

    Raises InputError for a setup or take that is not in the queue and for a lock on a sound that is
    not in the store, UsageError for what can't be decided: an approval where nothing is held back
    or another decision was not obeyed yet, an amount that is not gentler, an empty comment.
    """
    started = datetime.now(UTC)
    item = item_known(work, number)
    words = cleaned(text)
    if len(words) > MOST_LETTERS:
        raise UsageError(f"A note has at most {MOST_LETTERS} characters; this has {len(words)}.")
    if kind is ReviewKind.COMMENT and not words:
        raise UsageError("Say something; a comment can't be empty.")
    if amount_db is not None and kind is not ReviewKind.GENTLER:
        raise UsageError("An amount in dB goes with gentler only.")
    chosen = _chosen(item, takes)
    review = Review(0, number, kind, "", None, words, by, "", whole=not takes)
    match kind:
        case ReviewKind.APPROVE:
            chosen = _approvable(item, chosen)
        case ReviewKind.GENTLER:
            recipe, amount = _gentler(item, chosen, amount_db)
            review = replace(review, recipe=recipe, amount_db=amount)
        case ReviewKind.BYPASS:
            review = replace(review, recipe="bypass")
        case ReviewKind.LOCK:
            _check_stored(work, chosen)
        case ReviewKind.COMMENT:
            pass
    named = tuple(
        ReviewedTake(one.judged.essence, one.judged.channels, one.judged.key) for one in chosen
    )
    with work.database.write() as session:
        made = remember_review(session, replace(review, takes=named))
        told: dict[str, JSON] = {"review": made.number, "what": kind.value}
        _record(session, item, chosen, started, by, told)
    return item_known(work, number)


def undo_decision(work: Workspace, number: int, by: str, review: int | None = None) -> ReviewItem:
    """Take back a decision or comment for a setup, the latest one unless its number is given.

    Raises InputError where there is no such setup, or nothing to take back.
    """
    started = datetime.now(UTC)
    item = item_known(work, number)
    standing = [one for one in item.reviews if one.in_force and review in (None, one.number)]
    if not standing:
        raise InputError(f"There is nothing to take back for {item.setup.name}.")
    undone = standing[-1]
    named = {(one.essence, one.channels) for one in undone.takes}
    about = [t for t in item.takes if (t.judged.essence, t.judged.channels) in named]
    with work.database.write() as session:
        undo_review(session, undone.number, by)
        _record(session, item, about, started, by, {"undone": undone.number})
    return item_known(work, number)


def gentler_offer(item: ReviewItem) -> tuple[str, float | None]:
    """What `gentler` without an amount would give the setup: a recipe, or its limit in dB.

    Both empty where an amount must be said or nothing is gentler.
    """
    try:
        recipe, amount = _gentler(item, item.takes, None)
    except UsageError:
        return "", None
    return ("", amount) if amount is not None else (Path(recipe).stem, None)


def item_known(work: Workspace, number: int) -> ReviewItem:
    """A setup by its number. Raises InputError where there is none of that number."""
    found = item_numbered(work, number)
    if found is None or not found.takes:
        raise InputError(f"There is no setup {number} in the queue; roomtone review lists them.")
    return found


def _chosen(item: ReviewItem, names: Sequence[str]) -> tuple[ReviewTake, ...]:
    """The takes of a setup by name, or by the sha256 of their sound; all where none is named."""
    if not names:
        return item.takes
    asked = {name.casefold() for name in names}
    there = {text for take in item.takes for text in _names(take)}
    missing = [name for name in names if name.casefold() not in there]
    if missing:
        known = some([take.take.name for take in item.takes], 9)
        raise InputError(f"{item.setup.name} has no take {missing[0]!r}; it has {known}.")
    return tuple(take for take in item.takes if asked & _names(take))


def _names(take: ReviewTake) -> set[str]:
    return {take.take.name.casefold(), take.judged.essence}


def _approvable(item: ReviewItem, takes: Sequence[ReviewTake]) -> tuple[ReviewTake, ...]:
    """Those of the takes that a gate holds back."""
    for take in takes:
        if take.state is ReviewState.DECIDED and take.ruled is not None:
            raise UsageError(
                f"{take.take.name} is cleaned anew at the next run ({take.ruled.words}), so there "
                "is nothing to approve yet; run roomtone clean, or undo that."
            )
        if take.state is ReviewState.DECIDED:
            raise UsageError(
                f"{take.take.name} is cleaned anew at the next run, since a decision was taken "
                "back; run roomtone clean, then approve what it gives."
            )
    held = tuple(take for take in takes if take.held)
    if not held:
        raise UsageError(f"No gate holds a take of {item.setup.name} back; nothing to approve.")
    return held


def _gentler(
    item: ReviewItem, takes: Sequence[ReviewTake], amount_db: float | None
) -> tuple[str, float | None]:
    """The recipe to clean with, and the most that it attenuates where that is another than its own.

    Measured by the take that is cleaned most.
    """
    most = max(takes, key=lambda take: _in_force(take)[1])
    recipe, limit, gentler = _in_force(most)
    if amount_db is None and gentler:
        return gentler, None
    if amount_db is None and limit == float("inf"):
        raise UsageError(
            f"{item.setup.name} is cleaned without a limit; say --amount in dB, 12 for example."
        )
    amount = round(limit / 2, 1) if amount_db is None else amount_db
    if amount >= limit:
        raise UsageError(
            f"{item.setup.name} is turned down by at most {limit:g} dB already; {amount:g} dB is "
            "not gentler."
        )
    if amount < LEAST_DB:
        raise UsageError(
            f"Less than {LEAST_DB:g} dB would not be heard; leave {item.setup.name} as recorded "
            "(bypass)."
        )
    return recipe, amount


def _in_force(take: ReviewTake) -> tuple[str, float, str]:
    """Recipe, its limit in dB and a gentler one, as the next run would have them for a take."""
    judged, ruled = take.judged, take.ruled
    if ruled is None or ruled.kind is ReviewKind.LOCK or ruled.number == judged.review:
        limit = float("inf") if judged.limit_db is None else judged.limit_db
        return judged.recipe, limit, judged.gentler
    own = load_recipe(ruled.recipe).limit_db if ruled.amount_db is None else ruled.amount_db
    return ruled.recipe, float("inf") if own is None else own, ""


def _check_stored(work: Workspace, takes: Sequence[ReviewTake]) -> None:
    """Raises InputError where the store has not the sound that is to be kept."""
    for take in takes:
        if work.store.look(work.store.place(take.judged.key)) is None:
            raise InputError(
                f"The cleaned sound of {take.take.name} is not in the store any more, so there is "
                "nothing to lock; run roomtone clean first."
            )


def _record(
    session: Session,
    item: ReviewItem,
    takes: Sequence[ReviewTake],
    started: datetime,
    by: str,
    told: dict[str, JSON],
) -> None:
    """Record who decided what for which takes; a note's words are not repeated there."""
    names: list[JSON] = [take.take.name for take in takes]
    done = activity(
        "review", uuid4().hex, started, {"setup": item.setup.name, "takes": names, **told}
    )
    media = media_by_essence(session, {take.judged.essence for take in takes})
    used = [Use(one.sha256, "original") for _, one in sorted(media.items()) if one.sha256]
    record(session, replace(done, agent=by), used=used, generated=[])
