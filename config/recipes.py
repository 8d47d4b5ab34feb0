"""Cleaning recipes: how much noise to take, and what the cleaning may cost."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

from config.finishing import Finishing, parse_finishing
from config.toml_file import read_table
from core.errors import UsageError

Retimed = Literal["silence", "original"]
UNFINISHED = Finishing()
RETIMED: tuple[Retimed, ...] = ("silence", "original")

FOLDER = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class GateLimits:
    """What a cleaned channel may have lost or gained before a person has to look at it.

    lag_samples, length_samples, clipped_samples: samples, normally 0.
    level_change_db: of the speech, either way. sibilant_loss_db: 4-10 kHz where there are
    sibilants. air_loss_db: 8-20 kHz in speech. over_suppressed: share (0 to 1) of the cells, in
    time and frequency, 25 dB above the noise of the pauses that came out more than 10 dB lower
    (a burst of noise between the words counts as well, so this is generous). musical_noise:
    natural logarithm of the kurtosis ratio in the pauses. noise_added_db: by which the pauses
    may be louder than before. breath_loss_db: of breaths and other short sounds beside the
    words. warble_db: flutter of the gain in clear speech, RMS. range_change_lu: of the loudness
    range of the speech, either way. correlation_lost (0 to 2), mono_change_db: between the
    channels of a group. Lower is stricter throughout.
    """

    lag_samples: int = 0
    length_samples: int = 0
    clipped_samples: int = 0
    level_change_db: float = 1.0
    sibilant_loss_db: float = 3.0
    air_loss_db: float = 4.0
    over_suppressed: float = 0.2
    musical_noise: float = 1.0
    noise_added_db: float = 0.5
    breath_loss_db: float = 13.0
    warble_db: float = 2.0
    range_change_lu: float = 2.0
    correlation_lost: float = 0.1
    mono_change_db: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """How a take is cleaned.

    name: as asked for. repair: whether clicks, clipping, hum and DC are mended first, each only
    where it is detected. limit_db: the most any sound is attenuated in dB; None takes all that
    the engine can, 0 takes nothing. target_level_dbfs: active speech level at which the
    engine hears the take. gentler: name of the recipe that is tried where a gate fails, or
    empty. limits: of the gates. retimed: what the stems have of a clip that runs backwards,
    freezes or changes its speed: silence, or the original at its own speed. adaptive: whether the
    limit is reached in strong noise only, and sibilants, air, weak noise, doors and steps lose
    less; else all that the engine takes for noise goes down alike. two_pass: whether the engine
    hears the take twice, the second time with half of the limit taken already. room_db: the
    most by which late reverberation is turned down; 0 leaves the room as it is. finishing: what
    becomes of the dialogue in the listening mix, and only there.
    """

    name: str
    limit_db: float | None
    target_level_dbfs: float
    gentler: str
    limits: GateLimits
    repair: bool = True
    retimed: Retimed = "silence"
    adaptive: bool = True
    two_pass: bool = False
    room_db: float = 0.0
    finishing: Finishing = UNFINISHED


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with roomtone, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_recipe(name: str) -> Recipe:
    """A recipe by name (`standard`) or from a TOML file by its path.

    What a file leaves out is as in `standard`. Raises UsageError for a name that is neither, for a
    file that is no recipe, and for one whose gentler recipe is none.
    """
    path = _path(name)
    recipe = _recipe(path, _table(path))
    if recipe.gentler:
        try:
            gentler = _path(recipe.gentler)
            _recipe(gentler, _table(gentler))
        except UsageError as fault:
            raise UsageError(
                f"{path}: gentler = {recipe.gentler!r} is of no use. {fault}"
            ) from fault
    return recipe


def _path(name: str) -> Path:
    """The file of a recipe."""
    path = FOLDER / f"{name}.toml"
    if name not in recipe_names():
        path = Path(name)
        if path.suffix != ".toml" or not path.is_file():
            raise UsageError(
                f"There is no recipe {name!r}; use one of {', '.join(recipe_names())} or the path "
                "of a .toml file."
            )
    return path


def _table(path: Path) -> dict[str, Any]:
    """What a recipe's file says."""
    try:
        return read_table(path)
    except (OSError, ValueError) as fault:
        raise UsageError(f"{path} can't be read as a recipe: {fault}.") from fault


def _recipe(path: Path, table: dict[str, Any]) -> Recipe:
    """A recipe from its table, every key and value checked; what is missing is as in `standard`."""
    standard = _table(FOLDER / "standard.toml")
    gates = table.pop("gates", {})
    room = table.pop("room", {})
    finishing = parse_finishing(table.pop("finishing", {}), path)
    known = {field.name for field in fields(Recipe)} - {"name", "limits", "room_db", "finishing"}
    limits = {field.name for field in fields(GateLimits)}
    if not isinstance(gates, dict):
        raise UsageError(f"{path}: write the gates' limits under a heading [gates].")
    if not isinstance(room, dict):
        raise UsageError(f"{path}: write amount_db of the room under a heading [room].")
    unknown = sorted((set(table) - known) | (set(gates) - limits) | (set(room) - {"amount_db"}))
    if unknown:
        raise UsageError(f"{path} has a key {unknown[0]!r} that no recipe has; remove it.")
    table, gates = {**standard, **table}, {**standard["gates"], **gates}
    limit = table["limit_db"]
    retimed = table["retimed"]
    if retimed not in RETIMED:
        raise UsageError(f"{path}: retimed = {retimed!r} must be one of {', '.join(RETIMED)}.")
    return Recipe(
        name=path.stem,
        limit_db=None if limit == "none" else _number(path, "limit_db", limit, 0, 120),
        target_level_dbfs=_number(path, "target_level_dbfs", table["target_level_dbfs"], -60, 0),
        gentler=str(table["gentler"]),
        repair=_switch(path, "repair", table["repair"]),
        adaptive=_switch(path, "adaptive", table["adaptive"]),
        two_pass=_switch(path, "two_pass", table["two_pass"]),
        room_db=_number(path, "amount_db", room.get("amount_db", 0.0), 0, 40),
        retimed=cast(Retimed, retimed),
        finishing=finishing,
        limits=_limits(path, gates),
    )


def _limits(path: Path, gates: dict[str, Any]) -> GateLimits:
    """The limits of the gates; those in samples are whole numbers."""
    numbers = {key: _number(path, key, value, 0, 1e9) for key, value in gates.items()}
    counts = {key: round(n) for key, n in numbers.items() if key.endswith("_samples")}
    return GateLimits(**{**numbers, **counts})  # type: ignore[arg-type]


def _switch(path: Path, key: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise UsageError(f"{path}: {key} = {value!r} must be true or false.")
    return value


def _number(path: Path, key: str, value: object, low: float, high: float) -> float:
    """A number within its range."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{path}: {key} = {value!r} must be a number from {low} to {high}.")
    return float(value)
