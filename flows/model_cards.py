"""Model cards as a person asks for them: what is known, what is installed, what was measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.errors import UsageError
from core.licences import terms_of
from models.described import DESCRIBED, Described, described
from models.known_weights import KNOWN
from models.weights import WeightsFolder

BENCHMARKS = Path(__file__).resolve().parents[1] / "docs" / "BENCHMARKS.md"


@dataclass(frozen=True)
class Measured:
    """Rows of a table of the benchmarks, as it was written. section: of the page."""

    section: str
    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Shown:
    """A model's card. place: where its weights lie, or None; weights_sha256: of them, or empty.

    measured: what our benchmarks say of it.
    """

    model: Described
    place: Path | None
    weights_sha256: str
    measured: tuple[Measured, ...]

    @property
    def terms(self) -> str:
        """What its licence asks of whoever passes it on."""
        return terms_of(self.model.licence).words


def card_of(name: str, folder: WeightsFolder, benchmarks: Path = BENCHMARKS) -> Shown:
    """The card of a model by its name; weights in the folder are hashed.

    benchmarks: the page of measured numbers; where it is missing none are told. Raises UsageError
    for a name that is neither known nor installed, EngineError for weights that were changed.
    """
    installed = {item.name for item in folder.installed()}
    if name not in DESCRIBED and name not in installed:
        names = ", ".join(sorted({*DESCRIBED, *installed}))
        raise UsageError(f"There is no model {name!r}; there are {names}.")
    model = described(name)
    place, sha256 = None, ""
    if name in installed:
        place, sha256 = folder.path(name), folder.sha256(name)
    elif name not in KNOWN:
        place = _built_in(name)
        sha256 = hashlib.sha256(place.read_bytes()).hexdigest() if place is not None else ""
    page = benchmarks.read_text("utf-8") if benchmarks.is_file() else ""
    return Shown(model, place, sha256, tuple(_measured(page, *at) for at in model.measured))


def _built_in(name: str) -> Path | None:
    """The file that holds the weights of a model that comes with a package; None without any."""
    if name == "rnnoise":
        return _in_package("pyrnnoise", "*rnnoise*.so", "*rnnoise*.dylib", "*rnnoise*.dll")
    if name == "silero-vad":
        return _in_package("faster_whisper", "assets/silero_vad*.onnx")
    if name == "resemblyzer":
        return _in_package("resemblyzer", "pretrained.pt")
    return None


def _in_package(package: str, *patterns: str) -> Path | None:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    found = (
        path
        for folder in folders or ()
        for pattern in patterns
        for path in sorted(Path(folder).glob(pattern))
    )
    return next(found, None)


def _measured(page: str, section: str, label: str) -> Measured:
    """The rows of a section's first table whose first cell is the label."""
    _, _, rest = page.partition(f"\n## {section}\n")
    lines = iter(rest.partition("\n## ")[0].splitlines())
    table = []
    for line in lines:
        if line.startswith("|"):
            table.append(tuple(cell.strip() for cell in line.strip().strip("|").split("|")))
        elif table:
            break
    rows = tuple(row for row in table[2:] if row[0] == label)
    return Measured(section, table[0] if rows else (), rows)


def not_installed(shown: Shown) -> str:
    """What to do where a model's weights are not there, a sentence; else empty."""
    if shown.place is not None or shown.model.name in ("nara-wpe", "pocketsphinx"):
        return ""
    if shown.model.name in KNOWN:
        return f"Not installed; run `roomtone models fetch {shown.model.name}`."
    return "Not installed; import it with `roomtone models import FOLDER`."
