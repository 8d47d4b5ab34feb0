"""`roomtone doctor`: what is installed, and what is missing for what."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from typing import Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import EngineError, RoomtoneError

LIBRARIES = (
    "prefect",
    "opentimelineio",
    "pycmx",
    "soundfile",
    "av",
    "pydub",
    "torch",
    "onnxruntime",
    "faster-whisper",
    "openai-whisper",
    "pocketsphinx",
    "pyrnnoise",
    "resemblyzer",
    "pyloudnorm",
    "sqlalchemy",
    "wavinfo",
)


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check libraries, ffmpeg, weights, database and disk; says what to do."""
    checks: list[tuple[str, bool, str]] = [
        ("python", True, platform.python_version()),
        *_libraries(),
        _ffmpeg(),
        *_home(),
    ]
    if as_json:
        print_json([{"check": name, "ok": ok, "found": found} for name, ok, found in checks])
        return
    for name, ok, found in checks:
        mark = "[green]ok[/green]     " if ok else "[yellow]missing[/yellow]"
        OUT.print(f"{mark} {name:<16} {escape(found)}")


def _libraries() -> list[tuple[str, bool, str]]:
    found = []
    for name in LIBRARIES:
        try:
            found.append((name, True, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            remedy = {
                "pocketsphinx": 'pip install "roomtone[draft]" (draft transcripts)',
                "resemblyzer": "pip install --no-deps resemblyzer==0.1.4 (voices without lavs)",
            }.get(name, "run make install again")
            found.append((name, False, remedy))
    return found


def _ffmpeg() -> tuple[str, bool, str]:
    try:
        import imageio_ffmpeg

        return "ffmpeg", True, imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as fault:
        return "ffmpeg", False, f"{fault}"


def _home() -> list[tuple[str, bool, str]]:
    from flows.engines import choose_denoiser
    from flows.transcribe import choose_recogniser
    from flows.who_speaks import choose as choose_diarizer
    from flows.workspace import open_workspace

    settings = settings_for()
    try:
        with open_workspace(settings) as work:
            found = [("database", True, work.database.name)]
            try:
                work.store.look(work.store.place("anything"))
                found.append(("store", True, work.store.name))
            except RoomtoneError as fault:
                found.append(("store", False, str(fault)))
            try:
                choice = choose_denoiser(work)
                found.append(("denoiser", not choice.stand_in, choice.reason or choice.name))
            except EngineError as fault:
                found.append(("denoiser", False, str(fault)))
            try:
                heard = choose_recogniser(work)
                real = heard.kind not in ("none", "pocketsphinx")
                found.append(("recogniser", real, heard.reason))
            except EngineError as fault:
                found.append(("recogniser", False, str(fault)))
            try:
                apart = choose_diarizer(work)
                missing = apart.kind == "voices" and bool(apart.reason)
                found.append(("voices", not missing, apart.reason or "Told apart by clustering."))
            except EngineError as fault:
                found.append(("voices", False, str(fault)))
    except RoomtoneError as fault:
        return [("home", False, str(fault))]
    free = shutil.disk_usage(settings.home).free
    found.append(("disk", free > 5e9, f"{free / 1e9:.0f} GB free in {settings.home}"))
    return found
