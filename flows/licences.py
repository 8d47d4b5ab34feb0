"""The licences of all that roomtone needs: its packages, what they carry, and the weights."""

from __future__ import annotations

import importlib.metadata as installed
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.licences import Terms, expression_from, named_in, terms_of
from models.known_weights import KNOWN

OPTIONAL = ("postgres", "draft", "play", "diarize", "c2pa")
"""The extras that a person may install for their work (not those for tests and benchmarks)."""


@dataclass(frozen=True)
class Licence:
    """What one thing is licensed under.

    what: `package`, `carried` (a program or library inside a package) or `weights`.
    version: empty where it is not known. expression: SPDX, empty where nothing was said.
    needed: whether roomtone runs without it. because: who needs it, or a remark.
    """

    what: str
    name: str
    version: str
    expression: str
    needed: bool
    because: str

    @property
    def terms(self) -> Terms:
        """What it asks of whoever passes it on."""
        return terms_of(self.expression)


def licences() -> tuple[Licence, ...]:
    """All licences, packages first, sorted by name; asks what is installed in this environment."""
    return (*_packages(), *_carried(), *_weights())


def _packages() -> Iterator[Licence]:
    must = _closure("roomtone", ())
    may = _closure("roomtone", OPTIONAL)
    for name in sorted(may.keys() - {"roomtone"}):
        found = installed.distribution(name)
        because = ", ".join(sorted(must.get(name) or may[name]))
        yield Licence("package", name, found.version, _expression(found), name in must, because)


def _closure(root: str, extras: tuple[str, ...]) -> dict[str, set[str]]:
    """The installed packages that one needs, directly or not, each with those that ask for it."""
    asked: dict[str, set[str]] = {root: set()}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [(root, extras)]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for line in installed.distribution(name).requires or ():
            need = Requirement(line)
            if need.marker is not None and not any(
                need.marker.evaluate({"extra": extra}) for extra in wanted or ("",)
            ):
                continue
            other = canonicalize_name(need.name)
            try:
                installed.distribution(other)
            except installed.PackageNotFoundError:
                continue
            asked.setdefault(other, set()).add(name)
            waiting.append((other, tuple(sorted(need.extras))))
    return asked


def _expression(found: installed.Distribution) -> str:
    about = found.metadata
    classifiers = [
        line.rpartition("::")[2]
        for line in about.get_all("Classifier") or ()
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    stated, words = (
        "".join(about.get_all(field) or ()) for field in ("License-Expression", "License")
    )
    return expression_from(stated, words, classifiers, _text(found))


def _text(found: installed.Distribution) -> str:
    """The licence file that came with a package, or empty."""
    for file in found.files or ():
        if ".dist-info" in str(file) and file.name.upper().startswith(
            ("LICENSE", "LICENCE", "COPYING")
        ):
            try:
                return file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                return ""
    return ""


def _carried() -> Iterator[Licence]:
    """Foreign programs and libraries that come inside packages, as they speak of themselves."""
    try:
        import imageio_ffmpeg

        program = imageio_ffmpeg.get_ffmpeg_exe()
        said = subprocess.run(
            [program, "-hide_banner", "-L"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
        yield Licence(
            "carried",
            "ffmpeg",
            "",
            named_in(said.replace("\n", " ")),
            True,
            "a program in imageio-ffmpeg, run and not linked; IMAGEIO_FFMPEG_EXE names another",
        )
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError):
        pass
    try:
        from av import _core

        said = _core.library_meta["libavcodec"]["license"]
        yield Licence("carried", "libav*", "", _spoken(said), True, "FFmpeg's libraries in av")
    except (ImportError, AttributeError, KeyError):
        pass
    yield Licence("carried", "libsndfile", "", "LGPL-2.1-or-later", True, "a library of soundfile")


def _spoken(said: str) -> str:
    """`LGPL version 3 or later`, as FFmpeg says it, as SPDX does."""
    words = said.split()
    later = "-or-later" if "later" in words else "-only"
    number = next((word for word in words if word[0].isdigit()), "")
    return f"{words[0]}-{number if '.' in number else number + '.0'}{later}"


def _weights() -> Iterator[Licence]:
    for name, known in sorted(KNOWN.items()):
        yield Licence("weights", name, known.version, known.licence, False, known.trained_on)
