"""Make a cleaned take of the store again, from the original that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from adapters.media.essence import file_sha256
from config.recipes import GateLimits, Recipe
from core.errors import InputError
from core.media import MediaFile
from core.plan import Take
from db.mend import made_by_key, media_with
from db.tables import Activity
from flows.engines import DEEPFILTERNET, RNNOISE, DenoiserChoice, rnnoise_weights
from flows.takes import clean_take, take_key
from flows.workspace import Workspace

_CHANNELS = TypeAdapter(tuple[int, ...])
_LIMITS = TypeAdapter(GateLimits)


@dataclass(frozen=True)
class Remaking:
    """How a cleaned take can be made again. sha256: of what it was."""

    key: str
    take: Take
    media: MediaFile
    recipe: Recipe
    choice: DenoiserChoice
    sha256: str


def remaking(work: Workspace, key: str) -> Remaking | str:
    """How the take of that key can be made again; else why it can't, a clause."""
    with work.database.read() as session:
        found = made_by_key(session, key)
        if found is None:
            return "nothing says how it was made"
        made, used, result = found
        originals = media_with(session, used)
    media = next((item for item in originals if _is(item, used)), None)
    if media is None:
        names = ", ".join(sorted({item.path.name for item in originals})) or used[:12]
        return f"its original ({names}) is not there with the same bytes"
    try:
        recipe = _recipe(made)
        take = Take(media.essence, _CHANNELS.validate_python(made.parameters["channels"]))
    except (KeyError, TypeError, ValidationError):
        return "how it was made is noted as another version of roomtone did"
    for choice in _choices(work, made):
        if take_key(take, media, recipe, choice) == key:
            return Remaking(key, take, media, recipe, choice, result)
    return "the engine, weights or version that made it are not those of now"


def remake(work: Workspace, how: Remaking) -> bool:
    """Make it; whether it has the very bytes that it had. Raises what `clean_take` does."""
    done = clean_take(work, how.take, how.media, how.recipe, how.choice)
    return done.sha256 == how.sha256


def _is(media: MediaFile, sha256: str) -> bool:
    """Whether a file still has these bytes."""
    try:
        return media.path.is_file() and file_sha256(media.path) == sha256
    except InputError:
        return False


def _recipe(made: Activity) -> Recipe:
    """The recipe as far as it shaped the sound, from what was noted of the work."""
    told = made.parameters
    room = told.get("room")
    return Recipe(
        name=str(told["recipe"]),
        limit_db=told["limit_db"],
        target_level_dbfs=told["target_level_dbfs"],
        gentler="",
        limits=_LIMITS.validate_python(told["limits"]),
        repair=bool(told["repair"]),
        adaptive=told["adaptive"],
        two_pass=told["two_pass"],
        room_db=float(room["amount_db"]) if room else 0.0,
    )


def _choices(work: Workspace, made: Activity) -> Iterator[DenoiserChoice]:
    """The engines that are here."""
    stand_in = bool((made.card or {}).get("stand_in"))
    yield DenoiserChoice(RNNOISE, rnnoise_weights(), stand_in, "")
    if DEEPFILTERNET in {item.name for item in work.weights.installed()}:
        yield DenoiserChoice(DEEPFILTERNET, work.weights.sha256(DEEPFILTERNET), stand_in, "")
