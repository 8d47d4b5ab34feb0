"""One take of a night: cleaned and listened to whole, wherever that is done."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from adapters.manifests.manifest import Listed
from adapters.manifests.verify import disagreement
from config.recipes import Recipe
from core.dailies import Daily
from core.errors import InputError, OutputError
from core.media import MediaFile
from core.plan import Take
from db.forget import is_forgotten
from flows.job import Engines
from flows.listen import Heard, listen_take, recall_lines
from flows.night import Clock, Fault
from flows.room import room_for_take
from flows.setups import Setups
from flows.takes import CleanedTake, clean_take, microphone_groups, recipe_for
from flows.transcribe import cleaned_sound
from flows.turnover import hash_media
from flows.workspace import Workspace

STEP = "Cleaning and listening to takes"
KNOWN = "Looking at what was done"
GENTLY = "Cleaning setups gently"
HEARD = "heard"


@dataclass(frozen=True)
class DailyTake:
    """A take to be worked on.

    listed: what manifests say of its file, each with the manifest. since: when it was first seen.
    """

    daily: Daily
    listed: tuple[tuple[Path, Listed], ...]
    since: datetime


@dataclass(frozen=True)
class Done:
    """A take that is cleaned and was listened to, now or before.

    did: what of it was done now: microphones' take ids, and `heard`.
    """

    daily: Daily
    cleaned: tuple[CleanedTake, ...]
    heard: Heard
    did: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Left:
    """A take that the window left no time for, or the store no room. full: that, a sentence."""

    daily: Daily
    full: str = ""


@dataclass(frozen=True)
class Failed:
    """A take that can't be worked with. trace: of a fault of roomtone itself, else empty."""

    fault: Fault
    trace: str = ""


@dataclass(frozen=True)
class Forgotten:
    """A take that is not to be learned again."""

    daily: Daily


Result = Done | Left | Failed | Forgotten


@dataclass
class Full:
    """Why no more can be stored, a sentence, or empty: for the takes that come then."""

    why: str = ""


@dataclass(frozen=True)
class DailyTakes:
    """How a night works on a take; it may be sent to another process.

    recipe: of the night. until: no take is begun from then on, or None.
    """

    work: Workspace
    recipe: Recipe
    until: datetime | None
    engines: Engines
    clock: Clock
    full: Full = field(default_factory=Full)

    def take(self, piece: DailyTake) -> Result:
        """Clean and listen to a take, unless the window is over; whatever goes wrong is told."""
        daily = piece.daily
        try:
            return self._take(piece)
        except InputError as fault:
            return Failed(_fault(piece, str(fault)))
        except OutputError as fault:
            return Left(daily, str(fault))
        except Exception as fault:
            # Whatever goes wrong with one take, the night goes on with the others.
            first = str(fault).partition("\n")[0]
            reason = f"An internal fault ({type(fault).__name__}: {first}) stopped the work on it."
            return Failed(_fault(piece, reason), traceback.format_exc())

    def _take(self, piece: DailyTake) -> Result:
        media = piece.daily.media
        if self._over():
            return Left(piece.daily)
        wrong = disagreement(media.path, piece.listed)
        if wrong:
            return Failed(_fault(piece, wrong))
        media = hash_media(self.work, media)
        daily = replace(piece.daily, media=media)
        if self.is_forgotten(media):
            return Forgotten(daily)
        setups = self._setups(media)
        cleaned = tuple(self._cleaned(take, media, setups) for take in microphones(media))
        heard = self._heard(media, cleaned)
        did = {item.take.id for item in cleaned if item.cleaned_now}
        return Done(daily, cleaned, heard, frozenset(did | ({HEARD} if heard.heard_now else set())))

    def recalled(self, daily: Daily) -> Done | None:
        """A take that is done under the keys of now, or None."""
        media = daily.media
        setups, cleaned = self._setups(media), []
        for take in microphones(media):
            found = setups.recall(take, media)
            if found is None:
                return None
            cleaned.append(found)
        heard = self._recall_heard(media, cleaned)
        return None if heard is None else Done(daily, tuple(cleaned), heard)

    def is_forgotten(self, media: MediaFile) -> bool:
        """Whether a take is not to be learned again."""
        with self.work.database.read() as session:
            return is_forgotten(session, media.essence)

    def fitting(self, media: MediaFile) -> Recipe:
        """What a take is cleaned with alone."""
        return recipe_for(self.work, media, self.recipe)

    def _over(self) -> bool:
        if self.full.why:
            return True
        return self.until is not None and self.clock.now() >= self.until

    def _setups(self, media: MediaFile) -> Setups:
        """What is in force for each microphone of a file."""
        fitting = self.fitting(media)
        takes = [(take, media, fitting) for take in microphones(media)]
        return Setups(self.work, self.recipe, self.engines.denoiser, takes)

    def _recall_heard(self, media: MediaFile, cleaned: Sequence[CleanedTake]) -> Heard | None:
        again = cleaned_sound(self.work, media, cleaned)
        return recall_lines(self.work, media, self.engines.recogniser, again)

    def _cleaned(self, take: Take, media: MediaFile, setups: Setups) -> CleanedTake:
        found = setups.recall(take, media)
        if found is not None:
            return found
        room_for_take(self.work, take, media)
        return clean_take(self.work, take, media, setups.recipe_of(take), self.engines.denoiser)

    def _heard(self, media: MediaFile, cleaned: Sequence[CleanedTake]) -> Heard:
        found = self._recall_heard(media, cleaned)
        if found is not None:
            return found
        again = cleaned_sound(self.work, media, cleaned)
        return listen_take(self.work, media, self.engines.recogniser, again)


def microphones(media: MediaFile) -> tuple[Take, ...]:
    """The takes that a hashed file is cleaned as: one a microphone.

    A cut plays microphones, so what is cleaned overnight has the keys that its takes will have.
    """
    groups = microphone_groups(media, range(media.channels))
    return tuple(Take(media.essence, group) for group in groups)


def _fault(piece: DailyTake, reason: str) -> Fault:
    return Fault(piece.daily.media.path, reason, piece.since)
